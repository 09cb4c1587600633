#include "curve.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

// Field elements: eight of them, limbs of 52 bits, least significant first, in Montgomery form with R = 2^260. p is
// between 2^256 - 2^225 and 2^256, so there are four bits to spare: a value may be a multiple of p above its remainder, and
// comments tell how far, as "< 3 p". All limbs are below 2^52 between functions, where nothing else is said.
//
// A product of a < A p and b < B p is below (A B / 16 + 1) p; `multiply` asks for A B <= 240.

#define KERNEL static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vbmi")))
#define ENTRY __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vbmi")))
#define PART static __attribute__((noinline, target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vbmi")))

typedef struct { __m512i limb[5]; } element;
typedef struct { element x, y, z; } point;

struct constants {
    uint64_t order[4];
    uint64_t prime[5], one[5], weight_1[5], weight_2_256[5], b[5], z[5], root_of_minus_z[5];
};

// p; then in Montgomery form 1; what brings integers of weight 1 and of weight 2^256 into it; b; and z and sqrt(-z) of the map.
static const struct constants curves[2] = {
    {
        .order = {0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000},
        .prime = {0xfffffffffffff, 0x00fffffffffff, 0x0000000000000, 0x0001000000000, 0x0ffffffff0000},
        .one = {0x0000000000010, 0xf000000000000, 0xfffffffffffff, 0xffeffffffffff, 0x00000000fffff},
        .weight_1 = {0x0000000000300, 0xffffffff00000, 0xffffefffffffb, 0xfdfffffffffff, 0x0000004ffffff},
        .weight_2_256 = {0xffd0000000a00, 0xfffffff7fffff, 0xffffcffffffed, 0x0100000005fff, 0x0000018000000},
        .b = {0xdf6229c4bddfd, 0xca8843090d89c, 0x212ed6acf005c, 0x83415a220abf7, 0x0c30061dd4874},
        .z = {0xfffffffffff5f, 0xa0fffffffffff, 0x0000000000000, 0x00a1000000000, 0x0ffffff5f0000},
        .root_of_minus_z = {0x38ee98a195fd9, 0x6b23dcf70a1fd, 0xa8dfee78400ad, 0x303d913c88f9e, 0x0051d26ea2a8f},
    },
    {
        .order = {0x53bbf40939d54123, 0x7203df6b21c6052b, 0xffffffffffffffff, 0xfffffffeffffffff},
        .prime = {0xfffffffffffff, 0xff00000000fff, 0xfffffffffffff, 0xfffffffffffff, 0x0fffffffeffff},
        .one = {0x0000000000010, 0x0ffffffff0000, 0x0000000000000, 0x0000000000000, 0x0000000100000},
        .weight_1 = {0x0020000000300, 0xffffffff00000, 0x0000100000002, 0x0200000001000, 0x0000004000000},
        .weight_2_256 = {0x0120000001600, 0xfffffff800000, 0x0000c0000000e, 0x090000000a000, 0x000001b000000},
        .b = {0x30632bc0dd422, 0xb09b537ab70d2, 0xa51c3c71cf379, 0x2c8527981505e, 0x040fe188da20e},
        .z = {0xfffffffffff6f, 0x6f00000090fff, 0xfffffffffffff, 0xfffffffffffff, 0x0ffffff6effff},
        .root_of_minus_z = {0x0000000000030, 0x2fffffffd0000, 0x0000000000000, 0x0000000000000, 0x0000000300000},
    },
};

// What the functions below need of a field, in all lanes.
struct field {
    element prime;
    // Limbs of 0 p to 7 p, and of 8 p to 15 p: lane k for k p, and for (8 + k) p.
    element multiples[2];
    const struct constants *constants;
    int is_sm2;
};

#define MASK _mm512_set1_epi64((1L << 52) - 1)

KERNEL element broadcast(const uint64_t *limbs) {
    element r;
    for (int i = 0; i < 5; i++) r.limb[i] = _mm512_set1_epi64((long long)limbs[i]);
    return r;
}

