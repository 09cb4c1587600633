import Foundation
import Testing

/// What goes to hosts without toolchain and network: `Examples/release`, and the `install` in its archive.
@Suite("Released") struct ReleaseTests {
    private static let programs = ["arbiter", "platform-node", "bank-node", "jointlab"]

    /// An archive of this build, made under a strict umask as any other; tests unpack it.
    private static let archive: Result<Data, any Error> = Result {
        let folder = try Folder()
        let made = try folder.shell("umask 077; '\(Programs.repository.path)/Examples/release' --programs '\(Programs.url("").path)' && mv jointlab-*.tar.gz archive")
        try #require(made.code == 0, "\(made.output)")
        return try Data(contentsOf: folder.url("archive"))
    }

    /// A folder of one test, in which `unpacked` is the archive.
    private final class Folder {
        private let root = FileManager.default.temporaryDirectory.appending(path: "release-\(UUID().uuidString)")

        init() throws { try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: root) }

        static func unpacked() throws -> Folder {
            let folder = try Folder()
            try archive.get().write(to: folder.url("archive"))
            let run = try folder.shell("mkdir unpacked && tar xf archive -C unpacked --strip-components=1 && cd unpacked && sha256sum --quiet --check SHA256SUMS")
            try #require(run.code == 0, "\(run.output)")
            return folder
        }

        func url(_ path: String) -> URL { root.appending(path: path) }

        func text(_ path: String) throws -> String { try String(contentsOf: url(path), encoding: .utf8) }

