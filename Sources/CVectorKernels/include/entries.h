// Powers of a fixed base from its table modulo p^2, and the numbers modulo p^2 q^2 that they belong to: up to eight at a time.
//
// Tables are of residues as modulus.h has them; numbers are of `words` 64-bit words, least significant first, side by side.
// To be called only where jk_uses_ifma() or jk_has_ifma() says so.
#ifndef JOINTLAB_KERNEL_ENTRIES_H
#define JOINTLAB_KERNEL_ENTRIES_H

#include "modulus.h"

// Bytes of scratch that one thread needs, at an address that is a multiple of 64.
size_t jk_entries_scratch_bytes(void);

// target[k] = prod_i v_i (1 - p (sum_i l_i + messages[k]) / R) / R^(positions - 1) modulo p^2, for k < count.
//
// An entry is v, as a low half, before l, both below 2 p; number k's i-th is table[index[count i + k]]. R is at least 2^12 p,
// and there are at least 4 positions and at most 2000, an even number. factors: the logarithms of 1 + p f (of a positive
// message 1) and of 1 - p f, times R, as low halves of two residues.
void jk_entries_product(uint64_t *target, long words, long count, const uint64_t *table, const uint32_t *index, long positions,
                        const int64_t *messages, const uint64_t *factors, jk_modulus p, void *scratch);

// target[k] = the number below p^2 q^2 that is a[k] modulo p^2 and b[k] modulo q^2, of twice the words (Garner 1959), for k < count.
//
// a is below p^2, b below q^2, and p^2 below 2 q^2. first_square and factor are p^2 and R p^-2 modulo q^2, in limbs of a half.
void jk_join_remainders(uint64_t *target, const uint64_t *a, const uint64_t *b, long words, long count, const uint64_t *first_square,
                        const uint64_t *factor, jk_modulus second_square, void *scratch);

#endif
