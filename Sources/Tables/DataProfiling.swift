import Faults

extension DataProfile {
    /// What is looked at to find the identifier column, whichever is reached first.
    private static let headRows = 1_000
    private static let headBytes = 8 << 20

    /// Reads a data set once, in memory that is bounded but for about 100 bytes for each subject.
    ///
    /// - Parameters:
    ///   - identifier: the column that names the subjects. Without it, the column most of whose cells are credit codes, if
    ///     there is one. Its cells are taken as credit codes if at least half of the first ones are.
    ///   - progress: called now and then with the number of rows and of bytes of their cells so far.
    /// - Throws: the faults of ``DataSource/read(header:row:)``, and `.missingColumn`.
    package static func of(
        _ source: DataSource, identifier: String? = nil, progress: (_ rows: Int, _ bytes: Int) -> Void = { _, _ in }
    ) throws(Fault) -> DataProfile {
        var head: [TableRecord] = []
        var names: [String] = []
        var pass: Pass?
        var bytes = 0
        func begin() throws(Fault) -> Pass {
            var pass = Pass(names: names, identifier: try choose(identifier, names, head, source.name))
            for record in head { pass.take(record) }
            head = []
            return pass
        }
        let writing = try source.read { header throws(Fault) in
            names = header
            if let identifier { _ = try Table.index(of: identifier, in: names, file: source.name) }
        } row: { record throws(Fault) in
            bytes += record.bytes.count + 1
            if pass != nil {
                pass?.take(record)
            } else {
                head.append(record)
                if head.count == headRows || bytes >= headBytes { pass = try begin() }
            }
            if let rows = pass?.rows, rows.isMultiple(of: 1 << 15) { progress(rows, bytes) }
        }
        let complete = if let pass { pass } else { try begin() }
        return complete.profile(source.name, writing)
    }

    private static func choose(
        _ identifier: String?, _ names: [String], _ head: [TableRecord], _ file: String
    ) throws(Fault) -> (index: Int, kind: IdentifierKind)? {
        var code: [UInt8] = []
        func codes(in column: Int) -> Int {
            head.count { record in
                (try? CreditCode.normalise(record.bytes.span.extracting(record.range(column)), into: &code).get()) != nil
            }
        }
        if let identifier {
            let index = try Table.index(of: identifier, in: names, file: file)
            return (index, 2 * codes(in: index) >= head.count && !head.isEmpty ? .creditCode : .text)
        }
        let best = names.indices.map { (index: $0, codes: codes(in: $0)) }.max { ($0.codes, $1.index) < ($1.codes, $0.index) }
        guard let best, best.codes > 0, 2 * best.codes >= head.count else { return nil }
        return (best.index, .creditCode)
    }
}

/// The state of one pass.
private struct Pass {
    private(set) var rows = 0
    private var columns: [ColumnPass]
    private var subjects: SubjectPass?

    init(names: [String], identifier: (index: Int, kind: IdentifierKind)?) {
        // All sketches together stay below some 600 MB for the widest table.
        let share = (1 << 20) / max(names.count, 1)
        columns = names.map { ColumnPass(name: $0, quantileCapacity: min(max(share, 256), 8_192), distinctLimit: min(max(share, 256), 65_536)) }
        subjects = identifier.map { SubjectPass(index: $0.index, column: names[$0.index], kind: $0.kind) }
    }

    mutating func take(_ record: TableRecord) {
        rows += 1
        for index in columns.indices {
            let field = record.bytes.span.extracting(record.range(index))
            columns[index].take(field.extracting(Blank.trimmed(field)), line: record.line)
        }
        subjects?.take(record, width: columns.count)
    }

    func profile(_ source: String, _ writing: DataSource.Writing?) -> DataProfile {
        DataProfile(source: source, writing: writing, rows: rows, columns: columns.map(\.conclusion), identifier: subjects?.conclusion)
    }
}

private struct ColumnPass {
    /// Levels with longer names are not kept apart.
    private static let levelBytesLimit = 256

    let name: String
    private var present = 0
    private var missing = 0
    private var flags = 0
    private var numbers = 0
    private var zeros = 0
    private var negatives = 0
    private var minimum = Double.infinity
    private var maximum = -Double.infinity
    private var mean = 0.0
    private var quantiles: QuantileSketch
    private var distinct: DistinctCounter
    private var levels: [String: Int]? = [:]
    private var shortest = Int.max
    private var longest = 0
    private var others = IngestReport.Finding()

    init(name: String, quantileCapacity: Int, distinctLimit: Int) {
        self.name = name
        quantiles = QuantileSketch(capacity: quantileCapacity)
        distinct = DistinctCounter(limit: distinctLimit)
    }

