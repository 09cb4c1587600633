import Ledger
import Primitives
import Testing

/// MTH and PROOF as RFC 6962 writes them, without memory.
private enum Oracle {
    static func root(_ leaves: ArraySlice<[UInt8]>) -> [UInt8] {
        switch leaves.count {
        case 0: return SHA256.hash([UInt8]())
        case 1: return SHA256.hash([0] + leaves[leaves.startIndex])
        default:
            let middle = split(leaves)
            return SHA256.hash([1] + root(leaves[..<middle]) + root(leaves[middle...]))
        }
    }

    static func proof(_ older: Int, _ leaves: ArraySlice<[UInt8]>, _ isKnown: Bool = true) -> [[UInt8]] {
        if older == leaves.count { return isKnown ? [] : [root(leaves)] }
        let middle = split(leaves)
        let left = middle - leaves.startIndex
        return older <= left
            ? proof(older, leaves[..<middle], isKnown) + [root(leaves[middle...])]
            : proof(older - left, leaves[middle...], false) + [root(leaves[..<middle])]
    }

    private static func split(_ leaves: ArraySlice<[UInt8]>) -> Int {
        var left = 1
        while 2 * left < leaves.count { left *= 2 }
        return leaves.startIndex + left
    }
}

@Suite("Trees") struct TreeTests {
    /// Leaves and roots of the reference implementation of Certificate Transparency.
    private static let leaves = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ].map(bytes)
    private static let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    private static func tree(_ leaves: [[UInt8]]) -> GrowingTree {
        leaves.reduce(into: GrowingTree()) { $0.append($1) }
    }

    @Test("roots are those of the published vectors, at every size")
    func roots() {
        var tree = GrowingTree()
        for (size, root) in Self.roots.enumerated() {
            #expect(hex(tree.root) == root)
            if size < Self.leaves.count { tree.append(Self.leaves[size]) }
        }
        for (size, root) in Self.roots.enumerated() { #expect(tree.root(at: UInt64(size)).map(hex) == root) }
        #expect(tree.root(at: 9) == nil)
    }

    @Test("consistency proofs are those of the published vectors", arguments: [
        (1, 1, []),
        (1, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7", "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"]),
        (6, 8, ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
        (2, 5, ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]),
    ])
    func proofs(_ older: UInt64, _ newer: UInt64, _ nodes: [String]) throws {
        let proof = try #require(Self.tree(Self.leaves).consistencyProof(from: older, to: newer))
        #expect(proof.map(hex) == nodes)
        #expect(GrowingTree.verifyConsistency(
            from: older, root: bytes(Self.roots[Int(older)]), to: newer, root: bytes(Self.roots[Int(newer)]), proof: proof))
    }

    @Test("roots and proofs are those of the definition, for all sizes to 70")
    func definition() throws {
        let leaves = (0..<70).map { [UInt8(truncatingIfNeeded: $0 * 7), UInt8($0)] }
        let tree = Self.tree(leaves)
        var frontier = TreeFrontier()
        for newer in 0...leaves.count {
            let newerRoot = try #require(tree.root(at: UInt64(newer)))
            #expect(newerRoot == Oracle.root(leaves[..<newer]) && newerRoot == frontier.root && frontier.size == newer)
            if newer < leaves.count { frontier.append(leaves[newer]) }
            for older in 0...newer {
                let proof = try #require(tree.consistencyProof(from: UInt64(older), to: UInt64(newer)))
                #expect(proof == (older == 0 ? [] : Oracle.proof(older, leaves[..<newer])))
                let olderRoot = try #require(tree.root(at: UInt64(older)))
                #expect(GrowingTree.verifyConsistency(from: UInt64(older), root: olderRoot, to: UInt64(newer), root: newerRoot, proof: proof))
            }
        }
        #expect(tree.consistencyProof(from: 3, to: 2) == nil)
        #expect(tree.consistencyProof(from: 3, to: 71) == nil)
    }

    @Test("a proof that is changed in any part proves nothing")
    func wrongProofs() throws {
        let leaves = (0..<20).map { [UInt8($0)] }
        let tree = Self.tree(leaves)
        for newer in 1...20 {
            for older in 1..<newer {
                let (a, b) = (try #require(tree.root(at: UInt64(older))), try #require(tree.root(at: UInt64(newer))))
                let proof = try #require(tree.consistencyProof(from: UInt64(older), to: UInt64(newer)))
                func accepts(_ older: Int, _ a: [UInt8], _ newer: Int, _ b: [UInt8], _ proof: [[UInt8]]) -> Bool {
                    GrowingTree.verifyConsistency(from: UInt64(older), root: a, to: UInt64(newer), root: b, proof: proof)
                }
                var wrong = a
                wrong[3] ^= 1
                #expect(!accepts(older, wrong, newer, b, proof) && !accepts(older, a, newer, wrong, proof))
                #expect(!accepts(older, a, newer, a, proof) && !accepts(newer, b, older, a, proof))
                #expect(!accepts(older, a, newer, b, proof + [a]) && !accepts(older, a, newer, b, [a] + proof))
                #expect(!accepts(older, a, newer, b, Array(proof.dropLast())) && !accepts(older, a, newer, b, proof.map { Array($0.dropLast()) }))
                for index in proof.indices {
                    var changed = proof
                    changed[index][31] ^= 0x80
                    #expect(!accepts(older, a, newer, b, changed))
                }
            }
        }
        let huge = GrowingTree.verifyConsistency(from: .max - 1, root: tree.root, to: .max, root: tree.root, proof: [tree.root])
        #expect(!huge)
        #expect(!GrowingTree.verifyConsistency(from: 0, root: tree.root, to: 5, root: tree.root, proof: []))
    }

    @Test("every bit of 16 KiB of records changes the root")
    func everyBit() {
        let records = (0..<(16 << 10) / FrameRecord.byteCount).map { FrameRecord(frame(UInt64($0))).encode() }
        let root = Self.tree(records).root
        #expect(root == Oracle.root(records[...]))
        // The hashes beside the path from each leaf to the root, and on which side they stand.
        for (index, record) in records.enumerated() {
            var path: [(left: Bool, hash: [UInt8])] = []
            var range = 0..<records.count
            while range.count > 1 {
                var half = 1
                while 2 * half < range.count { half *= 2 }
                let middle = range.lowerBound + half
                let isLeft = index < middle
                path.append((!isLeft, Oracle.root(isLeft ? records[middle..<range.upperBound] : records[range.lowerBound..<middle])))
                range = isLeft ? range.lowerBound..<middle : middle..<range.upperBound
            }
            func rootWith(_ leaf: [UInt8]) -> [UInt8] {
                path.reversed().reduce(SHA256.hash([0] + leaf)) { SHA256.hash([1] + ($1.left ? $1.hash + $0 : $0 + $1.hash)) }
            }
            var unchanged = rootWith(record) == root
            for bit in 0..<8 * record.count {
                var flipped = record
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                unchanged = unchanged && rootWith(flipped) != root
            }
            #expect(unchanged, "record \(index)")
        }
    }

    @Test("every truncation of 64 KiB of records leaves a tree that never had the signed root")
    func everyTruncation() {
        let records = (0..<(64 << 10) / FrameRecord.byteCount).map { FrameRecord(frame(UInt64($0))).encode() }
        let whole = Self.tree(records)
        var roots: Set<[UInt8]> = [whole.root]
        var tree = GrowingTree()
        for record in records {
            #expect(tree.root(at: whole.size) == nil)
            #expect(roots.insert(tree.root).inserted)
            tree.append(record)
        }
        #expect(tree.root == whole.root)
        // Anything else cuts a record, which then has not its 72 bytes.
        for count in 0..<FrameRecord.byteCount { #expect(FrameRecord(decoding: records[0].prefix(count)) == nil) }
    }
}
