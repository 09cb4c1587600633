import CLibcrypto
import Exchange
import Foundation
import Jobs
import Primitives
import Roles
import Wire

/// Set intersection as jobs run it: both parties' alignments in one process, every message encoded and decoded on its way.
struct Intersection {
    struct Result {
        let cost: Cost
        let bytes: Int
        let matches: Int
    }

    /// - Parameters:
    ///   - count: identifiers of each side.
    ///   - common: how many of them both hold.
    static func run(suite: String, count: Int, common: Int) -> Result? {
        let bank = identifiers(0..<count)
        let platform = identifiers((count - common)..<(2 * count - common))
        guard let first = party(.bank, suite, bank), let second = party(.platform, suite, platform) else { return nil }
        var parties = [first, second]
        var inbox: [[Message]] = [[], []]
        var aligned: [Int?] = [nil, nil]
        var bytes = 0
        guard let cost = try? Cost.of({
            while aligned.contains(where: { $0 == nil }) {
                var moved = false
                for side in 0...1 where aligned[side] == nil {
                    let outcome: (effects: [RoleEffect], aligned: Alignment.Aligned?)
                    if parties[side].isListening, !inbox[side].isEmpty {
                        outcome = try parties[side].hear(inbox[side].removeFirst())
                    } else if parties[side].wantsToProceed, inbox[1 - side].count < 4 {
                        outcome = try parties[side].proceed()
                    } else {
                        continue
                    }
                    moved = true
                    aligned[side] = outcome.aligned?.count
                    for case .send(let message, to: .peer) in outcome.effects {
                        let payload = message.encodePayload()
                        bytes += payload.count
                        inbox[1 - side].append(try Message.decode(kind: message.kind, payload: payload))
                    }
                }
                guard moved else { throw Stopped() }
            }
        }) else { return nil }
        guard let matches = aligned[0], aligned[1] == matches else { return nil }
        return Result(cost: cost, bytes: bytes, matches: matches)
    }

    private struct Stopped: Error {}

    /// 18 characters each, the same in every run and at every peer.
    static func identifiers(_ range: Range<Int>) -> [String] {
        range.map { index in
            let digits = "\(index)"
            return "91370800" + String(repeating: "0", count: 10 - digits.count) + digits
        }
    }

    private static func party(_ role: Role, _ suite: String, _ identifiers: [String]) -> Alignment? {
        let text = """
            { "version": 1, "name": "benchmark", "purpose": { "code": "test", "statement": "A benchmark." },
              "parties": { "bank": "bank", "platform": "platform" },
              "population": { "id_type": "text", "bank_id": "id", "platform_id": "id", "minimum_intersection": 100 },
              "kind": "score", "model": "00112233445566778899aabbccddeeff" }
            """
        guard let specification = try? JobSpecification.parse(Array(text.utf8)), let job = JobIdentifier("00112233445566778899aabbccddeeff"),
              let context = try? JobContext(RoleRequest(
                  job: job, attempt: 1, specification: specification, specificationDigest: [], suite: suite, limits: Contract.Limits(),
                  contractDigest: [], dataset: .init(path: ""), model: nil), role: role)
        else { return nil }
        var secrets = JobSecrets.fresh(job: job, attempt: 1, role: role)
        secrets.bind(peerNonce: [UInt8](repeating: 1, count: 32))
        return Alignment(context: context, secrets: secrets, identifiers: IdentifierList(identifiers))
    }

    // What libcrypto takes for the same points: the limit that this stands against.

    /// `EC_POINT_mul` alone, and reading an uncompressed point.
    static func limit(_ operation: String, curve: Int32, count: Int) -> Cost {
        let group = EC_GROUP_new_by_curve_name(curve)
        let context = BN_CTX_new()
        let (point, product) = (EC_POINT_new(group), EC_POINT_new(group))
        let scalar = BN_new()
        defer {
            EC_GROUP_free(group)
            BN_CTX_free(context)
            EC_POINT_free(point)
            EC_POINT_free(product)
            BN_free(scalar)
        }
        BN_priv_rand_range(scalar, EC_GROUP_get0_order(group))
        EC_POINT_mul(group, point, scalar, nil, nil, context)
        var bytes = [UInt8](repeating: 0, count: 65)
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, &bytes, 65, context)
        EC_POINT_oct2point(group, point, bytes, 65, context)
        return Cost.of {
            for _ in 0..<count {
                if operation == "multiply" {
                    EC_POINT_mul(group, product, nil, point, scalar, context)
                } else {
                    EC_POINT_oct2point(group, point, bytes, 65, context)
                }
            }
        }
    }
}

/// CPU seconds of this process, and seconds by the clock.
struct Cost {
    let seconds: Double
    let wall: Double

    static func of(_ work: () throws -> Void) rethrows -> Cost {
        let (cpu, wall) = (clock(CLOCK_PROCESS_CPUTIME_ID), clock(CLOCK_MONOTONIC))
        try work()
        return Cost(seconds: clock(CLOCK_PROCESS_CPUTIME_ID) - cpu, wall: clock(CLOCK_MONOTONIC) - wall)
    }

    private static func clock(_ identifier: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(identifier, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Of this process at its largest, in MiB.
    static var peakMemory: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_maxrss) / 1024
    }
}
