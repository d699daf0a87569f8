/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing a prize, in steps that survive a crash, and what follows: verification, the official result, claims, forfeits. */
#ifndef RAFFLE_DRAW_H
#define RAFFLE_DRAW_H

#include <raffle/beacon.h>
#include <raffle/types.h>

RAFFLE_BEGIN

/* How a prize stands. */
enum {
    RAFFLE_PRIZE_WAITING = 1, /* not drawn */
    RAFFLE_PRIZE_INTENT = 2,  /* its draw was begun */
    RAFFLE_PRIZE_DRAWN = 3
};

typedef struct raffle_prize {
    uint32_t struct_size;
    int32_t state; /* RAFFLE_PRIZE_… */
    char name[RAFFLE_WORD_SIZE];
    char title[RAFFLE_NAME_SIZE];
    int32_t seal; /* RAFFLE_SEAL_… */
    uint32_t winners;
    uint32_t alternates;
    uint32_t attempt;  /* of the intent or result; 0: none */
    uint64_t result;   /* index of the draw.result in the control log, when drawn */
    uint32_t places;   /* in the result */
    int32_t committed; /* 1: its seed is committed to before the intent, and a beacon mixed in; 0: random */
    int64_t value; /* of all its winners together, in minor units: of its seal's pot; before the seal, of the pot now */
    int32_t drum;  /* 1: drawn by hand, from counterfoils; 0: by an RNG */
    int32_t estimate;  /* 1: before the seal, of a value that depends on sales; then 0 */
    int64_t overflow;  /* what is above its cap, in minor units */
    int64_t each;      /* what each of `winners` gets, */
    int64_t remainder; /* and what is left of the value when they are paid: value - winners * each */
    int64_t
        carry; /* what the rules of the next raffle have as `carry`: above its cap, or all of it, when its ace was not found */
    uint32_t ace;    /* envelopes that its winner chooses from (raffle_winner_pick); 0: it has no ace */
    int32_t must_go; /* 1: the next alternate chooses when the ace was missed; 0: the prize is carried over */
    char redraw_of
        [RAFFLE_WORD_SIZE]; /* the prize whose lost place it gives away once more; "": it is a prize of its own */
    int32_t
        waits; /* 1: it can be drawn when its turn comes; 0: it is drawn, or a redraw for which no place is without a winner */
} raffle_prize;
#define RAFFLE_PRIZE_INIT RAFFLE_INIT_OF(raffle_prize)
RAFFLE_API void raffle_prize_init(raffle_prize *prize, size_t size);
/* The prize at `i`, 0 … info.prizes - 1, in drawing order; or by name. Before its seal all units are looked at for the estimate, as by raffle_describe(); of a prize whose pot is
 * that of some tiers the first call reads their records, and later ones what is new. RAFFLE_NOT_FOUND. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_prize_at(raffle *raffle_, uint32_t i, raffle_prize *prize,
                                                      raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_prize_by_name(raffle *raffle_, const char *name, raffle_prize *prize,
                                                           raffle_error *err);

/* What the intent may bring along: optional for a random draw, and needed for a committed one. */
typedef struct raffle_draw_options {
    uint32_t struct_size;
    uint32_t flags; /* zero */
    /* The provider that will be asked, or, in a committed draw, that gave the seed: refused now, when the rules do not allow it or it is not healthy. */
    raffle_rng *rng;
    /* A committed draw: what raffle_rng_seed() gave beside the seed, which the host keeps secret, and does not lose. Else zero and "". */
    uint8_t commitment[32];
    char evidence[RAFFLE_NAME_SIZE];
    const raffle_actor
        *ok; /* optional: a second approver, which a redraw needs, and a drum where draw numbers have no counterfoil */
    const char *reason; /* of a redraw, a word; else NULL */
} raffle_draw_options;
RAFFLE_API void raffle_draw_options_init(raffle_draw_options *options, size_t size);

enum {
    RAFFLE_FINISH_SEED_LOST =
        1, /* the committed seed is lost: another one follows from `fallback`, and the audit reports it */
    RAFFLE_FINISH_QUORUM_LATE =
        2 /* the witnesses cosigned the intent, and too few of them before the round: the audit reports it */
};

