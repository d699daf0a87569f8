/* SPDX-License-Identifier: Apache-2.0 */
/* The provider pkcs11: over the mock module: which token, which PIN, what each failure becomes, lost sessions, one login, threads, fork. */
#include "pkcs11_mock.h"
#include "pkcs11_session.h"
#include "provider.h"
#include "vectors.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOGIN = CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED
};
#define PIN_ENCODED "crypto_user:s3cret/%26?"

static mock_control *mock;
static char uri_text[4096];

static const char *module_path(void)
{
    const char *path = getenv("RAFFLE_PKCS11_MOCK");
    ck_assert_msg(path != NULL, "RAFFLE_PKCS11_MOCK must name the mock module");
    return path;
}

/* "pkcs11:<path>?module-path=<mock><query>". */
static const char *uri_of(const char *path, const char *query)
{
    snprintf(uri_text, sizeof uri_text, "pkcs11:%s?module-path=%s%s", path, module_path(), query);
    return uri_text;
}

static const char *alpha(void)
{
    return uri_of("token=alpha", "&pin-value=" PIN_ENCODED);
}

static void reset(void)
{
    if (mock == NULL) {
        void *library = dlopen(module_path(), RTLD_NOW);
        ck_assert_msg(library != NULL, "%s", dlerror());
        mock_control_function control;
        *(void **)&control = dlsym(library, MOCK_CONTROL_NAME);
        ck_assert(control != NULL);
        mock = control();
    }
    const mock_token tokens[MOCK_TOKENS] = {
        {"alpha", "A1", LOGIN, true}, {"twin", "T1", LOGIN, true}, {"twin", "T2", 0, true}};
    memcpy(mock->token, tokens, sizeof tokens);
    mock->first_slot = 7;
    mock->failing = MOCK_NONE;
    mock->skip = 0;
    mock->times = 0;
    mock->output = MOCK_GOOD;
    mock->pin = MOCK_PIN;
    mock->logins = mock->good_logins = mock->opened = mock->closed = mock->generated = mock->largest = 0;
    ck_assert_int_eq(mock->sessions, 0);
}

static void fail_with(mock_function function, CK_RV rv, int skip, int times)
{
    mock->rv = rv;
    mock->skip = skip;
    mock->times = times;
    mock->failing = function;
}

static void assert_silent(const raffle_error *err)
{
    ck_assert_msg(strstr(err->message, "s3cret") == NULL, "%s", err->message);
}

static void assert_says(const raffle_error *err, const char *a, const char *b)
{
    ck_assert_msg(strstr(err->message, a) != NULL, "\"%s\" does not say \"%s\"", err->message, a);
    ck_assert_msg(strstr(err->message, b) != NULL, "\"%s\" does not say \"%s\"", err->message, b);
    assert_silent(err);
}

static raffle_rng *opened(const char *uri)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rng *rng = NULL;
    ck_assert_msg(raffle_rng_open(uri, NULL, &rng, &err) == RAFFLE_OK, "%s", err.message);
    return rng;
}

static void refused_by(const char *uri, const raffle_host *host, raffle_rc rc, const char *a, const char *b)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rng *rng = NULL;
    const raffle_rc got = raffle_rng_open(uri, host, &rng, &err);
    ck_assert_msg(got == rc, "%s: %d, %s", uri, got, err.message);
    ck_assert_ptr_null(rng);
    assert_says(&err, a, b);
    ck_assert_int_eq(mock->sessions, 0);
}

static void refused(const char *uri, raffle_rc rc, const char *a, const char *b)
{
    refused_by(uri, NULL, rc, a, b);
}

static void fills(raffle_rng *rng)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    uint8_t out[48] = {0};
    ck_assert_msg(raffle_rng_fill(rng, out, sizeof out, 10000, &err) == RAFFLE_OK, "%s", err.message);
    ck_assert(memcmp(out, (const uint8_t[48]){0}, sizeof out) != 0);
}

