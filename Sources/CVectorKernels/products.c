#include "modulus.h"

#if defined(__x86_64__)

#include "eight_residues.h"

JK_INLINE void multiply_all(jk_places target, jk_places a, jk_places b, long count, jk_modulus n, scratch8 *s, long blocks) {
    const limb8 inverse = enter(s, n);
    for (long k = 0; k < count; k += lanes) {
        const long now = at_most_eight(count - k), later = at_most_eight(count - k - lanes);
        upcoming8 upcoming = later <= 0 ? upcoming_of(rows_of(a, k, now, blocks), rows_of(b, k, now, blocks), 0)
                                              : upcoming_of(rows_of(a, k + lanes, later, blocks), rows_of(b, k + lanes, later, blocks), blocks);
        gather(&s->x, rows_of(a, k, now, blocks), blocks);
        gather(&s->y, rows_of(b, k, now, blocks), blocks);
        multiply8(&s->z, &s->x, &s->y, &upcoming, blocks, inverse, s);
        scatter(rows_of(target, k, now, blocks), &s->z, now, 2 * block * blocks, blocks);
    }
}

JK_TARGET void jk_multiply(jk_places target, jk_places a, jk_places b, long count, jk_modulus n, void *scratch) {
#define JK_CALL(blocks) multiply_all(target, a, b, count, n, scratch, blocks)
    JK_BY_LENGTH(JK_CALL)
#undef JK_CALL
}

JK_INLINE void square_all(jk_places target, jk_places a, long count, jk_modulus n, scratch8 *s, long blocks) {
    const limb8 inverse = enter(s, n);
    for (long k = 0; k < count; k += lanes) {
        const long now = at_most_eight(count - k);
        gather(&s->x, rows_of(a, k, now, blocks), blocks);
        square8(&s->z, &s->x, &s->y, blocks, inverse, s);
        scatter(rows_of(target, k, now, blocks), &s->z, now, 2 * block * blocks, blocks);
    }
}

JK_TARGET void jk_square(jk_places target, jk_places a, long count, jk_modulus n, void *scratch) {
#define JK_CALL(blocks) square_all(target, a, count, n, scratch, blocks)
    JK_BY_LENGTH(JK_CALL)
#undef JK_CALL
}

JK_INLINE void split_all(jk_places target, jk_places a, long count, jk_modulus n, scratch8 *s, long blocks) {
    const limb8 inverse = enter(s, n);
    for (long k = 0; k < count; k += lanes) {
        const long now = at_most_eight(count - k);
        gather(&s->x, rows_of(a, k, now, blocks), blocks);
        split8(&s->z, &s->x, blocks, inverse, s);
        scatter(rows_of(target, k, now, blocks), &s->z, now, 2 * block * blocks, blocks);
    }
}

JK_TARGET void jk_split(jk_places target, jk_places a, long count, jk_modulus n, void *scratch) {
    split_all(target, a, count, n, scratch, n.blocks);
}

JK_INLINE void multiply_low_all(jk_places target, jk_places a, jk_places b, long count, jk_modulus n, scratch8 *s, long blocks) {
    const limb8 inverse = enter(s, n);
    for (long k = 0; k < count; k += lanes) {
        const long now = at_most_eight(count - k);
        gather(&s->x, rows_of(a, k, now, blocks), blocks);
        gather(&s->y, rows_of(b, k, now, blocks), blocks);
        multiply_low8(&s->z.low, &s->x.low, &s->y.low, blocks, inverse, s);
        scatter(rows_of(target, k, now, blocks), &s->z, now, block * blocks, blocks);
    }
}

JK_TARGET void jk_multiply_low(jk_places target, jk_places a, jk_places b, long count, jk_modulus n, void *scratch) {
#define JK_CALL(blocks) multiply_low_all(target, a, b, count, n, scratch, blocks)
    JK_BY_LENGTH(JK_CALL)
#undef JK_CALL
}

typedef struct {
    scratch8 products;
    residue8 power;
    residue8 table[window];
} power_scratch;

JK_INLINE void copy8(residue8 *z, const residue8 *x, long limbs) {
    for (long i = 0; i < limbs; i++) {
        z->low.limb[i] = x->low.limb[i];
        z->high.limb[i] = x->high.limb[i];
    }
}

