import ArgumentParser
import Console
import Faults
import Features
import Foundation
import Installation
import Jobs
import NodeCommands
import NodeRuntime
import Pages
import Tables
import Wire

extension DataSource.Encoding: ExpressibleByArgument {}
extension DataSource.Separator: ExpressibleByArgument {}

/// What a data set looks like, for its owner's eyes.
package struct ProfileCommand<Program: DataNodeProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "profile",
            abstract: "Show a data set's types, gaps, ranges, repetitions and identifiers, for its owner alone. (查看数据集的类型、缺失、范围、重复与标识，仅供数据所有方本人使用)",
            discussion: """
                Example: \(Program.name) data profile \(Program.role.rawValue).csv
                Example: \(Program.name) data profile main --config lab/\(Program.role.rawValue)/node.json

                What it prints holds values of the data and must not leave the house. With --config the reading becomes an entry of the \
                node's ledger of operations. (输出含有数据取值，不得外传；给出 --config 时，此次读取记入操作账本)
                """)
    }

    @Argument(help: ArgumentHelp("A file, or with --config a data set of node.json. (文件，或 node.json 中的数据集名称)", valueName: "data"))
    var data: String
    @Option(name: .long, help: ArgumentHelp("The node's configuration file. (节点配置文件)", valueName: "file"))
    var config: String?
    @Option(name: .long, help: ArgumentHelp("A table or view of an SQLite file. (SQLite 文件中的表或视图)", valueName: "name"))
    var table: String?
    @Option(name: .long, help: "The encoding of a text file: utf-8 or gb18030; by default as its bytes look. (文本编码，默认自动判断)")
    var encoding: DataSource.Encoding?
    @Option(name: .long, help: "What separates a text file's columns: ',' or ';' or tab. (列分隔符)")
    var separator: DataSource.Separator?
    @Option(name: .long, help: ArgumentHelp("The identifier's column; by default the one that holds credit codes. (标识列，默认为含信用代码的列)", valueName: "column"))
    var id: String?
    @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") var json = false
    @Option(name: .long, help: ArgumentHelp("Write a page for the browser instead, readable by its owner alone. (改为写出网页，仅文件所有者可读)", valueName: "file"))
    var html: String?
    @OptionGroup var options: LanguageOption

    package init() {}

    package func run() throws {
        let language = options.language
        do {
            if let html, FileManager.default.fileExists(atPath: html) { throw Fault(.alreadyExists, at: html) }
            let (source, name, operations) = try source()
            let read = {
                let profile = try DataProfile.of(source, identifier: id, progress: ReadingProgress(source.url, language).show)
                return (profile, rows: profile.rows)
            }
            let profile = try operations?.reading([source.url.path], name, for: .profile, read) ?? read().0
            if let html {
                try PrivateFile.create(ProfilePage(profile).page(language).bytes, at: html)
                Console.note(ProfileText.confidential(language))
            }
            if json {
                let encoder = JSONEncoder()
                encoder.keyEncodingStrategy = .convertToSnakeCase
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                Console.note(ProfileText.confidential(language))
                Console.say(String(decoding: try encoder.encode(IngestDocument(profile)), as: UTF8.self))
            } else if html == nil {
                for line in ProfileText(profile, language).lines { Console.say(line) }
            }
        } catch {
            throw ArgumentParser.ExitCode(Console.report(error, language).rawValue)
        }
    }

    /// A registered name stands before a file of that name. What the command line says goes before the configuration.
    ///
    /// - Returns: its name, where it has one, and where the reading is written down: with the configuration of a node.
    private func source() throws -> (DataSource, name: String?, Operations?) {
        if let config {
            let installation = try Installation.node(config, role: Program.role)
            let operations = try Operations(installation)
            if let dataset = installation.configuration.datasets[data] {
                let isTable = table != nil || dataset.table != nil && encoding == nil && separator == nil
                let file = URL(fileURLWithPath: dataset.path)
                if isTable { return (DataSource(file, .database(table: table ?? dataset.table ?? "")), data, operations) }
                return (DataSource(file, .text(encoding ?? .init(dataset.encoding), separator ?? .init(dataset.separator))), data, operations)
            }
            guard FileManager.default.fileExists(atPath: data) else { throw Fault(.unknownDataset, at: config, data) }
            return (try unregistered(), nil, operations)
        }
        return (try unregistered(), nil, nil)
    }

    private func unregistered() throws -> DataSource {
        let file = URL(fileURLWithPath: data)
        if let table { return DataSource(file, .database(table: table)) }
        let encoding = try encoding ?? DataSource(file).likelyEncoding()
        return DataSource(file, .text(encoding, separator ?? .comma))
    }
}

/// A profile for programs, with its defects and the rows that a job would use.
private struct IngestDocument: Encodable {
    private let profile: DataProfile

    init(_ profile: DataProfile) { self.profile = profile }

    private enum Key: CodingKey { case defects, keptRows }

    func encode(to encoder: any Encoder) throws {
        try profile.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(profile.defects, forKey: .defects)
        try container.encodeIfPresent(profile.identifier?.keptRows, forKey: .keptRows)
    }
}

/// Tells on standard error how far a large file has been read.
private struct ReadingProgress {
    private let size: Int
    private let language: Language

    init(_ file: URL, _ language: Language) {
        size = (try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? NSNumber)?.intValue ?? 0
        self.language = language
    }

    func show(rows: Int, bytes: Int) {
        guard Console.isTerminal || rows.isMultiple(of: 1 << 19) else { return }
        let share = size > 0 ? " (\(min(99, 100 * bytes / size)) %)" : ""
        let text = Phrase(en: "\(Shown.count(rows)) rows read\(share)", zh: "已读取 \(Shown.count(rows)) 行\(share)")(language)
        // On a terminal in one line, which the next one takes the place of.
        if Console.isTerminal { try? FileHandle.standardError.write(contentsOf: Data("\r\(text)\u{1B}[K\r".utf8)) } else { Console.note(text) }
    }
}
