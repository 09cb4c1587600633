#include "modulus.h"

#if defined(__x86_64__)

#include "eight_residues.h"

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
    group8 now = {0}, following = {0};
    long next = 0;
    form(&now, line, target, a, &next, count);
    while (now.count > 0) {
        form(&following, line, target, a, &next, count);
        upcoming8 upcoming = upcoming_of(following.x, following.y, following.count > 0 ? blocks : 0);
        gather(&s->x, now.x, blocks);
        gather(&s->y, now.y, blocks);
        multiply8(&s->z, &s->x, &s->y, &upcoming, blocks, inverse, s);
        scatter(now.target, &s->z, now.count, 2 * block * blocks, blocks);
        now = following;
    }
}

JK_TARGET void jk_accumulate(jk_places target, jk_places a, long count, jk_modulus n, void *scratch) {
#define JK_CALL(blocks) accumulate_all(target, a, count, n, scratch, blocks)
    JK_BY_LENGTH(JK_CALL)
#undef JK_CALL
}

size_t jk_scratch_bytes(void) { return sizeof(accumulating_scratch); }

#else

#include <stdlib.h>

size_t jk_scratch_bytes(void) { return 0; }
void jk_accumulate(jk_places target, jk_places a, long count, jk_modulus n, void *scratch) { abort(); }

#endif