KERNEL element zero(void) {
    element r;
    for (int i = 0; i < 5; i++) r.limb[i] = _mm512_setzero_si512();
    return r;
}

KERNEL struct field field_of(enum jk_curve curve) {
    const struct constants *constants = &curves[curve];
    struct field f = {.prime = broadcast(constants->prime), .constants = constants, .is_sm2 = curve == jk_sm2};
    uint64_t lanes[5][16];
    for (int k = 0; k < 16; k++) {
        uint64_t carry = 0;
        for (int i = 0; i < 5; i++) {
            unsigned __int128 product = (unsigned __int128)constants->prime[i] * k + carry;
            lanes[i][k] = (uint64_t)product & ((1UL << 52) - 1);
            carry = (uint64_t)(product >> 52);
        }
    }
    for (int i = 0; i < 5; i++)
        for (int half = 0; half < 2; half++) f.multiples[half].limb[i] = _mm512_loadu_si512(&lanes[i][8 * half]);
    return f;
}

// Limbs that are signed and of up to 63 bits into 52 bits; the value is in 0..<2^260.
KERNEL element carried(element a) {
    for (int i = 0; i < 4; i++) {
        a.limb[i + 1] = _mm512_add_epi64(a.limb[i + 1], _mm512_srai_epi64(a.limb[i], 52));
        a.limb[i] = _mm512_and_si512(a.limb[i], MASK);
    }
    return a;
}

// The same, less as many p as the highest bits tell: below p + 2^230.
KERNEL element reduced(element a, const struct field *f) {
    // Carries from the lower limbs are left out, which moves the value by less than 2^170: one too many is made up for by
    // 2^256 - p > 2^223, and of a value below that nothing is to be subtracted.
    __m512i count = _mm512_srai_epi64(_mm512_add_epi64(a.limb[4], _mm512_srai_epi64(a.limb[3], 52)), 48);
    count = _mm512_max_epi64(count, _mm512_setzero_si512());
    for (int i = 0; i < 5; i++)
        a.limb[i] = _mm512_sub_epi64(a.limb[i], _mm512_permutex2var_epi64(f->multiples[0].limb[i], count, f->multiples[1].limb[i]));
    return carried(a);
}

// Limbs are added alone: to be carried.
KERNEL element plus(element a, element b) {
    for (int i = 0; i < 5; i++) a.limb[i] = _mm512_add_epi64(a.limb[i], b.limb[i]);
    return a;
}

// a - b + multiple p, where b <= multiple p: to be carried.
KERNEL element minus(element a, element b, int multiple, const struct field *f) {
    for (int i = 0; i < 5; i++) {
        __m512i p = _mm512_permutexvar_epi64(_mm512_set1_epi64(multiple & 7), f->multiples[multiple >> 3].limb[i]);
        a.limb[i] = _mm512_add_epi64(_mm512_sub_epi64(a.limb[i], b.limb[i]), p);
    }
    return a;
}

// 2^bits a: to be carried.
KERNEL element doubled(element a, int bits) {
    for (int i = 0; i < 5; i++) a.limb[i] = _mm512_slli_epi64(a.limb[i], bits);
    return a;
}

// The low 260 bits are made zero by adding multiples of p, one limb after the other. p = -1 modulo 2^52, so that a limb is its
// own multiplier, and its product with the lowest limb of p needs no multiplication.
KERNEL element montgomery(__m512i *t, const struct field *f) {
    const element p = f->prime;
    for (int i = 0; i < 5; i++) {
        __m512i q = _mm512_and_si512(t[i], MASK);
        t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_add_epi64(_mm512_srli_epi64(t[i], 52), q));
        for (int j = 1; j < 5; j++) {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], q, p.limb[j]);
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], q, p.limb[j]);
        }
    }
    return carried((element){{t[5], t[6], t[7], t[8], t[9]}});
}

