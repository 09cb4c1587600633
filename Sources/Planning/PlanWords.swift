import Faults
import Jobs
import Wire

extension JobPlan {
    /// For a terminal: what the job takes, which limits bind, what each side will learn.
    package func lines(_ language: Language) -> [String] {
        counts(language) + costs(language) + limitLines(language) + Disclosure.lines(specification, limits, language)
    }

    private func counts(_ language: Language) -> [String] {
        func text(_ en: String, _ zh: String) -> String { Phrase(en: en, zh: zh)(language) }
        let parties = specification.parties
        let (bank, platform) = (rows[.bank] ?? 0, rows[.platform] ?? 0)
        var lines = [
            text("Job: \(specification.name) (\(specification.kind.rawValue))", "任务：\(specification.name)（\(specification.kind.rawValue)）"),
            text("Rows: \(parties.bank) \(bank), \(parties.platform) \(platform)", "行数：\(parties.bank) \(bank)，\(parties.platform) \(platform)"),
            isCommonGiven
                ? text("Common subjects: reckoned with \(common.likely); 0 to \(common.upper) until alignment", "共有主体：按 \(common.likely) 个估算；对齐前为 0 至 \(common.upper)")
                : text("Common subjects: 0 to \(common.upper) until alignment; reckoned with \(common.upper)", "共有主体：对齐前为 0 至 \(common.upper)；按 \(common.upper) 估算"),
        ]
        guard specification.training != nil else { return lines }
        lines.append(text("Training rows: \(likely.trainingRows)", "训练行：\(likely.trainingRows)"))
        for (role, name) in [(Role.bank, parties.bank), (.platform, parties.platform)] {
            guard let columns = columns[role] else { continue }
            lines.append(text("Columns of \(name) after treatment: \(columns.lower) to \(columns.upper), reckoned with \(columns.likely)",
                              "\(name) 处理后的列：\(columns.lower) 至 \(columns.upper)，按 \(columns.likely) 估算"))
        }
        if let usual = forecast?.usual {
            lines.append(usual.count > 1
                ? text("Rounds: about \(rounds.likely), most often \(usual.lowerBound) to \(usual.upperBound), at most \(rounds.upper)",
                       "轮数：约 \(rounds.likely)，通常 \(usual.lowerBound) 至 \(usual.upperBound)，至多 \(rounds.upper)")
                : text("Rounds: about \(rounds.likely), at most \(rounds.upper)", "轮数：约 \(rounds.likely)，至多 \(rounds.upper)"))
        }
        if let percent = exposurePercent(likely) {
            lines.append(text("Exposure: \(tenths(percent)) % of the training rows", "暴露度：训练行的 \(tenths(percent)) %"))
        }
        return lines
    }

    private func costs(_ language: Language) -> [String] {
        func text(_ en: String, _ zh: String) -> String { Phrase(en: en, zh: zh)(language) }
        let parties = specification.parties
        var lines: [String] = []
        for (from, to, role) in [(parties.bank, parties.platform, Role.bank), (parties.platform, parties.bank, .platform)] {
            guard let expected = likely.line[role]?.bytes, let most = most.line[role]?.bytes else { continue }
            let round = likely.roundBytes[role] ?? 0
            let (en, zh) = round == 0 ? ("", "") : (" (each round \(megabytes(round)))", "（每轮 \(megabytes(round))）")
            lines.append(text("Bytes \(from) to \(to): about \(megabytes(expected))\(en), at most \(megabytes(most))",
                              "\(from) 至 \(to) 的传输量：约 \(megabytes(expected))\(zh)，至多 \(megabytes(most))"))
        }
        if let seconds = likely.seconds, let most = most.seconds {
            lines.append(text(
                "Time: about \(minutes(seconds.total)) min, at most \(minutes(most.total)) min (alignment \(minutes(seconds.align)), training "
                    + "\(minutes(seconds.train)), scoring \(minutes(seconds.score)))",
                "用时：约 \(minutes(seconds.total)) 分钟，至多 \(minutes(most.total)) 分钟（对齐 \(minutes(seconds.align))、训练 \(minutes(seconds.train))、评分 \(minutes(seconds.score))）"))
            lines.append(sharesMachine
                ? text("  as measured at both nodes, which share one machine", "  依据双方节点的实测速度；两节点共用一台机器")
                : text("  as measured at both nodes, each on a machine of its own", "  依据双方节点的实测速度；两节点各用一台机器"))
            lines.append(megabitsPerSecond.map { text("  over a line of \($0) Mbit/s", "  线路 \($0) Mbit/s") }
                ?? text("  the line is not reckoned in; give its speed with --line", "  未计线路耗时；可用 --line 指定线路速度"))
        } else {
            let silent = JobEstimate.roles.filter { publications[$0]?.machine?.speeds.isEmpty ?? true }.map(specification.party)
            lines.append(text("Time: unknown until the speed of \(silent.joined(separator: ", ")) has been measured; ask again in half a minute",
                              "用时：未知，\(silent.joined(separator: "、")) 尚未完成本机测速；请半分钟后再试"))
        }
        for (name, role) in [(parties.bank, Role.bank), (parties.platform, .platform)] {
            guard let bytes = likely.memoryBytes[role], let most = most.memoryBytes[role] else { continue }
            lines.append(text("Memory at \(name): about \(bytes >> 20) MiB, at most \(most >> 20) MiB", "\(name) 内存：约 \(bytes >> 20) MiB，至多 \(most >> 20) MiB"))
        }
        return lines
    }

