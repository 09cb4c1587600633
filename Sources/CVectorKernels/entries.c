#include "entries.h"

#if defined(__x86_64__)

#include "eight_residues.h"

typedef struct {
    scratch8 products;
    residue8 pair, next;
    // Of logarithms, each lane's in memory order: as they are only added, they are not transposed until the end.
    limb8 logarithms[lanes][2 * most / lanes];
    limb8 square[2 * most], number[2 * most], less[2 * most];
} entries_scratch;

typedef struct {
    entries_scratch numbers;
    half8 first_square, factor;
} joining_scratch;

JK_INLINE void gather_entries(half8 *v, limb8 (*logarithms)[2 * most / lanes], rows8 rows, long blocks) {
    const long half = block * blocks;
    for (long limb = 0; limb < half; limb += 8) {
        limb8 r[lanes];
        JK_UNROLL for (int lane = 0; lane < lanes; lane++) r[lane] = _mm512_load_si512(rows.row[lane] + limb);
        transpose(r);
        JK_UNROLL for (int i = 0; i < 8; i++) if (limb + i < half) v->limb[limb + i] = r[i];
    }
    for (long lane = 0; lane < lanes; lane++) {
        // The first of these vectors may begin with limbs of v, whose sums are of no use.
        for (long i = half / 8; i < jk_residue_words(blocks) / 8; i++) {
            logarithms[lane][i] = _mm512_add_epi64(logarithms[lane][i], _mm512_load_si512(rows.row[lane] + 8 * i));
        }
    }
}

// The sums as limbs that are not carried.
JK_INLINE void take_sums(half8 *sum, limb8 (*logarithms)[2 * most / lanes], long blocks) {
    const long half = block * blocks;
    for (long i = half / 8; i < jk_residue_words(blocks) / 8; i++) {
        limb8 r[lanes];
        JK_UNROLL for (int lane = 0; lane < lanes; lane++) r[lane] = logarithms[lane][i];
        transpose(r);
        JK_UNROLL for (int j = 0; j < 8; j++) {
            const long limb = 8 * i + j - half;
            if (limb >= 0 && limb < half) sum->limb[limb] = r[j];
        }
    }
}

// A factor is R x0 - p x1 here: that of two entries is what the reduction of v w leaves, x1 being its quotients. x1 may have
// reached R, by what is kept apart as `over`.

// Step k of 2 blocks of R y0 - p y1 = v w.
JK_INLINE void pair_step(columns *c, residue8 *y, const half8 *v, const half8 *w, upcoming8 *upcoming, long k, long blocks, limb8 inverse,
                         scratch8 *s) {
    add_blocks(c, v->limb, w->limb, k, end_of(k, blocks), blocks);
    ask(upcoming, 3);
    reduce_step(c, &y->high, y->low.limb, &s->modulus, inverse, k, blocks);
    ask(upcoming, 3);
}

// Step k of 2 blocks of R z0 - p z1 = (R x0 - p (x1 + R over)) (R y0 - p y1) / R^2, that is of x0 y0 = R z0 - p m and
// z1 = m + (x0 y1 + x1 y0) / R + over y0. What z1 has above R is left in the first of the second columns.
JK_INLINE void factor_step(columns *first, columns *second, residue8 *z, const residue8 *x, limb8 over, const residue8 *y, upcoming8 *upcoming,
                           long k, long blocks, limb8 inverse, scratch8 *s) {
    const long end = end_of(k, blocks);
    add_blocks(first, x->low.limb, y->low.limb, k, end, blocks);
    ask(upcoming, 3);
    reduce_step(first, &s->quotients, z->low.limb, &s->modulus, inverse, k, blocks);
    ask(upcoming, 3);
    add_blocks(second, x->low.limb, y->high.limb, k, end, blocks);
    ask(upcoming, 3);
    add_blocks(second, x->high.limb, y->low.limb, k, end, blocks);
    ask(upcoming, 3);
    if (k >= blocks) {
        add_limbs(second, s->quotients.limb + block * (k - blocks));
        JK_UNROLL for (int i = 0; i < block; i++) second->column[i] = low(second->column[i], y->low.limb[block * (k - blocks) + i], over);
    }
    reduce_step(second, &s->crossed, z->high.limb, &s->modulus, inverse, k, blocks);
    ask(upcoming, 3);
}

