#include "choice.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

int jk_has_ifma(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi");
#else
    return 0;
#endif
}

static enum jk_choice decide(void) {
    const char *wish = getenv("JOINTLAB_KERNELS");
    if (wish == NULL || *wish == 0) return jk_has_ifma() ? jk_ifma : jk_portable;
    if (strcmp(wish, "portable") == 0) return jk_portable;
    if (strcmp(wish, "ifma") != 0) return jk_not_understood;
    return jk_has_ifma() ? jk_ifma : jk_not_there;
}

enum jk_choice jk_kernels(void) {
    // Threads that come at once decide the same.
    static atomic_int decided = -1;
    int choice = atomic_load_explicit(&decided, memory_order_relaxed);
    if (choice < 0) {
        choice = decide();
        atomic_store_explicit(&decided, choice, memory_order_relaxed);
    }
    return (enum jk_choice)choice;
}
