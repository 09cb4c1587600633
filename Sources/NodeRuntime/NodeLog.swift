import Faults
import Logging
import Planning
import Wire

/// What a node tells its operator, in the operator's language. Holds counts and names of the contract and the
/// specification, never an identifier of a subject, a data value or a secret.
package struct NodeLog: Sendable {
    /// Shows on a terminal where a job stands; nothing once it has ended.
    package typealias Display = @Sendable (_ job: String, ProgressWords?) -> Void

    private var logger: Logger
    package let language: Language
    private let display: Display?
    private var job = ""

    /// - Parameter display: where there is a terminal.
    package init(_ logger: Logger, _ language: Language, display: Display? = nil) {
        self.logger = logger
        self.language = language
        self.display = display
    }

    /// The same log, with the first digits of the job's identifier on every line.
    package func of(_ job: JobIdentifier) -> NodeLog {
        var log = self
        log.job = String("\(job)".prefix(8))
        log.logger[metadataKey: "job"] = "\(log.job)"
        return log
    }

    /// The same log, with the phase of the job on every line.
    func at(_ phase: Phase) -> NodeLog {
        var log = self
        log.logger[metadataKey: "phase"] = "\(phase)"
        return log
    }

    /// Where the job stands: at the end of a terminal each time, otherwise a line for each new round.
    func progress(_ words: ProgressWords, isNewRound: Bool) {
        if let display {
            display(job, words)
        } else if isNewRound {
            logger.info("\(words.plain)")
        }
    }

    func endProgress() { display?(job, nil) }

    package func info(en: String, zh: String) { logger.info("\(Phrase(en: en, zh: zh)(language))") }
    package func warning(en: String, zh: String) { logger.warning("\(Phrase(en: en, zh: zh)(language))") }

    package func warning(_ fault: Fault) { logger.warning("\(fault.message(language))") }

    /// With the remedy.
    package func error(en: String, zh: String, _ fault: Fault) {
        let (colon, stop) = language == .zh ? ("：", "；") : (": ", "; ")
        logger.error("\(Phrase(en: en, zh: zh)(language))\(colon)\(fault.message(language))\(stop)\(fault.hint(language))")
    }
}
