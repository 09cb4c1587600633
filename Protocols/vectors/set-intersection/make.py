#!/usr/bin/env python3
"""Writes the vectors of set intersection, one folder for each suite, or with --check compares them with what lies there.

Plain integers and the general text of RFC 9380, 5 and 6.6.2; nothing is shared with JointLab's own arithmetic. What comes
from a published document is written here as it stands there and compared with what is computed.
"""
import hashlib, json, os, sys


class Suite:
    def __init__(self, name, tag, p, b, order, generator, z, digest):
        self.name, self.tag, self.p, self.b, self.order, self.generator, self.z = name, tag, p, b, order, generator, z
        self.digest = lambda data: hashlib.new(digest, data).digest()

    # Points: (x, y), or None for the identity.

    def on_curve(self, x):
        return (x**3 - 3 * x + self.b) % self.p

    def root(self, a):
        root = pow(a, (self.p + 1) // 4, self.p)
        return root if root * root % self.p == a % self.p else None

    def add(self, left, right):
        p = self.p
        if left is None or right is None:
            return left or right
        (x1, y1), (x2, y2) = left, right
        if x1 == x2 and (y1 + y2) % p == 0:
            return None
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, p) if x1 == x2 else (y2 - y1) * pow(x2 - x1, -1, p)
        x = (slope * slope - x1 - x2) % p
        return x, (slope * (x1 - x) - y1) % p

    def multiply(self, scalar, point):
        product = None
        for bit in bin(scalar)[2:]:
            product = self.add(product, product)
            if bit == "1":
                product = self.add(product, point)
        return product

    def negative(self, point):
        return point[0], -point[1] % self.p

    # RFC 9380

    def expand(self, message, tag, count=96):
        tag = tag + bytes([len(tag)])
        seed = self.digest(bytes(64) + message + count.to_bytes(2, "big") + b"\0" + tag)
        blocks = [self.digest(seed + b"\1" + tag)]
        while 32 * len(blocks) < count:
            mixed = bytes(a ^ b for a, b in zip(seed, blocks[-1]))
            blocks.append(self.digest(mixed + bytes([len(blocks) + 1]) + tag))
        return b"".join(blocks)[:count]

    def map(self, u):
        p, z, a, b = self.p, self.z, -3, self.b
        factor = (z * z * pow(u, 4, p) + z * u * u) % p
        x = -b * pow(a, -1, p) * (1 + pow(factor, -1, p)) % p if factor else b * pow(z * a, -1, p) % p
        y = self.root(self.on_curve(x))
        if y is None:
            x = z * u * u * x % p
            y = self.root(self.on_curve(x))
        return x, y if y % 2 == u % 2 else -y % p

    def hash(self, message, tag):
        uniform = self.expand(message, tag)
        first, second = (int.from_bytes(half, "big") % self.p for half in (uniform[:48], uniform[48:]))
        return self.add(self.map(first), self.map(second))

    # Encodings

    def compressed(self, point):
        return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")

    def element(self, point):
        return b"\4" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")

    def elements(self, points):
        return b"".join(map(self.element, points)).hex()

    def smallest_x(self, on_curve, start=0):
        while (self.root(self.on_curve(start)) is not None) != on_curve:
            start += 1
        return start


P256 = Suite(
    "P256-SHA256", b"JointLab-V01-CS01-with-P256_XMD:SHA-256_SSWU_RO_",
    2**256 - 2**224 + 2**192 + 2**96 - 1,
    0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5),
    -10, "sha256")

SM2 = Suite(
    "SM2-SM3", b"JointLab-V01-CS02-with-SM2_XMD:SM3_SSWU_RO_",
    2**256 - 2**224 - 2**96 + 2**64 - 1,
    0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
    0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
    (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
     0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0),
    -9, "sm3")

