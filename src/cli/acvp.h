/* SPDX-License-Identifier: Apache-2.0 */
/* NIST's ACVP vector sets for hmacDRBG, rewritten as vectors that raffle_vectors() runs. */
#ifndef CLI_ACVP_H
#define CLI_ACVP_H

#include <jansson.h>
#include <raffle/error.h>
#include <stdint.h>

/* The vector set in a file: the file itself, or the member of its list that has test groups (as ACVP servers send it, after a version).
 * NULL: it is no ACVP file. */
const json_t *acvp_set(const json_t *file);

/* The set's SHA2-256 groups in the form of raffle_vectors(), ended by a NUL, to be freed; `*left_out` gets the number of cases of other
 * modes. `answers` is the set that has the expected bits, matched by tgId and tcId; NULL: they stand in the cases themselves. NULL, with
 * RAFFLE_INVALID and what is malformed, or RAFFLE_UNSUPPORTED for other algorithms and sets without SHA2-256. */
char *acvp_rewrite(const json_t *set, const json_t *answers, uint64_t *left_out, raffle_error *err);

#endif
