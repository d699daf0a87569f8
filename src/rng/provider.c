/* SPDX-License-Identifier: Apache-2.0 */
/* The handle of a provider: opening, filling under one deadline, mapping failures, and testing all that comes. */
#include "provider.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "health.h"
#include "timestamp.h"
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WORD_MAX = 32
};
_Static_assert((int)RF_HEALTH_START_UP <= (int)RF_RNG_CALL_MAX, "the start-up test is one call");

static const char host_prefix[] = "host:";

/* A thread that is inside the provider, on that thread's stack. */
typedef struct caller {
    pthread_t thread;
    struct caller *next;
} caller;

struct raffle_rng {
    char name[RAFFLE_NAME_SIZE];
    raffle_rng_table table;
    void *ctx;
    raffle_host host; /* `release` is all that is used of it */
    pid_t pid;
    atomic_uint references;
    pthread_mutex_t lock; /* over what follows; never held over the provider */
    caller *callers;
    rf_sha256 *hash;
    uint8_t last_seed[32]; /* SHA-256 of the last seed */
    bool seeded;
    bool started;      /* the start-up test was passed */
    rf_health *health; /* in secure memory: it holds the last bytes */
};

void raffle_rng_table_init(raffle_rng_table *table, size_t size)
{
    rf_struct_init(table, size);
}

/* --- making and freeing --- */

static raffle_rc read_table(raffle_rng_table *mine, const raffle_rng_table *theirs, raffle_error *err)
{
    raffle_rc rc = rf_struct_in(mine, sizeof *mine, theirs, "table", err);
    if (rc != RAFFLE_OK)
        return rc;
    if (mine->flags != 0)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "table: flags %#x are not known", mine->flags);
    if (mine->fill == NULL)
        return rf_null(err, "table->fill");
    return RAFFLE_OK;
}

raffle_rc rf_rng_make(const char *name, const raffle_rng_table *table, void *ctx, raffle_rng **out, raffle_error *err)
{
    raffle_rng_table copy;
    raffle_rc rc = read_table(&copy, table, err);
    if (rc != RAFFLE_OK)
        return rc;
    raffle_rng *rng = calloc(1, sizeof *rng);
    rf_sha256 *hash = rf_sha256_new();
    rf_health *health = sodium_init() < 0 ? NULL : sodium_malloc(sizeof *health);
    if (rng == NULL || hash == NULL || health == NULL || pthread_mutex_init(&rng->lock, NULL) != 0) {
        sodium_free(health);
        rf_sha256_free(hash);
        free(rng);
        return rf_nomem(err);
    }
    memcpy(rng->name, name, strnlen(name, RAFFLE_NAME_MAX));
    rng->table = copy;
    rng->ctx = ctx;
    rng->pid = getpid();
    atomic_init(&rng->references, 1);
    rng->hash = hash;
    memset(health, 0, sizeof *health);
    rng->health = health;
    *out = rng;
    return RAFFLE_OK;
}

raffle_rc raffle_rng_new(const char *name, const raffle_rng_table *table, void *ctx, raffle_rng **out,
                         raffle_error *err)
{
    if (name == NULL)
        return rf_null(err, "name");
    if (out == NULL)
        return rf_null(err, "out");
    const size_t prefix = sizeof host_prefix - 1;
    if (strncmp(name, host_prefix, prefix) != 0)
        return rf_fail(err, RAFFLE_INVALID, "the name \"%s\" does not begin with \"host:\"", name);
    if (!rf_word_valid(name + prefix, strlen(name + prefix), WORD_MAX))
        return rf_fail(err, RAFFLE_INVALID, "the name \"%s\" is not \"host:\" and a word of 1 to %d bytes", name,
                       WORD_MAX);
    return rf_rng_make(name, table, ctx, out, err);
}

static bool after_prefix(const char *uri, const char *prefix, const char **rest)
{
    size_t length = strlen(prefix);
    *rest = uri + length;
    return strncmp(uri, prefix, length) == 0;
}

