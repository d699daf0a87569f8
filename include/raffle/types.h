/* SPDX-License-Identifier: Apache-2.0 */
/* The words that several headers share: actors and roles, and the opaque handles. */
#ifndef RAFFLE_TYPES_H
#define RAFFLE_TYPES_H

#include <raffle/error.h>

RAFFLE_BEGIN

typedef struct raffle raffle;               /* a raffle in a store: open.h */
typedef struct raffle_unit raffle_unit;     /* a sales unit of it: unit.h */
typedef struct raffle_draw raffle_draw;     /* a draw that was begun: draw.h */
typedef struct raffle_cursor raffle_cursor; /* a walk over a log's records: log.h */
typedef struct raffle_audit raffle_audit;   /* an audit that was run: audit.h */
typedef struct raffle_rng raffle_rng;       /* a provider of randomness: rng.h */
typedef struct raffle_store raffle_store;   /* where records are kept: ext/store.h */
typedef struct raffle_keys raffle_keys;     /* the signing keys and the ticket key: ext/key.h */

/* Sizes of the fixed arrays below and elsewhere: the longest string, its NUL, and padding to eight bytes. */
enum {
    RAFFLE_ORIGIN_SIZE = 208, /* a raffle's origin: 200 bytes at most */
    RAFFLE_NAME_SIZE = 72,    /* a name, an actor's id, an order key, a buyer's tag: 64 bytes at most */
    RAFFLE_WORD_SIZE = 40,    /* a tier, a prize, a reason, a code, a channel: [a-z0-9][a-z0-9._-]*, 32 bytes at most */
    RAFFLE_VKEY_SIZE = 320,   /* a public key as a C2SP vkey */
    RAFFLE_PROOF_SIZE = 1024, /* the signed checkpoint of an empty log */
    RAFFLE_NOTE_SIZE = 16385, /* a checkpoint */
    RAFFLE_VALIDATION_SIZE = 32, /* a validation number, 5x5 with hyphens */
    RAFFLE_NUMBER_SIZE = 32,     /* a printed draw number, U-NNNNNNN */
    RAFFLE_HASH_SIZE = 32,       /* SHA-256 */
    RAFFLE_NAME_MAX = 64,
    RAFFLE_WORD_MAX = 32,
    RAFFLE_TEXT_MAX = 256,          /* bytes of free text */
    RAFFLE_RECORD_MAX = 65535,      /* bytes of the longest record */
    RAFFLE_PRIVATE_MAX = 16384,     /* bytes of the longest private part */
    RAFFLE_AWAY_HOURS_MAX = 100000, /* the longest time for which a unit that is away sells by itself */
    RAFFLE_UNIT_MAX = 65535,        /* the highest number of a sales unit */
    RAFFLE_SELL_MAX = 10000,        /* lines of one call to raffle_unit_sell() */
    RAFFLE_ORDER_MAX = 1000         /* lines of one order */
};

/* Who may do what is frozen in the rules as a list of roles for each operation. Numbers are frozen. */
typedef int32_t raffle_role;
enum {
    RAFFLE_SELLER = 1,
    RAFFLE_SUPERVISOR = 2,
    RAFFLE_MANAGER = 3, /* GLI's event manager */
    RAFFLE_ADMINISTRATOR = 4,
    RAFFLE_AUDITOR = 5,
    RAFFLE_SYSTEM = 6 /* a machine that sells without an attendant: a web shop, a kiosk, an importer */
};

/* Who did it. The library records it and checks the role against the rules; that the person is who they say is for the
 * host to check (GLI-31 5.2.2). The id is private and can be erased; the role is public. */
typedef struct raffle_actor {
    uint32_t struct_size;
    raffle_role role;
    char id[RAFFLE_NAME_SIZE]; /* the host's name for them, 1 to 64 bytes */
} raffle_actor;

#define RAFFLE_ACTOR_INIT(id, role)                                                                                    \
    {                                                                                                                  \
        sizeof(raffle_actor), (role), id                                                                               \
    }

/* The same at run time. RAFFLE_INVALID when `id` is empty or too long, or there is no such role. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_actor_init(raffle_actor *actor, size_t size, const char *id,
                                                        raffle_role role, raffle_error *err);

/* "seller" … "system"; NULL for another number. Static. */
RAFFLE_API const char *raffle_role_name(raffle_role role);

/* The other way round; 0 for another word. */
RAFFLE_API raffle_role raffle_role_parse(const char *name);

RAFFLE_END

#endif