static void fails(raffle_rng *rng, raffle_rc rc, const char *a, const char *b)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    uint8_t out[48];
    memset(out, 0xee, sizeof out);
    const raffle_rc got = raffle_rng_fill(rng, out, sizeof out, 10000, &err);
    ck_assert_msg(got == rc, "%d, %s", got, err.message);
    assert_says(&err, a, b);
    ck_assert(memcmp(out, (const uint8_t[48]){0}, sizeof out) == 0);
}

/* --- the token --- */

START_TEST(good)
{
    uint8_t a[3000], b[3000], seed[RF_SEED_SIZE];
    char evidence[RAFFLE_NAME_SIZE] = "";
    reset();
    raffle_rng *rng = opened(alpha());
    ck_assert_str_eq(raffle_rng_name(rng), "pkcs11:alpha/A1");
    ck_assert_uint_eq(rf_rng_is_test(rng), 0);
    ck_assert_int_eq(raffle_rng_fill(rng, a, sizeof a, 1000, NULL), RAFFLE_OK);
    ck_assert_int_eq(raffle_rng_fill(rng, b, sizeof b, 0, NULL), RAFFLE_OK);
    ck_assert(memcmp(a, b, sizeof a) != 0);
    ck_assert_int_eq(mock->largest, 1024);
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_OK);
    ck_assert_str_eq(evidence, "A1");
    raffle_rng_free(rng);
    ck_assert_int_eq(mock->sessions, 0);
    ck_assert_int_eq(mock->opened, 1);
    ck_assert_int_eq(mock->good_logins, 1);
    ck_assert_int_eq(mock->finalized, 0);
}
END_TEST

START_TEST(which_token)
{
    reset();
    refused(uri_of("token=beta", ""), RAFFLE_NOT_FOUND, "\"beta\"", "\"alpha\" (A1), \"twin\" (T1), \"twin\" (T2)");
    refused(uri_of("token=twin", ""), RAFFLE_INVALID, "2 tokens", "\"twin\" (T1), \"twin\" (T2)");
    refused(uri_of("token=alpha;serial=T1", ""), RAFFLE_NOT_FOUND, "\"alpha\"", "\"T1\"");
    refused(uri_of("token=alpha;model=v9", ""), RAFFLE_NOT_FOUND, "\"alpha\"", "no token");
    refused(uri_of("token=alph", ""), RAFFLE_NOT_FOUND, "\"alph\"", "no token");
    refused(uri_of("slot-id=8", ""), RAFFLE_INVALID, "slot-id", "refused");
    raffle_rng *rng = opened(uri_of("token=twin;serial=T2", ""));
    ck_assert_str_eq(raffle_rng_name(rng), "pkcs11:twin/T2");
    fills(rng);
    ck_assert_int_eq(mock->logins, 0); /* this one demands none */
    raffle_rng_free(rng);
    rng = opened(uri_of("serial=A1;manufacturer=libraffle;model=mock", "&pin-value=" PIN_ENCODED));
    ck_assert_str_eq(raffle_rng_name(rng), "pkcs11:alpha/A1");
    raffle_rng_free(rng);
    for (int i = 0; i < MOCK_TOKENS; i++)
        mock->token[i].present = false;
    refused(uri_of("token=alpha", ""), RAFFLE_NOT_FOUND, "\"alpha\"", "there is none");
}
END_TEST

START_TEST(names)
{
    reset();
    memcpy(mock->token[2].label, "my/raffle: \xc3\xa9", 14);
    memcpy(mock->token[2].serial, "a b", 4);
    raffle_rng *rng = opened(uri_of("serial=a%20b", ""));
    ck_assert_str_eq(raffle_rng_name(rng), "pkcs11:my%2Fraffle%3A %C3%A9/a b");
    raffle_rng_free(rng);
    memset(mock->token[2].label, 'x', 32);
    memcpy(mock->token[2].serial, "0123456789abcdef", 17);
    rng = opened(uri_of("serial=0123456789abcdef", ""));
    ck_assert_str_eq(raffle_rng_name(rng), "pkcs11:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/0123456789abcdef");
    raffle_rng_free(rng);
    memset(mock->token[2].label, '/', 32);
    refused(uri_of("serial=0123456789abcdef", ""), RAFFLE_LIMIT, "%2F", "64");
}
END_TEST

