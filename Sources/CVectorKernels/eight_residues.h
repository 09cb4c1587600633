// Eight residues at a time: what products.c, accumulate.c and entries.c share. modulus.h says what residues are.
#ifndef JOINTLAB_EIGHT_RESIDUES_H
#define JOINTLAB_EIGHT_RESIDUES_H

#include "modulus.h"

#include <immintrin.h>

#define JK_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vbmi")))
#define JK_INLINE static inline __attribute__((always_inline)) JK_TARGET
#define JK_UNROLL _Pragma("clang loop unroll(full)")

// One limb of eight numbers.
typedef __m512i limb8;

enum { block = jk_block_limbs, lanes = 8, most = jk_most_blocks * jk_block_limbs, window_bits = 5, window = 1 << window_bits };

// Columns in the making: sums of products of 52-bit limbs, low and high halves apart, without carries. Of one column come at
// most 2 halves x 3 products x 80 limbs, each below 2^52, so that 64 bits are never full.
typedef struct {
    limb8 column[2 * block];
} columns;

// A half of eight residues.
typedef struct {
    limb8 limb[most];
} half8;

typedef struct {
    half8 low, high;
} residue8;

typedef struct {
    residue8 x, y, z;
    half8 quotients, crossed, modulus, sum;
} scratch8;

JK_INLINE limb8 mask52(void) { return _mm512_set1_epi64((1LL << 52) - 1); }
JK_INLINE limb8 low(limb8 sum, limb8 x, limb8 y) { return _mm512_madd52lo_epu64(sum, x, y); }
JK_INLINE limb8 high(limb8 sum, limb8 x, limb8 y) { return _mm512_madd52hi_epu64(sum, x, y); }

JK_INLINE columns zeros(void) {
    columns c;
    JK_UNROLL for (int i = 0; i < 2 * block; i++) c.column[i] = _mm512_setzero_si512();
    return c;
}

// c += x y for a block of each; 200 multiplications on 20 accumulators in registers.
JK_INLINE void add_tile(columns *c, const limb8 *x, const limb8 *y) {
    limb8 row[block];
    JK_UNROLL for (int j = 0; j < block; j++) row[j] = y[j];
    JK_UNROLL for (int i = 0; i < block; i++) {
        limb8 factor = x[i];
        JK_UNROLL for (int j = 0; j < block; j++) c->column[i + j] = low(c->column[i + j], factor, row[j]);
        JK_UNROLL for (int j = 0; j < block; j++) c->column[i + j + 1] = high(c->column[i + j + 1], factor, row[j]);
    }
}

// The products of different limbs of one block, once each.
JK_INLINE void add_triangle(columns *c, const limb8 *x) {
    limb8 row[block];
    JK_UNROLL for (int j = 0; j < block; j++) row[j] = x[j];
    JK_UNROLL for (int i = 0; i < block; i++) {
        JK_UNROLL for (int j = i + 1; j < block; j++) c->column[i + j] = low(c->column[i + j], row[i], row[j]);
        JK_UNROLL for (int j = i + 1; j < block; j++) c->column[i + j + 1] = high(c->column[i + j + 1], row[i], row[j]);
    }
}

// The squares of a block's limbs.
JK_INLINE void add_diagonal(columns *c, const limb8 *x) {
    JK_UNROLL for (int i = 0; i < block; i++) {
        c->column[2 * i] = low(c->column[2 * i], x[i], x[i]);
        c->column[2 * i + 1] = high(c->column[2 * i + 1], x[i], x[i]);
    }
}

