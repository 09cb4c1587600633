import Faults

/// Upright bars in groups over names: measures of two models, counts by class.
package struct BarChart: Sendable {
    package struct Series: Sendable {
        package var name: Phrase
        package var tone: Tone
        /// One for each group; missing and not finite ones have no bar.
        package var values: [Double]

        package init(_ name: Phrase, _ tone: Tone, _ values: [Double]) {
            self.name = name
            self.tone = tone
            self.values = values
        }
    }

    package var title: Phrase
    package var description: Phrase?
    package var x: Axis
    package var y: Axis
    package var groups: [Phrase]
    package var series: [Series]
    package var size: ChartSize

    /// More groups than this are not drawn; a note says so.
    package static let mostGroups = 200

    package init(_ title: Phrase, description: Phrase? = nil, x: Phrase, y: Axis, groups: [Phrase], series: [Series], size: ChartSize = .half) {
        self.title = title
        self.description = description
        self.x = Axis(x)
        self.y = y
        self.groups = groups
        self.series = series
        self.size = size
    }

    package var markup: Markup {
        let names = Array(groups.prefix(BarChart.mostGroups))
        var plot = Plot(size, x: x, y: y, xs: [], ys: series.flatMap { $0.values.prefix(names.count) }, fromZero: true, names: names)
        let step = (plot.x.end - plot.x.start) / Double(max(names.count, 1))
        let width = step * 0.78 / Double(max(series.count, 1))
        var isEmpty = true
        for (number, one) in series.enumerated() {
            for (index, (name, value)) in zip(names, one.values).enumerated() where Scale.isDrawable(value) {
                isEmpty = false
                let (x, zero, end) = (plot.x.start + (Double(index) + 0.11) * step + Double(number) * width, plot.y(0), plot.y(value))
                let label = Scale.written(value, y.numbers)
                plot.drawing.bar(x, min(zero, end), width * 0.94, abs(zero - end), one.tone,
                                 hint: Phrase(en: "\(name.en), \(one.name.en): \(label)", zh: "\(name.zh)，\(one.name.zh)：\(label)"))
            }
        }
        if isEmpty { plot.sayNothingToDraw() }
        return .group([
            plot.drawing.figure(title, description: description, legend: series.map { .block($0.name, $0.tone) }),
            leftOut(groups.count - names.count),
        ])
    }
}

/// Lying bars from a common zero, to the right and to the left: coefficients of a model.
package struct SignedBars: Sendable {
    package struct Bar: Sendable, Hashable {
        package var name: Phrase
        package var value: Double
        /// Whiskers, where there is an interval.
        package var interval: ClosedRange<Double>?

        package init(_ name: Phrase, _ value: Double, interval: ClosedRange<Double>? = nil) {
            self.name = name
            self.value = value
            self.interval = interval
        }
    }

    package var title: Phrase
    package var description: Phrase?
    package var axis: Axis
    package var bars: [Bar]
    /// Digits after the point of the number beside each bar.
    package var places: Int
    package var size: ChartSize
    package static let mostBars = 60

    package init(_ title: Phrase, description: Phrase? = nil, axis: Axis, bars: [Bar], places: Int = 3, size: ChartSize = .full) {
        self.title = title
        self.description = description
        self.axis = axis
        self.bars = bars
        self.places = places
        self.size = size
    }

    package var markup: Markup {
        let shown = Array(bars.prefix(SignedBars.mostBars))
        let values = shown.flatMap { [$0.value] + ($0.interval.map { [$0.lowerBound, $0.upperBound] } ?? []) }
        let rows = Rows(size, axis: axis, names: shown.map(\.name), values: values, roomForNumbers: true)
        var drawing = rows.drawing
        for (index, bar) in shown.enumerated() where Scale.isDrawable(bar.value) {
            let (zero, end, middle) = (rows.scale(0), rows.scale(bar.value), rows.middle(index))
            drawing.bar(min(zero, end), middle - 7, abs(zero - end), 14, bar.value < 0 ? .blue : .vermillion,
                        hint: Phrase(en: "\(bar.name.en): \(Figures.fixed(bar.value, 6))", zh: "\(bar.name.zh)：\(Figures.fixed(bar.value, 6))"))
            var (left, right) = (min(zero, end), max(zero, end))
            if let interval = bar.interval, Scale.isDrawable(interval.lowerBound), Scale.isDrawable(interval.upperBound) {
                let (lower, upper) = (rows.scale(interval.lowerBound), rows.scale(interval.upperBound))
                drawing.line(lower, middle, upper, middle, colour: "#1b2733", width: 1.4)
                for place in [lower, upper] { drawing.line(place, middle - 4, place, middle + 4, colour: "#1b2733", width: 1.4) }
                (left, right) = (min(left, lower), max(right, upper))
            }
            let isLeft = bar.value < 0
            drawing.text(.same(Figures.fixed(bar.value, places, sign: true)), isLeft ? left - 5 : right + 5, middle + 4.5, isLeft ? .end : .start)
        }
        return .group([drawing.figure(title, description: description), leftOut(bars.count - shown.count)])
    }
}

