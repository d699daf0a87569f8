/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libraffle: electronic raffles after GLI-31, in a log that anyone can replay. This header takes the whole public API;
 * what hosts implement (stores, providers of randomness, keys, clocks) is in raffle/ext/.
 *
 * The rules that hold for every call stand here, once.
 *
 * Arguments  The handle comes first, then who acts (`by`, and `ok` for a second approver), then what is asked, then the
 *            out-parameters, then `err`. A NULL where a pointer is not called optional is RAFFLE_MISUSE.
 * Results    A call that can fail returns `raffle_rc` and takes, last, an optional `raffle_error *` of the caller's. On
 *            failure out-parameters are untouched, unless the call says so, and nothing half done is left in the store.
 * Ownership  A handle is created through an out-parameter and released by the `*_free` of its type; NULL is fine there.
 *            A handle keeps what it was made from alive: the order of freeing does not matter. What goes in is copied.
 *            A `const char *` that comes back is the handle's and lives as long as it, or as long as the call says.
 *            A host's `ctx` passes to the library only when the call that takes it returns RAFFLE_OK; its `free` or `release` is then
 *            called exactly once for that call, in any thread, perhaps inside a `*_free`.
 * Structs    Every struct begins with `struct_size`. Set it by the `_INIT` macro, or by the `_init` function, which takes
 *            `sizeof` as the caller compiled it; a zeroed struct is RAFFLE_MISUSE. Structs only grow at the end: a shorter
 *            one is read as if the rest were zero, an input that is longer is refused when it holds unknown non-zero bytes,
 *            and no output is written beyond `struct_size`. `reserved` is zero. Arrays step by the first element's
 *            `struct_size`; that of the others is not read, and is set in outputs.
 * Strings    UTF-8, no control characters, ending in NUL; a fixed array holds its NUL too. Outputs are always ended.
 *            A pointer whose length is 0 may be NULL, and so may an out-parameter that is called optional.
 * Numbers    Money is in minor units of the rules' currency. Times are milliseconds since 1970-01-01T00:00:00Z, UTC.
 *            Integers that go into records stay within 2^53-1; larger ones are refused.
 * Waiting    `timeout_ms` is how long a call may block, in milliseconds; 0: not at all; negative: as long as it takes. Calls
 *            without one wait as long as raffle_host.timeout_ms says, 10 seconds by default.
 *            RAFFLE_TIMEOUT: nothing was written. RAFFLE_UNKNOWN: the outcome is not known; ask again, with the same order
 *            key for a sale.
 * Threads    Every handle may be used from several threads at once, except cursors, draws and audits, which one thread
 *            at a time may use. Nothing is thread-local. After fork() the child may only free handles: every other call
 *            gives RAFFLE_FORKED. Freeing there wipes the handle's secrets and does nothing else: no host is called, nothing is closed, and
 *            the memory is left to the child's exit. It waits for nobody, whatever threads of the parent were doing.
 * Callbacks  Host callbacks run in threads that are inside a call, never in threads of the library's, but for a store's
 *            `read` and `find` during an audit with more than one thread. From a callback call
 *            nothing on a handle of that raffle, its store, keys or provider, except `*_free`: it gives RAFFLE_MISUSE or waits
 *            for ever. A callback that gives a status this library does not know counts as RAFFLE_HOST.
 * Never      No call prints, exits, aborts or touches signals. Secrets are never in an error, a log line or a record.
 */
#ifndef RAFFLE_RAFFLE_H
#define RAFFLE_RAFFLE_H

#include <raffle/audit.h>
#include <raffle/backup.h>
#include <raffle/beacon.h>
#include <raffle/cash.h>
#include <raffle/counterfoil.h>
#include <raffle/draw.h>
#include <raffle/error.h>
#include <raffle/event.h>
#include <raffle/ext/host.h>
#include <raffle/log.h>
#include <raffle/open.h>
#include <raffle/publish.h>
#include <raffle/receipt.h>
#include <raffle/report.h>
#include <raffle/rng.h>
#include <raffle/role.h>
#include <raffle/sale.h>
#include <raffle/seal.h>
#include <raffle/self.h>
#include <raffle/till.h>
#include <raffle/timestamp.h>
#include <raffle/types.h>
#include <raffle/unit.h>
#include <raffle/version.h>
#include <raffle/witness.h>

#endif