        /// With nothing of this process's environment but where commands are.
        func shell(_ command: String) throws -> (code: Int32, output: String) {
            let process = Process()
            let pipe = Pipe()
            process.executableURL = URL(filePath: "/bin/bash")
            process.arguments = ["-c", command]
            process.currentDirectoryURL = root
            process.environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "LANG": "C.UTF-8"]
            (process.standardOutput, process.standardError) = (pipe, pipe)
            try process.run()
            let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            process.waitUntilExit()
            return (process.terminationStatus, text)
        }
    }

    @Test("programs of the archive take libraries from beside themselves and from glibc, and from nowhere else")
    func standsAlone() throws {
        let folder = try Folder.unpacked()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url("unpacked/lib").path)
        #expect(names.count > Self.programs.count + 10)
        for name in names {
            let said = try folder.shell("readelf -Wd 'unpacked/lib/\(name)'")
            let paths = said.output.matches(of: /\((RPATH|RUNPATH)\).*\[(.*)\]/).map { "\($0.1) \($0.2)" }
            // A library of the distribution names no folder: what it needs is loaded by the program already.
            #expect(said.code == 0 && (paths == ["RUNPATH $ORIGIN"] || paths.isEmpty && !Self.programs.contains(name)), "\(name): \(paths)")
        }
        for program in Self.programs {
            // What the loader does when the program runs, not what `ldd` thinks.
            let run = try folder.shell("LD_DEBUG=libs LD_DEBUG_OUTPUT=trace unpacked/bin/\(program) --version && cat trace.* && rm trace.*")
            #expect(run.code == 0 && run.output.hasPrefix("\(program) "), "\(run.output)")
            let loaded = Set(run.output.matches(of: /calling init: (\S+)/).map { String($0.1) })
            let foreign = loaded.filter { !$0.contains("/unpacked/") && !$0.contains(/\/(lib(c|m|dl|pthread|rt|resolv|util)\.so|ld-linux)[^\/]*$/) }
            #expect(loaded.count > 10 && foreign.isEmpty, "\(program): \(foreign)")
            let tried = run.output.matches(of: /trying file=(\S+)/).map { String($0.1) }
            #expect(tried.first?.contains("/unpacked/") == true && !tried.contains { $0.contains("/swift/linux/") }, "\(program): \(tried)")
        }
    }

    @Test("what is bundled comes with the licence texts that the build machine has")
    func licences() throws {
        let folder = try Folder.unpacked()
        let swift = try folder.shell("cat unpacked/licences/swift/LICENSE.txt").output
        #expect(swift.contains("Runtime Library Exception"))
        #expect(try folder.text("unpacked/licences/swift-nio/NOTICE.txt").contains("SwiftNIO"))
        #expect(try folder.text("unpacked/licences/llhttp/LICENSE").contains("Copyright Fedor Indutny"))
        #expect(!FileManager.default.fileExists(atPath: folder.url("unpacked/licences/BigInt").path))
        for package in ["libgmp", "libssl", "libsqlite"] where try folder.shell("dpkg-query -W '\(package)*'").code == 0 {
            #expect(try folder.shell("cat unpacked/licences/\(package)*/copyright").output.count > 1000, "\(package)")
        }
    }

    @Test("every file of Examples that the README names is in the archive")
    func examples() throws {
        let folder = try Folder.unpacked()
        let named = try Set(folder.text("unpacked/README.md").matches(of: /Examples\/[a-z-]+\/[a-z-]+\.json/).map { String($0.0) })
        #expect(named.count > 2)
        for name in named { #expect(FileManager.default.fileExists(atPath: folder.url("unpacked/\(name)").path), "\(name)") }
    }

    @Test("an installation can be read and run by everybody, whatever the umask of who unpacked it and of root")
    func readable() throws {
        let folder = try Folder.unpacked()
        #expect(try folder.shell("DESTDIR=$PWD/root unpacked/install nothing").code == 2)
        for program in ["platform-node", "jointlab"] {
            let installed = try folder.shell("chmod -R go= unpacked; umask 077; DESTDIR=$PWD/root unpacked/install \(program)")
            #expect(installed.code == 0, "\(installed.output)")
            guard program != "jointlab" else { continue }
            #expect(installed.output.contains("runuser -u jointlab -- /opt/jointlab/bin/\(program) doctor"), "\(installed.output)")
            let unit = try folder.text("root/etc/systemd/system/jointlab-\(program).service")
            #expect(unit.contains("ExecStart=/opt/jointlab/bin/\(program) serve --config /etc/jointlab/node.json\n"))
            #expect(unit.contains("KillSignal=SIGTERM\nKillMode=mixed\n"))
        }
        let closed = try folder.shell("find root/opt root/usr root/etc/systemd ! -type l ! -perm -o=r -o -type d ! -perm -o=x")
        #expect(closed.code == 0 && closed.output.isEmpty, "\(closed.output)")
        let modes = try folder.shell("cd root && stat -c '%a %n' opt/jointlab/lib/platform-node opt/jointlab/install etc/jointlab var/lib/jointlab").output
        #expect(modes == "755 opt/jointlab/lib/platform-node\n755 opt/jointlab/install\n750 etc/jointlab\n700 var/lib/jointlab\n")
        for program in Self.programs {
            #expect(try folder.shell("root/opt/jointlab/bin/\(program) --version").output.hasPrefix("\(program) "))
        }
    }

    @Test("nothing is installed where the program does not run, or where the archive was changed on the way")
    func refused() throws {
        let folder = try Folder.unpacked()
        let sums = "(cd unpacked && find . -type f ! -name SHA256SUMS -print0 | xargs -0 sha256sum >SHA256SUMS)"
        // A program of a machine whose glibc is newer: it needs a version of symbols that this machine has not.
        let newer = try folder.shell("""
            LC_ALL=C sed -i 's/GLIBC_2\\.34/GLIBC_9.34/' unpacked/lib/bank-node && \(sums) || exit 99
            DESTDIR=$PWD/root unpacked/install bank-node
            """)
        #expect(newer.code == 3 && newer.output.contains("GLIBC_9.34") && newer.output.contains("error: bank-node does not run on this host / "), "\(newer.output)")
        #expect(newer.output.contains("\nhint: glibc (glibc 2."))
        let changed = try folder.shell("echo >>unpacked/README.md; DESTDIR=$PWD/root unpacked/install arbiter")
        #expect(changed.code == 4 && changed.output.contains("not as it was packed"), "\(changed.output)")
        #expect(!FileManager.default.fileExists(atPath: folder.url("root").path))
    }
}
