import Tables

/// Two overlapping sets of invented enterprises: 60 % of each party's are held by the other too.
///
/// Every enterprise is made from (seed, number) alone, so that nothing is stored and files of any size can be streamed.
package struct Population: Sendable {
    /// Enterprises that both parties hold.
    package let common: Int
    package let seed: UInt64
    /// Enterprises that each party holds: common / 0.6, rounded down.
    package let perParty: Int
    package let truth = Truth()

    private let codes: Permutation
    private let bankOrder: Permutation
    private let platformOrder: Permutation

    /// `common` from 1 to `SyntheticLab.largestCommon`.
    package init(common: Int, seed: UInt64) {
        precondition(1 <= common && common <= SyntheticLab.largestCommon)
        self.common = common
        self.seed = seed
        perParty = common * 5 / 3
        codes = Permutation(count: Self.regions * Self.bodies, key: Random.mix(seed ^ 0x636F_6465))
        bankOrder = Permutation(count: perParty, key: Random.mix(seed ^ 0x6261_6E6B))
        platformOrder = Permutation(count: perParty, key: Random.mix(seed ^ 0x706C_6174))
    }

    /// Number of the enterprise in a row of the bank's file; below `common` if the platform holds it too.
    func numberAtBank(row: Int) -> Int {
        bankOrder[row]
    }

    func numberAtPlatform(row: Int) -> Int {
        let number = platformOrder[row]
        return number < common ? number : number - common + perParty
    }

    /// Numbers below `common` are held by both, then follow the bank's own, then the platform's own.
    package func enterprise(_ number: Int) -> Enterprise {
        precondition(0 <= number && number < 2 * perParty - common)
        var random = Random(seed: seed, index: number)
        return Enterprise(code: code(number), truth: truth, random: &random)
    }

    private static let alphabet = Array("0123456789ABCDEFGHJKLMNPQRTUWXY")
    private static let regions = 12
    private static let bodies = 31 * 31 * 31 * 31 * 31 * 31

    /// An enterprise (91) in one of twelve regions 990001 to 990012, which GB/T 2260 assigns to no place, with an
    /// organisation code of the kind issued since 2015 (MA and six more).
    private func code(_ number: Int) -> String {
        let value = codes[number]
        let region = 990_001 + value / Self.bodies
        var rest = value % Self.bodies
        var body = ""
        for _ in 0..<6 {
            body.append(Self.alphabet[rest % 31])
            rest /= 31
        }
        guard let code = CreditCode.make(authority: "9", type: "1", region: String(region), organisation8: "MA" + body) else {
            preconditionFailure("parts of a synthetic code are always valid")
        }
        return code
    }
}