/* What a committed draw is finished with; all zero for a random one. */
typedef struct raffle_finish_options {
    uint32_t struct_size;
    uint32_t flags;                       /* RAFFLE_FINISH_… */
    uint64_t round;                       /* the beacon's round that the intent fixes: raffle_draw_info.round */
    uint8_t beacon[RAFFLE_BEACON_SIZE];   /* its value */
    uint8_t seed[48];                     /* the seed; zero when it is lost */
    uint8_t fallback[RAFFLE_BEACON_SIZE]; /* when it is lost: the value of raffle_draw_info.fallback_round */
    raffle_beacon_verify verify;          /* of the values; needed */
    void *verify_ctx;
    const raffle_actor
        *ok; /* optional: a second approver, which a drum draw needs that ends before every place is taken */
} raffle_finish_options;
RAFFLE_API void raffle_finish_options_init(raffle_finish_options *options, size_t size);

/* How a draw stands. */
typedef struct raffle_draw_info {
    uint32_t struct_size;
    uint32_t attempt; /* 1: the first intent for this prize */
    uint64_t intent;  /* index of the draw.intent in the control log */
    int64_t at;
    uint64_t numbers;  /* in the drum */
    uint32_t asked;    /* how often a provider was asked under this intent */
    int32_t pending;   /* 1: its last answer is lost; asking again needs a second approver */
    int32_t finished;  /* 1: the result is written */
    int32_t committed; /* 1: a committed draw, of which the intent fixes what follows; else zero */
    char prize[RAFFLE_WORD_SIZE];
    uint64_t round;          /* the beacon's round, */
    int64_t round_at;        /* and its time: the draw is finished from then on */
    uint64_t fallback_round; /* the round that counts when the committed seed is lost, 24 hours later */
    int64_t fallback_at;
    int32_t drum;   /* 1: a drum draw, */
    uint32_t taken; /* whose first places are taken, */
    uint64_t calls; /* by so many numbers that were called; else zero */
} raffle_draw_info;
RAFFLE_API void raffle_draw_info_init(raffle_draw_info *info, size_t size);

/* Begins: writes the intent, durably, before any randomness is asked for, and signs its checkpoint. RAFFLE_NOT_SEALED, RAFFLE_NOT_ACKED, RAFFLE_SEQUENCE
 * (an earlier prize is not drawn; of a redraw no place is without a winner), RAFFLE_APPROVAL (a redraw, or a drum without all counterfoils, and no second approver), RAFFLE_DRAWN, RAFFLE_DRAW_OPEN (resume it), RAFFLE_EMPTY, RAFFLE_ROLE; RAFFLE_INVALID: a commitment is missing, or not
 * asked for. `options` is optional. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_draw_begin(raffle *raffle_, const raffle_actor *by, const char *prize,
                                                        const raffle_draw_options *options, raffle_draw **out,
                                                        raffle_error *err);

/* The open intent, or RAFFLE_NOT_FOUND; and the draw of a handle. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_draw_pending(raffle *raffle_, raffle_draw_info *info, raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_draw_describe(const raffle_draw *draw, raffle_draw_info *info,
                                                           raffle_error *err);

/* Takes up the open intent after a crash, a failed provider or a pause; RAFFLE_NOT_FOUND when none is open. When the provider had been
 * asked and its answer is lost, asking again needs a second approver: RAFFLE_APPROVAL without `ok` (optional). It is written, and every
 * report shows it. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_draw_resume(raffle *raffle_, const raffle_actor *by,
                                                         const raffle_actor *ok, raffle_draw **out, raffle_error *err);

/* The checkpoint over the intent, a signed note to be cosigned (raffle/witness.h) or published; as it was when the draw was begun or resumed. Lives as long as
 * the draw. */
RAFFLE_API const char *raffle_draw_checkpoint(const raffle_draw *draw);

