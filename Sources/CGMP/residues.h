// Products modulo n^2 in base n, and of table entries modulo p^2. All lengths in limbs; `wide` is what `jl_has_wide` said,
// for lengths that are multiples of eight.
#ifndef JOINTLAB_RESIDUES_H
#define JOINTLAB_RESIDUES_H

#include <stdint.h>

#include "wide.h"

// Exported by the library since version 5, but not declared in gmp.h. Returns the carry of the reduced number.
mp_limb_t __gmpn_redc_1(mp_ptr, mp_ptr, mp_srcptr, mp_size_t, mp_limb_t);

// A modulus n of `count` limbs, the top bit of the last one free or not; inverse = -1/n modulo 2^64. R = 2^(64 count).
typedef struct {
    const mp_limb_t *limbs;
    long count;
    mp_limb_t inverse;
    int wide;
} jl_modulus;

static inline void jl_product(mp_limb_t *z, const mp_limb_t *x, const mp_limb_t *y, jl_modulus n) {
    if (n.wide) jl_wide_multiply(z, x, y, n.count);
    else mpn_mul_n(z, x, y, n.count);
}

// t = R z - m n, with the carry of z returned; t is used up.
static inline mp_limb_t jl_reduce_keeping_quotients(mp_limb_t *z, mp_limb_t *m, mp_limb_t *t, jl_modulus n) {
    if (n.wide) return jl_wide_reduce(z, m, t, n.limbs, n.count, n.inverse);
    for (long i = 0; i < n.count; i++) {
        m[i] = t[i] * n.inverse;
        t[i] = mpn_addmul_1(t + i, n.limbs, n.count, m[i]);
    }
    return mpn_add_n(z, t + n.count, t, n.count);
}

// z = t / R modulo n up to some n, with a carry; t is used up, m is scratch.
static inline mp_limb_t jl_reduce(mp_limb_t *z, mp_limb_t *m, mp_limb_t *t, jl_modulus n) {
    if (n.wide) return jl_wide_reduce(z, m, t, n.limbs, n.count, n.inverse);
    return __gmpn_redc_1(z, t, n.limbs, n.count, n.inverse);
}

// z -= n until it is below R and, if asked to, below n; returns how often.
static inline mp_limb_t jl_settle(mp_limb_t *z, mp_limb_t carry, jl_modulus n, int fully) {
    mp_limb_t times = 0;
    while (carry != 0 || (fully && mpn_cmp(z, n.limbs, n.count) >= 0)) {
        carry -= mpn_sub_n(z, z, n.limbs, n.count);
        times++;
    }
    return times;
}

// A residue modulo n^2 is a pair (x0, x1) of `count` limbs each that stands for x0 - n x1, with x1 < n. One product of
// residues takes three products of half length and two reductions modulo n, where plain Montgomery form takes the work of
// eight. scratch: 6 count limbs.

// The second half of a product: z1 = (s + m) / R mod n - times, with s the sum of the crossed products and its carry.
static inline void jl_finish_crossed(mp_limb_t *z1, mp_limb_t *s, mp_limb_t carry, const mp_limb_t *m, mp_limb_t times, jl_modulus n,
                                     mp_limb_t *scratch) {
    carry += mpn_add(s, s, 2 * n.count, m, n.count);
    carry += jl_reduce(z1, scratch, s, n);
    jl_settle(z1, carry, n, 1);
    while (times-- > 0) {
        if (mpn_sub_1(z1, z1, n.count, 1)) mpn_add_n(z1, z1, n.limbs, n.count);
    }
}

static inline void jl_square_modulus_multiply(mp_limb_t *z, const mp_limb_t *x, const mp_limb_t *y, jl_modulus n, mp_limb_t *scratch) {
    mp_limb_t *t = scratch, *s = scratch + 2 * n.count, *m = scratch + 4 * n.count;
    jl_product(t, x, y + n.count, n);
    jl_product(s, x + n.count, y, n);
    mp_limb_t carry = mpn_add_n(s, s, t, 2 * n.count);
    jl_product(t, x, y, n);
    mp_limb_t times = jl_settle(z, jl_reduce_keeping_quotients(z, m, t, n), n, 0);
    jl_finish_crossed(z + n.count, s, carry, m, times, n, scratch + 5 * n.count);
}

static inline void jl_square_modulus_square(mp_limb_t *z, const mp_limb_t *x, jl_modulus n, mp_limb_t *scratch) {
    mp_limb_t *t = scratch, *s = scratch + 2 * n.count, *m = scratch + 4 * n.count;
    jl_product(s, x, x + n.count, n);
    mp_limb_t carry = mpn_lshift(s, s, 2 * n.count, 1);
    mpn_sqr(t, x, n.count);
    mp_limb_t times = jl_settle(z, jl_reduce_keeping_quotients(z, m, t, n), n, 0);
    jl_finish_crossed(z + n.count, s, carry, m, times, n, scratch + 5 * n.count);
}

// t, below n^2 and used up, as a pair that stands for t / R: no division, but another power of R.
static inline void jl_square_modulus_split(mp_limb_t *z, mp_limb_t *t, jl_modulus n, mp_limb_t *scratch) {
    mp_limb_t *m = scratch, *s = scratch + n.count, *z1 = z + n.count;
    mp_limb_t times = jl_settle(z, jl_reduce_keeping_quotients(z, m, t, n), n, 1);
    memcpy(s, m, (size_t)n.count * sizeof(mp_limb_t));
    memset(s + n.count, 0, (size_t)n.count * sizeof(mp_limb_t));
    jl_settle(z1, jl_reduce(z1, m, s, n), n, 1);
    // t = R (z + times n) - m n
    while (times-- > 0) {
        if (mpn_sub_1(z1, z1, n.count, 1)) mpn_add_n(z1, z1, n.limbs, n.count);
    }
}

// value = x0 - n x1, below n^2, of 2 count limbs. Both halves below R; square = n^2.
static inline void jl_square_modulus_join(mp_limb_t *value, const mp_limb_t *x, const mp_limb_t *square, jl_modulus n) {
    mp_limb_t d[64];
    mpn_sub_n(d, n.limbs, x + n.count, n.count);
    jl_product(value, d, n.limbs, n);
    mp_limb_t carry = mpn_add(value, value, 2 * n.count, x, n.count);
    while (carry != 0 || mpn_cmp(value, square, 2 * n.count) >= 0) carry -= mpn_sub_n(value, value, square, 2 * n.count);
}

// For writing: line by line.
static inline void jl_prefetch(const mp_limb_t *x, long count) {
    for (long line = 0; line < count; line += 8) __builtin_prefetch(x + line, 1);
}

// Big-endian bytes, eight for each limb.
static inline void jl_limbs_from_bytes(mp_limb_t *z, const uint8_t *bytes, long count) {
    for (long i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, bytes + 8 * (count - 1 - i), 8);
        z[i] = __builtin_bswap64(word);
    }
}
static inline void jl_bytes_from_limbs(uint8_t *bytes, const mp_limb_t *z, long count) {
    for (long i = 0; i < count; i++) {
        uint64_t word = __builtin_bswap64(z[count - 1 - i]);
        memcpy(bytes + 8 * i, &word, 8);
    }
}

#endif