START_TEST(modules)
{
    reset();
    refused("pkcs11:token=alpha?module-path=/no/such.so", RAFFLE_NOT_FOUND, "/no/such.so", "no module");
    refused("pkcs11:token=alpha?module-path=/etc/passwd", RAFFLE_RNG, "/etc/passwd", "load");
    refused("pkcs11:token=alpha?module-name=no-such-module", RAFFLE_NOT_FOUND, "no-such-module", "module-name");
}
END_TEST

/* --- the PIN --- */

typedef struct keeper {
    char asked[4096];
    int calls;
    const char *pin;
    size_t length; /* what it says */
    raffle_rc rc;
} keeper;

static raffle_rc keep_secret(void *ctx, const char *what, uint8_t *out, size_t cap, size_t *length, raffle_error *err)
{
    keeper *k = ctx;
    k->calls++;
    snprintf(k->asked, sizeof k->asked, "%s", what);
    if (k->rc != RAFFLE_OK)
        return raffle_error_set(err, k->rc, 77, "the vault is shut");
    ck_assert_uint_ge(cap, strlen(k->pin));
    memcpy(out, k->pin, strlen(k->pin));
    *length = k->length;
    return RAFFLE_OK;
}

static raffle_host host_of(keeper *k)
{
    raffle_host host = RAFFLE_HOST_INIT;
    host.ctx = k;
    host.secret = keep_secret;
    return host;
}

START_TEST(pin_of_the_host)
{
    char expected[4200];
    reset();
    keeper k = {.pin = MOCK_PIN, .length = strlen(MOCK_PIN)};
    raffle_host host = host_of(&k);
    raffle_rng *rng = NULL;
    ck_assert_int_eq(raffle_rng_open(uri_of("token=alpha", ""), &host, &rng, NULL), RAFFLE_OK);
    snprintf(expected, sizeof expected, "pin:%s", uri_of("token=alpha", ""));
    ck_assert_str_eq(k.asked, expected);
    fills(rng);
    raffle_rng_free(rng);
    ck_assert_int_eq(raffle_rng_open(alpha(), &host, &rng, NULL), RAFFLE_OK);
    raffle_rng_free(rng);
    ck_assert_int_eq(raffle_rng_open(uri_of("serial=T2", ""), &host, &rng, NULL), RAFFLE_OK);
    raffle_rng_free(rng);
    ck_assert_int_eq(k.calls, 1); /* not when the URI has one, and not when none is demanded */
}
END_TEST

START_TEST(pin_that_the_host_does_not_give)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rng *rng = NULL;
    reset();
    keeper k = {.rc = RAFFLE_IO};
    raffle_host host = host_of(&k);
    ck_assert_int_eq(raffle_rng_open(uri_of("token=alpha", ""), &host, &rng, &err), RAFFLE_HOST);
    ck_assert_uint_eq(err.token, 77);
    assert_says(&err, "pin:", "the vault is shut");
    k.rc = RAFFLE_NOT_FOUND;
    refused_by(uri_of("token=alpha", ""), &host, RAFFLE_RNG, "\"alpha\"", "demands a login");
    k = (keeper){.pin = MOCK_PIN, .length = SIZE_MAX};
    refused_by(uri_of("token=alpha", ""), &host, RAFFLE_HOST, "pin:", "255");
    k = (keeper){.pin = MOCK_PIN, .length = 0};
    refused_by(uri_of("token=alpha", ""), &host, RAFFLE_HOST, "pin:", "255");
    refused(uri_of("token=alpha", ""), RAFFLE_RNG, "\"alpha\"", "demands a login");
    ck_assert_int_eq(mock->logins, 0);
}
END_TEST

