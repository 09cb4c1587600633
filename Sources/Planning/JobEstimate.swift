import Jobs
import LinearAlgebra
import Wire

/// What a job of given counts takes.
package struct JobEstimate: Sendable, Hashable {
    package struct Counts: Sendable, Hashable {
        /// Rows of each side's list.
        package var listed: [Role: Int]
        package var aligned: Int
        /// After treatment, the intercept included.
        package var columns: [Role: Int]
        package var rounds: Int

        package init(listed: [Role: Int], aligned: Int, columns: [Role: Int], rounds: Int) {
            self.listed = listed
            self.aligned = aligned
            self.columns = columns
            self.rounds = rounds
        }
    }

    /// As `report.json` divides them.
    package struct Seconds: Sendable, Hashable {
        package var align = 0.0
        package var train = 0.0
        package var score = 0.0
        package var total: Double { align + train + score }

        package init(align: Double = 0, train: Double = 0, score: Double = 0) {
            self.align = align
            self.train = train
            self.score = score
        }
    }

    package let counts: Counts
    package let trainingRows: Int
    /// What each side sends to the other.
    package let line: [Role: LineTotal]
    /// The same in each round; the digits of a round's number make a byte or two of difference.
    package let roundBytes: [Role: Int]
    /// `nil` where the speed of a machine is not known.
    package let seconds: Seconds?
    /// Main memory of each side's node.
    package let memoryBytes: [Role: Int]

    /// - Parameters:
    ///   - keyBits: of both parties' keys.
    ///   - megabitsPerSecond: of the line between the two, each way; `nil` where it is no bottleneck.
    package init(_ specification: JobSpecification, keyBits: Int, counts: Counts, machines: [Role: MachineDescription], megabitsPerSecond: Double?) {
        self.counts = counts
        let training = specification.training
        let degree = training?.settings.degree ?? 0
        var transfer = TransferCounts(isTraining: training != nil, degree: degree, share: training?.split.share ?? 0, keyBytes: keyBits / 8)
        transfer.isAligning = specification.alignment != nil
        transfer.revealsSizeOnly = specification.alignment?.reveals == .size
        transfer.revealsToBankAlone = specification.alignment?.reveals == .bank
        transfer.listed = counts.listed
        transfer.aligned = counts.aligned
        transfer.columns = counts.columns
        let rows = transfer.trainingRows ?? 0
        trainingRows = rows
        let bits = training.flatMap { JobShape.valueBits($0, rows: max(1, rows)) } ?? TransferCounts.mostValueBits
        for role in Self.roles {
            transfer.masked[role] = JobShape.maskedCiphertexts(
                values: (counts.columns[role] ?? 0) + (role == .bank ? 1 : 0), bits: min(bits, TransferCounts.mostValueBits), keyBits: keyBits)
        }
        var line: [Role: LineTotal] = [:]
        for role in Self.roles { line[role] = transfer.total(from: role, rounds: counts.rounds) }
        self.line = line
        var rounds: [Role: Int] = [:]
        for role in Self.roles where training != nil {
            guard let two = transfer.total(from: role, rounds: 2), let one = transfer.total(from: role, rounds: 1) else { continue }
            rounds[role] = two.bytes - one.bytes
        }
        roundBytes = rounds
        let work = JobWork(training, keyBits: keyBits, transfer: transfer, counts: counts, valueBits: bits)
        memoryBytes = Dictionary(uniqueKeysWithValues: Self.roles.map { ($0, work.memoryBytes($0)) })
        seconds = work.seconds(machines, line: line, megabitsPerSecond: megabitsPerSecond)
    }

    package static let roles: [Role] = [.bank, .platform]

    /// What the ledger and the results of one side take on its disk.
    package func diskBytes(_ role: Role, _ retention: NodeConfiguration.Retention) -> Int {
        let (sent, received) = (line[role] ?? LineTotal(), line[role.otherOwner] ?? LineTotal())
        let payloads = switch retention {
        case .all: sent.payloadBytes + received.payloadBytes
        case .inbound: received.payloadBytes
        case .digests: 0
        }
        let recordBytes = 72
        let results = role == .bank ? 48 * counts.aligned : 0
        return payloads + recordBytes * (sent.records + received.records) + 4096 * (counts.rounds + 8) + results
    }
}

