import BigNumber
import Faults
import Foundation
import Jobs
import Paillier
import Primitives
import Roles
import Training
import Wire

/// What a party puts into one round: its side of the bilinear form, in fixed point.
package struct RoundWork: Sendable {
    /// m + 1 plaintexts for each row, for the peer to combine.
    package let plaintexts: [Int64]
    /// m non-negative exponents for each row, by which the peer's ciphertexts are combined into residuals.
    package let exponents: [UInt32]
    package let exponentBits: Int
    /// m + 1 non-negative exponents for each row of a further sum over the peer's ciphertexts: the bank's loss.
    package let lossExponents: [UInt32]?
    package let lossBits: Int

    package init(plaintexts: [Int64], exponents: [UInt32], exponentBits: Int, lossExponents: [UInt32]? = nil, lossBits: Int = 1) {
        self.plaintexts = plaintexts
        self.exponents = exponents
        self.exponentBits = exponentBits
        self.lossExponents = lossExponents
        self.lossBits = lossBits
    }
}

/// One round, the same at both sides: each encrypts its half of every row under its own key, computes its own masked
/// sums under the other's key, has them decrypted, and gets back the low bits of each, encrypted under its own key.
///
///     both at once   RoundRows (in blocks) -> MaskedValues -> ReturnedBits
///
/// The key's owner sees each sum plus a mask uniform modulo n, whatever it had encrypted; the requester gets exactly the
/// declared number of values of k bits. No check and no error depends on what was decrypted. Source:
/// Protocols/protocol.md, "One round".
package struct RoundExchange: Sendable {
    private let context: JobContext
    private let keys: Opening.Keys
    private let slots: ValueSlots
    private let round: UInt16
    private let work: RoundWork
    private let design: Design
    /// Smallest value of each column where it is negative: subtracted before, added back under encryption.
    private let shifts: [Int64]
    private let stride: Int
    private let peerValues: Int
    private let randomiser: AddressedRandom

    private var sentRows = 0
    private var receivedRows = 0
    private var repetitions = RepetitionGuard()
    private let products: InnerProducts
    private let lossProducts: InnerProducts?
    private var request: MaskedRequest?
    private var answered = false

    /// - Parameters:
    ///   - peerValues: how many values the peer may have decrypted.
    ///   - transcript: everything acted on before this round.
    package init(context: JobContext, keys: Opening.Keys, slots: ValueSlots, round: UInt16, degree: Int, work: RoundWork, design: Design,
                 peerValues: Int, transcript: Transcript) {
        self.context = context
        self.keys = keys
        self.slots = slots
        self.round = round
        self.work = work
        self.design = design
        self.peerValues = peerValues
        stride = degree + 1
        shifts = design.columns.map { Int64(min($0.factors.min() ?? 0, 0)) }
        let widths = zip(design.columns, shifts).map { column, shift in
            max(1, 64 - (Int64(column.factors.max() ?? 0) - shift).leadingZeroBitCount)
        }
        // The last column, of ones, gives the sum that undoes the shifts.
        let values = zip(design.columns, shifts).map { RoundExchange.values(of: $0.factors, above: $1) }
        products = InnerProducts(key: keys.peer, columnBits: widths + [1], values: values + [nil], rows: design.rows)
        lossProducts = work.lossExponents == nil
            ? nil : InnerProducts(key: keys.peer, columnBits: [work.lossBits], rows: design.rows * (degree + 1))
        randomiser = keys.secrets.random(.randomiser, "round \(round)", transcript: transcript)
    }

    /// The numbers that occur in a column, where they are small.
    private static func values(of factors: [Int32], above shift: Int64) -> [UInt32]? {
        let largest = Int64(factors.max() ?? 0) - shift
        guard largest < 1 << 16 else { return nil }
        var occurs = [Bool](repeating: false, count: Int(largest) + 1)
        for factor in factors { occurs[Int(Int64(factor) - shift)] = true }
        return occurs.indices.filter { occurs[$0] }.map { UInt32($0) }
    }

    /// How many values this party has decrypted in a round.
    package var values: Int { design.columns.count + (lossProducts == nil ? 0 : 1) }

    package var wantsToProceed: Bool { sentRows < design.rows }

    /// Encrypts and sends the next block.
    package mutating func proceed(_ transcript: Transcript) throws(Fault) -> [RoleEffect] {
        let range = sentRows..<min(sentRows + TransferCounts.rowsPerBlock, design.rows)
        let (round, stride) = (round, stride)
        let ciphertexts = keys.own.encrypt(
            Array(work.plaintexts[range.lowerBound * stride..<range.upperBound * stride]), random: randomiser
        ) { index in
            DrawAddress(message: UInt8(MessageKind.roundRows.rawValue), round: round,
                        row: UInt32(range.lowerBound + index / stride), column: UInt16(index % stride))
        }
        sentRows = range.upperBound
        return [.send(.roundRows(.filled {
            $0.round = UInt32(round)
            $0.block = UInt32(range.lowerBound / TransferCounts.rowsPerBlock)
            $0.ciphertexts = ciphertexts.data
        }), to: .peer), progress()] + requestIfDue(transcript)
    }

    /// - Returns: the sums of the party's own columns in fixed point, in order, once they have come back.
    package mutating func hear(_ message: Message, _ transcript: Transcript) throws(Fault) -> (effects: [RoleEffect], sums: [Int64]?) {
        switch message {
        case .roundRows(let rows) where receivedRows < design.rows:
            try collect(rows)
            return ([progress()] + requestIfDue(transcript), nil)
        case .maskedValues(let masked) where request != nil && !answered:
            answered = true
            return ([try answer(masked, transcript)], nil)
        case .returnedBits(let returned) where answered:
            return ([], try unmask(returned))
        default:
            throw context.fault(.unexpectedMessage)
        }
    }

    private mutating func collect(_ message: RoundRows) throws(Fault) {
        let rows = min(TransferCounts.rowsPerBlock, design.rows - receivedRows)
        guard message.round == UInt32(round), Int(message.block) == receivedRows / TransferCounts.rowsPerBlock else {
            throw context.fault(.unexpectedMessage)
        }
        let batch = try context.load(message.ciphertexts, count: rows * stride, key: keys.peer, &repetitions)
        let range = receivedRows..<receivedRows + rows
        let exponents = Array(work.exponents[range.lowerBound * (stride - 1)..<range.upperBound * (stride - 1)])
        let residuals = batch.combiningRows(stride: stride, exponents: exponents, exponentBits: work.exponentBits)
        let columns = design.columns.count + 1
        var entries = [UInt32](repeating: 1, count: rows * columns)
        for (index, (column, shift)) in zip(design.columns, shifts).enumerated() {
            for (offset, row) in range.enumerated() {
                entries[offset * columns + index] = UInt32(Int64(column.factors[row]) - shift)
            }
        }
        products.add(residuals, entries: entries)
        if let lossExponents = work.lossExponents {
            lossProducts?.add(batch, entries: Array(lossExponents[range.lowerBound * stride..<range.upperBound * stride]))
        }
        receivedRows = range.upperBound
    }

    /// All of both parties' rows are through: the sums can go.
    private mutating func requestIfDue(_ transcript: Transcript) -> [RoleEffect] {
        guard request == nil, sentRows == design.rows, receivedRows == design.rows else { return [] }
        let sums = products.finish()
        let columns = design.columns.count
        var values = sums.slice(0..<columns).adding(multiples: shifts, of: sums.slice(columns..<columns + 1))
        if let loss = lossProducts?.finish() { values = .joined([values, loss], key: keys.peer) }
        let (round, kind) = (round, UInt8(MessageKind.maskedValues.rawValue))
        let request = MaskedRequest(
            values, slots: slots,
            mask: keys.secrets.random(.mask, "round \(round)", transcript: transcript),
            randomiser: keys.secrets.random(.maskRandomiser, "round \(round)", transcript: transcript)
        ) { DrawAddress(message: kind, round: round, row: UInt32($0)) }
        self.request = request
        return [.send(.maskedValues(.filled {
            $0.round = UInt32(round)
            $0.ciphertexts = request.ciphertexts.wire.data
        }), to: .peer)]
    }

    /// Decrypts for the peer, keeps the low bits, and encrypts them under the peer's key.
    private mutating func answer(_ message: MaskedValues, _ transcript: Transcript) throws(Fault) -> RoleEffect {
        guard message.round == UInt32(round) else { throw context.fault(.unexpectedMessage) }
        let batch = try context.load(message.ciphertexts, count: slots.ciphertexts(peerValues), key: keys.own.publicKey, &repetitions)
        let lowBits = keys.own.lowBits(of: batch, values: peerValues, slots: slots)
        let (round, kind) = (round, UInt8(MessageKind.returnedBits.rawValue))
        let encrypted = keys.peer.encrypt(
            lowBits, random: keys.secrets.random(.randomiser, "answer \(round)", transcript: transcript)
        ) { DrawAddress(message: kind, round: round, row: UInt32($0)) }
        return .send(.returnedBits(.filled {
            $0.round = UInt32(round)
            $0.ciphertexts = encrypted.wire.data
        }), to: .peer)
    }

    private mutating func unmask(_ message: ReturnedBits) throws(Fault) -> [Int64] {
        guard message.round == UInt32(round) else { throw context.fault(.unexpectedMessage) }
        let batch = try context.load(message.ciphertexts, count: slots.ciphertexts(values), key: keys.own.publicKey, &repetitions)
        guard let sums = request?.values(fromLowBits: keys.own.decrypt(batch)) else { throw context.fault(.wrongCount) }
        return sums
    }

    private func progress() -> RoleEffect {
        .progress(.filled {
            $0.phase = .training
            $0.round = UInt32(round)
            $0.done = UInt64(sentRows + receivedRows)
            $0.total = UInt64(2 * design.rows)
        })
    }
}

extension JobContext {
    /// Ciphertexts of the peer's: the declared number, each a valid one under `key`, and none that `repetitions` has seen.
    func load(_ field: Data, count: Int, key: PublicKey, _ repetitions: inout RepetitionGuard) throws(Fault) -> CiphertextBatch {
        let bytes = field.octets
        guard bytes.count == count * key.ciphertextBytes else { throw fault(.wrongCount) }
        do {
            try repetitions.admit(bytes, width: key.ciphertextBytes)
            return try CiphertextBatch(wire: bytes, count: count, key: key)
        } catch {
            throw fault(.cryptographicCheck)
        }
    }
}
