/* SPDX-License-Identifier: Apache-2.0 */
/* A PKCS#11 module for tests, as strict as CloudHSM's library and with faults at will: what the tests and the module share. */
#ifndef TESTS_MOCK_PKCS11_MOCK_H
#define TESTS_MOCK_PKCS11_MOCK_H

#include <stdatomic.h>
#include <stdbool.h>

enum {
    MOCK_TOKENS = 3
};
#define MOCK_PIN "crypto_user:s3cret/&?"

/* The functions that can be told to fail. */
typedef enum mock_function {
    MOCK_NONE,
    MOCK_INITIALIZE,
    MOCK_GET_SLOT_LIST,
    MOCK_GET_TOKEN_INFO,
    MOCK_OPEN_SESSION,
    MOCK_LOGIN,
    MOCK_GENERATE_RANDOM
} mock_function;

/* What C_GenerateRandom does beside working. */
typedef enum mock_output {
    MOCK_GOOD,
    MOCK_SILENT,  /* it writes nothing, and says CKR_OK */
    MOCK_SHORT,   /* it leaves out the second half */
    MOCK_STUCK,   /* all bytes are 0x01 */
    MOCK_REPEATED /* the same bytes at each call */
} mock_output;

typedef struct mock_token {
    char label[33], serial[17];
    unsigned long flags;
    bool present;
} mock_token;

typedef struct mock_control {
    mock_token token[MOCK_TOKENS]; /* a slot before them holds a token that was never initialised */
    atomic_ulong first_slot;       /* the number of the first slot */
    _Atomic(mock_function) failing;
    atomic_ulong rv;  /* what it fails with */
    atomic_int skip;  /* calls that succeed before */
    atomic_int times; /* how often it fails; negative: always */
    _Atomic(mock_output) output;
    atomic_bool stall;    /* C_GenerateRandom does not come back */
    atomic_int stalled;   /* threads that wait in it */
    atomic_bool lose_all; /* at the next C_GenerateRandom every session is gone, and the login with them */
    const char *pin;

    /* What was called. */
    atomic_int initialized, finalized, logins, good_logins, opened, closed, generated;
    atomic_int sessions; /* that are open now */
    atomic_int largest;  /* bytes that were asked for at once */
} mock_control;

/* Exported by the module under this name. */
typedef mock_control *(*mock_control_function)(void);
#define MOCK_CONTROL_NAME "mock_pkcs11_control"

#endif
