// The fields of P-256 and of the curve of GB/T 32918.5, for curve.c.
#ifndef JOINTLAB_FIELDS_H
#define JOINTLAB_FIELDS_H

#include "curve.h"

#include <immintrin.h>

// Field elements: sixteen of them, in two halves of eight lanes, since one product does not fill both multipliers while it waits
// for itself. Limbs have 52 bits, least significant first, in Montgomery form with R = 2^260. p is between 2^256 - 2^225 and 2^256,
// so there are four bits to spare: a value may be a multiple of p above its remainder, and comments tell how far, as "< 3 p".
// All limbs are below 2^52 between functions, where nothing else is said.
//
// A product of a < A p and b < B p is below (A B / 16 + 1) p, if A B <= 240; a sum of two likewise, of both A B together.

#define KERNEL static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vbmi")))
#define ENTRY __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vbmi")))
#define PART static __attribute__((noinline, target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vbmi")))

enum { lanes = 16, halves = 2 };

typedef struct { __m512i limb[halves][5]; } element;
typedef struct { element x, y, z; } point;
// One bit for each lane.
typedef uint16_t lane_set;

#define HALVES for (int h = 0; h < halves; h++)

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
    // 0 p to 15 p in all lanes; and limbs of 0 p to 7 p, and of 8 p to 15 p: lane k for k p, and for (8 + k) p.
    __m512i multiples[16][5], by_lane[2][5];
    const struct constants *constants;
    int is_sm2;
};

#define MASK _mm512_set1_epi64((1L << 52) - 1)

KERNEL element broadcast(const uint64_t *limbs) {
    element r;
    HALVES for (int i = 0; i < 5; i++) r.limb[h][i] = _mm512_set1_epi64((long long)limbs[i]);
    return r;
}

KERNEL element zero(void) {
    element r;
    HALVES for (int i = 0; i < 5; i++) r.limb[h][i] = _mm512_setzero_si512();
    return r;
}

KERNEL struct field field_of(enum jk_curve curve) {
    const struct constants *constants = &curves[curve];
    struct field f = {.constants = constants, .is_sm2 = curve == jk_sm2};
    uint64_t limbs[5][16];
    for (int k = 0; k < 16; k++) {
        uint64_t carry = 0;
        for (int i = 0; i < 5; i++) {
            unsigned __int128 product = (unsigned __int128)constants->prime[i] * k + carry;
            limbs[i][k] = (uint64_t)product & ((1UL << 52) - 1);
            carry = (uint64_t)(product >> 52);
            f.multiples[k][i] = _mm512_set1_epi64((long long)limbs[i][k]);
        }
    }
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 2; j++) f.by_lane[j][i] = _mm512_loadu_si512(&limbs[i][8 * j]);
    return f;
}

// Limbs that are signed and of up to 63 bits into 52 bits; the value is in 0..<2^260.
KERNEL element carried(element a) {
    HALVES for (int i = 0; i < 4; i++) {
        a.limb[h][i + 1] = _mm512_add_epi64(a.limb[h][i + 1], _mm512_srai_epi64(a.limb[h][i], 52));
        a.limb[h][i] = _mm512_and_si512(a.limb[h][i], MASK);
    }
    return a;
}

// The same, less as many p as the highest bits tell: below p + 2^230.
KERNEL element reduced(element a, const struct field *f) {
    HALVES {
        // Carries from the lower limbs are left out, which moves the value by less than 2^170: one too many is made up for by
        // 2^256 - p > 2^223, and of a value below that nothing is to be subtracted.
        __m512i count = _mm512_srai_epi64(_mm512_add_epi64(a.limb[h][4], _mm512_srai_epi64(a.limb[h][3], 52)), 48);
        count = _mm512_max_epi64(count, _mm512_setzero_si512());
        for (int i = 0; i < 5; i++)
            a.limb[h][i] = _mm512_sub_epi64(a.limb[h][i], _mm512_permutex2var_epi64(f->by_lane[0][i], count, f->by_lane[1][i]));
    }
    return carried(a);
}