    mutating func take(_ cell: Span<UInt8>, line: Int) {
        if Cell.isMissing(cell) {
            missing += 1
            return
        }
        present += 1
        shortest = min(shortest, cell.count)
        longest = max(longest, cell.count)
        distinct.insert(hash64(cell))
        if let value = Cell.number(cell) {
            numbers += 1
            if value == 0 { zeros += 1 }
            if value < 0 { negatives += 1 }
            minimum = min(minimum, value)
            maximum = max(maximum, value)
            mean += (value - mean) / Double(numbers)
            quantiles.insert(value)
            if value == 0 || value == 1 { flags += 1 }
        } else {
            if flags == present - 1, Cell.flag(cell) != nil { flags += 1 }
            others.add(line: line)
        }
        if levels != nil {
            if cell.count > Self.levelBytesLimit {
                levels = nil
            } else {
                levels?[Cell.text(cell), default: 0] += 1
                if let count = levels?.count, count > Table.inferredLevelLimit { levels = nil }
            }
        }
    }

    var conclusion: DataProfile.ColumnProfile {
        let kind: ColumnKind =
            switch (present > 0, flags == present, numbers == present, levels != nil) {
            case (true, true, _, _): .flag
            case (true, false, true, _): .number
            case (true, false, false, true): .category
            default: .text
            }
        var column = DataProfile.ColumnProfile(name: name, kind: kind, missing: missing, distinct: distinct.count, isDistinctExact: distinct.isExact)
        let areMostlyNumbers = kind == .text && numbers < present && numbers * 10 >= present * 9
        if kind == .number || areMostlyNumbers, numbers > 0 {
            column.numbers = .init(
                minimum: minimum, maximum: maximum, mean: mean, zeros: zeros, negatives: negatives,
                quantiles: quantiles.quantiles(DataProfile.shares), areQuantilesExact: quantiles.isExact)
        }
        if areMostlyNumbers { column.notNumbers = others }
        if kind == .flag || kind == .category, let levels {
            let sorted = levels.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            column.levels = sorted.prefix(DataProfile.listedLevels).map { .init(name: $0.key, rows: $0.value) }
        }
        if kind == .text, present > 0 { (column.shortestBytes, column.longestBytes) = (shortest, longest) }
        return column
    }
}

/// Which subjects there are, and which of their rows repeat or contradict one another.
private struct SubjectPass {
    /// 128 bits of an identifier: two that differ share it with a probability below 2^-70 even among a billion.
    private struct Key: Hashable {
        let first, second: Int
    }

    private struct First {
        let cells: Int
        let line: Int
        var isContradicted = false
    }

    let index: Int
    private var profile: DataProfile.IdentifierProfile
    private var firsts: [Key: First] = [:]
    private var rejected: [CreditCodeDefect: IngestReport.Finding] = [:]
    private var code: [UInt8] = []

    init(index: Int, column: String, kind: IdentifierKind) {
        self.index = index
        profile = .init(column: column, kind: kind)
    }

    mutating func take(_ record: TableRecord, width: Int) {
        let field = record.bytes.span.extracting(record.range(index))
        if let defect = profile.kind.normalise(field, into: &code, counting: &profile.normalised) {
            rejected[defect, default: .init()].add(line: record.line)
            return
        }
        let key = Key(first: digest(code, 1), second: digest(code, 2))
        let cells = digestOfOthers(record, width)
        if let first = firsts[key] {
            if first.cells == cells {
                profile.exactDuplicates.add(line: record.line)
            } else {
                profile.conflictingRows.add(line: record.line)
                firsts[key]?.isContradicted = true
            }
        } else {
            firsts[key] = First(cells: cells, line: record.line)
        }
    }

    private func digest(_ bytes: [UInt8], _ salt: Int) -> Int {
        var hasher = Hasher()
        hasher.combine(salt)
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    /// Of all other cells, trimmed.
    private func digestOfOthers(_ record: TableRecord, _ width: Int) -> Int {
        var hasher = Hasher()
        for column in 0..<width where column != index {
            let field = record.bytes.span.extracting(record.range(column))
            let cell = field.extracting(Blank.trimmed(field))
            hasher.combine(cell.count)
            cell.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
        return hasher.finalize()
    }

    var conclusion: DataProfile.IdentifierProfile {
        var profile = profile
        profile.subjects = firsts.count
        profile.rejected = CreditCodeDefect.allCases.compactMap { defect in rejected[defect].map { .init(defect: defect, found: $0) } }
        let contradicted = firsts.values.filter(\.isContradicted).map(\.line)
        profile.conflictingSubjects = contradicted.count
        profile.conflictingRows.rows += contradicted.count
        profile.conflictingRows.firstLines = Array((profile.conflictingRows.firstLines + contradicted).sorted().prefix(IngestReport.listedLines))
        return profile
    }
}