KERNEL element multiply(element a, element b, const struct field *f) {
    __m512i t[10];
    for (int i = 0; i < 10; i++) t[i] = _mm512_setzero_si512();
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], a.limb[i], b.limb[j]);
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a.limb[i], b.limb[j]);
        }
    return montgomery(t, f);
}

KERNEL element square(element a, const struct field *f) {
    __m512i t[10];
    for (int i = 0; i < 10; i++) t[i] = _mm512_setzero_si512();
    for (int i = 0; i < 5; i++)
        for (int j = i + 1; j < 5; j++) {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], a.limb[i], a.limb[j]);
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a.limb[i], a.limb[j]);
        }
    for (int i = 1; i < 9; i++) t[i] = _mm512_add_epi64(t[i], t[i]);
    for (int i = 0; i < 5; i++) {
        t[2 * i] = _mm512_madd52lo_epu64(t[2 * i], a.limb[i], a.limb[i]);
        t[2 * i + 1] = _mm512_madd52hi_epu64(t[2 * i + 1], a.limb[i], a.limb[i]);
    }
    return montgomery(t, f);
}

KERNEL element chosen(__mmask8 lanes, element yes, element no) {
    for (int i = 0; i < 5; i++) no.limb[i] = _mm512_mask_mov_epi64(no.limb[i], lanes, yes.limb[i]);
    return no;
}

// a < 16 p into 0..<p.
KERNEL element canonical(element a, const struct field *f) {
    a = reduced(a, f);
    element less = a;
    for (int i = 0; i < 5; i++) less.limb[i] = _mm512_sub_epi64(less.limb[i], f->prime.limb[i]);
    less = carried(less);
    return chosen(_mm512_movepi64_mask(less.limb[4]), a, less);
}

// Lanes in which a = 0 modulo p.
KERNEL __mmask8 zeros(element a, const struct field *f) {
    a = canonical(a, f);
    __m512i all = _mm512_or_si512(_mm512_or_si512(_mm512_or_si512(a.limb[0], a.limb[1]), _mm512_or_si512(a.limb[2], a.limb[3])), a.limb[4]);
    return _mm512_testn_epi64_mask(all, all);
}

// Out of Montgomery form, in 0..<p.
KERNEL element plain(element a, const struct field *f) {
    element one = zero();
    one.limb[0] = _mm512_set1_epi64(1);
    return canonical(multiply(a, one, f), f);
}

KERNEL __mmask8 odd(element plain) { return _mm512_test_epi64_mask(plain.limb[0], _mm512_set1_epi64(1)); }

PART void shift(element *power, int count, const element *times, const struct field *f) {
    element a = *power;
    for (int i = 0; i < count; i++) a = square(a, f);
    *power = multiply(a, *times, f);
}

// a^((p - 3) / 4), by the runs of ones and zeros in the exponent.
PART void raise_to_quarter(element *result, const element *a, const struct field *f) {
    element x2 = *a, x4, x8, x16;
    shift(&x2, 1, a, f);
    x4 = x2;
    shift(&x4, 2, &x2, f);
    x8 = x4;
    shift(&x8, 4, &x4, f);
    x16 = x8;
    shift(&x16, 8, &x8, f);
    element r = x16;
    if (f->is_sm2) {
        // 31 ones, a zero, 128 ones, 32 zeros, 62 ones.
        shift(&r, 8, &x8, f);
        shift(&r, 4, &x4, f);
        shift(&r, 2, &x2, f);
        shift(&r, 1, a, f);
        element x31 = r, x62 = r, x128;
        shift(&x62, 31, &x31, f);
        x128 = x62;
        shift(&x128, 2, &x2, f);
        element x64 = x128;
        shift(&x128, 64, &x64, f);
        shift(&r, 129, &x128, f);
        shift(&r, 94, &x62, f);
    } else {
        // 32 ones, 31 zeros, a one, 96 zeros, 94 ones.
        shift(&r, 16, &x16, f);
        element x32 = r;
        shift(&r, 32, a, f);
        shift(&r, 128, &x32, f);
        shift(&r, 32, &x32, f);
        shift(&r, 16, &x16, f);
        shift(&r, 8, &x8, f);
        shift(&r, 4, &x4, f);
        shift(&r, 2, &x2, f);
    }
    *result = r;
}

