import Foundation
import Primitives

/// Keyed digests of subjects, each the first 16 bytes of HMAC-SHA256(key, normalised identifier in UTF-8). Whoever has the
/// node's key can ask whether a subject is in a list; nobody can read a list. A list is sorted, so that equal sets have equal
/// bytes: 16 big-endian bytes each.
package enum SubjectList {
    package static let tagBytes = 16

    package static func tag(_ identifier: String, key: SecretBytes) -> UInt128 { tag(Array(identifier.utf8), key: key) }

    package static func tag(_ identifier: [UInt8], key: SecretBytes) -> UInt128 {
        HMACSHA256.code(for: identifier, key: key).prefix(tagBytes).reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// How many subjects stand in one of two kept lists alone, counted no further than `limit`; nothing where a list cannot
    /// be read. Reads both piece by piece.
    package static func difference(_ first: URL, _ second: URL, upTo limit: Int) -> Int? {
        guard let left = TagReader(first), let right = TagReader(second) else { return nil }
        var difference = 0
        var (one, other) = (left.next(), right.next())
        while difference < limit {
            switch (one, other) {
            case (nil, nil): return difference
            case (let a?, let b?) where a == b: (one, other) = (left.next(), right.next())
            case (let a?, let b?) where a < b: (one, difference) = (left.next(), difference + 1)
            case (_, _?) : (other, difference) = (right.next(), difference + 1)
            case (_?, nil): (one, difference) = (left.next(), difference + 1)
            }
        }
        return difference
    }

    /// Tags of a kept list in their order.
    private final class TagReader {
        private let handle: FileHandle
        private var tags: ArraySlice<UInt128> = []

        init?(_ url: URL) {
            guard let handle = try? FileHandle(forReadingFrom: url) else { return nil }
            self.handle = handle
        }

        func next() -> UInt128? {
            if tags.isEmpty {
                let bytes = [UInt8]((try? handle.read(upToCount: 1 << 16)) ?? Data())
                tags = bytes.withUnsafeBytes { bytes in
                    stride(from: 0, to: bytes.count / tagBytes * tagBytes, by: tagBytes).map {
                        UInt128(bigEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt128.self))
                    }
                }[...]
            }
            return tags.popFirst()
        }
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
