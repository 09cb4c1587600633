import Dispatch
import Primitives
import Testing

@Suite("Addressed randomness") struct AddressedRandomTests {
    let random = AddressedRandom(key: SecretBytes(copying: ascending(32)))

    @Test("a draw is the keystream of RFC 8439, 2.3.2, where the fields spell its nonce")
    func keystream() {
        let stream = random.bytes(128, at: DrawAddress(message: 0, row: 9, column: 0x4a))
        #expect(Array(stream[64...]) == hex("""
            10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e
            """))
    }

    @Test("every byte of every field has its own place in the nonce")
    func packing() {
        let address = DrawAddress(message: 0x01, round: 0x0302, row: 0x0706_0504, column: 0x0908, draw: 0x0b0a)
        // ChaCha20 by another implementation under the nonce 01 02 ... 0b 00.
        #expect(random.bytes(40, at: address) == hex("280defd400f27e720a404dd66a8a1a37f68ba0f1066b22d72fbcbb2f80c94ba4a74c44abb0bf9009"))
    }

    @Test("an address gives the same bytes in any order, at any length and from any thread")
    func independentOfOrder() {
        let addresses = (0..<500).map { (row: UInt32) in DrawAddress(message: UInt8(row % 3), round: UInt16(row % 7), row: row / 3) }
        let expected = addresses.map { random.bytes(300, at: $0) }
        for (address, bytes) in zip(addresses, expected).reversed() as [(DrawAddress, [UInt8])] {
            #expect(random.bytes(17, at: address) == Array(bytes.prefix(17)))
        }
        #expect(Set(expected).count == 500)
        var drawn = [[UInt8]](repeating: [], count: addresses.count)
        drawn.withUnsafeMutableBufferPointer { slots in
            nonisolated(unsafe) let slots = slots
            DispatchQueue.concurrentPerform(iterations: addresses.count) { slots[$0] = random.bytes(300, at: addresses[$0]) }
        }
        #expect(drawn == expected)
    }

    @Test("what the buffer held before does not matter, and an empty draw is possible")
    func buffers() {
        let address = DrawAddress(message: 5)
        var buffer = [UInt8](repeating: 0xff, count: 100)
        buffer.withUnsafeMutableBytes { random.fill($0, at: address) }
        #expect(buffer == random.bytes(100, at: address))
        #expect(random.bytes(0, at: address).isEmpty)
    }

    @Test("another key gives other bytes")
    func keys() {
        let other = AddressedRandom(key: SecretBytes(copying: ascending(32, from: 1)))
        #expect(other.bytes(32, at: DrawAddress(message: 0)) != random.bytes(32, at: DrawAddress(message: 0)))
    }
}
