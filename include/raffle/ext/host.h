/* SPDX-License-Identifier: Apache-2.0 */
/* What a host may lend to a raffle: its clock, its secrets, its log. Unstable until two stores and both bindings exist. */
#ifndef RAFFLE_EXT_HOST_H
#define RAFFLE_EXT_HOST_H

#include <raffle/error.h>

RAFFLE_BEGIN

enum {
    RAFFLE_LOG_ERROR = 1,
    RAFFLE_LOG_WARNING = 2,
    RAFFLE_LOG_INFO = 3
};

enum {
    RAFFLE_HOST_REPLAYED_CLOCK =
        1, /* the clock replays recorded times; only a rehearsal may be opened or created with it */
    RAFFLE_HOST_NO_THREADS = 2, /* no helper thread; hashing is then done by the calling thread */
    RAFFLE_HOST_VERIFY_FULL = 4 /* opening checks every record, not the newest checkpoint alone */
};

/* Given when a raffle is created or opened, and copied; NULL there stands for all defaults, and so does a NULL function.
 * A callback fails by returning anything but RAFFLE_OK; the call that needed it then gives RAFFLE_HOST with the sentence and
 * the token that the callback stored by raffle_error_set(); its `err` is never NULL. Outputs are preset to values that no callback may
 * give (INT64_MIN, SIZE_MAX), so that one that returns RAFFLE_OK without having acted is found out. */
typedef struct raffle_host {
    uint32_t struct_size;
    uint32_t flags; /* RAFFLE_HOST_…; unknown bits are refused */
    void *ctx;      /* handed to each callback */

    /* The time. Default: the system's clock. Called by the thread that writes to a log, in the store's transaction, while others wait for that
     * log: be quick, and do not call back. */
    raffle_rc (*clock)(void *ctx, int64_t *ms, raffle_error *err);

    /* Called when a raffle is opened and when a unit is first used; by two threads at once, when both are the first. A store's password is asked
     * for by whatever call finds no connection that is free, with locks of the library's held: call nothing of it.
     * A secret that the host keeps, for `what`: "ticket-key", and at a till "unit-ticket-key" (32 bytes; default: from the keys), "pin:<uri>", "password:<uri>" (of a store, its
     * URI as it was given; at each connection, when the URI has none; no zero bytes; default: libpq's own ways),
     * "aws-credentials" (JSON: AccessKeyId, SecretAccessKey, and perhaps Token and Expiration, RFC 3339 in UTC).
     * Writes at most `cap` bytes and their number. The library wipes its copy. Default: there is none. */
    raffle_rc (*secret)(void *ctx, const char *what, uint8_t *out, size_t cap, size_t *length, raffle_error *err);

    /* A line for the operator's log, of UTF-8 without control characters, for what asks for a person: a log was found damaged or of another history
     * and is read-only now (RAFFLE_LOG_ERROR), the anchor could not be written (WARNING), a commit whose outcome was not known is settled (INFO). Each is
     * told once, by the call that met it or the next one on that log; no lock is held. Default: nowhere. */
    void (*log)(void *ctx, int32_t level, const char *line);

    /* Called once for each call that took this host and returned RAFFLE_OK, when the last handle from that call is freed.
     * Not in a child of fork(). */
    void (*release)(void *ctx);

    int32_t timeout_ms; /* how long a call without a timeout of its own may wait; 0: 10,000 ms; negative: for ever */
    int32_t reserved;
} raffle_host;

#define RAFFLE_HOST_INIT                                                                                               \
    {                                                                                                                  \
        sizeof(raffle_host), 0, NULL, NULL, NULL, NULL, NULL, 0, 0                                                     \
    }
RAFFLE_API void raffle_host_init(raffle_host *host, size_t size);

RAFFLE_END

#endif
