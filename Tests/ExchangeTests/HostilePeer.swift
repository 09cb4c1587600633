import BigInt
import BigNumber
import Exchange
import Faults
import Foundation
import Jobs
import Paillier
import Primitives
import Roles
import Synchronization
import Testing
import Wire

/// What a machine does with a message that an honest peer would not have sent.
func fault(_ machine: any RoleMachine, _ message: Message, from end: LineEnd = .peer) -> Fault? {
    var copy = machine
    do {
        _ = try copy.step(.message(message, from: end))
        return nil
    } catch {
        FaultTexts.heard(error)
        return error
    }
}

/// The texts of every fault that the tests of this module have provoked.
enum FaultTexts {
    private static let texts = Mutex<Set<String>>([])

    static func heard(_ fault: Fault) {
        let text = ([fault.place] + fault.arguments + [fault.lines(.en), fault.lines(.zh)]).joined(separator: "\n")
        texts.withLock { _ = $0.insert(text) }
    }

    static var all: Set<String> { texts.withLock { $0 } }
}

/// Numbers in the place of ciphertexts.
enum Ciphertexts {
    /// What no honest encryption under `n` gives, by name.
    /// - Parameter primes: of `n`, where the test has them.
    static func refused(_ n: BigUInt, primes: [BigUInt] = []) -> [(name: String, value: BigUInt)] {
        let squared = n * n
        let numbers: [(String, BigUInt)] = [
            ("0", 0), ("1", 1), ("n", n), ("n^2 - 1", squared - 1), ("n^2", squared), ("n^2 + 2", squared + 2), ("all ones", (BigUInt(1) << 1024) - 1),
            ("1 + n", 1 + n), ("1 + 5 n", 1 + 5 * n), ("1 + (n - 1) n", 1 + (n - 1) * n), ("n - 1", n - 1), ("2 n - 1", 2 * n - 1), ("2 n", 2 * n),
            ("(n - 1) n", (n - 1) * n), ("3 n", 3 * n), ("n^2 + n", squared + n), ("n^2 - 1 - 5 n", squared - 1 - 5 * n), ("(n - 1)^2", (n - 1) * (n - 1)),
            ("1 + 2^400 n", 1 + n << 400), ("another key's, above n^2", squared + squared >> 9 + 12_345),
        ]
        return numbers + primes.enumerated().flatMap { index, p -> [(String, BigUInt)] in
            let name = ["p", "q"][index]
            return [(name, p), ("\(name)^2", p * p), ("7 \(name)", 7 * p), ("\(name) n", p * n), ("n^2 - \(name)", squared - p), ("1 + \(name) n", 1 + p * n)]
        }
    }

    static func bytes(_ value: BigUInt, width: Int = 128) -> [UInt8] {
        let bytes = Array(value.serialize())
        return [UInt8](repeating: 0, count: max(0, width - bytes.count)) + bytes
    }

    /// Fields that are wrong in number or content, each with the code it must be refused with.
    static func fields(_ honest: [UInt8], under n: BigUInt, primes: [BigUInt] = [], width: Int = 128) -> [(name: String, bytes: [UInt8], code: Fault.Code)] {
        var fields: [(String, [UInt8], Fault.Code)] = [
            ("nothing", [], .wrongCount),
            ("a byte short", Array(honest.dropLast()), .wrongCount),
            ("a byte long", honest + [0], .wrongCount),
            ("one too few", Array(honest.dropLast(width)), .wrongCount),
            ("one too many", honest + honest.suffix(width), .wrongCount),
            ("half the width", Array(honest.prefix(honest.count / 2)), .wrongCount),
            ("a longer key's", honest + honest.prefix(honest.count / 2), .wrongCount),
            ("zeros", [UInt8](repeating: 0, count: honest.count), .cryptographicCheck),
        ]
        for (name, value) in refused(n, primes: primes) {
            let bad = bytes(value, width: width)
            fields.append(("\(name) first", bad + honest.dropFirst(width), .cryptographicCheck))
            fields.append(("\(name) last", honest.dropLast(width) + bad, .cryptographicCheck))
        }
        if honest.count >= 2 * width {
            fields.append(("a repeat", Array(honest.prefix(width)) + honest.dropFirst(width).dropFirst(width) + honest.prefix(width), .cryptographicCheck))
        }
        return fields
    }
}

extension Message {
    /// The same message with its ciphertexts replaced; nothing where it has none.
    func withCiphertexts(_ bytes: [UInt8]) -> Message? {
        switch self {
        case .roundRows(var body):
            body.ciphertexts = bytes.data
            return .roundRows(body)
        case .maskedValues(var body):
            body.ciphertexts = bytes.data
            return .maskedValues(body)
        case .returnedBits(var body):
            body.ciphertexts = bytes.data
            return .returnedBits(body)
        case .partialScores(var body):
            body.ciphertexts = bytes.data
            return .partialScores(body)
        default: return nil
        }
    }

    var ciphertexts: [UInt8]? {
        switch self {
        case .roundRows(let body): body.ciphertexts.octets
        case .maskedValues(let body): body.ciphertexts.octets
        case .returnedBits(let body): body.ciphertexts.octets
        case .partialScores(let body): body.ciphertexts.octets
        default: nil
        }
    }
}

/// Whose key a message's ciphertexts are under.
func keyOwner(_ kind: MessageKind, from sender: Role) -> Role {
    kind == .roundRows ? sender : sender == .bank ? .platform : .bank
}

/// Both parties' moduli, as they were sent.
func moduli(_ crossings: [Crossing]) throws -> [Role: BigUInt] {
    var moduli: [Role: BigUInt] = [:]
    for crossing in crossings where crossing.kind == .paillierKey {
        guard case .paillierKey(let key) = try Message.decode(kind: .paillierKey, payload: crossing.payload) else { continue }
        moduli[crossing.from] = BigUInt(key.modulus)
    }
    return moduli
}