static raffle_rc open_builtin(const char *uri, const raffle_host *host, raffle_rng **out, raffle_error *err)
{
    (void)host; /* a build may leave out those that need it */
    const char *rest;
    if (after_prefix(uri, "system:", &rest))
        return rf_rng_system(rest, out, err);
    if (after_prefix(uri, "test:", &rest))
        return rf_rng_test(rest, out, err);
#ifdef RAFFLE_WITH_KMS
    if (after_prefix(uri, "kms:", &rest))
        return rf_rng_kms(rest, host, out, err);
#endif
#ifdef RAFFLE_WITH_PKCS11
    if (after_prefix(uri, "pkcs11:", &rest))
        return rf_rng_pkcs11(uri, host, out, err);
#endif
    /* Only the scheme is named: what follows may hold a PIN. */
    size_t scheme = strcspn(uri, ":");
    if (uri[scheme] != ':' || scheme > WORD_MAX)
        return rf_fail(err, RAFFLE_INVALID, "the provider's URI has no scheme such as \"system:\"");
    return rf_fail(err, RAFFLE_UNSUPPORTED, "there is no provider \"%.*s:\" in this build", (int)scheme, uri);
}

raffle_rc raffle_rng_open(const char *uri, const raffle_host *host, raffle_rng **out, raffle_error *err)
{
    if (uri == NULL)
        return rf_null(err, "uri");
    if (out == NULL)
        return rf_null(err, "out");
    raffle_host copy;
    raffle_rng *rng;
    raffle_rc rc = rf_host_in(&copy, host, err);
    if (rc == RAFFLE_OK)
        rc = open_builtin(uri, &copy, &rng, err);
    if (rc != RAFFLE_OK)
        return rc;
    rng->host = copy;
    *out = rng;
    return RAFFLE_OK;
}

raffle_rng *rf_rng_ref(raffle_rng *rng)
{
    atomic_fetch_add_explicit(&rng->references, 1, memory_order_relaxed);
    return rng;
}

/* In a forked child the table, the host and the lock are the parent's; only what is remembered of the last seed is wiped. */
void raffle_rng_free(raffle_rng *rng)
{
    if (rng == NULL)
        return;
    if (rng->pid != getpid()) {
        sodium_memzero(rng->last_seed, sizeof rng->last_seed);
        sodium_memzero(rng->health, sizeof *rng->health);
        return;
    }
    if (atomic_fetch_sub_explicit(&rng->references, 1, memory_order_acq_rel) != 1)
        return;
    if (rng->table.free != NULL)
        rng->table.free(rng->ctx);
    if (rng->host.release != NULL)
        rng->host.release(rng->host.ctx);
    pthread_mutex_destroy(&rng->lock);
    rf_sha256_free(rng->hash);
    sodium_free(rng->health); /* wipes it */
    sodium_memzero(rng, sizeof *rng);
    free(rng);
}

const char *raffle_rng_name(const raffle_rng *rng)
{
    return rng == NULL ? NULL : rng->name;
}

uint8_t rf_rng_is_test(const raffle_rng *rng)
{
    return strcmp(rng->name, "test") == 0;
}

/* --- entering: the process that made the handle, and not from its own callback --- */

static bool is_inside(const raffle_rng *rng, pthread_t thread)
{
    for (const caller *c = rng->callers; c != NULL; c = c->next) {
        if (pthread_equal(c->thread, thread))
            return true;
    }
    return false;
}

static raffle_rc enter(raffle_rng *rng, caller *self, raffle_error *err)
{
    /* Before the lock, which another thread of the parent may have held. */
    if (getpid() != rng->pid)
        return rf_fail(err, RAFFLE_FORKED, "the provider \"%s\" was opened by process %ld, before fork()", rng->name,
                       (long)rng->pid);
    self->thread = pthread_self();
    pthread_mutex_lock(&rng->lock);
    bool inside = is_inside(rng, self->thread);
    if (!inside) {
        self->next = rng->callers;
        rng->callers = self;
    }
    pthread_mutex_unlock(&rng->lock);
    if (inside)
        return rf_fail(err, RAFFLE_MISUSE, "the provider \"%s\" is called from its own callback", rng->name);
    return RAFFLE_OK;
}