    private var sharesMachine: Bool { publications[.bank]?.machine?.host == publications[.platform]?.machine?.host }

    private func limitLines(_ language: Language) -> [String] {
        let lines = standings.map { limit in
            let standing = switch limit.standing {
            case .holds: Phrase(en: "holds", zh: "满足")
            case .undecided: Phrase(en: "open", zh: "待定")
            case .breaks: Phrase(en: "BREAKS", zh: "不满足")
            case .waived: Phrase(en: "waived", zh: "未设")
            }
            return "  \(standing(language))  \(limit.words(language))"
        }
        var heading = [Phrase(en: "Limits of the contract and of the nodes:", zh: "契约与节点的限制：")(language)]
        if let binding, let needed = binding.commonNeeded {
            heading.append(Phrase(en: "  The job needs \(needed) subjects in common; what binds is \(binding.name)",
                                  zh: "  该任务需要 \(needed) 个共有主体；起约束作用的是 \(binding.name)")(language))
        }
        return heading + lines
    }

    /// For programs; keys as in `Protocols/specification.md`, "Plans".
    package func json(_ language: Language) -> JSONValue {
        var members: [String: JSONValue] = [
            "name": .text(specification.name), "kind": .text(specification.kind.rawValue), "key_bits": .integer(keyBits),
            "rows": .object(["bank": .integer(rows[.bank] ?? 0), "platform": .integer(rows[.platform] ?? 0)]),
            "common": common.json, "common_given": .bool(isCommonGiven),
            "rounds": rounds.json,
            "columns": .object(["bank": columns[.bank]?.json ?? .null, "platform": columns[.platform]?.json ?? .null]),
            "one_machine": .bool(sharesMachine), "likely": json(likely), "most": json(most),
            "limits": .array(standings.map { limit in
                var members: [String: JSONValue] = ["name": .text(limit.name), "standing": .text(limit.standing.rawValue), "words": .text(limit.words(language))]
                if let needed = limit.commonNeeded { members["common_needed"] = .integer(needed) }
                return .object(members)
            }),
            "learned": .array(Disclosure.lines(specification, limits, language).map { .text($0) }),
        ]
        if let usual = forecast?.usual { members["usual_rounds"] = .object(["lower": .integer(usual.lowerBound), "upper": .integer(usual.upperBound)]) }
        if let binding { members["binding"] = .text(binding.name) }
        if let megabitsPerSecond { members["line_mbit_s"] = .real(megabitsPerSecond) }
        return .object(members)
    }

