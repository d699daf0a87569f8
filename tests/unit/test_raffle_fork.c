/* SPDX-License-Identifier: Apache-2.0 */
/* fork() while many threads sell, seal and open: the child frees every handle, waits for nobody, and disturbs nothing of the parent's. */
#include "fixture.h"

#include "unit_impl.h"
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SELLERS = 8,
    FORKS = 200,
    PATIENCE = 30 /* seconds that a child has; it needs none */
};

static pid_t parent;

/* A host's function that runs in the child ends it. */
static void only_in_parent(void *ctx)
{
    (void)ctx;
    if (getpid() != parent)
        _exit(3);
}

static raffle_rc give_bytes(void *ctx, uint8_t *out, size_t length, size_t *filled, char evidence[RAFFLE_NAME_SIZE],
                            int32_t timeout_ms, raffle_error *err)
{
    (void)ctx;
    (void)evidence;
    (void)timeout_ms;
    (void)err;
    randombytes_buf(out, length);
    *filled = length;
    return RAFFLE_OK;
}

/* --- threads that hold every lock there is, now and then --- */

static _Atomic bool ended;
static _Atomic uint64_t sold, failed;
static raffle_keys *keys;
static raffle_store *store;

static void *seller(void *arg)
{
    const uintptr_t me = (uintptr_t)arg;
    raffle_unit *unit = NULL;
    raffle_error err = RAFFLE_ERROR_INIT;
    if (raffle_unit_open(fx.raffle, 1 + (uint32_t)me % 2, &unit, &err) != RAFFLE_OK)
        return NULL;
    for (unsigned i = 0; !ended; i++) {
        char order[48];
        raffle_ticket ticket = RAFFLE_TICKET_INIT;
        snprintf(order, sizeof order, "%u-%u", (unsigned)me, i);
        raffle_sale sale = fx_line(order, "one");
        if (raffle_unit_sell(unit, &fx_seller, &sale, 1, -1, &ticket, &err) == RAFFLE_OK)
            sold++;
    }
    raffle_unit_free(unit);
    return NULL;
}

/* References, keys, checkpoints and events: the other locks. */
static void *meddler(void *arg)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    (void)arg;
    for (unsigned i = 0; !ended; i++) {
        char note[4096];
        size_t length = 0;
        raffle_unit *unit = NULL;
        uint8_t bytes[16];
        if (raffle_unit_open(fx.raffle, 2, &unit, &err) == RAFFLE_OK)
            raffle_unit_free(unit);
        if (raffle_checkpoint(fx.raffle, i % 3, note, sizeof note, &length, &err) != RAFFLE_OK ||
            raffle_rng_fill(fx.rng, bytes, sizeof bytes, -1, &err) != RAFFLE_OK ||
            raffle_event(fx.raffle, &fx_boss, 0, "x.busy", NULL, NULL, &err) != RAFFLE_OK)
            failed++;
    }
    return NULL;
}

/* --- the child --- */

typedef struct handles {
    raffle_unit *unit;
    raffle_cursor *cursor;
    raffle_draw *draw;
    raffle_audit *audit;
} handles;

static void free_all(const handles *h)
{
    const uint8_t *ku = rf_unit_opened(fx.raffle, 1)->ku, *order_key = fx.raffle->order_key;
    if (sodium_is_zero(ku, 32) || sodium_is_zero(order_key, 16))
        _exit(4);
    raffle_unit_free(h->unit);
    raffle_cursor_free(h->cursor);
    raffle_draw_free(h->draw);
    raffle_audit_free(h->audit);
    raffle_unit_free(fx.unit);
    raffle_free(fx.raffle);
    raffle_keys_free(keys);
    raffle_store_free(store);
    raffle_rng_free(fx.rng);
    if (!sodium_is_zero(ku, 32) || !sodium_is_zero(order_key, 16))
        _exit(5);
    _exit(0);
}

static void fork_once(const handles *h)
{
    int status = 0;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        alarm(PATIENCE);
        free_all(h);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(status == 0, "the child ended with status %#x", (unsigned)status);
}

static void make_handles(handles *h)
{
    static const char rules[] = FX_HEAD FX_TIERS "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"}]," FX_PRIZES "}";
    char uri[160], folder[160];
    raffle_rng_table table;
    snprintf(uri, sizeof uri, "%s?create=1", fx.store);
    snprintf(folder, sizeof folder, "file:%s.keys", fx.path);
    fx.host.release = only_in_parent;
    FX_OK(raffle_store_open(uri, &fx.host, &store, &fx.err));
    FX_OK(raffle_keys_open(folder, &fx.host, &keys, &fx.err));
    FX_OK(raffle_create_with(store, keys, &fx.host, rules, strlen(rules), &fx_boss, &fx.raffle, &fx.err));
    FX_OK(raffle_unit_open(fx.raffle, 1, &fx.unit, &fx.err));
    raffle_rng_table_init(&table, sizeof table);
    table.fill = give_bytes;
    table.free = only_in_parent;
    raffle_rng_free(fx.rng);
    FX_OK(raffle_rng_new("host:coin", &table, &fx, &fx.rng, &fx.err));
    fx_sell_many(fx.unit, "ten", 600);
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(raffle_unit_open(fx.raffle, 2, &h->unit, &fx.err));
    FX_OK(raffle_cursor_open(fx.raffle, 1, 0, &h->cursor, &fx.err));
    FX_OK(raffle_audit_run(fx.store, NULL, NULL, &h->audit, &fx.err));
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &h->draw, &fx.err));
}

START_TEST(a_child_frees_everything_while_many_sell)
{
    handles h = {.unit = NULL};
    pthread_t thread[SELLERS + 2];
    parent = getpid();
    make_handles(&h);
    for (uintptr_t i = 0; i < SELLERS + 2; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, i < SELLERS ? seller : meddler, (void *)i), 0);
    for (int i = 0; i < FORKS; i++)
        fork_once(&h);
    ended = true;
    for (size_t i = 0; i < SELLERS + 2; i++)
        pthread_join(thread[i], NULL);
    FX_OK(raffle_draw_finish(h.draw, fx.rng, NULL, 5000, &fx.err));
    ck_assert_uint_gt(sold, 0);
    ck_assert_uint_eq(failed, 0);
    ck_assert_uint_eq(fx_info().tickets, 600 + sold);
    raffle_unit_free(h.unit);
    raffle_cursor_free(h.cursor);
    raffle_draw_free(h.draw);
    raffle_audit_free(h.audit);
    fx_close();
    raffle_keys_free(keys);
    raffle_store_free(store);
}
END_TEST

FX_MAIN("raffle_fork", a_child_frees_everything_while_many_sell)
