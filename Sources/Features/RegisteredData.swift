import Foundation
import Jobs
import Tables

extension DataSource {
    /// A data set as its owner's node is configured: the one way by which any verb opens it.
    package init(_ dataset: NodeConfiguration.Dataset) {
        let form: Form = dataset.table.map { .database(table: $0) }
            ?? .text(Encoding(dataset.encoding), Separator(dataset.separator))
        self.init(URL(fileURLWithPath: dataset.path), form)
    }
}

extension DataSource.Encoding {
    package init(_ encoding: NodeConfiguration.Dataset.Encoding) {
        self = switch encoding {
        case .utf8: .utf8
        case .gb18030: .gb18030
        }
    }
}

extension DataSource.Separator {
    package init(_ separator: NodeConfiguration.Dataset.Separator) {
        self = switch separator {
        case .comma: .comma
        case .semicolon: .semicolon
        case .tab: .tab
        }
    }
}