// Limbs are added alone: to be carried.
KERNEL element plus(element a, element b) {
    HALVES for (int i = 0; i < 5; i++) a.limb[h][i] = _mm512_add_epi64(a.limb[h][i], b.limb[h][i]);
    return a;
}

// a - b + multiple p, where b <= multiple p: to be carried.
KERNEL element minus(element a, element b, int multiple, const struct field *f) {
    HALVES for (int i = 0; i < 5; i++)
        a.limb[h][i] = _mm512_add_epi64(_mm512_sub_epi64(a.limb[h][i], b.limb[h][i]), f->multiples[multiple][i]);
    return a;
}

// 2^bits a: to be carried.
KERNEL element doubled(element a, int bits) {
    HALVES for (int i = 0; i < 5; i++) a.limb[h][i] = _mm512_slli_epi64(a.limb[h][i], bits);
    return a;
}

#define SUM_OF_LOW(sum, x, y) sum = _mm512_madd52lo_epu64(sum, x, y)
#define SUM_OF_HIGH(sum, x, y) sum = _mm512_madd52hi_epu64(sum, x, y)

// The low 260 bits are made zero by adding multiples of p, one limb after the other. p = -1 modulo 2^52, so that a limb q is its own
// multiplier: q p = q (p + 1) - q, of which the second part clears the limb, up to its carry, and p + 1 has few limbs. Nothing
// masks q, since a multiplication reads 52 bits.
KERNEL void montgomery(__m512i *r, __m512i *t, int is_sm2) {
    const __m512i top = _mm512_set1_epi64((1L << 48) - (1L << 16));
    if (is_sm2) {
        // p + 1 = 2^208 (2^48 - 2^16) - 2^52 (2^44 - 2^12): what is to be subtracted is collected apart. Columns may be negative, and
        // all are below 2^58 in magnitude.
        const __m512i c = _mm512_set1_epi64((1L << 44) - (1L << 12));
        __m512i less[7];
        for (int i = 0; i < 7; i++) less[i] = _mm512_setzero_si512();
        for (int i = 0; i < 5; i++) {
            __m512i q = t[i];
            SUM_OF_LOW(less[i + 1], q, c);
            SUM_OF_HIGH(less[i + 2], q, c);
            t[i + 1] = _mm512_sub_epi64(_mm512_add_epi64(t[i + 1], _mm512_srai_epi64(q, 52)), less[i + 1]);
            SUM_OF_LOW(t[i + 4], q, top);
            SUM_OF_HIGH(t[i + 5], q, top);
        }
        t[6] = _mm512_sub_epi64(t[6], less[6]);
    } else {
        // p + 1 = 2^208 (2^48 - 2^16) + 2^156 2^36 + 2^52 2^44
        const __m512i c = _mm512_set1_epi64(1L << 44), d = _mm512_set1_epi64(1L << 36);
        for (int i = 0; i < 5; i++) {
            __m512i q = t[i];
            t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srli_epi64(q, 52));
            SUM_OF_LOW(t[i + 1], q, c);
            SUM_OF_HIGH(t[i + 2], q, c);
            SUM_OF_LOW(t[i + 3], q, d);
            SUM_OF_HIGH(t[i + 4], q, d);
            SUM_OF_LOW(t[i + 4], q, top);
            SUM_OF_HIGH(t[i + 5], q, top);
        }
    }
    for (int i = 0; i < 5; i++) r[i] = t[5 + i];
}

KERNEL void add_product(__m512i *t, const __m512i *a, const __m512i *b) {
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) {
            SUM_OF_LOW(t[i + j], a[i], b[j]);
            SUM_OF_HIGH(t[i + j + 1], a[i], b[j]);
        }
}

PART void multiply_into(element *r, const element *a, const element *b, const struct field *f) {
    HALVES {
        __m512i t[10];
        for (int i = 0; i < 10; i++) t[i] = _mm512_setzero_si512();
        add_product(t, a->limb[h], b->limb[h]);
        montgomery(r->limb[h], t, f->is_sm2);
    }
}