/* Asks the provider for the seed, selects, and writes the result, durably. That it is asked is written first, so that no asking is hidden; a
 * seed that came stays in the handle, and is the one that later calls use. RAFFLE_RNG_NOT_PINNED, RAFFLE_REHEARSAL, RAFFLE_RNG, RAFFLE_RNG_UNHEALTHY, RAFFLE_RNG_SEED,
 * RAFFLE_HOST: nothing was drawn and the intent stays open; the failure is written, and the call may be made again.
 * RAFFLE_QUORUM: the rules ask for witnesses, and the kept checkpoint of the intent has not the cosignatures of their quorum, with times before the round in a
 * committed draw; nobody was asked. RAFFLE_APPROVAL: it was asked before, and nobody knows the answer; see raffle_draw_resume. RAFFLE_DRAWN: it is finished. RAFFLE_UNKNOWN: it is finished, and the
 * anchor is not written. `options` is optional.
 * A committed draw asks nobody, `rng` is NULL, and `options` are needed: the beacon's value is verified, the seed compared with the commitment.
 * RAFFLE_SEQUENCE: the round is not there yet. RAFFLE_MISMATCH: another round, another seed. RAFFLE_SIGNATURE: the value is not the round's. RAFFLE_UNSUPPORTED:
 * nothing was given that verifies it. The intent stays open, for the same seed and the same round.
 * A drum draw ends here, once its numbers were called; `rng` is NULL. RAFFLE_APPROVAL: not every place is taken, and options->ok is missing. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_draw_finish(raffle_draw *draw, raffle_rng *rng,
                                                         const raffle_finish_options *options, int32_t timeout_ms,
                                                         raffle_error *err);

/* What became of a draw number that was called in a drum draw. The first that holds, in this order. Numbers are frozen. */
enum {
    RAFFLE_CALL_UNSOLD = 1,      /* not among the draw numbers of the seal */
    RAFFLE_CALL_VOID = 2,        /* its ticket was void at the seal */
    RAFFLE_CALL_NOT_ENTERED = 3, /* its tier takes no part in this prize */
    RAFFLE_CALL_AGAIN = 4,       /* it has a place in this draw already */
    RAFFLE_CALL_BARRED = 5,      /* the prize's one-win rule */
    RAFFLE_CALL_TAKEN = 6        /* it takes the next place */
};

typedef struct raffle_call {
    uint32_t struct_size;
    int32_t outcome; /* RAFFLE_CALL_… */
    uint32_t unit;   /* the draw number: `unit`-`number` */
    uint32_t place;  /* that it takes; 0: none */
    uint64_t number;
    uint64_t serial; /* of its ticket; 0: not sold */
} raffle_call;
RAFFLE_API void raffle_call_init(raffle_call *call, size_t size);

/* A draw number that was drawn from the drum by hand and called: verified as sold and valid, and written, whether it takes a place or is rejected, durably
 * (GLI-31 2.6.4). Rejected ones are no failure: `call` (optional) says what became of it. RAFFLE_SEQUENCE: the prize is drawn by an RNG, every place is taken, or
 * another number was called at the same time; RAFFLE_QUORUM as in raffle_draw_finish(); RAFFLE_INVALID: there can be no such number. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_draw_call(raffle_draw *draw, uint32_t unit, uint64_t number,
                                                       raffle_call *call, raffle_error *err);

RAFFLE_API void raffle_draw_free(raffle_draw *draw);

/* Ends the open intent of a random draw or of a drum without a result, with a second approver and a reason. Every report shows it. RAFFLE_NOT_FOUND,
 * RAFFLE_APPROVAL; RAFFLE_SEQUENCE: a committed draw is never aborted. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_draw_abort(raffle *raffle_, const raffle_actor *by, const raffle_actor *ok,
                                                        const char *reason, raffle_error *err);

/* How a place in a result stands. A winner goes drawn -> verified -> official -> claimed, perhaps waiting for papers before, and, of a prize with an ace, once that is found; an alternate waits until a forfeit
 * promotes it. */
enum {
    RAFFLE_PLACE_ALTERNATE = 1,
    RAFFLE_PLACE_DRAWN = 2,
    RAFFLE_PLACE_VERIFIED = 3,
    RAFFLE_PLACE_OFFICIAL = 4,
    RAFFLE_PLACE_CLAIMED = 5,
    RAFFLE_PLACE_FORFEITED = 6,
    RAFFLE_PLACE_REFUSED = 7, /* the ticket was found void after the seal */
    RAFFLE_PLACE_MISSED = 8,  /* its winner did not find the ace */
    RAFFLE_PLACE_WAITING = 9, /* claimed in time; papers are missing */
    RAFFLE_PLACE_EXPIRED = 10 /* forfeited when the claim period was over */
};