static void leave(raffle_rng *rng, const caller *self)
{
    pthread_mutex_lock(&rng->lock);
    caller **link = &rng->callers;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    pthread_mutex_unlock(&rng->lock);
}

/* --- health: a test that failed fails every later call on the handle --- */

typedef bool (*health_check)(rf_health *h, const uint8_t *bytes, size_t n);

/* `check` over what came; NULL: only whether a test failed before. */
static raffle_rc judge(raffle_rng *rng, health_check check, const uint8_t *bytes, size_t n, raffle_error *err)
{
    rf_health_fault fault;
    pthread_mutex_lock(&rng->lock);
    if (check != NULL)
        (void)check(rng->health, bytes, n);
    const bool failed = rf_health_failed(rng->health, &fault);
    pthread_mutex_unlock(&rng->lock);
    if (!failed)
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_RNG_UNHEALTHY, "the provider \"%s\" failed the %s test: %u equal %s, cut-off %u",
                   rng->name, fault.test, fault.cutoff, fault.counted, fault.cutoff);
}

bool rf_rng_unhealthy(raffle_rng *rng)
{
    return judge(rng, NULL, NULL, 0, NULL) != RAFFLE_OK;
}

/* --- filling --- */

/* The statuses that a provider may fail with; others become RAFFLE_RNG, and those that this library does not know RAFFLE_HOST. */
static raffle_rc provider_status(raffle_rc rc)
{
    if (rc == RAFFLE_RNG || rc == RAFFLE_HOST || rc == RAFFLE_TIMEOUT)
        return rc;
    return strcmp(raffle_rc_name(rc), "RAFFLE_?") == 0 ? RAFFLE_HOST : RAFFLE_RNG;
}

static raffle_rc check_evidence(const raffle_rng *rng, const char evidence[RAFFLE_NAME_SIZE], raffle_error *err)
{
    const size_t length = strnlen(evidence, RAFFLE_NAME_SIZE);
    for (size_t i = 0; i < length; i++)
        if (evidence[i] < ' ' || evidence[i] > '~')
            return rf_fail(err, RAFFLE_HOST, "the evidence of the provider \"%s\" is not printable ASCII", rng->name);
    if (length > RAFFLE_NAME_MAX)
        return rf_fail(err, RAFFLE_HOST, "the evidence of the provider \"%s\" has more than %d bytes", rng->name,
                       RAFFLE_NAME_MAX);
    return RAFFLE_OK;
}

static raffle_rc fill_once(raffle_rng *rng, uint8_t *out, size_t length, char evidence[RAFFLE_NAME_SIZE],
                           int32_t timeout_ms, raffle_error *err)
{
    raffle_error theirs;
    size_t filled = 0;
    raffle_error_init(&theirs, sizeof theirs);
    memset(evidence, 0, RAFFLE_NAME_SIZE);
    raffle_rc rc = rng->table.fill(rng->ctx, out, length, &filled, evidence, timeout_ms, &theirs);
    if (rc == RAFFLE_OK && filled == length)
        return check_evidence(rng, evidence, err);
    if (rc == RAFFLE_OK)
        return rf_fail(err, RAFFLE_RNG, "the provider \"%s\" gave %zu bytes of %zu", rng->name, filled, length);
    const uint64_t token = theirs.token;
    theirs.struct_size = sizeof theirs; /* it may have cleared all of it */
    theirs.message[sizeof theirs.message - 1] = '\0';
    if (theirs.message[0] == '\0')
        rf_fail_at(&theirs, rc, theirs.detail, "the provider \"%s\" failed with status %d", rng->name, rc);
    theirs.token = token;
    theirs.rc = provider_status(rc);
    return rf_fail_as(err, &theirs);
}

