#include "curve.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)

#include "fields.h"

// Points in Jacobian coordinates (X / Z^2, Y / Z^3), with X < p + 2^230, Y < 3.7 p and Z < 1.95 p.

// Bernstein and Lange, Explicit-Formulas Database, dbl-2001-b, but for Z = 2 Y Z.
KERNEL point twice(point a, const struct field *f) {
    element delta = squared(a.z, f);                                             // < 1.3 p
    element gamma = square(a.y, f);                                              // < 1.86 p
    element beta = product(a.x, gamma, f);                                       // < 1.12 p
    element sum = plus(a.x, delta);
    sum = carried(plus(plus(sum, sum), sum));                                    // < 7 p
    element alpha = multiply(carried(minus(a.x, delta, 2, f)), sum, f);          // < 2.3 p
    point r;
    r.x = reduced(minus(squared(alpha, f), doubled(beta, 3), 9, f), f);          // from < 10.4 p
    element rest = carried(minus(doubled(beta, 2), r.x, 2, f));                  // < 6.5 p
    // alpha rest - 8 gamma^2: < (2.3 6.5 + 15 1.86) / 16 p + p
    r.y = carried(products(alpha, rest, carried(minus(zero(), doubled(gamma, 3), 15, f)), gamma, f));
    r.z = multiply(carried(doubled(a.y, 1)), a.z, f);                            // < 1.95 p
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

// a plus a point (x, y), likewise.
KERNEL point with_affine(point a, element x, element y, const struct field *f) {
    element z2 = square(a.z, f);                                                 // < 1.3 p
    element h = carried(minus(product(x, z2, f), a.x, 2, f));                    // < 3.2 p
    element r = carried(minus(product(y, multiply(a.z, z2, f), f), a.y, 4, f));  // < 5.3 p
    element h2 = square(h, f), h3 = multiply(h, h2, f), v = product(a.x, h2, f); // < 1.7 p, 1.4 p, 1.2 p
    point c;
    c.x = reduced(minus(squared(r, f), plus(h3, plus(v, v)), 4, f), f);          // from < 6.8 p
    element rest = carried(minus(v, c.x, 2, f));                                 // < 3.2 p
    c.y = carried(products(r, rest, carried(minus(zero(), a.y, 4, f)), h3, f));  // < 2.5 p
    c.z = multiply(h, a.z, f);                                                   // < 1.4 p
    return c;
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
    lane_set is_negative[digit_count];
    lane_set is_complement;
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
    digits->is_complement = (lane_set)even;
    for (int i = 0; i < digit_count; i++) {
        int bit = digit_bits * i + 1;
        uint64_t window = k[bit / 64] >> (bit % 64);
        if (bit % 64 > 64 - digit_bits) window |= k[bit / 64 + 1] << (64 - bit % 64);
        // d = 2 window + 1 - 32, and its place among 1, 3, ... 31.
        uint32_t w = (uint32_t)window & 31, negative = (w >> 4) - 1;
        digits->index[i] = (uint8_t)((w ^ negative) & 15);
        digits->is_negative[i] = (lane_set)negative;
    }
    volatile uint64_t *gone = k;
    for (int i = 0; i < 5; i++) gone[i] = 0;
}

// a, 3 a, 5 a, ... 31 a of sixteen points a.
struct multiples {
    element x[table_size], y[table_size];
    // Z of each over that of the one before, while coordinates are not yet affine.
    element ratios[table_size];
};

// All but the first in Jacobian coordinates: 2 a is added time after time, brought to the Z of each sum by what the addition
// computes anyway (Meloni, "New point addition formulae for ECC applications", WAIFI 2007). a comes affine and gets the last one's Z.
PART void list_multiples(struct multiples *m, point *a, const struct field *f) {
    m->x[0] = a->x;
    m->y[0] = a->y;
    // a with Z = 2 y is (4 x y^2, 8 y^4).
    element y2 = square(a->y, f), x2 = square(a->x, f);                          // < 1.1 p
    element first_x = carried(doubled(product(a->x, y2, f), 2));                 // < 4.4 p
    element first_y = reduced(doubled(squared(y2, f), 3), f);                    // from < 8.7 p
    element slope = carried(minus(plus(plus(x2, x2), x2), carried(plus(plus(a->z, a->z), a->z)), 4, f)); // 3 x^2 - 3, < 7.4 p
    element two_x = reduced(minus(squared(slope, f), doubled(first_x, 1), 9, f), f); // from < 13.5 p
    element two_y = reduced(minus(product(slope, carried(minus(first_x, two_x, 2, f)), f), first_y, 2, f), f); // from < 6 p
    element z = carried(doubled(a->y, 1));                                       // < 2.1 p
    element x = reduced(first_x, f), y = first_y;
    for (int i = 1; i < table_size; i++) {
        element ratio = carried(minus(two_x, x, 2, f)), dy = carried(minus(two_y, y, 2, f)); // < 3.1 p
        element square_of_ratio = square(ratio, f);                              // < 1.7 p
        element w = multiply(two_x, square_of_ratio, f), v = product(x, square_of_ratio, f); // < 1.2 p
        element shifted_y = multiply(two_y, carried(minus(w, v, 2, f)), f);      // < 1.3 p
        x = reduced(minus(squared(dy, f), plus(w, v), 3, f), f);                 // from < 4.7 p
        y = reduced(minus(product(dy, carried(minus(w, x, 2, f)), f), shifted_y, 2, f), f); // from < 3.7 p
        two_x = reduced(w, f);
        two_y = reduced(shifted_y, f);
        z = multiply(z, ratio, f);                                               // < 1.5 p
        m->x[i] = x;
        m->y[i] = y;
        m->ratios[i] = ratio;
    }
    a->z = z;
}

// Into affine coordinates, from the inverse of the last one's Z.
PART void settle_multiples(struct multiples *m, const element *inverse, const struct field *f) {
    element own = *inverse;
    for (int i = table_size - 1; i > 0; i--) {
        element own2 = square(own, f);
        m->x[i] = multiply(m->x[i], own2, f);
        m->y[i] = multiply(m->y[i], multiply(own2, own, f), f);
        own = multiply(own, m->ratios[i], f);
    }
}

PART void multiple(point *a, const struct multiples *m, const struct digits *digits, const struct field *f) {
    point r = {m->x[0], m->y[0], broadcast(f->constants->one)};
    // What has been summed up is v a with 1 <= v < n / 32 before each step, so that 32 v = d cannot be, and 32 v = -d or
    // n + d only for the scalars that `jk_curve_takes` refuses.
    for (int i = digit_count - 1; i >= 0; i--) {
        double_times(&r, digit_bits, f);
        // The table is read whole, whichever entry is wanted.
        element x = zero(), y = zero();
        for (uint32_t j = 0; j < table_size; j++) {
            lane_set wanted = (lane_set)(((j ^ digits->index[i]) - 1) >> 8);
            x = chosen(wanted, m->x[j], x);
            y = chosen(wanted, m->y[j], y);
        }
        y = chosen(digits->is_negative[i], carried(minus(zero(), y, 2, f)), y);
        r = with_affine(r, x, y, f);
    }
    r.y = chosen(digits->is_complement, carried(minus(zero(), r.y, 4, f)), r.y);
    *a = r;
}

// Bytes.

// 32 bytes big-endian from each lane's place, as limbs; lanes that are not used repeat the first.
KERNEL element load(const uint8_t *bytes, long stride, long used) {
    uint64_t limbs[5][lanes];
    for (long lane = 0; lane < lanes; lane++) {
        uint64_t w[4];
        limbs_from_bytes(w, bytes + stride * (lane < used ? lane : 0));
        const uint64_t m = (1UL << 52) - 1;
        limbs[0][lane] = w[0] & m;
        limbs[1][lane] = (w[0] >> 52 | w[1] << 12) & m;
        limbs[2][lane] = (w[1] >> 40 | w[2] << 24) & m;
        limbs[3][lane] = (w[2] >> 28 | w[3] << 36) & m;
        limbs[4][lane] = w[3] >> 16;
    }
    element r;
    HALVES for (int i = 0; i < 5; i++) r.limb[h][i] = _mm512_loadu_si512(&limbs[i][8 * h]);
    return r;
}

KERNEL void store(uint8_t *bytes, long stride, long used, element a) {
    uint64_t limbs[5][lanes];
    HALVES for (int i = 0; i < 5; i++) _mm512_storeu_si512(&limbs[i][8 * h], a.limb[h][i]);
    for (long lane = 0; lane < used; lane++) {
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

// x^3 - 3 x + b, < 5 p.
KERNEL element right_side(element x, const struct field *f) {
    element three = carried(plus(plus(x, x), x));
    return carried(plus(minus(multiply(square(x, f), x, f), three, 4, f), broadcast(f->constants->b)));
}

// Affine points in Montgomery form; returns the lanes in which there is one.
PART lane_set decode(point *r, const uint8_t *bytes, long width, long used, const struct field *f) {
    lane_set valid = 0, wants_odd = 0;
    for (long lane = 0; lane < lanes; lane++) {
        uint8_t prefix = bytes[width * (lane < used ? lane : 0)];
        valid |= (lane_set)((width == 65 ? prefix == 4 : prefix == 2 || prefix == 3) << lane);
        wants_odd |= (lane_set)((prefix & 1) << lane);
    }
    element weight = broadcast(f->constants->weight_1), x = load(bytes + 1, width, used);
    valid &= below_prime(x, f);
    r->x = multiply(x, weight, f);                                               // < 1.1 p
    element right = right_side(r->x, f);
    if (width == 65) {
        element y = load(bytes + 33, width, used);
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

enum { groups = 16 };

// How many of `count` points a group holds.
static long held_by(long group, long count) { return count - lanes * group < lanes ? count - lanes * group : lanes; }

// Points that share an inversion.
struct block {
    point points[groups];
    element inverses[groups];
    // Lanes that hold the identity; Z is not 0 there.
    lane_set identities[groups];
};

// Of every Z (Montgomery's trick).
PART void invert(struct block *block, long used, const struct field *f) {
    element product = broadcast(f->constants->one), inverse;
    for (long i = 0; i < used; i++) {
        block->inverses[i] = product;
        product = multiply(product, block->points[i].z, f);
    }
    // z^(p - 2), as p - 2 = 4 (p - 3) / 4 + 1.
    raise_to_quarter(&inverse, &product, f);
    shift(&inverse, 2, &product, f);
    for (long i = used - 1; i >= 0; i--) {
        block->inverses[i] = multiply(inverse, block->inverses[i], f);
        inverse = multiply(inverse, block->points[i].z, f);
    }
}

// Into affine coordinates and bytes.
PART void encode(struct block *block, uint8_t *bytes, long width, long count, const struct field *f) {
    long used = (count + lanes - 1) / lanes;
    invert(block, used, f);
    for (long i = 0; i < used; i++) {
        point p = block->points[i];
        element own = block->inverses[i], own2 = square(own, f);
        element x = plain(multiply(p.x, own2, f), f), y = plain(multiply(p.y, multiply(own2, own, f), f), f);
        long held = held_by(i, count);
        uint8_t *target = bytes + lanes * i * width;
        store(target + 1, width, held, x);
        if (width == 65) store(target + 33, width, held, y);
        lane_set odds = odd(y);
        for (long lane = 0; lane < held; lane++) {
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

struct multiplying {
    struct block block;
    struct multiples multiples[groups];
};

size_t jk_curve_scratch_bytes(void) { return sizeof(struct multiplying); }

ENTRY long jk_curve_multiply(enum jk_curve curve, const uint8_t *scalar, const uint8_t *points, long width, long count, uint8_t *products,
                             void *scratch) {
    const struct field f = field_of(curve);
    struct multiplying *m = scratch;
    struct digits digits;
    memset(m->block.identities, 0, sizeof m->block.identities);
    recode(&digits, scalar, f.constants);
    long invalid = count;
    for (long start = 0; start < count && invalid == count; start += lanes * groups) {
        long size = count - start < lanes * groups ? count - start : lanes * groups, used = (size + lanes - 1) / lanes;
        for (long i = 0; i < used && invalid == count; i++) {
            long held = held_by(i, size), first = start + lanes * i;
            int wrong = ~decode(&m->block.points[i], points + first * width, width, held, &f) & ((1 << held) - 1);
            if (wrong) invalid = first + __builtin_ctz((unsigned)wrong);
            else list_multiples(&m->multiples[i], &m->block.points[i], &f);
        }
        if (invalid < count) break;
        invert(&m->block, used, &f);
        for (long i = 0; i < used; i++) {
            settle_multiples(&m->multiples[i], &m->block.inverses[i], &f);
            multiple(&m->block.points[i], &m->multiples[i], &digits, &f);
        }
        encode(&m->block, products + start * width, width, size, &f);
    }
    wipe(&digits, sizeof digits);
    wipe(&m->block, sizeof m->block);
    return invalid;
}

ENTRY long jk_curve_validate(enum jk_curve curve, const uint8_t *points, long width, long count) {
    const struct field f = field_of(curve);
    for (long start = 0; start < count; start += lanes) {
        long held = held_by(0, count - start);
        point p;
        int wrong = ~decode(&p, points + start * width, width, held, &f) & ((1 << held) - 1);
        if (wrong) return start + __builtin_ctz((unsigned)wrong);
    }
    return count;
}

// 48 bytes big-endian modulo p, in Montgomery form, < 2.1 p.
KERNEL element reduce_uniform(const uint8_t *bytes, long stride, long used, const struct field *f) {
    uint8_t high[lanes][32];
    memset(high, 0, sizeof high);
    for (long lane = 0; lane < lanes; lane++) memcpy(high[lane] + 16, bytes + stride * (lane < used ? lane : 0), 16);
    return carried(plus(multiply(load(bytes + 16, stride, used), broadcast(f->constants->weight_1), f),
                        multiply(load(high[0], 32, lanes), broadcast(f->constants->weight_2_256), f)));
}

// The simplified SWU map (RFC 9380, 6.6.2) by straight-line code (appendix F.2), with the denominator of x as Z.
PART void map(point *r, const uint8_t *bytes, long stride, long used, const struct field *f) {
    const struct constants *c = f->constants;
    element one = broadcast(c->one);
    element u = reduce_uniform(bytes, stride, used, f), b = broadcast(c->b), z = broadcast(c->z);
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
    lane_set squares = zeros(carried(minus(multiply(square(root, f), d3, f), g, 3, f)), f);
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
    for (long start = 0; start < count; start += lanes * groups) {
        long size = count - start < lanes * groups ? count - start : lanes * groups;
        for (long i = 0; lanes * i < size; i++) {
            long held = held_by(i, size);
            const uint8_t *bytes = uniform + (start + lanes * i) * 96;
            point first, second;
            map(&first, bytes, 96, held, &f);
            map(&second, bytes + 48, 96, held, &f);
            element h, r;
            point sum = sum_of(first, second, &h, &r, &f);
            lane_set same_x = zeros(h, &f), same = same_x & zeros(r, &f);
            if (same_x) {
                // Once in 2^256: the point twice, or a point and its negative.
                point both = twice(first, &f);
                sum.x = chosen(same, both.x, sum.x);
                sum.y = chosen(same, both.y, sum.y);
                sum.z = chosen(same, both.z, chosen(same_x, broadcast(f.constants->one), sum.z));
            }
            block.points[i] = sum;
            block.identities[i] = same_x & (lane_set)~same;
        }
        encode(&block, points + start * 65, 65, size, &f);
    }
}

#else

size_t jk_curve_scratch_bytes(void) { return 0; }
int jk_curve_takes(enum jk_curve curve, const uint8_t *scalar) { abort(); }
long jk_curve_multiply(enum jk_curve curve, const uint8_t *scalar, const uint8_t *points, long width, long count, uint8_t *products,
                       void *scratch) { abort(); }
long jk_curve_validate(enum jk_curve curve, const uint8_t *points, long width, long count) { abort(); }
void jk_curve_map(enum jk_curve curve, const uint8_t *uniform, long count, uint8_t *points) { abort(); }

#endif
