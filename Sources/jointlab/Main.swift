import AnalystCommands
import ArgumentParser
import Console

@main
enum Main {
    static func main() async { await CommandLineProgram.run(JointLab.self) }
}
