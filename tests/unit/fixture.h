/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of a whole raffle share: a folder of their own, a clock that is set, a raffle in it, and its audit at the end. */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include <check.h>
#include <raffle/ext/key.h>
#include <raffle/ext/rng.h>
#include <raffle/ext/store.h>
#include <raffle/raffle.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 2026-11-21T20:00:00.000Z, an hour into the sales of FX_HEAD, which last for ten. */
#define FX_NOW INT64_C(1795291200000)
#define FX_HOUR INT64_C(3600000)
#define FX_DAY (24 * FX_HOUR)

/* Rules in pieces: FX_HEAD FX_TIERS FX_PRIZES "}". */
#define FX_HEAD                                                                                                        \
    "{\"origin\":\"raffle.example/fixture\",\"name\":\"Fixture\",\"organisation\":\"Society\",\"currency\":\"CAD\","   \
    "\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\"},"                      \
    "\"rng\":[\"system\",\"host:coin\"],"
#define FX_TIERS                                                                                                       \
    "\"tiers\":[{\"name\":\"one\",\"count\":1,\"price\":500},{\"name\":\"ten\",\"count\":10,\"price\":2000},"          \
    "{\"name\":\"free\",\"count\":3,\"price\":0}],"
#define FX_PRIZES                                                                                                      \
    "\"prizes\":[{\"name\":\"bird\",\"seal\":\"early\",\"alternates\":1,\"amount\":2500},"                             \
    "{\"name\":\"first\",\"alternates\":2,\"share\":5000},{\"name\":\"second\",\"winners\":2,\"alternates\":2}]"
#define FX_RULES FX_HEAD FX_TIERS FX_PRIZES "}"

/* How the provider of randomness behaves. */
typedef enum fx_coin {
    FX_COIN_GOOD,
    FX_COIN_FAILS,
    FX_COIN_SHORT,
    FX_COIN_AGAIN, /* the same bytes as before */
    FX_COIN_SAME,  /* one byte for ever */
    FX_COIN_LIES,  /* a status that there is not */
    FX_COIN_EXITS  /* ends the process while it is asked */
} fx_coin;

typedef struct fixture {
    char folder[48];
    char path[80];      /* of the store */
    char store[96];     /* its URI */
    int64_t now;        /* what the clock shows */
    raffle_rc clock_rc; /* what it returns */
    raffle_host host;
    raffle *raffle;
    raffle_unit *unit; /* unit 1 */
    raffle_rng *rng;   /* "host:coin" */
    fx_coin coin;
    uint64_t coins; /* how often it was asked */
    raffle_error err;
    bool spoilt; /* the test altered the store: it is not audited */
    uint64_t sales;
} fixture;

extern fixture fx;
extern const raffle_actor fx_seller, fx_super, fx_boss, fx_chief, fx_admin, fx_auditor, fx_system;

/* For tcase_add_checked_fixture: the folder, the clock and the provider; and at the end the audit, which must find no fault. */
void fx_setup(void);
void fx_teardown(void);

/* Makes the raffle and opens unit 1; closes both; opens them again, the store as it is. */
void fx_create(const char *rules);
void fx_close(void);
void fx_open(void);
/* Another handle to the same raffle, to the same provider. */
raffle *fx_another(void);
raffle_rng *fx_new_rng(void);

/* Audits the store now; how many faults. */
uint64_t fx_faults(void);

/* A call that must succeed: it leaves the error as it was. */
#define FX_OK(call) fx_check_ok(__FILE__, __LINE__, #call, (call))
/* A call that must fail so, with a sentence. */
#define FX_FAILS(rc, call) fx_check_fails(__FILE__, __LINE__, #call, rc, (call))
/* And leave every log of fx.raffle as it was. */
#define FX_REFUSED(rc, call)                                                                                           \
    do {                                                                                                               \
        fx_remember();                                                                                                 \
        fx_check_fails(__FILE__, __LINE__, #call, rc, (call));                                                         \
        fx_check_same(__FILE__, __LINE__, #call);                                                                      \
    } while (0)

void fx_check_ok(const char *file, int line, const char *call, raffle_rc rc);
void fx_check_fails(const char *file, int line, const char *call, raffle_rc wanted, raffle_rc rc);
void fx_remember(void);
void fx_check_same(const char *file, int line, const char *call);
/* Whether the last failure's sentence holds these words. */
void fx_said(const char *words);

/* A line of an order; one ticket sold through unit 1 under this key; and `n` of them under keys of their own. */
raffle_sale fx_line(const char *order, const char *tier);
raffle_ticket fx_sell(const char *order, const char *tier);
void fx_sell_many(raffle_unit *unit, const char *tier, size_t n);
raffle_unit *fx_unit(uint32_t number);

/* Seals and acknowledges; draws a prize; and the validation number of a ticket. */
raffle_seal_info fx_seal(int32_t kind);
void fx_draw(const char *prize);
raffle_pick fx_pick(const char *prize, uint32_t place);
const char *fx_validation(uint32_t unit, uint64_t serial, char out[RAFFLE_VALIDATION_SIZE]);

raffle_info fx_info(void);
raffle_unit_info fx_unit_info(uint32_t number);
uint64_t fx_size(uint32_t log);
/* Copies a record's leaf, NUL-ended. */
void fx_leaf(uint32_t log, uint64_t index, char *out, size_t cap);

/* Runs SQL on the store, which must change this many rows; and copies the store's files, the anchor when `anchor`. */
void fx_sql(int rows, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fx_copy(const char *from, const char *to, bool anchor);

/* Runs the suite `name` with these tests and the fixture above. */
int fx_main(const char *name, const TTest *const *tests, size_t n);
#define FX_MAIN(name, ...)                                                                                             \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        const TTest *const tests[] = {__VA_ARGS__};                                                                    \
        return fx_main(name, tests, sizeof tests / sizeof tests[0]);                                                   \
    }

#endif