START_TEST(pins_that_are_wrong)
{
    reset();
    refused(uri_of("token=alpha", "&pin-value=s3cret-but-wrong"), RAFFLE_RNG, "\"alpha\": C_Login",
            "CKR_PIN_INCORRECT");
    ck_assert_int_eq(mock->logins, 1); /* a try is never repeated */
    raffle_rng *rng = opened(alpha());
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rng *other = NULL;
    ck_assert_int_eq(raffle_rng_open(uri_of("token=alpha", "&pin-value=s3cret-but-wrong"), NULL, &other, &err),
                     RAFFLE_MISMATCH);
    assert_says(&err, "\"alpha\"", "another PIN");
    ck_assert_int_eq(mock->logins, 2);
    fills(rng);
    raffle_rng_free(rng);
}
END_TEST

/* The PIN is changed, and the session lost: what the token refused once is not tried again, since that would lock it. */
START_TEST(pin_that_was_changed)
{
    reset();
    raffle_rng *rng = opened(alpha());
    mock->pin = "new s3cret";
    mock->lose_all = true;
    fails(rng, RAFFLE_RNG, "\"alpha\": C_Login", "CKR_PIN_INCORRECT");
    fails(rng, RAFFLE_RNG, "\"alpha\": C_Login", "CKR_PIN_INCORRECT");
    ck_assert_int_eq(mock->logins, 2);
    raffle_rng *again = opened(uri_of("token=alpha", "&pin-value=new%20s3cret"));
    ck_assert_int_eq(mock->logins, 3);
    fills(again);
    fills(rng);
    raffle_rng_free(rng);
    raffle_rng_free(again);
}
END_TEST

static void write_pin(const char *path, const char *bytes, size_t length, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
}

static void file_refused(const char *path, const char *bytes, size_t length, mode_t mode, const char *words)
{
    char query[256];
    write_pin(path, bytes, length, mode);
    snprintf(query, sizeof query, "&pin-source=file:%s", path);
    refused(uri_of("token=alpha", query), RAFFLE_INVALID, "pin-source", words);
}

START_TEST(pin_in_a_file)
{
    char folder[] = "/tmp/raffle-s3cret-XXXXXX", path[64], query[256], much[RF_P11_PIN_MAX + 3];
    reset();
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pin", folder);
    snprintf(query, sizeof query, "&pin-source=%s", path);
    refused(uri_of("token=alpha", query), RAFFLE_NOT_FOUND, "pin-source", "No such file");
    static const char *const forms[] = {MOCK_PIN, MOCK_PIN "\n"};
    for (size_t i = 0; i < 2; i++) {
        write_pin(path, forms[i], strlen(forms[i]), 0400);
        raffle_rng *rng = opened(uri_of("token=alpha", query));
        fills(rng);
        raffle_rng_free(rng);
    }
    file_refused(path, MOCK_PIN, strlen(MOCK_PIN), 0640, "others");
    file_refused(path, MOCK_PIN, strlen(MOCK_PIN), 0604, "others");
    file_refused(path, MOCK_PIN, strlen(MOCK_PIN), 0620, "others");
    file_refused(path, "", 0, 0600, "1 to 255");
    file_refused(path, "\n", 1, 0600, "1 to 255");
    file_refused(path, MOCK_PIN "\r\n", strlen(MOCK_PIN) + 2, 0600, "control");
    file_refused(path, MOCK_PIN "\n\n", strlen(MOCK_PIN) + 2, 0600, "more than one line");
    memset(much, 's', sizeof much);
    file_refused(path, much, RF_P11_PIN_MAX + 1, 0600, "1 to 255");
    file_refused(path, much, sizeof much, 0600, "1 to 255");
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    refused(uri_of("token=alpha", query), RAFFLE_INVALID, "pin-source", "not a file");
    unlink(path);
    rmdir(folder);
    ck_assert_int_eq(mock->logins, 2);
}
END_TEST

