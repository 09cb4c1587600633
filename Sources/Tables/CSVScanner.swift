import Faults

/// Cuts a stream of bytes into records: RFC 4180 in UTF-8 with a separator of choice, lines ended by LF or CRLF.
///
/// Feed it chunks of any size. It holds one record at a time, and never more than its limits. Lines without a byte are
/// passed over.
package struct CSVScanner {
    package static let fieldLimit = 64 << 10
    package static let recordLimit = 4 << 20
    package static let columnLimit = 10_000

    private enum State { case fieldStart, unquoted, quoted, quoteInQuoted, carriageReturn }

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private let file: String
    private let separator: UInt8
    private var state = State.fieldStart
    private var line = 1
    private var fieldStart = 0
    private var record = TableRecord()
    /// Ends of records so far, by their kind, and lines without a byte.
    private(set) var lineFeeds = 0
    private(set) var carriageReturnLineFeeds = 0
    private(set) var emptyLines = 0

    /// - Parameters:
    ///   - file: the name that faults give as their place.
    ///   - line: the number of the first line.
    package init(file: String, separator: UInt8 = UInt8(ascii: ","), line: Int = 1) {
        self.file = file
        self.separator = separator
        self.line = line
        record.line = line
    }

    /// Calls `body` with every record that `chunk` completes.
    /// - Throws: `.malformedCSV` and `.notUTF8` with the line, and whatever `body` throws.
    package mutating func scan(_ chunk: [UInt8], _ body: (TableRecord) throws(Fault) -> Void) throws(Fault) {
        var position = 0
        while position < chunk.count {
            let byte = chunk[position]
            switch state {
            case .fieldStart where byte == Self.quote:
                state = .quoted
                position += 1
            case .fieldStart, .unquoted:
                let start = position
                while position < chunk.count, !endsUnquoted(chunk[position]) { position += 1 }
                if position > start {
                    state = .unquoted
                    try append(chunk[start..<position])
                }
                guard position < chunk.count else { return }
                switch chunk[position] {
                case separator:
                    try endField()
                    record.bytes.append(separator)
                    fieldStart = record.bytes.count
                    state = .fieldStart
                case Self.lineFeed:
                    lineFeeds += 1
                    try endField()
                    try endRecord(body)
                case Self.carriageReturn:
                    try endField()
                    state = .carriageReturn
                default:
                    throw malformed("quote inside an unquoted field", "未加引号的字段中出现引号")
                }
                position += 1
            case .quoted:
                let start = position
                while position < chunk.count, chunk[position] != Self.quote {
                    if chunk[position] == Self.lineFeed { line += 1 }
                    position += 1
                }
                try append(chunk[start..<position])
                if position < chunk.count {
                    state = .quoteInQuoted
                    position += 1
                }
            case .quoteInQuoted:
                if byte == Self.quote {
                    try append(chunk[position...position])
                    state = .quoted
                    position += 1
                } else if endsUnquoted(byte) {
                    state = .unquoted
                } else {
                    throw malformed("text after a closing quote", "右引号之后还有内容")
                }
            case .carriageReturn:
                guard byte == Self.lineFeed else {
                    throw malformed("carriage return without a line feed", "回车符之后没有换行符")
                }
                carriageReturnLineFeeds += 1
                try endRecord(body)
                position += 1
            }
        }
    }

    /// The end of the stream: hands over a last record that no line end follows.
    package mutating func finish(_ body: (TableRecord) throws(Fault) -> Void) throws(Fault) {
        switch state {
        case .quoted:
            throw malformed("a quote is never closed", "引号没有闭合")
        case .fieldStart where record.ends.isEmpty && record.bytes.isEmpty:
            return
        case .fieldStart, .unquoted, .quoteInQuoted:
            try endField()
            try endRecord(body)
        case .carriageReturn:
            try endRecord(body)
        }
    }

    private func endsUnquoted(_ byte: UInt8) -> Bool {
        byte < 0x40 && (byte == separator || byte == Self.lineFeed || byte == Self.carriageReturn || byte == Self.quote)
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) throws(Fault) {
        guard record.bytes.count - fieldStart + bytes.count <= Self.fieldLimit else {
            throw malformed("a field of more than 64 KiB; is a quote left open?", "字段超过 64 KiB，可能有引号未闭合")
        }
        guard record.bytes.count + bytes.count <= Self.recordLimit else {
            throw malformed("a record of more than 4 MiB", "单条记录超过 4 MiB")
        }
        record.bytes.append(contentsOf: bytes)
    }

    private mutating func endField() throws(Fault) {
        guard record.ends.count < Self.columnLimit else {
            throw malformed("more than 10000 columns", "列数超过 10000")
        }
        record.ends.append(record.bytes.count)
    }

    private mutating func endRecord(_ body: (TableRecord) throws(Fault) -> Void) throws(Fault) {
        if record.bytes.count > 0 {
            if record.bytes.contains(where: { $0 >= 0x80 }), (try? UTF8Span(validating: record.bytes.span)) == nil {
                throw .notUTF8(at: "\(file):\(record.line)")
            }
            try body(record)
        } else {
            emptyLines += 1
        }
        line += 1
        record.line = line
        record.removeAll()
        fieldStart = 0
        state = .fieldStart
    }

    private func malformed(_ reason: String, _ reasonZh: String) -> Fault {
        Fault(.malformedCSV, at: "\(file):\(record.line)", reason, reasonZh)
    }
}
