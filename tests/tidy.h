/* SPDX-License-Identifier: Apache-2.0 */
/* Included before every file that clang-tidy reads. The analyser sees one file at a time, and would suppose that a failure comes back as
 * RAFFLE_OK: this says which status each of these returns. */
#ifndef RF_TIDY_H
#define RF_TIDY_H

#include "../src/base/error.h"

#define rf_fail(err, rc, ...) ((void)(rf_fail)(err, rc, __VA_ARGS__), (rc))
#define rf_fail_at(err, rc, detail, ...) ((void)(rf_fail_at)(err, rc, detail, __VA_ARGS__), (rc))
#define rf_fail_host(err, what, theirs) ((void)(rf_fail_host)(err, what, theirs), RAFFLE_HOST)
#define rf_null(err, argument) ((void)(rf_null)(err, argument), RAFFLE_MISUSE)
#define rf_nomem(err) ((void)(rf_nomem)(err), RAFFLE_NOMEM)

#endif
