/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in a token, over the mock module: pairs that stay inside, the ticket key, forms of public keys, what fails how, and one login with a provider. */
#include "keys.h"
#include "keys_pkcs11.h"
#include "pkcs11_mock.h"
#include "vectors.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <raffle/raffle.h>
#include <sodium.h>
#include <sys/wait.h>
#include <unistd.h>

static const char origin[] = "raffle.example/gala";
static const uint8_t message[] = "raffle.example/gala\n1\nAAAA\n";
static mock_control *mock;
static char uri[4096];
static raffle_error err;
static raffle_keys *keys;
static uint8_t *secure;

static void find_mock(void)
{
    const char *path = getenv("RAFFLE_PKCS11_MOCK");
    mock_control_function control;
    mock_clear_function clear;
    ck_assert_msg(path != NULL, "RAFFLE_PKCS11_MOCK must name the mock module");
    void *library = dlopen(path, RTLD_NOW);
    ck_assert_msg(library != NULL, "%s", dlerror());
    *(void **)&control = dlsym(library, MOCK_CONTROL_NAME);
    *(void **)&clear = dlsym(library, MOCK_CLEAR_NAME);
    ck_assert(control != NULL && clear != NULL);
    mock = control();
    clear();
    snprintf(uri, sizeof uri, "pkcs11:token=alpha?module-path=%s&pin-value=crypto_user:s3cret/%%26?", path);
}

static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    find_mock();
    mock->token[0] = (mock_token){"alpha", "A1", CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED, true};
    mock->first_slot = 3;
    mock->pin = MOCK_PIN;
    mock->failing = MOCK_NONE;
    mock->point = MOCK_WRAPPED;
    mock->named_curve = mock->rival = mock->keeps_secrets = false;
    mock->logins = 0;
    raffle_error_init(&err, sizeof err);
    ck_assert_msg(raffle_keys_open(uri, NULL, &keys, &err) == RAFFLE_OK, "%s", err.message);
    secure = sodium_malloc(32);
}

static void teardown(void)
{
    sodium_free(secure);
    raffle_keys_free(keys);
    ck_assert_int_eq(mock->sessions, 0);
}

static void fail_with(mock_function function, CK_RV rv, int times)
{
    mock->rv = rv;
    mock->skip = 0;
    mock->times = times;
    mock->failing = function;
}

static void says(const char *a, const char *b)
{
    ck_assert_msg(strstr(err.message, a) != NULL && strstr(err.message, b) != NULL,
                  "\"%s\" does not say \"%s\", \"%s\"", err.message, a, b);
    ck_assert_msg(strstr(err.message, "s3cret") == NULL, "%s", err.message);
}

static void makes(const char *name)
{
    ck_assert_msg(rf_keys_make(keys, origin, name, &err) == RAFFLE_OK, "%s", err.message);
}

static void signs(const char *name)
{
    uint8_t key[32], signature[64];
    ck_assert_msg(rf_keys_public_key(keys, origin, name, key, &err) == RAFFLE_OK, "%s", err.message);
    ck_assert_msg(rf_keys_sign(keys, origin, name, message, sizeof message, signature, &err) == RAFFLE_OK, "%s",
                  err.message);
    ck_assert_int_eq(crypto_sign_verify_detached(signature, message, sizeof message, key), 0);
}