// Points in Jacobian coordinates (X / Z^2, Y / Z^3), with X, Y < p + 2^230 and Z < 2 p.

// Bernstein and Lange, Explicit-Formulas Database, dbl-2001-b, but for Z = 2 Y Z.
KERNEL point twice(point a, const struct field *f) {
    element delta = square(a.z, f);                                              // < 1.3 p
    element gamma = square(a.y, f);                                              // < 1.1 p
    element beta = multiply(a.x, gamma, f);                                      // < 1.1 p
    element sum = plus(a.x, delta);
    sum = carried(plus(plus(sum, sum), sum));                                    // < 7 p
    element alpha = multiply(carried(minus(a.x, delta, 2, f)), sum, f);          // < 2.4 p
    point r;
    r.x = reduced(minus(square(alpha, f), doubled(beta, 3), 9, f), f);           // from < 10.4 p
    element rest = carried(minus(doubled(beta, 2), r.x, 2, f));                  // < 6.4 p
    r.y = reduced(minus(multiply(alpha, rest, f), doubled(square(gamma, f), 3), 9, f), f);
    r.z = multiply(carried(doubled(a.y, 1)), a.z, f);                            // < 1.3 p
    return r;
}

// add-1998-cmo-2. Neither is the identity, and b is neither a nor its negative: then Z = 0 results.
KERNEL point sum_of(point a, point b, element *h, element *r, const struct field *f) {
    element az = square(a.z, f), bz = square(b.z, f);                            // < 1.3 p
    element u = multiply(a.x, bz, f), s = multiply(multiply(a.y, b.z, f), bz, f); // < 1.2 p
    *h = carried(minus(multiply(b.x, az, f), u, 2, f));                          // < 3.2 p
    *r = carried(minus(multiply(multiply(b.y, a.z, f), az, f), s, 2, f));        // < 3.2 p
    element h2 = square(*h, f), h3 = multiply(*h, h2, f), v = multiply(u, h2, f); // < 1.7 p, 1.4 p, 1.2 p
    point c;
    c.x = reduced(minus(square(*r, f), plus(h3, plus(v, v)), 4, f), f);          // from < 5.7 p
    element rest = carried(minus(v, c.x, 2, f));                                 // < 3.2 p
    c.y = reduced(minus(multiply(*r, rest, f), multiply(s, h3, f), 2, f), f);
    c.z = multiply(multiply(*h, a.z, f), b.z, f);                                // < 1.2 p
    return c;
}

PART void add(point *a, const point *b, const struct field *f) {
    element h, r;
    *a = sum_of(*a, *b, &h, &r, f);
}

PART void double_times(point *a, int count, const struct field *f) {
    point r = *a;
    for (int i = 0; i < count; i++) r = twice(r, f);
    *a = r;
}

// Multiples of a point by a scalar that is the same in all lanes.

enum { digit_bits = 5, digit_count = 51, table_size = 1 << (digit_bits - 1) };

// An odd scalar k is 2^255 + sum of d_i 2^(5 i), i = 0...50, d_i odd and between -31 and 31 (Joye and Tunstall, "Exponent
// recoding and regular exponentiation algorithms", AFRICACRYPT 2009). An even one is n less an odd one.
struct digits {
    uint8_t index[digit_count];
    __mmask8 is_negative[digit_count];
    __mmask8 is_complement;
};

