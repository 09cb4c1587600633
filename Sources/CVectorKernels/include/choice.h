#ifndef JOINTLAB_KERNEL_CHOICE_H
#define JOINTLAB_KERNEL_CHOICE_H

// How JOINTLAB_KERNELS and the processor decide.
enum jk_choice {
    jk_portable = 0,
    jk_ifma = 1,
    // What JOINTLAB_KERNELS says is neither `portable` nor `ifma`; the portable ones are used.
    jk_not_understood = 2,
    // `ifma` is asked for and the processor does not have it; the portable ones are used.
    jk_not_there = 3,
};

// Whether the processor can run the vector kernels, whatever JOINTLAB_KERNELS says.
int jk_has_ifma(void);

// The same from the first call to the end of the process.
enum jk_choice jk_kernels(void);

// Whether the vector kernels do the work.
static inline int jk_uses_ifma(void) { return jk_kernels() == jk_ifma; }

#endif
