import Faults

/// A value of a document and where it stands.
struct JSONNode {
    let value: JSONValue
    /// RFC 6901; the kind of the document at its root.
    let place: String

    var pointer: String { place.hasPrefix("/") ? place : "" }

    func child(_ key: String, _ value: JSONValue) -> JSONNode {
        let token = shown(key).replacing("~", with: "~0").replacing("/", with: "~1")
        return JSONNode(value: value, place: pointer + "/" + token)
    }

    func wrongType(_ en: String, _ zh: String) -> Fault { Fault(.wrongType, at: place, en, zh) }
}

/// How one value is written: read it, or say what is wrong with it.
struct Form<Value> {
    /// Stands for a value that was refused, so that the rest of the document is still read; never delivered.
    let placeholder: Value
    let read: (JSONNode) throws(Fault) -> Value

    init(_ placeholder: Value, _ read: @escaping (JSONNode) throws(Fault) -> Value) {
        self.placeholder = placeholder
        self.read = read
    }
}

/// The faults of a document so far.
struct Findings {
    /// More help nobody, and a hostile document could cause as many as it has bytes.
    static let limit = 100
    private(set) var faults: [Fault] = []
    /// How many more are taken here; what is read inside of something has no more than that has left.
    private var room = limit

    init() {}

    private init(room: Int) {
        self.room = room
    }

    /// From then on nothing is worth looking for.
    var isFull: Bool { faults.count >= room }

    mutating func add(_ fault: Fault) {
        if !isFull { faults.append(fault) }
    }

    mutating func add(_ other: Findings) {
        for fault in other.faults { add(fault) }
    }

    mutating func value<Value>(_ node: JSONNode, _ form: Form<Value>) -> Value {
        guard !isFull else { return form.placeholder }
        do {
            return try form.read(node)
        } catch {
            add(error)
            return form.placeholder
        }
    }

    mutating func object<Value>(_ node: JSONNode, _ read: (inout ObjectReader) -> Value) -> Value {
        guard !isFull else { return placeholder(read) }
        guard case .object(let members) = node.value else {
            add(node.wrongType("an object", "对象"))
            return placeholder(read)
        }
        var reader = ObjectReader(node, members)
        reader.findings = Findings(room: room - faults.count)
        let value = read(&reader)
        reader.reportUnknownKeys()
        add(reader.findings)
        return value
    }

    /// What `read` makes of nothing, without reporting it: the fault above it is already known.
    func placeholder<Value>(_ read: (inout ObjectReader) -> Value) -> Value {
        var silent = ObjectReader(JSONNode(value: .null, place: ""), [:])
        return read(&silent)
    }

    /// Runs `read` over a whole document.
    static func document<Value>(
        _ bytes: [UInt8], kind: String, _ read: (inout ObjectReader) -> Value
    ) throws(FaultList) -> Value {
        let (value, faults) = examine(bytes, kind: kind, read)
        guard let value, faults.isEmpty else { throw FaultList(faults: faults) }
        return value
    }

    /// - Returns: all faults, and what was read of a document that has some: with placeholders where they are.
    static func examine<Value>(_ bytes: [UInt8], kind: String, _ read: (inout ObjectReader) -> Value) -> (value: Value?, faults: [Fault]) {
        do {
            var findings = Findings()
            let result = findings.object(JSONNode(value: try JSONValue.parse(bytes, as: kind), place: kind), read)
            return (result, findings.faults)
        } catch {
            return (nil, [error])
        }
    }
}

/// Reads one object strictly: a key that was not asked for is a fault, and reading goes on after a fault.
struct ObjectReader {
    private let node: JSONNode
    private let members: [String: JSONValue]
    /// Keys asked for, in that order.
    private var known: [String] = []
    private var refused: Set<String> = []
    var findings = Findings()

    init(_ node: JSONNode, _ members: [String: JSONValue]) {
        self.node = node
        self.members = members
    }

    func has(_ key: String) -> Bool { members[key] != nil }

    /// Where the value of `key` stands.
    func place(of key: String) -> String { node.child(key, .null).place }

    private mutating func take(_ key: String) -> JSONNode? {
        known.append(key)
        return members[key].map { node.child(key, $0) }
    }

    private mutating func reportMissing(_ key: String) {
        findings.add(Fault(.missingKey, at: place(of: key), key))
    }

    mutating func required<Value>(_ key: String, _ form: Form<Value>) -> Value {
        if let value = optional(key, form) { return value }
        reportMissing(key)
        return form.placeholder
    }

    mutating func optional<Value>(_ key: String, _ form: Form<Value>) -> Value? {
        take(key).map { findings.value($0, form) }
    }

    mutating func optional<Value>(_ key: String, _ form: Form<Value>, default standard: Value) -> Value {
        optional(key, form) ?? standard
    }

    /// `null` sets the default aside.
    mutating func nullable<Value>(_ key: String, _ form: Form<Value>, default standard: Value) -> Value? {
        guard let node = take(key) else { return standard }
        return node.value == .null ? nil : findings.value(node, form)
    }

    /// An object that may be left out when `isOptional`; it is then read as `{}`.
    mutating func object<Value>(
        _ key: String, isOptional: Bool = false, _ read: (inout ObjectReader) -> Value
    ) -> Value {
        if let node = take(key) { return findings.object(node, read) }
        if isOptional { return findings.object(node.child(key, .object([:])), read) }
        reportMissing(key)
        return findings.placeholder(read)
    }

    /// An object that may be left out.
    mutating func optionalObject<Value>(_ key: String, _ read: (inout ObjectReader) -> Value) -> Value? {
        take(key).map { findings.object($0, read) }
    }

