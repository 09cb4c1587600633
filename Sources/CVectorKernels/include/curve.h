#ifndef JOINTLAB_CURVE_KERNELS_H
#define JOINTLAB_CURVE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// Points of P-256 and of the curve of GB/T 32918.5, sixteen at a time. To be called only where `jk_uses_ifma` or
// `jk_has_ifma` says so. Points are written as SEC 1 does, side by side, 33 bytes (compressed) or 65 (uncompressed) each.

enum jk_curve { jk_p256 = 0, jk_sm2 = 1 };

// Whether a scalar (32 bytes, big-endian, in 1..<n) is one that `jk_curve_multiply` takes: all but the 128 nearest to 0 or n.
int jk_curve_takes(enum jk_curve curve, const uint8_t *scalar);

// products[i] = scalar * points[i], in the same encoding. Returns `count`, or the index of the first that is no point of the
// curve: coordinates below p, on the curve, not the identity. The products are then not all written. Neither time nor
// addresses depend on the scalar, and nothing that does is left in the scratch: of jk_curve_scratch_bytes, at a multiple of 64.
long jk_curve_multiply(enum jk_curve curve, const uint8_t *scalar, const uint8_t *points, long width, long count, uint8_t *products,
                       void *scratch);
size_t jk_curve_scratch_bytes(void);

// The same check without a product.
long jk_curve_validate(enum jk_curve curve, const uint8_t *points, long width, long count);

// For each 96 bytes the sum of the points to which the simplified SWU map takes their halves, reduced modulo p (RFC 9380, 3 and
// 6.6.2), uncompressed; the identity is 65 zeros. No branch depends on the bytes, but for sums of a point and itself or its
// negative.
void jk_curve_map(enum jk_curve curve, const uint8_t *uniform, long count, uint8_t *points);

#endif