/// The operations of a job, counted.
private struct JobWork {
    let training: JobSpecification.TrainingPart?
    let keyBits: Int
    let transfer: TransferCounts
    let counts: JobEstimate.Counts
    let valueBits: Int
    let sigmoid: SigmoidProjection?

    init(_ training: JobSpecification.TrainingPart?, keyBits: Int, transfer: TransferCounts, counts: JobEstimate.Counts, valueBits: Int) {
        self.training = training
        self.keyBits = keyBits
        self.transfer = transfer
        self.counts = counts
        self.valueBits = valueBits
        sigmoid = training.map { SigmoidProjection(degree: $0.settings.degree, range: $0.settings.range) }
    }

    private var rows: Int { transfer.trainingRows ?? 0 }
    private var stride: Int { transfer.degree + 1 }
    private var ciphertextBytes: Int { keyBits / 4 }

    /// Bits of a row where it multiplies ciphertexts: a standardised column seldom reaches its clip on both sides.
    private func rowBits(_ role: Role) -> Int {
        guard let training else { return 1 }
        let numbers = training.features(role).compactMap(\.clip).map { clip in
            Int.bitWidth - Int(1.5 * clip * Double(1 << JobShape.columnFactorBits)).leadingZeroBitCount
        }
        return numbers.reduce(0, +) + max(0, (counts.columns[role] ?? 0) - numbers.count) + 1
    }

    private var lossBits: Int { sigmoid.map { Int.bitWidth - Int(2 * $0.lossShiftFactor * $0.coefficientShift).leadingZeroBitCount } ?? 1 }

    /// Nanoseconds of one core for one round.
    private func round(_ role: Role, _ speed: MachineSpeed) -> Double {
        guard let sigmoid else { return 0 }
        let rows = Double(rows)
        let exponentBits = role == .bank ? Int.bitWidth - Int(2 * sigmoid.coefficientShift).leadingZeroBitCount : SigmoidProjection.factorBits + 2
        var cost = rows * Double(stride) * Double(speed.encryption + speed.loading)
        cost += rows * RoundOperations.combinationProducts(stride: stride, exponentBits: exponentBits) * Double(speed.combination)
        var products = RoundOperations.innerProducts(bits: rowBits(role), rows: self.rows, ciphertextBytes: ciphertextBytes)
        if role == .bank { products += RoundOperations.innerProducts(bits: lossBits, rows: self.rows * stride, ciphertextBytes: ciphertextBytes) }
        let own = Double(transfer.masked[role] ?? 0), theirs = Double(transfer.masked[role.otherOwner] ?? 0)
        products += Double((counts.columns[role] ?? 0) * valueBits)
        cost += products * Double(speed.bucket)
        cost += (own + theirs) * Double(speed.publicEncryption + speed.decryption + speed.loading)
        let mebibytes = rows * Double(stride * ciphertextBytes) * 2 / 0x1p20
        return cost + mebibytes * Double(speed.mebibyte) * 3
    }

    /// Nanoseconds that one thread takes in one round while the others wait: the coefficients of each row.
    private func serial(_ role: Role) -> Double { role == .bank ? Double(rows) * 64 * 60 : Double(rows) * 200 }

    private func align(_ role: Role, _ speed: MachineSpeed) -> Double {
        let own = Double(counts.listed[role] ?? 0), theirs = Double(counts.listed[role.otherOwner] ?? 0)
        let checks = role == .bank ? own * Double(speed.checking) : 0
        let certificates = Double(TransferCounts.certificateRoots * (speed.publicEncryption + 2 * speed.decryption))
        return own * Double(speed.blinding) + theirs * Double(speed.doubling) + checks + certificates
    }

    private func score(_ role: Role, _ speed: MachineSpeed) -> Double {
        if transfer.isAligning { return 0 }
        let slots = max(1, (keyBits - TransferCounts.headroomBits) / TransferCounts.scoreBits)
        let ciphertexts = Double((counts.aligned + slots - 1) / slots)
        return ciphertexts * Double(role == .platform ? speed.publicEncryption : speed.decryption + speed.loading)
    }

