import Faults

/// What happened when, one lane below the other: phases as spans, frames as marks.
package struct Timeline: Sendable {
    package struct Span: Sendable, Hashable {
        package var name: Phrase
        package var tone: Tone
        package var start: Double
        package var end: Double

        package init(_ name: Phrase, _ tone: Tone, from start: Double, to end: Double) {
            self.name = name
            self.tone = tone
            self.start = start
            self.end = end
        }
    }

    package struct Mark: Sendable, Hashable {
        package var time: Double
        /// How much of it there was, such as the bytes of a frame; not negative.
        package var amount: Double

        package init(_ time: Double, _ amount: Double = 1) {
            self.time = time
            self.amount = amount
        }
    }

    package struct Lane: Sendable {
        package var name: Phrase
        package var tone: Tone
        package var spans: [Span]
        /// In any order. Marks at about the same time are added up in one bar.
        package var marks: [Mark]

        package init(_ name: Phrase, _ tone: Tone = .blue, spans: [Span] = [], marks: [Mark] = []) {
            self.name = name
            self.tone = tone
            self.spans = spans
            self.marks = marks
        }
    }

    package var title: Phrase
    package var description: Phrase?
    /// Most often seconds since the start.
    package var time: Axis
    /// How amounts of marks are written.
    package var amounts: Axis.Numbers
    package var lanes: [Lane]
    package var size: ChartSize

    package static let mostLanes = 20
    package static let mostSpans = 200
    private static let steps = 240

    package init(_ title: Phrase, description: Phrase? = nil, time: Axis, amounts: Axis.Numbers = .plain, lanes: [Lane], size: ChartSize = .full) {
        self.title = title
        self.description = description
        self.time = time
        self.amounts = amounts
        self.lanes = lanes
        self.size = size
    }

    package var markup: Markup {
        let shown = Array(lanes.prefix(Timeline.mostLanes))
        let hasMarks = shown.contains { !$0.marks.isEmpty }
        let values = shown.flatMap { lane in lane.spans.flatMap { [$0.start, $0.end] } + lane.marks.map(\.time) }
        var rows = Rows(size, axis: time, names: shown.map(\.name), values: values, fromZero: time.bounds == nil, height: hasMarks ? 62 : 34)
        var left = lanes.count - shown.count
        let bins = shown.map { binned($0.marks, rows.scale) }
        let greatest = bins.flatMap { $0.map(\.amount) }.max() ?? 0
        for (index, lane) in shown.enumerated() {
            // Names of spans stand above the marks, never under them.
            let band = rows.middle(index) - (hasMarks ? 27 : 13), floor = rows.middle(index) + 26
            let spans = lane.spans.prefix(Timeline.mostSpans).filter { Scale.isDrawable($0.start) && Scale.isDrawable($0.end) }
            left += lane.spans.count - min(lane.spans.count, Timeline.mostSpans)
            for span in spans {
                let (start, end) = (rows.scale(span.start), rows.scale(max(span.end, span.start)))
                let length = Figures.duration(seconds: span.end - span.start)
                let hint = time.numbers == .seconds ? Phrase(en: "\(span.name.en): \(length.en)", zh: "\(span.name.zh)：\(length.zh)") : span.name
                rows.drawing.bar(start, band, max(end - start, 1), hasMarks ? 20 : 26, span.tone, opacity: 0.32, hint: hint)
                if end - start > 24 {
                    rows.drawing.text(span.name, (start + end) / 2, band + (hasMarks ? 14.5 : 17.5), .middle, room: end - start - 6)
                }
            }
            if !lane.marks.isEmpty { rows.drawing.line(rows.scale.start, floor, rows.scale.end, floor, colour: "#c3ccd4") }
            let step = (rows.scale.end - rows.scale.start) / Double(Timeline.steps)
            for (bin, sum) in bins[index].enumerated() where sum.count > 0 {
                let height = greatest > 0 ? max(sum.amount / greatest * 30, 1.5) : 1.5
                let written = Scale.written(sum.amount, amounts)
                rows.drawing.bar(rows.scale.start + Double(bin) * step, floor - height, step * 0.92, height, lane.tone,
                                 hint: Phrase(en: "\(Figures.count(sum.count)): \(written)", zh: "\(Figures.count(sum.count)) 个：\(written)"))
            }
        }
        return .group([rows.drawing.figure(title, description: description), leftOut(left)])
    }

    private func binned(_ marks: [Mark], _ scale: Scale) -> [(count: Int, amount: Double)] {
        var bins = [(count: Int, amount: Double)](repeating: (0, 0), count: Timeline.steps)
        for mark in marks where Scale.isDrawable(mark.time) && Scale.isDrawable(mark.amount) {
            let share = (scale(mark.time) - scale.start) / (scale.end - scale.start)
            let bin = min(max(Int(share * Double(Timeline.steps)), 0), Timeline.steps - 1)
            bins[bin].count += 1
            bins[bin].amount += max(mark.amount, 0)
        }
        return bins
    }
}
