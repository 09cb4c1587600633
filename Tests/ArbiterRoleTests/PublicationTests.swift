import ArbiterRole
import Faults
import Foundation
import Jobs
import Testing
import Wire

@Suite("What owners publish, at the arbiter") struct PublicationTests {
    private static func publication(_ party: String, columns: [String] = ["id", "a", "y"]) -> Publication {
        let description = DataDescription(rows: 2000, columns: columns.map { .init(name: $0, type: .number) })
        return Publication(party: party, datasets: ["main": description, "further": description], approval: .automatic, machine: nil)
    }

    private static func message(_ publication: Publication) -> Message {
        .nodePublication(.filled { $0.document = Data(publication.json.canonicalText().utf8) })
    }

    private func asked(_ lab: inout TrialArbiter, _ party: String, by name: String = "ann") -> Message? {
        lab.hear(.showPublication(.filled { $0.party = party }), from: TrialArbiter.person(name))
        return lab.take(TrialArbiter.person(name)).last?.message
    }

    @Test("any person of the lab sees what a party published last, and nothing before")
    func shown() throws {
        var lab = try TrialArbiter()
        #expect(asked(&lab, "north") == .publicationRecord(.init()))
        lab.hear(Self.message(Self.publication("north", columns: ["old"])), from: .party("north"))
        lab.hear(Self.message(Self.publication("north")), from: .party("north"))
        for name in ["ann", "ida", "paul"] {
            guard case .publicationRecord(let record)? = asked(&lab, "north", by: name) else {
                Issue.record("no record")
                continue
            }
            #expect(try Publication.parse(record.document.octets) == Self.publication("north"))
        }
        // Descriptions stay known while their owner is away.
        lab.step(.lost(.party("north")))
        #expect(asked(&lab, "north") != .publicationRecord(.init()))
        for stranger in ["middle", "nobody"] {
            lab.hear(.showPublication(.filled { $0.party = stranger }), from: TrialArbiter.person("ann"))
            #expect(try lab.refusal().map(\.code) == [.unknownParty])
        }
    }

    @Test("before an offer each side is sent the other's description of the one data set that is asked for")
    func peers() throws {
        var lab = try TrialArbiter()
        for name in ["north", "south"] { lab.hear(Self.message(Self.publication(name)), from: .party(name)) }
        _ = try lab.submit()
        for (name, peer) in [("north", "south"), ("south", "north")] {
            let messages = lab.take(.party(name)).map(\.message)
            #expect(messages.map(\.kind) == [.peerPublication, .jobOffer])
            guard case .peerPublication(let publication)? = messages.first else { continue }
            let read = try Publication.parse(publication.document.octets)
            #expect(read.party == peer && Array(read.datasets.keys) == ["main"])
        }
    }

    @Test("a publication in another's name, an unreadable one, or one before the registration ends the line", arguments: [
        ("south", ""), ("north", "{"), ("north", #"{"version": 1, "party": "north", "datasets": {"main": {"rows": 1, "columns": [], "values": [3]}}}"#),
    ])
    func hostile(party: String, text: String) throws {
        var lab = try TrialArbiter()
        lab.hear(text.isEmpty ? Self.message(Self.publication(party)) : .nodePublication(.filled { $0.document = Data(text.utf8) }), from: .party("north"))
        #expect(lab.closed[.party("north")]?.code == .malformedMessage)
        #expect(asked(&lab, "north") == .publicationRecord(.init()) && asked(&lab, "south") == .publicationRecord(.init()))
        var early = try TrialArbiter(registering: [])
        early.hear(Self.message(Self.publication("north")), from: .party("north"))
        #expect(early.closed[.party("north")]?.code == .unexpectedMessage)
    }

    @Test("a record says which party a running job waits for, and since when it was heard last")
    func awaited() throws {
        var lab = try TrialArbiter()
        let job = try lab.running()
        func progress(_ done: UInt64) -> Message { .jobProgress(.filled { ($0.phase, $0.round, $0.done, $0.total) = (.training, 1, done, 9) }) }
        lab.hear(progress(2), job, from: .party("south"))
        let heard = lab.now
        lab.hear(progress(5), job, from: .party("north"))
        var record = try lab.record(job)
        #expect(record.awaited == "south" && record.awaitedSinceUnixSeconds == heard && record.progress.done == 2)
        lab.hear(progress(5), job, from: .party("south"))
        record = try lab.record(job)
        #expect(record.awaited.isEmpty && record.awaitedSinceUnixSeconds == 0)
        lab.hear(progress(7), job, from: .party("south"))
        #expect(try lab.record(job).awaited == "north")
        // Who got no word of the arbiter waited for the other party.
        lab.hear(.end(Fault(.deadlinePassed, at: "middle", "600")), job, from: .party("south"))
        record = try lab.record(job)
        #expect(record.fault.fault(from: "") == Fault(.deadlinePassed, at: "north", "600") && record.awaited.isEmpty && record.state == .failed)
    }
}
