import Faults
import Foundation
import Installation
import Jobs
import Transport
import Wire

extension NodeInstallation {
    /// The line between bank and platform for one attempt: the bank dials; the platform waits for the bank that the job names.
    func peerLine(to peer: String, for id: JobIdentifier, _ attempt: UInt32, role: Role, _ log: NodeLog) throws(Fault) -> ResumableConnection {
        let deadline = contract.limits.deadlineSeconds
        let tell = { @Sendable (line: ResumableConnection.State) in
            guard line.isCut else { return log.info(en: "the line to \(peer) is back", zh: "与 \(peer) 的线路已恢复") }
            let end = Date(timeIntervalSince1970: Double(line.sinceUnixSeconds + deadline)).formatted(.iso8601)
            log.info(en: "the line to \(peer) was cut and is being taken up again; this attempt ends at \(end) if it does not come back",
                     zh: "与 \(peer) 的线路已中断，正在重新接通；若未能恢复，本次尝试将于 \(end) 终止")
        }
        guard role == .bank else { return ResumableConnection(job: id, attempt: attempt, peerName: peer, dial: nil, onChange: tell) }
        let platform = try contract.party(peer, in: .platform, at: "/parties/platform")
        guard let address = platform.address?.description else { throw Fault(.defect, at: "contract") }
        let identity = identity
        let dial = { @Sendable () async throws(Fault) in
            try await Transport.connect(to: address, identity: identity, pins: platform.presentPins, name: platform.name, timeoutSeconds: 15)
        }
        return ResumableConnection(job: id, attempt: attempt, peerName: peer, dial: dial, onChange: tell)
    }
}
