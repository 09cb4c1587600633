import Foundation
import Primitives
import Testing

/// Cases in which implementations of ECDH on P-256 were found wrong. Source: Project Wycheproof, ecdh_secp256r1_ecpoint_test.json
/// (C2SP/wycheproof, Apache-2.0): some of its numbers stand here; the whole file is run if JOINTLAB_WYCHEPROOF names a copy.
@Suite("Known weaknesses of point multiplication") struct WycheproofTests {
    /// A compressed point, a scalar, and the product's x.
    static let products: [[String]] = [
        // normal case
        ["0362d5bd3372af75fe85a040715d0f502428e07046868b0bfdfa61d731afe44f26",
         "0612465c89a023ab17855b0a6bcebfd3febb53aef84138647b5352e02c10c346",
         "53020d908b0219328b658b525f26780e3ae12bcd952bb25a93bc0895e1714285"],
        // shared secret has x-coordinate that satisfies x**2 = 0
        ["0258fd4168a87795603e2b04390285bdca6e57de6027fe211dd9d25e2212d29e62",
         "0a0d622a47e48f6bc1038ace438c6f528aa00ad2bd1da5f13ee46bf5f633d71a",
         "0000000000000000000000000000000000000000000000000000000000000000"],
        // shared secret has x-coordinate p-3
        ["02a1ecc24bf0d0053d23f5fd80ddf1735a1925039dc1176c581a7e795163c8b9ba",
         "0a0d622a47e48f6bc1038ace438c6f528aa00ad2bd1da5f13ee46bf5f633d71a",
         "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc"],
        // shared secret has x-coordinate 2**16 + 0
        ["021b0e7437c33d379929430d3ec10df59bed7fe2a1d950c5791e1e9ddeef1f4d70",
         "0a0d622a47e48f6bc1038ace438c6f528aa00ad2bd1da5f13ee46bf5f633d71a",
         "0000000000000000000000000000000000000000000000000000000000010000"],
        // shared secret has x-coordinate 2**96 + 0
        ["024c9695b7668434fc85769acb10f0edcf87a96b7d5dc347b46bb304b0b1d3267f",
         "0a0d622a47e48f6bc1038ace438c6f528aa00ad2bd1da5f13ee46bf5f633d71a",
         "0000000000000000000000000000000000000001000000000000000000000000"],
        // shared secret has x-coordinate with repeating bit-pattern of size 2
        ["03e25ead8342888d1fbd2bd211e9db5bc761da9cfa1e805078b53606df9e544440",
         "0a0d622a47e48f6bc1038ace438c6f528aa00ad2bd1da5f13ee46bf5f633d71a",
         "5555555555555555555555555555555555555555555555555555555555555554"],
        // shared secret has x-coordinate with repeating bit-pattern of size 4
        ["030507fabb16755f4885ae45b3d497822388f4e6a531de512c200480b4e56b892a",
         "0a0d622a47e48f6bc1038ace438c6f528aa00ad2bd1da5f13ee46bf5f633d71a",
         "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"],
        // point with coordinate x = 0
        ["020000000000000000000000000000000000000000000000000000000000000000",
         "809c461d8b39163537ff8f5ef5b977e4cdb980e70e38a7ee0b37cc876729e9ff",
         "40eafb850ca7e08f19ee6447f196aeabf292e27397856e106e60a6c8b48cdb27"],
        // point with coordinate x = 0 in left to right addition chain
        ["03dbfa466f12013255f9d57a6496c158ee7dd202a1ce4a5a53005b3564d509a0bb",
         "809c461d8b39163537ff8f5ef5b977e4cdb980e70e38a7ee0b37cc876729e9ff",
         "e2d57eeec983756c9124f885a4d118ed5b8de7d2895fd91264cf291496949a12"],
        // point with coordinate x = 0 in precomputation or right to left addition chain
        ["0341e9d4cfa8efe80b895a8cbcce2568e251db7ecdfd20a7ad710d4a4bf2addc6b",
         "809c461d8b39163537ff8f5ef5b977e4cdb980e70e38a7ee0b37cc876729e9ff",
         "b48e119d29eef7dbb76b64218e728ddbf6ec600505ec7ced6ab6fb8763308da5"],
        // point with coordinate x = 0 in right to left addition chain
        ["02d8e13fbd017f1f9a26be35c611d7b2299f5d10de3c8a26362273fffb85238f3e",
         "809c461d8b39163537ff8f5ef5b977e4cdb980e70e38a7ee0b37cc876729e9ff",
         "d2a5bc66498c6036aecdfaad041cef732a893de190a0a5b42ff71e13f09280e7"],
        // point with coordinate y = 1 in precomputation or right to left addition chain
        ["03a51ab1238bc1bed25247e7d179c83a61ae2d4a9fe2288c363ae0eb7a77de432a",
         "809c461d8b39163537ff8f5ef5b977e4cdb980e70e38a7ee0b37cc876729e9ff",
         "89a11177d6907a81d47467093bf6a3cc8ba55dee05239b160a31a3000f5d807b"],
        // point with coordinate y = 1 in right to left addition chain
        ["02341592390ccce485de8880f3d727f664c381914a1becec383b35586751fc81c2",
         "809c461d8b39163537ff8f5ef5b977e4cdb980e70e38a7ee0b37cc876729e9ff",
         "4ce2701b2be63a0083a4c53f7a0bf04cf871654f5edb6f625e3ea5e7d0bdcc90"],
        // edge case private key
        ["0331028f3377fc8f2b1967edaab90213acad0da9f50897f08f57537f78f1167447",
         "0000000000000000000000000000000000000000000000000000000000000003",
         "85a0b58519b28e70a694ec5198f72c4bfdabaa30a70f7143b5b1cd7536f716ca"],
        // edge case private key
        ["0331028f3377fc8f2b1967edaab90213acad0da9f50897f08f57537f78f1167447",
         "00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
         "a329a7d80424ea2d6c904393808e510dfbb28155092f1bac284dceda1f13afe5"],
        // edge case private key
        ["0331028f3377fc8f2b1967edaab90213acad0da9f50897f08f57537f78f1167447",
         "0100000000000000000000000000000000000000000000000000000000000000",
         "bd26d0293e8851c51ebe0d426345683ae94026aca545282a4759faa85fde6687"],
        // edge case private key
        ["0331028f3377fc8f2b1967edaab90213acad0da9f50897f08f57537f78f1167447",
         "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
         "ea9350b2490a2010c7abf43fb1a38be729a2de375ea7a6ac34ff58cc87e51b6c"],
        // edge case private key
        ["0331028f3377fc8f2b1967edaab90213acad0da9f50897f08f57537f78f1167447",
         "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254b",
         "f2b38539bce995d443c7bfeeefadc9e42cc2c89c60bf4e86eac95d51987bd112"],
        // edge case private key
        ["0331028f3377fc8f2b1967edaab90213acad0da9f50897f08f57537f78f1167447",
         "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254e",
         "85a0b58519b28e70a694ec5198f72c4bfdabaa30a70f7143b5b1cd7536f716ca"],
        // edge case private key
        ["0331028f3377fc8f2b1967edaab90213acad0da9f50897f08f57537f78f1167447",
         "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f",
         "027b013a6f166db655d69d643c127ef8ace175311e667dff2520f5b5c75b7659"],
    ]

