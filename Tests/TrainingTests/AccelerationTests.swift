import Foundation
import LinearAlgebra
import Testing
import Training

@Suite("Acceleration over both parties") struct AccelerationTests {
    /// Anderson's method over all weights in one place, from the vectors themselves and not from their inner products.
    struct Reference {
        var point: [Double]
        let history: Int
        var points: [[Double]] = []
        var steps: [[Double]] = []

        mutating func advance(_ step: [Double]) {
            points.append(point)
            steps.append(step)
            var next = zip(point, step).map(+)
            let depth = min(steps.count - 1, history)
            if depth > 0 {
                func differences(_ values: [[Double]]) -> [[Double]] {
                    (1...depth).map { back in zip(values[values.count - back], values[values.count - back - 1]).map { $0 - $1 } }
                }
                let (dF, dW) = (differences(steps), differences(points))
                for (gamma, (f, w)) in zip(leastSquares(dF, step), zip(dF, dW)) {
                    next = next.indices.map { next[$0] - gamma * (w[$0] + f[$0]) }
                }
            }
            point = next
        }
    }

    /// The arbiter's part: adds two shares in the ring, each under its pad, and solves.
    static func gamma(_ shares: [[Double]], depth: Int, pads: inout Numbers) -> [Double] {
        var gram = Matrix.zeros(rows: depth + 1, columns: depth + 1)
        var place = 0
        for i in 0...depth {
            for j in i...depth {
                let pad = RingElement(bytes: (0..<24).map { _ in UInt8.random(in: 0...255, using: &pads) }[...]) ?? RingElement(0)
                let sum = (RingElement(shares[0][place]) + pad) + (RingElement(shares[1][place]) - pad)
                gram[i, j] = sum.value
                gram[j, i] = sum.value
                place += 1
            }
        }
        #expect(shares.allSatisfy { $0.count == place })
        return MinimumNormLeastSquares.coefficients(gram: gram) ?? []
    }

