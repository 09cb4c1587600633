// Marks secrets as undefined and calls what must not let them decide a branch or an address: valgrind's memory checker reports
// where they do. `control` has two such places, which have to be reported; `run` sees to that.
#include "CVectorKernels.h"

#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

static volatile uint8_t table[256], taken;

static __attribute__((noinline)) void control(const uint8_t *secret) {
    if (secret[31] & 1) taken = 1;
    (void)table[secret[0]];
}

static void points(enum jk_curve curve) {
    enum { count = 11 };
    uint8_t uniform[96 * count], points[65 * count], products[65 * count], scalar[32];
    for (int i = 0; i < (int)sizeof uniform; i++) uniform[i] = (uint8_t)(i * 73 + i / 96);
    for (int i = 0; i < 32; i++) scalar[i] = (uint8_t)(0x41 + 29 * i);
    jk_curve_map(curve, uniform, count, points);
    VALGRIND_MAKE_MEM_UNDEFINED(scalar, sizeof scalar);
    void *scratch = aligned_alloc(64, jk_curve_scratch_bytes());
    long valid = jk_curve_multiply(curve, scalar, points, 65, count, products, scratch);
    free(scratch);
    VALGRIND_MAKE_MEM_DEFINED(&valid, sizeof valid);
    VALGRIND_MAKE_MEM_DEFINED(products, sizeof products);
    // What has been checked are products.
    if (valid != count || jk_curve_validate(curve, products, 65, count) != count) exit(2);
}

// A power of a ciphertext, whose exponent is a key's.
static void powers(void) {
    enum { limbs = jk_block_limbs, count = 3, words = 2 };
    uint64_t n[limbs], exponent[words] = {0x123456789abcdef1, 0x0fedcba987654321};
    const uint64_t mask = ((uint64_t)1 << 52) - 1;
    for (int i = 0; i < limbs; i++) n[i] = (0x9e3779b97f4a7c15 * (uint64_t)(i + 1) & mask) | 1;
    n[limbs - 1] &= (1 << 20) - 1;
    uint64_t inverse = n[0];
    for (int i = 0; i < 5; i++) inverse *= 2 - n[0] * inverse;
    const jk_modulus modulus = {n, 1, (0 - inverse) & mask};
    const long residue = jk_residue_words(1);
    // Any residues do: below n in either half. The last one stands for 1.
    uint64_t *residues = calloc((size_t)(3 * count + 1) * residue, 8), *one = residues + 3 * count * residue;
    for (int i = 0; i < count; i++)
        for (int j = 0; j + 1 < 2 * limbs; j++) residues[i * residue + j] = j == limbs - 1 ? 0 : (uint64_t)(i + 3) * 0xbf58476d1ce4e5b9 * (uint64_t)(j + 1) & mask;
    one[0] = 1;
    void *scratch = aligned_alloc(64, jk_power_scratch_bytes() + 64);
    jk_places from = {residues, NULL, 0, 1}, to = {residues, NULL, count, 1}, again = {residues, NULL, 2 * count, 1};
    jk_power(again, from, exponent, words, 0, count, one, modulus, scratch);
    memset(scratch, 0, jk_power_scratch_bytes());
    VALGRIND_MAKE_MEM_UNDEFINED(exponent, sizeof exponent);
    jk_power(to, from, exponent, words, 1, count, one, modulus, scratch);
    VALGRIND_MAKE_MEM_DEFINED(residues, (size_t)(3 * count + 1) * residue * 8);
    for (int i = 0; i < count; i++)
        if (memcmp(residues + (count + i) * residue, residues + (2 * count + i) * residue, 16 * limbs) != 0) exit(2);
    free(scratch);
    free(residues);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "control") == 0) {
        uint8_t secret[32] = {1};
        VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
        control(secret);
        return 0;
    }
    points(jk_p256);
    points(jk_sm2);
    powers();
    return 0;
}