JK_INLINE void carry_limbs(limb8 *z, const limb8 *x, long limbs) {
    limb8 carry = _mm512_setzero_si512();
    for (long i = 0; i < limbs; i++) {
        limb8 all = _mm512_add_epi64(x[i], carry);
        z[i] = _mm512_and_si512(all, mask52());
        carry = _mm512_srai_epi64(all, 52);
    }
}

// z < 2^(bits + 1) m becomes what it is modulo m.
JK_INLINE void subtract_multiples(limb8 *z, const limb8 *m, int bits, long limbs, limb8 *less) {
    for (; bits >= 0; bits--) {
        limb8 carry = _mm512_setzero_si512();
        for (long i = 0; i < limbs; i++) {
            limb8 all = _mm512_add_epi64(_mm512_sub_epi64(z[i], _mm512_slli_epi64(m[i], (unsigned)bits)), carry);
            less[i] = _mm512_and_si512(all, mask52());
            carry = _mm512_srai_epi64(all, 52);
        }
        const __mmask8 is_less = _mm512_movepi64_mask(carry);
        for (long i = 0; i < limbs; i++) z[i] = _mm512_mask_mov_epi64(less[i], is_less, z[i]);
    }
}

// z = x y, of twice the blocks, plus a where there is one.
JK_INLINE void multiply_whole(limb8 *z, const limb8 *x, const limb8 *y, const limb8 *a, long a_blocks, long blocks) {
    columns c = zeros();
    for (long k = 0; k < 2 * blocks; k++) {
        add_blocks(&c, x, y, k, end_of(k, blocks), blocks);
        if (k < a_blocks) add_limbs(&c, a + block * k);
        finish_block(&c, z + block * k);
    }
}

// Eight numbers in 64-bit words, side by side; lanes from `count` on repeat the last one.
JK_INLINE void load_words(limb8 *limbs, long limb_count, const uint64_t *numbers, long words, long count) {
    limb8 word8[2 * most + 8];
    for (long word = 0; word < words; word += 8) {
        const __mmask8 kept = words - word >= 8 ? 0xff : (__mmask8)((1 << (words - word)) - 1);
        for (long lane = 0; lane < lanes; lane++) {
            word8[word + lane] = _mm512_maskz_loadu_epi64(kept, numbers + words * (lane < count ? lane : count - 1) + word);
        }
        transpose(word8 + word);
    }
    for (long i = 0; i < limb_count; i++) {
        const long word = 52 * i / 64;
        const unsigned shift = (unsigned)(52 * i % 64);
        limb8 limb = word < words ? _mm512_srli_epi64(word8[word], shift) : _mm512_setzero_si512();
        if (shift > 12 && word + 1 < words) limb = _mm512_or_si512(limb, _mm512_slli_epi64(word8[word + 1], 64 - shift));
        limbs[i] = _mm512_and_si512(limb, mask52());
    }
}

JK_INLINE void store_words(uint64_t *numbers, long words, long count, const limb8 *limbs, long limb_count) {
    for (long word = 0; word < words; word += 8) {
        limb8 r[lanes];
        for (long i = 0; i < lanes; i++) {
            // The limbs that reach into the word: one that begins before it or with it, one or two behind.
            const long limb = 64 * (word + i) / 52;
            const unsigned shift = (unsigned)(64 * (word + i) % 52);
            r[i] = limb < limb_count ? _mm512_srli_epi64(limbs[limb], shift) : _mm512_setzero_si512();
            if (limb + 1 < limb_count) r[i] = _mm512_or_si512(r[i], _mm512_slli_epi64(limbs[limb + 1], 52 - shift));
            if (shift > 40 && limb + 2 < limb_count) r[i] = _mm512_or_si512(r[i], _mm512_slli_epi64(limbs[limb + 2], 104 - shift));
        }
        transpose(r);
        const __mmask8 kept = words - word >= 8 ? 0xff : (__mmask8)((1 << (words - word)) - 1);
        for (long lane = 0; lane < count; lane++) _mm512_mask_storeu_epi64(numbers + words * lane + word, kept, r[lane]);
    }
}