    @Test("two parties with shares of inner products walk where one with all weights walks", arguments: [1, 2, 5, 8])
    func split(history: Int) {
        var random = Numbers(state: UInt64(history))
        let (bankSize, platformSize) = (6, 17)
        let start = (0..<bankSize + platformSize).map { _ in random.normal() }
        var reference = Reference(point: start, history: history)
        var bank = Acceleration(start: Array(start[..<bankSize]), history: history)
        var platform = Acceleration(start: Array(start[bankSize...]), history: history)
        for round in 0..<14 {
            #expect(bank.depth == min(round, history) && platform.depth == bank.depth)
            let step = start.indices.map { _ in random.normal() * pow(0.7, Double(round)) }
            let (bankStep, platformStep) = (Array(step[..<bankSize]), Array(step[bankSize...]))
            let shares = [bank.gramShare(step: bankStep), platform.gramShare(step: platformStep)]
            let gamma = Self.gamma(shares, depth: bank.depth, pads: &random)
            bank.advance(step: bankStep, gamma: gamma)
            platform.advance(step: platformStep, gamma: gamma)
            reference.advance(step)
            for (found, expected) in zip(bank.point + platform.point, reference.point) { #expect(abs(found - expected) < 1e-9) }
        }
    }

    @Test("a linear fixed point over both parties' weights is found in few more rounds than it has dimensions")
    func linear() {
        var random = Numbers(state: 3)
        // f(w) = -(M w - c) with M = I + small, over two weights of each party.
        let matrix = (0..<4).map { i in (0..<4).map { j in (i == j ? 1.0 : 0) + random.uniform(-0.4...0.4) } }
        let target = [1.0, -2, 3, 0.5]
        func step(_ w: [Double]) -> [Double] {
            matrix.map { row in -zip(row, zip(w, target).map { $0 - $1 }).reduce(0) { $0 + $1.0 * $1.1 } }
        }
        var (bank, platform) = (Acceleration(start: [0, 0], history: 8), Acceleration(start: [0, 0], history: 8))
        for _ in 0..<6 {
            let all = step(bank.point + platform.point)
            let (own, other) = (Array(all[..<2]), Array(all[2...]))
            let gamma = Self.gamma([bank.gramShare(step: own), platform.gramShare(step: other)], depth: bank.depth, pads: &random)
            bank.advance(step: own, gamma: gamma)
            platform.advance(step: other, gamma: gamma)
        }
        for (found, expected) in zip(bank.point + platform.point, target) { #expect(abs(found - expected) < 1e-8) }
    }

    @Test("shares are the upper triangle of the party's own inner products, the most recent difference first")
    func shares() {
        var party = Acceleration(start: [0, 0], history: 2)
        #expect(party.gramShare(step: [3, 4]) == [25])
        party.advance(step: [3, 4], gamma: [])
        #expect(party.point == [3, 4] && party.depth == 1)
        // dF = (1, 1) - (3, 4) = (-2, -3)
        #expect(party.gramShare(step: [1, 1]) == [13, -5, 2])
        party.advance(step: [1, 1], gamma: [0.5])
        // (3, 4) + (1, 1) - 0.5 ((3, 4) + (-2, -3))
        #expect(party.point == [3.5, 4.5] && party.depth == 2)
        // dF_1 = (2, 0) - (1, 1), dF_2 = (-2, -3)
        #expect(party.gramShare(step: [2, 0]) == [2, 1, 2, 13, -4, 4])
        party.advance(step: [2, 0], gamma: [0, 0])
        #expect(party.point == [5.5, 4.5] && party.depth == 2)
        // The oldest difference is gone: dF_2 = (1, -1)
        #expect(party.gramShare(step: [2, 1]) == [1, -1, 1, 2, 1, 5])
    }

    @Test("a worse point is left for the one before, with half the step and no older history")
    func back() {
        var party = Acceleration(start: [0], history: 4)
        party.advance(step: [8], gamma: [])
        party.advance(step: [4], gamma: [0])
        #expect(party.point == [12] && party.depth == 2)
        party.back()
        // From 8 with its step of 4, halved.
        #expect(party.point == [10] && party.depth == 1)
        party.back()
        #expect(party.point == [9] && party.depth == 1)
        // Later steps are halved as often: 9 + 2/4 - gamma (dW + dF/4), dW = 1, dF = -2
        party.advance(step: [2], gamma: [1])
        #expect(party.point == [9])
        party.advance(step: [4], gamma: [0, 0])
        #expect(party.point == [10] && party.depth == 3)
    }

    @Test("there is no way back from the start, and the last accepted point can be kept")
    func ends() {
        var party = Acceleration(start: [7], history: 4)
        party.back()
        #expect(party.point == [7] && party.depth == 0)
        party.keepAccepted()
        #expect(party.point == [7])
        party.advance(step: [1], gamma: [])
        party.advance(step: [2], gamma: [0])
        #expect(party.point == [10])
        party.keepAccepted()
        #expect(party.point == [8])
    }

    @Test("a party without history takes plain steps")
    func noHistory() {
        var party = Acceleration(start: [0], history: 0)
        for round in 1...3 {
            #expect(party.depth == 0 && party.gramShare(step: [2]) == [4])
            party.advance(step: [2], gamma: [])
            #expect(party.point == [2 * Double(round)])
        }
    }

    @Test("stored and read again, it goes on to the bit")
    func coding() throws {
        var random = Numbers(state: 5)
        var party = Acceleration(start: [random.normal(), random.normal()], history: 3)
        for round in 0..<5 { party.advance(step: [random.normal(), random.normal()], gamma: (0..<min(round, 3)).map { _ in random.normal() }) }
        party.back()
        let again = try JSONDecoder().decode(Acceleration.self, from: JSONEncoder().encode(party))
        #expect(again == party && again.gramShare(step: [1, 2]) == party.gramShare(step: [1, 2]))
    }
}
