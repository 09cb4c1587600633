import CSQLite
import Faults
import Foundation
import Tables
import Testing

/// A database made by `statements`, which stays open for writing during `body`.
private func withDatabase<T>(_ statements: [String], _ body: (URL, OpaquePointer) throws -> T) throws -> T {
    try withDirectory { directory throws in
        let file = directory.appendingPathComponent("credit.db")
        var opened: OpaquePointer?
        try #require(sqlite3_open(file.path, &opened) == SQLITE_OK)
        let database = try #require(opened)
        defer { sqlite3_close(database) }
        for statement in statements { try #require(sqlite3_exec(database, statement, nil, nil, nil) == SQLITE_OK, "\(statement)") }
        return try body(file, database)
    }
}

private func fault(_ statements: [String], table: String = "t") throws -> Fault? {
    try withDatabase(statements) { file, _ throws in
        do {
            _ = try contents(DataSource(file, .database(table: table)))
            return nil
        } catch {
            return error as? Fault
        }
    }
}

@Suite("SQLite tables") struct DatabaseTableTests {
    @Test("integers, floating-point numbers and texts arrive exactly, NULL is missing")
    func values() throws {
        let statements = [
            "CREATE TABLE t (id TEXT, whole INTEGER, real REAL, grade TEXT)",
            "INSERT INTO t VALUES ('u1', 9223372036854775807, 0.1, '甲'), ('u2', -1, 1e-300, 'a,\"b\nc'), ('u3', NULL, NULL, NULL)",
        ]
        try withDatabase(statements) { file, _ throws in
            let source = DataSource(file, .database(table: "t"))
            let (rows, lines, writing) = try contents(source)
            #expect(rows == [
                ["id", "whole", "real", "grade"], ["u1", "9223372036854775807", "0.1", "甲"], ["u2", "-1", "1e-300", "a,\"b\nc"], ["u3", "", "", ""],
            ])
            #expect(lines == [1, 2, 3])
            #expect(writing == nil)
            let (table, report) = try Table.read(
                from: source, identifier: "id", identifierKind: .text,
                columns: [.init(name: "real", kind: .number), .init(name: "grade", kind: .category)])
            guard case .numbers(let reals) = table["real"] else { throw Fault(.defect) }
            #expect(reals[0] == 0.1 && reals[1] == 1e-300 && reals[2].isNaN)
            #expect(table["grade"] == .categories(codes: [0, 1, -1], levels: ["甲", "a,\"b\nc"]))
            #expect(table.place(ofRow: 2) == "credit.db/t:3")
            #expect(report.rowsKept == 3)
        }
    }

    @Test("doubles of any size survive as they are")
    func doubles() throws {
        var random = SystemRandomNumberGenerator()
        let values = (0..<500).map { _ in Double(bitPattern: random.next()) }.filter { $0.isFinite && abs($0) < 1e99 }
        try withDatabase(["CREATE TABLE t (id INTEGER, x REAL)"]) { file, database throws in
            for (index, value) in values.enumerated() {
                var statement: OpaquePointer?
                try #require(sqlite3_prepare_v2(database, "INSERT INTO t VALUES (?, ?)", -1, &statement, nil) == SQLITE_OK)
                sqlite3_bind_int64(statement, 1, Int64(index))
                sqlite3_bind_double(statement, 2, value)
                try #require(sqlite3_step(statement) == SQLITE_DONE)
                sqlite3_finalize(statement)
            }
            let (table, _) = try Table.read(
                from: DataSource(file, .database(table: "t")), identifier: "id", identifierKind: .text, columns: [.init(name: "x", kind: .number)])
            #expect(table["x"] == .numbers(values))
        }
    }

    @Test("a view is read like a table, and databases in UTF-16 like others")
    func views() throws {
        let statements = [
            "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE raw (id, photo BLOB, city)", "INSERT INTO raw VALUES ('u1', x'00ff', '乌海')",
            "CREATE VIEW t AS SELECT id, city FROM raw",
        ]
        try withDatabase(statements) { file, _ throws in
            #expect(try contents(DataSource(file, .database(table: "t"))).rows == [["id", "city"], ["u1", "乌海"]])
        }
    }

    @Test("a name is a name, whatever it looks like", arguments: [
        "a b", "客户", "x\"y", "'; DROP TABLE t; --", "t\" UNION SELECT 1 --", "select",
    ])
    func names(name: String) throws {
        let quoted = name.replacing("\"", with: "\"\"")
        try withDatabase(["CREATE TABLE t (id)", "CREATE TABLE \"\(quoted)\" (id)", "INSERT INTO \"\(quoted)\" VALUES ('here')"]) { file, _ throws in
            #expect(try contents(DataSource(file, .database(table: name))).rows == [["id"], ["here"]])
            #expect(try contents(DataSource(file, .database(table: "t"))).rows == [["id"]])
        }
    }

    @Test("only a table or view of the database can be named", arguments: [
        "none", "T", "", "sqlite_master", "t; DROP TABLE t", "(SELECT 1)", "t\0x", "pragma_table_info('t')", "an_index",
    ])
    func unknown(name: String) throws {
        #expect(try fault(["CREATE TABLE t (id)", "CREATE INDEX an_index ON t (id)"], table: name) == Fault(.unknownTable, at: "credit.db", name))
    }

    @Test("what is neither text nor number is refused with its row")
    func refused() throws {
        #expect(try fault(["CREATE TABLE t (id, x)", "INSERT INTO t VALUES ('a', 1), ('b', x'00')"]) == Fault(.malformedDatabase, at: "credit.db/t:2", "BLOB"))
        #expect(try fault(["CREATE TABLE t (id)", "INSERT INTO t VALUES ('a'), (CAST(x'41ff' AS TEXT))"]) == .notUTF8(at: "credit.db/t:2"))
        let long = ["CREATE TABLE t (id)", "INSERT INTO t VALUES (printf('%.*c', 65537, 'x'))"]
        #expect(try fault(long) == Fault(.malformedDatabase, at: "credit.db/t:1", "> 64 KiB"))
        #expect(try fault(["CREATE TABLE t (id)", "INSERT INTO t VALUES (zeroblob(20000000))"])?.code == .malformedDatabase)
    }

    @Test("a zero byte inside a text does not end it")
    func zeroByte() throws {
        try withDatabase(["CREATE TABLE t (id)", "INSERT INTO t VALUES ('a' || char(0) || 'b')"]) { file, _ throws in
            #expect(try contents(DataSource(file, .database(table: "t"))).rows == [["id"], ["a\0b"]])
        }
    }

    @Test("a database that is absent, no database, damaged or being written to is refused by name")
    func unreadable() throws {
        try withDatabase(["CREATE TABLE t (id)", "INSERT INTO t VALUES (1)"]) { file, database throws in
            let source = DataSource(file, .database(table: "t"))
            #expect(throws: Fault(.unreadableFile, at: "absent.db")) {
                try contents(DataSource(file.deletingLastPathComponent().appendingPathComponent("absent.db"), .database(table: "t")))
            }
            let other = file.deletingLastPathComponent().appendingPathComponent("bank.csv")
            try Data("id,a\n1,2\n".utf8).write(to: other)
            #expect(throws: Fault(.malformedDatabase, at: "bank.csv/t", "file is not a database")) { try contents(DataSource(other, .database(table: "t"))) }
            try #require(sqlite3_exec(database, "BEGIN EXCLUSIVE", nil, nil, nil) == SQLITE_OK)
            #expect(throws: Fault(.lockedDatabase, at: "credit.db/t")) { try contents(source) }
            try #require(sqlite3_exec(database, "ROLLBACK", nil, nil, nil) == SQLITE_OK)
            #expect(try contents(source).rows == [["id"], ["1"]])
            var bytes = [UInt8](try Data(contentsOf: file))
            for index in 4096..<bytes.count { bytes[index] = 0xEE }
            let damaged = file.deletingLastPathComponent().appendingPathComponent("damaged.db")
            try Data(bytes).write(to: damaged)
            #expect(throws: Fault(.malformedDatabase, at: "damaged.db/t", "database disk image is malformed")) {
                try contents(DataSource(damaged, .database(table: "t")))
            }
        }
    }

    @Test("reading leaves the file and its folder as they were")
    func untouched() throws {
        try withDatabase(["CREATE TABLE t (id)", "INSERT INTO t VALUES (1)"]) { file, _ throws in
            let before = try Data(contentsOf: file)
            _ = try contents(DataSource(file, .database(table: "t")))
            #expect(try Data(contentsOf: file) == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: file.deletingLastPathComponent().path) == ["credit.db"])
        }
    }
}