/* What is left of the time, at least 0; negative means no limit and stays so. */
static int32_t time_left(int32_t timeout_ms, int64_t started)
{
    if (timeout_ms <= 0)
        return timeout_ms;
    int64_t passed = rf_clock_monotonic() - started;
    return passed >= timeout_ms ? 0 : (int32_t)(timeout_ms - passed);
}

/* --- the start-up test --- */

/* What it reads is thrown away. */
static raffle_rc start_up(raffle_rng *rng, int32_t timeout_ms, raffle_error *err)
{
    uint8_t bytes[RF_HEALTH_START_UP];
    char evidence[RAFFLE_NAME_SIZE];
    raffle_rc rc = fill_once(rng, bytes, sizeof bytes, evidence, timeout_ms, err);
    if (rc == RAFFLE_OK)
        rc = judge(rng, rf_health_start_up, bytes, sizeof bytes, err);
    sodium_memzero(bytes, sizeof bytes);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_mutex_lock(&rng->lock);
    rng->started = true;
    pthread_mutex_unlock(&rng->lock);
    return RAFFLE_OK;
}

/* Not of `test:`, whose stream is published from its first byte and is known to be well. Threads that are first together each make it. */
static raffle_rc start_up_once(raffle_rng *rng, int32_t timeout_ms, raffle_error *err)
{
    pthread_mutex_lock(&rng->lock);
    const bool started = rng->started;
    pthread_mutex_unlock(&rng->lock);
    return started || rf_rng_is_test(rng) ? RAFFLE_OK : start_up(rng, timeout_ms, err);
}