    package func json(_ estimate: JobEstimate) -> JSONValue {
        func each(_ value: (Role) -> JSONValue) -> JSONValue { .object(["bank": value(.bank), "platform": value(.platform)]) }
        var members: [String: JSONValue] = [
            "aligned": .integer(estimate.counts.aligned), "train_rows": .integer(estimate.trainingRows), "rounds": .integer(estimate.counts.rounds),
            "columns": each { .integer(estimate.counts.columns[$0] ?? 0) },
            "bytes": .object(["bank_to_platform": .integer(estimate.line[.bank]?.bytes ?? 0), "platform_to_bank": .integer(estimate.line[.platform]?.bytes ?? 0)]),
            "round_bytes": .object(["bank_to_platform": .integer(estimate.roundBytes[.bank] ?? 0), "platform_to_bank": .integer(estimate.roundBytes[.platform] ?? 0)]),
            "memory_bytes": each { .integer(estimate.memoryBytes[$0] ?? 0) },
            "disk_bytes": each { role in publications[role]?.machine.map { .integer(estimate.diskBytes(role, $0.retention)) } ?? .null },
        ]
        if let percent = exposurePercent(estimate) { members["exposure_percent"] = .real((percent * 10).rounded(.up) / 10) }
        if let seconds = estimate.seconds {
            func rounded(_ value: Double) -> JSONValue { .real((value * 1000).rounded() / 1000) }
            members["seconds"] = .object([
                "align": rounded(seconds.align), "train": rounded(seconds.train), "score": rounded(seconds.score), "total": rounded(seconds.total),
            ])
        }
        return .object(members)
    }
}

extension Expected {
    fileprivate var json: JSONValue { .object(["lower": .integer(lower), "likely": .integer(likely), "upper": .integer(upper)]) }
}

private func tenths(_ value: Double) -> String { "\((value * 10).rounded(.up) / 10)" }

private func megabytes(_ bytes: Int) -> String {
    bytes < 10_000_000 ? "\((Double(bytes) / 1e4).rounded(.up) / 100) MB" : "\((Double(bytes) / 1e5).rounded(.up) / 10) MB"
}

private func minutes(_ seconds: Double) -> String { "\((seconds / 6).rounded() / 10)" }

/// What each party will learn from a job, in words.
package enum Disclosure {
    package static func lines(_ specification: JobSpecification, _ limits: Contract.Limits, _ language: Language) -> [String] {
        func text(en: String, zh: String) -> String { Phrase(en: en, zh: zh)(language) }
        if let alignment = specification.alignment {
            let lines = switch alignment.reveals {
            case .subjects: [text(en: "  both: which subjects are common, the size of the other's list", zh: "  双方：共有主体、对方名单规模")]
            case .size: [text(en: "  both: how many subjects are common, not which; the size of the other's list", zh: "  双方：共有主体的数量（不含具体主体）、对方名单规模")]
            case .bank: [
                text(en: "  bank: which of its subjects the platform holds, the size of the platform's list; the limits on the number of common subjects rest with it alone",
                     zh: "  银行：其哪些主体为平台所有、平台名单规模；共有主体数量的限制仅由银行自行检查"),
                text(en: "  platform: the size of the bank's list; neither which nor how many subjects are common", zh: "  平台：银行名单规模；不获知共有主体及其数量"),
            ]
            }
            return [text(en: "What each side will learn:", zh: "各方将获知：")] + lines + [text(en: "  arbiter: counts, progress", zh: "  仲裁方：数量、进度")]
        }
        let trains = specification.training != nil
        return [
            text(en: "What each side will learn:", zh: "各方将获知："),
            text(en: "  both: which subjects are common, the size of the other's list", zh: "  双方：共有主体、对方名单规模"),
            text(en: trains
                    ? "  bank: its own weights, all metrics and scores; the platform's part of each score by subtraction, to 2^-\(limits.scoreResolutionBits)"
                    : "  bank: all scores; the platform's part of each by subtraction, to 2^-\(limits.scoreResolutionBits)",
                 zh: trains
                    ? "  银行：本方权重、全部指标与评分；相减可得平台部分得分（精度 2^-\(limits.scoreResolutionBits)）"
                    : "  银行：全部评分；相减可得平台部分得分（精度 2^-\(limits.scoreResolutionBits)）"),
            text(en: trains ? "  platform: its own weights, the rate of bads to a factor of two; no label, no score" : "  platform: nothing further",
                 zh: trains ? "  平台：本方权重、违约率的大致范围（两倍以内）；不获知标签与评分" : "  平台：无其他内容"),
            text(en: trains ? "  arbiter: counts, progress, inner products of joint steps" : "  arbiter: counts, progress",
                 zh: trains ? "  仲裁方：数量、进度、联合步长的内积" : "  仲裁方：数量、进度"),
        ]
    }
}