JK_INLINE void broadcast(limb8 *z, const uint64_t *limbs, long count) {
    for (long i = 0; i < count; i++) z[i] = _mm512_set1_epi64((long long)limbs[i]);
}

// The entries of each power at one position.
JK_INLINE rows8 entries_at(const uint64_t *table, const uint32_t *index, long position, long count, long blocks) {
    rows8 rows;
    for (long lane = 0; lane < lanes; lane++) {
        rows.row[lane] = (uint64_t *)table + (size_t)index[count * position + (lane < count ? lane : count - 1)] * (size_t)jk_residue_words(blocks);
    }
    return rows;
}

JK_INLINE void entries_all(uint64_t *target, long words, long count, const uint64_t *table, const uint32_t *index, long positions,
                           const int64_t *messages, const uint64_t *factors, jk_modulus n, entries_scratch *all, long blocks) {
    scratch8 *s = &all->products;
    const limb8 inverse = enter(s, n);
    const long limbs = block * blocks, steps = 2 * blocks;
    limb8 over = _mm512_setzero_si512();
    half8 *v = &s->y.low, *w = &s->y.high, *sum = &s->sum;
    residue8 *x = &s->x, *z = &s->z, *pair = &all->pair, *next = &all->next, *swap;
    for (long lane = 0; lane < lanes; lane++)
        for (long i = 0; i < 2 * most / lanes; i++) all->logarithms[lane][i] = _mm512_setzero_si512();
    for (long i = 0; i < positions; i += 2) {
        gather_entries(v, all->logarithms, entries_at(table, index, i, count, blocks), blocks);
        gather_entries(w, all->logarithms, entries_at(table, index, i + 1, count, blocks), blocks);
        // Two pairs ahead: the last lines asked for would come too late for the next one.
        const long later = i + 4 < positions ? i + 4 : i;
        upcoming8 upcoming = upcoming_of(entries_at(table, index, later, count, blocks), entries_at(table, index, later + 1, count, blocks), blocks);
        columns c = zeros();
        if (i < 4) {
            for (long k = 0; k < steps; k++) pair_step(&c, i == 0 ? x : pair, v, w, &upcoming, k, blocks, inverse, s);
            continue;
        }
        // The pair before goes into the product while this one is multiplied.
        columns first = zeros(), second = zeros();
        for (long k = 0; k < steps; k++) {
            pair_step(&c, next, v, w, &upcoming, k, blocks, inverse, s);
            factor_step(&first, &second, z, x, over, pair, &upcoming, k, blocks, inverse, s);
        }
        over = second.column[0];
        swap = x, x = z, z = swap;
        swap = pair, pair = next, next = swap;
    }
    columns first = zeros(), second = zeros();
    for (long k = 0; k < steps; k++) factor_step(&first, &second, z, x, over, pair, NULL, k, blocks, inverse, s);
    over = second.column[0];
    swap = x, x = z, z = swap;

    // The message's logarithm: its magnitude times the factor of its sign.
    uint64_t eight[lanes];
    for (long lane = 0; lane < lanes; lane++) eight[lane] = (uint64_t)messages[lane < count ? lane : count - 1];
    const limb8 message = _mm512_loadu_si512(eight), magnitude = _mm512_abs_epi64(message);
    const __mmask8 negative = _mm512_movepi64_mask(message);
    broadcast(s->y.low.limb, factors, limbs);
    broadcast(s->y.high.limb, factors + jk_residue_words(blocks), limbs);
    for (long i = 0; i < limbs; i++) {
        s->y.low.limb[i] = _mm512_mask_mov_epi64(s->y.low.limb[i], negative, s->y.high.limb[i]);
        z->low.limb[i] = i == 0 ? _mm512_and_si512(magnitude, mask52()) : i == 1 ? _mm512_srli_epi64(magnitude, 52) : _mm512_setzero_si512();
    }
    multiply_low8(&z->high, &z->low, &s->y.low, blocks, inverse, s);
    take_sums(sum, all->logarithms, blocks);
    for (long i = 0; i < limbs; i++) sum->limb[i] = _mm512_add_epi64(sum->limb[i], z->high.limb[i]);
    carry_limbs(sum->limb, sum->limb, limbs);
    // (R x0 - p (x1 + R over)) (1 - p sum / R) / R = x0 - p z1, z1 = (x1 + x0 sum) / R + over
    columns c = zeros();
    for (long k = 0; k < steps; k++) {
        add_blocks(&c, x->low.limb, sum->limb, k, end_of(k, blocks), blocks);
        if (k < blocks) add_limbs(&c, x->high.limb + block * k);
        else if (k == blocks) c.column[0] = _mm512_add_epi64(c.column[0], over);
        reduce_step(&c, &s->quotients, z->high.limb, &s->modulus, inverse, k, blocks);
    }
    // x0 + p (8 p - z1), below 9 p^2
    for (long i = 0; i < limbs; i++) z->high.limb[i] = _mm512_sub_epi64(_mm512_slli_epi64(s->modulus.limb[i], 3), z->high.limb[i]);
    carry_limbs(z->high.limb, z->high.limb, limbs);
    multiply_whole(all->number, s->modulus.limb, z->high.limb, x->low.limb, blocks, blocks);
    multiply_whole(all->square, s->modulus.limb, s->modulus.limb, NULL, 0, blocks);
    subtract_multiples(all->number, all->square, 3, 2 * limbs, all->less);
    store_words(target, words, count, all->number, 2 * limbs);
}

