#include "modulus.h"

#if defined(__x86_64__)

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

// Chooses a block of quotients m so that c + m n ends in a block of zeros, and moves on to the next block of columns.
JK_INLINE void reduce_block(columns *c, limb8 *m, const limb8 *n, limb8 inverse) {
    const limb8 mask = mask52(), zero = _mm512_setzero_si512();
    limb8 row[block];
    JK_UNROLL for (int j = 0; j < block; j++) row[j] = n[j];
    JK_UNROLL for (int i = 0; i < block; i++) {
        limb8 quotient = _mm512_and_si512(low(zero, c->column[i], inverse), mask);
        m[i] = quotient;
        JK_UNROLL for (int j = 0; j < block; j++) c->column[i + j] = low(c->column[i + j], quotient, row[j]);
        JK_UNROLL for (int j = 0; j < block; j++) c->column[i + j + 1] = high(c->column[i + j + 1], quotient, row[j]);
        c->column[i + 1] = _mm512_add_epi64(c->column[i + 1], _mm512_srli_epi64(c->column[i], 52));
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

// The two reductions of a product go side by side, a block of columns each in turn: the chain of one's quotients runs while
// the other's products are summed.
//
// `plain`: y is a number, whose high half is 0 and not read.
JK_INLINE void product8(residue8 *z, const residue8 *x, const residue8 *y, int plain, long blocks, limb8 inverse, scratch8 *s) {
    columns first = zeros(), second = zeros();
    for (long k = 0; k < 2 * blocks; k++) {
        const long end = end_of(k, blocks);
        add_blocks(&first, x->low.limb, y->low.limb, k, end, blocks);
        reduce_step(&first, &s->quotients, z->low.limb, &s->modulus, inverse, k, blocks);
        if (!plain) add_blocks(&second, x->low.limb, y->high.limb, k, end, blocks);
        add_blocks(&second, x->high.limb, y->low.limb, k, end, blocks);
        if (k < blocks) add_limbs(&second, s->quotients.limb + block * k);
        reduce_step(&second, &s->crossed, z->high.limb, &s->modulus, inverse, k, blocks);
    }
}

JK_INLINE void multiply8(residue8 *z, const residue8 *x, const residue8 *y, long blocks, limb8 inverse, scratch8 *s) {
    product8(z, x, y, 0, blocks, inverse, s);
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

JK_INLINE void multiply_all(jk_places target, jk_places a, jk_places b, long count, jk_modulus n, scratch8 *s, long blocks) {
    const limb8 inverse = enter(s, n);
    for (long k = 0; k < count; k += lanes) {
        const long now = at_most_eight(count - k);
        gather(&s->x, rows_of(a, k, now, blocks), blocks);
        gather(&s->y, rows_of(b, k, now, blocks), blocks);
        multiply8(&s->z, &s->x, &s->y, blocks, inverse, s);
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

// Factors that wait for their targets. Two that wait for the same one may be multiplied with each other meanwhile: into
// `spare`, and `owned` then is the place of the product there. Each that waits owns one place at most, and a group gives up to
// eight back only when it is complete.
enum { most_waiting = 64, places = most_waiting + lanes, none = -1 };

typedef struct {
    uint64_t *target;
    const uint64_t *factor;
    int owned;
} waiting_factor;

typedef struct {
    waiting_factor waiting[most_waiting];
    int count;
    int free[places];
    int free_count;
    uint64_t *spare;
    long words;
} waiting_line;

// Eight products, of which no two write the same residue.
typedef struct {
    rows8 target, x, y;
    long count;
    // What is free again when they are done.
    int freed[lanes];
    long freed_count;
} group8;

static int concerns(const group8 *g, const uint64_t *target) {
    for (long lane = 0; lane < g->count; lane++) if (g->target.row[lane] == target) return 1;
    return 0;
}

static void join(group8 *g, uint64_t *target, const uint64_t *x, const uint64_t *y) {
    g->target.row[g->count] = target;
    g->x.row[g->count] = (uint64_t *)x;
    g->y.row[g->count++] = (uint64_t *)y;
}

static void forget(waiting_line *line, int i) {
    for (int j = i; j + 1 < line->count; j++) line->waiting[j] = line->waiting[j + 1];
    line->count--;
}

// Fills a group from those who wait and those to come, of which it takes the next.
static void form(group8 *g, waiting_line *line, jk_places target, jk_places a, long *next, long count) {
    g->count = 0;
    g->freed_count = 0;
    for (int i = 0; i < line->count && g->count < lanes;) {
        waiting_factor w = line->waiting[i];
        if (concerns(g, w.target)) {
            i++;
            continue;
        }
        join(g, w.target, w.target, w.factor);
        if (w.owned != none) g->freed[g->freed_count++] = w.owned;
        forget(line, i);
    }
    while (g->count < lanes && *next < count && line->count < most_waiting) {
        const long k = (*next)++;
        uint64_t *t = target.residues + (long)target.at[k] * line->words;
        const uint64_t *factor = a.residues + (a.at ? (long)a.at[k] : a.first + a.step * k) * line->words;
        if (concerns(g, t)) line->waiting[line->count++] = (waiting_factor){t, factor, none};
        else join(g, t, t, factor);
    }
    // Lanes that are left take pairs with one target.
    int seen = line->count;
    for (int i = 0; i < seen && g->count < lanes; i++) {
        for (int j = i + 1; j < seen; j++) {
            waiting_factor first = line->waiting[i], second = line->waiting[j];
            if (first.target != second.target) continue;
            int place = first.owned != none ? first.owned : second.owned != none ? second.owned : line->free[--line->free_count];
            uint64_t *product = line->spare + place * line->words;
            join(g, product, first.factor, second.factor);
            if (second.owned != none && second.owned != place) g->freed[g->freed_count++] = second.owned;
            // Behind all that are seen, so that it is not used before it is there.
            forget(line, j);
            forget(line, i);
            line->waiting[line->count++] = (waiting_factor){first.target, product, place};
            seen -= 2;
            i--;
            break;
        }
    }
    for (long i = 0; i < g->freed_count; i++) line->free[line->free_count++] = g->freed[i];
    for (long lane = g->count; lane < lanes && g->count > 0; lane++) {
        g->target.row[lane] = g->target.row[0];
        g->x.row[lane] = g->x.row[0];
        g->y.row[lane] = g->y.row[0];
    }
}

typedef struct {
    scratch8 products;
    waiting_line line;
    limb8 spare[places * 2 * most / lanes];
} accumulating_scratch;

JK_INLINE void accumulate_all(jk_places target, jk_places a, long count, jk_modulus n, accumulating_scratch *all, long blocks) {
    scratch8 *s = &all->products;
    const limb8 inverse = enter(s, n);
    waiting_line *line = &all->line;
    line->count = 0;
    line->free_count = places;
    for (int i = 0; i < places; i++) line->free[i] = i;
    line->spare = (uint64_t *)all->spare;
    line->words = jk_residue_words(blocks);
    group8 now, following;
    long next = 0;
    form(&now, line, target, a, &next, count);
    while (now.count > 0) {
        // Memory has the time of a product to bring what the next one needs.
        form(&following, line, target, a, &next, count);
        for (long lane = 0; lane < following.count; lane++) {
            for (long word = 0; word < line->words; word += 8) {
                __builtin_prefetch(following.x.row[lane] + word, 1);
                __builtin_prefetch(following.y.row[lane] + word);
            }
        }
        gather(&s->x, now.x, blocks);
        gather(&s->y, now.y, blocks);
        multiply8(&s->z, &s->x, &s->y, blocks, inverse, s);
        scatter(now.target, &s->z, now.count, 2 * block * blocks, blocks);
        now = following;
    }
}

JK_TARGET void jk_accumulate(jk_places target, jk_places a, long count, jk_modulus n, void *scratch) {
#define JK_CALL(blocks) accumulate_all(target, a, count, n, scratch, blocks)
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
        for (long entry = 2; entry < window; entry++) multiply8(&p->table[entry], &p->table[entry - 1], &p->table[1], blocks, inverse, s);
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
            multiply8(&s->z, &p->power, is_secret ? &s->x : &p->table[digit], blocks, inverse, s);
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

JK_INLINE void entries_all(uint64_t *target, const uint64_t *table, const uint32_t *index, long positions, const int64_t *messages,
                           const uint64_t *factors, jk_modulus n, scratch8 *s, long blocks) {
    const limb8 inverse = enter(s, n), mask = mask52();
    const long limbs = block * blocks, words = jk_residue_words(blocks);
    const jk_places entries = {(uint64_t *)table, index, 0, 0};
    half8 *sum = &s->sum;
    residue8 *x = &s->x, *z = &s->z;
    for (long i = 0; i < positions; i++) {
        for (long lane = 0; i + 1 < positions && lane < lanes; lane++) {
            const uint64_t *ahead = table + (size_t)index[lanes * (i + 1) + lane] * words;
            for (long word = 0; word < words; word += 8) __builtin_prefetch(ahead + word);
        }
        gather(&s->y, rows_of(entries, lanes * i, lanes, blocks), blocks);
        if (i == 0) {
            for (long j = 0; j < limbs; j++) {
                x->low.limb[j] = s->y.low.limb[j];
                x->high.limb[j] = _mm512_setzero_si512();
                sum->limb[j] = s->y.high.limb[j];
            }
        } else {
            for (long j = 0; j < limbs; j++) sum->limb[j] = _mm512_add_epi64(sum->limb[j], s->y.high.limb[j]);
            product8(z, x, &s->y, 1, blocks, inverse, s);
            residue8 *swap = x;
            x = z;
            z = swap;
        }
    }
    // The message's logarithm: its magnitude times the factor of its sign.
    const limb8 message = _mm512_loadu_si512(messages), magnitude = _mm512_abs_epi64(message);
    const __mmask8 negative = _mm512_cmplt_epi64_mask(message, _mm512_setzero_si512());
    for (long j = 0; j < limbs; j++) {
        s->y.low.limb[j] = _mm512_mask_mov_epi64(_mm512_set1_epi64((long long)factors[j]), negative, _mm512_set1_epi64((long long)factors[words + j]));
        z->low.limb[j] = j == 0 ? _mm512_and_si512(magnitude, mask) : j == 1 ? _mm512_srli_epi64(magnitude, 52) : _mm512_setzero_si512();
    }
    multiply_low8(&z->high, &z->low, &s->y.low, blocks, inverse, s);
    limb8 carry = _mm512_setzero_si512();
    for (long j = 0; j < limbs; j++) {
        limb8 all = _mm512_add_epi64(_mm512_add_epi64(sum->limb[j], z->high.limb[j]), carry);
        sum->limb[j] = _mm512_and_si512(all, mask);
        carry = _mm512_srli_epi64(all, 52);
    }
    // x0 - p x1 times 1 - p sum / R
    columns c = zeros();
    for (long k = 0; k < 2 * blocks; k++) {
        add_blocks(&c, x->low.limb, sum->limb, k, end_of(k, blocks), blocks);
        if (k >= blocks) add_limbs(&c, x->high.limb + block * (k - blocks));
        reduce_step(&c, &s->quotients, z->high.limb, &s->modulus, inverse, k, blocks);
    }
    for (long j = 0; j < limbs; j++) z->low.limb[j] = x->low.limb[j];
    scatter(rows_of((jk_places){target, NULL, 0, 1}, 0, lanes, blocks), z, lanes, 2 * limbs, blocks);
}

JK_TARGET void jk_entries_product(uint64_t *target, const uint64_t *table, const uint32_t *index, long positions, const int64_t *messages,
                                  const uint64_t *factors, jk_modulus p, void *scratch) {
    const jk_modulus n = p;
#define JK_CALL(blocks) entries_all(target, table, index, positions, messages, factors, n, scratch, blocks)
    JK_BY_LENGTH(JK_CALL)
#undef JK_CALL
}

size_t jk_scratch_bytes(void) { return sizeof(accumulating_scratch); }
size_t jk_power_scratch_bytes(void) { return sizeof(power_scratch); }

#else

#include <stdlib.h>

size_t jk_scratch_bytes(void) { return 0; }
size_t jk_power_scratch_bytes(void) { return 0; }
void jk_multiply(jk_places target, jk_places a, jk_places b, long count, jk_modulus n, void *scratch) { abort(); }
void jk_square(jk_places target, jk_places a, long count, jk_modulus n, void *scratch) { abort(); }
void jk_accumulate(jk_places target, jk_places a, long count, jk_modulus n, void *scratch) { abort(); }
void jk_split(jk_places target, jk_places a, long count, jk_modulus n, void *scratch) { abort(); }
void jk_multiply_low(jk_places target, jk_places a, jk_places b, long count, jk_modulus n, void *scratch) { abort(); }
void jk_power(jk_places target, jk_places a, const uint64_t *exponent, long words, int is_secret, long count, const uint64_t *one,
              jk_modulus n, void *scratch) { abort(); }
void jk_entries_product(uint64_t *target, const uint64_t *table, const uint32_t *index, long positions, const int64_t *messages,
                        const uint64_t *factors, jk_modulus p, void *scratch) { abort(); }

#endif
