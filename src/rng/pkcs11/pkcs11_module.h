/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#11 modules as one process has them: loaded and initialised once through p11-kit, and the tokens in their slots. */
#ifndef RF_RNG_PKCS11_MODULE_H
#define RF_RNG_PKCS11_MODULE_H

#include "pkcs11_uri.h"
#include <p11-kit/p11-kit.h>
#include <pthread.h>
#include <sys/types.h>

/* What this process holds of PKCS#11. */
typedef struct rf_p11_process {
    pid_t pid;
    pthread_mutex_t lock; /* over what follows; held while a module is loaded and initialised */
    struct rf_p11_loaded *loaded;
    struct rf_p11_pool *pools; /* pkcs11_session.c */
} rf_p11_process;

/* A token by what its manufacturer and its owner wrote into it, without the padding. */
typedef struct rf_p11_token {
    char label[33], serial[17], manufacturer[33], model[17];
    CK_FLAGS flags;
} rf_p11_token;

/* A token, and the slot that it was last seen in. */
typedef struct rf_p11_place {
    CK_FUNCTION_LIST *module;
    CK_SLOT_ID slot;
    rf_p11_token token;
} rf_p11_place;

/* This process's; NULL when there is no memory. After fork() the child gets one of its own, and leaves the parent's alone. */
rf_p11_process *rf_p11_process_here(void);

/* The one token that the URI means, its module loaded. RAFFLE_NOT_FOUND: no module, or no such token; RAFFLE_INVALID: several;
 * `fault`: a module failed. */
raffle_rc rf_p11_find(rf_p11_process *process, const rf_p11_uri *uri, rf_p11_place *out, raffle_rc fault,
                      raffle_error *err);

/* Where this token is now. CKR_TOKEN_NOT_PRESENT: in no slot. `function` becomes what gave the value. */
CK_RV rf_p11_find_again(rf_p11_place *place, const char **function);

bool rf_p11_same_token(const rf_p11_token *a, const rf_p11_token *b);

#endif
