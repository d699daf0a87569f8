/* SPDX-License-Identifier: Apache-2.0 */
/* A raffle night in one function: created, sold, voided, sealed, acknowledged, drawn, audited. */
#include <raffle/raffle.h>
#include <stdio.h>
#include <time.h>
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        if ((call) != RAFFLE_OK)                                                                                       \
            goto out;                                                                                                  \
    } while (0)

static const raffle_actor ann = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER);
static const raffle_actor sue = RAFFLE_ACTOR_INIT("sue", RAFFLE_SUPERVISOR);
static const raffle_actor boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER);

static int night(const char *store, const char *rules, size_t length)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle *r = NULL;
    raffle_unit *till = NULL;
    raffle_rng *rng = NULL;
    raffle_draw *draw = NULL;
    raffle_sale cart[2] = {RAFFLE_SALE_INIT, RAFFLE_SALE_INIT}; /* one order, two tickets */
    raffle_ticket ticket[2] = {RAFFLE_TICKET_INIT, RAFFLE_TICKET_INIT};
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    raffle_pick pick = RAFFLE_PICK_INIT;
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    char validation[RAFFLE_VALIDATION_SIZE];

    TRY(raffle_create(store, NULL, NULL, rules, length, &boss, &r, &err)); /* unit 1 is ready */
    TRY(raffle_unit_open(r, 1, &till, &err));
    for (int i = 0; i < 2; i++) {
        snprintf(cart[i].order, sizeof cart[i].order, "web-81723");
        snprintf(cart[i].tier, sizeof cart[i].tier, "20-for-10");
    }
    TRY(raffle_unit_sell(till, &ann, cart, 2, 500 /* ms */, ticket, &err)); /* again: the same tickets */
    TRY(raffle_unit_validation(till, ticket[0].serial, validation, &err));
    TRY(raffle_void(r, &sue, 1, ticket[1].serial, "refund", &err));
    TRY(raffle_seal(r, &boss, NULL, RAFFLE_SEAL_FINAL, &seal, &err));
    TRY(raffle_voids_ack(r, &boss, seal.index, &err));
    TRY(raffle_rng_open("system:", NULL, &rng, &err));
    TRY(raffle_draw_begin(r, &boss, "first", NULL, &draw, &err)); /* the intent is durable */
    TRY(raffle_draw_finish(draw, rng, NULL, 5000 /* ms */, &err));
    TRY(raffle_prize_by_name(r, "first", &prize, &err));
    for (uint32_t place = 1; place <= prize.places; place++) {
        TRY(raffle_pick_at(r, "first", place, &pick, &err));
        printf("place %u: draw number %u-%07llu\n", place, pick.unit, (unsigned long long)pick.number);
    }
    TRY(raffle_winner_verify(r, &boss, "first", 1, validation, NULL, NULL, &err));
    TRY(raffle_audit_store(store, NULL, NULL, &verdict, &err));
    printf("audit: %s, %llu records\n", verdict.passed ? "passed" : "FAILED", (unsigned long long)verdict.records);
out:
    if (err.rc != RAFFLE_OK)
        fprintf(stderr, "%s: %s\n", raffle_rc_name(err.rc), err.message);
    raffle_draw_free(draw), raffle_rng_free(rng), raffle_unit_free(till), raffle_free(r);
    return err.rc == RAFFLE_OK && verdict.passed ? 0 : 1;
}

int main(int argc, char **argv)
{
    char rules[1024];
    time_t now = time(NULL);
    char opens[32], closes[32];
    time_t from = now - 3600, until = now + 3600;
    strftime(opens, sizeof opens, "%Y-%m-%dT%H:%M:%S.000Z", gmtime(&from));
    strftime(closes, sizeof closes, "%Y-%m-%dT%H:%M:%S.000Z", gmtime(&until));
    int length =
        snprintf(rules, sizeof rules,
                 "{\"origin\": \"raffle.example/gala\", \"name\": \"Gala 50/50\", \"organisation\": \"Gala Society\","
                 " \"currency\": \"CAD\", \"sales\": {\"opens\": \"%s\", \"closes\": \"%s\"},"
                 " \"tiers\": [{\"name\": \"20-for-10\", \"count\": 20, \"price\": 1000}],"
                 " \"prizes\": [{\"name\": \"first\", \"title\": \"Half of the pot\", \"share\": 5000}]}",
                 opens, closes);
    return night(argc > 1 ? argv[1] : "gala.raffle", rules, (size_t)length);
}
