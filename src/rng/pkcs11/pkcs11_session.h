/* SPDX-License-Identifier: Apache-2.0 */
/* A token with its sessions: one pool for each token and process, which providers and keys share, so that there is one login. Any thread may call. */
#ifndef RF_RNG_PKCS11_SESSION_H
#define RF_RNG_PKCS11_SESSION_H

#include "pkcs11_module.h"
#include <raffle/ext/host.h>

typedef struct rf_p11_pool rf_p11_pool;

/* The token that the URI means, logged in. `fault` is the status of what a module or the token fails with: RAFFLE_RNG, RAFFLE_KEY. */
raffle_rc rf_p11_open(const char *uri, const raffle_host *host, raffle_rc fault, rf_p11_pool **out, raffle_error *err);
/* In another process than the one that opened it: does nothing. */
void rf_p11_close(rf_p11_pool *pool);

const rf_p11_token *rf_p11_token_of(const rf_p11_pool *pool);

/* What a work is given. It stores the name of each function before it calls it. */
typedef struct rf_p11_call {
    CK_FUNCTION_LIST *module;
    CK_SESSION_HANDLE session;
    const char *function;
} rf_p11_call;
typedef CK_RV (*rf_p11_work)(rf_p11_call *call, void *ctx);

/* Runs `work` in a session that no other thread uses. When the session turns out to be lost, once more in a new one. RAFFLE_TIMEOUT: no session was
 * free in time; `deadline` is in milliseconds of rf_clock_monotonic(), INT64_MAX for none. `fault`, with the token's label and the CKR_ name: the
 * work, or opening a session, failed. */
raffle_rc rf_p11_run(rf_p11_pool *pool, rf_p11_work work, void *ctx, int64_t deadline, raffle_rc fault,
                     raffle_error *err);

/* The deadline of a call that may take `timeout_ms`, negative for ever. */
int64_t rf_p11_deadline(int32_t timeout_ms);

#endif