raffle_rc raffle_rng_test(raffle_rng *rng, int32_t timeout_ms, raffle_error *err)
{
    caller self;
    if (rng == NULL)
        return rf_null(err, "rng");
    raffle_rc rc = enter(rng, &self, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = judge(rng, NULL, NULL, 0, err);
    if (rc == RAFFLE_OK)
        rc = start_up(rng, timeout_ms, err);
    leave(rng, &self);
    return rc;
}

/* --- a whole fill --- */

/* One call of the provider, of the next part. */
static raffle_rc fill_part(raffle_rng *rng, uint8_t *out, size_t length, char evidence[RAFFLE_NAME_SIZE],
                           int32_t timeout_ms, raffle_error *err)
{
    raffle_rc rc = fill_once(rng, out, length, evidence, timeout_ms, err);
    return rc == RAFFLE_OK ? judge(rng, rf_health_feed, out, length, err) : rc;
}

static raffle_rc fill_inside(raffle_rng *rng, uint8_t *out, size_t length, char evidence[RAFFLE_NAME_SIZE],
                             int32_t timeout_ms, raffle_error *err)
{
    const int64_t started = rf_clock_monotonic();
    raffle_rc rc = judge(rng, NULL, NULL, 0, err);
    if (rc == RAFFLE_OK && length > 0)
        rc = start_up_once(rng, timeout_ms, err);
    for (size_t done = 0; rc == RAFFLE_OK && done < length;) {
        size_t part = length - done < RF_RNG_CALL_MAX ? length - done : RF_RNG_CALL_MAX;
        int32_t left = time_left(timeout_ms, started);
        if (timeout_ms > 0 && left == 0)
            return rf_fail(err, RAFFLE_TIMEOUT, "the provider \"%s\" gave %zu bytes of %zu in %d ms", rng->name, done,
                           length, timeout_ms);
        rc = fill_part(rng, out + done, part, evidence, left, err);
        done += part;
    }
    return rc;
}

/* `evidence` is that of the last of its calls. */
static raffle_rc fill(raffle_rng *rng, uint8_t *out, size_t length, char evidence[RAFFLE_NAME_SIZE], int32_t timeout_ms,
                      raffle_error *err)
{
    caller self;
    raffle_rc rc = enter(rng, &self, err);
    if (rc == RAFFLE_OK) {
        rc = fill_inside(rng, out, length, evidence, timeout_ms, err);
        leave(rng, &self);
    }
    if (rc != RAFFLE_OK && length > 0)
        sodium_memzero(out, length);
    return rc;
}

raffle_rc raffle_rng_fill(raffle_rng *rng, uint8_t *out, size_t length, int32_t timeout_ms, raffle_error *err)
{
    char evidence[RAFFLE_NAME_SIZE] = "";
    if (rng == NULL)
        return rf_null(err, "rng");
    if (out == NULL && length > 0)
        return rf_null(err, "out");
    return fill(rng, out, length, evidence, timeout_ms, err);
}

/* --- the seed of a draw --- */

/* Remembers the seed's hash; false when it is the one that is remembered. */
static bool remember(raffle_rng *rng, const uint8_t seed[RF_SEED_SIZE], bool *hashed)
{
    uint8_t digest[32];
    pthread_mutex_lock(&rng->lock);
    rf_sha256_of(rng->hash, digest, seed, RF_SEED_SIZE);
    *hashed = rf_sha256_ok(rng->hash);
    bool again = rng->seeded && sodium_memcmp(digest, rng->last_seed, sizeof digest) == 0;
    memcpy(rng->last_seed, digest, sizeof digest);
    rng->seeded = true;
    pthread_mutex_unlock(&rng->lock);
    return !again;
}

static raffle_rc check_new(raffle_rng *rng, const uint8_t seed[RF_SEED_SIZE], raffle_error *err)
{
    bool hashed;
    bool fresh = remember(rng, seed, &hashed);
    if (!hashed)
        return rf_fail(err, RAFFLE_RNG, "SHA-256 failed in the cryptographic library");
    if (!fresh)
        return rf_fail(err, RAFFLE_RNG_SEED, "the provider \"%s\" gave its last seed again", rng->name);
    return RAFFLE_OK;
}

raffle_rc rf_rng_seed(raffle_rng *rng, uint8_t seed[RF_SEED_SIZE], char evidence[RAFFLE_NAME_SIZE], int32_t timeout_ms,
                      raffle_error *err)
{
    raffle_rc rc = fill(rng, seed, RF_SEED_SIZE, evidence, timeout_ms, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = judge(rng, rf_health_seed, seed, RF_SEED_SIZE, err);
    if (rc == RAFFLE_OK)
        rc = check_new(rng, seed, err);
    if (rc != RAFFLE_OK)
        sodium_memzero(seed, RF_SEED_SIZE);
    return rc;
}

raffle_rc raffle_seed_commitment(const uint8_t seed[RF_SEED_SIZE], uint8_t commitment[32], raffle_error *err)
{
    if (seed == NULL || commitment == NULL)
        return rf_null(err, seed == NULL ? "seed" : "commitment");
    rf_sha256 *hash = rf_sha256_new();
    if (hash == NULL)
        return rf_nomem(err);
    rf_seed_commitment(hash, commitment, seed);
    const bool hashed = rf_sha256_ok(hash);
    rf_sha256_free(hash);
    return hashed ? RAFFLE_OK : rf_fail(err, RAFFLE_RNG, "SHA-256 failed in the cryptographic library");
}

raffle_rc raffle_rng_seed(raffle_rng *rng, uint8_t seed[RF_SEED_SIZE], uint8_t commitment[32],
                          char evidence[RAFFLE_NAME_SIZE], int32_t timeout_ms, raffle_error *err)
{
    if (rng == NULL)
        return rf_null(err, "rng");
    if (seed == NULL || commitment == NULL || evidence == NULL)
        return rf_null(err, seed == NULL ? "seed" : commitment == NULL ? "commitment" : "evidence");
    raffle_rc rc = rf_rng_seed(rng, seed, evidence, timeout_ms, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = raffle_seed_commitment(seed, commitment, err);
    if (rc != RAFFLE_OK)
        sodium_memzero(seed, RF_SEED_SIZE);
    return rc;
}
