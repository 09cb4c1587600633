// The intrinsics that the vector kernels use, in plain C without branches: valgrind does not know AVX-512. `run` compiles
// the kernels with this header in the place of the compiler's.
#ifndef JOINTLAB_EMULATED_INTRINSICS_H
#define JOINTLAB_EMULATED_INTRINSICS_H

#include <stdint.h>
#include <string.h>

typedef struct { int64_t lane[8]; } __m512i __attribute__((aligned(64)));
typedef uint8_t __mmask8;

#define LANES for (int i = 0; i < 8; i++)
#define EACH(name, parameters, expression) \
    static inline __m512i name parameters { __m512i r; LANES r.lane[i] = (int64_t)(expression); return r; }
#define MASK_OF(name, parameters, expression) \
    static inline __mmask8 name parameters { uint32_t r = 0; LANES r |= (uint32_t)((expression) & 1) << i; return (__mmask8)r; }

// A bit of which the compiler does not know that it is one: it would make branches of what registers do without.
static inline uint64_t jk_bit(uint64_t bit) { __asm__("" : "+r"(bit)); return bit; }
// 1 where a value is not 0, is less.
static inline uint64_t jk_some(uint64_t a) { return jk_bit((a | (0 - a)) >> 63); }
static inline uint64_t jk_less(int64_t a, int64_t b) { return jk_bit((uint64_t)(((__int128)a - b) >> 64) & 1); }
static inline int64_t jk_pick(uint64_t bit, int64_t yes, int64_t no) { return no ^ ((no ^ yes) & (int64_t)(0 - jk_bit(bit))); }
#define LOW52 (((uint64_t)1 << 52) - 1)
#define PRODUCT(b, c) ((unsigned __int128)((uint64_t)(b) & LOW52) * ((uint64_t)(c) & LOW52))

EACH(_mm512_setzero_si512, (void), 0)
EACH(_mm512_set1_epi64, (long long a), a)
EACH(_mm512_add_epi64, (__m512i a, __m512i b), (uint64_t)a.lane[i] + (uint64_t)b.lane[i])
EACH(_mm512_sub_epi64, (__m512i a, __m512i b), (uint64_t)a.lane[i] - (uint64_t)b.lane[i])
EACH(_mm512_and_si512, (__m512i a, __m512i b), a.lane[i] & b.lane[i])
EACH(_mm512_or_si512, (__m512i a, __m512i b), a.lane[i] | b.lane[i])
EACH(_mm512_slli_epi64, (__m512i a, unsigned count), (uint64_t)a.lane[i] << count)
EACH(_mm512_srli_epi64, (__m512i a, unsigned count), (uint64_t)a.lane[i] >> count)
EACH(_mm512_srai_epi64, (__m512i a, unsigned count), a.lane[i] >> count)
EACH(_mm512_max_epi64, (__m512i a, __m512i b), jk_pick(jk_less(a.lane[i], b.lane[i]), b.lane[i], a.lane[i]))
EACH(_mm512_abs_epi64, (__m512i a), jk_pick((uint64_t)a.lane[i] >> 63, -a.lane[i], a.lane[i]))
EACH(_mm512_madd52lo_epu64, (__m512i a, __m512i b, __m512i c), (uint64_t)a.lane[i] + ((uint64_t)PRODUCT(b.lane[i], c.lane[i]) & LOW52))
EACH(_mm512_madd52hi_epu64, (__m512i a, __m512i b, __m512i c), (uint64_t)a.lane[i] + (uint64_t)(PRODUCT(b.lane[i], c.lane[i]) >> 52))
EACH(_mm512_mask_mov_epi64, (__m512i a, __mmask8 m, __m512i b), jk_pick(m >> i & 1, b.lane[i], a.lane[i]))
EACH(_mm512_mask_or_epi64, (__m512i a, __mmask8 m, __m512i b, __m512i c), jk_pick(m >> i & 1, b.lane[i] | c.lane[i], a.lane[i]))
EACH(_mm512_unpackhi_epi64, (__m512i a, __m512i b), i % 2 == 0 ? a.lane[i + 1] : b.lane[i])
EACH(_mm512_unpacklo_epi64, (__m512i a, __m512i b), i % 2 == 0 ? a.lane[i] : b.lane[i - 1])
EACH(_mm512_shuffle_i64x2, (__m512i a, __m512i b, int c), (i < 4 ? a : b).lane[2 * (c >> (i / 2 * 2) & 3) + i % 2])
MASK_OF(_mm512_movepi64_mask, (__m512i a), (uint64_t)a.lane[i] >> 63)
MASK_OF(_mm512_test_epi64_mask, (__m512i a, __m512i b), jk_some((uint64_t)(a.lane[i] & b.lane[i])))
MASK_OF(_mm512_testn_epi64_mask, (__m512i a, __m512i b), 1 ^ jk_some((uint64_t)(a.lane[i] & b.lane[i])))
MASK_OF(_mm512_cmpeq_epi64_mask, (__m512i a, __m512i b), 1 ^ jk_some((uint64_t)(a.lane[i] ^ b.lane[i])))
MASK_OF(_mm512_cmplt_epi64_mask, (__m512i a, __m512i b), jk_less(a.lane[i], b.lane[i]))

// A register's lanes chosen by a value do not show in addresses: all sixteen are read.
static inline __m512i _mm512_permutex2var_epi64(__m512i a, __m512i index, __m512i b) {
    __m512i r = _mm512_setzero_si512();
    LANES for (uint64_t k = 0; k < 16; k++)
        r.lane[i] |= (k < 8 ? a.lane[k] : b.lane[k - 8]) & (int64_t)(jk_some(k ^ ((uint64_t)index.lane[i] & 15)) - 1);
    return r;
}
static inline __m512i _mm512_permutexvar_epi64(__m512i index, __m512i a) {
    LANES index.lane[i] &= 7;
    return _mm512_permutex2var_epi64(a, index, a);
}

static inline __m512i _mm512_loadu_si512(const void *from) { __m512i r; memcpy(&r, from, 64); return r; }
static inline __m512i _mm512_load_si512(const void *from) { return _mm512_loadu_si512(from); }
static inline void _mm512_storeu_si512(void *to, __m512i a) { memcpy(to, &a, 64); }
static inline void _mm512_store_si512(void *to, __m512i a) { memcpy(to, &a, 64); }
static inline void _mm512_mask_store_epi64(void *to, __mmask8 m, __m512i a) {
    __m512i kept = _mm512_loadu_si512(to);
    _mm512_storeu_si512(to, _mm512_mask_mov_epi64(kept, m, a));
}
static inline __m512i _mm512_maskz_loadu_epi64(__mmask8 m, const void *from) {
    // What is masked is not read.
    __m512i r = _mm512_setzero_si512();
    LANES if (m >> i & 1) memcpy(&r.lane[i], (const char *)from + 8 * i, 8);
    return r;
}
static inline void _mm512_mask_storeu_epi64(void *to, __mmask8 m, __m512i a) {
    LANES if (m >> i & 1) memcpy((char *)to + 8 * i, &a.lane[i], 8);
}

#endif
