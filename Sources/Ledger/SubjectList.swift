import Primitives

/// Keyed digests of subjects, each the first 16 bytes of HMAC-SHA256(key, normalised identifier in UTF-8). Whoever has the
/// node's key can ask whether a subject is in a list; nobody can read a list.
package struct SubjectList: Sendable {
    package static let tagBytes = 16

    /// By row of a table.
    private let tags: [UInt128]

    package init(_ identifiers: [String], key: SecretBytes) {
        tags = identifiers.map { Self.tag($0, key: key) }
    }

    package var count: Int { tags.count }

    /// Of these rows, or of all: sorted, so that equal sets have equal bytes, 16 big-endian bytes each.
    package func encode(rows: [Int]? = nil) -> [UInt8] {
        let chosen = (rows.map { $0.map { tags[$0] } } ?? tags).sorted()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(chosen.count * Self.tagBytes)
        for tag in chosen { withUnsafeBytes(of: tag.bigEndian) { bytes += $0 } }
        return bytes
    }

    package static func tag(_ identifier: String, key: SecretBytes) -> UInt128 {
        HMACSHA256.code(for: Array(identifier.utf8), key: key).prefix(tagBytes).reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// Whether an encoded list holds a tag.
    package static func holds(_ list: [UInt8], _ tag: UInt128) -> Bool {
        let wanted = withUnsafeBytes(of: tag.bigEndian) { Array($0) }
        var (low, high) = (0, list.count / tagBytes)
        while low < high {
            let middle = (low + high) / 2
            let found = list[middle * tagBytes..<(middle + 1) * tagBytes]
            if found.elementsEqual(wanted) { return true }
            if found.lexicographicallyPrecedes(wanted) { low = middle + 1 } else { high = middle }
        }
        return false
    }
}
