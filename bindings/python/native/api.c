/* SPDX-License-Identifier: Apache-2.0 */
/* What make_native.py reads, after the compiler's preprocessor: the public headers without their attributes. */
#include <stddef.h>
#include <stdint.h>

/* In place of raffle/export.h. */
#define RAFFLE_EXPORT_H
#define RAFFLE_BEGIN
#define RAFFLE_END
#define RAFFLE_API
#define RAFFLE_NODISCARD

enum {
    the_headers_begin_here
};
#include <raffle/raffle.h>

#include <raffle/ext/key.h>
#include <raffle/ext/rng.h>
#include <raffle/ext/store.h>
