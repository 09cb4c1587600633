// Rows of eight limbs with mulx, adcx and adox, for processors that have them: about two thirds of the time of a GMP that
// was built for every x86-64, as distributions ship it. Lengths are multiples of eight limbs. `jl_has_wide` tells whether
// these may be called; elsewhere GMP does the same work.
#ifndef JOINTLAB_WIDE_H
#define JOINTLAB_WIDE_H

#include <gmp.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

static inline int jl_has_wide(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_BMI2) && (b & bit_ADX);
}

// A row adds A[0 ..< 8] * rdx to the eight accumulators S0 (lowest) ... S7, by two chains of carries. What has come to the
// lowest place leaves, and its register takes the new highest limb: so each row names the registers one further.
#define JL_STEP(offset, A, LOW, HIGH) \
    "mulx " #offset "(" A "), %%rax, %%rbx\n\tadcx %%rax, %%" LOW "\n\tadox %%rbx, %%" HIGH "\n\t"
#define JL_ROW(A, LEAVES, S0, S1, S2, S3, S4, S5, S6, S7) \
    JL_STEP(0, A, S0, S1) LEAVES JL_STEP(8, A, S1, S2) JL_STEP(16, A, S2, S3) JL_STEP(24, A, S3, S4) JL_STEP(32, A, S4, S5) \
    JL_STEP(40, A, S5, S6) JL_STEP(48, A, S6, S7) \
    "mulx 56(" A "), %%rax, %%" S0 "\n\tadcx %%rax, %%" S7 "\n\tmovl $0, %%eax\n\tadox %%rax, %%" S0 "\n\tadcx %%rax, %%" S0 "\n\t"
