import ArgumentParser
import Wire

/// The owner's verbs about its own data sets.
package struct DataCommand<Program: OwnerProgram>: ParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "data", abstract: "Look at this party's data sets. (查看本方数据集)",
            discussion: "Example: \(Program.name) data profile \(Program.role.rawValue).csv",
            subcommands: [ProfileCommand<Program>.self])
    }

    package init() {}
}
