import Faults
import Jobs
import Wire

/// What a job will take and tell, before anything runs. Everything in it follows from the specification, the contract and
/// what the owners have published.
package struct JobPlan: Sendable, Hashable {
    package let specification: JobSpecification
    package let limits: Contract.Limits
    package let publications: [Role: Publication]
    package let keyBits: Int
    /// Rows of each side's data set.
    package let rows: [Role: Int]
    /// Common subjects: bounds, and what is reckoned with.
    package let common: Expected
    package let isCommonGiven: Bool
    package let columns: [Role: Expected]
    /// Rounds: a guess and the most.
    package let rounds: Expected
    /// Nothing where nothing is trained.
    package let forecast: RoundForecast?
    package let megabitsPerSecond: Double?
    /// Of any line.
    package static let megabitsPerSecondBounds = 0.001...1e6
    /// With the likely counts.
    package let likely: JobEstimate
    /// With the greatest counts that are possible.
    package let most: JobEstimate

    /// - Parameters:
    ///   - publications: by party.
    ///   - common: subjects in common, if someone knows better than the specification.
    ///   - rounds: the same of rounds.
    ///   - earlierRounds: what the latest jobs of the same name between the same parties took, latest first.
    ///   - megabitsPerSecond: of the line between the two nodes, in `megabitsPerSecondBounds`.
    /// - Throws: `notDescribed` where an owner has not described the data set that is asked for.
    package init(_ specification: JobSpecification, limits: Contract.Limits, publications: [String: Publication], common: Int? = nil,
                 rounds: Int? = nil, earlierRounds: [Int] = [], megabitsPerSecond: Double? = nil) throws(Fault) {
        self.specification = specification
        self.limits = limits
        self.megabitsPerSecond = megabitsPerSecond
        keyBits = specification.keyBits(limits)
        var found: [Role: Publication] = [:]
        var described: [Role: DataDescription] = [:]
        for role in JobEstimate.roles {
            let (party, data) = (specification.party(role), specification.dataset(role))
            guard let publication = publications[party], let description = publication.datasets[data] else {
                throw Fault(.notDescribed, at: "/data/\(role.rawValue)", party, data,
                            "its owner publishes it with: \(role.rawValue)-node data register \(data)",
                            "由该方公布：\(role.rawValue)-node data register \(data)")
            }
            found[role] = publication
            described[role] = description
        }
        self.publications = found
        let rows = described.mapValues(\.rows)
        self.rows = rows
        let largest = rows.values.min() ?? 0
        let common = common ?? specification.population.expectedCommon
        self.common = Expected(lower: 0, likely: min(max(0, common ?? largest), largest), upper: largest)
        isCommonGiven = common != nil
        let mostTraining = specification.trainingRows(of: largest)
        let training = specification.training
        var columns: [Role: Expected] = [:]
        for role in JobEstimate.roles {
            let features = training?.features(role) ?? []
            columns[role] = JobShape.columns(features, intercept: role == .bank && training != nil, described: described[role], rows: mostTraining)
        }
        self.columns = columns
        forecast = training.map { training in
            rounds.map { RoundForecast($0, most: training.settings.maximumRounds) } ?? RoundForecast(training, earlier: earlierRounds)
        }
        self.rounds = Expected(lower: training == nil ? 0 : 1, likely: forecast?.likely ?? 0, upper: training?.settings.maximumRounds ?? 0)
        let machines = found.compactMapValues(\.machine)
        likely = JobEstimate(
            specification, keyBits: keyBits,
            counts: .init(listed: rows, aligned: self.common.likely, columns: columns.mapValues(\.likely), rounds: self.rounds.likely),
            machines: machines, megabitsPerSecond: megabitsPerSecond)
        most = JobEstimate(
            specification, keyBits: keyBits,
            counts: .init(listed: rows, aligned: isCommonGiven ? self.common.likely : largest, columns: columns.mapValues(\.upper),
                          rounds: self.rounds.upper),
            machines: machines, megabitsPerSecond: megabitsPerSecond)
    }

    /// The estimate with the counts that the job turned out to have: what is left is the error of speeds and formulas.
    package func estimate(aligned: Int, columns: [Role: Int], rounds: Int) -> JobEstimate {
        JobEstimate(specification, keyBits: keyBits,
                    counts: .init(listed: rows, aligned: aligned, columns: self.columns.mapValues(\.likely).merging(columns) { $1 }, rounds: rounds),
                    machines: publications.compactMapValues(\.machine), megabitsPerSecond: megabitsPerSecond)
    }

    /// Percent of the training rows; see `JobLimits.exposurePercent`.
    package func exposurePercent(_ estimate: JobEstimate) -> Double? {
        guard let training = specification.training, estimate.trainingRows > 0,
              let bits = JobShape.valueBits(training, rows: estimate.trainingRows)
        else { return nil }
        let values = (estimate.counts.columns.values.max() ?? 0) + 1
        return JobLimits.exposurePercent(
            rounds: training.settings.maximumRounds, valuesPerRound: values, valueBits: bits, rows: estimate.trainingRows)
    }

    // Limits

    package enum Standing: String, Sendable { case holds, undecided, breaks, waived }

    /// One limit as this job meets it.
    package struct Limit: Sendable, Hashable {
        package let name: String
        package let standing: Standing
        /// Common subjects that it takes at least, with the likely columns.
        package let commonNeeded: Int?
        package let words: Phrase
    }

    /// All limits that concern the job, the contract's first.
    package var standings: [Limit] {
        var list = [intersection, listSizes]
        if let training = specification.training { list += trainingLimits(training) }
        return list + JobEstimate.roles.flatMap { [approval($0), disk($0)].compactMap { $0 } }
    }

    /// The limit that asks for most common subjects: the one that binds.
    package var binding: Limit? {
        standings.filter { $0.commonNeeded != nil }.max { ($0.commonNeeded ?? 0) < ($1.commonNeeded ?? 0) }
    }

    private func standing(needed: Int) -> Standing {
        if needed > common.upper || (isCommonGiven && needed > common.likely) { return .breaks }
        return isCommonGiven ? .holds : .undecided
    }

    private var intersection: Limit {
        let needed = max(specification.population.minimumIntersection, limits.minimumIntersection)
        return Limit(name: "minimum_intersection", standing: standing(needed: needed), commonNeeded: needed,
                     words: Phrase(en: "subjects in common: at least \(needed)", zh: "共有主体：至少 \(needed) 个"))
    }

    private var listSizes: Limit {
        let largest = rows.values.max() ?? 0
        return Limit(name: "maximum_set_size", standing: largest > limits.maximumSetSize ? .breaks : .holds, commonNeeded: nil,
                     words: Phrase(en: "longest list: \(largest) of at most \(limits.maximumSetSize)", zh: "最长名单：\(largest)，上限 \(limits.maximumSetSize)"))
    }

    /// The fewest common subjects for which `holds` is true of the training rows.
    private func fewestCommon(_ holds: (Int) -> Bool) -> Int {
        var (low, high) = (1, 1 << 40)
        while low < high {
            let middle = (low + high) / 2
            if holds(specification.trainingRows(of: middle)) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The columns of the larger side after treatment: likely ones, and one for each declared feature.
    private func largestColumns(_ training: JobSpecification.TrainingPart) -> (likely: Int, fewest: Int) {
        let fewest = max(training.features.bank.count + 1, training.features.platform.count)
        return (columns.values.map(\.likely).max() ?? 0, fewest)
    }

    /// Whether it is met depends on columns that are known after alignment.
    private func standing(likely: Int, fewest: Int) -> Standing {
        let standing = standing(needed: likely)
        return standing == .breaks && self.standing(needed: fewest) != .breaks ? .undecided : standing
    }

    private func trainingLimits(_ training: JobSpecification.TrainingPart) -> [Limit] {
        let (largest, fewest) = largestColumns(training)
        let rounds = training.settings.maximumRounds
        func forRows(_ columns: Int) -> Int { fewestCommon { JobLimits.checkRows($0, columns: columns, rounds: rounds, limits: limits) == nil } }
        let needed = forRows(largest)
        var list = [Limit(name: "minimum_rows", standing: standing(likely: needed, fewest: forRows(fewest)), commonNeeded: needed,
                          words: Phrase(en: "training rows for \(largest) columns and \(rounds) rounds: at least \(needed) subjects in common",
                                        zh: "\(largest) 列、\(rounds) 轮所需训练行：至少 \(needed) 个共有主体"))]
        if let limit = limits.exposurePercent {
            let valueBits = JobShape.valueBits(training)
            func forExposure(_ columns: Int) -> Int {
                fewestCommon { rows in
                    guard let bits = valueBits(max(1, rows)) else { return true }
                    return JobLimits.exposurePercent(rounds: rounds, valuesPerRound: columns + 1, valueBits: bits, rows: rows) <= limit
                }
            }
            let needed = forExposure(largest)
            list.append(Limit(name: "exposure_percent", standing: standing(likely: needed, fewest: forExposure(fewest)), commonNeeded: needed,
                              words: Phrase(en: "exposure of at most \(limit) % with \(largest) columns: at least \(needed) subjects in common",
                                            zh: "\(largest) 列时暴露度不超过 \(limit) %：至少 \(needed) 个共有主体")))
        } else {
            list.append(Limit(name: "exposure_percent", standing: .waived, commonNeeded: nil,
                              words: Phrase(en: "exposure: the contract sets no limit (\(limits.exposureNote ?? ""))", zh: "暴露度：契约未设上限（\(limits.exposureNote ?? "")）")))
        }
        let bads = (columns[.platform]?.likely ?? 0) * limits.badsPerColumn
        list.append(Limit(name: "bads_per_column", standing: bads * 2 > specification.trainingRows(of: common.upper) ? .breaks : .undecided,
                          commonNeeded: nil,
                          words: Phrase(en: "training rows of the rarer label: at least \(bads), which the bank alone can count",
                                        zh: "较少类别的训练行：至少 \(bads) 行，仅银行方能核对")))
        if let share = limits.dominanceShare {
            list.append(Limit(name: "dominance_share", standing: .undecided, commonNeeded: nil,
                              words: Phrase(en: "no feature of the platform carries more than \(share) of its score's variance, known after training",
                                            zh: "平台任一特征占其得分方差不超过 \(share)，训练后方知")))
        }
        return list
    }

    private func approval(_ role: Role) -> Limit? {
        guard let publication = publications[role] else { return nil }
        let party = publication.party
        if publication.approval.consents(to: specification) {
            return Limit(name: "approval.\(role.rawValue)", standing: .holds, commonNeeded: nil,
                         words: Phrase(en: "\(party) approves this job by its configuration", zh: "\(party) 依配置自动批准该任务"))
        }
        return Limit(name: "approval.\(role.rawValue)", standing: .undecided, commonNeeded: nil,
                     words: Phrase(en: "\(party) asks a person before it approves", zh: "\(party) 须由人员审批"))
    }

    private func disk(_ role: Role) -> Limit? {
        guard let machine = publications[role]?.machine, let party = publications[role]?.party else { return nil }
        let needed = likely.diskBytes(role, machine.retention) >> 20 + 1, most = self.most.diskBytes(role, machine.retention) >> 20 + 1
        let standing: Standing = needed > machine.freeMebibytes ? .breaks : most > machine.freeMebibytes ? .undecided : .holds
        return Limit(name: "disk.\(role.rawValue)", standing: standing, commonNeeded: nil,
                     words: Phrase(en: "disk at \(party): about \(needed) MiB, at most \(most) MiB (retention \(machine.retention.rawValue)); \(machine.freeMebibytes) MiB free",
                                   zh: "\(party) 磁盘：约 \(needed) MiB，至多 \(most) MiB（留存方式 \(machine.retention.rawValue)）；剩余 \(machine.freeMebibytes) MiB"))
    }
}
