/// A dense matrix of doubles, row by row.
package struct Matrix: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    /// `rows * columns` entries; entry (r, c) stands at `r * columns + c`.
    package private(set) var elements: [Double]

    package init(rows: Int, columns: Int, elements: [Double]) {
        precondition(rows >= 0 && columns >= 0 && elements.count == rows * columns)
        self.rows = rows
        self.columns = columns
        self.elements = elements
    }

    package static func zeros(rows: Int, columns: Int) -> Matrix {
        Matrix(rows: rows, columns: columns, elements: Array(repeating: 0, count: rows * columns))
    }

    package subscript(row: Int, column: Int) -> Double {
        get {
            precondition(0 <= row && row < rows && 0 <= column && column < columns)
            return elements[row * columns + column]
        }
        set {
            precondition(0 <= row && row < rows && 0 <= column && column < columns)
            elements[row * columns + column] = newValue
        }
    }

    /// Adds `C^T diag(w) C`, where C is a block of rows given by its columns and w holds one weight per row.
    ///
    /// The matrix must be square with one row per column of C. A long table is added in blocks of a few hundred rows,
    /// which keeps a block in the processor's cache. The order of additions is fixed, so that equal blocks give equal
    /// bits everywhere.
    ///
    /// - Parameters:
    ///   - block: the columns of C, all of the length of `weights`.
    ///   - weights: diag(w), one per row of the block.
    package mutating func symmetricRankUpdate(_ block: [[Double]], weights: [Double]) {
        precondition(rows == columns && block.count == rows && block.allSatisfy { $0.count == weights.count })
        let size = rows
        let length = weights.count
        // One flat copy, so that the inner loops walk plain memory.
        let flat = [Double](unsafeUninitializedCapacity: size * length) { buffer, count in
            for (index, column) in block.enumerated() {
                for (row, value) in column.enumerated() { buffer[index * length + row] = value }
            }
            count = size * length
        }
        var weighted = [Double](repeating: 0, count: length)
        flat.withUnsafeBufferPointer { flat in
            elements.withUnsafeMutableBufferPointer { elements in
                for i in 0..<size {
                    for row in 0..<length { weighted[row] = weights[row] * flat[i * length + row] }
                    weighted.withUnsafeBufferPointer { weighted in
                        for j in i..<size {
                            let product = dot(weighted, UnsafeBufferPointer(rebasing: flat[j * length..<(j + 1) * length]))
                            elements[i * size + j] += product
                            if j > i { elements[j * size + i] += product }
                        }
                    }
                }
            }
        }
    }
}

/// The inner product over the length of `a`, which `b` reaches at least. Eight running sums, because one would wait
/// for itself at every addition.
func dot(_ a: UnsafeBufferPointer<Double>, _ b: UnsafeBufferPointer<Double>) -> Double {
    let count = a.count
    precondition(b.count >= count)
    guard let a = a.baseAddress, let b = b.baseAddress else { return 0 }
    var sums = SIMD8<Double>.zero
    var index = 0
    while index + 8 <= count {
        let left = UnsafeRawPointer(a + index).loadUnaligned(as: SIMD8<Double>.self)
        let right = UnsafeRawPointer(b + index).loadUnaligned(as: SIMD8<Double>.self)
        sums += left * right
        index += 8
    }
    var tail = 0.0
    while index < count {
        tail += a[index] * b[index]
        index += 1
    }
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7])) + tail
}
