import Foundation
import Synchronization
import Testing

/// What a terminal would show of a program's standard error.
private final class Terminal: Sendable {
    private let shown = Mutex("")
    let end: FileHandle

    init() throws {
        // As posix_openpt, grantpt, unlockpt and ptsname do it.
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var (locked, number): (Int32, Int32) = (0, 0)
        try #require(master >= 0 && ioctl(master, 0x4004_5431, &locked) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
        let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(slave >= 0)
        var size = winsize(ws_row: 24, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(slave, UInt(TIOCSWINSZ), &size) == 0)
        end = FileHandle(fileDescriptor: slave, closeOnDealloc: true)
        Thread.detachNewThread { [self] in
            var bytes = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(master, &bytes, bytes.count)
                guard count > 0 else { break }
                shown.withLock { $0 += String(decoding: bytes.prefix(count), as: UTF8.self) }
            }
            close(master)
        }
    }

    var text: String { shown.withLock { $0 } }
}

@Suite("Progress") struct ProgressTests {
    private func onTerminal(_ program: String, _ arguments: [String], _ lab: TrialLab, _ terminal: Terminal) throws -> Process {
        let output = lab.folder.appending(path: "\(UUID().uuidString).out")
        let process = try Programs.process(program, arguments, output: output, errors: output)
        process.standardError = terminal.end
        try process.run()
        // The reader ends with the program.
        try terminal.end.close()
        return process
    }

    @Test("a job is followed with a bar on a terminal, by its analyst and at a node, and in plain lines elsewhere")
    func bars() async throws {
        let lab = try await TrialLab()
        try await lab.start("arbiter", "platform")
        let (watching, serving) = (try Terminal(), try Terminal())
        let bank = try onTerminal("bank-node", ["serve", "--config", lab.path("bank/node.json"), "--lang", "zh"], lab, serving)
        defer { bank.terminate() }
        #expect(try await eventually { serving.text.contains("已在 arbiter 登记") })
        let specification = try lab.specification { $0["training"] = ["key_bits": 768, "maximum_rounds": 4, "tolerance": 0.0001] }
        let watch = try onTerminal("jointlab", ["job", "submit", specification, "--as", lab.path("ann/person.json"), "--watch"], lab, watching)
        #expect(try await eventually { !watch.isRunning })
        #expect(watch.terminationStatus == 0, "\(watching.text)")
        // Rounds that are expected are no more than may be run.
        for text in ["\r\u{1B}[Ktraining round 2 of about 4  [#####", "-]  ", " %", "completed"] { #expect(watching.text.contains(text), "\(watching.text)") }
        #expect(serving.text.contains("训练 第 2 轮（预计约 4 轮）  [#####"), "\(serving.text)")
        // Lines of the log stand above the bar, whole.
        #expect(serving.text.contains("阶段：评分\r\n"), "\(serving.text)")
        let log = try lab.log("platform")
        #expect(log.contains("training round 2 of about 4") && !log.contains("\u{1B}") && !log.contains("[##"), "\(log)")
    }
}