// z[i] joins the lowest place and is overwritten by what leaves.
#define JL_ADDING_ROW(i, S0, S1, S2, S3, S4, S5, S6, S7) \
    "movq " #i "*8(%[b]), %%rdx\n\txorl %%eax, %%eax\n\tadox " #i "*8(%[z]), %%" S0 "\n\t" \
    JL_ROW("%[a]", "movq %%" S0 ", " #i "*8(%[z])\n\t", S0, S1, S2, S3, S4, S5, S6, S7)
// Montgomery: the factor a[i] of the row is chosen so that zero leaves.
#define JL_REDUCING_ROW(i, S0, S1, S2, S3, S4, S5, S6, S7) \
    "movq %[inverse], %%rdx\n\timulq %%" S0 ", %%rdx\n\tmovq %%rdx, " #i "*8(%[a])\n\txorl %%eax, %%eax\n\t" \
    JL_ROW("%[b]", "", S0, S1, S2, S3, S4, S5, S6, S7)
#define JL_EIGHT(ROW) \
    ROW(0, "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15") ROW(1, "r9", "r10", "r11", "r12", "r13", "r14", "r15", "r8") \
    ROW(2, "r10", "r11", "r12", "r13", "r14", "r15", "r8", "r9") ROW(3, "r11", "r12", "r13", "r14", "r15", "r8", "r9", "r10") \
    ROW(4, "r12", "r13", "r14", "r15", "r8", "r9", "r10", "r11") ROW(5, "r13", "r14", "r15", "r8", "r9", "r10", "r11", "r12") \
    ROW(6, "r14", "r15", "r8", "r9", "r10", "r11", "r12", "r13") ROW(7, "r15", "r8", "r9", "r10", "r11", "r12", "r13", "r14")
#define JL_STORE \
    "movq %%r8, 0(%[z])\n\tmovq %%r9, 8(%[z])\n\tmovq %%r10, 16(%[z])\n\tmovq %%r11, 24(%[z])\n\t" \
    "movq %%r12, 32(%[z])\n\tmovq %%r13, 40(%[z])\n\tmovq %%r14, 48(%[z])\n\tmovq %%r15, 56(%[z])\n\t"
#define JL_REGISTERS "rax", "rbx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory"

// z[0 ..< count + 8] = z[0 ..< count] + a[0 ..< 8] b[0 ..< count]
__attribute__((noinline, unused)) static void jl_wide_add_product(mp_limb_t *z, const mp_limb_t *a, const mp_limb_t *b, long count) {
    const mp_limb_t *end = b + count;
    __asm__ volatile(
        "xorl %%r8d, %%r8d\n\txorl %%r9d, %%r9d\n\txorl %%r10d, %%r10d\n\txorl %%r11d, %%r11d\n\t"
        "xorl %%r12d, %%r12d\n\txorl %%r13d, %%r13d\n\txorl %%r14d, %%r14d\n\txorl %%r15d, %%r15d\n\t"
        "1:\n\t" JL_EIGHT(JL_ADDING_ROW)
        "addq $64, %[b]\n\taddq $64, %[z]\n\tcmpq %[end], %[b]\n\tjne 1b\n\t" JL_STORE
        : [z] "+r"(z), [b] "+r"(b) : [a] "r"(a), [end] "m"(end) : JL_REGISTERS);
}

// Chooses m[0 ..< 8] so that u + m n ends in eight zero limbs, which are left as they are; u[count ..< count + 8] is
// written, not added to.
__attribute__((noinline, unused)) static void jl_wide_reduce_step(mp_limb_t *u, mp_limb_t *m, const mp_limb_t *n, long count, mp_limb_t inverse) {
    const mp_limb_t *end = n + count;
    __asm__ volatile(
        "movq 0(%[z]), %%r8\n\tmovq 8(%[z]), %%r9\n\tmovq 16(%[z]), %%r10\n\tmovq 24(%[z]), %%r11\n\t"
        "movq 32(%[z]), %%r12\n\tmovq 40(%[z]), %%r13\n\tmovq 48(%[z]), %%r14\n\tmovq 56(%[z]), %%r15\n\t"
        JL_EIGHT(JL_REDUCING_ROW) "jmp 2f\n\t"
        "1:\n\t" JL_EIGHT(JL_ADDING_ROW)
        "2:\n\taddq $64, %[b]\n\taddq $64, %[z]\n\tcmpq %[end], %[b]\n\tjne 1b\n\t" JL_STORE
        : [z] "+r"(u), [b] "+r"(n) : [a] "r"(m), [end] "m"(end), [inverse] "m"(inverse) : JL_REGISTERS);
}
#else
static inline int jl_has_wide(void) { return 0; }
static inline void jl_wide_add_product(mp_limb_t *z, const mp_limb_t *a, const mp_limb_t *b, long count) { abort(); }
static inline void jl_wide_reduce_step(mp_limb_t *u, mp_limb_t *m, const mp_limb_t *n, long count, mp_limb_t inverse) { abort(); }
#endif

static inline void jl_wide_multiply_rows(mp_limb_t *z, const mp_limb_t *a, const mp_limb_t *b, long count) {
    memset(z, 0, (size_t)count * sizeof(mp_limb_t));
    for (long i = 0; i < count; i += 8) jl_wide_add_product(z + i, a + i, b, count);
}

// z = |a - b|; returns 1 if a < b.
static inline int jl_difference(mp_limb_t *z, const mp_limb_t *a, const mp_limb_t *b, long count) {
    mp_limb_t below = mpn_sub_n(z, a, b, count);
    if (below) mpn_neg(z, z, count);
    return (int)below;
}

// z = a b, of `count` limbs each, a multiple of 8 and at most 64. From 32 limbs on by Karatsuba's three products of half
// length: a b = l + R (l + h - (a1 - a0) (b1 - b0)) + R^2 h.
static inline void jl_wide_multiply(mp_limb_t *z, const mp_limb_t *a, const mp_limb_t *b, long count) {
    if (count < 32 || count % 16 != 0) return jl_wide_multiply_rows(z, a, b, count);
    long half = count / 2;
    mp_limb_t d[64], e[64], carry;
    int sign = jl_difference(d, a + half, a, half) ^ jl_difference(d + half, b + half, b, half);
    jl_wide_multiply_rows(z, a, b, half);
    jl_wide_multiply_rows(z + count, a + half, b + half, half);
    jl_wide_multiply_rows(e, d, d + half, half);
    if (sign) carry = mpn_add_n(e, e, z, count);
    else carry = (mp_limb_t)0 - mpn_sub_n(e, z, e, count);
    carry += mpn_add_n(e, e, z + count, count);
    carry += mpn_add_n(z + half, z + half, e, count);
    mpn_add_1(z + half + count, z + half + count, half, carry);
}

// t / R mod n up to one n, as z and the carry that is returned; m becomes the quotients: t = R z - m n. t is used up.
static inline mp_limb_t jl_wide_reduce(mp_limb_t *z, mp_limb_t *m, mp_limb_t *t, const mp_limb_t *n, long count, mp_limb_t inverse) {
    mp_limb_t u[128];
    memcpy(u, t, (size_t)count * sizeof(mp_limb_t));
    for (long i = 0; i < count; i += 8) jl_wide_reduce_step(u + i, m + i, n, count, inverse);
    return mpn_add_n(z, u + count, t + count, count);
}

#endif
