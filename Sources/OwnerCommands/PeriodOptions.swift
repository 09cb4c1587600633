import ArgumentParser
import Console
import Faults
import Foundation
import Installation
import Jobs
import NodeRuntime
import Pages

/// What the ledgers of a node say of a period, in the forms in which people and programs take it.
protocol PeriodReport {
    var json: JSONValue { get }
    func lines(_ language: Language) -> [String]
    func page(_ language: Language) -> Page
}

/// A period, and the form in which it is told of.
struct PeriodOptions: ParsableArguments {
    @Option(name: .customLong("from"), help: "First day. (起始日)") private var first: String?
    @Option(name: .customLong("until"), help: "Last day. (截止日)") private var last: String?
    @Flag(name: .long, help: "Print JSON. (以 JSON 输出)") private var json = false
    @Option(name: .long, help: ArgumentHelp("Write a page for the browser instead. (改为写出网页)", valueName: "file")) private var html: String?

    /// - Throws: `wrongType`, `valueOutOfRange`, `alreadyExists`; what `report` throws.
    func tell(_ language: Language, _ report: (ClosedRange<Day>) throws -> any PeriodReport) throws {
        if let html, FileManager.default.fileExists(atPath: html) { throw Fault(.alreadyExists, at: html) }
        func day(_ text: String?, _ option: String, else other: Day) throws(Fault) -> Day {
            guard let text else { return other }
            guard let day = Day(text) else { throw Fault(.wrongType, at: option, "a day such as 2026-03-31", "形如 2026-03-31 的日期") }
            return day
        }
        let from = try day(first, "--from", else: Day(number: 0)), until = try day(last, "--until", else: .today)
        guard from <= until else { throw Fault(.valueOutOfRange, at: "--from", "\(from)", "...\(until)") }
        let report = try report(from...until)
        if let html { try PrivateFile.create(report.page(language).bytes, at: html) }
        if json { Console.say(report.json.canonicalText()) }
        if html == nil, !json { for line in report.lines(language) { Console.say(line) } }
    }
}