# RFC 9380, J.1.1: P256_XMD:SHA-256_SSWU_RO_, message and point.
HASH_TAG = b"QUUX-V01-CS02-with-P256_XMD:SHA-256_SSWU_RO_"
HASHES = [
    ("", "032c15230b26dbc6fc9a37051158c95b79656e17a1a920b11394ca91c44247d3e4"),
    ("abc", "020bb8b87485551aa43ed54f009230450b492fead5f1cc91658775dac4a3388a0f"),
    ("abcdef0123456789", "0365038ac8f2b1def042a5df0b33b1f4eca6bff7cb0f9c6c1526811864e544ed80"),
    ("q128_" + 128 * "q", "024be61ee205094282ba8a2042bcb48d88dfbb609301c49aa8b078533dc65a0b5d"),
    ("a512_" + 512 * "a", "02457ae2981f70ca85d8e24c308b14db22f3e3862c5ea0f652ca38b5e49cd64bc5"),
]
# RFC 9497, A.3.1: OPRF(P-256, SHA-256); input, blinded and evaluated element, output.
OPRF_TAG = b"HashToGroup-OPRFV1-\0-P256-SHA256"
OPRF_SECRET = "159749d750713afe245d2d39ccfaae8381c53ce92d098a9375ee70739c7ac0bf"
OPRF_BLIND = "3338fa65ec36e0290022b48eb562889d89dbfa691d1cde91517fa222ed7ad364"
OPRFS = [
    ("00", "03723a1e5c09b8b9c18d1dcbca29e8007e95f14f4732d9346d490ffc195110368d",
     "030de02ffec47a1fd53efcdd1c6faf5bdc270912b8749e783c7ca75bb412958832",
     "a0b34de5fa4c5b6da07e72af73cc507cceeb48981b97b7285fc375345fe495dd"),
    (17 * "5a", "03cc1df781f1c2240a64d1c297b3f3d16262ef5d4cf102734882675c26231b0838",
     "03a0395fe3828f2476ffcd1f4fe540e5a8489322d398be3c4e5a869db7fcb7c52c",
     "c748ca6dd327f0ce85f4ae3a8cd6d4d5390bbb804c9e12dcf94f853fece3dcce"),
]

JOB = bytes(range(16))
FIRST_SCALAR = 0x26B563B1E794EE14E1454C40C439F34AC963CFE0AFAE5A3BB9096A04E7D80069
SECOND_SCALAR = 0x53D23C0BDF43EFB219FCFC64E7AA8576D96E5ADFA2BEEE31AC8BE7D742840D2C
IDENTIFIERS = ["91350211M000100Y43", "91110108551385082Q", "911100007109250324", "阿里巴巴"]