PART void multiply_two_into(element *r, const element *a, const element *b, const element *c, const element *d, const struct field *f) {
    HALVES {
        __m512i t[10];
        for (int i = 0; i < 10; i++) t[i] = _mm512_setzero_si512();
        add_product(t, a->limb[h], b->limb[h]);
        add_product(t, c->limb[h], d->limb[h]);
        montgomery(r->limb[h], t, f->is_sm2);
    }
}

PART void square_into(element *r, const element *a, const struct field *f) {
    HALVES {
        const __m512i *l = a->limb[h];
        __m512i t[10];
        for (int i = 0; i < 10; i++) t[i] = _mm512_setzero_si512();
        for (int i = 0; i < 5; i++)
            for (int j = i + 1; j < 5; j++) {
                SUM_OF_LOW(t[i + j], l[i], l[j]);
                SUM_OF_HIGH(t[i + j + 1], l[i], l[j]);
            }
        for (int i = 1; i < 9; i++) t[i] = _mm512_add_epi64(t[i], t[i]);
        for (int i = 0; i < 5; i++) {
            SUM_OF_LOW(t[2 * i], l[i], l[i]);
            SUM_OF_HIGH(t[2 * i + 1], l[i], l[i]);
        }
        montgomery(r->limb[h], t, f->is_sm2);
    }
}

// a b, a b + c d and a^2: to be carried.
KERNEL element product(element a, element b, const struct field *f) {
    element r;
    multiply_into(&r, &a, &b, f);
    return r;
}

KERNEL element products(element a, element b, element c, element d, const struct field *f) {
    element r;
    multiply_two_into(&r, &a, &b, &c, &d, f);
    return r;
}

KERNEL element squared(element a, const struct field *f) {
    element r;
    square_into(&r, &a, f);
    return r;
}

KERNEL element multiply(element a, element b, const struct field *f) { return carried(product(a, b, f)); }
KERNEL element square(element a, const struct field *f) { return carried(squared(a, f)); }

KERNEL element chosen(lane_set set, element yes, element no) {
    HALVES for (int i = 0; i < 5; i++) no.limb[h][i] = _mm512_mask_mov_epi64(no.limb[h][i], (__mmask8)(set >> 8 * h), yes.limb[h][i]);
    return no;
}

// Lanes in which what `carried` left is negative.
KERNEL lane_set negatives(element a) {
    lane_set r = 0;
    HALVES r |= (lane_set)(_mm512_movepi64_mask(a.limb[h][4]) << 8 * h);
    return r;
}

// a - p, carried.
KERNEL element less_prime(element a, const struct field *f) {
    HALVES for (int i = 0; i < 5; i++) a.limb[h][i] = _mm512_sub_epi64(a.limb[h][i], f->multiples[1][i]);
    return carried(a);
}

// a < 16 p into 0..<p.
KERNEL element canonical(element a, const struct field *f) {
    a = reduced(a, f);
    element less = less_prime(a, f);
    return chosen(negatives(less), a, less);
}

// Lanes in which a plain number is below p.
KERNEL lane_set below_prime(element a, const struct field *f) { return negatives(less_prime(a, f)); }

// Lanes in which a = 0 modulo p.
KERNEL lane_set zeros(element a, const struct field *f) {
    a = canonical(a, f);
    lane_set r = 0;
    HALVES {
        const __m512i *l = a.limb[h];
        __m512i all = _mm512_or_si512(_mm512_or_si512(_mm512_or_si512(l[0], l[1]), _mm512_or_si512(l[2], l[3])), l[4]);
        r |= (lane_set)(_mm512_testn_epi64_mask(all, all) << 8 * h);
    }
    return r;
}

// Out of Montgomery form, in 0..<p.
KERNEL element plain(element a, const struct field *f) {
    element one = zero();
    HALVES one.limb[h][0] = _mm512_set1_epi64(1);
    return canonical(multiply(a, one, f), f);
}

KERNEL lane_set odd(element plain) {
    lane_set r = 0;
    HALVES r |= (lane_set)(_mm512_test_epi64_mask(plain.limb[h][0], _mm512_set1_epi64(1)) << 8 * h);
    return r;
}

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

#endif
