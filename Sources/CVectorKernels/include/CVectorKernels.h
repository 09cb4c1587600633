// Eight big numbers at a time, with the 52-bit multiplications of AVX-512 (IFMA). What stands here has a portable twin in
// the module that calls it, which is the reference and does the work where the processor lacks the instructions.
#ifndef JOINTLAB_VECTOR_KERNELS_H
#define JOINTLAB_VECTOR_KERNELS_H

#include "choice.h"
#include "curve.h"
#include "entries.h"
#include "modulus.h"

#endif
