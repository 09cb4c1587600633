// The one wall around GMP. Most of GMP's functions are macros, which Swift does not import: the `jl_` functions below
// are the whole of what JointLab uses of it.
#ifndef JOINTLAB_CGMP_SHIM_H
#define JOINTLAB_CGMP_SHIM_H

#include <gmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// z = a b, count + 1 limbs.
static inline void jl_multiply_word(mp_limb_t *z, const mp_limb_t *a, long count, uint64_t b) { z[count] = mpn_mul_1(z, a, count, b); }
// z = a modulo m, of m_count limbs, of which the highest is not 0; scratch: count limbs.
static inline void jl_remainder(mp_limb_t *z, const mp_limb_t *a, long count, const mp_limb_t *m, long m_count, mp_limb_t *scratch) {
    mpn_tdiv_qr(scratch, z, 0, a, count, m, m_count);
}
static inline int jl_is_zero(const mp_limb_t *a, long count) { return mpn_zero_p(a, count); }
static inline int jl_compare_limbs(const mp_limb_t *a, const mp_limb_t *b, long count) { return mpn_cmp(a, b, count); }

#include "residues.h"
#include "entries.h"

// Zeros, in whole cache lines; from some MiB on in large pages, where the system has them: tables are read at random places.
static inline void *jl_allocate_zeros(size_t bytes) {
    const size_t page = (size_t)2 << 20, line = 64;
    void *at = NULL;
    if (bytes < 2 * page) {
        if (posix_memalign(&at, line, (bytes + line - 1) / line * line) != 0) return NULL;
        memset(at, 0, bytes);
        return at;
    }
    size_t whole = (bytes + page - 1) / page * page;
    if (posix_memalign(&at, page, whole) != 0) return NULL;
#ifdef MADV_HUGEPAGE
    madvise(at, whole, MADV_HUGEPAGE);
#endif
    memset(at, 0, whole);
    return at;
}
static inline void jl_release(void *at) { free(at); }

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

#endif
