import Faults
import Foundation
import Ledger
import Wire

/// Frames of a ledger in words.
package struct FrameDescription: Sendable {
    package struct Field: Sendable {
        package let name: String
        /// Bytes are cut to the first few.
        package let value: String
    }

    package let place: Place
    package let record: FrameRecord
    package let from: AuditedFlow.End
    package let to: AuditedFlow.End
    /// Nothing where the payload is not kept, or not the one that crossed.
    package let fields: [Field]?

    /// Frames in the order of line and direction; of one line, direction or index where given.
    package static func list(_ ledger: AuditedLedger, line: String?, direction: Direction?, frame: Int?, opened: Bool) -> [FrameDescription] {
        ledger.lines.filter { line == nil || $0.peer.name == line }.flatMap { $0.flows }
            .filter { direction == nil || $0.direction == direction }
            .flatMap { flow in
                flow.records.enumerated().compactMap { index, record in
                    guard let record, frame == nil || frame == index else { return nil }
                    return FrameDescription(
                        place: flow.place(index), record: record, from: flow.from, to: flow.to,
                        fields: opened ? ledger.message(record, flow.direction).map(Self.fields) : nil)
                }
            }
    }

    /// One line of a list.
    package func line(_ language: Language) -> String {
        let parts = ["\(place.frame ?? 0)".padding(6), "\(record.sequence)".padding(6), record.kind.name, record.phase.name(language),
                     "\(record.length)", short(record.digest)]
        return parts.joined(separator: "  ")
    }

    package func text(_ language: Language) -> String {
        let row = record.kind.row
        var lines = [
            place.text(language),
            Phrase(en: "  \(record.kind.name) (\(record.kind.rawValue)), \(from.role.name.en) \(from.name) to \(to.role.name.en) \(to.name)",
                   zh: "  \(record.kind.name)（\(record.kind.rawValue)），\(from.role.name.zh) \(from.name) 发送给\(to.role.name.zh) \(to.name)")(language),
            Phrase(en: "  phase \(record.phase.name.en), attempt \(record.attempt), number \(record.sequence)",
                   zh: "  阶段：\(record.phase.name.zh)，第 \(record.attempt) 次尝试，序号 \(record.sequence)")(language),
            Phrase(en: "  payload: \(record.length) bytes, at most \(row.maximumPayloadBytes)",
                   zh: "  载荷：\(record.length) 字节，上限 \(row.maximumPayloadBytes)")(language),
            Phrase(en: "  SHA-256: \(hexadecimal(record.digest))", zh: "  SHA-256：\(hexadecimal(record.digest))")(language),
        ]
        if let digest = record.sm3Digest { lines.append(Phrase(en: "  SM3: \(hexadecimal(digest))", zh: "  SM3：\(hexadecimal(digest))")(language)) }
        lines += [
            Phrase(en: "  salt: \(hexadecimal(record.salt))", zh: "  盐：\(hexadecimal(record.salt))")(language),
            Phrase(en: "  shape: \(row.shape)", zh: "  字段：\(row.shape)")(language),
            Phrase(en: "  the receiver learns: \(row.reveals.en)", zh: "  接收方获知：\(row.reveals.zh)")(language),
        ]
        if let fields {
            lines += fields.map { "    \($0.name): \($0.value)" }
        } else {
            lines.append(Phrase(en: "  the payload is not kept", zh: "  载荷未留存")(language))
        }
        return lines.joined(separator: "\n")
    }

    private static func fields(_ message: Message) -> [Field] {
        guard let body = Mirror(reflecting: message).children.first?.value else { return [] }
        return fields(of: body, prefix: "")
    }

    /// Names as in `Protocols/jointlab.proto`.
    private static func fields(of body: Any, prefix: String) -> [Field] {
        Mirror(reflecting: body).children.flatMap { child -> [Field] in
            guard let label = child.label, label != "unknownFields", !label.hasPrefix("_protobuf") else { return [] }
            let name = prefix + snake(label.drop { $0 == "_" })
            let value = Mirror(reflecting: child.value)
            if value.displayStyle == .optional {
                guard let inner = value.children.first?.value else { return [] }
                return fields(of: inner, prefix: name + ".")
            }
            return [Field(name: name, value: text(child.value))]
        }
    }

    private static func text(_ value: Any) -> String {
        switch value {
        case let bytes as Data:
            let octets = bytes.octets
            let shown = hexadecimal(octets.prefix(32))
            return octets.count <= 32 ? "\(octets.count) bytes \(shown)" : "\(octets.count) bytes \(shown)…"
        case let phase as Phase: return phase.name.en
        case let texts as [String]: return texts.joined(separator: ", ")
        default: return "\(value)"
        }
    }

    private static func snake(_ label: Substring) -> String {
        label.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
    }
}

extension String {
    fileprivate func padding(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
