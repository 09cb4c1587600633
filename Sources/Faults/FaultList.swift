/// Every fault of a document, at least one, in the order in which they were found.
package struct FaultList: Error, Sendable, Hashable {
    package let faults: [Fault]

    package init(faults: [Fault]) { self.faults = faults }

    /// The same faults with places such as `spec.json#/training/l2`, for a caller who knows the file.
    package func located(in file: String) -> FaultList {
        FaultList(faults: faults.map { fault in
            // Places are JSON pointers (RFC 6901) or, for the whole document, its kind.
            let place = fault.place.hasPrefix("/") ? file + "#" + fault.place : file
            return Fault(fault.code, at: place, arguments: fault.arguments)
        })
    }
}