/// Values with their intervals, one below the other: measures of two models.
package struct IntervalChart: Sendable {
    package struct Row: Sendable, Hashable {
        package var name: Phrase
        package var tone: Tone
        package var value: Double
        package var lower: Double
        package var upper: Double

        package init(_ name: Phrase, _ tone: Tone, value: Double, lower: Double, upper: Double) {
            self.name = name
            self.tone = tone
            self.value = value
            self.lower = lower
            self.upper = upper
        }
    }

    package var title: Phrase
    package var description: Phrase?
    package var axis: Axis
    package var rows: [Row]
    package var size: ChartSize
    /// Zero is within the axis: it tells differences that are there from those that may not be.
    package var marksZero: Bool

    package init(_ title: Phrase, description: Phrase? = nil, axis: Axis, rows: [Row], size: ChartSize = .half, marksZero: Bool = false) {
        self.title = title
        self.description = description
        self.axis = axis
        self.rows = rows
        self.size = size
        self.marksZero = marksZero
    }

    package var markup: Markup {
        let shown = Array(rows.prefix(SignedBars.mostBars))
        let values = shown.flatMap { [$0.lower, $0.value, $0.upper] }
        let frame = Rows(size, axis: axis, names: shown.map(\.name), values: values, fromZero: marksZero, height: 36)
        var drawing = frame.drawing
        for (index, row) in shown.enumerated() where [row.lower, row.value, row.upper].allSatisfy(Scale.isDrawable) {
            let (middle, lower, upper) = (frame.middle(index) + 5, frame.scale(row.lower), frame.scale(row.upper))
            drawing.line(lower, middle, upper, middle, colour: row.tone.colour, width: 2.4)
            for place in [lower, upper] { drawing.line(place, middle - 5, place, middle + 5, colour: row.tone.colour, width: 2.4) }
            drawing.dot(frame.scale(row.value), middle, radius: 5, row.tone)
            let text = "\(Figures.fixed(row.value, 3)) [\(Figures.fixed(row.lower, 3)), \(Figures.fixed(row.upper, 3))]"
            // Above its line, kept within the drawing.
            let half = TextWidth.ems(text) * Drawing.letters / 2
            let place = min(max((lower + upper) / 2, frame.scale.start + half), frame.scale.end - half + 14)
            drawing.text(.same(text), place, middle - 9, .middle)
        }
        return .group([drawing.figure(title, description: description), leftOut(rows.count - shown.count)])
    }
}

