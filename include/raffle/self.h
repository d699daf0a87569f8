/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the programs are those that their maker signed (GLI-31 3.5.2, 3.6.1, 5.8.1): a manifest of files with their SHA-256, a C2SP signed note (docs/spec/manifest.md). */
#ifndef RAFFLE_SELF_H
#define RAFFLE_SELF_H

#include <raffle/types.h>

RAFFLE_BEGIN

/* Whether the file `name`, a name without folders, is in the manifest with this hash, and the manifest signed by `vkey`, a C2SP vkey of the maker's. RAFFLE_SIGNATURE:
 * it is not signed by it, or altered; RAFFLE_INVALID: it is no manifest, or `vkey` no key of type 01 that a record can hold; RAFFLE_NOT_FOUND: it does not name the file; RAFFLE_CORRUPT: the file is another. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_manifest_verify(const char *manifest, size_t length, const char *vkey,
                                                             const char *name, const uint8_t hash[32],
                                                             raffle_error *err);

/* The same for the file that this library was loaded from, by its real name; one that was removed or replaced since is another one. Besides, RAFFLE_IO. To be called at the start, before a raffle is made, and every day. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_self_verify(const char *manifest, size_t length, const char *vkey,
                                                         raffle_error *err);

/* The same, and its outcome as a significant event of the raffle, with `vkey`: `program.verified`, or `program.altered` when the manifest is none or not signed, or the name or the
 * hash is wrong; a `vkey` that is no key is written nowhere. After `program.altered` the raffle begins no draw, in no process, until the program is verified again: RAFFLE_HALTED;
 * by the same key, or by somebody whose role may approve, else RAFFLE_ROLE, and nothing is written. The outcome is returned; besides, RAFFLE_ROLE and what writing gives. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_self_check(raffle *raffle_, const raffle_actor *by, const char *manifest,
                                                        size_t length, const char *vkey, raffle_error *err);

RAFFLE_END

#endif