    private static func pad(_ scalar: [UInt8]) -> [UInt8] { [UInt8](repeating: 0, count: max(0, 32 - scalar.count)) + scalar.suffix(32) }

    private static func multiply(_ point: [UInt8], _ scalar: [UInt8], _ kernels: EllipticCurve.Kernels) throws -> [UInt8] {
        let scalar = try #require(EllipticCurve.Scalar(SecretBytes(copying: pad(scalar)), of: .p256))
        let encoding: EllipticCurve.Encoding = point.count == 33 ? .compressed : .uncompressed
        return try EllipticCurve.multiply(point[...], encoding: encoding, by: scalar, kernels: kernels)
    }

    @Test("products are right where sums, doublings and results have coordinates 0, 1 or of few bits, and scalars runs of bits",
          arguments: EllipticCurve.Kernels.allCases.filter(\.areThere))
    func numbers(kernels: EllipticCurve.Kernels) throws {
        for row in Self.products {
            #expect(try Self.multiply(hex(row[0]), hex(row[1]), kernels)[1..<33] == hex(row[2])[...])
        }
    }

    private struct File: Decodable {
        struct Group: Decodable { let tests: [Case] }
        struct Case: Decodable {
            let tcId: Int
            let `public`, `private`, shared, result: String
        }
        let testGroups: [Group]
    }

    private static let file = ProcessInfo.processInfo.environment["JOINTLAB_WYCHEPROOF"]

    @Test("every case of the file is multiplied or refused as it says", .enabled(if: file != nil, "JOINTLAB_WYCHEPROOF names no file"),
          arguments: EllipticCurve.Kernels.allCases.filter(\.areThere))
    func wholeFile(kernels: EllipticCurve.Kernels) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: #require(Self.file)))
        let cases = try JSONDecoder().decode(File.self, from: data).testGroups.flatMap(\.tests)
        #expect(cases.count > 300)
        // A batch of no points is none that is refused.
        for one in cases where !one.public.isEmpty {
            let point = hex(one.public)
            if one.result == "invalid" {
                #expect(throws: PrimitiveError.self, "\(one.tcId)") { try Self.multiply(point, hex(one.private), kernels) }
            } else {
                #expect(try Self.multiply(point, hex(one.private), kernels)[1..<33] == hex(one.shared)[...], "\(one.tcId)")
            }
        }
    }
}
