import Audit
import Faults
import Foundation
import Ledger
import Wire

/// Looks through everything that a node keeps for the values of a data set, in every encoding: what crossed a line, what was
/// logged, what lies in the data directory. What is found shows where a value has gone, never the value.
package struct CanarySearch: Sendable {
    /// Expected chance hits of all patterns together stay below this.
    static let chance = 0.001
    /// No pattern is longer.
    private static let mostPatternBytes = 4 * CanaryData.mostCellBytes
    private static let chunkBytes = 4 << 20

    private let data: CanaryData
    private let directory: URL
    private let files: [File]
    private let excluded: [String]
    /// Bits that a pattern must say in bytes like a ciphertext's, and in text.
    private let neededBits: (binary: Double, text: Double)
    private var index: PatternIndex
    private var searched: [Searched: (values: Int, skipped: Int)] = [:]
    private var shortIdentifiers = 0

    private struct Searched: Hashable {
        let encoding: Encoding
        /// Whether of columns that a treatment has made.
        let isTreated: Bool
    }

    private struct File {
        let url: URL
        /// Below the data directory, or the path as given.
        let name: String
        let byteCount: Int
    }

    /// - Parameters:
    ///   - directory: the node's data directory.
    ///   - others: files or directories besides, such as logs.
    ///   - own: data sets and lists of subjects, which hold their values by definition.
    package init(_ data: CanaryData, directory: URL, others: [URL], own: [URL]) throws(Fault) {
        self.data = data
        self.directory = directory
        (files, excluded) = try Self.files(directory, others, Set(own.map(Self.resolved)))
        let isBinary = { (file: File) in file.name.contains("/\(LedgerFile.payloads)/") || file.name.hasSuffix(".records") }
        let binary = files.filter(isBinary).reduce(0) { $0 + $1.byteCount }
        let text = files.filter { !isBinary($0) }.reduce(0) { $0 + $1.byteCount }
        let patterns = Self.patterns(data)
        let rarity = log2(Double(max(1, patterns))) - log2(Self.chance)
        neededBits = (rarity + log2(Double(max(1, binary + text))), rarity + log2(Double(max(1, text))))
        index = PatternIndex(capacity: patterns)
        prepare()
    }

    // What is searched

    /// Models, scores, reports and lists of common subjects hold values by definition, and are for the owner's eyes.
    private static let ownNames: Set = ["model.json", "scores.csv", "report.json", "report.html", "aligned.csv"]

    private static func resolved(_ url: URL) -> String { url.resolvingSymlinksInPath().path }

    private static func files(_ directory: URL, _ others: [URL], _ own: Set<String>) throws(Fault) -> ([File], [String]) {
        var (files, excluded): ([File], [String]) = ([], [])
        func take(_ url: URL, _ name: String) throws(Fault) {
            guard let values = try? url.resourceValues(forKeys: [.isRegularFileKey, .fileSizeKey]) else { throw Fault(.unreadableFile, at: name) }
            guard values.isRegularFile == true else { return }
            let isResult = name.hasPrefix("jobs/") && ownNames.contains(url.lastPathComponent)
            if isResult || own.contains(resolved(url)) { return excluded.append(name) }
            files.append(File(url: url, name: name, byteCount: values.fileSize ?? 0))
        }
        func walk(_ root: URL, _ prefix: String) throws(Fault) {
            guard let names = FileManager.default.enumerator(atPath: root.path)?.allObjects as? [String] else {
                throw Fault(.unreadableFile, at: root.path)
            }
            for name in names.sorted() { try take(root.appendingPathComponent(name), prefix + name) }
        }
        try walk(directory, "")
        for other in others {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: other.path, isDirectory: &isDirectory) else { throw Fault(.unreadableFile, at: other.path) }
            if isDirectory.boolValue { try walk(other, other.path + "/") } else { try take(other, other.path) }
        }
        return (files, excluded)
    }

    /// Patterns at most.
    private static func patterns(_ data: CanaryData) -> Int {
        let texts = Encoding.allCases.count { $0.isText }
        return data.columns.reduce(0) { sum, column in
            sum + (column.treatment == nil ? column.rowCount * texts : 0) + column.numbers.count { $0.isFinite } * Encoding.ofNumbers(column).count
        }
    }

    // Patterns

    private mutating func prepare() {
        for (number, column) in data.columns.enumerated() {
            var seen: Set<ArraySlice<UInt8>> = []
            for row in 0..<(column.treatment == nil ? column.rowCount : 0) {
                let cell = column.cell(row)
                // What comes many times is looked for once.
                guard !cell.isEmpty, seen.insert(cell).inserted else { continue }
                if column.isIdentifier, cell.count < PatternIndex.windowBytes { shortIdentifiers += 1 }
                for encoding in Encoding.allCases where encoding.isText { addText(encoding, cell, number, row) }
            }
            guard column.numbers.contains(where: { $0.isFinite }) else { continue }
            for encoding in Encoding.ofNumbers(column) {
                var before = Double.nan
                for row in 0..<column.rowCount where column.numbers[row].isFinite {
                    // A column that stands still says nothing in its repetitions.
                    defer { before = column.numbers[row] }
                    guard column.numbers[row] != before else { continue }
                    addNumbers(encoding, column, number, row)
                }
            }
        }
    }

    private mutating func addText(_ encoding: Encoding, _ cell: ArraySlice<UInt8>, _ column: Int, _ row: Int) {
        let pattern = encoding.bytes(text: cell)
        guard !pattern.isEmpty else { return }
        let isWorth = data.columns[column].isIdentifier || says(text: cell, pattern)
        guard isWorth, pattern.count >= PatternIndex.windowBytes else {
            searched[Searched(encoding: encoding, isTreated: false), default: (0, 0)].skipped += 1
            return
        }
        searched[Searched(encoding: encoding, isTreated: false), default: (0, 0)].values += 1
        index.add(pattern, column: column, encoding: encoding, row: row, rows: 1)
    }

    /// A text says what its own characters say, however long its encoding is: 4 bits for what may be a digit of a digest, 6
    /// for other characters that text is made of, 8 for the rest. A date is one of few.
    private func says(text cell: ArraySlice<UInt8>, _ pattern: [UInt8]) -> Bool {
        let bits = cell.reduce(0.0) { sum, byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): sum + 4
            case ..<0x80: sum + 6
            default: sum + 8
            }
        }
        return bits >= neededBits.text && 8 * Double(pattern.count) >= neededBits.binary && Set(cell).count >= 4 && !Self.isDate(cell)
    }

    private static func isDate(_ cell: ArraySlice<UInt8>) -> Bool {
        cell.count <= 25 && cell.count { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } >= 8
            && cell.allSatisfy { "0123456789-/:.TZ+ ".utf8.contains($0) } && cell.contains { "-/:".utf8.contains($0) }
    }

    /// One number where that says enough; otherwise as many that follow in the column as it takes.
    private mutating func addNumbers(_ encoding: Encoding, _ column: CanaryData.Column, _ number: Int, _ row: Int) {
        let rows = (1...Encoding.mostRows).first { says(numbers: Self.numbers(encoding, column, row, $0)) }
        let counted = Searched(encoding: encoding, isTreated: column.treatment != nil)
        guard let rows else {
            searched[counted, default: (0, 0)].skipped += 1
            return
        }
        searched[counted, default: (0, 0)].values += 1
        index.add(Self.numbers(encoding, column, row, rows), column: number, encoding: encoding, row: row, rows: rows)
    }

    private static func numbers(_ encoding: Encoding, _ column: CanaryData.Column, _ row: Int, _ rows: Int) -> [UInt8] {
        guard row + rows <= column.rowCount else { return [] }
        var pattern: [UInt8] = []
        for next in row..<row + rows {
            let bytes = encoding.bytes(number: column.numbers[next])
            if bytes.isEmpty { return [] }
            pattern += bytes
        }
        return pattern
    }

    /// Bytes of one value many times over, and zeros, which any format has, say nothing.
    private func says(numbers pattern: [UInt8]) -> Bool {
        let telling = pattern.filter { $0 != 0 && $0 != 0xFF }
        return pattern.count >= PatternIndex.windowBytes && 8 * Double(telling.count) >= neededBits.binary && Set(telling).count >= 4
    }

    private func pattern(_ entry: PatternIndex.Entry) -> [UInt8] {
        let (column, row) = (data.columns[Int(entry.column)], Int(entry.row))
        return entry.encoding.isText ? entry.encoding.bytes(text: column.cell(row)) : Self.numbers(entry.encoding, column, row, Int(entry.rows))
    }

    // The search

    /// - Parameter progress: told the bytes done and the bytes in all.
    package func run(progress: (_ done: Int, _ total: Int) -> Void) throws(Fault) -> AuditReport {
        var report = AuditReport()
        let total = files.reduce(0) { $0 + $1.byteCount }
        var done = 0
        var frames: [String: [String: Place]] = [:]
        for file in files {
            search(Array(file.name.utf8), at: Place(file: file.name), in: &report)
            let before = done
            try search(file, &report, frames: &frames) { progress(before + $0, total) }
            done += file.byteCount
        }
        state(total, &report)
        return report
    }

    private func search(_ file: File, _ report: inout AuditReport, frames: inout [String: [String: Place]], progress: (Int) -> Void) throws(Fault) {
        guard let handle = try? FileHandle(forReadingFrom: file.url) else { throw Fault(.unreadableFile, at: file.name) }
        defer { try? handle.close() }
        // Patterns reach this far around their windows.
        let margin = Self.mostPatternBytes
        var (bytes, start, next) = ([UInt8](), 0, 0)
        var place: Place?
        while true {
            let chunk = (try? handle.read(upToCount: Self.chunkBytes)) ?? Data()
            bytes += chunk
            let end = chunk.isEmpty ? bytes.count : max(next - start, bytes.count - margin)
            hits(bytes, in: next - start..<end) { offset, entry in
                let known = place ?? self.place(file, frames: &frames)
                place = known
                add(entry, at: known, offset: start + offset, to: &report)
            }
            next = start + end
            progress(next)
            if chunk.isEmpty { return }
            let kept = max(0, end - margin)
            bytes.removeFirst(kept)
            start += kept
        }
    }

    private func search(_ bytes: [UInt8], at place: Place, in report: inout AuditReport) {
        hits(bytes, in: 0..<bytes.count) { _, entry in add(entry, at: place, offset: nil, to: &report) }
    }

    private func hits(_ bytes: [UInt8], in range: Range<Int>, _ body: (_ offset: Int, PatternIndex.Entry) -> Void) {
        guard !range.isEmpty else { return }
        bytes.withUnsafeBytes { buffer in
            index.search(buffer, in: range) { place, entry in
                let pattern = pattern(entry)
                let offset = place - Int(entry.offset)
                guard offset >= 0, offset + pattern.count <= buffer.count, buffer[offset..<offset + pattern.count].elementsEqual(pattern)
                else { return }
                body(offset, entry)
            }
        }
    }

    private func add(_ entry: PatternIndex.Entry, at place: Place, offset: Int?, to report: inout AuditReport) {
        var place = place
        place.offset = offset
        let column = data.columns[Int(entry.column)]
        let line = column.lines[Int(entry.row)]
        let encoding = entry.encoding.name
        let treatment = column.treatment.map { Phrase(en: ", \($0.en),", zh: "（\($0.zh)）") } ?? Phrase(en: "", zh: "")
        report.add(.canary, at: place,
                   en: "holds column '\(column.name)'\(treatment.en) of line \(line)\(entry.rows > 1 ? " and \(entry.rows - 1) after it" : "") as \(encoding.en)",
                   zh: "含有第 \(line) 行\(entry.rows > 1 ? "起 \(entry.rows) 行" : "")的列“\(column.name)”\(treatment.zh)，编码为\(encoding.zh)")
    }

    /// Of a payload, the first frame that it crossed in.
    private func place(_ file: File, frames: inout [String: [String: Place]]) -> Place {
        let parts = file.name.split(separator: "/").map(String.init)
        guard parts.count == 5, parts[0] == "ledger", parts[2] == LedgerFile.payloads else { return Place(file: file.name) }
        if frames[parts[1]] == nil { frames[parts[1]] = Self.frames(directory.appendingPathComponent("ledger/\(parts[1])")) }
        var place = frames[parts[1]]?[parts[4]] ?? Place()
        place.file = file.name
        return place
    }

    private static func frames(_ ledger: URL) -> [String: Place] {
        var report = AuditReport()
        guard let directory = try? LedgerDirectory.open(ledger.path), let ledger = AuditedLedger.open(directory, report: &report) else { return [:] }
        let frames = FrameDescription.list(ledger, line: nil, direction: nil, frame: nil, opened: false)
        return Dictionary(frames.map { (LedgerFile.payload($0.record.digest).split(separator: "/").last.map(String.init) ?? "", $0.place) },
                          uniquingKeysWith: { first, _ in first })
    }

    // What is said

    private func state(_ total: Int, _ report: inout AuditReport) {
        report.state(en: "searched \(files.count) files of \(total) bytes, and their names",
                     zh: "已搜索 \(files.count) 个文件（\(total) 字节）及其文件名")
        let own = excluded.isEmpty ? Phrase(en: "none", zh: "无") : Phrase(en: excluded.joined(separator: ", "), zh: excluded.joined(separator: "、"))
        report.state(en: "left out, for they hold values by definition: \(own.en)", zh: "按定义即含数据值、未搜索的文件：\(own.zh)")
        let identifiers = data.columns.filter(\.isIdentifier)
        report.state(
            en: "identifiers: \(identifiers.isEmpty ? "no such column" : identifiers.map(\.name).joined(separator: ", ")), every one searched"
                + (shortIdentifiers > 0 ? " but \(shortIdentifiers), which are shorter than \(PatternIndex.windowBytes) bytes" : ""),
            zh: "标识列：\(identifiers.isEmpty ? "无" : identifiers.map(\.name).joined(separator: "、"))，全部搜索"
                + (shortIdentifiers > 0 ? "，但有 \(shortIdentifiers) 个短于 \(PatternIndex.windowBytes) 字节" : ""))
        let (binary, text) = (Int(neededBits.binary.rounded(.up)), Int(neededBits.text.rounded(.up)))
        report.state(
            en: "other values are searched if fewer than \(Self.chance) chance hits are to be expected in all: a pattern has at least 8 bytes and says "
                + "\(binary) bits as binary, a text \(text) bits (4 for each hexadecimal digit, 6 for other ASCII, 8 for the rest); dates are not; "
                + "numbers that say less alone are searched with up to \(Encoding.mostRows - 1) that follow in their column",
            zh: "其他值仅在预期偶然命中总数小于 \(Self.chance) 时搜索：模式至少 8 字节，二进制须含 \(binary) 比特信息，文本须含 \(text) 比特"
                + "（十六进制数字计 4，其他 ASCII 计 6，其余计 8）；日期不搜索；单个信息不足的数值与同列其后至多 \(Encoding.mostRows - 1) 个数值合并搜索")
        for (isTreated, of) in [(false, Phrase(en: "", zh: "")), (true, Phrase(en: ", standardised columns", zh: "（标准化后的列）"))] {
            for encoding in Encoding.allCases {
                guard let count = searched[Searched(encoding: encoding, isTreated: isTreated)] else { continue }
                report.state(en: "\(encoding.name.en)\(of.en): \(count.values) patterns searched, \(count.skipped) values that say too little",
                             zh: "\(encoding.name.zh)\(of.zh)：搜索 \(count.values) 个模式，\(count.skipped) 个值信息不足")
            }
        }
        if !Encoding.hasGB18030 {
            report.state(en: "GB18030 was not searched: this system has no converter", zh: "未搜索 GB18030：本系统没有转换器")
        }
    }
}
