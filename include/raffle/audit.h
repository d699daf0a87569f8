/* SPDX-License-Identifier: Apache-2.0 */
/* The audit: replays a raffle from its store, or from what is published of it, and trusts nothing that can be computed. It needs no secret. */
#ifndef RAFFLE_AUDIT_H
#define RAFFLE_AUDIT_H

#include <raffle/beacon.h>
#include <raffle/ext/host.h>
#include <raffle/types.h>

RAFFLE_BEGIN

/* What an audit found, in two verdicts: integrity (what is there is right) and completeness (what must be there is there). */
typedef struct raffle_verdict {
    uint32_t struct_size;
    uint32_t draws;           /* draws that were replayed */
    int32_t passed;           /* 1: everything was read, and there is no fault of either kind */
    int32_t key_pinned;       /* 1: the control key was the caller's, not only the one that the log names for itself */
    uint64_t records;         /* records that were read */
    uint64_t faults;          /* of both kinds */
    uint64_t integrity;       /* faults of integrity; 0: everything that is there is right */
    uint64_t incomplete;      /* faults of completeness; 0: everything that must be there is there */
    uint64_t private_missing; /* records whose private part was erased or withheld; no fault */
    uint64_t tickets;
    uint64_t numbers;
    uint64_t voids;
    int64_t gross;
    int64_t void_gross;
    char currency[8]; /* ISO 4217; "" when the rules are not known */
    uint32_t digits;  /* of its minor unit: 2 for CAD */
    int32_t
        withheld; /* 1: a published copy without the units' records (publish.h): tickets, numbers, voids and money are not known */
    uint64_t timestamps;         /* of a published copy: time stamps that are right (timestamp.h) … */
    uint64_t timestamps_trusted; /* … of them, by one of the options' authorities */
    int64_t stamped_at;          /* what the newest of them says; 0: there is none */
    uint64_t receipts;           /* that the options gave … */
    uint64_t receipts_kept;      /* … of them, good ones whose ticket is where they say */
} raffle_verdict;
#define RAFFLE_VERDICT_INIT RAFFLE_INIT_OF(raffle_verdict)
RAFFLE_API void raffle_verdict_init(raffle_verdict *verdict, size_t size);

enum {
    RAFFLE_FAULT_INTEGRITY = 1,
    RAFFLE_FAULT_COMPLETENESS = 2
};

/* One fault. At most 1,000 are kept; all are counted. */
typedef struct raffle_fault {
    uint32_t struct_size;
    int32_t kind; /* RAFFLE_FAULT_… */
    uint32_t log; /* 0: control, n: unit n */
    uint32_t reserved;
    uint64_t index;              /* of the record; the log's size when it concerns the log as a whole */
    char code[RAFFLE_WORD_SIZE]; /* what kind of fault, a stable word: "not-canonical", "checkpoint", "draw" … */
    char message[240];
} raffle_fault;
#define RAFFLE_FAULT_INIT RAFFLE_INIT_OF(raffle_fault)
RAFFLE_API void raffle_fault_init(raffle_fault *fault, size_t size);

/* What is proved of a draw. */
enum {
    RAFFLE_ASSURANCE_VERIFIABLE =
        1, /* committed seed, verified beacon, witnesses in time: nobody could choose the winner */
    RAFFLE_ASSURANCE_CERTIFIED = 2, /* the pinned, certified provider; that it was asked once is the operator's word */
    RAFFLE_ASSURANCE_OPERATOR = 3,  /* the operator's word alone, or a rehearsal */
    RAFFLE_ASSURANCE_WRONG = 4      /* the result does not follow from its seed */
};

