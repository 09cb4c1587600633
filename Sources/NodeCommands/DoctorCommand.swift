import ArgumentParser
import Console
import Faults
import Jobs
import NodeRuntime
import Wire

/// `doctor`: everything that a node needs, one line for each step.
package enum NodeDoctor {
    package static func run(_ options: NodeOptions, json: Bool, role: Role) async -> Faults.ExitCode {
        let language = options.language
        let steps = await Doctor.examine(options.config, role: role)
        if json {
            Console.say(JSONValue.array(steps.map { step in
                var members: [String: JSONValue] = [
                    "step": .text(step.name(language)), "outcome": .text(step.outcome.rawValue), "detail": .text(step.detail(language)),
                ]
                if let hint = step.hint { members["hint"] = .text(hint(language)) }
                return .object(members)
            }).canonicalText())
        } else {
            for step in steps {
                let outcome = switch step.outcome {
                case .ok: Phrase(en: "ok     ", zh: "通过")
                case .failed: Phrase(en: "failed ", zh: "未通过")
                case .skipped: Phrase(en: "skipped", zh: "跳过")
                }
                let detail = step.detail(language)
                Console.say("\(outcome(language)) \(step.name(language))" + (detail.isEmpty ? "" : Phrase(en: ": ", zh: "：")(language) + detail))
                if let hint = step.hint { Console.say(Phrase(en: "        hint: ", zh: "        建议: ")(language) + hint(language)) }
            }
        }
        return steps.contains { $0.outcome == .failed } ? .failure : .success
    }
}
