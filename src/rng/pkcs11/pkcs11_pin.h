/* SPDX-License-Identifier: Apache-2.0 */
/* Where the PIN of a token comes from: its URI, a file, or the host. */
#ifndef RF_RNG_PKCS11_PIN_H
#define RF_RNG_PKCS11_PIN_H

#include "pkcs11_uri.h"
#include <raffle/ext/host.h>

/* The PIN that the URI gives, by pin-value or pin-source; NULL: it gives none. Release it with rf_p11_pin_free(). RAFFLE_INVALID,
 * RAFFLE_NOT_FOUND or RAFFLE_IO when the file cannot be it. */
raffle_rc rf_p11_pin_given(rf_p11_uri *uri, rf_p11_pin **out, raffle_error *err);

/* The PIN that the host keeps for "pin:<uri>". NULL: the host keeps none. RAFFLE_HOST. */
raffle_rc rf_p11_pin_ask(const rf_p11_uri *uri, const raffle_host *host, rf_p11_pin **out, raffle_error *err);

#endif