// z = table[index], read in the same way whatever the index.
JK_INLINE void choose(residue8 *z, const residue8 *table, uint64_t index, long limbs) {
    for (long i = 0; i < limbs; i++) {
        limb8 x0 = _mm512_setzero_si512(), x1 = x0;
        JK_UNROLL for (int entry = 0; entry < window; entry++) {
            const __mmask8 here = _mm512_cmpeq_epi64_mask(_mm512_set1_epi64((long long)index), _mm512_set1_epi64(entry));
            x0 = _mm512_mask_or_epi64(x0, here, x0, table[entry].low.limb[i]);
            x1 = _mm512_mask_or_epi64(x1, here, x1, table[entry].high.limb[i]);
        }
        z->low.limb[i] = x0;
        z->high.limb[i] = x1;
    }
}

JK_INLINE uint64_t window_at(const uint64_t *exponent, long words, long bit) {
    uint64_t value = exponent[bit / 64] >> (bit % 64);
    if (bit % 64 > 64 - window_bits && bit / 64 + 1 < words) value |= exponent[bit / 64 + 1] << (64 - bit % 64);
    return value & (window - 1);
}

JK_INLINE void power_all(jk_places target, jk_places a, const uint64_t *exponent, long words, int is_secret, long count, const uint64_t *one,
                         jk_modulus n, power_scratch *p, long blocks) {
    scratch8 *s = &p->products;
    const limb8 inverse = enter(s, n);
    const long limbs = block * blocks;
    for (long k = 0; k < count; k += lanes) {
        const long now = at_most_eight(count - k);
        gather(&p->table[1], rows_of(a, k, now, blocks), blocks);
        for (long i = 0; i < limbs; i++) {
            p->table[0].low.limb[i] = _mm512_set1_epi64((long long)one[i]);
            p->table[0].high.limb[i] = _mm512_set1_epi64((long long)one[limbs + i]);
        }
        for (long entry = 2; entry < window; entry++) multiply8(&p->table[entry], &p->table[entry - 1], &p->table[1], NULL, blocks, inverse, s);
        long bit = (64 * words + window_bits - 1) / window_bits * window_bits - window_bits;
        choose(&p->power, p->table, window_at(exponent, words, bit), limbs);
        while (bit > 0) {
            bit -= window_bits;
            for (int i = 0; i < window_bits; i++) {
                square8(&s->z, &p->power, &s->y, blocks, inverse, s);
                copy8(&p->power, &s->z, limbs);
            }
            const uint64_t digit = window_at(exponent, words, bit);
            if (is_secret) choose(&s->x, p->table, digit, limbs);
            multiply8(&s->z, &p->power, is_secret ? &s->x : &p->table[digit], NULL, blocks, inverse, s);
            copy8(&p->power, &s->z, limbs);
        }
        scatter(rows_of(target, k, now, blocks), &p->power, now, 2 * limbs, blocks);
    }
}

JK_TARGET void jk_power(jk_places target, jk_places a, const uint64_t *exponent, long words, int is_secret, long count, const uint64_t *one,
                        jk_modulus n, void *scratch) {
#define JK_CALL(blocks) power_all(target, a, exponent, words, is_secret, count, one, n, scratch, blocks)
    JK_BY_LENGTH(JK_CALL)
#undef JK_CALL
}

size_t jk_power_scratch_bytes(void) { return sizeof(power_scratch); }

#else

#include <stdlib.h>

size_t jk_power_scratch_bytes(void) { return 0; }
void jk_multiply(jk_places target, jk_places a, jk_places b, long count, jk_modulus n, void *scratch) { abort(); }
void jk_square(jk_places target, jk_places a, long count, jk_modulus n, void *scratch) { abort(); }
void jk_split(jk_places target, jk_places a, long count, jk_modulus n, void *scratch) { abort(); }
void jk_multiply_low(jk_places target, jk_places a, jk_places b, long count, jk_modulus n, void *scratch) { abort(); }
void jk_power(jk_places target, jk_places a, const uint64_t *exponent, long words, int is_secret, long count, const uint64_t *one,
              jk_modulus n, void *scratch) { abort(); }

#endif
