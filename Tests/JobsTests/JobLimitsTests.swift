import Faults
import Jobs
import Testing

@Suite("Limits of jobs")
struct JobLimitsTests {
    let limits = Contract.Limits()

    @Test("value bits hold the largest honest value and its sign, and no bit more")
    func valueBits() {
        #expect(JobLimits.valueBits(rows: 30_000, columnBound: 8 << 8, residualBound: 1 << 24) == 51)
        #expect(JobLimits.valueBits(rows: 30_000, columnBound: 8 << 8, residualBound: 2 << 24) == 52)
        #expect(JobLimits.valueBits(rows: 1, columnBound: 1, residualBound: 1) == 2)
        #expect(JobLimits.valueBits(rows: 7, columnBound: 1, residualBound: -1) == 4)
        #expect(JobLimits.valueBits(rows: 8, columnBound: 1, residualBound: 1) == 5)
        #expect(JobLimits.valueBits(rows: 0, columnBound: 1, residualBound: 1) == 1)
        #expect(JobLimits.valueBits(rows: .max, columnBound: .max, residualBound: 1) == 127)
        #expect(JobLimits.valueBits(rows: .max, columnBound: .max, residualBound: .min) == nil)
    }

    @Test("exposure counts residuals of 25 bits in the packed values of a round")
    func exposure() {
        #expect(JobLimits.exposurePercent(rounds: 10, valuesPerRound: 15, valueBits: 50, rows: 30_000) == 1)
        #expect(JobLimits.exposurePercent(rounds: 10, valuesPerRound: 15, valueBits: 25, rows: 30_000) == 0.5)
        #expect(JobLimits.exposurePercent(rounds: 1, valuesPerRound: 15, valueBits: 49, rows: 2_900) == 1)
        #expect(JobLimits.exposurePercent(rounds: 1, valuesPerRound: 1, valueBits: 24, rows: 1) == 0)
        #expect(JobLimits.exposurePercent(rounds: 1, valuesPerRound: 1, valueBits: 50, rows: 0) == .infinity)
        #expect(JobLimits.checkExposure(percent: 10, limits: limits) == nil)
        #expect(JobLimits.checkExposure(percent: 10.01, limits: limits)?.arguments == ["10.1", "10.0"])
        #expect(JobLimits.checkExposure(percent: .nan, limits: limits)?.code == .exposureTooLarge)
        var aside = limits
        aside.exposurePercent = nil
        #expect(JobLimits.checkExposure(percent: 99, limits: aside) == nil)
    }

    @Test("rows: the contract's minimum, and two for each round and column")
    func rows() {
        #expect(JobLimits.checkRows(1000, columns: 12, rounds: 40, limits: limits) == nil)
        #expect(JobLimits.checkRows(999, columns: 1, rounds: 1, limits: limits)?.arguments.prefix(2) == ["999", "1000"])
        #expect(JobLimits.checkRows(1040, columns: 13, rounds: 40, limits: limits) == nil)
        #expect(JobLimits.checkRows(1039, columns: 13, rounds: 40, limits: limits)?.arguments == ["1039", "1040", "13", "40"])
        #expect(JobLimits.checkRows(1000, columns: .max, rounds: 40, limits: limits)?.code == .tooFewRows)
    }

    @Test("platform columns: one for ten rows of the rarer class, whichever that is")
    func platformColumns() {
        #expect(JobLimits.checkPlatformColumns(30, bads: 300, goods: 4740, limits: limits) == nil)
        #expect(JobLimits.checkPlatformColumns(30, bads: 299, goods: 4741, limits: limits)?.arguments == ["30", "10"])
        #expect(JobLimits.checkPlatformColumns(30, bads: 4741, goods: 299, limits: limits)?.code == .tooFewBads)
        #expect(JobLimits.checkPlatformColumns(1, bads: 0, goods: 5000, limits: limits)?.code == .tooFewBads)
    }

    @Test("intersection, set size and dominance")
    func others() {
        #expect(JobLimits.checkIntersection(count: 1000, minimum: 1000) == nil)
        #expect(JobLimits.checkIntersection(count: 999, minimum: 1000)?.code == .intersectionTooSmall)
        #expect(JobLimits.checkSetSize(50_000_000, of: "bank", limits: limits) == nil)
        #expect(JobLimits.checkSetSize(50_000_001, of: "bank", limits: limits)?.place == "bank")
        #expect(JobLimits.checkDominance(largestShare: 0.5, limits: limits) == nil)
        #expect(JobLimits.checkDominance(largestShare: 0.501, limits: limits)?.arguments == ["50.1"])
        #expect(JobLimits.checkDominance(largestShare: .nan, limits: limits)?.code == .singleFeatureDominates)
    }
}