    /// A word, or an object in its place.
    mutating func wordOrObject<Value>(
        _ key: String, _ word: Form<Value>, default standard: Value, _ read: (inout ObjectReader) -> Value
    ) -> Value {
        guard let node = take(key) else { return standard }
        if case .object = node.value { return findings.object(node, read) }
        return findings.value(node, word)
    }

    mutating func list<Value>(
        _ key: String, isOptional: Bool = false, count: ClosedRange<Int>,
        _ read: (JSONNode, inout Findings) -> Value
    ) -> [Value] {
        guard let node = take(key) else {
            if !isOptional { reportMissing(key) }
            return []
        }
        guard case .array(let elements) = node.value, count.contains(elements.count) else {
            findings.add(node.wrongType(
                "a list of \(count.lowerBound) to \(count.upperBound) entries",
                "含 \(count.lowerBound) 至 \(count.upperBound) 项的列表"))
            return []
        }
        return elements.enumerated().map { read(node.child("\($0)", $1), &findings) }
    }

    /// An object whose keys are names of the author's choice.
    mutating func map<Value>(
        _ key: String, count: ClosedRange<Int>, _ read: (inout ObjectReader) -> Value
    ) -> [String: Value] {
        guard let node = take(key) else {
            reportMissing(key)
            return [:]
        }
        guard case .object(let entries) = node.value, count.contains(entries.count) else {
            findings.add(node.wrongType(
                "an object of \(count.lowerBound) to \(count.upperBound) entries",
                "含 \(count.lowerBound) 至 \(count.upperBound) 项的对象"))
            return [:]
        }
        var result: [String: Value] = [:]
        for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
            let child = node.child(name, value)
            _ = findings.value(JSONNode(value: .text(name), place: child.place), .name)
            result[name] = findings.object(child, read)
        }
        return result
    }

    /// A text alone, or a list of texts.
    mutating func texts(_ key: String, count: ClosedRange<Int>, takesList: Bool = true) -> [String]? {
        guard let node = take(key) else { return nil }
        if case .text = node.value, count.contains(1) { return [findings.value(node, .column)] }
        guard takesList, case .array(let elements) = node.value, count.contains(elements.count) else {
            findings.add(node.wrongType(
                "\(count.lowerBound) to \(count.upperBound) names", "\(count.lowerBound) 至 \(count.upperBound) 个名称"))
            return []
        }
        return elements.enumerated().map { findings.value(node.child("\($0)", $1), .column) }
    }

    /// An object of values of one form under keys of the author's choice; each pair is checked with its place.
    mutating func pairs<Value>(
        _ key: String, count: ClosedRange<Int>, _ form: Form<Value>, _ check: (String, String) throws(Fault) -> Void
    ) -> [String: Value] {
        guard let node = take(key) else { return [:] }
        guard case .object(let entries) = node.value, count.contains(entries.count) else {
            findings.add(node.wrongType(
                "an object of \(count.lowerBound) to \(count.upperBound) entries",
                "含 \(count.lowerBound) 至 \(count.upperBound) 项的对象"))
            return [:]
        }
        var result: [String: Value] = [:]
        for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
            let child = node.child(name, value)
            result[name] = findings.value(child, form)
            do { try check(name, child.place) } catch { findings.add(error) }
        }
        return result
    }

    func wrongType(_ en: String, _ zh: String) -> Fault { node.wrongType(en, zh) }

    /// A key that this kind of object cannot have, and why.
    mutating func refuse(_ key: String, _ en: String, _ zh: String) {
        guard has(key) else { return }
        refused.insert(key)
        findings.add(Fault(.unknownKey, at: place(of: key), shown(key), en, zh))
    }

    mutating func reportUnknownKeys() {
        for key in members.keys.sorted() where !known.contains(key) && !refused.contains(key) {
            guard !findings.isFull else { return }
            let (en, zh) = suggestion(
                for: key, among: known, else: "the keys known here: " + known.joined(separator: ", "), "此处可用的键：" + known.joined(separator: "、"))
            findings.add(Fault(.unknownKey, at: place(of: key), shown(key), en, zh))
        }
    }
}

/// A hint that names what is most likely meant.
func suggestion(for name: String, among names: [String], else en: String, _ zh: String) -> (en: String, zh: String) {
    guard let meant = nearest(to: name, among: names) else { return (en, zh) }
    return ("did you mean '\(meant)'?", "是否应为“\(meant)”？")
}

/// The name that a misspelt key most likely means, if it is close to one.
func nearest(to key: String, among names: [String]) -> String? {
    let limit = 64
    guard key.utf8.count <= limit else { return nil }
    let written = Array(key.lowercased().utf8)
    var found: (name: String, distance: Int)?
    for name in names {
        let most = min(max(1, max(written.count, name.utf8.count) / 3), (found?.distance ?? .max) - 1)
        guard let distance = editDistance(written, Array(name.lowercased().utf8), atMost: most) else { continue }
        found = (name, distance)
    }
    return found?.name
}

/// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment); nothing above `most`, which is most often
/// seen early.
private func editDistance(_ a: [UInt8], _ b: [UInt8], atMost most: Int) -> Int? {
    guard abs(a.count - b.count) <= most else { return nil }
    var beforePrevious: [Int] = []
    var previous = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        row.reserveCapacity(b.count + 1)
        for j in b.indices {
            var best = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforePrevious[j - 1] + 1) }
            row.append(best)
        }
        // A swap reaches back over one row.
        guard min(row.min() ?? 0, previous.min() ?? 0) <= most else { return nil }
        (beforePrevious, previous) = (previous, row)
    }
    return previous[b.count] <= most ? previous[b.count] : nil
}
