import Testing

/// The one table of who may know whom. `Package.swift` says the same, or the first test fails; the compiler does not hold a
/// file to it (a module found in the build directory can be imported without being declared), so the second test does.
private let allowed: [String: Set<String>] = {
    let nio: Set = ["NIOCore", "NIOPosix", "NIOTLS", "NIOHTTP1", "NIOSSL"]
    return [
        "CGMP": [], "CLibcrypto": [], "CMalloc": [], "CSQLite": [], "CVectorKernels": [],
        "Faults": [],
        "Scratch": [],
        "Console": ["Faults", "ArgumentParser"],
        "Catalogue": ["Faults"],
        "LinearAlgebra": [],
        "Evaluation": [],
        "BigNumber": ["CGMP", "CVectorKernels"],
        "Primitives": ["CLibcrypto", "CVectorKernels"],
        "Pages": ["Faults"],
        "Wire": ["Faults", "SwiftProtobuf"],
        "Jobs": ["Catalogue", "Faults"],
        "Roles": ["Scratch", "Wire", "Faults", "Jobs", "Primitives"],
        "Paillier": ["BigNumber", "Primitives"],
        "SetIntersection": ["Scratch", "Primitives"],
        "Tables": ["CSQLite", "Faults"],
        "Features": ["Catalogue", "Tables", "Jobs", "Faults"],
        "Synthetic": ["Tables", "Faults"],
        "Ledger": ["Wire", "Primitives"],
        "Reports": ["Evaluation", "Roles", "Pages", "Wire", "Jobs", "Faults"],
        "Audit": ["Ledger", "BigNumber", "Jobs", "Wire", "Faults", "Primitives"],
        "Canary": ["Audit", "Ledger", "Tables", "Wire", "Faults"],
        "Planning": ["Wire", "Jobs", "Faults", "LinearAlgebra"],
        "Training": ["LinearAlgebra"],
        "Exchange": [
            "Scratch", "Roles", "Planning", "BigNumber", "Wire", "Jobs", "Faults", "Primitives", "Paillier", "SetIntersection", "Features", "Tables",
            "Training", "LinearAlgebra",
        ],
        "BankRole": [
            "Roles", "Exchange", "Wire", "Jobs", "Faults", "Primitives", "Paillier", "SetIntersection", "Features", "Tables", "Training",
            "LinearAlgebra", "Evaluation", "Reports",
        ],
        "Authorisation": ["Ledger", "Catalogue", "Tables", "Jobs", "Faults"],
        "PlatformRole": [
            "Authorisation", "Roles", "Exchange", "Wire", "Jobs", "Faults", "Primitives", "Paillier", "SetIntersection", "Features", "Tables", "Training",
            "LinearAlgebra", "Reports",
        ],
        "ArbiterRole": ["Planning", "Wire", "Jobs", "Faults", "LinearAlgebra", "Ledger", "Primitives"],
        "Transport": nio.union(["Wire", "Faults", "Primitives"]),
        "Installation": ["Ledger", "Wire", "Jobs", "Faults", "Primitives", "Transport"],
        "NodeRuntime": ["CMalloc", "Scratch", "Roles", "Planning", "Ledger", "Wire", "Jobs", "Faults", "Primitives", "Transport", "Installation", "Logging"],
        "ArbiterRuntime": [
            "ArbiterRole", "Ledger", "NodeRuntime", "Wire", "Jobs", "Faults", "Primitives", "Transport", "Installation", "Logging",
        ],
        "NodeCommands": [
            "NodeRuntime", "Ledger", "Planning", "Installation", "Console", "Jobs", "Wire", "Faults", "Primitives", "Transport", "ArgumentParser",
            "Logging",
        ],
        "AnalystCommands": [
            "Audit", "Pages", "Catalogue", "Planning", "Ledger", "Installation", "Console", "Jobs", "Wire", "Faults", "Transport", "Primitives", "Synthetic", "ArgumentParser",
        ],
        "OwnerCommands": [
            "Roles", "Authorisation", "Catalogue", "NodeCommands", "NodeRuntime", "Pages", "Features", "Tables", "Canary", "Audit", "Ledger", "Installation", "Console", "Jobs", "Wire",
            "Faults", "Primitives", "ArgumentParser",
        ],
        "arbiter": ["ArbiterRuntime", "NodeCommands", "Console", "Wire", "Faults", "ArgumentParser"],
        "platform-node": ["PlatformRole", "Reports", "Exchange", "Features", "NodeRuntime", "NodeCommands", "OwnerCommands", "Console", "Jobs", "Audit", "Wire", "Faults", "ArgumentParser"],
        "bank-node": ["BankRole", "Reports", "Exchange", "Features", "NodeRuntime", "NodeCommands", "OwnerCommands", "Console", "Jobs", "Audit", "Wire", "Faults", "ArgumentParser"],
        "jointlab": ["AnalystCommands", "Console", "ArgumentParser"],
    ]
}()