JK_TARGET void jk_entries_product(uint64_t *target, long words, long count, const uint64_t *table, const uint32_t *index, long positions,
                                  const int64_t *messages, const uint64_t *factors, jk_modulus p, void *scratch) {
    const jk_modulus n = p;
#define JK_CALL(blocks) entries_all(target, words, count, table, index, positions, messages, factors, n, scratch, blocks)
    JK_BY_LENGTH(JK_CALL)
#undef JK_CALL
}

JK_INLINE void join_all(uint64_t *target, const uint64_t *a, const uint64_t *b, long words, long count, const uint64_t *first_square,
                        const uint64_t *factor, jk_modulus n, joining_scratch *all, long blocks) {
    scratch8 *s = &all->numbers.products;
    const limb8 inverse = enter(s, n);
    const long limbs = block * blocks;
    limb8 *x = s->x.low.limb, *difference = s->x.high.limb, *d = s->y.low.limb;
    load_words(x, limbs, a, words, count);
    load_words(difference, limbs, b, words, count);
    // b - a + 2 q^2, below 3 q^2
    for (long i = 0; i < limbs; i++) {
        difference[i] = _mm512_add_epi64(_mm512_sub_epi64(difference[i], x[i]), _mm512_slli_epi64(s->modulus.limb[i], 1));
    }
    carry_limbs(difference, difference, limbs);
    broadcast(all->first_square.limb, first_square, limbs);
    broadcast(all->factor.limb, factor, limbs);
    multiply_low8(&s->y.low, &s->x.high, &all->factor, blocks, inverse, s);
    subtract_multiples(d, s->modulus.limb, 0, limbs, all->numbers.less);
    multiply_whole(all->numbers.number, all->first_square.limb, d, x, blocks, blocks);
    store_words(target, 2 * words, count, all->numbers.number, 2 * limbs);
}

JK_TARGET void jk_join_remainders(uint64_t *target, const uint64_t *a, const uint64_t *b, long words, long count, const uint64_t *first_square,
                                  const uint64_t *factor, jk_modulus second_square, void *scratch) {
    const jk_modulus n = second_square;
#define JK_CALL(blocks) join_all(target, a, b, words, count, first_square, factor, n, scratch, blocks)
    JK_BY_LENGTH(JK_CALL)
#undef JK_CALL
}

size_t jk_entries_scratch_bytes(void) { return sizeof(joining_scratch); }

#else

#include <stdlib.h>

size_t jk_entries_scratch_bytes(void) { return 0; }
void jk_entries_product(uint64_t *target, long words, long count, const uint64_t *table, const uint32_t *index, long positions,
                        const int64_t *messages, const uint64_t *factors, jk_modulus p, void *scratch) { abort(); }
void jk_join_remainders(uint64_t *target, const uint64_t *a, const uint64_t *b, long words, long count, const uint64_t *first_square,
                        const uint64_t *factor, jk_modulus second_square, void *scratch) { abort(); }

#endif
