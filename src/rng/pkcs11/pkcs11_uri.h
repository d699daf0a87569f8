/* SPDX-License-Identifier: Apache-2.0 */
/* The URI of a token (RFC 7512): which attributes may stand there, and its PIN, which goes to secure memory and into no message. */
#ifndef RF_RNG_PKCS11_URI_H
#define RF_RNG_PKCS11_URI_H

#include <p11-kit/uri.h>
#include <raffle/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RF_P11_URI_MAX = 2048, /* bytes of a URI */
    RF_P11_PIN_MAX = 255   /* bytes of a PIN */
};

/* A PIN, in secure memory. Its form is the token's business: CloudHSM's is "user:password". */
typedef struct rf_p11_pin {
    size_t length;
    uint8_t bytes[RF_P11_PIN_MAX + 2]; /* room to see that a file goes on, and for its newline */
} rf_p11_pin;

typedef struct rf_p11_uri {
    P11KitUri *parsed; /* without its PIN's attributes, of which p11-kit would keep copies that it does not wipe */
    char text[RF_P11_URI_MAX + 1]; /* the same as text: what a host is asked by, and what may be printed */
    char noted[RF_P11_URI_MAX +
               1];   /* the same with its `pin-source`: what may be kept to open the token by another time */
    rf_p11_pin *pin; /* of `pin-value`; NULL: there is none */
    char *pin_file;  /* of `pin-source`; NULL: there is none */
} rf_p11_uri;

/* RAFFLE_INVALID or RAFFLE_LIMIT name the attribute at fault, never a value of pin-value or pin-source. To be cleared in every case. */
raffle_rc rf_p11_uri_parse(rf_p11_uri *uri, const char *text, raffle_error *err);
void rf_p11_uri_clear(rf_p11_uri *uri);

/* NULL: every module that p11-kit is configured with. */
const char *rf_p11_uri_module_path(const rf_p11_uri *uri);
const char *rf_p11_uri_module_name(const rf_p11_uri *uri);

/* A PIN of no bytes, in secure memory; NULL when there is none to be had. rf_p11_pin_free() wipes it. */
rf_p11_pin *rf_p11_pin_new(void);
void rf_p11_pin_free(rf_p11_pin *pin);

#endif