START_TEST(pin_of_the_longest)
{
    char longest[RF_P11_PIN_MAX + 1], folder[] = "/tmp/raffle-XXXXXX", path[64], query[256];
    reset();
    memset(longest, 'p', RF_P11_PIN_MAX);
    longest[RF_P11_PIN_MAX] = '\n';
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pin", folder);
    snprintf(query, sizeof query, "&pin-source=%s", path);
    write_pin(path, longest, sizeof longest, 0600);
    longest[RF_P11_PIN_MAX] = '\0';
    mock->pin = longest;
    raffle_rng_free(opened(uri_of("token=alpha", query)));
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(keypad)
{
    reset();
    mock->token[0].flags = LOGIN | CKF_PROTECTED_AUTHENTICATION_PATH;
    raffle_rng *rng = opened(uri_of("token=alpha", ""));
    fills(rng);
    ck_assert_int_eq(mock->good_logins, 1);
    raffle_rng_free(rng);
}
END_TEST

/* --- failures --- */

static const struct {
    CK_RV rv;
    const char *name;
} failures[] = {
    {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR"},
    {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED"},
    {CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE"},
    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR"},
    {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY"},
    {CKR_HOST_MEMORY, "CKR_HOST_MEMORY"},
    {CKR_RANDOM_NO_RNG, "CKR_RANDOM_NO_RNG"},
    {CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED"},
    {CKR_FUNCTION_CANCELED, "CKR_FUNCTION_CANCELED"},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED"},
    {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED"},
    {CKR_FIPS_SELF_TEST_FAILED, "CKR_FIPS_SELF_TEST_FAILED"},
    {CKR_VENDOR_DEFINED + 0x1234, "CKR_VENDOR_DEFINED+0x1234"},
    {0x7777, "CKR 0x7777"},
};

START_TEST(failures_are_said_and_not_tried_again)
{
    reset();
    raffle_rng *rng = opened(alpha());
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        const int before = mock->generated;
        fail_with(MOCK_GENERATE_RANDOM, failures[i].rv, 0, -1);
        fails(rng, RAFFLE_RNG, "\"alpha\": C_GenerateRandom", failures[i].name);
        ck_assert_int_eq(mock->generated, before + 1);
        fail_with(MOCK_NONE, 0, 0, 0);
        fills(rng);
    }
    ck_assert_int_eq(mock->opened,
                     2); /* the session that was left in an operation, CKR_OPERATION_ACTIVE, is replaced */
    ck_assert_int_eq(mock->closed, 1);
    raffle_rng_free(rng);
}
END_TEST

START_TEST(failures_of_opening)
{
    reset();
    fail_with(MOCK_GET_SLOT_LIST, CKR_GENERAL_ERROR, 0, -1);
    refused(alpha(), RAFFLE_RNG, "C_GetSlotList", "CKR_GENERAL_ERROR");
    fail_with(MOCK_GET_TOKEN_INFO, CKR_DEVICE_ERROR, 0, -1);
    refused(alpha(), RAFFLE_RNG, "C_GetTokenInfo", "CKR_DEVICE_ERROR");
    fail_with(MOCK_OPEN_SESSION, CKR_SESSION_COUNT, 0, -1);
    refused(alpha(), RAFFLE_RNG, "\"alpha\": C_OpenSession", "CKR_SESSION_COUNT");
    fail_with(MOCK_OPEN_SESSION, CKR_TOKEN_NOT_RECOGNIZED, 0, -1);
    refused(alpha(), RAFFLE_RNG, "\"alpha\": C_OpenSession", "CKR_TOKEN_NOT_RECOGNIZED");
    fail_with(MOCK_LOGIN, CKR_PIN_LOCKED, 0, -1);
    refused(alpha(), RAFFLE_RNG, "\"alpha\": C_Login", "CKR_PIN_LOCKED");
    fail_with(MOCK_LOGIN, CKR_USER_PIN_NOT_INITIALIZED, 0, -1);
    refused(alpha(), RAFFLE_RNG, "\"alpha\": C_Login", "CKR_USER_PIN_NOT_INITIALIZED");
    fail_with(MOCK_LOGIN, CKR_FUNCTION_FAILED, 0, -1);
    refused(alpha(), RAFFLE_RNG, "\"alpha\": C_Login", "CKR_FUNCTION_FAILED");
    fail_with(MOCK_LOGIN, CKR_USER_ALREADY_LOGGED_IN, 0, -1);
    mock->token[0].flags = 0;
    raffle_rng *rng = opened(alpha()); /* somebody else in this process did it */
    fills(rng);
    raffle_rng_free(rng);
}
END_TEST

START_TEST(failing_initialisation)
{
    reset();
    ck_assert_int_eq(mock->initialized, 0); /* this test is the first: with CK_FORK=no a module stays initialised */
    fail_with(MOCK_INITIALIZE, CKR_GENERAL_ERROR, 0, 1);
    refused(alpha(), RAFFLE_RNG, "C_Initialize", "CKR_GENERAL_ERROR");
    raffle_rng *rng = opened(alpha());
    fills(rng);
    raffle_rng_free(rng);
    ck_assert_int_eq(mock->initialized, 1);
}
END_TEST

START_TEST(what_is_no_randomness)
{
    uint8_t seed[RF_SEED_SIZE];
    char evidence[RAFFLE_NAME_SIZE];
    reset();
    raffle_rng *rng = opened(alpha());
    mock->output = MOCK_SILENT;
    fails(rng, RAFFLE_RNG, "\"alpha\": C_GenerateRandom", "unwritten");
    mock->output = MOCK_SHORT;
    fails(rng, RAFFLE_RNG, "\"alpha\": C_GenerateRandom", "unwritten");
    mock->output = MOCK_STUCK;
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_RNG_UNHEALTHY);
    raffle_rng_free(rng); /* it stays unhealthy */
    mock->output = MOCK_GOOD;
    rng = opened(alpha());
    fills(rng);
    mock->output = MOCK_REPEATED;
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_RNG_SEED);
    mock->output = MOCK_GOOD;
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, -1, NULL), RAFFLE_OK);
    raffle_rng_free(rng);
}
END_TEST

/* --- what was lost --- */

static const CK_RV losses[] = {CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED, CKR_USER_NOT_LOGGED_IN,
                               CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT};

START_TEST(sessions_are_opened_again_once)
{
    reset();
    raffle_rng *rng = opened(alpha());
    fills(rng);
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        const int generated = mock->generated, before = mock->opened;
        fail_with(MOCK_GENERATE_RANDOM, losses[i], 0, 1);
        fills(rng);
        ck_assert_int_eq(mock->generated, generated + 2);
        ck_assert_int_eq(mock->opened, before + 1);
        fail_with(MOCK_GENERATE_RANDOM, losses[i], 0, -1);
        fails(rng, RAFFLE_RNG, "\"alpha\": C_GenerateRandom", "CKR_");
        ck_assert_int_eq(mock->generated, generated + 4);
        fail_with(MOCK_NONE, 0, 0, 0);
        fills(rng);
    }
    raffle_rng_free(rng);
}
END_TEST

START_TEST(everything_is_lost)
{
    reset();
    raffle_rng *rng = opened(alpha());
    fills(rng);
    mock->lose_all = true;
    fills(rng);
    ck_assert_int_eq(mock->good_logins, 2);
    ck_assert_int_eq(mock->sessions, 1);
    mock->lose_all = true;
    fail_with(MOCK_LOGIN, CKR_DEVICE_ERROR, 0, 1);
    fails(rng, RAFFLE_RNG, "\"alpha\": C_Login", "CKR_DEVICE_ERROR");
    fills(rng);
    raffle_rng_free(rng);
    ck_assert_int_eq(mock->sessions, 0);
}
END_TEST

START_TEST(the_token_comes_back_elsewhere)
{
    reset();
    raffle_rng *rng = opened(alpha());
    mock->token[0].present = false;
    mock->lose_all = true;
    fails(rng, RAFFLE_RNG, "\"alpha\"", "CKR_TOKEN_NOT_PRESENT");
    mock->token[0].present = true;
    mock->first_slot = 100;
    fills(rng);
    mock->first_slot = 200;
    mock->lose_all = true;
    fills(rng);
    memcpy(mock->token[0].serial, "A2", 3); /* another token by the same label */
    mock->lose_all = true;
    fails(rng, RAFFLE_RNG, "\"alpha\"", "CKR_TOKEN_NOT_PRESENT");
    raffle_rng_free(rng);
}
END_TEST

/* --- sharing --- */

START_TEST(one_initialisation_and_one_login)
{
    reset();
    raffle_rng *a = opened(alpha());
    raffle_rng *b = opened(uri_of("serial=A1", "")); /* shares the login */
    raffle_rng *other = opened(uri_of("serial=T1", "&pin-value=" PIN_ENCODED));
    fills(a);
    fills(b);
    fills(other);
    ck_assert_int_eq(mock->initialized, 1);
    ck_assert_int_eq(mock->good_logins, 2);
    ck_assert_int_eq(mock->logins, 2);
    ck_assert_int_eq(mock->sessions, 2);
    raffle_rng_free(a);
    fills(b);
    raffle_rng_free(b);
    raffle_rng_free(other);
    ck_assert_int_eq(mock->sessions, 0);
    ck_assert_int_eq(mock->finalized, 0);
    refused(uri_of("serial=A1", ""), RAFFLE_RNG, "\"alpha\"", "demands a login"); /* the PIN went with its last user */
}
END_TEST

enum {
    THREADS = 12,
    ROUNDS = 50
};

static void *use(void *ctx)
{
    uint8_t out[100];
    raffle_rng *mine = NULL;
    for (int i = 0; i < ROUNDS; i++) {
        if (raffle_rng_fill(ctx, out, sizeof out, -1, NULL) != RAFFLE_OK)
            return "a fill failed";
    }
    if (raffle_rng_open(uri_text, NULL, &mine, NULL) != RAFFLE_OK)
        return "opening failed";
    const raffle_rc rc = raffle_rng_fill(mine, out, sizeof out, -1, NULL);
    raffle_rng_free(mine);
    return rc == RAFFLE_OK ? NULL : "a fill of one's own failed";
}

/* More threads than the pool has sessions; the mock fails when two are in one. */
START_TEST(threads)
{
    pthread_t thread[THREADS];
    reset();
    raffle_rng *rng = opened(alpha());
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, use, rng), 0);
    for (int i = 0; i < THREADS; i++) {
        void *fault;
        pthread_join(thread[i], &fault);
        ck_assert_msg(fault == NULL, "%s", (const char *)fault);
    }
    raffle_rng_free(rng);
    ck_assert_int_eq(mock->good_logins, 1);
    ck_assert_int_le(mock->opened, 8);
    ck_assert_int_eq(mock->sessions, 0);
}
END_TEST