/// Parts of the language's own distribution, open to everyone.
private let open: Set = ["Foundation", "FoundationEssentials", "Dispatch", "Synchronization"]

@Suite("Layering") struct LayeringTests {
    @Test("the manifest declares what the table allows, module by module")
    func manifest() {
        #expect(Set(SourceTree.declared.keys) == Set(allowed.keys))
        for (module, names) in allowed {
            #expect(SourceTree.declared[module] == names, "\(module)")
        }
    }

    @Test("no file imports more than its module may")
    func imports() {
        #expect(SourceTree.files.count > 50)
        for file in SourceTree.files {
            let names = Set(file.imports)
            #expect(names.subtracting(open).isSubset(of: allowed[file.module] ?? []), "\(file.path)")
        }
    }

    @Test("every folder of sources is a module of the table, and the other way round")
    func folders() {
        let modules = Set(SourceTree.files.map(\.module)).union(["CGMP", "CLibcrypto", "CMalloc", "CSQLite", "CVectorKernels"])
        #expect(modules == Set(allowed.keys))
    }

    @Test("dependencies have no cycle")
    func acyclic() {
        for (module, names) in allowed {
            for name in names { #expect(!SourceTree.closure(of: name, in: allowed).contains(module), "\(module) and \(name)") }
        }
    }

    @Test("the arbiter can reach no cryptography of the data, no table and no model")
    func arbiter() {
        let reached = SourceTree.closure(of: "arbiter", in: allowed)
        let forbidden: Set = [
            "Paillier", "BigNumber", "CGMP", "SetIntersection", "Tables", "Features", "Training", "Exchange", "BankRole", "PlatformRole",
            "Synthetic", "Reports", "Evaluation", "Canary", "OwnerCommands", "Authorisation",
        ]
        #expect(reached.isDisjoint(with: forbidden))
    }

    @Test("the analyst's tool can reach no cryptography of the data and no model")
    func analyst() {
        let reached = SourceTree.closure(of: "jointlab", in: allowed)
        let forbidden: Set = [
            "Paillier", "SetIntersection", "Features", "Training", "Exchange", "BankRole", "PlatformRole", "ArbiterRole", "NodeRuntime",
            "Canary", "OwnerCommands", "Authorisation",
        ]
        #expect(reached.isDisjoint(with: forbidden))
        // Check characters of generated credit codes, and remainders of recorded ciphertexts by public keys: no more.
        func users(_ module: String) -> [String] { allowed.filter { reached.contains($0.key) && $0.value.contains(module) }.map(\.key) }
        #expect(users("Tables") == ["Synthetic"] && users("BigNumber") == ["Audit"])
    }

    @Test("neither data party's program holds the other's part")
    func parties() {
        #expect(SourceTree.closure(of: "bank-node", in: allowed).isDisjoint(with: ["PlatformRole", "ArbiterRole", "Synthetic"]))
        #expect(SourceTree.closure(of: "platform-node", in: allowed).isDisjoint(with: ["BankRole", "ArbiterRole", "Synthetic", "ArbiterRuntime"]))
    }

    @Test("the readme's table names every module once, with the programs that can reach it", arguments: ["README.md", "README.zh.md"])
    func reach(document: String) throws {
        let programs: Set = ["arbiter", "platform-node", "bank-node", "jointlab"]
        let rows = try SourceTree.rows(of: document)
        let heading = try #require(rows.firstIndex { programs.isSubset(of: $0) })
        var told: [String: [Set<String>]] = [:]
        // A line of dashes follows.
        for row in rows[(heading + 2)...].prefix(while: { $0.count == rows[heading].count }) {
            let marks = zip(rows[heading], row).filter { programs.contains($0.0) }
            #expect(marks.allSatisfy { ["", "x"].contains($0.1) }, "\(row)")
            // A module has a capital letter and no other word of the cell has: "Tables with CSQLite" are two.
            let reaching = Set(marks.filter { $0.1 == "x" }.map(\.0))
            for name in row[0].matches(of: /[A-Z][A-Za-z0-9]*/) { told[String(name.0), default: []].append(reaching) }
        }
        let modules = Set(allowed.keys).subtracting(programs)
        #expect(Set(told.keys) == modules)
        for module in modules {
            let reaching = programs.filter { SourceTree.closure(of: $0, in: allowed).contains(module) }
            #expect(told[module] == [reaching], "\(module)")
        }
    }

    @Test("one wall around each foreign library", arguments: [
        ("CLibcrypto", "Primitives"), ("CGMP", "BigNumber"), ("CMalloc", "NodeRuntime"), ("CSQLite", "Tables"), ("SwiftProtobuf", "Wire"),
        ("NIOCore", "Transport"), ("NIOPosix", "Transport"), ("NIOTLS", "Transport"), ("NIOHTTP1", "Transport"), ("NIOSSL", "Transport"),
    ])
    func walls(library: String, wall: String) {
        #expect(Set(SourceTree.files.filter { $0.imports.contains(library) }.map(\.module)) == [wall])
        #expect(Set(allowed.filter { $0.value.contains(library) }.keys) == [wall])
    }

    @Test("vector kernels are behind the numbers and behind the primitives, and nowhere else")
    func kernels() {
        #expect(Set(SourceTree.files.filter { $0.imports.contains("CVectorKernels") }.map(\.module)).isSubset(of: ["BigNumber", "Primitives"]))
        #expect(Set(allowed.filter { $0.value.contains("CVectorKernels") }.keys) == ["BigNumber", "Primitives"])
    }

    @Test("machines of the roles touch no clock, file, socket or thread")
    func pureRoles() {
        // `Foundation` gives values there (URL, logarithms, JSON); effects are the runtimes'.
        let effects = [
            "FileManager", "FileHandle", "ProcessInfo", "Date(", "ContinuousClock", "SystemClock", "Task {", "Task.", "Thread", "DispatchQueue",
            "SystemRandom", "print(",
        ]
        let roles: Set = ["Exchange", "BankRole", "PlatformRole", "ArbiterRole", "Roles", "Training", "LinearAlgebra"]
        for file in SourceTree.files where roles.contains(file.module) {
            for (number, line) in file.lines.enumerated() where !line.drop(while: \.isWhitespace).hasPrefix("//") {
                // Fresh secrets are drawn when a job is opened, and handed to the machine.
                if file.path.hasSuffix("JobSecrets.swift"), line.contains("SystemRandom.secret(32)") { continue }
                for effect in effects { #expect(!line.contains(effect), "\(file.path):\(number + 1)") }
            }
        }
    }
}

@Suite("Style") struct StyleTests {
    private static let written = SourceTree.files.filter { !$0.isGenerated }

    @Test("no file is longer than 600 lines")
    func length() {
        for file in Self.written { #expect(file.lines.count <= 601, "\(file.path)") }
    }

    @Test("no tabs, no spaces at the end of a line, one line break at the end of a file")
    func space() {
        for file in Self.written {
            for (number, line) in file.lines.enumerated() {
                #expect(!line.contains("\t") && !line.contains("\r") && line.last != " ", "\(file.path):\(number + 1)")
            }
            #expect(file.lines.last == "" && file.lines.dropLast().last != "", "\(file.path)")
        }
    }

    @Test("no line is wider than 150 characters; texts in quotes do not count")
    func width() {
        for file in Self.written {
            for (number, line) in file.lines.enumerated() where line.count > 150 {
                let code = line.replacing(/"(?:[^"\\]|\\.)*"/, with: "\"\"")
                #expect(code.count <= 150, "\(file.path):\(number + 1)")
            }
        }
    }

    @Test("nothing is public, nothing is forced, nothing is imported past its access")
    func access() {
        for file in Self.written {
            for (number, line) in file.lines.enumerated() where !line.drop(while: \.isWhitespace).hasPrefix("//") {
                let code = line.replacing(/"(?:[^"\\]|\\.)*"/, with: "\"\"")
                for word in ["public ", "open class", "try!", " as! ", "@testable", "unsafeBitCast"] {
                    #expect(!code.contains(word), "\(file.path):\(number + 1): \(word)")
                }
            }
        }
    }
}
