import Faults
import Ledger
import Wire

/// Holds what a node counted on the socket of its line to the other party against the frames of its ledger.
///
/// Source: `Protocols/ledger.md`, "Bytes on the socket".
enum ByteChecks {
    /// - Parameter isCompleted: the job ended well, so that the line was closed between frames and has been counted to its end.
    static func check(_ ledger: AuditedLedger, isCompleted: Bool, _ report: inout AuditReport) {
        guard let line = ledger.dataLine else { return }
        let place = Place(ledger: ledger.manifest.node, line: line.peer.name, file: LedgerFile.bytes(line.peer.name))
        guard let stored = ledger.directory.bytes[line.peer.name] else {
            if isCompleted { report.add(.bytes, at: place, en: "is missing", zh: "缺失") }
            return
        }
        guard let account = ByteAccount(decoding: stored) else {
            report.add(.bytes, at: place, en: "is no account of bytes in canonical form", zh: "不是规范形式的字节计数")
            return
        }
        for (flow, counted) in [(line.sent, account.sent), (line.received, account.received)] {
            if isCompleted { check(flow, counted, &report) }
            report.state(
                en: "line to \(line.peer.name), \(flow.direction.name.en): \(counted.socket_bytes) bytes on the socket in \(counted.tls_records) TLS records, "
                    + "\(counted.frame_bytes) of frames; before them \(counted.opening_bytes) of handshake and welcome"
                    + (counted.isCut ? "; \(counted.connections ?? 1) connections, for it was cut" : ""),
                zh: "与 \(line.peer.name) 的线路，\(flow.direction.name.zh)：套接字 \(counted.socket_bytes) 字节，\(counted.tls_records) 条 TLS 记录，"
                    + "其中帧 \(counted.frame_bytes) 字节；此前握手与应答 \(counted.opening_bytes) 字节"
                    + (counted.isCut ? "；线路曾中断，共 \(counted.connections ?? 1) 条连接" : ""))
        }
    }

    private static func check(_ flow: AuditedFlow, _ counted: ByteAccount.Flow, _ report: inout AuditReport) {
        var place = flow.place
        place.file = LedgerFile.bytes(flow.place.line ?? "")
        func add(_ en: String, _ zh: String) { report.add(.bytes, at: place, en: en, zh: zh) }
        let records = flow.records.compactMap { $0 }
        let recorded = records.reduce(UInt64(0)) { sum, record in
            sum + UInt64(Frame.headerBytes) + min(record.length, UInt64(record.kind.row.maximumPayloadBytes))
        }
        let last = records.last.map { $0.sequence &+ 1 } ?? 0
        if counted.frames != UInt64(records.count) + counted.head_frames || counted.frames != last {
            add("counts \(counted.frames) frames, \(counted.head_frames) of them heads; the records give \(records.count) and end with number \(last)",
                "计数 \(counted.frames) 帧，其中树头 \(counted.head_frames) 帧；账本有 \(records.count) 条记录，末尾序号应至 \(last)")
        }
        let mostHeadBytes = UInt64(Frame.headerBytes + MessageKind.ledgerHeads.row.maximumPayloadBytes)
        if (counted.head_bytes + mostHeadBytes - 1) / mostHeadBytes > counted.head_frames
            || counted.frame_bytes < counted.head_bytes || counted.frame_bytes - counted.head_bytes != recorded {
            add("counts \(counted.frame_bytes) bytes of frames, \(counted.head_bytes) of them of heads; the records give \(recorded) without heads",
                "计数帧 \(counted.frame_bytes) 字节，其中树头 \(counted.head_bytes) 字节；账本记录（不含树头）为 \(recorded) 字节")
        }
        let surplus = counted.surplusBytes
        // Of a connection that was cut the last record may have come in part, and what was on its way has crossed twice.
        let isAccounted = counted.isCut ? counted.couldBeCut : surplus == 0 || surplus == ByteAccount.Flow.farewellBytes
        if !isAccounted {
            add("\(counted.socket_bytes) bytes on the socket are not \(counted.plaintextBytes) of frames and acknowledgements and 22 for each of \(counted.tls_records) TLS records",
                "套接字 \(counted.socket_bytes) 字节不等于帧与确认 \(counted.plaintextBytes) 字节加 \(counted.tls_records) 条 TLS 记录各 22 字节")
        }
        if counted.tls_records < counted.plaintextBytes / ByteAccount.Flow.mostPlaintextBytes {
            add("\(counted.tls_records) TLS records cannot hold \(counted.frame_bytes) bytes", "\(counted.tls_records) 条 TLS 记录容纳不下 \(counted.frame_bytes) 字节")
        }
    }

    /// Both ends count one stream: what one sent, the other received, but for the farewell.
    static func compare(_ first: AuditedLedger, _ second: AuditedLedger, _ report: inout AuditReport) {
        let (a, b) = (first.account(of: second.manifest.node), second.account(of: first.manifest.node))
        guard let a, let b else { return }
        for (own, other, direction) in [(a.sent, b.received, Direction.sent), (a.received, b.sent, .received)]
            where own.isCut || other.isCut ? own.frameCounts != other.frameCounts : own.withoutFarewell != other.withoutFarewell {
            report.add(.bytes, at: Place(ledger: first.manifest.node, line: second.manifest.node, direction: direction),
                       en: "\(own.socket_bytes) bytes were counted on the socket here, \(other.socket_bytes) at the other end, or other frames",
                       zh: "此处套接字计 \(own.socket_bytes) 字节，另一端计 \(other.socket_bytes) 字节，或帧数不一致")
        }
    }
}

extension AuditedLedger {
    package func account(of peer: String) -> ByteAccount? { directory.bytes[peer].flatMap { ByteAccount(decoding: $0) } }
}