// Chooses a block of quotients m so that c + m n ends in a block of zeros, and moves on to the next block of columns. Each
// quotient waits for the one before it: what lies between them is kept short.
JK_INLINE void reduce_block(columns *c, limb8 *m, const limb8 *n, limb8 inverse) {
    const limb8 mask = mask52(), zero = _mm512_setzero_si512();
    limb8 row[block];
    JK_UNROLL for (int j = 0; j < block; j++) row[j] = n[j];
    JK_UNROLL for (int i = 0; i < block; i++) {
        // Multiplications read 52 bits of their factors.
        limb8 quotient = low(zero, c->column[i], inverse);
        m[i] = quotient;
        // With the quotient's lowest product the column ends in 52 zeros: what it carries is its quotient by 2^52, rounded up.
        limb8 carry = _mm512_srli_epi64(_mm512_add_epi64(c->column[i], mask), 52);
        limb8 next = high(_mm512_add_epi64(c->column[i + 1], carry), quotient, row[0]);
        c->column[i + 1] = _mm512_add_epi64(next, low(zero, quotient, row[1]));
        JK_UNROLL for (int j = 2; j < block; j++) c->column[i + j] = low(c->column[i + j], quotient, row[j]);
        JK_UNROLL for (int j = 1; j < block; j++) c->column[i + j + 1] = high(c->column[i + j + 1], quotient, row[j]);
    }
    JK_UNROLL for (int i = 0; i < block; i++) {
        c->column[i] = c->column[i + block];
        c->column[i + block] = zero;
    }
}

// A block of finished columns as limbs, their carry into the next.
JK_INLINE void finish_block(columns *c, limb8 *z) {
    const limb8 mask = mask52(), zero = _mm512_setzero_si512();
    JK_UNROLL for (int i = 0; i < block; i++) {
        z[i] = _mm512_and_si512(c->column[i], mask);
        c->column[i + 1] = _mm512_add_epi64(c->column[i + 1], _mm512_srli_epi64(c->column[i], 52));
    }
    JK_UNROLL for (int i = 0; i < block; i++) {
        c->column[i] = c->column[i + block];
        c->column[i + block] = zero;
    }
}

// c += the part of x y that begins at block k; `within` ends the range of blocks of x before its time.
JK_INLINE void add_blocks(columns *sum, const limb8 *x, const limb8 *y, long k, long end, long blocks) {
    columns c = *sum;
    for (long i = k < blocks ? 0 : k - blocks + 1; i < end; i++) add_tile(&c, x + block * i, y + block * (k - i));
    *sum = c;
}

JK_INLINE long end_of(long k, long blocks) { return k < blocks ? k + 1 : blocks; }

// Reduces the columns that begin at block k: a block of quotients, or of the result.
JK_INLINE void reduce_step(columns *sum, half8 *quotients, limb8 *z, const half8 *n, limb8 inverse, long k, long blocks) {
    columns c = *sum;
    for (long i = k < blocks ? 0 : k - blocks + 1; i < (k < blocks ? k : blocks); i++) {
        add_tile(&c, quotients->limb + block * i, n->limb + block * (k - i));
    }
    if (k < blocks) reduce_block(&c, quotients->limb + block * k, n->limb, inverse);
    else finish_block(&c, z + block * (k - blocks));
    *sum = c;
}

JK_INLINE void add_limbs(columns *sum, const limb8 *x) {
    JK_UNROLL for (int i = 0; i < block; i++) sum->column[i] = _mm512_add_epi64(sum->column[i], x[i]);
}

// What later products need of memory: `left` cache lines of some rows. They are asked for a few at a time while products are
// summed, as a core has few requests under way at once and stands still if there are more.
typedef struct {
    const uint64_t *row[2 * lanes];
    long lines, left;
} upcoming8;

JK_INLINE void ask(upcoming8 *next, int count) {
    for (; next && count > 0 && next->left > 0; count--) {
        next->left--;
        __builtin_prefetch(next->row[next->left / next->lines] + 8 * (next->left % next->lines));
    }
}

