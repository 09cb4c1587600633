import AnalystCommands
import ArgumentParser

@main
enum Main {
    static func main() async { await JointLab.main() }
}
