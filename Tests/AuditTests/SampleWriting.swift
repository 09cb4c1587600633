import Foundation
import Ledger
import Primitives
import Wire

extension Sample {
    /// - Parameters:
    ///   - lost: steps whose frame the receiver does not record.
    ///   - hasSM3: under the contract `contractSM3`, which the script has to name.
    init(_ steps: [Step] = Sample.script(), specification: [UInt8] = Sample.training, retention: Retention = .all, lost: Set<Int> = [],
         job: JobIdentifier? = nil, hasSM3: Bool = false) throws {
        folder = try Folder()
        guard let job = job ?? JobIdentifier(octets: SystemRandom.bytes(16)) else { preconditionFailure("16 bytes") }
        self.job = job
        recordBytes = FrameRecord.byteCount(withSM3: hasSM3)
        var writing = try Writing(folder: folder, job: job, specification: specification, retention: retention, hasSM3: hasSM3)
        for (index, step) in steps.enumerated() { try writing.write(step, isLost: lost.contains(index)) }
        try writing.keepAccounts()
        for role in [Role.bank, .platform, .arbiter] { _ = try PayloadRetention.apply(path(role)) }
    }

    private struct Line: Hashable {
        let from: Role
        let to: Role
    }

    private struct Writing {
        let job: JobIdentifier
        var writers: [Line: LedgerWriter] = [:]
        var sequences: [Line: UInt64] = [:]
        var signed: [Role: UInt64] = [:]
        var flows: [Line: ByteAccount.Flow] = [:]

        init(folder: Folder, job: JobIdentifier, specification: [UInt8], retention: Retention, hasSM3: Bool) throws {
            self.job = job
            let contract = hasSM3 ? contractSM3 : contract
            for own in [Role.bank, .platform, .arbiter] {
                let manifest = LedgerManifest(job: job, attempt: 1, node: names[own] ?? "", role: own, contract: contract,
                                              specification: specification, retention: retention, hasSM3: hasSM3)
                for peer in [Role.bank, .platform, .arbiter] where peer != own {
                    writers[Line(from: own, to: peer)] = try LedgerWriter(
                        directory: folder.url.appending(path: own.rawValue), manifest: manifest, contract: contract, specification: specification,
                        peer: names[peer] ?? "")
                    // Lines to the arbiter have carried a registration before the job.
                    if own == .arbiter || peer == .arbiter { sequences[Line(from: own, to: peer)] = 1 }
                }
            }
        }

        mutating func write(_ step: Step, isLost: Bool) throws {
            switch step {
            case .frame(let from, let to, let message, let phase):
                try send(message.kind, message.encodePayload(), phase, from, to, isLost)
            case .raw(let from, let to, let kind, let payload, let phase):
                try send(kind, payload, phase, from, to, isLost)
            case .checkpoint(let phase, let round):
                try checkpoint(phase, round, isForked: false)
            case .forkedCheckpoint(let phase, let round):
                try checkpoint(phase, round, isForked: true)
            }
        }

        private mutating func send(_ kind: MessageKind, _ payload: [UInt8], _ phase: Phase, _ from: Role, _ to: Role, _ isLost: Bool = false) throws {
            let line = Line(from: from, to: to)
            let frame = Frame(kind: kind, phase: phase, job: job, attempt: 1, sequence: sequences[line, default: 0],
                              salt: SystemRandom.bytes(Frame.saltBytes), payload: payload)
            sequences[line, default: 0] += 1
            count(frame.byteCount, line, isHead: false)
            try writers[line]?.append(frame, .sent)
            if !isLost { try writers[Line(from: to, to: from)]?.append(frame, .received) }
        }

        private mutating func count(_ bytes: Int, _ line: Line, isHead: Bool) {
            var flow = flows[line] ?? ByteAccount.Flow(opening_bytes: line.from == .bank ? 1871 : 2304)
            let records = UInt64((bytes + 16383) / 16384)
            flow.frames += 1
            flow.frame_bytes += UInt64(bytes)
            if isHead {
                flow.head_frames += 1
                flow.head_bytes += UInt64(bytes)
            }
            flow.tls_records += records
            flow.socket_bytes += UInt64(bytes) + 22 * records
            flows[line] = flow
        }

        /// The bank says farewell on the line; the platform's comes too late to be seen.
        func keepAccounts() throws {
            let (toPlatform, toBank) = (Line(from: .bank, to: .platform), Line(from: .platform, to: .bank))
            guard var forth = flows[toPlatform], var back = flows[toBank] else { return }
            forth.tls_records += 1
            forth.socket_bytes += 24
            try writers[toPlatform]?.keep(ByteAccount(sent: forth, received: back))
            back.tls_records += 1
            back.socket_bytes += 24
            try writers[toBank]?.keep(ByteAccount(sent: back, received: forth))
        }

        private mutating func checkpoint(_ phase: Phase, _ round: UInt32, isForked: Bool) throws {
            guard let ofBank = writers[Line(from: .bank, to: .platform)], let ofPlatform = writers[Line(from: .platform, to: .bank)] else { return }
            let fromBank = ofBank.head(.sent)
            let fromPlatform = ofBank.head(.received)
            for (writer, own) in [(ofBank, Role.bank), (ofPlatform, .platform)] {
                let line = Line(from: own, to: own == .bank ? .platform : .bank)
                sequences[line, default: 0] += 1
                count(Frame.headerBytes + 210, line, isHead: true)
                let (sent, received) = (writer.head(.sent), writer.head(.received))
                let shown = isForked && own == .bank
                    ? Head(job: job, attempt: 1, sender: sent.sender, receiver: sent.receiver, size: sent.size, root: SystemRandom.bytes(32)) : sent
                let submission = HeadSubmission.filled {
                    $0.heads = .filled {
                        $0.round = round
                        $0.sentSize = shown.size
                        $0.sentRoot = shown.root.data
                        $0.sentSignature = (keys[own]?.signature(for: shown.text) ?? []).data
                        $0.receivedSize = received.size
                        $0.receivedRoot = received.root.data
                        $0.receivedSignature = (keys[own]?.signature(for: received.text) ?? []).data
                    }
                    $0.sentProof = (writer.consistencyProof(.sent, from: signed[own, default: 0], to: sent.size) ?? []).flatMap(\.self).data
                }
                try send(.headSubmission, Message.headSubmission(submission).encodePayload(), phase, own, .arbiter)
            }
            for own in [Role.bank, .platform] {
                let heads = own == .bank ? [fromBank, fromPlatform] : [fromPlatform, fromBank]
                let signatures = heads.map { keys[.arbiter]?.signature(for: $0.text) ?? [] }
                try send(.headSignatures, Message.headSignatures(.filled {
                    $0.round = round
                    $0.sentSignature = signatures[0].data
                    $0.receivedSignature = signatures[1].data
                }).encodePayload(), phase, .arbiter, own)
            }
            try ofBank.keep(Sample.note(fromBank), .sent)
            try ofBank.keep(Sample.note(fromPlatform), .received)
            try ofPlatform.keep(Sample.note(ofPlatform.head(.sent)), .sent)
            try ofPlatform.keep(Sample.note(ofPlatform.head(.received)), .received)
            signed = [.bank: fromBank.size, .platform: fromPlatform.size]
        }
    }

    /// Signed by all three.
    static func note(_ head: Head, by roles: [Role] = [.bank, .platform, .arbiter]) -> SignedNote {
        var note = SignedNote(text: head.text)
        for role in roles {
            if let key = keys[role], let name = names[role] { note.sign(as: name, with: key) }
        }
        return note
    }
}
