import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import NodeRuntime
import Primitives

extension KeysCommand {
    enum SealRole: String, ExpressibleByArgument, CaseIterable { case owner, auditor }

    struct Seal: ParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "seal", abstract: "Make a key to which secrets of jobs are sealed. (生成封存任务密钥所用的密钥对)",
                discussion: "Example: \(Program.name) keys seal --role auditor --out auditor-seal.key\n\n"
                    + "Owner and auditor each make one, on a machine of their own; what is printed goes into node.json under \"audit\". "
                    + "Only both private keys together open the secrets of a job. "
                    + "(数据所有方与审计员各在自己的机器上生成；输出内容写入 node.json 的 audit；两把私钥合用方可打开任务密钥)")
        }
        @Option(name: .long, help: "Whose: owner or auditor. (持有人)") var role: SealRole
        @Option(name: .long, help: ArgumentHelp("File to make, for its holder alone. (新建文件)", valueName: "file")) var out: String
        @OptionGroup var options: LanguageOption

        func run() throws {
            let language = options.language
            do {
                let key = X25519(secret: SystemRandom.secret(32))
                try PrivateFile.create(Array(key.pem.utf8), at: out)
                let holder = SecretVault.Holder(rawValue: role.rawValue)?.name ?? Phrase(en: role.rawValue, zh: role.rawValue)
                Console.note(Phrase(en: "\(out) is for the \(holder.en) alone; in node.json, under \"audit\":", zh: "\(out) 仅由\(holder.zh)保管；请写入 node.json 的 \"audit\"：")(language))
                Console.say("\"\(role.rawValue)_seal_key\": \"\(Data(key.publicKey).base64EncodedString())\"")
            } catch {
                throw ArgumentParser.ExitCode(Console.report(error, language).rawValue)
            }
        }
    }
}
