// swift-tools-version: 6.2
import PackageDescription

// The dependency graph is the trust graph: what a program can learn is what its targets below can reach.
// `LayeringTests` holds the imports of `Sources/` against the same table, since the compiler does not.

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOTLS", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")

let bigInt = Target.Dependency.product(name: "BigInt", package: "BigInt")

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], _ more: [SwiftSetting] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings + more)
}

let package = Package(
    name: "JointLab",
    products: [
        .executable(name: "arbiter", targets: ["arbiter"]),
        .executable(name: "platform-node", targets: ["platform-node"]),
        .executable(name: "bank-node", targets: ["bank-node"]),
        .executable(name: "jointlab", targets: ["jointlab"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/attaswift/BigInt.git", from: "6.0.1"),
    ],
    targets: [
        // 0: walls around C, and arithmetic that knows nothing of the lab
        .systemLibrary(name: "CGMP"),
        .systemLibrary(name: "CLibcrypto"),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CSQLite"),
        .target(name: "CVectorKernels"),
        room("Faults"),
        room("Scratch"),
        room("Console", ["Faults", arguments]),
        room("LinearAlgebra"),
        room("Evaluation"),
        // 1: numbers, primitives, what may cross, what is asked for
        room("BigNumber", ["CGMP", "CVectorKernels"]),
        room("Primitives", ["CLibcrypto", "CVectorKernels"]),
        room("Catalogue", ["Faults"]),
        room("Pages", ["Faults"]),
        room("Wire", ["Faults", protobuf]),
        room("Jobs", ["Catalogue", "Faults"]),
        room("Roles", ["Scratch", "Wire", "Faults", "Jobs", "Primitives"]),
        // 2: cryptography and tables
        room("Paillier", ["BigNumber", "Primitives"]),
        room("SetIntersection", ["Scratch", "Primitives"]),
        room("Tables", ["CSQLite", "Faults"]),
        room("Features", ["Catalogue", "Tables", "Jobs", "Faults"]),
        room("Synthetic", ["Tables", "Faults"]),
        room("Authorisation", ["Ledger", "Catalogue", "Tables", "Jobs", "Faults"]),
        room("Ledger", ["Wire", "Primitives"]),
        room("Planning", ["Wire", "Jobs", "Faults", "LinearAlgebra"]),
        room("Reports", ["Evaluation", "Roles", "Pages", "Wire", "Jobs", "Faults"]),
        room("Audit", ["Ledger", "BigNumber", "Jobs", "Wire", "Faults", "Primitives"]),
        room("Canary", ["Audit", "Ledger", "Tables", "Wire", "Faults"]),
        // 3: the mathematics of a round
        room("Training", ["LinearAlgebra"]),
        // 4: the parties as state machines, and the line between them
        room("Exchange", ["Scratch", "Roles", "Planning", "BigNumber", "Wire", "Jobs", "Faults", "Primitives", "Paillier", "SetIntersection", "Features", "Tables", "Training", "LinearAlgebra"]),
        room("BankRole", ["Roles", "Exchange", "Wire", "Jobs", "Faults", "Primitives", "Paillier", "SetIntersection", "Features", "Tables", "Training", "LinearAlgebra", "Evaluation", "Reports"]),
        room("PlatformRole", ["Authorisation", "Roles", "Exchange", "Wire", "Jobs", "Faults", "Primitives", "Paillier", "SetIntersection", "Features", "Tables", "Training", "LinearAlgebra", "Reports"]),
        room("ArbiterRole", ["Planning", "Wire", "Jobs", "Faults", "LinearAlgebra", "Ledger", "Primitives"]),
        room("Transport", ["Wire", "Faults", "Primitives"] + nio),
        // 5: where effects happen
        room("Installation", ["Ledger", "Wire", "Jobs", "Faults", "Primitives", "Transport"]),
        room("NodeRuntime", ["CMalloc", "Scratch", "Roles", "Planning", "Ledger", "Wire", "Jobs", "Faults", "Primitives", "Transport", "Installation", logging]),
        room("ArbiterRuntime", ["ArbiterRole", "Ledger", "NodeRuntime", "Wire", "Jobs", "Faults", "Primitives", "Transport", "Installation", logging]),
        // 6: verbs
        room("NodeCommands", ["NodeRuntime", "Ledger", "Planning", "Installation", "Console", "Jobs", "Wire", "Faults", "Primitives", "Transport", arguments, logging]),
        room("AnalystCommands", ["Audit", "Pages", "Catalogue", "Planning", "Ledger", "Installation", "Console", "Jobs", "Wire", "Faults", "Transport", "Primitives", "Synthetic", arguments]),
        room("OwnerCommands", ["Roles", "Authorisation", "Catalogue", "NodeCommands", "Pages", "NodeRuntime", "Features", "Tables", "Canary", "Audit", "Ledger", "Installation", "Console", "Jobs", "Wire", "Faults", "Primitives", arguments]),
        // 7: programs
        program("arbiter", ["ArbiterRuntime", "NodeCommands", "Console", "Wire", "Faults", arguments]),
        program("platform-node", ["PlatformRole", "Reports", "Exchange", "Features", "NodeRuntime", "NodeCommands", "OwnerCommands", "Console", "Jobs", "Audit", "Wire", "Faults", arguments]),
        program("bank-node", ["BankRole", "Reports", "Exchange", "Features", "NodeRuntime", "NodeCommands", "OwnerCommands", "Console", "Jobs", "Audit", "Wire", "Faults", arguments]),
        program("jointlab", ["AnalystCommands", "Console", arguments]),

        // not of the product: what `Benchmarks/run` measures
        .executableTarget(
            name: "measure", dependencies: ["Exchange", "Roles", "Jobs", "Wire", "Paillier", "BigNumber", "Primitives", "CLibcrypto", "Ledger"], path: "Benchmarks/measure", swiftSettings: settings),

        // nor this: what `Tests/fuzz/run` feeds with changed inputs
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "ArbiterRole", "Audit", "Authorisation", "Exchange", "Features", "Installation", "NodeRuntime", "Planning", "Reports", "Tables", "Ledger", "Paillier", "Jobs",
                "Transport", "Wire", "Faults", "Primitives", .product(name: "NIOCore", package: "swift-nio"),
            ], path: "Tests/fuzz",
            exclude: ["corpus", "run"], swiftSettings: settings),

        // nor this: a whole lab from one seed, Protocols/simulation.md
        .executableTarget(
            name: "simulate",
            dependencies: [
                "ArbiterRole", "BankRole", "PlatformRole", "Exchange", "NodeRuntime", "Audit", "Ledger", "Roles", "Jobs", "Transport", "Wire", "Faults", "Primitives",
            ], path: "Tests/simulation", swiftSettings: settings),

        // tests
        tests("LayeringTests", []),
        tests("FuzzTests", ["fuzz"]),
        tests("SimulationTests", ["simulate"]),
        tests("LinearAlgebraTests", ["LinearAlgebra", bigInt]),
        tests("EvaluationTests", ["Evaluation"]),
        tests("CatalogueTests", ["Catalogue", "Faults"]),
        tests("BigNumberTests", ["BigNumber", bigInt]),
        tests("PrimitivesTests", ["Primitives"]),
        tests("PagesTests", ["Pages", "Reports", "Evaluation", "Roles", "Wire", "Jobs", "Faults"]),
        tests("WireTests", ["Wire", "Faults"]),
        tests("AuthorisationTests", ["Authorisation", "Catalogue", "Tables", "Jobs", "Faults"]),
        tests("LedgerTests", ["Ledger", "NodeRuntime", "Roles", "Scratch", "Wire", "Primitives"]),
        tests("AuditTests", ["Audit", "Ledger", "NodeRuntime", "Roles", "Scratch", "BigNumber", "Jobs", "Wire", "Faults", "Primitives"]),
        tests("CanaryTests", ["Canary", "Audit", "Ledger", "Tables", "Wire", "Primitives", "Faults"]),
        tests("JobsTests", ["Jobs", "Faults"]),
        tests("PlanningTests", ["Planning", "Jobs", "Wire", "Faults"]),
        tests("PaillierTests", ["Paillier", "BigNumber", "Primitives", bigInt]),
        tests("SetIntersectionTests", ["SetIntersection", "Scratch", "Primitives"]),
        tests("TablesTests", ["Tables", "CSQLite", "Faults"]),
        tests("FeaturesTests", ["Features", "Synthetic", "Tables", "Jobs", "Faults"]),
        tests("SyntheticTests", ["Synthetic", "Evaluation", "Tables", "Faults"]),
        tests("TrainingTests", ["Training", "LinearAlgebra"]),
        tests("ExchangeTests", [
            "BankRole", "PlatformRole", "ArbiterRole", "Exchange", "Scratch", "Roles", "Wire", "Jobs", "Faults", "Primitives", "Paillier", "BigNumber",
            "SetIntersection", "Planning", "Training", "LinearAlgebra", "Ledger", "NodeRuntime", bigInt,
        ]),
        tests("ArbiterRoleTests", ["ArbiterRole", "Ledger", "Jobs", "Wire", "Faults", "Primitives", bigInt]),
        // They wait for programs, which are optimised; to optimise them too takes minutes.
        tests("CommandTests", [
            "bank-node", "platform-node", "arbiter", "jointlab", "Synthetic", "NodeRuntime", "Installation", "Transport", "Ledger", "Roles", "Primitives", "Jobs", "Wire",
            "Faults", logging,
        ], [.unsafeFlags(["-Onone"])]),
        tests("TransportTests", ["Transport", "Wire", "Faults", "Primitives"] + nio),
    ]
)