static void *open_and_fill(void *ctx)
{
    uint8_t out[16];
    raffle_rng *rng = NULL;
    raffle_rc rc = raffle_rng_open(ctx, NULL, &rng, NULL);
    if (rc == RAFFLE_OK)
        rc = raffle_rng_fill(rng, out, sizeof out, -1, NULL);
    raffle_rng_free(rng);
    return rc == RAFFLE_OK ? NULL : "failed";
}

START_TEST(threads_that_open_together)
{
    pthread_t thread[THREADS];
    reset();
    char uri[sizeof uri_text];
    memcpy(uri, alpha(), sizeof uri);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, open_and_fill, uri), 0);
    for (int i = 0; i < THREADS; i++) {
        void *fault;
        pthread_join(thread[i], &fault);
        ck_assert_msg(fault == NULL, "%s", (const char *)fault);
    }
    ck_assert_int_eq(mock->initialized, 1);
    ck_assert_int_eq(mock->sessions, 0);
}
END_TEST

static void *use_while_lost(void *ctx)
{
    uint8_t out[16];
    for (int i = 0; i < ROUNDS; i++) {
        raffle_error err = RAFFLE_ERROR_INIT;
        const raffle_rc rc = raffle_rng_fill(ctx, out, sizeof out, -1, &err);
        if (rc != RAFFLE_OK && (rc != RAFFLE_RNG || strstr(err.message, "CKR_") == NULL))
            return "a fill failed otherwise than it may";
        if (i % 10 == 0)
            mock->lose_all = true;
    }
    return NULL;
}

