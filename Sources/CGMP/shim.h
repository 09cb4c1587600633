// The one wall around GMP. Most of GMP's functions are macros, which Swift does not import: the `jl_` functions below
// are the whole of what JointLab uses of it.
#ifndef JOINTLAB_CGMP_SHIM_H
#define JOINTLAB_CGMP_SHIM_H

#include <gmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Exported by the library since version 5, but not declared in gmp.h. Returns the carry of the reduced number.
mp_limb_t __gmpn_redc_1(mp_ptr, mp_ptr, mp_srcptr, mp_size_t, mp_limb_t);

// GMP may move or free numbers that hold secrets at any time: every byte it gives back is overwritten first.
static inline void jl_wipe(void *at, size_t bytes) {
    explicit_bzero(at, bytes);
}
static inline void *jl_reallocate_wiped(void *old, size_t old_bytes, size_t new_bytes) {
    void *fresh = malloc(new_bytes);
    if (fresh == NULL) abort();
    memcpy(fresh, old, old_bytes < new_bytes ? old_bytes : new_bytes);
    jl_wipe(old, old_bytes);
    free(old);
    return fresh;
}
static inline void jl_free_wiped(void *old, size_t bytes) {
    jl_wipe(old, bytes);
    free(old);
}
static inline void jl_install_wiping_memory(void) {
    mp_set_memory_functions(NULL, jl_reallocate_wiped, jl_free_wiped);
}

static inline void jl_init(mpz_ptr x) { mpz_init(x); }
static inline void jl_clear(mpz_ptr x) { mpz_clear(x); }
static inline void jl_set(mpz_ptr x, mpz_srcptr a) { mpz_set(x, a); }
static inline void jl_set_word(mpz_ptr x, uint64_t a) { mpz_set_ui(x, a); }
static inline void jl_import(mpz_ptr x, const void *bytes, size_t count) { mpz_import(x, count, 1, 1, 1, 0, bytes); }
static inline void jl_export(void *bytes, mpz_srcptr x) { mpz_export(bytes, NULL, 1, 1, 1, 0, x); }
static inline size_t jl_bits(mpz_srcptr x) { return mpz_sgn(x) == 0 ? 0 : mpz_sizeinbase(x, 2); }
static inline int jl_compare(mpz_srcptr a, mpz_srcptr b) { return mpz_cmp(a, b); }
static inline int jl_is_odd(mpz_srcptr x) { return mpz_odd_p(x) ? 1 : 0; }
static inline void jl_add(mpz_ptr x, mpz_srcptr a, mpz_srcptr b) { mpz_add(x, a, b); }
static inline void jl_subtract(mpz_ptr x, mpz_srcptr a, mpz_srcptr b) { mpz_sub(x, a, b); }
static inline void jl_multiply(mpz_ptr x, mpz_srcptr a, mpz_srcptr b) { mpz_mul(x, a, b); }
static inline void jl_divide(mpz_ptr q, mpz_ptr r, mpz_srcptr a, mpz_srcptr b) { mpz_fdiv_qr(q, r, a, b); }
static inline void jl_modulo(mpz_ptr x, mpz_srcptr a, mpz_srcptr m) { mpz_mod(x, a, m); }
static inline void jl_power(mpz_ptr x, mpz_srcptr b, mpz_srcptr e, mpz_srcptr m) { mpz_powm(x, b, e, m); }
static inline void jl_power_secret(mpz_ptr x, mpz_srcptr b, mpz_srcptr e, mpz_srcptr m) { mpz_powm_sec(x, b, e, m); }
static inline int jl_invert(mpz_ptr x, mpz_srcptr a, mpz_srcptr m) { return mpz_invert(x, a, m); }
static inline void jl_gcd(mpz_ptr x, mpz_srcptr a, mpz_srcptr b) { mpz_gcd(x, a, b); }
static inline uint64_t jl_modulo_word(mpz_srcptr a, uint64_t m) { return mpz_fdiv_ui(a, m); }
static inline int jl_is_probably_prime(mpz_srcptr x, int rounds) { return mpz_probab_prime_p(x, rounds); }
static inline void jl_shift_left(mpz_ptr x, mpz_srcptr a, uint64_t bits) { mpz_mul_2exp(x, a, bits); }
static inline void jl_shift_right(mpz_ptr x, mpz_srcptr a, uint64_t bits) { mpz_fdiv_q_2exp(x, a, bits); }
static inline void jl_low_bits(mpz_ptr x, mpz_srcptr a, uint64_t bits) { mpz_fdiv_r_2exp(x, a, bits); }
static inline size_t jl_limb_count(mpz_srcptr x) { return mpz_size(x); }
static inline const mp_limb_t *jl_limbs(mpz_srcptr x) { return mpz_limbs_read(x); }
static inline void jl_set_limbs(mpz_ptr x, const mp_limb_t *limbs, size_t count) {
    memcpy(mpz_limbs_write(x, (mp_size_t)count), limbs, count * sizeof(mp_limb_t));
    mpz_limbs_finish(x, (mp_size_t)count);
}

