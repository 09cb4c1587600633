import Faults
import Foundation

/// One direction of a drawing: what is measured, between which bounds, and how its numbers are written.
package struct Axis: Sendable, Hashable {
    package enum Numbers: Sendable, Hashable {
        case plain
        /// Shares, 0.25 written as 25 %.
        case percent
        /// Log-odds ln(p / (1 - p)), written as the probability p.
        case logOdds
        case bytes
        case seconds
    }

    package var title: Phrase
    package var numbers: Numbers
    /// Where they are not given, the data decide.
    package var bounds: ClosedRange<Double>?

    package init(_ title: Phrase, _ numbers: Numbers = .plain, bounds: ClosedRange<Double>? = nil) {
        self.title = title
        self.numbers = numbers
        self.bounds = bounds
    }
}

struct Tick: Sendable, Hashable {
    let value: Double
    let label: String
}

/// An axis with its data: bounds, the way from values to places in the drawing, and marks at round numbers.
struct Scale {
    let lower: Double
    let upper: Double
    let ticks: [Tick]
    private(set) var start = 0.0
    private(set) var end = 1.0

    /// Numbers beyond this are drawn as if they were not there: no difference of two overflows.
    static func isDrawable(_ value: Double) -> Bool { abs(value) < 1e150 }

    /// - Parameters:
    ///   - values: what is to lie within; what is not drawable is passed over.
    ///   - fromZero: zero is to lie within, as bars need.
    ///   - most: ticks, more or less.
    init(_ axis: Axis, values: some Sequence<Double>, fromZero: Bool = false, most: Int) {
        var (least, greatest) = (Double.infinity, -Double.infinity)
        for value in values where Scale.isDrawable(value) {
            least = min(least, value)
            greatest = max(greatest, value)
        }
        if fromZero { (least, greatest) = (min(least, 0), max(greatest, 0)) }
        if !(least <= greatest) { (least, greatest) = (0, 1) }
        // Values too close to each other, or to zero, for steps between them are one value.
        if greatest - least <= max(1e-12 * max(abs(least), abs(greatest)), 1e-150) {
            let room = max(abs(least), abs(greatest)) < 1e-140 ? 1 : abs(least) / 10
            if fromZero { greatest = 1 } else { (least, greatest) = (least - room, greatest + room) }
        }
        if let bounds = axis.bounds, Scale.isDrawable(bounds.lowerBound), Scale.isDrawable(bounds.upperBound),
           bounds.upperBound - bounds.lowerBound > 1e-150 {
            (lower, upper) = (bounds.lowerBound, bounds.upperBound)
            ticks = Scale.ticks(axis.numbers, lower, upper, most)
        } else {
            let step = Scale.step(least, greatest, most, axis.numbers)
            let wide = axis.numbers != .logOdds
            lower = wide ? (least / step).rounded(.down) * step : least
            upper = wide ? (greatest / step).rounded(.up) * step : greatest
            ticks = Scale.ticks(axis.numbers, lower, upper, most)
        }
    }

    /// Places in the drawing of the two bounds.
    func placed(from start: Double, to end: Double) -> Scale {
        var copy = self
        (copy.start, copy.end) = (start, end)
        return copy
    }

    /// What lies beyond the bounds is drawn on them.
    func callAsFunction(_ value: Double) -> Double {
        let share = (min(max(value, lower), upper) - lower) / (upper - lower)
        return start + share * (end - start)
    }

    /// 1, 2 or 5 times a power of ten; of time, whole minutes and hours.
    private static func step(_ lower: Double, _ upper: Double, _ most: Int, _ numbers: Axis.Numbers) -> Double {
        let rough = (upper - lower) / Double(max(most, 1))
        if numbers == .seconds, rough > 30 {
            for step in [60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400] where rough <= Double(step) { return Double(step) }
        }
        let power = pow(10, log10(rough).rounded(.down))
        for factor in [1.0, 2, 5] where rough <= factor * power * (1 + 1e-9) { return factor * power }
        return 10 * power
    }

    private static func ticks(_ numbers: Axis.Numbers, _ lower: Double, _ upper: Double, _ most: Int) -> [Tick] {
        if numbers == .logOdds { return probabilities(lower, upper, most) }
        let step = step(lower, upper, most, numbers)
        let first = (lower / step - 1e-9).rounded(.up)
        // Bounds of the caller's may be far from zero and close to each other.
        guard step > 0, step.isFinite, abs(first) < 1e12 else { return [] }
        return (0...max(2 * most, 12)).map { (first + Double($0)) * step }.filter { $0 <= upper + 1e-9 * step }
            .map { Tick(value: $0, label: label($0, step: step, numbers)) }
    }

    private static func label(_ value: Double, step: Double, _ numbers: Axis.Numbers) -> String {
        func places(_ step: Double) -> Int { min(max(Int((-log10(step) - 1e-9).rounded(.up)), 0), 10) }
        switch numbers {
        case .percent: return Figures.fixed(100 * value, places(100 * step)) + " %"
        case .bytes:
            // One unit for the whole axis would need the greatest value; three digits tell as much.
            return value < 0 ? Figures.fixed(value, 0) : Figures.bytes(UInt64(min(value, 1e18))).replacing(".00", with: "").replacing(".0", with: "")
        case .seconds where step >= 60: return clock(value)
        case .seconds where step >= 1e-9 && abs(value) < 1e9: return Figures.fixed(value, places(step)) + " s"
        case .plain, .logOdds, .seconds:
            return abs(value) >= 1e9 || step < 1e-9 ? scientific(value) : Figures.fixed(value, places(step))
        }
    }

    /// h:mm or min:ss would be read for one another.
    private static func clock(_ seconds: Double) -> String {
        let minutes = Int(min(max(seconds, 0), 1e15)) / 60
        if minutes == 0 { return "0" }
        if minutes < 60 { return "\(minutes) min" }
        return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60)"
    }

    private static func scientific(_ value: Double) -> String {
        String(format: "%.3g", value).replacing("-", with: "\u{2212}")
    }

    /// Round probabilities that lie far enough apart.
    private static func probabilities(_ lower: Double, _ upper: Double, _ most: Int) -> [Tick] {
        let round = ["0.01", "0.1", "0.3", "1", "3", "10", "30", "50", "70", "90", "97", "99", "99.9"]
        // The middle first, so that it stays.
        let ranked = ["50", "10", "1", "0.1", "90", "99", "3", "30", "70", "0.3", "97", "99.9", "0.01"]
        func place(_ percent: String) -> Double {
            let share = (Double(percent) ?? 50) / 100
            return log(share / (1 - share))
        }
        let room = (upper - lower) / Double(max(most, 1)) * 0.8
        var taken: [String] = []
        for percent in ranked where lower <= place(percent) && place(percent) <= upper {
            if taken.allSatisfy({ abs(place($0) - place(percent)) >= room }) { taken.append(percent) }
        }
        return round.filter(taken.contains).map { Tick(value: place($0), label: $0 + " %") }
    }
}
