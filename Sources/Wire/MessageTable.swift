import Faults

/// The table of everything that may cross, for people: `jointlab wire` prints it, `Protocols/wire.md` holds it.
package enum MessageTable {
    /// A Markdown table, one row for each message, ending in a line break.
    package static func markdown(_ language: Language) -> String {
        let head = Heading.all.map { $0(language) }
        let rows = MessageKind.allCases.map { kind in
            let entry = Entry(kind, language)
            return [entry.number, "`\(entry.name)`", entry.directions, entry.phases, entry.shape, entry.limit, entry.reveals]
        }
        return ([head, head.map { _ in "---" }] + rows)
            .map { "| " + $0.joined(separator: " | ") + " |\n" }
            .joined()
    }

    /// For a terminal: a short paragraph for each message, for the rows are wider than a screen.
    package static func text(_ language: Language) -> String {
        MessageKind.allCases.map { kind in
            let entry = Entry(kind, language)
            return """
                \(entry.number) \(entry.name)
                  \(Heading.directions(language)): \(entry.directions)
                  \(Heading.phases(language)): \(entry.phases)
                  \(Heading.shape(language)): \(entry.shape)
                  \(Heading.limit(language)): \(entry.limit)
                  \(Heading.reveals(language)): \(entry.reveals)

                """
        }.joined(separator: "\n")
    }

    private enum Heading {
        static let number = Phrase(en: "number", zh: "编号")
        static let name = Phrase(en: "message", zh: "消息")
        static let directions = Phrase(en: "from → to", zh: "发送 → 接收")
        static let phases = Phrase(en: "phases", zh: "阶段")
        static let shape = Phrase(en: "fields and their bytes", zh: "字段及字节数")
        static let limit = Phrase(en: "payload at most, bytes", zh: "载荷上限（字节）")
        static let reveals = Phrase(en: "what the receiver learns", zh: "接收方获知的内容")
        static let all = [number, name, directions, phases, shape, limit, reveals]
    }

    private struct Entry {
        let number, name, directions, phases, shape, limit, reveals: String

        init(_ kind: MessageKind, _ language: Language) {
            let row = kind.row
            let separator = language == .zh ? "、" : ", "
            number = "\(kind.rawValue)"
            name = kind.name
            directions = row.directions.map { "\($0.from.name(language)) → \($0.to.name(language))" }.joined(separator: separator)
            phases = row.phases == Phase.allCases
                ? Phrase(en: "any", zh: "任意")(language)
                : row.phases.map { $0.name(language) }.joined(separator: separator)
            shape = row.shape
            limit = "\(row.maximumPayloadBytes)"
            reveals = row.reveals(language)
        }
    }
}

extension MessageKind {
    /// The name of the message in `Protocols/jointlab.proto`.
    package var name: String {
        let name = "\(self)"
        return name.prefix(1).uppercased() + name.dropFirst()
    }
}

extension Role {
    package var name: Phrase {
        switch self {
        case .bank: Phrase(en: "bank", zh: "银行")
        case .platform: Phrase(en: "platform", zh: "平台")
        case .arbiter: Phrase(en: "arbiter", zh: "仲裁方")
        case .person: Phrase(en: "person", zh: "人员")
        }
    }
}

extension Phase {
    package var name: Phrase {
        switch self {
        case .waiting: Phrase(en: "waiting", zh: "等待")
        case .opening: Phrase(en: "opening", zh: "建立连接")
        case .alignment: Phrase(en: "alignment", zh: "样本对齐")
        case .preparation: Phrase(en: "preparation", zh: "准备")
        case .training: Phrase(en: "training", zh: "训练")
        case .scoring: Phrase(en: "scoring", zh: "评分")
        case .closing: Phrase(en: "closing", zh: "收尾")
        case .UNRECOGNIZED(let number): Phrase(en: "phase \(number)", zh: "阶段 \(number)")
        }
    }
}

extension JobState {
    package var name: Phrase {
        switch self {
        case .offered: Phrase(en: "offered", zh: "等待审批")
        case .running: Phrase(en: "running", zh: "运行中")
        case .completed: Phrase(en: "completed", zh: "已完成")
        case .failed: Phrase(en: "failed", zh: "失败")
        case .cancelled: Phrase(en: "cancelled", zh: "已取消")
        case .interrupted: Phrase(en: "interrupted", zh: "已中断")
        case .queued: Phrase(en: "queued", zh: "排队中")
        case .UNRECOGNIZED(let number): Phrase(en: "state \(number)", zh: "状态 \(number)")
        }
    }
}