typedef struct raffle_audit_draw {
    uint32_t struct_size;
    int32_t assurance; /* RAFFLE_ASSURANCE_… */
    char prize[RAFFLE_WORD_SIZE];
    char provider[RAFFLE_NAME_SIZE];
    uint64_t result;         /* index in the control log */
    uint32_t attempt;        /* 1: the first intent for this prize */
    uint32_t asked;          /* how often the provider was asked under this intent */
    int32_t redraw_excluded; /* 1: a witness or anchor rules out a hidden second draw */
    uint32_t places;
    uint64_t numbers;        /* draw numbers in the drum, void ones included */
    uint64_t skipped;        /* of those that came up */
    int32_t committed;       /* 1: the seed was committed to before the intent, and a beacon mixed in */
    int32_t beacon_verified; /* 1: its value was verified here, by the options' hook */
    int32_t seed_lost; /* 1: the seed was lost, and another one followed from a later round; a fault of completeness */
    int32_t witnessed; /* 1: the witnesses' quorum cosigned the intent, in a committed draw before the beacon's round */
    uint64_t round;    /* the beacon's */
} raffle_audit_draw;
#define RAFFLE_AUDIT_DRAW_INIT RAFFLE_INIT_OF(raffle_audit_draw)
RAFFLE_API void raffle_audit_draw_init(raffle_audit_draw *draw, size_t size);

typedef struct raffle_audit_options {
    uint32_t struct_size;
    uint32_t threads; /* 0: as many as there are processors; at most 64 */
    char control_key
        [RAFFLE_VKEY_SIZE]; /* the vkey that must have signed; "": the one that the log names, which then proves nothing about who */
    /* Called now and then from the calling thread with the records done and the records there are; anything but RAFFLE_OK ends the audit
     * and is handed back. Optional. */
    raffle_rc (*progress)(void *ctx, uint64_t done, uint64_t total, raffle_error *err);
    void *progress_ctx;
    /* Verifies the beacon's values of committed draws. Optional: without it they are taken as they stand, and the draw's assurance says so. */
    raffle_beacon_verify beacon;
    void *beacon_ctx;
    /* Certificates, PEM, ended by NUL, to one of which every time stamp of a published copy must lead. Optional: without it anybody may have stamped. */
    const char *authorities;
    /* Gives receipt `i`, from 0 on: its name, for sentences, and its text, both the host's and valid until the next call; RAFFLE_NOT_FOUND after the
     * last one. Anything else ends the audit and is handed back. Called from the calling thread. Optional. A receipt that is none, by the control
     * key, is a fault of completeness "receipt"; a good one that the logs do not bear out is a fault "promise": of integrity when their records are
     * others, of completeness when they are missing, or the final seal left the ticket out. About 300 bytes of memory a receipt. */
    raffle_rc (*receipt)(void *ctx, uint64_t i, const char **name, const char **text, size_t *length,
                         raffle_error *err);
    void *receipt_ctx;
} raffle_audit_options;
#define RAFFLE_AUDIT_OPTIONS_INIT RAFFLE_INIT_OF(raffle_audit_options)
RAFFLE_API void raffle_audit_options_init(raffle_audit_options *options, size_t size);

/* Audits a store. RAFFLE_OK: it was read to its end, and the verdicts are in the audit, good or bad: look at `passed`. Else it could not be
 * read. `host` and `options` are optional. The memory is bounded: about 8 bytes an order, and 64 MiB. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_audit_run(const char *store, const raffle_host *host,
                                                       const raffle_audit_options *options, raffle_audit **out,
                                                       raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_audit_run_with(raffle_store *store, const raffle_audit_options *options,
                                                            raffle_audit **out, raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_audit_verdict(const raffle_audit *audit, raffle_verdict *verdict,
                                                           raffle_error *err);
/* The fault, the draw, at `i`; RAFFLE_NOT_FOUND beyond the last one kept. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_audit_fault_at(const raffle_audit *audit, uint64_t i, raffle_fault *fault,
                                                            raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_audit_draw_at(const raffle_audit *audit, uint32_t i,
                                                           raffle_audit_draw *draw, raffle_error *err);
RAFFLE_API void raffle_audit_free(raffle_audit *audit);

/* The same in one call. `control_key` is optional. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_audit_store(const char *store, const raffle_host *host,
                                                         const char *control_key, raffle_verdict *verdict,
                                                         raffle_error *err);

RAFFLE_END

#endif
