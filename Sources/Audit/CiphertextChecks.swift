import BigNumber
import Faults
import Jobs
import Ledger
import Wire

/// Looks at every kept ciphertext with the public keys alone: whether it is an element of the right group, whether it was
/// randomised, whether randomness came twice, and whether its bytes look uniform.
///
/// A ciphertext (1 + m n) r^n mod n^2 leaves r^n mod n: without randomness that is 1 and anyone reads m; with the same r
/// twice it is the same number twice, and anyone reads the difference.
package enum CiphertextChecks {
    package static func check(_ directory: LedgerDirectory) -> AuditReport {
        var report = AuditReport()
        guard let ledger = AuditedLedger.open(directory, report: &report) else { return report }
        guard let line = ledger.dataLine else {
            report.state(en: "this ledger holds no line between bank and platform, so no ciphertexts", zh: "该账本不含银行与平台之间的线路，因而没有密文")
            return report
        }
        var scan = Scan(ledger: ledger, keys: keys(line, ledger, &report), report: report)
        for flow in line.flows { scan.check(flow) }
        scan.finish()
        return scan.report
    }

    /// By the party that holds the secret.
    private static func keys(_ line: AuditedLine, _ ledger: AuditedLedger, _ report: inout AuditReport) -> [Role: Natural] {
        let expectedBits = ledger.specification.training?.settings.keyBits
        var keys: [Role: Natural] = [:]
        for flow in line.flows {
            for (index, record) in flow.records.enumerated() {
                guard let record, record.kind == .paillierKey, case .paillierKey(let key)? = ledger.message(record, flow.direction) else { continue }
                let modulus = Natural(bytes: key.modulus.octets)
                let bits = 8 * key.modulus.count
                guard modulus.bitWidth == bits, modulus.isOdd, bits == expectedBits ?? bits, keys[flow.from.role] == nil else {
                    report.add(.key, at: flow.place(index), en: "is no odd modulus of \(expectedBits ?? bits) bits, or a second one",
                               zh: "不是 \(expectedBits ?? bits) 位的奇模数，或重复出现")
                    continue
                }
                keys[flow.from.role] = modulus
            }
        }
        return keys
    }

    private struct Scan {
        let ledger: AuditedLedger
        let keys: [Role: Natural]
        var report: AuditReport
        private var checked = 0
        private var frames = 0
        private var notKept = 0
        private var withoutKey = 0
        /// Where the low bits of r^n mod n were seen; 2^-128 that two differ and agree there.
        private var seen: [Role: [UInt128: Spot]] = [:]
        private var byteCounts = [Int](repeating: 0, count: 256)

        private struct Spot {
            let direction: Direction
            let frame: Int32
        }

        init(ledger: AuditedLedger, keys: [Role: Natural], report: AuditReport) {
            self.ledger = ledger
            self.keys = keys
            self.report = report
        }

        mutating func check(_ flow: AuditedFlow) {
            for (index, record) in flow.records.enumerated() {
                guard let record, let owner = record.kind.keyOwner(from: flow.from.role, to: flow.to.role) else { continue }
                frames += 1
                switch ledger.payload(record, flow.direction) {
                case .notKept:
                    notKept += 1
                case .missing, .altered:
                    report.add(.payloadKept, at: flow.place(index), en: "its payload is missing or altered", zh: "其载荷缺失或被改动")
                case .bytes(let bytes):
                    guard let ciphertexts = (try? Message.decode(kind: record.kind, payload: bytes))?.ciphertexts else {
                        report.add(.payloadForm, at: flow.place(index), en: "is no \(record.kind.name)", zh: "不是有效的 \(record.kind.name)")
                        continue
                    }
                    guard let key = keys[owner] else {
                        withoutKey += 1
                        continue
                    }
                    // Whatever comes before the field that ends the payload.
                    check(ciphertexts, key: key, owner: owner, at: flow, index, offset: bytes.count - ciphertexts.count)
                }
            }
        }

        private mutating func check(_ bytes: [UInt8], key: Natural, owner: Role, at flow: AuditedFlow, _ index: Int, offset: Int) {
            let width = 2 * ((key.bitWidth + 7) / 8)
            guard bytes.count.isMultiple(of: width), !bytes.isEmpty else {
                report.add(.ciphertextWidth, at: flow.place(index, offset: offset), en: "\(bytes.count) bytes are no ciphertexts of \(width)",
                           zh: "\(bytes.count) 字节不是宽度为 \(width) 的密文")
                return
            }
            let square = key * key
            var residues: [(value: Natural, offset: Int)] = []
            for start in stride(from: 0, to: bytes.count, by: width) {
                let slice = bytes[start..<start + width]
                let value = Natural(bytes: slice)
                let place = flow.place(index, offset: offset + start)
                checked += 1
                guard !value.isZero, value < square else {
                    report.add(.ciphertextRange, at: place, en: "a ciphertext is 0 or not below n²", zh: "密文为 0 或不小于 n²")
                    continue
                }
                let residue = value % key
                residues.append((residue, offset + start))
                if residue == .one {
                    report.add(.randomness, at: place, en: "a ciphertext carries no randomness: anyone can read it", zh: "密文未加随机数：任何人均可读取")
                } else {
                    remember(residue, owner, flow, index, place)
                }
                // The leading bytes of numbers below n² are not uniform.
                for byte in slice.dropFirst(8) { byteCounts[Int(byte)] += 1 }
            }
            units(residues, key, flow, index)
        }

        private mutating func remember(_ residue: Natural, _ owner: Role, _ flow: AuditedFlow, _ index: Int, _ place: Place) {
            let low = residue.lowBits(128).bytes(count: 16).reduce(0) { $0 << 8 | UInt128($1) }
            guard let earlier = seen[owner, default: [:]].updateValue(Spot(direction: flow.direction, frame: Int32(clamping: index)), forKey: low)
            else { return }
            report.add(.repetition, at: place,
                       en: "the same ciphertext, or the same randomness, as in frame \(earlier.frame) \(earlier.direction.name.en)",
                       zh: "与\(earlier.direction.name.zh)方向第 \(earlier.frame) 帧的密文或随机数相同")
        }

        /// gcd(c, n) = 1 for all of a frame at once; one by one only to name the culprit.
        private mutating func units(_ residues: [(value: Natural, offset: Int)], _ key: Natural, _ flow: AuditedFlow, _ index: Int) {
            let product = residues.reduce(Natural.one) { $0 * $1.value % key }
            guard product.greatestCommonDivisor(with: key) != .one else { return }
            for residue in residues where residue.value.greatestCommonDivisor(with: key) != .one {
                report.add(.ciphertextUnit, at: flow.place(index, offset: residue.offset), en: "a ciphertext has a factor in common with n",
                           zh: "密文与 n 有公因子")
            }
        }

        mutating func finish() {
            let total = byteCounts.reduce(0, +)
            report.state(en: "\(checked) ciphertexts in \(frames - notKept - withoutKey) frames: width, range, unit, randomness, repetition",
                         zh: "\(frames - notKept - withoutKey) 帧中的 \(checked) 个密文：宽度、范围、可逆性、随机数、重复")
            if notKept + withoutKey > 0 {
                report.state(en: "\(notKept) frames were not kept, for \(withoutKey) the key was not: nothing is said of these",
                             zh: "\(notKept) 帧未留存，\(withoutKey) 帧的公钥未留存：对其不作结论")
            }
            guard total >= 1 << 16 else { return }
            let expected = Double(total) / 256
            let statistic = byteCounts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
            let rounded = Int(statistic.rounded())
            report.state(en: "chi-square of \(total) bytes: \(rounded) (255 expected)", zh: "\(total) 字节的卡方统计量：\(rounded)（期望 255）")
            // Uniform bytes leave this range less than once in ten million jobs.
            if !(150...390).contains(rounded) {
                report.add(.byteStatistics, at: Place(ledger: ledger.manifest.node, line: ledger.dataLine?.peer.name),
                           en: "the bytes of the ciphertexts are not uniform (chi-square \(rounded))", zh: "密文字节分布不均匀（卡方 \(rounded)）")
            }
        }
    }
}

extension MessageKind {
    /// Under whose key the ciphertexts of this message are; nothing for a message without any.
    fileprivate func keyOwner(from sender: Role, to receiver: Role) -> Role? {
        switch self {
        case .roundRows: sender
        case .maskedValues, .returnedBits, .partialScores: receiver
        default: nil
        }
    }
}

extension Message {
    fileprivate var ciphertexts: [UInt8]? {
        switch self {
        case .roundRows(let body): body.ciphertexts.octets
        case .maskedValues(let body): body.ciphertexts.octets
        case .returnedBits(let body): body.ciphertexts.octets
        case .partialScores(let body): body.ciphertexts.octets
        default: nil
        }
    }
}
