import Faults
import Logging
import Wire

/// What a node tells its operator, in the operator's language. Holds counts and names of the contract and the
/// specification, never an identifier of a subject, a data value or a secret.
package struct NodeLog: Sendable {
    private var logger: Logger
    package let language: Language

    package init(_ logger: Logger, _ language: Language) {
        self.logger = logger
        self.language = language
    }

    /// The same log, with the first digits of the job's identifier on every line.
    package func of(_ job: JobIdentifier) -> NodeLog {
        var log = self
        log.logger[metadataKey: "job"] = "\("\(job)".prefix(8))"
        return log
    }

    package func info(en: String, zh: String) { logger.info("\(Phrase(en: en, zh: zh)(language))") }
    package func warning(en: String, zh: String) { logger.warning("\(Phrase(en: en, zh: zh)(language))") }

    package func warning(_ fault: Fault) { logger.warning("\(fault.message(language))") }

    /// With the remedy.
    package func error(en: String, zh: String, _ fault: Fault) {
        logger.error("\(Phrase(en: en, zh: zh)(language)): \(fault.message(language)); \(fault.hint(language))")
    }
}
