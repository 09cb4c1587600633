import Faults
import Foundation
import Installation
import Jobs
import Primitives
import Transport
import Wire

/// Looks at everything that a node needs, step by step, and says which step fails and what to do. Changes nothing.
package struct Doctor: Sendable {
    package struct Step: Sendable {
        package enum Outcome: String, Sendable { case ok, failed, skipped }

        package let name: Phrase
        package let outcome: Outcome
        package let detail: Phrase
        /// The remedy of what failed.
        package var hint: Phrase?
    }

    package private(set) var steps: [Step] = []
    private let role: Role

    private init(_ role: Role) { self.role = role }

    package static func examine(_ configurationFile: String, role: Role) async -> [Step] {
        var doctor = Doctor(role)
        await doctor.examine(configurationFile)
        return doctor.steps
    }

    private mutating func examine(_ file: String) async {
        guard let contractRole = Contract.Role(rawValue: role.rawValue),
              let configuration = trying(Phrase(en: "configuration", zh: "配置"), { () throws in
                  let directory = URL(fileURLWithPath: file).deletingLastPathComponent().path
                  return try NodeConfiguration.parse(try Installation.read(file), directory: directory, role: contractRole)
              }, { Phrase(en: "node \($0.name)", zh: "节点 \($0.name)") })
        else { return }
        for (key, path) in [("private_key", configuration.privateKey), ("ledger_key", configuration.ledgerKey)] {
            trying(Phrase(en: "mode of \(key)", zh: "\(key) 的文件权限"), { () throws in
                let attributes = try? FileManager.default.attributesOfItem(atPath: path)
                guard let mode = attributes?[.posixPermissions] as? NSNumber else { throw Fault(.unreadableFile, at: path) }
                guard mode.intValue & 0o077 == 0 else { throw Fault(.secretFileMode, at: path) }
            })
        }
        let role = role
        let authority = certificate(Phrase(en: "certificate of the authority", zh: "机构证书"), configuration.authority, issuer: nil)
        certificate(Phrase(en: "own certificate", zh: "本方证书"), configuration.certificate, issuer: authority)
        let name = Phrase(en: "contract and own keys in it", zh: "合作契约及其中的本方密钥")
        let installation = trying(name, { () throws in try Installation.node(file, role: role) }, { Phrase(en: "contract \($0.contract.name)", zh: "契约 \($0.contract.name)") })
        let isRunning = machine(configuration)
        for (name, dataset) in configuration.datasets.sorted(by: { $0.key < $1.key }) {
            trying(Phrase(en: "data set \(name)", zh: "数据集 \(name)"), { () throws in
                guard FileManager.default.isReadableFile(atPath: dataset.path) else { throw Fault(.unreadableFile, at: dataset.path) }
            })
        }
        guard let installation else { return }
        history(installation)
        await listening(installation, isRunning)
        await peers(installation, isRunning)
    }

    /// A node does not start under a contract that not all have agreed to.
    private mutating func history(_ installation: NodeInstallation) {
        trying(Phrase(en: "contract's history", zh: "契约沿革"), { () throws in
            try JobFiles(installation.configuration.dataDirectory).history(installation)
        }, { history in
            switch history {
            case .unserved: Phrase(en: "the data directory has not been served yet", zh: "数据目录尚未使用过")
            case .held: Phrase(en: "the one under which the data directory was served last", zh: "与数据目录上次使用的契约相同")
            case .amended: Phrase(en: "amends the one served last; all parties have signed", zh: "是上次所用契约的修订，各方均已签署")
            }
        })
    }

    // This machine

    /// - Returns: whether a node runs on the data directory.
    private mutating func machine(_ configuration: NodeConfiguration) -> Bool {
        let isPlausible = Date() > Date(timeIntervalSince1970: 1_735_689_600)
        add(Phrase(en: "clock", zh: "时钟"), isPlausible, Phrase(en: Date().formatted(.iso8601), zh: Date().formatted(.iso8601)),
            hint: Phrase(en: "set the clock of this machine; certificates are judged by it", zh: "请校正本机时钟：证书有效期以其为准"))
        // Gives nothing until the system's generator has been seeded.
        var byte: UInt8 = 0
        let source = open("/dev/random", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { if source >= 0 { close(source) } }
        add(Phrase(en: "entropy", zh: "随机源"), source >= 0 && read(source, &byte, 1) == 1, Phrase(en: "the system's generator", zh: "系统随机数发生器"),
            hint: Phrase(en: "the system's random generator is not ready yet; try again later", zh: "系统随机数发生器尚未就绪，请稍后再试"))
        processor()
        trying(Phrase(en: "arithmetic", zh: "运算内核"), { () throws in try KernelChoice.require() }, { $0 })
        var isRunning = false
        let files = trying(Phrase(en: "data directory", zh: "数据目录"), { () throws in
            let files = try JobFiles(configuration.dataDirectory)
            do throws(Fault) {
                _ = try DirectoryLock(files.directory)
            } catch {
                guard error.code == .directoryInUse else { throw error }
                isRunning = true
            }
            return files
        }, { _ in isRunning ? Phrase(en: "a node runs on it", zh: "有节点正在运行") : Phrase(en: "writable; no node runs on it", zh: "可写；没有节点在运行") })
        if files != nil {
            let free = Disk.freeBytes(at: configuration.dataDirectory) ?? 0
            add(Phrase(en: "disk", zh: "磁盘"), free >= 1 << 30, Phrase(en: "\(free >> 20) MiB free", zh: "剩余 \(free >> 20) MiB"),
                hint: Phrase(en: "free some space: ledgers of a job take some hundred MB", zh: "请释放空间：单个任务的账本可达数百 MB"))
        }
        return isRunning
    }

    /// What is missing makes the arithmetic slower, no more.
    private mutating func processor() {
        let text = FileHandle(forReadingAtPath: "/proc/cpuinfo").flatMap { try? $0.read(upToCount: 1 << 16) } ?? Data()
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("flags") }
        let flags = line?.split(separator: " ").map(String.init) ?? []
        let wanted = [("avx512ifma", "AVX-512 IFMA"), ("adx", "ADX"), ("bmi2", "BMI2"), ("sha_ni", "SHA")]
        let name = Phrase(en: "processor", zh: "处理器")
        guard !flags.isEmpty else {
            return steps.append(Step(name: name, outcome: .skipped,
                                     detail: Phrase(en: "its features are not to be read here", zh: "无法读取其特性")))
        }
        let missing = wanted.filter { !flags.contains($0.0) }.map(\.1).joined(separator: ", ")
        add(name, true, missing.isEmpty ? Phrase(en: "has AVX-512 IFMA, ADX, BMI2, SHA", zh: "具备 AVX-512 IFMA、ADX、BMI2、SHA")
            : Phrase(en: "without \(missing): slower, still right", zh: "缺少 \(missing)：速度较慢，结果不受影响"), hint: nil)
    }

    @discardableResult
    private mutating func certificate(_ name: Phrase, _ path: String, issuer: Certificate?) -> Certificate? {
        trying(name, { () throws in
            let text = String(decoding: try Installation.read(path), as: UTF8.self)
            guard let certificate = try? Certificate(pem: text) else { throw Fault(.unreadableFile, at: path) }
            try certificate.requireTimely(at: path)
            if let issuer, !certificate.isSigned(by: issuer) { throw Fault(.certificateRefused, at: path) }
            return certificate
        }, { certificate in
            let (from, until) = (certificate.validFrom, certificate.validUntil)
            func day(_ date: Date) -> String { date.formatted(.iso8601.year().month().day()) }
            let days = Int(until.timeIntervalSinceNow / 86_400)
            return Phrase(en: "valid from \(day(from)) to \(day(until)), \(days) days left", zh: "有效期 \(day(from)) 至 \(day(until))，剩余 \(days) 天")
        })
    }

    // Lines

    private mutating func listening(_ node: NodeInstallation, _ isRunning: Bool) async {
        guard let address = node.configuration.listen?.description else { return }
        let name = Phrase(en: "listening at \(address)", zh: "监听 \(address)")
        guard !isRunning else {
            return steps.append(Step(name: name, outcome: .skipped, detail: Phrase(en: "the running node holds it", zh: "由运行中的节点占用")))
        }
        do throws(Fault) {
            let listener = try await Transport.listen(at: address, identity: node.identity, peer: { _ in nil }, maximumConnections: 1) { _ in }
            await listener.close()
            add(name, true, Phrase(en: "free", zh: "可用"), hint: nil)
        } catch {
            add(name, error)
        }
    }

    private mutating func peers(_ node: NodeInstallation, _ isRunning: Bool) async {
        guard role != .arbiter else {
            return steps.append(Step(name: Phrase(en: "peers", zh: "对端"), outcome: .skipped,
                                     detail: Phrase(en: "an arbiter dials nobody: run doctor at the other nodes", zh: "仲裁方不主动连接：请在其他节点运行 doctor")))
        }
        await peer(node.contract.arbiter, node, isRunning)
        if role == .bank {
            for platform in node.contract.parties where platform.role == .platform { await peer(platform, node, isRunning) }
        }
    }

    private mutating func peer(_ party: Contract.Party, _ node: NodeInstallation, _ isRunning: Bool) async {
        func step(_ en: String, _ zh: String) -> Phrase { Phrase(en: "\(party.name): \(en)", zh: "\(party.name)：\(zh)") }
        let stages = [step("name", "域名解析"), step("TCP", "TCP"), step("TLS and certificate", "TLS 与证书"), step("pin", "固定密钥"), step("version and contract", "版本与契约")]
        /// What comes after a failure cannot be looked at.
        func skip(_ doctor: inout Doctor, from index: Int, _ detail: Phrase) {
            for stage in stages.dropFirst(index) { doctor.steps.append(Step(name: stage, outcome: .skipped, detail: detail)) }
        }
        let blocked = Phrase(en: "an earlier step failed", zh: "前面的步骤未通过")
        guard let address = party.address?.description, let (host, port) = Transport.split(address) else { return }
        let numbers = Doctor.resolve(host, port)
        add(stages[0], numbers != nil, Phrase(en: numbers?.text ?? host, zh: numbers?.text ?? host),
            hint: Phrase(en: "correct the address in contract.json, or the name service of this machine", zh: "请更正 contract.json 中的地址，或检查本机域名解析"))
        guard let numbers else { return skip(&self, from: 1, blocked) }
        let answers = await Doctor.answers(numbers)
        add(stages[1], answers, Phrase(en: address, zh: address), hint: Fault(.peerUnreachable, at: party.name, address).hint)
        guard answers else { return skip(&self, from: 2, blocked) }
        // Whoever dials the arbiter in a node's name ends that node's own line.
        if party.role == .arbiter, isRunning {
            let answer = try? ControlSocket.ask(.jobs, dataDirectory: node.configuration.dataDirectory)
            skip(&self, from: 2, Phrase(en: "the running node holds this line", zh: "该线路由运行中的节点占用"))
            return add(step("registration of the running node", "运行中节点的登记"), answer?["registered"] == .bool(true),
                       Phrase(en: "asked the running node", zh: "已询问运行中的节点"),
                       hint: Phrase(en: "see the node's log for the reason", zh: "原因见该节点的日志"))
        }
        do throws(Fault) {
            let connection = try await Transport.connect(
                to: address, identity: node.identity, pins: party.presentPins, name: party.name, timeoutSeconds: 10)
            add(stages[2], true, Phrase(en: "TLS 1.3, accepted by both ends", zh: "TLS 1.3，双方均已接受"), hint: nil)
            add(stages[3], true, Phrase(en: "as in the contract", zh: "与契约一致"), hint: nil)
            if party.role == .arbiter {
                await registration(stages[4], connection, party, node)
            } else {
                skip(&self, from: 4, Phrase(en: "compared at the start of each job", zh: "每个任务开始时比对"))
            }
            await connection.close()
        } catch {
            let isPin = error.code == .pinMismatch
            if isPin { add(stages[2], true, Phrase(en: "TLS 1.3", zh: "TLS 1.3"), hint: nil) }
            add(stages[isPin ? 3 : 2], error)
            skip(&self, from: isPin ? 4 : 3, blocked)
        }
    }

    private mutating func registration(_ name: Phrase, _ connection: Connection, _ party: Contract.Party, _ node: NodeInstallation) async {
        let line = Line(connection, ownRole: role, peerRole: .arbiter, peerName: party.name, ledgers: nil)
        do throws(Fault) {
            try await line.register(node.contractDigest)
            let version = ProtocolVersion.current
            add(name, true, Phrase(en: "version \(version), the same contract", zh: "版本 \(version)，契约相同"), hint: nil)
        } catch {
            add(name, error)
        }
    }

    private struct Address: Sendable {
        let family: Int32
        let bytes: [UInt8]
        let text: String
    }

    private static func resolve(_ host: String, _ port: Int) -> Address? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0, let first = list else { return nil }
        defer { freeaddrinfo(list) }
        guard let address = first.pointee.ai_addr else { return nil }
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(address, first.pointee.ai_addrlen, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let bytes = [UInt8](UnsafeRawBufferPointer(start: address, count: Int(first.pointee.ai_addrlen)))
        return Address(family: first.pointee.ai_family, bytes: bytes, text: text)
    }

    private static func answers(_ address: Address) async -> Bool {
        let result: Result<Bool, Fault> = await Result.of { () throws(Fault) in
            let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { return false }
            defer { close(descriptor) }
            var patience = timeval(tv_sec: 5, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            return address.bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.map { connect(descriptor, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) == 0 } ?? false
            }
        }
        return (try? result.get()) ?? false
    }

    // Keeping

    private mutating func add(_ name: Phrase, _ holds: Bool, _ detail: Phrase, hint: Phrase?) {
        steps.append(Step(name: name, outcome: holds ? .ok : .failed, detail: detail, hint: holds ? nil : hint))
    }

    private mutating func add(_ name: Phrase, _ fault: Fault) {
        steps.append(Step(name: name, outcome: .failed, detail: fault.message, hint: fault.hint))
    }

    @discardableResult
    private mutating func trying<Value>(_ name: Phrase, _ body: () throws -> Value,
                                        _ detail: (Value) -> Phrase = { _ in Phrase(en: "", zh: "") }) -> Value? {
        do {
            let value = try body()
            add(name, true, detail(value), hint: nil)
            return value
        } catch {
            let faults = (error as? FaultList)?.faults ?? [error as? Fault ?? Fault(.defect, at: "doctor")]
            for fault in faults { add(name, fault) }
            return nil
        }
    }
}

extension Result where Failure == Fault, Success: Sendable {
    /// Away from the threads that serve lines, for it may block.
    fileprivate static func of(_ work: @escaping @Sendable () throws(Fault) -> Success) async -> Result {
        do throws(Fault) {
            return .success(try await compute(work))
        } catch {
            return .failure(error)
        }
    }
}
