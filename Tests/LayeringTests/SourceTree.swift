import Foundation

/// The package as text: what its manifest says, and what stands in its sources.
enum SourceTree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct File: Sendable {
        let module: String
        /// From the package's root.
        let path: String
        let lines: [String]
        var isGenerated: Bool { path.hasSuffix(".pb.swift") }

        /// Modules that the file imports.
        var imports: [String] {
            lines.compactMap { line in
                let words = line.split(separator: " ")
                guard let keyword = words.firstIndex(of: "import"), words[..<keyword].allSatisfy({ $0.hasPrefix("@") || accessLevels.contains($0) }),
                      let name = words.dropFirst(keyword + 1).first(where: { !declarationKinds.contains($0) })
                else { return nil }
                return String(name.prefix { $0 != "." })
            }
        }
    }

    private static let accessLevels: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    private static let declarationKinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]

    /// Every Swift file of the product.
    static let files: [File] = {
        let sources = root.appending(path: "Sources").resolvingSymlinksInPath()
        let names = (FileManager.default.enumerator(atPath: sources.path)?.allObjects ?? []).compactMap { $0 as? String }
        return names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let text = (try? String(contentsOf: sources.appending(path: name), encoding: .utf8)) ?? ""
            return File(module: String(name.prefix { $0 != "/" }), path: "Sources/\(name)",
                        lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        }
    }()

    /// Modules of the product and the names on which each depends, as Package.swift declares them.
    static let declared: [String: Set<String>] = {
        let text = (try? String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)) ?? ""
        // `let nio: [...] = [...]` and the like: names for products of other packages.
        var shorthands: [String: Set<String>] = [:]
        for part in text.components(separatedBy: "\nlet ").dropFirst() {
            let end = part.range(of: "\n\n")?.lowerBound ?? part.endIndex
            shorthands[String(part.prefix { $0.isLetter })] = Set(part[..<end].matches(of: /\.product\(name: "(\w+)"/).map { String($0.1) })
        }
        var modules: [String: Set<String>] = [:]
        for line in text.split(separator: "\n") {
            if let library = line.firstMatch(of: /\.(?:systemLibrary|target)\(name: "(\w+)"/) { modules[String(library.1)] = [] }
            guard let target = line.firstMatch(of: /^\s+(?:room|program)\("([\w-]+)"(.*)\),/) else { continue }
            let names = target.2.matches(of: /"(\w+)"|\b([a-z]\w*)\b/).map { match in
                match.1.map { Set([String($0)]) } ?? match.2.flatMap { shorthands[String($0)] } ?? ["?"]
            }
            modules[String(target.1)] = names.reduce(into: []) { $0.formUnion($1) }
        }
        return modules
    }()

    /// The cells of every line of a document, none where it is no row of a table.
    static func rows(of document: String) throws -> [[String]] {
        try String(contentsOf: root.appending(path: document), encoding: .utf8).components(separatedBy: "\n").map { line in
            guard line.hasPrefix("|"), line.hasSuffix("|") else { return [] }
            return line.components(separatedBy: "|").dropFirst().dropLast().map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    /// Everything that `module` can reach, itself included.
    static func closure(of module: String, in table: [String: Set<String>]) -> Set<String> {
        var reached: Set<String> = [module]
        var open = [module]
        while let next = open.popLast() {
            for name in table[next] ?? [] where reached.insert(name).inserted { open.append(name) }
        }
        return reached
    }
}