static void limbs_from_bytes(uint64_t *limbs, const uint8_t *bytes) {
    for (int i = 0; i < 4; i++) {
        uint64_t word;
        memcpy(&word, bytes + 24 - 8 * i, 8);
        limbs[i] = __builtin_bswap64(word);
    }
}

static void recode(struct digits *digits, const uint8_t *scalar, const struct constants *c) {
    uint64_t k[5] = {0}, borrow = 0;
    limbs_from_bytes(k, scalar);
    uint64_t even = (k[0] & 1) - 1;
    for (int i = 0; i < 4; i++) {
        unsigned __int128 difference = (unsigned __int128)c->order[i] - k[i] - borrow;
        borrow = (uint64_t)(difference >> 64) & 1;
        k[i] ^= even & (k[i] ^ (uint64_t)difference);
    }
    digits->is_complement = (__mmask8)even;
    for (int i = 0; i < digit_count; i++) {
        int bit = digit_bits * i + 1;
        uint64_t window = k[bit / 64] >> (bit % 64);
        if (bit % 64 > 64 - digit_bits) window |= k[bit / 64 + 1] << (64 - bit % 64);
        // d = 2 window + 1 - 32, and its place among 1, 3, ... 31.
        uint32_t w = (uint32_t)window & 31, negative = (w >> 4) - 1;
        digits->index[i] = (uint8_t)((w ^ negative) & 15);
        digits->is_negative[i] = (__mmask8)negative;
    }
    volatile uint64_t *gone = k;
    for (int i = 0; i < 5; i++) gone[i] = 0;
}

// The table is read whole, whichever entry is wanted.
KERNEL point entry(const point *table, uint32_t index, __mmask8 is_negative, const struct field *f) {
    point r = {zero(), zero(), zero()};
    for (uint32_t i = 0; i < table_size; i++) {
        __mmask8 wanted = (__mmask8)(((i ^ index) - 1) >> 8);
        r.x = chosen(wanted, table[i].x, r.x);
        r.y = chosen(wanted, table[i].y, r.y);
        r.z = chosen(wanted, table[i].z, r.z);
    }
    r.y = chosen(is_negative, carried(minus(zero(), r.y, 2, f)), r.y);
    return r;
}

PART void multiple(point *a, const struct digits *digits, const struct field *f) {
    // a, 3 a, 5 a, ... 31 a.
    point table[table_size], both = *a, r = *a;
    table[0] = *a;
    double_times(&both, 1, f);
    for (int i = 1; i < table_size; i++) {
        table[i] = table[i - 1];
        add(&table[i], &both, f);
    }
    // What has been summed up is v a with 1 <= v < n / 32 before each step, so that 32 v = d cannot be, and 32 v = -d or
    // n + d only for the scalars that `jk_curve_takes` refuses.
    for (int i = digit_count - 1; i >= 0; i--) {
        double_times(&r, digit_bits, f);
        point next = entry(table, digits->index[i], digits->is_negative[i], f);
        add(&r, &next, f);
    }
    r.y = chosen(digits->is_complement, reduced(minus(zero(), r.y, 2, f), f), r.y);
    *a = r;
}

// Bytes.

// 32 bytes big-endian from each lane's place, as limbs.
KERNEL element load(const uint8_t *bytes, long stride, long lanes) {
    uint64_t limbs[5][8];
    for (long lane = 0; lane < 8; lane++) {
        uint64_t w[4];
        limbs_from_bytes(w, bytes + stride * (lane < lanes ? lane : 0));
        const uint64_t m = (1UL << 52) - 1;
        limbs[0][lane] = w[0] & m;
        limbs[1][lane] = (w[0] >> 52 | w[1] << 12) & m;
        limbs[2][lane] = (w[1] >> 40 | w[2] << 24) & m;
        limbs[3][lane] = (w[2] >> 28 | w[3] << 36) & m;
        limbs[4][lane] = w[3] >> 16;
    }
    element r;
    for (int i = 0; i < 5; i++) r.limb[i] = _mm512_loadu_si512(limbs[i]);
    return r;
}

