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

#endif
