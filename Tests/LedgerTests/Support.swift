import Foundation
import Ledger
import Primitives
import Wire

func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}

/// A folder that goes when it is forgotten.
final class Folder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appending(path: name))) }
}

let job = JobIdentifier("000102030405060708090a0b0c0d0e0f") ?? .none

func key(_ seed: UInt8) -> Ed25519.SigningKey { Ed25519.SigningKey(seed: SecretBytes(copying: [UInt8](repeating: seed, count: 32))) }

func frame(_ sequence: UInt64, _ message: Message? = nil) -> Frame {
    Frame(message ?? .columns(.filled { $0.count = UInt32(sequence + 1) }), phase: .preparation, job: job, attempt: 1, sequence: sequence,
          salt: [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: 16))
}