START_TEST(threads_that_lose_their_sessions)
{
    pthread_t thread[THREADS];
    reset();
    raffle_rng *rng = opened(alpha());
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, use_while_lost, rng), 0);
    for (int i = 0; i < THREADS; i++) {
        void *fault;
        pthread_join(thread[i], &fault);
        ck_assert_msg(fault == NULL, "%s", (const char *)fault);
    }
    mock->lose_all = false;
    fills(rng);
    raffle_rng_free(rng);
    ck_assert_int_eq(mock->sessions, 0);
}
END_TEST

static void *use_once(void *ctx)
{
    uint8_t out[16];
    return raffle_rng_fill(ctx, out, sizeof out, -1, NULL) == RAFFLE_OK ? NULL : "a fill failed";
}

START_TEST(no_session_is_free_in_time)
{
    pthread_t thread[8];
    raffle_error err = RAFFLE_ERROR_INIT;
    uint8_t out[16];
    reset();
    raffle_rng *rng = opened(alpha());
    mock->stall = true;
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, use_once, rng), 0);
    while (mock->stalled < 8)
        usleep(1000);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 20, &err), RAFFLE_TIMEOUT);
    assert_says(&err, "\"alpha\"", "free in time");
    mock->stall = false;
    for (int i = 0; i < 8; i++) {
        void *fault;
        pthread_join(thread[i], &fault);
        ck_assert_ptr_null(fault);
    }
    fills(rng);
    raffle_rng_free(rng);
    ck_assert_int_eq(mock->sessions, 0);
}
END_TEST

