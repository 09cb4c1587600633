#ifndef JOINTLAB_LIBCRYPTO_SHIM_H
#define JOINTLAB_LIBCRYPTO_SHIM_H

// The one place where OpenSSL 3 is let in. Only module Primitives imports it.

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Macros and variadic functions, which Swift cannot call.

static inline EVP_PKEY *libcrypto_generate_p256_key(void) {
    return EVP_EC_gen("P-256");
}

/// Borrows what a memory BIO holds; valid until the BIO changes.
static inline long libcrypto_bio_contents(BIO *bio, char **contents) {
    return BIO_get_mem_data(bio, contents);
}

// Declared deprecated in OpenSSL 3 without a successor. One inversion serves a whole batch of points.

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"

static inline int libcrypto_make_affine(const EC_GROUP *group, size_t count, EC_POINT **points, BN_CTX *context) {
    return EC_POINTs_make_affine(group, count, points, context);
}

/// X, Y and Z in Jacobian coordinates: after libcrypto_make_affine the affine x and y, and 1.
static inline int libcrypto_jacobian_coordinates(const EC_GROUP *group, const EC_POINT *point, BIGNUM *x, BIGNUM *y, BIGNUM *z,
                                                 BN_CTX *context) {
    return EC_POINT_get_Jprojective_coordinates_GFp(group, point, x, y, z, context);
}

#pragma clang diagnostic pop

#endif
