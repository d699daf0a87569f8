/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions of a token: opened read-write, since CloudHSM takes no others, kept while anybody uses the token, and opened again when they are lost. */
#include "pkcs11_session.h"

#include "error.h"
#include "pkcs11_names.h"
#include "pkcs11_pin.h"
#include "timestamp.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SESSIONS = 8, /* of one token; a caller that finds them all in use waits */
    DOOMED = 2 * SESSIONS,
    OPEN_MS = 10000 /* what raffle_host.timeout_ms stands for by default */
};

/* Sessions of an older generation than their pool were opened before one was lost. */
typedef struct session {
    CK_SESSION_HANDLE handle;
    unsigned generation;
} session;

struct rf_p11_pool {
    struct rf_p11_pool *next; /* these two under the lock of the process */
    unsigned references;
    rf_p11_process *process;
    CK_FUNCTION_LIST *module;
    rf_p11_token token;
    pthread_mutex_t lock; /* over what follows; never held over the module */
    pthread_cond_t changed;
    session idle[SESSIONS];
    size_t idle_count;
    size_t open_count; /* idle ones, and those that are in use */
    CK_SESSION_HANDLE doomed[DOOMED];
    size_t doomed_count; /* to be closed by who connects next, before it opens another that may get the same number */
    unsigned generation;
    bool connecting; /* a thread is opening a session: C_Login is called by one */
    bool logged_in;
    CK_RV refused;   /* what C_Login said of the PIN, which is not tried again: that would lock the token */
    rf_p11_pin *pin; /* not replaced while `connecting` */
    /* Of the thread that is connecting. */
    rf_p11_place place;
    unsigned place_generation;
};

/* --- time --- */

int64_t rf_p11_deadline(int32_t timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : rf_clock_monotonic() + timeout_ms;
}

