import Faults

/// Lines and points over two axes: curves of a model, a loss over rounds, a distribution in steps, a calibration.
package struct LineChart: Sendable {
    package struct Point: Sendable, Hashable {
        package var x: Double
        package var y: Double

        package init(_ x: Double, _ y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// Between two values at one place, such as an interval.
    package struct Range: Sendable, Hashable {
        package var x: Double
        package var lower: Double
        package var upper: Double

        package init(_ x: Double, _ lower: Double, _ upper: Double) {
            self.x = x
            self.lower = lower
            self.upper = upper
        }
    }

    package struct Series: Sendable {
        package var name: Phrase
        package var tone: Tone
        /// In the order in which they are joined. A point that is not finite interrupts the line; of one in
        /// many pieces the first 50 are drawn.
        package var points: [Point]
        package var isFilled: Bool
        package var hasDots: Bool
        /// Without it the points are not joined, but dots.
        package var isJoined: Bool
        /// A shaded stretch, by rising x.
        package var band: [Range]
        /// Upright lines through the points.
        package var whiskers: [Range]

        package init(_ name: Phrase, _ tone: Tone, _ points: [Point], isFilled: Bool = false, hasDots: Bool = false, isJoined: Bool = true,
                     band: [Range] = [], whiskers: [Range] = []) {
            self.name = name
            self.tone = tone
            self.points = points
            self.isFilled = isFilled
            self.hasDots = hasDots
            self.isJoined = isJoined
            self.band = band
            self.whiskers = whiskers
        }
    }

    /// A thin straight line to compare with.
    package struct Reference: Sendable {
        package var from: Point
        package var to: Point
        /// Beside its middle.
        package var label: Phrase?

        package init(_ from: Point, _ to: Point, label: Phrase? = nil) {
            self.from = from
            self.to = to
            self.label = label
        }
    }

    package var title: Phrase
    package var description: Phrase?
    package var x: Axis
    package var y: Axis
    package var series: [Series]
    package var references: [Reference]
    package var size: ChartSize

    package init(_ title: Phrase, description: Phrase? = nil, x: Axis, y: Axis, series: [Series], references: [Reference] = [],
                 size: ChartSize = .half) {
        self.title = title
        self.description = description
        self.x = x
        self.y = y
        self.series = series
        self.references = references
        self.size = size
    }

    /// The corners of a line that goes in steps: each value holds from its lower bound to its upper one.
    package static func steps(_ cells: [(lower: Double, upper: Double, value: Double)]) -> [Point] {
        guard let first = cells.first, let last = cells.last else { return [] }
        return [Point(first.lower, 0)] + cells.flatMap { [Point($0.lower, $0.value), Point($0.upper, $0.value)] } + [Point(last.upper, 0)]
    }

    package var markup: Markup {
        var plot = Plot(size, x: x, y: y, xs: series.flatMap { $0.points.map(\.x) + ($0.band + $0.whiskers).map(\.x) },
                        ys: series.flatMap { $0.points.map(\.y) + ($0.band + $0.whiskers).flatMap { [$0.lower, $0.upper] } })
        for reference in references {
            let (x1, y1) = (plot.x(reference.from.x), plot.y(reference.from.y))
            let (x2, y2) = (plot.x(reference.to.x), plot.y(reference.to.y))
            plot.drawing.line(x1, y1, x2, y2, colour: "#56636f", width: 1.2, dashes: "4 4")
        }
        for one in series {
            let band = thinned(one.band.filter { [$0.x, $0.lower, $0.upper].allSatisfy(Scale.isDrawable) }.map { ($0.x, $0.upper, $0.lower) })
            let edge = band.map { (plot.x($0.0), plot.y($0.1)) } + band.reversed().map { (plot.x($0.0), plot.y($0.2)) }
            plot.drawing.area(edge, one.tone, opacity: 0.18)
            let whiskers = one.whiskers.prefix(LineChart.mostPlaces)
            for whisker in whiskers where [whisker.x, whisker.lower, whisker.upper].allSatisfy(Scale.isDrawable) {
                let (x, lower, upper) = (plot.x(whisker.x), plot.y(whisker.lower), plot.y(whisker.upper))
                plot.drawing.line(x, lower, x, upper, colour: one.tone.colour, width: 1.4)
                for end in [lower, upper] { plot.drawing.line(x - 3.5, end, x + 3.5, end, colour: one.tone.colour, width: 1.4) }
            }
            for run in one.points.split(whereSeparator: { !Scale.isDrawable($0.x) || !Scale.isDrawable($0.y) }).prefix(LineChart.mostRuns) {
                let places = thinned(run.map { (plot.x($0.x), plot.y($0.y), 0) }).map { (x: $0.0, y: $0.1) }
                guard let first = places.first, let last = places.last else { continue }
                if one.isFilled { plot.drawing.area([(first.x, plot.y(0))] + places + [(last.x, plot.y(0))], one.tone, opacity: 0.3) }
                if one.isJoined { plot.drawing.path(places, one.tone) }
                if one.hasDots || !one.isJoined || places.count == 1 { for place in places { plot.drawing.dot(place.x, place.y, one.tone) } }
            }
        }
        for reference in references {
            guard let label = reference.label else { continue }
            let (x, y) = ((plot.x(reference.from.x) + plot.x(reference.to.x)) / 2, (plot.y(reference.from.y) + plot.y(reference.to.y)) / 2)
            // On the side where there is more room.
            let isLeft = x < (plot.x.start + plot.x.end) / 2
            let room = isLeft ? plot.x.end - x : x - plot.x.start
            plot.drawing.text(label, isLeft ? x + 8 : x - 8, y + 4, isLeft ? .start : .end, room: room, bold: true, isOverLines: true)
        }
        if !series.contains(where: { $0.points.contains { Scale.isDrawable($0.x) && Scale.isDrawable($0.y) } }) { plot.sayNothingToDraw() }
        return plot.drawing.figure(title, description: description, legend: series.map { one in
            one.isFilled ? .block(one.name, one.tone, opacity: 0.5) : one.isJoined ? .line(one.name, one.tone) : .dot(one.name, one.tone)
        })
    }

    private static let mostPlaces = 800
    private static let mostRuns = 50

    /// At most `mostPlaces` of the places: of each stretch its first, last, highest and lowest, which leave the same picture.
    private func thinned(_ places: [(Double, Double, Double)]) -> [(Double, Double, Double)] {
        guard places.count > LineChart.mostPlaces else { return places }
        return (0..<LineChart.mostPlaces / 4).flatMap { part -> [(Double, Double, Double)] in
            let range = part * places.count / (LineChart.mostPlaces / 4)..<(part + 1) * places.count / (LineChart.mostPlaces / 4)
            let highest = range.max { places[$0].1 < places[$1].1 } ?? range.lowerBound
            let lowest = range.min { places[$0].1 < places[$1].1 } ?? range.lowerBound
            return Set([range.lowerBound, highest, lowest, range.upperBound - 1]).sorted().map { places[$0] }
        }
    }
}

/// The frame around a chart with two axes: grid, numbers, titles.
struct Plot {
    var drawing: Drawing
    let x: Scale
    let y: Scale

    /// - Parameter names: in place of numbers on the horizontal axis.
    init(_ size: ChartSize, x xAxis: Axis, y yAxis: Axis, xs: [Double], ys: [Double], fromZero: Bool = false, names: [Phrase]? = nil) {
        let height = 300.0
        let vertical = Scale(yAxis, values: ys, fromZero: fromZero, most: 5)
        let widest = vertical.ticks.map { TextWidth.ems($0.label) }.max() ?? 2
        let (left, right, top, bottom) = (max(30, widest * Drawing.letters + 10), size.width - 18, 30.0, height - 46)
        y = vertical.placed(from: bottom, to: top)
        x = Scale(xAxis, values: xs, most: names == nil ? (size == .half ? 5 : 10) : 1).placed(from: left, to: right)
        drawing = Drawing(width: size.width, height: height)

        for tick in y.ticks {
            drawing.line(left, y(tick.value), right, y(tick.value), colour: tick.value == 0 ? "#8796a3" : "#dfe5ea")
            drawing.text(.same(tick.label), left - 6, y(tick.value) + 4.5, .end)
        }
        if let names {
            // Every name where they fit; otherwise every second, third, ...
            let step = (right - left) / Double(max(names.count, 1))
            let need = names.prefix(200).map { max(TextWidth.ems($0.en), TextWidth.ems($0.zh)) * Drawing.letters + 8 }.max() ?? 1
            let every = max(Int((min(need, 150) / step).rounded(.up)), 1)
            for (index, name) in names.enumerated() where index.isMultiple(of: every) {
                drawing.text(name, left + (Double(index) + 0.5) * step, bottom + 17, .middle, room: step * Double(every))
            }
        } else {
            var free = -Double.infinity
            for tick in x.ticks {
                drawing.line(x(tick.value), bottom, x(tick.value), top, colour: "#eef1f4")
                drawing.line(x(tick.value), bottom, x(tick.value), bottom + 4, colour: "#8796a3")
                let half = TextWidth.ems(tick.label) * Drawing.letters / 2
                if x(tick.value) - half > free {
                    drawing.text(.same(tick.label), min(x(tick.value), size.width - half), bottom + 17, .middle)
                    free = x(tick.value) + half + 4
                }
            }
        }
        drawing.line(left, bottom, right, bottom, colour: "#8796a3")
        drawing.text(yAxis.title, 2, 15, room: size.width - 4, colour: "#45586a")
        drawing.text(xAxis.title, (left + right) / 2, height - 9, .middle, room: right - left, colour: "#45586a")
    }

    mutating func sayNothingToDraw() {
        drawing.text(nothingToDraw, (x.start + x.end) / 2, (y.start + y.end) / 2, .middle, room: x.end - x.start)
    }
}

let nothingToDraw = Phrase(en: "nothing to show", zh: "无可显示的内容")
