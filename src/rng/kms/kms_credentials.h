/* SPDX-License-Identifier: Apache-2.0 */
/* Where the provider `kms:` has its access key from: the environment, a container's or a machine's own service, or the host. */
#ifndef RF_RNG_KMS_CREDENTIALS_H
#define RF_RNG_KMS_CREDENTIALS_H

#include "kms_http.h"
#include <raffle/ext/host.h>

typedef struct rf_kms_keyring rf_kms_keyring; /* in secure memory, for any number of threads */

/* What one call needs, in secure memory. */
typedef struct rf_kms_work {
    rf_kms_credentials credentials;
    char header[RF_KMS_TOKEN_MAX + 64]; /* "Name: token" */
    rf_kms_response response;
} rf_kms_work;

/* Reads the environment, once. RAFFLE_INVALID names the variable that is missing, half of a pair or malformed. `name` is the provider's. */
raffle_rc rf_kms_keyring_new(const char *name, rf_kms_source source, const raffle_host *host, rf_kms_keyring **out,
                             raffle_error *err);
void rf_kms_keyring_free(rf_kms_keyring *keyring);

/* Credentials that are valid now, into `work->credentials`: kept ones, renewed 15 minutes before they expire. RAFFLE_RNG: the service refused,
 * or what it gave is malformed or has expired; RAFFLE_TIMEOUT; RAFFLE_HOST: the host's callback failed. */
raffle_rc rf_kms_keyring_get(rf_kms_keyring *keyring, rf_kms_http *http, int64_t deadline, rf_kms_work *work,
                             raffle_error *err);

/* AWS said that they are not valid: the next call asks for new ones. */
void rf_kms_keyring_forget(rf_kms_keyring *keyring);

#endif