KERNEL void store(uint8_t *bytes, long stride, long lanes, element a) {
    uint64_t limbs[5][8];
    for (int i = 0; i < 5; i++) _mm512_storeu_si512(limbs[i], a.limb[i]);
    for (long lane = 0; lane < lanes; lane++) {
        uint64_t w[4] = {
            limbs[0][lane] | limbs[1][lane] << 52, limbs[1][lane] >> 12 | limbs[2][lane] << 40, limbs[2][lane] >> 24 | limbs[3][lane] << 28,
            limbs[3][lane] >> 36 | limbs[4][lane] << 16,
        };
        for (int i = 0; i < 4; i++) {
            uint64_t word = __builtin_bswap64(w[i]);
            memcpy(bytes + stride * lane + 24 - 8 * i, &word, 8);
        }
    }
}

// Lanes in which a plain number is below p.
KERNEL __mmask8 below_prime(element a, const struct field *f) {
    for (int i = 0; i < 5; i++) a.limb[i] = _mm512_sub_epi64(a.limb[i], f->prime.limb[i]);
    return _mm512_movepi64_mask(carried(a).limb[4]);
}

// x^3 - 3 x + b, < 5 p.
KERNEL element right_side(element x, const struct field *f) {
    element three = carried(plus(plus(x, x), x));
    return carried(plus(minus(multiply(square(x, f), x, f), three, 4, f), broadcast(f->constants->b)));
}

// Affine points in Montgomery form; returns the lanes in which there is one.
PART __mmask8 decode(point *r, const uint8_t *bytes, long width, long lanes, const struct field *f) {
    __mmask8 valid = 0, wants_odd = 0;
    for (long lane = 0; lane < 8; lane++) {
        uint8_t prefix = bytes[width * (lane < lanes ? lane : 0)];
        valid |= (__mmask8)((width == 65 ? prefix == 4 : prefix == 2 || prefix == 3) << lane);
        wants_odd |= (__mmask8)((prefix & 1) << lane);
    }
    element weight = broadcast(f->constants->weight_1), x = load(bytes + 1, width, lanes);
    valid &= below_prime(x, f);
    r->x = multiply(x, weight, f);                                               // < 1.1 p
    element right = right_side(r->x, f);
    if (width == 65) {
        element y = load(bytes + 33, width, lanes);
        valid &= below_prime(y, f);
        r->y = multiply(y, weight, f);
    } else {
        raise_to_quarter(&r->y, &right, f);
        r->y = multiply(r->y, right, f);
        r->y = chosen(odd(plain(r->y, f)) ^ wants_odd, carried(minus(zero(), r->y, 2, f)), r->y);
    }
    valid &= zeros(carried(minus(square(r->y, f), right, 5, f)), f);
    r->x = reduced(r->x, f);
    r->y = reduced(r->y, f);
    r->z = broadcast(f->constants->one);
    return valid;
}

enum { vectors = 32 };

// Points that share an inversion.
struct block {
    point points[vectors];
    element products[vectors];
    // Lanes that hold the identity; Z is not 0 there.
    __mmask8 identities[vectors];
};

// Into affine coordinates and bytes (Montgomery's trick: one inversion for all).
PART void encode(struct block *block, uint8_t *bytes, long width, long count, const struct field *f) {
    long used = (count + 7) / 8;
    element product = broadcast(f->constants->one), inverse;
    for (long i = 0; i < used; i++) {
        block->products[i] = product;
        product = multiply(product, block->points[i].z, f);
    }
    // z^(p - 2), as p - 2 = 4 (p - 3) / 4 + 1.
    raise_to_quarter(&inverse, &product, f);
    shift(&inverse, 2, &product, f);
    for (long i = used - 1; i >= 0; i--) {
        point p = block->points[i];
        element own = multiply(inverse, block->products[i], f), own2 = square(own, f);
        inverse = multiply(inverse, p.z, f);
        element x = plain(multiply(p.x, own2, f), f), y = plain(multiply(p.y, multiply(own2, own, f), f), f);
        long lanes = count - 8 * i < 8 ? count - 8 * i : 8;
        uint8_t *target = bytes + 8 * i * width;
        store(target + 1, width, lanes, x);
        if (width == 65) store(target + 33, width, lanes, y);
        __mmask8 odds = odd(y);
        for (long lane = 0; lane < lanes; lane++) {
            target[lane * width] = width == 65 ? 4 : (uint8_t)(2 + (odds >> lane & 1));
            if (block->identities[i] >> lane & 1) memset(target + lane * width, 0, (size_t)width);
        }
    }
}