// Modulo n^2 in base n: a residue is a pair (x0, x1) of `count` limbs each that stands for x0 - n x1, with x1 < n. One
// product of residues takes three products of half length and two reductions modulo n, where plain Montgomery form takes
// the work of eight. n has `count` limbs with the top bit of the last one free or not; inverse = -1/n modulo 2^64.
// scratch: 5 count + 2 limbs.

// u / R with R = 2^(64 count): the quotients of the reduction go to m, so that u = R z - m n. Returns the carry of z.
static inline mp_limb_t jl_reduce_keeping_quotients(mp_limb_t *z, mp_limb_t *m, mp_limb_t *u, const mp_limb_t *n, long count,
                                                    mp_limb_t inverse) {
    for (long i = 0; i < count; i++) {
        m[i] = u[i] * inverse;
        u[i] = mpn_addmul_1(u + i, n, count, m[i]);
    }
    return mpn_add_n(z, u + count, u, count);
}

// z -= n until it is below R and, if asked to, below n; returns how often.
static inline mp_limb_t jl_settle(mp_limb_t *z, mp_limb_t carry, const mp_limb_t *n, long count, int fully) {
    mp_limb_t times = 0;
    while (carry != 0 || (fully && mpn_cmp(z, n, count) >= 0)) {
        carry -= mpn_sub_n(z, z, n, count);
        times++;
    }
    return times;
}

// The second half of a product: z1 = (s + m) / R mod n - times, with s the sum of the crossed products and its carry.
static inline void jl_finish_crossed(mp_limb_t *z1, mp_limb_t *s, mp_limb_t carry, const mp_limb_t *m, mp_limb_t times,
                                     const mp_limb_t *n, long count, mp_limb_t inverse) {
    carry += mpn_add(s, s, 2 * count, m, count);
    carry += __gmpn_redc_1(z1, s, n, count, inverse);
    jl_settle(z1, carry, n, count, 1);
    while (times-- > 0) {
        if (mpn_sub_1(z1, z1, count, 1)) mpn_add_n(z1, z1, n, count);
    }
}

static inline void jl_square_modulus_multiply(mp_limb_t *z, const mp_limb_t *x, const mp_limb_t *y, const mp_limb_t *n, long count,
                                              mp_limb_t inverse, mp_limb_t *scratch) {
    mp_limb_t *t = scratch, *s = scratch + 2 * count, *m = scratch + 4 * count;
    mpn_mul_n(t, x, y + count, count);
    mpn_mul_n(s, x + count, y, count);
    mp_limb_t carry = mpn_add_n(s, s, t, 2 * count);
    mpn_mul_n(t, x, y, count);
    mp_limb_t times = jl_settle(z, jl_reduce_keeping_quotients(z, m, t, n, count, inverse), n, count, 0);
    jl_finish_crossed(z + count, s, carry, m, times, n, count, inverse);
}

static inline void jl_square_modulus_square(mp_limb_t *z, const mp_limb_t *x, const mp_limb_t *n, long count, mp_limb_t inverse,
                                            mp_limb_t *scratch) {
    mp_limb_t *t = scratch, *s = scratch + 2 * count, *m = scratch + 4 * count;
    mpn_mul_n(s, x, x + count, count);
    mp_limb_t carry = mpn_lshift(s, s, 2 * count, 1);
    mpn_sqr(t, x, count);
    mp_limb_t times = jl_settle(z, jl_reduce_keeping_quotients(z, m, t, n, count, inverse), n, count, 0);
    jl_finish_crossed(z + count, s, carry, m, times, n, count, inverse);
}

#endif