/* Waits for a change with the lock held; false when the time is up. */
static bool wait_for_change(rf_p11_pool *pool, int64_t deadline)
{
    struct timespec until;
    if (deadline == INT64_MAX)
        return pthread_cond_wait(&pool->changed, &pool->lock) == 0;
    const int64_t left = deadline - rf_clock_monotonic();
    if (left <= 0)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(left / 1000);
    until.tv_nsec += (long)(left % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
    return true;
}

/* --- a session's life --- */

/* Those that say that the session, or the login, is gone, and not that what was asked for failed. */
static bool is_lost(CK_RV rv)
{
    return rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED || rv == CKR_USER_NOT_LOGGED_IN ||
           rv == CKR_DEVICE_REMOVED || rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_SLOT_ID_INVALID;
}

static bool is_about_pin(CK_RV rv)
{
    return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_EXPIRED ||
           rv == CKR_PIN_LOCKED || rv == CKR_USER_PIN_NOT_INITIALIZED;
}

static void doom(rf_p11_pool *pool, CK_SESSION_HANDLE handle)
{
    if (pool->doomed_count < DOOMED)
        pool->doomed[pool->doomed_count++] = handle;
}

/* A new generation: what is idle is of the old one. With the lock held. */
static void begin_generation(rf_p11_pool *pool)
{
    for (size_t i = 0; i < pool->idle_count; i++)
        doom(pool, pool->idle[i].handle);
    pool->open_count -= pool->idle_count;
    pool->idle_count = 0;
    pool->logged_in = false;
    pool->generation++;
}

static void give_back(rf_p11_pool *pool, session s)
{
    pthread_mutex_lock(&pool->lock);
    if (s.generation == pool->generation) {
        pool->idle[pool->idle_count++] = s;
    } else {
        doom(pool, s.handle);
        pool->open_count--;
    }
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

/* The first loss of a generation ends it. Later the number of a session that is gone may be that of a new one, which must not be closed. */
static void lose(rf_p11_pool *pool, session s, CK_RV rv)
{
    pthread_mutex_lock(&pool->lock);
    pool->open_count--;
    if (s.generation == pool->generation || rv == CKR_USER_NOT_LOGGED_IN)
        doom(pool, s.handle);
    if (s.generation == pool->generation)
        begin_generation(pool);
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

/* Closes a session that is stuck in an operation, and would stay so. With the last one the token forgets the login. */
static void discard(rf_p11_pool *pool, session s)
{
    pool->module->C_CloseSession(s.handle);
    pthread_mutex_lock(&pool->lock);
    pool->open_count--;
    pool->logged_in = pool->logged_in && pool->open_count > 0;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

/* What becomes of a session after its work. */
static void put_away(rf_p11_pool *pool, session s, CK_RV rv)
{
    if (is_lost(rv))
        lose(pool, s, rv);
    else if (rv == CKR_OPERATION_ACTIVE)
        discard(pool, s);
    else
        give_back(pool, s);
}

/* --- opening one --- */

/* What the thread that connects goes by. */
typedef struct connection {
    CK_SESSION_HANDLE doomed[DOOMED];
    size_t doomed_count;
    unsigned generation;
    bool login;
    CK_RV refused;
    CK_SESSION_HANDLE session;
} connection;

static bool wants_login(const rf_p11_pool *pool)
{
    return pool->pin != NULL || (pool->token.flags & CKF_LOGIN_REQUIRED) != 0;
}

static void begin_connecting(rf_p11_pool *pool, connection *c)
{
    pool->connecting = true;
    pool->open_count++;
    memcpy(c->doomed, pool->doomed, sizeof c->doomed);
    c->doomed_count = pool->doomed_count;
    pool->doomed_count = 0;
    c->generation = pool->generation;
    c->login = !pool->logged_in && wants_login(pool);
    c->refused = pool->refused;
}

static void end_connecting(rf_p11_pool *pool, const connection *c, CK_RV rv, bool about_pin)
{
    pool->connecting = false;
    if (rv == CKR_OK)
        pool->logged_in = pool->logged_in || (c->login && c->generation == pool->generation);
    else
        pool->open_count--;
    if (about_pin)
        pool->refused = rv;
    if (is_lost(rv) && c->generation == pool->generation)
        begin_generation(pool);
    pthread_cond_broadcast(&pool->changed);
}

/* A token with a keypad of its own takes NULL. */
static CK_RV login(rf_p11_pool *pool, CK_SESSION_HANDLE handle)
{
    CK_UTF8CHAR *pin = pool->pin == NULL ? NULL : pool->pin->bytes;
    const CK_ULONG length = pool->pin == NULL ? 0 : pool->pin->length;
    const CK_RV rv = pool->module->C_Login(handle, CKU_USER, pin, length);
    return rv == CKR_USER_ALREADY_LOGGED_IN ? CKR_OK : rv;
}

static CK_RV connect_session(rf_p11_pool *pool, connection *c, rf_p11_call *call)
{
    CK_FUNCTION_LIST *module = pool->module;
    CK_RV rv = CKR_OK;
    for (size_t i = 0; i < c->doomed_count; i++)
        module->C_CloseSession(c->doomed[i]);
    call->function = "C_Login";
    if (c->login && c->refused != CKR_OK)
        return c->refused;
    if (pool->place_generation != c->generation)
        rv = rf_p11_find_again(&pool->place, &call->function);
    if (rv != CKR_OK)
        return rv;
    pool->place_generation = c->generation;
    call->function = "C_OpenSession";
    rv = module->C_OpenSession(pool->place.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &c->session);
    if (rv != CKR_OK || !c->login)
        return rv;
    call->function = "C_Login";
    rv = login(pool, c->session);
    if (rv != CKR_OK)
        module->C_CloseSession(c->session);
    return rv;
}

/* With the lock held, which it lets go of. */
static CK_RV connect(rf_p11_pool *pool, rf_p11_call *call, session *out)
{
    connection c = {0};
    begin_connecting(pool, &c);
    pthread_mutex_unlock(&pool->lock);
    const CK_RV rv = connect_session(pool, &c, call);
    const bool about_pin = c.login && is_about_pin(rv);
    pthread_mutex_lock(&pool->lock);
    end_connecting(pool, &c, rv, about_pin);
    *out = (session){c.session, c.generation};
    return rv;
}

/* False when the time is up. `*rv` is that of connecting, when that was needed. */
static bool take(rf_p11_pool *pool, rf_p11_call *call, session *out, int64_t deadline, CK_RV *rv)
{
    bool taken = true;
    *rv = CKR_OK;
    pthread_mutex_lock(&pool->lock);
    while (taken && pool->idle_count == 0 && (pool->connecting || pool->open_count >= SESSIONS))
        taken = wait_for_change(pool, deadline);
    if (taken && pool->idle_count > 0)
        *out = pool->idle[--pool->idle_count];
    else if (taken)
        *rv = connect(pool, call, out);
    pthread_mutex_unlock(&pool->lock);
    call->session = out->handle;
    return taken;
}

/* --- running --- */

static raffle_rc fail_call(const rf_p11_pool *pool, const rf_p11_call *call, CK_RV rv, raffle_rc fault,
                           raffle_error *err)
{
    char name[RF_P11_RV_SIZE];
    return rf_fail(err, fault, "the token \"%s\": %s gave %s", pool->token.label, call->function,
                   rf_p11_rv_name(rv, name));
}

static raffle_rc fail_late(const rf_p11_pool *pool, raffle_error *err)
{
    return rf_fail(err, RAFFLE_TIMEOUT, "the token \"%s\": none of its %d sessions was free in time", pool->token.label,
                   (int)SESSIONS);
}

raffle_rc rf_p11_run(rf_p11_pool *pool, rf_p11_work work, void *ctx, int64_t deadline, raffle_rc fault,
                     raffle_error *err)
{
    for (int attempt = 1;; attempt++) {
        rf_p11_call call = {.module = pool->module, .function = ""};
        session s = {0};
        CK_RV rv;
        if (!take(pool, &call, &s, deadline, &rv))
            return fail_late(pool, err);
        if (rv == CKR_OK) {
            rv = work(&call, ctx);
            put_away(pool, s, rv);
        }
        if (rv == CKR_OK)
            return RAFFLE_OK;
        if (!is_lost(rv) || attempt == 2)
            return fail_call(pool, &call, rv, fault, err);
    }
}

/* --- pools --- */

static void destroy(rf_p11_pool *pool)
{
    CK_FUNCTION_LIST *module = pool->module;
    for (size_t i = 0; i < pool->idle_count; i++)
        module->C_CloseSession(pool->idle[i].handle);
    for (size_t i = 0; i < pool->doomed_count; i++)
        module->C_CloseSession(pool->doomed[i]);
    rf_p11_pin_free(pool->pin);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static rf_p11_pool *make_pool(rf_p11_process *process, const rf_p11_place *place)
{
    pthread_condattr_t clock;
    rf_p11_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL || pthread_mutex_init(&pool->lock, NULL) != 0) {
        free(pool);
        return NULL;
    }
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->changed, &clock);
    pthread_condattr_destroy(&clock);
    pool->process = process;
    pool->module = place->module;
    pool->token = place->token;
    pool->place = *place;
    pool->next = process->pools;
    process->pools = pool;
    return pool;
}

static rf_p11_pool *pool_of(rf_p11_process *process, const rf_p11_place *place)
{
    pthread_mutex_lock(&process->lock);
    rf_p11_pool *pool = process->pools;
    while (pool != NULL && !(pool->module == place->module && rf_p11_same_token(&pool->token, &place->token)))
        pool = pool->next;
    if (pool == NULL)
        pool = make_pool(process, place);
    if (pool != NULL)
        pool->references++;
    pthread_mutex_unlock(&process->lock);
    return pool;
}

/* A child leaves the parent's pool as it is: its lock may be held by a thread that the child has not, and its sessions are the parent's. */
void rf_p11_close(rf_p11_pool *pool)
{
    if (pool == NULL || pool->process->pid != getpid())
        return;
    rf_p11_process *process = pool->process;
    pthread_mutex_lock(&process->lock);
    const bool last = --pool->references == 0;
    for (rf_p11_pool **link = &process->pools; last && *link != NULL; link = &(*link)->next) {
        if (*link == pool) {
            *link = pool->next;
            break;
        }
    }
    pthread_mutex_unlock(&process->lock);
    if (last)
        destroy(pool);
}

const rf_p11_token *rf_p11_token_of(const rf_p11_pool *pool)
{
    return &pool->token;
}

/* --- the PIN --- */

static bool same_pin(const rf_p11_pin *a, const rf_p11_pin *b)
{
    return a->length == b->length && sodium_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* Takes the PIN over. A PIN that the token accepted stays the process's; one that it refused makes room. */
static raffle_rc adopt(rf_p11_pool *pool, rf_p11_pin *pin, int64_t deadline, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    pthread_mutex_lock(&pool->lock);
    while (rc == RAFFLE_OK && pool->connecting) {
        if (!wait_for_change(pool, deadline))
            rc =
                rf_fail(err, RAFFLE_TIMEOUT, "the token \"%s\": another thread is still logging in", pool->token.label);
    }
    if (rc == RAFFLE_OK && (pool->pin == NULL || pool->refused != CKR_OK)) {
        rf_p11_pin *before = pool->pin;
        pool->pin = pin;
        pin = before;
        pool->refused = CKR_OK;
        begin_generation(pool);
    } else if (rc == RAFFLE_OK && !same_pin(pool->pin, pin)) {
        rc = rf_fail(err, RAFFLE_MISMATCH, "the token \"%s\" is in use in this process with another PIN",
                     pool->token.label);
    }
    pthread_mutex_unlock(&pool->lock);
    rf_p11_pin_free(pin);
    return rc;
}

static bool has_pin(rf_p11_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    const bool has = pool->pin != NULL && pool->refused == CKR_OK;
    pthread_mutex_unlock(&pool->lock);
    return has;
}

/* Who gives no PIN shares the login that there is; else the host is asked, with no lock held. */
static raffle_rc provide_pin(rf_p11_pool *pool, rf_p11_uri *uri, rf_p11_pin *pin, const raffle_host *host,
                             int64_t deadline, raffle_rc fault, raffle_error *err)
{
    const CK_FLAGS flags = pool->token.flags;
    if (pin == NULL && (has_pin(pool) || (flags & CKF_LOGIN_REQUIRED) == 0))
        return RAFFLE_OK;
    raffle_rc rc = RAFFLE_OK;
    if (pin == NULL)
        rc = rf_p11_pin_ask(uri, host, &pin, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (pin != NULL)
        return adopt(pool, pin, deadline, err);
    if ((flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0)
        return RAFFLE_OK;
    return rf_fail(err, fault,
                   "the token \"%s\" demands a login, and neither pin-source nor pin-value nor the host gives a PIN",
                   pool->token.label);
}

/* --- opening a token --- */

static CK_RV nothing(rf_p11_call *call, void *ctx)
{
    (void)call;
    (void)ctx;
    return CKR_OK;
}

static raffle_rc open_token(rf_p11_process *process, rf_p11_uri *uri, rf_p11_pin *pin, const raffle_host *host,
                            raffle_rc fault, rf_p11_pool **out, raffle_error *err)
{
    const int32_t timeout_ms = host == NULL || host->timeout_ms == 0 ? OPEN_MS : host->timeout_ms;
    const int64_t deadline = rf_p11_deadline(timeout_ms);
    rf_p11_place place;
    raffle_rc rc = rf_p11_find(process, uri, &place, fault, err);
    rf_p11_pool *pool = rc == RAFFLE_OK ? pool_of(process, &place) : NULL;
    if (pool == NULL) {
        rf_p11_pin_free(pin);
        return rc == RAFFLE_OK ? rf_nomem(err) : rc;
    }
    rc = provide_pin(pool, uri, pin, host, deadline, fault, err);
    if (rc == RAFFLE_OK)
        rc = rf_p11_run(pool, nothing, NULL, deadline, fault, err);
    if (rc == RAFFLE_OK)
        *out = pool;
    else
        rf_p11_close(pool);
    return rc;
}

raffle_rc rf_p11_open(const char *uri, const raffle_host *host, raffle_rc fault, rf_p11_pool **out, raffle_error *err)
{
    rf_p11_uri parsed;
    rf_p11_pin *pin = NULL;
    rf_p11_process *process = rf_p11_process_here();
    raffle_rc rc = rf_p11_uri_parse(&parsed, uri, err);
    if (rc == RAFFLE_OK && process == NULL)
        rc = rf_nomem(err);
    if (rc == RAFFLE_OK)
        rc = rf_p11_pin_given(&parsed, &pin, err);
    if (rc == RAFFLE_OK)
        rc = open_token(process, &parsed, pin, host, fault, out, err);
    rf_p11_uri_clear(&parsed);
    return rc;
}