static void wipe(void *memory, size_t size) {
    memset(memory, 0, size);
    __asm__ volatile("" : : "r"(memory) : "memory");
}

int jk_curve_takes(enum jk_curve curve, const uint8_t *scalar) {
    const struct constants *c = &curves[curve];
    uint64_t k[4], low = 0, high = 0;
    limbs_from_bytes(k, scalar);
    for (int i = 1; i < 4; i++) low |= k[i], high |= k[i] ^ c->order[i];
    // The lowest limbs of both orders are far from 0, so a scalar near n agrees with it in the others.
    return !((low == 0 && k[0] <= 128) || (high == 0 && c->order[0] - k[0] <= 128));
}

ENTRY long jk_curve_multiply(enum jk_curve curve, const uint8_t *scalar, const uint8_t *points, long width, long count, uint8_t *products) {
    const struct field f = field_of(curve);
    struct digits digits;
    struct block block;
    memset(block.identities, 0, sizeof block.identities);
    recode(&digits, scalar, f.constants);
    long invalid = count;
    for (long start = 0; start < count && invalid == count; start += 8 * vectors) {
        long size = count - start < 8 * vectors ? count - start : 8 * vectors;
        for (long i = 0; 8 * i < size && invalid == count; i++) {
            long lanes = size - 8 * i < 8 ? size - 8 * i : 8;
            __mmask8 wrong = (__mmask8)~decode(&block.points[i], points + (start + 8 * i) * width, width, lanes, &f) & (__mmask8)((1 << lanes) - 1);
            if (wrong) invalid = start + 8 * i + __builtin_ctz(wrong);
            else multiple(&block.points[i], &digits, &f);
        }
        if (invalid == count) encode(&block, products + start * width, width, size, &f);
    }
    wipe(&digits, sizeof digits);
    return invalid;
}

ENTRY long jk_curve_validate(enum jk_curve curve, const uint8_t *points, long width, long count) {
    const struct field f = field_of(curve);
    for (long start = 0; start < count; start += 8) {
        long lanes = count - start < 8 ? count - start : 8;
        point p;
        __mmask8 wrong = (__mmask8)~decode(&p, points + start * width, width, lanes, &f) & (__mmask8)((1 << lanes) - 1);
        if (wrong) return start + __builtin_ctz(wrong);
    }
    return count;
}

// 48 bytes big-endian modulo p, in Montgomery form, < 2.1 p.
KERNEL element reduce_uniform(const uint8_t *bytes, long stride, long lanes, const struct field *f) {
    uint8_t high[8][32];
    memset(high, 0, sizeof high);
    for (long lane = 0; lane < 8; lane++) memcpy(high[lane] + 16, bytes + stride * (lane < lanes ? lane : 0), 16);
    return carried(plus(multiply(load(bytes + 16, stride, lanes), broadcast(f->constants->weight_1), f),
                        multiply(load(high[0], 32, 8), broadcast(f->constants->weight_2_256), f)));
}

