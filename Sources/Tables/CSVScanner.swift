import Faults

/// One record of a CSV file, unquoted.
package struct CSVRecord: Sendable {
    /// Line of the file on which the record starts, from 1.
    package fileprivate(set) var line = 1
    /// The fields' bytes, one comma between neighbours.
    fileprivate(set) var bytes: [UInt8] = []
    fileprivate var ends: [Int] = []

    package var count: Int { ends.count }

    /// Where field `index` lies in `bytes`.
    func range(_ index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1] + 1)..<ends[index]
    }

    package func text(_ index: Int) -> String {
        Cell.text(bytes.span.extracting(range(index)))
    }
}

/// Cuts a stream of bytes into records: RFC 4180 in UTF-8, lines ended by LF or CRLF.
///
/// Feed it chunks of any size. It holds one record at a time, and never more than its limits. Lines without a byte are
/// passed over.
package struct CSVScanner {
    package static let fieldLimit = 64 << 10
    package static let recordLimit = 4 << 20
    package static let columnLimit = 10_000

    private enum State { case fieldStart, unquoted, quoted, quoteInQuoted, carriageReturn }

    private static let comma = UInt8(ascii: ",")
    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private let file: String
    private var state = State.fieldStart
    private var line = 1
    private var fieldStart = 0
    private var record = CSVRecord()

    /// `file` is the name that faults give as their place.
    package init(file: String) {
        self.file = file
    }

    /// Calls `body` with every record that `chunk` completes.
    /// - Throws: `.malformedCSV` and `.notUTF8` with the line, and whatever `body` throws.
    package mutating func scan(_ chunk: [UInt8], _ body: (CSVRecord) throws(Fault) -> Void) throws(Fault) {
        var position = 0
        while position < chunk.count {
            let byte = chunk[position]
            switch state {
            case .fieldStart where byte == Self.quote:
                state = .quoted
                position += 1
            case .fieldStart, .unquoted:
                let start = position
                while position < chunk.count, !Self.endsUnquoted(chunk[position]) { position += 1 }
                if position > start {
                    state = .unquoted
                    try append(chunk[start..<position])
                }
                guard position < chunk.count else { return }
                switch chunk[position] {
                case Self.comma:
                    try endField()
                    record.bytes.append(Self.comma)
                    fieldStart = record.bytes.count
                    state = .fieldStart
                case Self.lineFeed:
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
                } else if Self.endsUnquoted(byte) {
                    state = .unquoted
                } else {
                    throw malformed("text after a closing quote", "右引号之后还有内容")
                }
            case .carriageReturn:
                guard byte == Self.lineFeed else {
                    throw malformed("carriage return without a line feed", "回车符之后没有换行符")
                }
                try endRecord(body)
                position += 1
            }
        }
    }

    /// The end of the stream: hands over a last record that no line end follows.
    package mutating func finish(_ body: (CSVRecord) throws(Fault) -> Void) throws(Fault) {
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

    private static func endsUnquoted(_ byte: UInt8) -> Bool {
        byte <= comma && (byte == comma || byte == lineFeed || byte == carriageReturn || byte == quote)
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

    private mutating func endRecord(_ body: (CSVRecord) throws(Fault) -> Void) throws(Fault) {
        if record.bytes.count > 0 {
            if record.bytes.contains(where: { $0 >= 0x80 }), (try? UTF8Span(validating: record.bytes.span)) == nil {
                throw Fault(.notUTF8, at: "\(file):\(record.line)")
            }
            try body(record)
        }
        line += 1
        record.line = line
        record.bytes.removeAll(keepingCapacity: true)
        record.ends.removeAll(keepingCapacity: true)
        fieldStart = 0
        state = .fieldStart
    }

    private func malformed(_ reason: String, _ reasonZh: String) -> Fault {
        Fault(.malformedCSV, at: "\(file):\(record.line)", reason, reasonZh)
    }
}
