import Faults
import Foundation

/// A text file of separated values on disk, read in one pass with constant memory.
struct TextFile {
    private static let chunkBytes = 1 << 20
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    let url: URL
    let encoding: DataSource.Encoding
    let separator: DataSource.Separator
    /// In place of the file's.
    var contents: [UInt8]?

    private var name: String { url.lastPathComponent }

    func read(header: ([String]) throws(Fault) -> Void, row: (TableRecord) throws(Fault) -> Void) throws(Fault) -> DataSource.Writing {
        do {
            return try scan(header: header, row: row)
        } catch {
            guard error == .notUTF8(at: error.place), encoding == .utf8 else { throw error }
            throw .notUTF8(at: error.place, looksLikeGB18030: try likelyEncoding() == .gb18030)
        }
    }

    private func scan(header: ([String]) throws(Fault) -> Void, row: (TableRecord) throws(Fault) -> Void) throws(Fault) -> DataSource.Writing {
        var writing = DataSource.Writing(encoding: encoding, separator: separator)
        var scanner = CSVScanner(file: name, separator: separator.byte)
        var width = 0
        func take(_ record: TableRecord) throws(Fault) {
            if record.isBlank() {
                writing.blankLines += 1
            } else if width == 0 {
                let names = try names(record, writing.separator)
                width = names.count
                try header(names)
            } else if record.count >= width, record.isBlank(from: width) {
                try row(record)
            } else {
                throw Fault(
                    .malformedCSV, at: "\(name):\(record.line)",
                    "number of fields: \(record.count), in the header: \(width)", "字段数为 \(record.count)，表头为 \(width)")
            }
        }

        let decoder = encoding == .gb18030 ? try GB18030Decoder(file: name) : nil
        var isFirst = true
        try chunks { chunk throws(Fault) in
            if isFirst { try refuseOtherKinds(chunk) }
            var text = try decoder?.decode(chunk) ?? chunk
            if isFirst {
                if text.starts(with: Self.byteOrderMark) {
                    text.removeFirst(Self.byteOrderMark.count)
                    writing.hasByteOrderMark = true
                }
                if let line = Self.separatorLine(text) {
                    text.removeFirst(line.bytes)
                    writing.separator = line.separator
                    writing.hasSeparatorLine = true
                    scanner = CSVScanner(file: name, separator: line.separator.byte, line: 2)
                }
            }
            isFirst = false
            try scanner.scan(text, take)
        }
        try decoder?.finish()
        try scanner.finish(take)
        if width == 0 { throw Fault(.emptyTable, at: name) }
        writing.lineFeeds = scanner.lineFeeds
        writing.carriageReturnLineFeeds = scanner.carriageReturnLineFeeds
        writing.blankLines += scanner.emptyLines
        return writing
    }

    /// Up to the last column that has a name.
    private func names(_ record: TableRecord, _ separator: DataSource.Separator) throws(Fault) -> [String] {
        var names = record.trimmedNames
        while names.last?.isEmpty == true { names.removeLast() }
        if names.count == 1, let other = DataSource.Separator.allCases.first(where: { names[0].utf8.contains($0.byte) }), other != separator {
            throw Fault(.separatorNotSaid, at: "\(name):\(record.line)", other.rawValue)
        }
        return names
    }

    /// The line `sep=;` by which spreadsheets say how a file is separated.
    private static func separatorLine(_ text: [UInt8]) -> (separator: DataSource.Separator, bytes: Int)? {
        guard text.count >= 7, text[4] < 0x80, text[..<4].elementsEqual("sep=".utf8) || text[..<4].elementsEqual("SEP=".utf8),
              let separator = DataSource.Separator.allCases.first(where: { $0.byte == text[4] })
        else { return nil }
        return switch (text[5], text[6]) {
        case (UInt8(ascii: "\n"), _): (separator, 6)
        case (UInt8(ascii: "\r"), UInt8(ascii: "\n")): (separator, 7)
        default: nil
        }
    }

    /// Files that owners take for text.
    private func refuseOtherKinds(_ chunk: [UInt8]) throws(Fault) {
        if chunk.starts(with: Array("SQLite format 3\0".utf8)) { throw Fault(.tableNotSaid, at: name) }
        if chunk.starts(with: [0x50, 0x4B, 0x03, 0x04]) || chunk.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) { throw Fault(.spreadsheetFile, at: name) }
        if chunk.starts(with: [0xFF, 0xFE]) || chunk.starts(with: [0xFE, 0xFF]) { throw .notUTF8ButUTF16(at: name) }
    }

    func likelyEncoding() throws(Fault) -> DataSource.Encoding {
        let values = try? url.resolvingSymlinksInPath().resourceValues(forKeys: [.isRegularFileKey])
        guard values?.isRegularFile == true else { return .utf8 }
        var census = UTF8Census()
        try chunks { chunk throws(Fault) in census.take(chunk) }
        census.finish()
        guard census.strayBytes > census.wellFormedBytes else { return .utf8 }
        let decoder = try GB18030Decoder(file: name)
        do {
            try chunks { chunk throws(Fault) in _ = try decoder.decode(chunk) }
            try decoder.finish()
        } catch {
            guard error.code == .malformedText else { throw error }
            return .utf8
        }
        return .gb18030
    }

    private func chunks(_ body: ([UInt8]) throws(Fault) -> Void) throws(Fault) {
        if let contents { return try body(contents) }
        let handle: FileHandle
        do { handle = try FileHandle(forReadingFrom: url) } catch { throw Fault(.unreadableFile, at: name) }
        defer { try? handle.close() }
        while true {
            let chunk: Data?
            do { chunk = try handle.read(upToCount: Self.chunkBytes) } catch { throw Fault(.unreadableFile, at: name) }
            guard let chunk, !chunk.isEmpty else { return }
            try body([UInt8](chunk))
        }
    }
}

/// Counts bytes beyond ASCII: those of well-formed UTF-8 characters, and the others. Fed in chunks.
private struct UTF8Census {
    private(set) var wellFormedBytes = 0
    private(set) var strayBytes = 0
    private var pending: [UInt8] = []

    mutating func take(_ chunk: [UInt8]) {
        var bytes = pending + chunk
        let unfinished = Self.unfinishedBytes(at: bytes)
        pending = Array(bytes.suffix(unfinished))
        bytes.removeLast(unfinished)
        guard (try? UTF8Span(validating: bytes.span)) == nil else {
            wellFormedBytes += bytes.count { $0 >= 0x80 }
            return
        }
        var index = 0
        while index < bytes.count {
            guard bytes[index] >= 0x80 else {
                index += 1
                continue
            }
            let character = bytes[index..<min(index + Self.length(bytes[index]), bytes.count)]
            let isWellFormed = (try? UTF8Span(validating: Array(character).span)) != nil
            if isWellFormed { wellFormedBytes += character.count } else { strayBytes += 1 }
            index += isWellFormed ? character.count : 1
        }
    }

    /// What a first byte beyond ASCII announces.
    private static func length(_ first: UInt8) -> Int { first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2 }

    /// Bytes at the end that may be the beginning of a character.
    private static func unfinishedBytes(at bytes: [UInt8]) -> Int {
        for count in 1...3 where count <= bytes.count {
            let byte = bytes[bytes.count - count]
            if byte & 0xC0 != 0x80 { return byte >= 0xC0 && length(byte) > count ? count : 0 }
        }
        return 0
    }

    mutating func finish() {
        strayBytes += pending.count
        pending = []
    }
}
