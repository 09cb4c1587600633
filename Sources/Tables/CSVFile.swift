import Faults
import Foundation

/// A CSV file on disk, read in one pass with constant memory.
package struct CSVFile: Sendable {
    private static let chunkBytes = 1 << 20

    private let url: URL

    package init(_ url: URL) {
        self.url = url
    }

    /// The file's name without its directories, as faults and reports give it.
    package var name: String { url.lastPathComponent }

    /// Calls `header` once with the trimmed column names, then `row` with every record, all of them as wide as the
    /// header.
    /// - Throws: `.unreadableFile`, `.emptyTable` for a file without a header, `.malformedCSV`, `.notUTF8`, and
    ///   whatever `header` and `row` throw.
    package func read(
        header: ([String]) throws(Fault) -> Void, row: (CSVRecord) throws(Fault) -> Void
    ) throws(Fault) {
        var scanner = CSVScanner(file: name)
        var width = 0
        func take(_ record: CSVRecord) throws(Fault) {
            if width == 0 {
                width = record.count
                try header((0..<width).map { column in
                    let field = record.bytes.span.extracting(record.range(column))
                    return Cell.text(field.extracting(Blank.trimmed(field)))
                })
            } else if record.count == width {
                try row(record)
            } else {
                throw Fault(
                    .malformedCSV, at: "\(name):\(record.line)",
                    "number of fields: \(record.count), in the header: \(width)", "字段数为 \(record.count)，表头为 \(width)")
            }
        }

        let handle = try open()
        defer { try? handle.close() }
        var isFirst = true
        while var chunk = try next(from: handle) {
            if isFirst, chunk.starts(with: [0xEF, 0xBB, 0xBF]) { chunk.removeFirst(3) }
            isFirst = false
            try scanner.scan(chunk, take)
        }
        try scanner.finish(take)
        if width == 0 { throw Fault(.emptyTable, at: name) }
    }

    private func open() throws(Fault) -> FileHandle {
        do { return try FileHandle(forReadingFrom: url) } catch { throw Fault(.unreadableFile, at: name) }
    }

    private func next(from handle: FileHandle) throws(Fault) -> [UInt8]? {
        do {
            guard let data = try handle.read(upToCount: Self.chunkBytes), !data.isEmpty else { return nil }
            return [UInt8](data)
        } catch {
            throw Fault(.unreadableFile, at: name)
        }
    }
}
