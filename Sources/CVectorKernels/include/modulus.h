// Products modulo n^2 of eight residues at a time, for an odd n of up to 4156 bits.
//
// Limbs have 52 bits, R = 2^(520 blocks) is at least 16 n. A half of a residue has 10 blocks limbs, least significant first.
// A residue is a pair (x0, x1) of halves below 2 n each that stands for x0 - n x1, in Montgomery form. Nothing is ever
// subtracted: Protocols/protocol.md, "Arithmetic modulo n^2", proves the bounds.
//
// To be called only where jk_uses_ifma() or jk_has_ifma() says so.
#ifndef JOINTLAB_KERNEL_MODULUS_H
#define JOINTLAB_KERNEL_MODULUS_H

#include <stddef.h>
#include <stdint.h>

// Most blocks that a half may have, and limbs of a block.
enum { jk_most_blocks = 8, jk_block_limbs = 10 };

typedef struct {
    // 10 blocks limbs
    const uint64_t *limbs;
    long blocks;
    // -1/n modulo 2^52
    uint64_t inverse;
} jk_modulus;

// 64-bit words from one residue to the next: a whole number of cache lines.
static inline long jk_residue_words(long blocks) { return (2 * jk_block_limbs * blocks + 7) / 8 * 8; }

// Bytes of scratch that one thread needs, at an address that is a multiple of 64.
size_t jk_scratch_bytes(void);

// 52-bit limbs from 64-bit words and back; what does not fit is cut off.
static inline void jk_limbs_from_words(uint64_t *limbs, long limb_count, const uint64_t *words, long word_count) {
    for (long i = 0; i < limb_count; i++) {
        const long word = 52 * i / 64, shift = 52 * i % 64;
        uint64_t limb = word < word_count ? words[word] >> shift : 0;
        if (shift > 12 && word + 1 < word_count) limb |= words[word + 1] << (64 - shift);
        limbs[i] = limb & (((uint64_t)1 << 52) - 1);
    }
}
static inline void jk_words_from_limbs(uint64_t *words, long word_count, const uint64_t *limbs, long limb_count) {
    for (long i = 0; i < word_count; i++) words[i] = 0;
    for (long i = 0; i < limb_count; i++) {
        const long word = 52 * i / 64, shift = 52 * i % 64;
        if (word < word_count) words[word] |= limbs[i] << shift;
        if (shift > 12 && word + 1 < word_count) words[word + 1] |= limbs[i] >> (64 - shift);
    }
}

// Which residues of a buffer the products of a call concern: at[k], or without a list first + step k.
typedef struct {
    uint64_t *residues;
    const uint32_t *at;
    long first;
    long step;
} jk_places;

// target[k] = a[k] b[k] for k < count; no target may be another product's operand or target.
void jk_multiply(jk_places target, jk_places a, jk_places b, long count, jk_modulus n, void *scratch);
// target[k] = a[k]^2, likewise.
void jk_square(jk_places target, jk_places a, long count, jk_modulus n, void *scratch);
// target[k] *= a[k], one after the other in some order: targets may repeat. Needs a list of targets.
void jk_accumulate(jk_places target, jk_places a, long count, jk_modulus n, void *scratch);
// target[k] = t / R as a pair, from t = x0 + R x1 below n^2, where the residue a[k] has the halves x0 and x1.
void jk_split(jk_places target, jk_places a, long count, jk_modulus n, void *scratch);
// The low half alone: target[k] = a[k] b[k] / R modulo n, below 2 n. The high half is left as it was.
void jk_multiply_low(jk_places target, jk_places a, jk_places b, long count, jk_modulus n, void *scratch);
// target[k] = a[k]^exponent, of `words` 64-bit words, least significant first; `one` is the residue 1. If the exponent is
// secret, steps and memory accesses are the same for all of that length. Scratch of jk_power_scratch_bytes, for the caller to wipe.
void jk_power(jk_places target, jk_places a, const uint64_t *exponent, long words, int is_secret, long count, const uint64_t *one,
              jk_modulus n, void *scratch);
size_t jk_power_scratch_bytes(void);

#endif