START_TEST(a_key_signs)
{
    uint8_t a[32], b[32];
    makes("control");
    makes("unit-1");
    signs("control");
    signs("unit-1");
    ck_assert_int_eq(rf_keys_public_key(keys, origin, "control", a, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_keys_public_key(keys, origin, "unit-1", b, NULL), RAFFLE_OK);
    ck_assert(memcmp(a, b, 32) != 0);
    ck_assert_int_eq(mock->objects, 4);
    ck_assert_int_eq(mock->logins, 1);
}
END_TEST

START_TEST(a_key_is_made_once)
{
    uint8_t before[32], after[32];
    raffle_keys *other = NULL;
    makes("control");
    makes("ticket");
    ck_assert_int_eq(rf_keys_public_key(keys, origin, "control", before, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_keys_make(keys, origin, "control", &err), RAFFLE_EXISTS);
    says("\"alpha\"", "raffle.example/gala control");
    ck_assert_int_eq(rf_keys_make(keys, origin, "ticket", &err), RAFFLE_EXISTS);
    ck_assert_int_eq(mock->objects, 3);
    ck_assert_int_eq(raffle_keys_open(uri, NULL, &other, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_keys_public_key(other, origin, "control", after, NULL), RAFFLE_OK);
    ck_assert_mem_eq(before, after, 32);
    raffle_keys_free(other);
}
END_TEST

START_TEST(keys_of_another_raffle)
{
    uint8_t key[32];
    makes("control");
    ck_assert_int_eq(rf_keys_public_key(keys, "raffle.example/other", "control", key, &err), RAFFLE_NOT_FOUND);
    says("\"alpha\"", "raffle.example/other control");
    ck_assert_int_eq(rf_keys_public_key(keys, origin, "unit-1", key, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_keys_make(keys, "raffle.example/other", "control", &err), RAFFLE_OK);
}
END_TEST

START_TEST(the_ticket_key)
{
    uint8_t first[32];
    ck_assert_int_eq(rf_keys_ticket_key(keys, origin, secure, &err), RAFFLE_KEY);
    says("\"alpha\"", "raffle.example/gala ticket");
    makes("ticket");
    ck_assert_int_eq(rf_keys_ticket_key(keys, origin, secure, &err), RAFFLE_OK);
    memcpy(first, secure, 32);
    ck_assert_int_eq(rf_keys_ticket_key(keys, origin, secure, &err), RAFFLE_OK);
    ck_assert_mem_eq(first, secure, 32);
    mock->keeps_secrets = true;
    ck_assert_int_eq(rf_keys_ticket_key(keys, origin, secure, &err), RAFFLE_KEY);
    says("\"alpha\": C_GetAttributeValue", "CKR_ATTRIBUTE_SENSITIVE");
    ck_assert(sodium_is_zero(secure, 32));
}
END_TEST

START_TEST(forms_of_public_keys)
{
    uint8_t key[32];
    mock->point = MOCK_RAW;
    makes("control");
    signs("control");
    mock->point = MOCK_CUT;
    makes("unit-1");
    ck_assert_int_eq(rf_keys_public_key(keys, origin, "unit-1", key, &err), RAFFLE_KEY);
    says("\"alpha\"", "unit-1");
    mock->point = MOCK_OTHER;
    ck_assert_int_eq(rf_keys_public_key(keys, origin, "unit-1", key, &err), RAFFLE_KEY);
    mock->point = MOCK_WRAPPED;
    signs("unit-1");
    mock->named_curve = true;
    makes("unit-2");
    signs("unit-2");
}
END_TEST

START_TEST(two_who_make_a_key)
{
    mock->rival = true;
    ck_assert_int_eq(rf_keys_make(keys, origin, "control", &err), RAFFLE_BUSY);
    says("\"alpha\"", "at the same time");
    ck_assert_int_eq(mock->objects, 2); /* the rival's */
    signs("control");
    ck_assert_int_eq(rf_keys_make(keys, origin, "control", &err), RAFFLE_EXISTS);
}
END_TEST

START_TEST(failures)
{
    uint8_t signature[64];
    static const CK_RV rvs[] = {CKR_DEVICE_ERROR, CKR_FUNCTION_FAILED, CKR_DEVICE_MEMORY, CKR_MECHANISM_INVALID};
    for (size_t i = 0; i < sizeof rvs / sizeof *rvs; i++) {
        fail_with(MOCK_GENERATE_KEY, rvs[i], -1);
        ck_assert_int_eq(rf_keys_make(keys, origin, "control", &err), RAFFLE_KEY);
        says("\"alpha\": C_GenerateKeyPair", "CKR_");
        ck_assert_int_eq(rf_keys_make(keys, origin, "ticket", &err), RAFFLE_KEY);
        says("\"alpha\": C_GenerateKey", "CKR_");
    }
    ck_assert_int_eq(mock->objects, 0);
    fail_with(MOCK_FIND_OBJECTS, CKR_DEVICE_ERROR, -1);
    ck_assert_int_eq(rf_keys_make(keys, origin, "control", &err), RAFFLE_KEY);
    says("\"alpha\": C_FindObjectsInit", "CKR_DEVICE_ERROR");
    fail_with(MOCK_NONE, 0, 0);
    makes("control");
    signs("control");
    fail_with(MOCK_SIGN, CKR_FUNCTION_FAILED, -1);
    ck_assert_int_eq(rf_keys_sign(keys, origin, "control", message, sizeof message, signature, &err), RAFFLE_KEY);
    says("\"alpha\": C_Sign", "CKR_FUNCTION_FAILED");
    fail_with(MOCK_NONE, 0, 0);
    signs("control");
}
END_TEST

START_TEST(lost_sessions)
{
    makes("control");
    fail_with(MOCK_SIGN, CKR_SESSION_HANDLE_INVALID, 1);
    signs("control");
    fail_with(MOCK_GET_ATTRIBUTE, CKR_DEVICE_REMOVED, 1);
    makes("ticket");
    ck_assert_int_eq(rf_keys_ticket_key(keys, origin, secure, &err), RAFFLE_OK);
    fail_with(MOCK_GENERATE_KEY, CKR_USER_NOT_LOGGED_IN, 1);
    makes("unit-1");
    fail_with(MOCK_NONE, 0, 0);
    signs("unit-1");
    ck_assert_int_eq(mock->objects, 5);
}
END_TEST

START_TEST(opening_that_fails)
{
    raffle_keys *other = NULL;
    ck_assert_int_eq(raffle_keys_open("pkcs11:token=alpha;object=control", NULL, &other, &err), RAFFLE_INVALID);
    says("object", "refused");
    ck_assert_int_eq(raffle_keys_open("pkcs11:token=a?module-path=/no/such.so&pin-value=s3cret", NULL, &other, &err),
                     RAFFLE_NOT_FOUND);
    says("/no/such.so", "module");
    raffle_keys_free(keys);
    keys = NULL;
    fail_with(MOCK_LOGIN, CKR_PIN_EXPIRED, -1);
    ck_assert_int_eq(raffle_keys_open(uri, NULL, &other, &err), RAFFLE_KEY);
    says("\"alpha\": C_Login", "CKR_PIN_EXPIRED");
    ck_assert_ptr_null(other);
}
END_TEST

START_TEST(a_provider_shares_the_login)
{
    raffle_rng *rng = NULL;
    uint8_t out[48];
    ck_assert_int_eq(raffle_rng_open(uri, NULL, &rng, &err), RAFFLE_OK);
    makes("control");
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, -1, NULL), RAFFLE_OK);
    ck_assert_int_eq(mock->logins, 1);
    ck_assert_int_eq(mock->sessions, 1);
    raffle_rng_free(rng);
    signs("control");
}
END_TEST

START_TEST(what_is_noted)
{
    char noted[RAFFLE_TEXT_MAX + 1] = "", longer[RAFFLE_TEXT_MAX + 64] = "pkcs11:token=a?module-path=/";
    ck_assert_int_eq(rf_keys_pkcs11_note("pkcs11:token=a?pin-value=s3cret&module-path=/x.so", noted, &err), RAFFLE_OK);
    ck_assert_str_eq(noted, "pkcs11:token=a?module-path=/x.so");
    ck_assert_int_eq(rf_keys_pkcs11_note("pkcs11:token=a?pin-source=/run/pin", noted, &err), RAFFLE_OK);
    ck_assert_str_eq(noted, "pkcs11:token=a?pin-source=/run/pin");
    ck_assert_int_eq(rf_keys_pkcs11_note("pkcs11:token=a?pin-value=s3cret;x", noted, &err), RAFFLE_INVALID);
    says("pin-value", "%XX");
    memset(longer + strlen(longer), 'x', RAFFLE_TEXT_MAX + 1 - strlen(longer));
    ck_assert_int_eq(rf_keys_pkcs11_note(longer, noted, &err), RAFFLE_LIMIT);
    longer[RAFFLE_TEXT_MAX] = '\0';
    ck_assert_int_eq(rf_keys_pkcs11_note(longer, noted, &err), RAFFLE_OK);
}
END_TEST

/* --- a raffle by a host that keeps the PIN, and leaves the ticket key to the token --- */

static raffle_rc keep_pin(void *ctx, const char *what, uint8_t *out, size_t cap, size_t *length, raffle_error *theirs)
{
    if (strncmp(what, "pin:pkcs11:token=alpha", 22) != 0)
        return raffle_error_set(theirs, RAFFLE_NOT_FOUND, 0, "no such secret");
    ck_assert_uint_ge(cap, sizeof MOCK_PIN - 1);
    memcpy(out, MOCK_PIN, sizeof MOCK_PIN - 1);
    *length = sizeof MOCK_PIN - 1;
    ++*(int *)ctx;
    return RAFFLE_OK;
}

static const char rules[] =
    "{\"name\":\"Gala\",\"origin\":\"raffle.example/"
    "gala\",\"organisation\":\"Foundation\",\"licence\":\"AB-1\",\"currency\":\"CAD\","
    "\"zone\":[{\"from\":\"2026-01-01T00:00:00.000Z\",\"offset\":-420}],\"place\":\"Arena\","
    "\"sales\":{\"opens\":\"2026-01-01T00:00:00.000Z\",\"closes\":\"2027-01-01T00:00:00.000Z\"},"
    "\"tiers\":[{\"name\":\"one\",\"price\":500,\"count\":1}],\"units\":[{\"name\":\"web\"}],"
    "\"prizes\":[{\"name\":\"half\",\"title\":\"Half\",\"share\":5000,\"winners\":1,\"alternates\":1}],\"rng\":["
    "\"system\"]}";

START_TEST(a_host_with_the_pin)
{
    char folder[] = "/tmp/raffle-keys-XXXXXX", path[64], command[96];
    int asked = 0;
    raffle *r = NULL;
    raffle_host host = RAFFLE_HOST_INIT;
    const raffle_actor boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER);
    host.ctx = &asked;
    host.secret = keep_pin;
    raffle_keys_free(keys);
    keys = NULL;
    *strstr(uri, "&pin-value") = '\0';
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/gala.raffle", folder);
    ck_assert_msg(raffle_create(path, uri, &host, rules, strlen(rules), &boss, &r, &err) == RAFFLE_OK, "%s",
                  err.message);
    raffle_free(r);
    ck_assert_int_eq(mock->objects, 5); /* the control log's pair, the unit's, the ticket key */
    ck_assert_int_eq(asked, 1);
    ck_assert_msg(raffle_open(path, NULL, &host, &r, &err) == RAFFLE_OK, "%s", err.message);
    raffle_free(r);
    ck_assert_int_eq(asked, 2);
    ck_assert_int_eq(raffle_open(path, NULL, NULL, &r, &err), RAFFLE_KEY);
    says("\"alpha\"", "demands a login");
    snprintf(command, sizeof command, "rm -rf -- '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

enum {
    THREADS = 10,
    ROUNDS = 20
};

static void *sign_often(void *ctx)
{
    uint8_t signature[64];
    (void)ctx;
    for (int i = 0; i < ROUNDS; i++)
        if (rf_keys_sign(keys, origin, "control", message, sizeof message, signature, NULL) != RAFFLE_OK)
            return "a signature failed";
    return NULL;
}

START_TEST(threads)
{
    pthread_t thread[THREADS];
    makes("control");
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, sign_often, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        void *fault;
        pthread_join(thread[i], &fault);
        ck_assert_msg(fault == NULL, "%s", (const char *)fault);
    }
    ck_assert_int_eq(mock->logins, 1);
}
END_TEST

static int in_child(void)
{
    uint8_t signature[64];
    raffle_keys *mine = NULL;
    if (rf_keys_sign(keys, origin, "control", message, sizeof message, signature, NULL) != RAFFLE_FORKED)
        return 1;
    raffle_keys_free(keys);
    if (raffle_keys_open(uri, NULL, &mine, NULL) != RAFFLE_OK)
        return 2;
    if (rf_keys_sign(mine, origin, "control", message, sizeof message, signature, NULL) != RAFFLE_OK)
        return 3;
    raffle_keys_free(mine);
    return 0;
}

START_TEST(after_fork)
{
    makes("control");
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(in_child());
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
    signs("control");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_key_signs);
    tcase_add_test(tests, a_key_is_made_once);
    tcase_add_test(tests, keys_of_another_raffle);
    tcase_add_test(tests, the_ticket_key);
    tcase_add_test(tests, forms_of_public_keys);
    tcase_add_test(tests, two_who_make_a_key);
    tcase_add_test(tests, failures);
    tcase_add_test(tests, lost_sessions);
    tcase_add_test(tests, opening_that_fails);
    tcase_add_test(tests, a_provider_shares_the_login);
    tcase_add_test(tests, what_is_noted);
    tcase_add_test(tests, a_host_with_the_pin);
    tcase_add_test(tests, threads);
    tcase_add_test(tests, after_fork);
}

int main(void)
{
    return run_tests("raffle_keys_pkcs11", add);
}
