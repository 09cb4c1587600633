import ArgumentParser
import Console
import Dispatch
import Faults
import Foundation
import Installation
import Jobs
import Logging
import NodeRuntime
import Planning
import Primitives
import Wire

/// What all three nodes share of their command line: options, logging, signals, exit codes.
package struct NodeOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The node's configuration file. (节点配置文件)", valueName: "file"), completion: .file(extensions: ["json"]))
    package var config: String

    @OptionGroup private var languageOption: LanguageOption

    package init() {}

    package var language: Language { languageOption.language }
}

package enum NodeProgram {
    /// Reads the configuration and serves until a signal asks for the end: at the first the node finishes what it has in hand, at the
    /// second it ends at once. Faults go to standard error.
    package static func serve(_ options: NodeOptions, role: Role,
                              _ makeNode: (NodeInstallation, NodeLog) throws -> any ServingNode) async -> Faults.ExitCode {
        let language = options.language
        do {
            try KernelChoice.require()
            let installation = try Installation.node(options.config, role: role)
            let configuration = installation.configuration
            LoggingSystem.bootstrap { NodeLogHandler(label: $0, format: configuration.logFormat) }
            var logger = Logger(label: configuration.name)
            logger.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
            let display: NodeLog.Display = { job, words in
                Console.showStatus(words.map { "\(job) " + Console.bar($0.label, $0.fraction, $0.left) }, of: job)
            }
            let log = NodeLog(logger, language, display: Console.isTerminal ? display : nil)
            let (stops, stop) = AsyncStream<Void>.makeStream()
            let signals = [SIGTERM, SIGINT].map { DispatchSource.makeSignalSource(signal: $0) }
            defer { signals.forEach { $0.cancel() } }
            for source in signals {
                source.setEventHandler { stop.yield() }
                // Nothing is begun before: until then a signal ends the program, and none is lost.
                await withCheckedContinuation { registered in
                    source.setRegistrationHandler { registered.resume() }
                    source.resume()
                }
            }
            let node = try makeNode(installation, log)
            let serving = Task { try await node.serve() }
            let stopping = Task {
                var draining: Task<Void, Never>?
                for await _ in stops {
                    guard draining == nil else {
                        serving.cancel()
                        continue
                    }
                    draining = Task {
                        await node.drain()
                        serving.cancel()
                    }
                }
            }
            defer { stopping.cancel() }
            try await serving.value
            log.info(en: "stopped", zh: "已停止")
            return .success
        } catch {
            return Console.report(error, language)
        }
    }
}

/// One line for each event. As text: time, level, node, job in square brackets, text; as JSON also the phase of the job.
struct NodeLogHandler: LogHandler {
    let label: String
    let format: NodeConfiguration.LogFormat
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    init(label: String, format: NodeConfiguration.LogFormat) {
        self.label = label
        self.format = format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let merged = metadata.merging(event.metadata ?? [:]) { $1 }
        let time = Date().formatted(.iso8601)
        switch format {
        case .text:
            // The text itself tells of each new phase.
            let details = merged.filter { $0.key != "phase" }.sorted { $0.key < $1.key }.map { "[\($0.key) \($0.value)] " }.joined()
            Console.note("\(time) \(event.level) \(label) \(details)\(event.message)")
        case .json:
            var members = merged.mapValues { JSONValue.text("\($0)") }
            members.merge(["time": .text(time), "level": .text("\(event.level)"), "node": .text(label), "message": .text("\(event.message)")]) { $1 }
            Console.note(JSONValue.object(members).canonicalText())
        }
    }
}