// The two reductions of a product go side by side, a block of columns each in turn: the chain of one's quotients runs while
// the other's products are summed.
JK_INLINE void multiply8(residue8 *z, const residue8 *x, const residue8 *y, upcoming8 *next, long blocks, limb8 inverse, scratch8 *s) {
    columns first = zeros(), second = zeros();
    for (long k = 0; k < 2 * blocks; k++) {
        const long end = end_of(k, blocks);
        add_blocks(&first, x->low.limb, y->low.limb, k, end, blocks);
        ask(next, 4);
        reduce_step(&first, &s->quotients, z->low.limb, &s->modulus, inverse, k, blocks);
        ask(next, 4);
        add_blocks(&second, x->low.limb, y->high.limb, k, end, blocks);
        ask(next, 4);
        add_blocks(&second, x->high.limb, y->low.limb, k, end, blocks);
        if (k < blocks) add_limbs(&second, s->quotients.limb + block * k);
        ask(next, 4);
        reduce_step(&second, &s->crossed, z->high.limb, &s->modulus, inverse, k, blocks);
        ask(next, 4);
    }
}

// y->high is used for 2 x1.
JK_INLINE void square8(residue8 *z, const residue8 *x, residue8 *y, long blocks, limb8 inverse, scratch8 *s) {
    limb8 carry = _mm512_setzero_si512();
    for (long i = 0; i < block * blocks; i++) {
        limb8 doubled = _mm512_add_epi64(_mm512_slli_epi64(x->high.limb[i], 1), carry);
        y->high.limb[i] = _mm512_and_si512(doubled, mask52());
        carry = _mm512_srli_epi64(doubled, 52);
    }
    columns once = zeros(), first = zeros(), second = zeros();
    for (long k = 0; k < 2 * blocks; k++) {
        // Products of different limbs are summed once, and doubled a block of columns at a time.
        add_blocks(&once, x->low.limb, x->low.limb, k, (k + 1) / 2, blocks);
        columns c = first;
        if (k % 2 == 0) {
            columns o = once;
            add_triangle(&o, x->low.limb + block * (k / 2));
            once = o;
            add_diagonal(&c, x->low.limb + block * (k / 2));
        }
        JK_UNROLL for (int i = 0; i < block; i++) {
            c.column[i] = _mm512_add_epi64(c.column[i], _mm512_slli_epi64(once.column[i], 1));
            once.column[i] = once.column[i + block];
            once.column[i + block] = _mm512_setzero_si512();
        }
        first = c;
        reduce_step(&first, &s->quotients, z->low.limb, &s->modulus, inverse, k, blocks);
        add_blocks(&second, x->low.limb, y->high.limb, k, end_of(k, blocks), blocks);
        if (k < blocks) add_limbs(&second, s->quotients.limb + block * k);
        reduce_step(&second, &s->crossed, z->high.limb, &s->modulus, inverse, k, blocks);
    }
}

// z = x y / R, halves alone.
JK_INLINE void multiply_low8(half8 *z, const half8 *x, const half8 *y, long blocks, limb8 inverse, scratch8 *s) {
    columns first = zeros();
    for (long k = 0; k < 2 * blocks; k++) {
        add_blocks(&first, x->limb, y->limb, k, end_of(k, blocks), blocks);
        reduce_step(&first, &s->quotients, z->limb, &s->modulus, inverse, k, blocks);
    }
}

// x0 + R x1 = R z0 - m n, and z1 = m / R.
JK_INLINE void split8(residue8 *z, const residue8 *x, long blocks, limb8 inverse, scratch8 *s) {
    columns first = zeros(), second = zeros();
    for (long k = 0; k < 2 * blocks; k++) {
        add_limbs(&first, k < blocks ? x->low.limb + block * k : x->high.limb + block * (k - blocks));
        reduce_step(&first, &s->quotients, z->low.limb, &s->modulus, inverse, k, blocks);
        if (k < blocks) add_limbs(&second, s->quotients.limb + block * k);
        reduce_step(&second, &s->crossed, z->high.limb, &s->modulus, inverse, k, blocks);
    }
}