/* --- fork --- */

static int in_child(raffle_rng *parents)
{
    uint8_t out[16];
    raffle_rng *mine = NULL;
    const int generated = mock->generated, closed = mock->closed;
    if (raffle_rng_fill(parents, out, sizeof out, -1, NULL) != RAFFLE_FORKED)
        return 1;
    raffle_rng_free(parents);
    if (mock->generated != generated || mock->closed != closed)
        return 2; /* the parent's sessions are left alone */
    if (raffle_rng_open(alpha(), NULL, &mine, NULL) != RAFFLE_OK)
        return 3;
    if (raffle_rng_fill(mine, out, sizeof out, -1, NULL) != RAFFLE_OK)
        return 4;
    raffle_rng_free(mine);
    return mock->initialized == 2 ? 0 : 5;
}

START_TEST(after_fork)
{
    reset();
    raffle_rng *rng = opened(alpha());
    fills(rng);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(in_child(rng));
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
    fills(rng);
    raffle_rng_free(rng);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, failing_initialisation);
    tcase_add_test(tests, good);
    tcase_add_test(tests, which_token);
    tcase_add_test(tests, names);
    tcase_add_test(tests, modules);
    tcase_add_test(tests, pin_of_the_host);
    tcase_add_test(tests, pin_that_the_host_does_not_give);
    tcase_add_test(tests, pins_that_are_wrong);
    tcase_add_test(tests, pin_that_was_changed);
    tcase_add_test(tests, pin_in_a_file);
    tcase_add_test(tests, pin_of_the_longest);
    tcase_add_test(tests, keypad);
    tcase_add_test(tests, failures_are_said_and_not_tried_again);
    tcase_add_test(tests, failures_of_opening);
    tcase_add_test(tests, what_is_no_randomness);
    tcase_add_test(tests, sessions_are_opened_again_once);
    tcase_add_test(tests, everything_is_lost);
    tcase_add_test(tests, the_token_comes_back_elsewhere);
    tcase_add_test(tests, one_initialisation_and_one_login);
    tcase_add_test(tests, threads);
    tcase_add_test(tests, threads_that_open_together);
    tcase_add_test(tests, threads_that_lose_their_sessions);
    tcase_add_test(tests, no_session_is_free_in_time);
    tcase_add_test(tests, after_fork);
}

int main(void)
{
    return run_tests("rng_pkcs11", add);
}
