// Products of table entries modulo p^2, p a prime of `count` limbs with the top bit set, R = 2^(64 count).
//
// An entry is a number v < R with a logarithm l < p and stands for v (1 - p l / R). Logarithms add up, so only the product
// of the v is taken modulo p^2, as R x0 - p x1 with x0, x1 < R:
//
//     a pair of entries    v w = R x0 - p x1, just as Montgomery's reduction leaves it: one product, one reduction
//     (x) (y) / R^2        x0 y0 = R z0 - p m,  z1 = m + (x0 y1 + x1 y0) / R: three products, two reductions
//
// Two entries cost seven steps of half length, where a chain of products modulo p^2 takes ten.
#ifndef JOINTLAB_ENTRIES_H
#define JOINTLAB_ENTRIES_H

#include "residues.h"

// R (x0 + times p) - p x1 = R x0 - p (x1 - times R)
static inline void jl_entries_settle(mp_limb_t *x1, mp_limb_t times, jl_modulus p) {
    while (times-- > 0) {
        while (mpn_add_n(x1, x1, p.limbs, p.count) == 0) {}
    }
}

// z = a b / R modulo p, below p; scratch: 3 count
static inline void jl_montgomery(mp_limb_t *z, const mp_limb_t *a, const mp_limb_t *b, jl_modulus p, mp_limb_t *scratch) {
    jl_product(scratch, a, b, p);
    jl_settle(z, jl_reduce(z, scratch + 2 * p.count, scratch, p), p, 1);
}

// scratch: 2 count
static inline void jl_entries_pair(mp_limb_t *x, const mp_limb_t *v, const mp_limb_t *w, jl_modulus p, mp_limb_t *scratch) {
    jl_product(scratch, v, w, p);
    mp_limb_t times = jl_settle(x, jl_reduce_keeping_quotients(x, x + p.count, scratch, p), p, 0);
    jl_entries_settle(x + p.count, times, p);
}

// x = x y / R^2; scratch: 6 count
static inline void jl_entries_step(mp_limb_t *x, const mp_limb_t *y, jl_modulus p, mp_limb_t *scratch) {
    mp_limb_t *t = scratch, *s = scratch + 2 * p.count, *m = scratch + 4 * p.count, *x1 = x + p.count;
    jl_product(t, x, y + p.count, p);
    jl_product(s, x1, y, p);
    mp_limb_t carry = mpn_add_n(s, s, t, 2 * p.count);
    jl_product(t, x, y, p);
    mp_limb_t times = jl_settle(x, jl_reduce_keeping_quotients(x, m, t, p), p, 0);
    carry += jl_reduce(x1, scratch + 5 * p.count, s, p);
    carry += mpn_add_n(x1, x1, m, p.count);
    jl_settle(x1, carry, p, 0);
    jl_entries_settle(x1, times, p);
}

// value = the product of an even number of entries times (1 - p sum / R), modulo p^2, 2 count limbs. The entries stand in
// the table at index[stride i], v before l, 2 count limbs each; their R-powers have to leave R^2 / R in the product, which the
// table's maker sees to. `sum` has count + 1 limbs: what is to be added to the logarithms, and is used up. Every entry is
// read whatever it is; square = p^2; scratch: 10 count.
static inline void jl_entries_product(mp_limb_t *value, mp_limb_t *sum, const mp_limb_t *table, const uint32_t *index, long entries, long stride,
                                      const mp_limb_t *square, jl_modulus p, mp_limb_t *scratch) {
    const long count = p.count;
    mp_limb_t *x = scratch, *y = scratch + 2 * count, *rest = scratch + 4 * count;
    for (long i = 0; i < entries; i += 2) {
        const mp_limb_t *v = table + (size_t)index[i * stride] * 2 * count, *w = table + (size_t)index[(i + 1) * stride] * 2 * count;
        for (long next = i + 2; next < i + 4 && next < entries; next++) {
            const mp_limb_t *ahead = table + (size_t)index[next * stride] * 2 * count;
            for (long line = 0; line < 2 * count; line += 8) __builtin_prefetch(ahead + line);
        }
        sum[count] += mpn_add_n(sum, sum, v + count, count);
        sum[count] += mpn_add_n(sum, sum, w + count, count);
        jl_entries_pair(i == 0 ? x : y, v, w, p, rest);
        if (i > 0) jl_entries_step(x, y, p, rest);
    }
    // R x0 - p x1 = R value (1 + p sum / R), so value = x0 - p (x1 + x0 sum) / R.
    mp_limb_t *l = y, *t = rest, *m = rest + 2 * count;
    mpn_tdiv_qr(t, l, 0, sum, count + 1, p.limbs, count);
    jl_product(t, x, l, p);
    mp_limb_t carry = mpn_add(t, t, 2 * count, x + count, count);
    carry += jl_reduce(x + count, m, t, p);
    jl_settle(x + count, carry, p, 1);
    jl_square_modulus_join(value, x, square, p);
}

// The number below p^2 q^2 that is a modulo p^2 and b modulo q^2 (Garner), 2 count limbs for count-limb squares, p^2 < 2 q^2.
// factor = p^-2 R modulo q^2; scratch: 4 count.
static inline void jl_join_remainders(mp_limb_t *z, const mp_limb_t *a, const mp_limb_t *b, const mp_limb_t *p_square, jl_modulus q_square,
                                      const mp_limb_t *factor, mp_limb_t *scratch) {
    const long count = q_square.count;
    mp_limb_t *d = scratch, *t = scratch + count, *m = scratch + 3 * count;
    if (mpn_cmp(a, q_square.limbs, count) >= 0) mpn_sub_n(d, a, q_square.limbs, count);
    else memcpy(d, a, (size_t)count * sizeof(mp_limb_t));
    if (mpn_sub_n(d, b, d, count)) mpn_add_n(d, d, q_square.limbs, count);
    jl_product(t, d, factor, q_square);
    jl_settle(d, jl_reduce(d, m, t, q_square), q_square, 1);
    jl_product(z, p_square, d, q_square);
    mpn_add(z, z, 2 * count, a, count);
}

#endif
