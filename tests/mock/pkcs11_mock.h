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
    MOCK_GENERATE_RANDOM,
    MOCK_FIND_OBJECTS,
    MOCK_GET_ATTRIBUTE,
    MOCK_GENERATE_KEY,
    MOCK_SIGN
} mock_function;

/* What C_GenerateRandom does beside working. */
typedef enum mock_output {
    MOCK_GOOD,
    MOCK_SILENT,  /* it writes nothing, and says CKR_OK */
    MOCK_SHORT,   /* it leaves out the second half */
    MOCK_STUCK,   /* all bytes are 0x01 */
    MOCK_REPEATED /* the same bytes at each call */
} mock_output;

/* How it gives an Ed25519 public key. */
typedef enum mock_point {
    MOCK_WRAPPED, /* an OCTET STRING */
    MOCK_RAW,
    MOCK_CUT,  /* 31 bytes */
    MOCK_OTHER /* an OCTET STRING's length, and another tag */
} mock_point;

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
    _Atomic(mock_point) point;
    atomic_bool named_curve;   /* it knows the curve by its name, and not by its identifier */
    atomic_bool rival;         /* another process makes the same key at the same time */
    atomic_bool keeps_secrets; /* it gives out no secret's value */

    /* What was called. */
    atomic_int initialized, finalized, logins, good_logins, opened, closed, generated;
    atomic_int sessions; /* that are open now */
    atomic_int objects;  /* in all tokens */
    atomic_int largest;  /* bytes that were asked for at once */
} mock_control;

/* Exported by the module under this name. */
typedef mock_control *(*mock_control_function)(void);
#define MOCK_CONTROL_NAME "mock_pkcs11_control"
/* Empties its tokens of keys. */
typedef void (*mock_clear_function)(void);
#define MOCK_CLEAR_NAME "mock_pkcs11_clear"

#endif
