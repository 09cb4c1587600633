import Faults
import Foundation
import Installation
import Jobs
import Ledger
import Primitives
import Roles
import Wire

/// Secrets of a node's jobs, sealed so that the owner and this institution's auditor open them together, each purpose in a
/// file of its own so that it can be destroyed alone. Source: Protocols/ledger.md, "Replay".
///
///     secrets/JOB/inputs.json   secrets/JOB/PURPOSE.sealed   secrets/JOB/PURPOSE.destroyed
package struct SecretVault: Sendable {
    private let directory: URL

    /// What a job was computed from, besides its frames.
    package struct Inputs: Sendable, Hashable {
        /// By the name that the specification uses.
        package let dataset: String
        /// SHA-256 of the files.
        package let dataDigest: [UInt8]
        package let modelDigest: [UInt8]?
        /// Of the subjects that the bank's part was restricted to.
        package let withinDigest: [UInt8]?
        /// Lines of the list of authorisations that was asked, and for which day.
        package let authorised: Authorised?
        /// Those under which it ran: the contract's, as the node's policy of that day tightened them.
        package let limits: Limits

        package struct Limits: Sendable, Hashable {
            package let minimumIntersection: Int
            package let maximumRounds: Int
            /// Decimal.
            package let exposurePercent: String?

            package init(_ limits: Contract.Limits) {
                minimumIntersection = limits.minimumIntersection
                maximumRounds = limits.maximumRounds
                exposurePercent = limits.exposurePercent.map { "\($0)" }
            }

            fileprivate init?(_ value: JSONValue?) {
                guard let least = value?["minimum_intersection"]?.integer, let most = value?["maximum_rounds"]?.integer else { return nil }
                (minimumIntersection, maximumRounds, exposurePercent) = (least, most, value?["exposure_percent"]?.string)
            }

            fileprivate var json: JSONValue {
                var members: [String: JSONValue] = ["minimum_intersection": .integer(minimumIntersection), "maximum_rounds": .integer(maximumRounds)]
                if let exposurePercent { members["exposure_percent"] = .text(exposurePercent) }
                return .object(members)
            }

            /// The contract's, with these in their place.
            package func of(_ contract: Contract.Limits) -> Contract.Limits {
                var limits = contract
                limits.minimumIntersection = minimumIntersection
                limits.maximumRounds = maximumRounds
                limits.exposurePercent = exposurePercent.flatMap(Double.init)
                return limits
            }
        }

        package struct Authorised: Sendable, Hashable {
            package let lines: Int
            package let day: Day
            package let followsStricter: Bool
        }

        package init(dataset: String, dataDigest: [UInt8], modelDigest: [UInt8]?, withinDigest: [UInt8]? = nil, limits: Limits,
                     authorised: Authorised? = nil) {
            self.authorised = authorised
            self.limits = limits
            self.dataset = dataset
            self.dataDigest = dataDigest
            self.modelDigest = modelDigest
            self.withinDigest = withinDigest
        }
    }

    /// What has become of a job's secrets.
    package struct Opened: Sendable {
        /// As far as they have not been destroyed.
        package let secrets: [Purpose: SecretBytes]
        package let destroyed: [Receipt]
    }

    /// Says that one secret of one job is gone: signed with the node's ledger key over the canonical JSON of its other members.
    package struct Receipt: Sendable, Hashable {
        package let purpose: Purpose
        /// RFC 3339, UTC.
        package let at: String
        package let by: String
        package let isSigned: Bool
    }

    /// - Parameter directory: the node's data directory.
    package init(_ directory: URL) {
        self.directory = directory.appendingPathComponent("secrets", isDirectory: true)
    }

    private func folder(_ job: JobIdentifier) -> URL { directory.appendingPathComponent("\(job)", isDirectory: true) }

    private func file(_ purpose: Purpose, _ suffix: String, _ job: JobIdentifier) -> URL {
        folder(job).appendingPathComponent("\(purpose.rawValue).\(suffix)")
    }

    // Sealing

    /// Every secret is split in two, each half as random as the secret, and each half encrypted to one of the keys. All files
    /// are on the disk when this returns, or none.
    ///
    /// - Throws: `unwritable`.
    package func seal(_ secrets: JobSecrets, of job: SealedJob, inputs: Inputs, to keys: NodeConfiguration.SealKeys) throws(Fault) {
        let aside = directory.appendingPathComponent(".\(job.job).partial", isDirectory: true)
        let files = FileManager.default
        do {
            try? files.removeItem(at: aside)
            try files.createDirectory(at: aside, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            var document: [String: JSONValue] = [
                "version": .integer(1), "dataset": .text(inputs.dataset), "data_digest": .text(inputs.dataDigest.hexadecimal),
                "limits": inputs.limits.json,
            ]
            if let digest = inputs.modelDigest { document["model_digest"] = .text(digest.hexadecimal) }
            if let digest = inputs.withinDigest { document["within_digest"] = .text(digest.hexadecimal) }
            if let authorised = inputs.authorised {
                document["authorisations"] = .object([
                    "lines": .integer(authorised.lines), "day": .text("\(authorised.day)"), "stricter_list": .bool(authorised.followsStricter),
                ])
            }
            try Self.write(.object(document), to: aside.appendingPathComponent("inputs.json"))
            for purpose in Purpose.allCases {
                let secret = secrets.secret(purpose)
                let mine = SystemRandom.secret(32)
                var members: [String: JSONValue] = [
                    "version": .integer(1), "job": .text("\(job.job)"), "attempt": .integer(job.attempt), "role": .text(job.role.rawValue),
                    "purpose": .text(purpose.rawValue),
                ]
                for (holder, key, share) in [(Holder.owner, keys.owner, mine), (.auditor, keys.auditor, secret.combined(with: mine))] {
                    let sealed = try HybridEncryption.seal(share, to: key, info: holder.info(job, purpose))
                    members[holder.rawValue] = .object(["key": .text(base64(key)), "share": .text(base64(sealed))])
                }
                try Self.write(.object(members), to: aside.appendingPathComponent("\(purpose.rawValue).sealed"))
            }
            try PrivateFile.synchronize(folder: aside.path)
            try files.moveItem(at: aside, to: folder(job.job))
            try PrivateFile.synchronize(folder: directory.path)
        } catch {
            try? files.removeItem(at: aside)
            throw Fault(.unwritable, at: directory.path)
        }
    }

    /// Holders of the two keys.
    package enum Holder: String, Sendable, CaseIterable {
        case owner, auditor

        fileprivate func info(_ job: SealedJob, _ purpose: Purpose) -> [UInt8] {
            Array("JointLab seal 1 \(job.job) \(job.attempt) \(job.role.rawValue) \(purpose.rawValue) \(rawValue)".utf8)
        }

        package var name: Phrase { self == .owner ? Phrase(en: "owner", zh: "数据所有方") : Phrase(en: "auditor", zh: "审计员") }
    }

    // Opening

    /// Nothing where the job's secrets were never sealed here.
    package func inputs(_ job: JobIdentifier) -> Inputs? {
        guard let document = Self.document(folder(job).appendingPathComponent("inputs.json")), let dataset = document["dataset"]?.string,
              let dataDigest = document["data_digest"]?.string.flatMap(digest), let limits = Inputs.Limits(document["limits"])
        else { return nil }
        let list = document["authorisations"]
        var authorised: Inputs.Authorised?
        if let lines = list?["lines"]?.integer, let day = list?["day"]?.string.flatMap({ Day($0) }) {
            authorised = Inputs.Authorised(lines: lines, day: day, followsStricter: list?["stricter_list"] != .bool(false))
        }
        return Inputs(dataset: dataset, dataDigest: dataDigest, modelDigest: document["model_digest"]?.string.flatMap(digest),
                      withinDigest: document["within_digest"]?.string.flatMap(digest), limits: limits, authorised: authorised)
    }

    /// - Parameters:
    ///   - keys: the private key of each holder, and where it came from.
    ///   - signer: the node's ledger key, for receipts.
    /// - Throws: `notReplayable` for a file that is missing or not of this job; `sealKeyRefused`.
    package func open(_ job: SealedJob, with keys: [Holder: (key: X25519, place: String)], signer: Ed25519.VerifyingKey) throws(Fault) -> Opened {
        var secrets: [Purpose: SecretBytes] = [:]
        var destroyed: [Receipt] = []
        for purpose in Purpose.allCases {
            if let receipt = receipt(purpose, job, signer: signer) {
                destroyed.append(receipt)
                continue
            }
            guard let document = Self.document(file(purpose, "sealed", job.job)), document["purpose"]?.string == purpose.rawValue else {
                throw Fault(.notReplayable, at: "\(job.job)", "\(purpose.rawValue).sealed is missing or broken", "\(purpose.rawValue).sealed 缺失或已损坏")
            }
            var shares: [SecretBytes] = []
            for holder in Holder.allCases {
                guard let (key, place) = keys[holder] else { throw Fault(.defect, at: "SecretVault.open") }
                guard let sealed = document[holder.rawValue]?["share"]?.string.flatMap({ Data(base64Encoded: $0) }),
                      let share = try? HybridEncryption.open(Array(sealed), with: key, info: holder.info(job, purpose)), share.count == 32
                else { throw Fault(.sealKeyRefused, at: place, holder.name.en, holder.name.zh) }
                shares.append(share)
            }
            secrets[purpose] = shares[0].combined(with: shares[1])
        }
        return Opened(secrets: secrets, destroyed: destroyed)
    }

    // Destroying

    /// Overwrites and removes one sealed secret and leaves a receipt. Also to be called when a job's payloads are given up:
    /// without them the secrets serve nobody any more.
    ///
    /// - Throws: `secretDestroyed` where that was done before; `notReplayable` where nothing was sealed; `unwritable`.
    package func destroy(_ purpose: Purpose, of job: SealedJob, commitment: [UInt8], node: String, by account: String,
                         key: Ed25519.SigningKey) throws(Fault) -> Receipt {
        guard inputs(job.job) != nil else { throw Self.notSealed(job.job) }
        if let receipt = receipt(purpose, job, signer: key.verifyingKey) {
            throw Fault(.secretDestroyed, at: "\(job.job)", purpose.rawValue, receipt.at)
        }
        let at = Date().formatted(.iso8601)
        var members: [String: JSONValue] = [
            "version": .integer(1), "job": .text("\(job.job)"), "attempt": .integer(job.attempt), "node": .text(node),
            "role": .text(job.role.rawValue), "purpose": .text(purpose.rawValue), "commitment": .text(commitment.hexadecimal),
            "at": .text(at), "by": .text(account),
        ]
        members["signature"] = .text(base64(key.signature(for: Array(JSONValue.object(members).canonicalText().utf8))))
        do {
            try PrivateFile.destroy(file(purpose, "sealed", job.job).path)
            // A crash before this leaves no receipt: the verb then finds nothing to overwrite and writes it.
            try PrivateFile.synchronize(folder: folder(job.job).path)
            try Self.write(.object(members), to: file(purpose, "destroyed", job.job))
        } catch {
            throw Fault(.unwritable, at: folder(job.job).path)
        }
        return Receipt(purpose: purpose, at: at, by: account, isSigned: true)
    }

    func isSealed(_ purpose: Purpose, of job: JobIdentifier) -> Bool {
        FileManager.default.fileExists(atPath: file(purpose, "sealed", job).path)
    }

    package static func notSealed(_ job: JobIdentifier) -> Fault {
        Fault(.notReplayable, at: "\(job)", "its secrets were not sealed, because node.json had no keys under audit when it ran",
              "其密钥未封存：运行时 node.json 未配置 audit 封存公钥")
    }

    private func receipt(_ purpose: Purpose, _ job: SealedJob, signer: Ed25519.VerifyingKey) -> Receipt? {
        let file = file(purpose, "destroyed", job.job)
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        guard case .object(var members)? = Self.document(file) else { return Receipt(purpose: purpose, at: "?", by: "?", isSigned: false) }
        let signature = members.removeValue(forKey: "signature")?.string.flatMap { Data(base64Encoded: $0) } ?? Data()
        let isOurs = members["job"]?.string == "\(job.job)" && members["purpose"]?.string == purpose.rawValue
        return Receipt(purpose: purpose, at: members["at"]?.string ?? "?", by: members["by"]?.string ?? "?",
                       isSigned: isOurs && signer.accepts(Array(signature), for: Array(JSONValue.object(members).canonicalText().utf8)))
    }

    // Files

    private static func document(_ file: URL) -> JSONValue? {
        (try? Installation.read(file.path)).flatMap { try? JSONValue.parse($0, as: file.lastPathComponent) }
    }

    private static func write(_ document: JSONValue, to file: URL) throws(Fault) {
        try PrivateFile.replace(Array(document.canonicalText().utf8), at: file.path)
    }
}

/// Which attempt of which job sealed secrets belong to.
package struct SealedJob: Sendable, Hashable {
    package let job: JobIdentifier
    package let attempt: UInt32
    package let role: Role

    package init(job: JobIdentifier, attempt: UInt32, role: Role) {
        self.job = job
        self.attempt = attempt
        self.role = role
    }
}

/// SHA-256 of a file as it is now.
package enum FileDigest {
    /// - Parameter place: of the file, for the fault; by default its path.
    /// - Throws: `unreadableFile`.
    package static func of(_ file: URL, at place: String? = nil) throws(Fault) -> [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: file.path) else { throw Fault(.unreadableFile, at: place ?? file.path) }
        defer { try? handle.close() }
        var hash = SHA256()
        do {
            while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty { piece.withUnsafeBytes { hash.update($0) } }
        } catch {
            throw Fault(.unreadableFile, at: place ?? file.path)
        }
        return hash.finalize()
    }
}

extension SecretBytes {
    /// Bit by bit, exclusive or of two of one length.
    fileprivate func combined(with other: SecretBytes) -> SecretBytes {
        withUnsafeBytes { own in
            other.withUnsafeBytes { other in
                SecretBytes(count: own.count) { bytes in
                    for index in bytes.indices { bytes[index] = own[index] ^ other[index] }
                }
            }
        }
    }
}

private func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

private func digest(_ digits: String) -> [UInt8]? { octets(digits).flatMap { $0.count == SHA256.byteCount ? $0 : nil } }