/// Lying bars cut into parts: time or bytes by phase.
package struct StackedBars: Sendable {
    package struct Bar: Sendable, Hashable {
        package var name: Phrase
        /// One for each part, not negative.
        package var values: [Double]

        package init(_ name: Phrase, _ values: [Double]) {
            self.name = name
            self.values = values
        }
    }

    package struct Part: Sendable, Hashable {
        package var name: Phrase
        package var tone: Tone

        package init(_ name: Phrase, _ tone: Tone) {
            self.name = name
            self.tone = tone
        }
    }

    package var title: Phrase
    package var description: Phrase?
    package var axis: Axis
    package var parts: [Part]
    package var bars: [Bar]
    package var size: ChartSize

    package init(_ title: Phrase, description: Phrase? = nil, axis: Axis, parts: [Part], bars: [Bar], size: ChartSize = .full) {
        self.title = title
        self.description = description
        self.axis = axis
        self.parts = parts
        self.bars = bars
        self.size = size
    }

    package var markup: Markup {
        let shown = Array(bars.prefix(SignedBars.mostBars))
        func drawable(_ value: Double) -> Double { Scale.isDrawable(value) ? max(value, 0) : 0 }
        let totals = shown.map { bar in zip(parts, bar.values).reduce(0) { $0 + drawable($1.1) } }
        let rows = Rows(size, axis: axis, names: shown.map(\.name), values: totals, height: 30, roomForNumbers: true)
        var drawing = rows.drawing
        for (index, bar) in shown.enumerated() {
            var sum = 0.0
            for (part, value) in zip(parts, bar.values) {
                let (start, end) = (rows.scale(sum), rows.scale(sum + drawable(value)))
                let label = Scale.written(value, axis.numbers)
                drawing.bar(start, rows.middle(index) - 10, end - start, 20, part.tone,
                            hint: Phrase(en: "\(bar.name.en), \(part.name.en): \(label)", zh: "\(bar.name.zh)，\(part.name.zh)：\(label)"))
                sum += drawable(value)
            }
            drawing.text(Scale.total(sum, axis.numbers), rows.scale(sum) + 6, rows.middle(index) + 4.5)
        }
        return .group([
            drawing.figure(title, description: description, legend: parts.map { .block($0.name, $0.tone) }),
            leftOut(bars.count - shown.count),
        ])
    }
}

/// The frame of charts whose rows have names at the left and share one horizontal axis.
struct Rows {
    var drawing: Drawing
    let scale: Scale
    private let height: Double

    init(_ size: ChartSize, axis: Axis, names: [Phrase], values: [Double], fromZero: Bool = true, height: Double = 22,
         roomForNumbers: Bool = false) {
        self.height = height
        let most = size == .half ? 4 : 8
        let widest = names.map { max(TextWidth.ems($0.en), TextWidth.ems($0.zh)) }.max() ?? 0
        let left = min(widest * Drawing.letters, size.width * 0.36) + 14
        let bottom = Double(max(names.count, 1)) * height + 6
        let drawn = Scale(axis, values: values, fromZero: fromZero, most: most)
        // Numbers stand beyond the ends of bars, on both sides where bars go to both.
        let margin = roomForNumbers ? 74.0 : 20
        scale = drawn.placed(from: left + (roomForNumbers && drawn.lower < 0 ? 58 : 4), to: size.width - margin)
        drawing = Drawing(width: size.width, height: bottom + 42)
        var free = -Double.infinity
        for tick in scale.ticks {
            let place = scale(tick.value)
            drawing.line(place, 2, place, bottom, colour: tick.value == 0 ? "#8796a3" : "#e4e9ed")
            let half = TextWidth.ems(tick.label) * Drawing.letters / 2
            guard place - half > free else { continue }
            drawing.text(.same(tick.label), place, bottom + 15, .middle)
            free = place + half + 4
        }
        drawing.text(axis.title, (left + size.width) / 2, bottom + 34, .middle, room: size.width - left, colour: "#45586a")
        for (index, name) in names.enumerated() {
            drawing.text(name, left - 8, middle(index) + 4.5, .end, room: left - 10)
        }
        if names.isEmpty { drawing.text(nothingToDraw, size.width / 2, bottom / 2 + 4, .middle) }
    }

    func middle(_ index: Int) -> Double { 4 + (Double(index) + 0.5) * height }
}

func leftOut(_ count: Int) -> Markup {
    count <= 0 ? .empty : .note(Phrase(en: "\(Figures.count(count)) more are not drawn.", zh: "另有 \(Figures.count(count)) 项未绘出。"))
}

extension Scale {
    /// A value as a hint tells it.
    static func written(_ value: Double, _ numbers: Axis.Numbers) -> String {
        switch numbers {
        case .percent: Figures.percent(value, 2)
        case .bytes: Figures.bytes(UInt64(min(max(value, 0), 1e18)))
        case .seconds: Figures.fixed(value, 1) + " s"
        case .plain, .logOdds: value == value.rounded() ? Figures.fixed(value, 0) : Figures.fixed(value, 4)
        }
    }

    static func total(_ value: Double, _ numbers: Axis.Numbers) -> Phrase {
        numbers == .seconds ? Figures.duration(seconds: value) : .same(written(value, numbers))
    }
}
