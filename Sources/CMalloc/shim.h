// The wall around the allocator's own header, which Swift's module of the C library leaves out.
#ifndef JOINTLAB_CMALLOC_SHIM_H
#define JOINTLAB_CMALLOC_SHIM_H

#include <malloc.h>

#endif
