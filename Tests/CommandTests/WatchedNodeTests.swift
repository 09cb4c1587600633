import Foundation
import Testing

/// What an operator sees of nodes from outside, and what goes to people elsewhere.
@Suite("Watched") struct WatchedNodeTests {
    @Test("metrics, health and JSON lines tell how a job goes; a support bundle holds neither secret nor value")
    func watched() async throws {
        let lab = try await TrialLab()
        var ports: [String: Int] = [:]
        for name in ["arbiter", "platform", "bank"] {
            let port = try TrialLab.freePorts()
            ports[name] = port
            try lab.edit("\(name)/node.json") { node in
                node["monitor"] = "127.0.0.1:\(port)"
                node["log_format"] = "json"
            }
        }
        try await lab.start("arbiter")
        try await lab.start("platform", "bank")
        for (name, port) in ports {
            let health = try Self.get(port, "/healthz")
            #expect(health.hasPrefix("HTTP/1.1 200 ") && health.hasSuffix("\r\n\r\nok\n"), "\(name): \(health)")
        }
        let bank = try #require(ports["bank"])
        #expect(try Self.get(bank, "/state").hasPrefix("HTTP/1.1 404 "))
        #expect(try Self.get(bank, "/metrics", method: "POST").hasPrefix("HTTP/1.1 405 "))
        #expect(try Self.exchange(bank, "no HTTP at all\r\n\r\n").hasPrefix("HTTP/1.1 400 "))

        let job = try await lab.submit(try lab.specification { $0["training"] = ["key_bits": 512, "maximum_rounds": 1] })
        #expect(try await lab.job("watch", job).code == 0)
        for (name, port) in ports {
            #expect(try await eventually { try Self.get(port, "/metrics").contains("\njointlab_jobs_ended_total{outcome=\"completed\"} 1\n") }, "\(name)")
            let text = try Self.get(port, "/metrics")
            for line in ["jointlab_ready 1\n", "jointlab_jobs{state=\"running\"} 0\n", "jointlab_node_info{role=\"\(name)\"", "process_resident_memory_bytes "] {
                #expect(text.contains("\n" + line), "\(name): \(text)")
            }
            let samples = text.components(separatedBy: "\r\n\r\n").last?.split(separator: "\n") ?? []
            let isSample = { (line: Substring) in line.wholeMatch(of: /[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+/) != nil }
            #expect(samples.count > 20 && samples.allSatisfy { $0.hasPrefix("# ") || isSample($0) }, "\(text)")
        }
        for name in ["bank", "platform"] {
            let lines = try lab.log(name).split(separator: "\n").map { try JSONDecoder().decode([String: String].self, from: Data($0.utf8)) }
            #expect(lines.allSatisfy { line in ["time", "level", "node", "message"].allSatisfy { line[$0] != nil } }, "\(name)")
            let phases = Set(lines.filter { $0["job"] == String(job.prefix(8)) }.compactMap { $0["phase"] })
            #expect(phases.isSuperset(of: ["alignment", "training"]), "\(name): \(phases)")
        }

        // A node that has lost its arbiter takes no jobs.
        try await lab.stop("arbiter")
        #expect(try await eventually { try Self.get(bank, "/healthz").hasPrefix("HTTP/1.1 503 ") })

        // What the operator's own programs are called with may be secret.
        try lab.edit("bank/node.json") { $0["storage_key"] = ["command": ["/bin/false", "--token", "hush-hush"]] }
        for name in ["arbiter", "bank", "platform"] {
            let program = name == "arbiter" ? name : "\(name)-node"
            let file = lab.path("\(name)/bundle.json")
            let words = ["support-bundle", "--out", file, "--log", lab.folder.appending(path: "\(name).log").path, "--config", lab.path("\(name)/node.json")]
            let made = try await lab.run(program, words)
            #expect(made.code == 0 && made.output.contains("read it before you send it"), "\(made)")
            let again = try await lab.run(program, words)
            #expect(again.code != 0 && again.pair().error.contains("bundle.json"), "\(again)")
            let bundle = try String(contentsOfFile: file, encoding: .utf8)
            #expect(bundle.contains("\"steps\"") && bundle.contains("\"kernel\"") && !bundle.contains("hush-hush"))
            for key in ["private.key", "ledger.key", "owner-seal.key"] where FileManager.default.fileExists(atPath: lab.path("\(name)/\(key)")) {
                let secret = try Data(contentsOf: URL(filePath: lab.path("\(name)/\(key)")))
                let lines = String(decoding: secret, as: UTF8.self).split(separator: "\n").filter { $0.count > 20 && !$0.hasPrefix("-----") }
                #expect(lines.allSatisfy { !bundle.contains($0) }, "\(name)/\(key)")
                #expect(!bundle.contains(secret.base64EncodedString()) && !bundle.contains(secret.map { String(format: "%02x", $0) }.joined()))
            }
            guard name != "arbiter" else { continue }
            #expect(bundle.contains(job))
            // Every identifier of the data, and every value that is long enough not to be there by chance.
            let data = try String(contentsOf: TrialData.files.get().appending(path: "\(name).csv"), encoding: .utf8)
            let values = data.split(whereSeparator: \.isNewline).dropFirst().flatMap { $0.split(separator: ",").map(String.init) }
            let cells = Set(values.filter { $0.count >= 8 && $0.contains(where: \.isNumber) })
            #expect(cells.count > TrialData.common)
            let told = Set(bundle.split { !$0.isLetter && !$0.isNumber && $0 != "." && $0 != "-" }.map(String.init))
            #expect(cells.isDisjoint(with: told))
        }
        // A misspelt member may be why a bundle is asked for.
        try lab.edit("bank/node.json") { $0["storage_kye"] = ["comand": ["/bin/false", "--token", "hush-hush"]] }
        let misspelt = lab.path("bank/misspelt.json")
        let made = try await lab.run("bank-node", ["support-bundle", "--out", misspelt, "--config", lab.path("bank/node.json")])
        #expect(made.code == 0, "\(made)")
        let bundle = try String(contentsOfFile: misspelt, encoding: .utf8)
        #expect(bundle.contains("comand") && !bundle.contains("hush-hush"))
    }

    @Test("a node's monitor is of its own machine alone")
    func loopback() async throws {
        let lab = try await TrialLab()
        for address in ["0.0.0.0:9464", "192.0.2.1:9464", "127.0.0.1"] {
            try lab.edit("bank/node.json") { $0["monitor"] = address }
            let run = try await lab.run("bank-node", ["serve", "--config", lab.path("bank/node.json")])
            #expect(run.code == 2 && run.pair().error.contains("/monitor"), "\(run)")
        }
    }

    // A browser of a few lines

    private static func get(_ port: Int, _ path: String, method: String = "GET") throws -> String {
        try exchange(port, "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
    }

    /// What comes until the other end closes.
    private static func exchange(_ port: Int, _ request: String) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0 else { throw POSIXError(.ECONNREFUSED) }
        let bytes = Array(request.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { break }
            sent += count
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 { answer += buffer[..<count] }
        return String(decoding: answer, as: UTF8.self)
    }
}