typedef struct raffle_pick {
    uint32_t struct_size;
    uint32_t place; /* in the result, from 1; winners first, then alternates, in the order drawn */
    int32_t state;  /* RAFFLE_PLACE_… */
    uint32_t unit;
    uint64_t number;   /* the draw number: `unit`-`number` */
    uint64_t serial;   /* of its ticket */
    int64_t called_at; /* when its number was drawn */
    int64_t
        claim_by; /* claimed until then, before a forfeit needs no second approver; 0: no limit. Of an alternate who takes over it is counted anew */
    int32_t found;     /* of a prize with an ace: 1: its winner found it, and may claim */
    uint32_t reserved; /* zero */
} raffle_pick;
#define RAFFLE_PICK_INIT RAFFLE_INIT_OF(raffle_pick)
RAFFLE_API void raffle_pick_init(raffle_pick *pick, size_t size);
/* The place `place`, 1 … prize.places, of a prize's result. RAFFLE_NOT_FOUND: not drawn, or no such place. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_pick_at(raffle *raffle_, const char *prize, uint32_t place,
                                                     raffle_pick *pick, raffle_error *err);

/* Compares the validation number on the ticket that is presented with the winning draw number (GLI-31 2.6.5) and writes that it was
 * verified. When the ticket is void since the seal, the place is refused instead, and the next alternate promoted: `now` (optional) says
 * which it was, and `*promoted` (optional) the alternate's place, 0 for none. RAFFLE_MISMATCH: a valid number, of another ticket. RAFFLE_INVALID: mistyped or
 * foreign. RAFFLE_SEQUENCE: the place is not one that waits for this. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_winner_verify(raffle *raffle_, const raffle_actor *by, const char *prize,
                                                           uint32_t place, const char *validation, raffle_pick *now,
                                                           uint32_t *promoted, raffle_error *err);
/* The verified winner becomes official. RAFFLE_SEQUENCE. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_winner_official(raffle *raffle_, const raffle_actor *by, const char *prize,
                                                             uint32_t place, raffle_error *err);
enum {
    RAFFLE_ACE_MISSED = 1,
    RAFFLE_ACE_FOUND = 2
};
/* The official winner of a prize with an ace opened `envelope`, 1 … prize.ace, in front of two (catch the ace); role for "verify", and a second approver. With RAFFLE_ACE_FOUND the
 * place may be claimed, and not before. With RAFFLE_ACE_MISSED it is lost: when the prize must go, the next alternate is promoted, its place stored in `*promoted` (optional; 0: none), else
 * the prize is carried over. RAFFLE_EXISTS: the envelope was opened before. RAFFLE_INVALID: there is no such envelope, or the last one is said to miss. RAFFLE_SEQUENCE, RAFFLE_APPROVAL. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_winner_pick(raffle *raffle_, const raffle_actor *by,
                                                         const raffle_actor *ok, const char *prize, uint32_t place,
                                                         uint32_t envelope, int32_t outcome, uint32_t *promoted,
                                                         raffle_error *err);
/* The prize is paid out: two actors, and the ticket's validation number again (GLI-31 2.7.1). RAFFLE_EXPIRED: the claim period is over. RAFFLE_PAPERS: the rules' `papers_above`
 * asks for papers. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_claim(raffle *raffle_, const raffle_actor *by, const raffle_actor *ok,
                                                   const char *prize, uint32_t place, const char *validation,
                                                   raffle_error *err);
/* The official winner presents the ticket in time, and papers are missing: the place waits for them, beyond the claim period, too. RAFFLE_SEQUENCE: it asks for none. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_claim_wait(raffle *raffle_, const raffle_actor *by, const char *prize,
                                                        uint32_t place, const char *validation, raffle_error *err);
/* As raffle_claim(), of a prize for which papers are asked: they were seen. `papers`: what the host knows them by; private, 1 to 256 bytes. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_claim_papers(raffle *raffle_, const raffle_actor *by,
                                                          const raffle_actor *ok, const char *prize, uint32_t place,
                                                          const char *validation, const char *papers,
                                                          raffle_error *err);
/* The place is lost, with a reason; the next alternate is promoted, and its place stored in `*promoted` (optional; 0: none is left, the
 * prize is unawarded). Before the claim period is over, and of a place that waits for papers, it needs `ok` (optional): RAFFLE_APPROVAL. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_forfeit(raffle *raffle_, const raffle_actor *by, const raffle_actor *ok,
                                                     const char *prize, uint32_t place, const char *reason,
                                                     uint32_t *promoted, raffle_error *err);

RAFFLE_END

#endif
