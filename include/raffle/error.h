/* SPDX-License-Identifier: Apache-2.0 */
/* How calls fail: the status every call returns, and the sentence that names the value at fault. */
#ifndef RAFFLE_ERROR_H
#define RAFFLE_ERROR_H

#include <raffle/export.h>
#include <stddef.h>
#include <stdint.h>

RAFFLE_BEGIN

/* A status. 0 is success; the numbers are frozen, new ones are added. 1-19: the arguments. 20-39: the state of the raffle.
 * 40-59: the surroundings. 60-79: integrity. 80-99: randomness. */
typedef int32_t raffle_rc;

enum {
    RAFFLE_OK = 0,

    RAFFLE_MISUSE = 1,      /* the program is wrong: a NULL, a struct_size, a handle entered from its own callback */
    RAFFLE_INVALID = 2,     /* a value is malformed or out of range */
    RAFFLE_LIMIT = 3,       /* beyond a limit of the rules or of the format */
    RAFFLE_NOT_FOUND = 4,   /* no such ticket, order, prize, unit, file */
    RAFFLE_EXISTS = 5,      /* it is there already */
    RAFFLE_MISMATCH = 6,    /* the order key, number or key is known, with other content */
    RAFFLE_ROLE = 7,        /* this role may not do this */
    RAFFLE_APPROVAL = 8,    /* a second approver is missing, is the first one again, or may not approve */
    RAFFLE_UNSUPPORTED = 9, /* not in this build, or not by this provider */
    RAFFLE_TOO_SMALL = 10,  /* the caller's buffer; the length that is needed was stored */

    RAFFLE_WINDOW = 20,       /* outside the sales window */
    RAFFLE_DISABLED = 21,     /* the unit is not enrolled, not enabled or un-enrolled */
    RAFFLE_CLOSED = 22,       /* the unit, or the raffle's sales, are closed */
    RAFFLE_QUOTA = 23,        /* the unit's quota of draw numbers is used up */
    RAFFLE_VOIDED = 24,       /* the ticket is void */
    RAFFLE_DRAWN = 25,        /* the ticket holds a place in a result, or the prize is drawn already */
    RAFFLE_NOT_SEALED = 26,   /* the seal that this needs is missing */
    RAFFLE_NOT_ACKED = 27,    /* the voids of the seal are not acknowledged (GLI-31 2.6.3) */
    RAFFLE_SEQUENCE = 28,     /* out of order: an earlier step, or an earlier prize, comes first */
    RAFFLE_DRAW_OPEN = 29,    /* an intent is open; only its draw may go on */
    RAFFLE_EMPTY = 30,        /* nothing was sold: there is nothing to draw from */
    RAFFLE_UNRECONCILED = 31, /* a unit's sales are not all in */
    RAFFLE_CLOCK = 32,        /* the clock went back or leapt; a supervisor must write `clock.reset` */
    RAFFLE_REHEARSAL = 33,    /* only a rehearsal may do this */
    RAFFLE_QUORUM = 34,       /* too few of the witnesses that the rules ask for have cosigned, or not in time */
    RAFFLE_AWAY =
        35, /* the unit's log lives elsewhere (till.h), or the control log does: what is asked for happens there */
    RAFFLE_EXPIRED = 36, /* the time in which it could be done is over: a claim period */
    RAFFLE_PAPERS = 37,  /* it is paid out against papers, which nobody has seen (GLI-31 2.7.1) */

    RAFFLE_NOMEM = 40,
    RAFFLE_IO = 41,
    RAFFLE_BUSY = 42,     /* locked by somebody else for longer than the call may wait */
    RAFFLE_FULL = 43,     /* no space left */
    RAFFLE_READONLY = 44, /* the store, its file or its opening allows no writing */
    RAFFLE_TIMEOUT = 45,  /* out of time; nothing was written */
    RAFFLE_UNKNOWN = 46,  /* out of time or connection; it may have been written */
    RAFFLE_HOST = 47,     /* a callback of the host failed; raffle_error.token is its own */
    RAFFLE_FORKED = 48,   /* the handle was made before fork(), in the parent */

    RAFFLE_CORRUPT = 60, /* bytes are not what was written */
    RAFFLE_HALTED = 61,  /* this handle found corruption before, and stays halted (GLI-31 3.4.4) */
    RAFFLE_HISTORY =
        62, /* the log is smaller than, or no extension of, what was seen before: a restored or cloned store */
    RAFFLE_NOT_RAFFLE = 63,    /* the file or database holds no raffle */
    RAFFLE_NEWER = 64,         /* written in a newer format than this build reads */
    RAFFLE_NETWORK_FS = 65,    /* a network file system, whose locks cannot be trusted */
    RAFFLE_KEY = 66,           /* keys are missing, unreadable, or not those that the log names */
    RAFFLE_SIGNATURE = 67,     /* a signature is missing or wrong */
    RAFFLE_PROOF = 68,         /* a proof does not prove it */
    RAFFLE_ERASED = 69,        /* the private part that this needs has been erased */
    RAFFLE_STATE_DIFFERS = 70, /* folding the records again gives other totals than were kept */

    RAFFLE_RNG = 80,            /* the provider failed */
    RAFFLE_RNG_UNHEALTHY = 81,  /* its output failed a health test */
    RAFFLE_RNG_NOT_PINNED = 82, /* the rules do not allow this provider */
    RAFFLE_RNG_SEED = 83        /* it handed out the same seed again */
};

/* What failed. The caller owns it; every field is valid after a failure and untouched after success. */
typedef struct raffle_error {
    uint32_t struct_size;
    raffle_rc rc;      /* the status that the call returned */
    uint32_t detail;   /* a line of a file, or an element of an array, counted from 1; 0: none */
    uint32_t reserved; /* zero */
    uint64_t token;    /* what the host's callback that failed stored here, whatever its status; else 0 */
    char message[240]; /* one sentence, naming the value at fault; never a secret, a PIN or a validation number */
} raffle_error;

#define RAFFLE_ERROR_INIT                                                                                              \
    {                                                                                                                  \
        sizeof(raffle_error), RAFFLE_OK, 0, 0, 0, ""                                                                   \
    }
/* Zeroes `size` bytes and stores `size`, which is sizeof(raffle_error) as the caller compiled it. All `_init` functions do so. */
RAFFLE_API void raffle_error_init(raffle_error *err, size_t size);

/* The name of a status as written in C, "RAFFLE_OK"; "RAFFLE_?" for a number this build does not know. Static. */
RAFFLE_API const char *raffle_rc_name(raffle_rc rc);

/* A few words for a status, "outside the sales window". Static. */
RAFFLE_API const char *raffle_rc_text(raffle_rc rc);

/* For callbacks of hosts: stores a failure in `err` (NULL is fine) and returns `rc`. `message` is cut to what fits, at a
 * character's boundary, and control characters in it become '?'. */
RAFFLE_API raffle_rc raffle_error_set(raffle_error *err, raffle_rc rc, uint64_t token, const char *message);

RAFFLE_END

#endif
