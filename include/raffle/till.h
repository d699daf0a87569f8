/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tills elsewhere (GLI-31 3.4, 6.1.4): a sales unit that is away keeps its log in a store of its own, sells without any link within its quota, and
 * uploads later. The raffle's side enrols it, hands out kits and challenges, and takes uploads; the till's side applies, installs, exports and
 * updates. What travels is text (docs/spec/till.md) that may be moved in any way, and repeated.
 *
 *     till     raffle_unit_apply()      makes the till's key; key and proof go to the raffle
 *     raffle   raffle_unit_enrol()      with both; raffle_unit_enable(); raffle_unit_kit(): secret, goes to the till
 *     till     raffle_unit_install()    a store with a copy of the control log; then raffle_unit_sell(), raffle_void(), raffle_unit_close() as anywhere
 *     raffle   raffle_unit_challenge()  goes to the till
 *     till     raffle_unit_export()     goes to the raffle
 *     raffle   raffle_unit_upload(), raffle_unit_news(): goes to the till
 *     till     raffle_unit_update()
 *
 * In the raffle's store such a unit takes uploads only: all else there is RAFFLE_AWAY, but for voids once it is closed or disabled. In the till's
 * store the control log, and every other unit, is read only: RAFFLE_AWAY.
 */
#ifndef RAFFLE_TILL_H
#define RAFFLE_TILL_H

#include <raffle/ext/host.h>
#include <raffle/types.h>

RAFFLE_BEGIN

enum {
    RAFFLE_CHALLENGE_SIZE = 640,       /* a challenge with its NUL */
    RAFFLE_CHALLENGE_LIFE_MS = 3600000 /* after which it is no longer fresh */
};

/* Takes a part of what is being written, in order; anything but RAFFLE_OK ends it and is handed back as RAFFLE_HOST. */
typedef raffle_rc (*raffle_write)(void *ctx, const char *bytes, size_t length, raffle_error *err);

/* --- at the till --- */

/* Makes the key of unit `unit` of the raffle `origin`, or takes the one that is there. `key` gets the public key as a vkey, `proof` a signed checkpoint
 * of its empty log: both are what raffle_unit_options asks for, and are public. `keys` as in raffle_open(). RAFFLE_INVALID, RAFFLE_KEY. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_apply(const char *keys, const raffle_host *host, const char *origin,
                                                        uint32_t unit, char key[RAFFLE_VKEY_SIZE],
                                                        char proof[RAFFLE_PROOF_SIZE], raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_apply_with(raffle_keys *keys, const char *origin, uint32_t unit,
                                                             char key[RAFFLE_VKEY_SIZE], char proof[RAFFLE_PROOF_SIZE],
                                                             raffle_error *err);

/* Makes a till from its kit in an empty or new store, and opens it. `keys` must hold the unit's key, and keep K_u, which the kit brings.
 * `control_key` (optional) is the raffle's control key as a vkey, known from elsewhere. RAFFLE_EXISTS: the store holds a raffle; RAFFLE_KEY: the unit's
 * key is another; RAFFLE_MISMATCH, RAFFLE_CORRUPT, RAFFLE_SIGNATURE: the kit is not what it should be. One that was cut off is finished by the same
 * call. One of a unit that uploaded already makes a till that can be read, and sells no more: RAFFLE_HISTORY. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_install(const char *store, const char *keys, const raffle_host *host,
                                                          const char *kit, size_t length, const char *control_key,
                                                          raffle **out, raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_install_with(raffle_store *store, raffle_keys *keys,
                                                               const raffle_host *host, const char *kit, size_t length,
                                                               const char *control_key, raffle **out,
                                                               raffle_error *err);

/* Writes all records that the raffle has not, as it says in its challenge, signed by the unit's key. The same challenge and the same records give the same
 * bytes. RAFFLE_HISTORY: the raffle has records that are not this till's: the store is an old copy, or another till sells under the same key. It
 * then sells no more. RAFFLE_MISMATCH: the challenge is another unit's; RAFFLE_SIGNATURE: none of this raffle's; RAFFLE_INVALID: none at all. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_export(raffle_unit *unit, const char *challenge, raffle_write write,
                                                         void *ctx, raffle_error *err);

/* Takes what the control log has become: raffle_unit_news(). Fine when it knows all that already. RAFFLE_HISTORY: it is another history than the one here. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_update(raffle *till, const char *news, size_t length,
                                                         raffle_error *err);

/* --- at the raffle --- */

/* Writes the unit's kit: K_u, with which its validation numbers are made, and the control log. Secret; may be written again. RAFFLE_INVALID: the
 * unit is not away. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_kit(raffle *raffle_, uint32_t unit, raffle_write write, void *ctx,
                                                      raffle_error *err);

/* A line without a newline, which says what the raffle has of the unit and is signed so that it is known again. Needs no memory of it. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_challenge(raffle *raffle_, uint32_t unit,
                                                            char out[RAFFLE_CHALLENGE_SIZE], raffle_error *err);

/* What became of an upload. */
typedef struct raffle_upload_info {
    uint32_t struct_size;
    uint32_t unit;
    uint64_t records;      /* in the upload */
    uint64_t taken;        /* of those, that were new here */
    uint64_t size;         /* of the unit's log: all that was ever uploaded */
    uint64_t numbers;      /* draw numbers sold, in all */
    uint64_t twice;        /* orders, in all, that another unit, or the unit before, sold under the same order key */
    uint64_t control_size; /* of the control log at the till when it exported: what raffle_unit_news() begins at */
    int32_t closed;        /* the unit's log has come to its end */
    int32_t excepted;      /* a final seal was made without these: they are kept, and never drawn */
} raffle_upload_info;
#define RAFFLE_UPLOAD_INFO_INIT RAFFLE_INIT_OF(raffle_upload_info)
RAFFLE_API void raffle_upload_info_init(raffle_upload_info *info, size_t size);

/* Takes an upload: it is verified and folded whole, and compared with what was uploaded before, ahead of its first row; then `unit.sync` says so. The same
 * one again changes nothing; one that was cut off goes on where it ended. `info` is optional. `by` needs the role for "units", or is `system`. The bytes must
 * not change meanwhile. RAFFLE_SIGNATURE, RAFFLE_PROOF, RAFFLE_CORRUPT: it was altered, or is not whole; RAFFLE_MISMATCH: of another raffle or unit;
 * RAFFLE_SEQUENCE: its challenge is not fresh; RAFFLE_CLOCK: its records come from the future; RAFFLE_QUOTA: it sold beyond its quota: raise that when it
 * shall stand; RAFFLE_LIMIT: more than 100,000 events; RAFFLE_DISABLED: enable the unit when its sales shall stand; RAFFLE_VOIDED: the till took back a ticket that was taken back here; RAFFLE_DRAWN: one that holds a place in a result, which must be lost first;
 * RAFFLE_DRAW_OPEN; RAFFLE_HISTORY: two tills sold under one key: both notes are kept, and the unit is disabled. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_upload(raffle *raffle_, const raffle_actor *by, const char *bytes,
                                                         size_t length, raffle_upload_info *info, raffle_error *err);

/* Writes the control log from record `from` on, with its checkpoint, for a till that knows the first `from`. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_unit_news(raffle *raffle_, uint32_t unit, uint64_t from,
                                                       raffle_write write, void *ctx, raffle_error *err);

RAFFLE_END

#endif