// The simplified SWU map (RFC 9380, 6.6.2) by straight-line code (appendix F.2), with the denominator of x as Z.
PART void map(point *r, const uint8_t *bytes, long stride, long lanes, const struct field *f) {
    const struct constants *c = f->constants;
    element one = broadcast(c->one);
    element u = reduce_uniform(bytes, stride, lanes, f), b = broadcast(c->b), z = broadcast(c->z);
    element zu2 = multiply(z, square(u, f), f);                                  // < 1.1 p
    element sum = carried(plus(square(zu2, f), zu2));                            // < 2.2 p
    element numerator = multiply(b, carried(plus(sum, one)), f);                 // < 1.3 p
    // a = -3: a times (z where sum = 0, -sum elsewhere).
    element minus_z = carried(minus(zero(), z, 1, f));
    element base = chosen(zeros(sum, f), minus_z, sum);
    element denominator = reduced(plus(plus(base, base), base), f);              // < 1.1 p
    element d2 = square(denominator, f), d3 = multiply(d2, denominator, f);      // < 1.1 p
    element d2_3 = carried(plus(plus(d2, d2), d2));
    element g = multiply(carried(minus(square(numerator, f), d2_3, 4, f)), numerator, f); // < 1.5 p
    g = carried(plus(g, multiply(b, d3, f)));                                    // < 2.6 p
    // sqrt(g / d3), or sqrt(z g / d3) where that is no square (appendix F.2.1.2).
    element uv = multiply(g, d3, f), root, base4 = multiply(square(d3, f), uv, f);
    raise_to_quarter(&root, &base4, f);
    root = multiply(root, uv, f);                                                // < 1.1 p
    __mmask8 squares = zeros(carried(minus(multiply(square(root, f), d3, f), g, 3, f)), f);
    element other = multiply(multiply(zu2, u, f), multiply(root, broadcast(c->root_of_minus_z), f), f);
    element y = chosen(squares, root, other);
    numerator = chosen(squares, numerator, multiply(zu2, numerator, f));
    y = chosen(odd(plain(u, f)) ^ odd(plain(y, f)), carried(minus(zero(), y, 2, f)), y); // < 2 p
    r->x = reduced(multiply(numerator, denominator, f), f);
    r->y = reduced(multiply(y, d3, f), f);
    r->z = denominator;
}

ENTRY void jk_curve_map(enum jk_curve curve, const uint8_t *uniform, long count, uint8_t *points) {
    const struct field f = field_of(curve);
    struct block block;
    for (long start = 0; start < count; start += 8 * vectors) {
        long size = count - start < 8 * vectors ? count - start : 8 * vectors;
        for (long i = 0; 8 * i < size; i++) {
            long lanes = size - 8 * i < 8 ? size - 8 * i : 8;
            const uint8_t *bytes = uniform + (start + 8 * i) * 96;
            point first, second;
            map(&first, bytes, 96, lanes, &f);
            map(&second, bytes + 48, 96, lanes, &f);
            element h, r;
            point sum = sum_of(first, second, &h, &r, &f);
            __mmask8 same_x = zeros(h, &f), same = same_x & zeros(r, &f);
            if (same_x) {
                // Once in 2^256: the point twice, or a point and its negative.
                point both = twice(first, &f);
                sum.x = chosen(same, both.x, sum.x);
                sum.y = chosen(same, both.y, sum.y);
                sum.z = chosen(same, both.z, chosen(same_x, broadcast(f.constants->one), sum.z));
            }
            block.points[i] = sum;
            block.identities[i] = same_x & (__mmask8)~same;
        }
        encode(&block, points + start * 65, 65, size, &f);
    }
}

#else

int jk_curve_takes(enum jk_curve curve, const uint8_t *scalar) { abort(); }
long jk_curve_multiply(enum jk_curve curve, const uint8_t *scalar, const uint8_t *points, long width, long count, uint8_t *products) { abort(); }
long jk_curve_validate(enum jk_curve curve, const uint8_t *points, long width, long count) { abort(); }
void jk_curve_map(enum jk_curve curve, const uint8_t *uniform, long count, uint8_t *points) { abort(); }

#endif