    func seconds(_ machines: [Role: MachineDescription], line: [Role: LineTotal], megabitsPerSecond: Double?) -> JobEstimate.Seconds? {
        guard let bank = machines[.bank], let platform = machines[.platform], let bankSpeed = bank.speed(keyBits),
              let platformSpeed = platform.speed(keyBits)
        else { return nil }
        let share = [Role.bank: (bankSpeed, Double(bank.cores)), .platform: (platformSpeed, Double(platform.cores))]
        let shared = bank.host == platform.host
        /// Both work at the same time, unless they share one machine.
        func wall(_ cost: (Role, MachineSpeed) -> Double) -> Double {
            let each = JobEstimate.roles.compactMap { role in share[role].map { cost(role, $0.0) / $0.1 } }
            return (shared ? each.reduce(0, +) : each.max() ?? 0) / 1e9
        }
        func transferred(_ bytes: Double) -> Double { megabitsPerSecond.map { bytes * 8 / ($0 * 1e6) } ?? 0 }
        var result = JobEstimate.Seconds()
        let making = max(Double(bankSpeed.key), Double(platformSpeed.key)) / 1e9
        let listBytes = Double(TransferCounts.pointBytes * ((counts.listed[.platform] ?? 0) + (counts.listed[.bank] ?? 0)))
        result.align = making + max(wall(align), transferred(listBytes))
        if let training {
            let rows = Double(rows)
            let roundBytes = rows * Double(stride * ciphertextBytes)
            let serialSeconds = JobEstimate.roles.map(serial).max() ?? 0
            result.train = Double(counts.rounds) * (max(wall(round), transferred(roundBytes)) + serialSeconds / 1e9)
            let columns = Double((counts.columns[.bank] ?? 0) + training.features.bank.count)
            result.train += rows * columns * columns * 8e-9
        }
        result.score = wall(score)
        return result
    }

    func memoryBytes(_ role: Role) -> Int {
        let listed = counts.listed[role] ?? 0, peerListed = counts.listed[role.otherOwner] ?? 0
        let features = training?.features(role).count ?? 0
        let tables = training.map { training in
            RoundOperations.tableBytes(keyBits: keyBits, encryptions: rows * stride * min(training.settings.maximumRounds, 12))
        } ?? 0
        // Beyond that, lists lie on the disk.
        if transfer.isAligning { return 48 << 20 + min(listed * 80 + peerListed * 40, 400 << 20) }
        let lists = listed * (160 + 12 * features) + peerListed * 96
        let rowBytes = stride * (8 + 16 * 3) + 4 * transfer.degree + (role == .bank ? 4 * stride : 0) + 12 * (counts.columns[role] ?? 0)
        let blocks = 24 * TransferCounts.rowsPerBlock * stride * ciphertextBytes
        var buckets = RoundOperations.bucketBytes(bits: rowBits(role), rows: max(1, rows), ciphertextBytes: ciphertextBytes)
        if role == .bank { buckets += RoundOperations.bucketBytes(bits: lossBits, rows: max(1, rows * stride), ciphertextBytes: ciphertextBytes) }
        return 48 << 20 + tables + lists + (training == nil ? 0 : rows * rowBytes + blocks + buckets)
    }
}

extension MachineDescription {
    /// As measured, or from the nearest measured length: products grow with the square of the length, powers with its cube.
    func speed(_ keyBits: Int) -> MachineSpeed? {
        guard let nearest = speeds.min(by: { abs($0.keyBits - keyBits) < abs($1.keyBits - keyBits) }) else { return nil }
        guard nearest.keyBits != keyBits else { return nearest }
        let ratio = Double(keyBits) / Double(nearest.keyBits)
        func scaled(_ value: Int, _ power: Double) -> Int {
            var factor = ratio
            if power >= 2 { factor *= ratio }
            if power >= 3 { factor *= ratio }
            return max(1, Int(Double(value) * factor))
        }
        var speed = nearest
        speed.keyBits = keyBits
        speed.key = scaled(speed.key, 3)
        for path in [\MachineSpeed.loading, \.combination, \.bucket] { speed[keyPath: path] = scaled(speed[keyPath: path], 2) }
        for path in [\MachineSpeed.encryption, \.publicEncryption, \.decryption] { speed[keyPath: path] = scaled(speed[keyPath: path], 3) }
        return speed
    }
}
