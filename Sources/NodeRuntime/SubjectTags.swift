import Dispatch
import Faults
import Ledger
import Primitives
import Roles
import Scratch

/// A list of subjects in the form of `SubjectList`, whatever its length: sorted keyed digests, a piece at a time.
package struct SubjectTags: Sendable {
    private let spill: Spill
    private let scratch: any Scratch

    /// - Throws: `unwritable`.
    package init(_ subjects: IdentifierList, key: SecretBytes, scratch given: any Scratch) throws(Fault) {
        var scratch = given
        var spill = Spill(buckets: Spill.buckets(records: subjects.count, recordBytes: 48, memoryBytes: scratch.memoryBytes))
        do {
            for block in 0..<subjects.blocks {
                let identifiers = try subjects.block(block)
                let tags = [UInt128](unsafeUninitializedCapacity: identifiers.count) { tags, initialised in
                    nonisolated(unsafe) let slots = tags
                    let length = 512
                    DispatchQueue.concurrentPerform(iterations: (identifiers.count + length - 1) / length) { piece in
                        for index in piece * length..<min((piece + 1) * length, identifiers.count) {
                            slots.initializeElement(at: index, to: SubjectList.tag(identifiers[index], key: key))
                        }
                    }
                    initialised = identifiers.count
                }
                for tag in tags {
                    let bytes = withUnsafeBytes(of: tag.bigEndian, Array.init)
                    try spill.append(bytes, to: Spill.bucket(of: UInt64(tag >> 64), among: spill.buckets), in: &scratch)
                }
            }
        } catch {
            throw Fault(.unwritable, at: "scratch")
        }
        self.spill = spill
        self.scratch = scratch
    }

    package var pieces: Int { spill.buckets }

    /// Sorted, and above all of the pieces before it.
    package func piece(_ piece: Int) throws(LedgerError) -> [UInt8] {
        let bytes: [UInt8]
        do { bytes = try spill.bytes(of: piece, in: scratch) } catch { throw .unwritable("scratch") }
        let tags = bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: SubjectList.tagBytes).map {
                UInt128(bigEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt128.self))
            }
        }
        var sorted: [UInt8] = []
        sorted.reserveCapacity(bytes.count)
        for tag in tags.sorted() { withUnsafeBytes(of: tag.bigEndian) { sorted.append(contentsOf: $0) } }
        return sorted
    }
}
