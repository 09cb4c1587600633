import Faults

extension Contract {
    /// - Throws: all faults of the document; places are JSON pointers, or "contract" for the whole.
    package static func parse(_ bytes: [UInt8]) throws(FaultList) -> Contract {
        try Findings.document(bytes, kind: "contract") { reader in
            _ = reader.optional("$schema", .text(1...1000))
            let version = reader.required("version", .integer(currentVersion...currentVersion))
            let name = reader.required("name", .name)
            let amends = reader.optional("amends", .hexadecimal(bytes: 32))
            // A name, a pin or a ledger key stands for one party or person alone.
            var names: Set<String> = []
            var keys: Set<[UInt8]> = []
            let parties = reader.list("parties", count: 3...100) { node, findings in
                findings.object(node) { reader in Party(reading: &reader, names: &names, keys: &keys) }
            }
            let partyNames = Set(parties.map(\.name))
            let people = reader.list("people", isOptional: true, count: 0...1000) { node, findings in
                findings.object(node) { reader in
                    Person(reading: &reader, parties: partyNames, names: &names, keys: &keys)
                }
            }
            let suite = reader.required("suite", .choice(Suite.p256SHA256))
            let limits = reader.object("limits", isOptional: true, Limits.init(reading:))

            let arbiters = parties.filter { $0.role == .arbiter }
            let isComplete = arbiters.count == 1 && Set(parties.map(\.role)) == Set(Role.allCases)
            if !isComplete, !parties.isEmpty {
                reader.findings.add(Fault(
                    .wrongType, at: reader.place(of: "parties"),
                    "exactly one arbiter, at least one bank and at least one platform", "恰好一个 arbiter、至少一个 bank 和一个 platform"))
            }
            return Contract(
                version: version, name: name, amends: amends, arbiter: arbiters.first ?? .none, parties: parties, people: people,
                suite: suite, limits: limits)
        }
    }
}

extension Contract.Party {
    /// Stands for an arbiter that a refused contract lacks.
    fileprivate static let none = Contract.Party(name: "", role: .arbiter, address: nil, pin: [], formerPin: nil, ledgerKey: [], policy: nil)

    fileprivate init(reading reader: inout ObjectReader, names: inout Set<String>, keys: inout Set<[UInt8]>) {
        name = reader.required("name", .name)
        reader.unique(name, "name", in: &names)
        role = reader.required("role", .choice(Contract.Role.arbiter))
        if role.listens {
            address = reader.required("address", .endpoint(ports: 1...65535))
        } else {
            address = nil
            reader.refuse(
                "address", "a bank has no address: it opens every connection itself", "bank 没有地址：连接均由其主动发起")
        }
        pin = reader.required("pin", .hexadecimal(bytes: 32))
        reader.unique(pin, "pin", in: &keys)
        formerPin = .read(&reader, keys: &keys)
        ledgerKey = reader.required("ledger_key", .base64(bytes: 32))
        reader.unique(ledgerKey, "ledger_key", in: &keys)
        if role.holdsData {
            policy = reader.optional("policy", .hexadecimal(bytes: 32))
        } else {
            policy = nil
            reader.refuse("policy", "the arbiter has no data for which there could be rules", "arbiter 不持有数据，无需策略")
        }
    }
}

extension Contract.FormerPin {
    fileprivate static func read(_ reader: inout ObjectReader, keys: inout Set<[UInt8]>) -> Contract.FormerPin? {
        guard reader.has("former_pin") else {
            reader.refuse(
                "former_pin_until", "it says how long 'former_pin' opens lines, which is not there", "它规定 former_pin 的有效期，而后者不存在")
            return nil
        }
        let former = reader.required("former_pin", .hexadecimal(bytes: 32))
        reader.unique(former, "former_pin", in: &keys)
        return Contract.FormerPin(pin: former, untilUnixSeconds: reader.required("former_pin_until", .instant))
    }
}

extension Contract.Person {
    fileprivate init(
        reading reader: inout ObjectReader, parties: Set<String>, names: inout Set<String>, keys: inout Set<[UInt8]>
    ) {
        name = reader.required("name", .name)
        reader.unique(name, "name", in: &names)
        role = reader.required("role", .choice(Contract.PersonRole.analyst))
        party = reader.optional("party", .name)
        if let party, !party.isEmpty, !parties.isEmpty, !parties.contains(party) {
            reader.findings.add(Fault(
                .unknownParty, at: reader.place(of: "party"), party, parties.sorted().joined(separator: ", ")))
        }
        pin = reader.required("pin", .hexadecimal(bytes: 32))
        reader.unique(pin, "pin", in: &keys)
        formerPin = .read(&reader, keys: &keys)
    }
}

extension Contract.Limits {
    fileprivate init(reading reader: inout ObjectReader) {
        self.init()
        minimumIntersection = reader.optional(
            "minimum_intersection", .integer(JobSpecification.Population.minimumIntersectionRange),
            default: minimumIntersection)
        maximumIntersection = reader.optional("maximum_intersection", .integer(minimumIntersection...1_000_000_000))
        maximumSetSize = reader.optional("maximum_set_size", .integer(1000...1_000_000_000), default: maximumSetSize)
        insecureKeyBits = reader.optional("insecure_key_bits", .flag, default: insecureKeyBits)
        minimumKeyBits = reader.optional(
            "minimum_key_bits", .integer((insecureKeyBits ? 512 : 2048)...3072, multipleOf: 256), default: minimumKeyBits)
        minimumRows = reader.optional("minimum_rows", .integer(100...1_000_000_000), default: minimumRows)
        maximumRounds = reader.optional("maximum_rounds", .integer(1...200), default: maximumRounds)
        exposurePercent = reader.nullable("exposure_percent", .number(0.01...100), default: 10)
        if exposurePercent == nil {
            exposureNote = reader.required("exposure_note", .text(1...500))
        } else {
            reader.refuse(
                "exposure_note", "the note says why 'exposure_percent' is null", "该说明仅用于解释 exposure_percent 为何是 null")
        }
        dominanceShare = reader.nullable("dominance_share", .number(0.01...1), default: 0.5)
        scoreResolutionBits = reader.optional("score_resolution_bits", .integer(1...20), default: scoreResolutionBits)
        badsPerColumn = reader.optional("bads_per_column", .integer(5...1000), default: badsPerColumn)
        deadlineSeconds = reader.optional("deadline_seconds", .integer(1...86_400), default: deadlineSeconds)
    }
}

extension ObjectReader {
    mutating func unique<Value: Hashable & Collection>(
        _ value: Value, _ key: String, in seen: inout Set<Value>
    ) {
        if !value.isEmpty, !seen.insert(value).inserted {
            findings.add(Fault(.duplicateName, at: place(of: key), value as? String ?? key))
        }
    }
}