JK_INLINE void transpose(limb8 r[lanes]) {
    limb8 t[lanes], u[lanes];
    JK_UNROLL for (int i = 0; i < 8; i += 2) {
        t[i] = _mm512_unpacklo_epi64(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi64(r[i], r[i + 1]);
    }
    JK_UNROLL for (int i = 0; i < 8; i += 4) {
        JK_UNROLL for (int j = 0; j < 2; j++) {
            u[i + j] = _mm512_shuffle_i64x2(t[i + j], t[i + j + 2], 0x88);
            u[i + j + 2] = _mm512_shuffle_i64x2(t[i + j], t[i + j + 2], 0xdd);
        }
    }
    JK_UNROLL for (int j = 0; j < 4; j++) {
        r[j] = _mm512_shuffle_i64x2(u[j], u[j + 4], 0x88);
        r[j + 4] = _mm512_shuffle_i64x2(u[j], u[j + 4], 0xdd);
    }
}

typedef struct {
    uint64_t *row[lanes];
} rows8;

// Where fewer than eight are left, the last one stands for the others.
JK_INLINE rows8 rows_of(jk_places places, long from, long count, long blocks) {
    rows8 rows;
    for (long lane = 0; lane < lanes; lane++) {
        long k = from + (lane < count ? lane : count - 1);
        rows.row[lane] = places.residues + (places.at ? (long)places.at[k] : places.first + places.step * k) * jk_residue_words(blocks);
    }
    return rows;
}

JK_INLINE upcoming8 upcoming_of(rows8 x, rows8 y, long blocks) {
    upcoming8 next = {.lines = jk_residue_words(blocks) / 8, .left = 2 * lanes * jk_residue_words(blocks) / 8};
    for (long lane = 0; lane < lanes; lane++) {
        next.row[lane] = x.row[lane];
        next.row[lanes + lane] = y.row[lane];
    }
    return next;
}

// Limb by limb in memory order, eight at once; a residue's halves touch in memory and here.
JK_INLINE limb8 *slot(residue8 *x, long limb, long half) { return limb < half ? &x->low.limb[limb] : &x->high.limb[limb - half]; }

JK_INLINE void gather(residue8 *x, rows8 rows, long blocks) {
    const long half = block * blocks;
    for (long limb = 0; limb < 2 * half; limb += 8) {
        limb8 r[lanes];
        JK_UNROLL for (int lane = 0; lane < lanes; lane++) r[lane] = _mm512_load_si512(rows.row[lane] + limb);
        transpose(r);
        JK_UNROLL for (int i = 0; i < 8; i++) if (limb + i < 2 * half) *slot(x, limb + i, half) = r[i];
    }
}

JK_INLINE void scatter(rows8 rows, residue8 *x, long count, long limbs, long blocks) {
    const long half = block * blocks;
    for (long limb = 0; limb < limbs; limb += 8) {
        limb8 r[lanes];
        JK_UNROLL for (int i = 0; i < 8; i++) r[i] = limb + i < 2 * half ? *slot(x, limb + i, half) : _mm512_setzero_si512();
        transpose(r);
        const __mmask8 kept = limb + 8 <= limbs ? 0xff : (__mmask8)((1 << (limbs - limb)) - 1);
        for (long lane = 0; lane < count; lane++) _mm512_mask_store_epi64(rows.row[lane] + limb, kept, r[lane]);
    }
}

JK_INLINE limb8 enter(scratch8 *s, jk_modulus n) {
    for (long i = 0; i < block * n.blocks; i++) s->modulus.limb[i] = _mm512_set1_epi64((long long)n.limbs[i]);
    return _mm512_set1_epi64((long long)n.inverse);
}

// The lengths of products are compiled each for itself.
#define JK_BY_LENGTH(call) \
    switch (n.blocks) { \
    case 2: call(2); break; \
    case 3: call(3); break; \
    case 4: call(4); break; \
    case 6: call(6); break; \
    default: call(n.blocks); break; \
    }

JK_INLINE long at_most_eight(long count) { return count < lanes ? count : lanes; }

#endif