def vectors(suite):
    """Pairs of a file's name and its content."""
    p, tag = suite.p, suite.tag + JOB + (1).to_bytes(4, "big")
    scalar = lambda value: value.to_bytes(32, "big").hex()

    yield "tag", dict(about="Domain separation tag of a job attempt", operation="tag", job=JOB.hex(), attempt=258,
                      tag=(suite.tag + JOB + (258).to_bytes(4, "big")).hex())

    for name, text, error in [
        ("one", scalar(1), None), ("zero", scalar(0), "out-of-range"), ("order", scalar(suite.order), "out-of-range"),
        ("order-plus-one", scalar(suite.order + 1), "out-of-range"), ("all-ones", 64 * "f", "out-of-range"),
        ("short", 62 * "1", "out-of-range"),
    ]:
        about = "Least in range" if error is None else "31 bytes" if name == "short" else "Outside 1..<n"
        yield "scalar-" + name, dict(about=about, operation="scalar", scalar=text, error=error)

    hashed = [suite.hash(identifier.encode(), tag) for identifier in IDENTIFIERS]
    first = [suite.multiply(FIRST_SCALAR, point) for point in hashed]
    second = [suite.multiply(SECOND_SCALAR, point) for point in first]
    elements, element = suite.elements, lambda point: suite.element(point).hex()

    yield "first-pass", dict(about="Four identifiers of one list", operation="first", tag=tag.hex(), scalar=scalar(FIRST_SCALAR),
                             identifiers=IDENTIFIERS, elements=elements(first))
    yield "first-pass-empty", dict(about="No identifier gives no element", operation="first", tag=tag.hex(),
                                   scalar=scalar(FIRST_SCALAR), identifiers=[], elements="")
    many = b"".join(suite.element(suite.multiply(SECOND_SCALAR, suite.hash(b"%d" % number, tag))) for number in range(300))
    yield "many-identifiers", dict(about="The decimal numbers 0 to 299 as identifiers; SHA-256 of all elements", operation="first",
                                   tag=tag.hex(), scalar=scalar(SECOND_SCALAR), identifierCount=300,
                                   elementsSHA256=hashlib.sha256(many).hexdigest())
    if suite is P256:
        for number, (message, published) in enumerate(HASHES, 1):
            point = suite.hash(message.encode(), HASH_TAG)
            assert suite.compressed(point).hex() == published
            yield f"hash-to-curve-{number}", dict(
                about="The scalar is 1, so the element is the hash itself", source="RFC 9380, J.1.1", operation="first",
                tag=HASH_TAG.hex(), scalar=scalar(1), identifiers=[message], elements=element(point))
        for number, (given, blinded, evaluated, output) in enumerate(OPRFS, 1):
            yield f"oprf-{number}", dict(
                about="Mode 0; the input is UTF-8", source="RFC 9497, A.3.1", operation="oprf", tag=OPRF_TAG.hex(), input=given,
                secret=OPRF_SECRET, blind=OPRF_BLIND, blinded=blinded, evaluated=evaluated, output=output)
    else:
        for number, (message, _) in enumerate(HASHES, 1):
            yield f"hash-to-curve-{number}", dict(
                about="The scalar is 1, so the element is the hash itself", operation="first", tag=suite.tag.hex(), scalar=scalar(1),
                identifiers=[message], elements=element(suite.hash(message.encode(), suite.tag)))

    def of_second(name, about, given, by=SECOND_SCALAR, **expected):
        return name, dict(about=about, operation="second", scalar=scalar(by), given=given, **expected)

    yield of_second("second-pass", "The list of first-pass, doubled", elements(first), elements=elements(second))
    yield of_second("second-pass-empty", "No element gives no element", "", elements="")
    yield of_second("scalar-largest", "n - 1 negates", element(suite.generator), by=suite.order - 1,
                    elements=element(suite.negative(suite.generator)))
    x = suite.smallest_x(True)
    small = (x, suite.root(suite.on_curve(x)))
    yield of_second("point-x-small", f"x = {x} is on the curve", element(small), by=1, elements=element(small))

    bad = dict(error="invalid-point", index=0)
    ragged = dict(error="wrong-byte-count")
    one, body = element(first[0]), element(first[0])[2:]
    for prefix in ("00", "01", "02", "03", "05", "06", "07", "84", "ff"):
        yield of_second(f"refused-prefix-{prefix}", f"A point of the curve behind the prefix {prefix}", prefix + body, **bad)
    yield of_second("refused-compressed", "Compressed form", suite.compressed(first[0]).hex(), **ragged)
    yield of_second("refused-compressed-65", "65 points in compressed form, a multiple of the element width",
                    65 * suite.compressed(first[0]).hex(), **bad)
    yield of_second("refused-identity-1", "Identity as SEC 1 writes it", "00", **ragged)
    yield of_second("refused-identity-65", "Identity, padded to the width of an element", 130 * "0", **bad)
    yield of_second("refused-identity-first", "Identity before a point", 130 * "0" + one, **bad)
    yield of_second("refused-origin", "x = y = 0", "04" + 128 * "0", **bad)
    yield of_second("refused-truncated", "A byte is missing", one[:-2], **ragged)
    yield of_second("refused-over-long", "A byte too many", one + "00", **ragged)
    yield of_second("refused-list-truncated", "The last element lacks a byte", elements(first[:2])[:-2], **ragged)
    yield of_second("refused-off-curve", "y is one too large", element((first[0][0], (first[0][1] + 1) % p)), **bad)
    x = suite.smallest_x(False, 1)
    # y^2 = u (x^3 - 3 x + b) for the non-square u = -1.
    twist = (x, suite.root(-suite.on_curve(x) % p))
    yield of_second("refused-twist", "No point has this x; it is one of the twist", element(twist), **bad)
    yield of_second("refused-x-prime-plus", "x = p + the x of a point: another encoding of it", element((small[0] + p, small[1])), **bad)
    yield of_second("refused-x-prime", "x = p", element((p, small[1])), **bad)
    yield of_second("refused-y-prime", "y = p", element((small[0], p)), **bad)
    yield of_second("refused-x-largest", "x = 2^256 - 1", element((2**256 - 1, small[1])), **bad)
    yield of_second("refused-second-of-three", "The offender is counted from 0",
                    one + element((p, small[1])) + element(first[2]), error="invalid-point", index=1)

    def of_list(name, about, limit, *blocks, **expected):
        return "list-" + name, dict(about=about, operation="list", limit=limit, blocks=list(blocks), **expected)

    yield of_list("distinct", "Two blocks without repeats", 10, elements(first[:2]), elements(first[2:]))
    yield of_list("just-enough", "As many as declared", 3, elements(first[:2]), elements(first[2:3]))
    yield of_list("too-many", "One more than declared", 2, elements(first[:2]), elements(first[2:3]), error="too-many-points")
    yield of_list("ragged", "No whole number of elements", 10, one + "04", **ragged)
    yield of_list("repeat-in-block", "The third element is the first", 10, elements([first[0], first[1], first[0]]),
                  error="repeated-point", index=2)
    yield of_list("repeat-across-blocks", "An element of an earlier block", 10, elements(first[:2]),
                  elements([first[2], first[0]]), error="repeated-point", index=3)
    yield of_list("repeat-negated", "A point and its negative count as one", 10, elements([first[0], suite.negative(first[0])]),
                  error="repeated-point", index=1)

    def of_reflection(name, about, given, **expected):
        return "reflection-" + name, dict(about=about, operation="reflection", own=elements(first[:2]), given=given, **expected)

    yield of_reflection("none", "No own element", element(second[0]))
    yield of_reflection("own", "An own element comes back", elements([second[0], first[1]]), error="reflected-point", index=1)
    yield of_reflection("negated", "The negative of an own element comes back", element(suite.negative(first[0])),
                        error="reflected-point", index=0)

    def of_match(name, about, own, peer, **expected):
        return "match-" + name, dict(about=about, operation="match", own=elements(own), peer=elements(peer), **expected)

    s = second
    yield of_match("all", "Identical lists", s, s, matches=[[0, 0], [1, 1], [2, 2], [3, 3]])
    yield of_match("none", "Nothing in common", s[:2], s[2:], matches=[])
    yield of_match("empty-own", "Own list empty", [], s, matches=[])
    yield of_match("empty-peer", "Peer list empty", s, [], matches=[])
    yield of_match("some", "In the order of the peer's list; pairs are own and peer position", [s[0], s[1], s[2]], [s[3], s[2], s[0]],
                   matches=[[2, 1], [0, 2]])
    yield of_match("repeat-own", "The peer answered with one element twice", [s[0], s[0]], s, error="repeated-point", index=1)


def main():
    here, check, wrong = os.path.dirname(os.path.abspath(__file__)), sys.argv[1:] == ["--check"], 0
    for suite in (P256, SM2):
        folder = os.path.join(here, suite.name)
        os.makedirs(folder, exist_ok=True)
        names = set()
        for name, content in vectors(suite):
            names.add(name + ".json")
            content = {key: value for key, value in content.items() if value is not None}
            text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
            path = os.path.join(folder, name + ".json")
            if not check:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            elif not os.path.exists(path) or open(path, encoding="utf-8").read() != text:
                print("differs:", suite.name, name)
                wrong += 1
        for stranger in set(os.listdir(folder)) - names:
            print("not from here:", suite.name, stranger)
            wrong += 1
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
