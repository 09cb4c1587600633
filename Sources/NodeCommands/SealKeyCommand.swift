import ArgumentParser
import Console
import Faults
import Foundation
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
                    + "Only both private keys together open the secrets of a job.")
        }
        @Option(name: .long, help: "Whose: owner or auditor. (持有人)") var role: SealRole
        @Option(name: .long, help: ArgumentHelp("File to make, for its holder alone. (新建文件)", valueName: "file")) var out: String
        @OptionGroup var options: LanguageOption

        func run() throws {
            let language = options.language
            do {
                let key = X25519(secret: SystemRandom.secret(32))
                try NewFile.write(key.pem, to: out)
                let holder = SecretVault.Holder(rawValue: role.rawValue)?.name ?? Phrase(en: role.rawValue, zh: role.rawValue)
                Console.note(Phrase(en: "\(out) is for the \(holder.en) alone; in node.json, under \"audit\":", zh: "\(out) 仅由\(holder.zh)保管；请写入 node.json 的 \"audit\"：")(language))
                Console.say("\"\(role.rawValue)_seal_key\": \"\(Data(key.publicKey).base64EncodedString())\"")
            } catch {
                throw ArgumentParser.ExitCode(Console.report(error, language).rawValue)
            }
        }
    }
}

/// A secret file that was not there before.
private enum NewFile {
    static func write(_ text: String, to path: String) throws(Fault) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Fault(errno == EEXIST ? .alreadyExists : .unwritable, at: path) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Foundation.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            unlink(path)
            throw Fault(.unwritable, at: path)
        }
    }
}
