/* SPDX-License-Identifier: Apache-2.0 */
/* A raffle as a whole: made from rules, opened, described. */
#ifndef RAFFLE_OPEN_H
#define RAFFLE_OPEN_H

#include <raffle/ext/host.h>
#include <raffle/types.h>

RAFFLE_BEGIN

/*
 * Makes a raffle in an empty or new store: its control log with the frozen rules, its keys, and its sales units, enrolled and
 * enabled, as the rules list them (one, when they list none).
 *
 * store  "sqlite:PATH" or a plain path.
 * keys   "file:DIR"; NULL: "file:PATH.keys" beside the store. Noted in the store, in a private part, for the next opening: UTF-8 without
 *        control characters, else RAFFLE_INVALID.
 * host   optional.
 * rules  JSON, `length` bytes; docs/guide/rules.md says what it holds. A fault is RAFFLE_INVALID or RAFFLE_LIMIT and the sentence names
 *        the field.
 * by     needs the role for "create": manager or administrator, whatever the rules say.
 *
 * RAFFLE_EXISTS: the store holds a raffle. RAFFLE_MISMATCH: the keys are another raffle's. RAFFLE_REHEARSAL: a replayed clock, and the rules
 * are no rehearsal. A raffle whose making was cut off is finished by the same call with the same rules.
 */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_create(const char *store, const char *keys, const raffle_host *host,
                                                    const char *rules, size_t length, const raffle_actor *by,
                                                    raffle **out, raffle_error *err);

/*
 * Opens a raffle. The latest checkpoint of each log is checked against the tree; RAFFLE_HOST_VERIFY_FULL checks every
 * record of every log.
 *
 * keys   NULL: as `raffle_create` noted. "": none; the raffle can then be read, audited and proved, not changed.
 *
 * RAFFLE_NOT_FOUND, RAFFLE_NOT_RAFFLE, RAFFLE_NEWER, RAFFLE_CORRUPT, RAFFLE_NETWORK_FS, RAFFLE_KEY: as their names say. A log that is behind its anchor
 * does not keep the raffle from opening: its unit, or for the control log the whole raffle, is then read-only, and each writing
 * call gives RAFFLE_HISTORY.
 */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_open(const char *store, const char *keys, const raffle_host *host,
                                                  raffle **out, raffle_error *err);

/* The same two, over handles that the host made: a store or keys of its own; `keys` is optional when opening, as "" above. Both handles
 * may be freed afterwards. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_create_with(raffle_store *store, raffle_keys *keys,
                                                         const raffle_host *host, const char *rules, size_t length,
                                                         const raffle_actor *by, raffle **out, raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_open_with(raffle_store *store, raffle_keys *keys, const raffle_host *host,
                                                       raffle **out, raffle_error *err);

/* Units, draws and cursors that are still there keep working. */
RAFFLE_API void raffle_free(raffle *raffle_);

/* Checks rules without making anything: the same faults as raffle_create(). */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_rules_check(const char *rules, size_t length, raffle_error *err);

/* What a raffle is, and how it stands. */
typedef struct raffle_info {
    uint32_t struct_size;
    int32_t rehearsal; /* 0 or 1 */
    char origin[RAFFLE_ORIGIN_SIZE];
    char name[RAFFLE_NAME_SIZE];
    char organisation[RAFFLE_NAME_SIZE];
    char licence[RAFFLE_NAME_SIZE];
    char currency[8]; /* ISO 4217 */
    uint32_t digits;  /* of its minor unit: 2 for CAD */
    uint32_t reserved;
    int64_t opens; /* the sales window */
    int64_t closes;
    uint8_t rules_hash[RAFFLE_HASH_SIZE]; /* leaf hash of raffle.open, printed on every ticket */
    char control_key[RAFFLE_VKEY_SIZE];   /* the control log's public key as a vkey (C2SP signed-note) */
    uint64_t control_size;                /* records in the control log */
    uint32_t units;
    uint32_t tiers;
    uint32_t prizes;
    int32_t halted; /* a log of this handle was found damaged */
    /* Sums over all units, as of now. */
    uint64_t tickets; /* sold, void ones included */
    uint64_t numbers; /* draw numbers sold, void ones included */
    uint64_t voids;   /* tickets that are void */
    int64_t gross;    /* money taken, void tickets included */
    int64_t void_gross;
    int64_t pot;                   /* gross - void_gross */
    int32_t closed;                /* the final seal is there */
    int32_t drawing;               /* an intent is open */
    char place[RAFFLE_NAME_SIZE];  /* where it takes place; "": the rules name none */
    uint32_t witnesses;            /* that the rules ask: raffle/witness.h */
    uint32_t till;                 /* the unit whose till this is: its keys alone are here (till.h); 0: none */
    char series[RAFFLE_NAME_SIZE]; /* that the raffle is one of; "": the rules name none */
    uint32_t series_number;        /* which one of them; 0: none */
    uint32_t buyer_tickets;        /* the most tickets of one buyer; 0: no limit */
} raffle_info;
#define RAFFLE_INFO_INIT RAFFLE_INIT_OF(raffle_info)
RAFFLE_API void raffle_info_init(raffle_info *info, size_t size);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_describe(raffle *raffle_, raffle_info *info, raffle_error *err);

/* A price tier: `count` draw numbers for `price`. */
typedef struct raffle_tier {
    uint32_t struct_size;
    uint32_t count;
    int64_t price;
    char name[RAFFLE_WORD_SIZE];
} raffle_tier;
#define RAFFLE_TIER_INIT RAFFLE_INIT_OF(raffle_tier)
RAFFLE_API void raffle_tier_init(raffle_tier *tier, size_t size);
/* The tier at `i`, 0 … info.tiers - 1, in the rules' order; RAFFLE_NOT_FOUND beyond. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_tier_at(raffle *raffle_, uint32_t i, raffle_tier *tier, raffle_error *err);

/* What `at` is as the event's local time: "2026-11-21T18:30:00.000-07:00". RAFFLE_INVALID outside the years 1970 to 9999. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_local_time(raffle *raffle_, int64_t at, char out[32], raffle_error *err);

RAFFLE_END

#endif
