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
    long valid = jk_curve_multiply(curve, scalar, points, 65, count, products);
    VALGRIND_MAKE_MEM_DEFINED(&valid, sizeof valid);
    VALGRIND_MAKE_MEM_DEFINED(products, sizeof products);
    // What has been checked are products.
    if (valid != count || jk_curve_validate(curve, products, 65, count) != count) exit(2);
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
    return 0;
}
