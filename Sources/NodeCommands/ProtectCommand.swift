import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import Ledger
import NodeRuntime

extension KeysCommand {
    struct Protect: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "protect", abstract: "Seal this node's keys and results under the storage key of node.json. (以存储密钥封存本节点的密钥与结果)",
                discussion: """
                    Example: \(Program.name) keys protect \(Program.configurationExample)

                    The node must not run. --undo makes all files plain again, to change the storage key or to do without one.
                    (节点须先停止；--undo 将全部文件恢复为明文，用于更换或停用存储密钥)
                    """)
        }
        @Flag(name: .long, help: "Make all files plain again. (恢复为明文)") var undo = false
        @OptionGroup var options: NodeOptions

        func run() throws {
            try options.reporting {
                let configuration = try options.configuration(Program.role)
                let storage = try Storage(configuration.storageKey)
                guard storage.isSealed else { throw Fault(.missingKey, at: "node.json#/storage_key", "storage_key") }
                let files = try JobFiles(configuration.dataDirectory)
                let lock = try DirectoryLock(files.directory)
                defer { withExtendedLifetime(lock) {} }
                let keys = KeyFiles(configuration)
                let secrets = [keys.privateKey, keys.nextPrivateKey, keys.formerPrivateKey].map { ($0, Storage.privateKey) }
                    + [(configuration.ledgerKey, Storage.ledgerKey)]
                    + ([Operations.subjectsKey] + files.allResults).map { (files.directory.appendingPathComponent($0).path, $0) }
                let present = secrets.filter { FileManager.default.fileExists(atPath: $0.0) }
                // What is sealed must open before anything changes.
                let done = try present.filter { try storage.isOpen($0.0, as: $0.1) == undo }
                func record(_ action: OperationsEntry.Action) throws {
                    let installation = try Installation.node(options.config, role: Program.role, isForLines: false)
                    try Operations(installation).record(action, by: .ownAccount, count: present.count)
                }
                // The ledger's own key is among the files.
                if undo { try record(.filesOpened) }
                // What an interrupted run has left.
                for (path, _) in secrets { try PrivateFile.destroy(path + PrivateFile.formerSuffix) }
                for (path, name) in present where !done.contains(where: { $0.0 == path }) { try storage.change(path, as: name) }
                if !undo { try record(.filesSealed) }
                Console.say(undo ? Phrase(en: "\(present.count) files are plain", zh: "\(present.count) 个文件已恢复为明文")(options.language)
                    : Phrase(en: "\(present.count) files are sealed; without the storage key nobody reads them again", zh: "已封存 \(present.count) 个文件；遗失存储密钥则无法恢复")(options.language))
            }
        }
    }
}
