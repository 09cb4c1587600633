import Foundation
import FoundationXML

/// What a reader of XML finds in a page: elements in order, with their attributes and texts.
final class WellFormed: NSObject, XMLParserDelegate {
    struct Element {
        var name: String
        var attributes: [String: String]
        /// Of the element and of all within it.
        var text = ""
        var depth: Int
        /// Language of the nearest element that names one.
        var language: String?
    }

    private(set) var elements: [Element] = []
    private var open: [Int] = []

    /// `nil` where the page is not well-formed.
    init?(_ page: [UInt8]) {
        super.init()
        let parser = XMLParser(data: Data(page))
        parser.delegate = self
        guard parser.parse() else { return nil }
    }

    func parser(_ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String] = [:]) {
        let language = attributes["lang"] ?? open.last.flatMap { elements[$0].language }
        elements.append(Element(name: name, attributes: attributes, depth: open.count, language: language))
        open.append(elements.count - 1)
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) { open.removeLast() }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        for index in open { elements[index].text += text }
    }

    func all(_ name: String) -> [Element] { elements.filter { $0.name == name } }
    func texts(_ language: String) -> [String] { elements.filter { $0.attributes["lang"] == language && $0.name != "html" }.map(\.text) }
}
