/* SPDX-License-Identifier: Apache-2.0 */
/* The provider `kms:` over a KMS on loopback, tests/servers/fake_kms.py: evidence, threads, fork and the host. What else it answers with is tried
 * by tests/integration/kms.py; here the sanitizers look on. */
#include "provider.h"
#include "vectors.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    THREADS = 8,
    FILLS = 5
};

static int port, to_server;
static pid_t server;
static char uri[128];

/* --- the server --- */

static void run_server(int in, int out)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/../servers/fake_kms.py", getenv("RAFFLE_VECTORS"));
    dup2(in, 0);
    dup2(out, 1);
    execlp("python3", "python3", path, (char *)NULL);
    _exit(127);
}

static void clear_environment(void)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                        "AWS_CA_BUNDLE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
}

static void start(void)
{
    int in[2], out[2];
    char line[16] = "";
    ck_assert(pipe(in) == 0 && pipe(out) == 0);
    server = fork();
    if (server == 0) {
        close(in[1]);
        run_server(in[0], out[1]);
    }
    close(in[0]);
    close(out[1]);
    to_server = in[1];
    ck_assert(read(out[0], line, sizeof line - 1) > 0);
    close(out[0]);
    port = atoi(line);
    snprintf(uri, sizeof uri, "kms:?region=ca-central-1&endpoint=http://127.0.0.1:%d", port);
    clear_environment();
}

static void stop(void)
{
    close(to_server);
    ck_assert(waitpid(server, NULL, 0) == server);
}

/* Sends orders to the server; what it answered to an empty one, what it has seen, goes to `seen`. */
static json_t *ask_server(const char *method, const char *orders)
{
    static char answer[65536];
    char request[512];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(connect(s, (struct sockaddr *)&address, sizeof address) == 0);
    int length = snprintf(request, sizeof request,
                          "%s /control HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                          method, strlen(orders), orders);
    ck_assert_int_eq(write(s, request, (size_t)length), length);
    size_t n = 0;
    for (ssize_t got = 1; got > 0 && n<sizeof answer - 1; n += got> 0 ? (size_t)got : 0)
        got = read(s, answer + n, sizeof answer - 1 - n);
    close(s);
    answer[n] = '\0';
    const char *body = strstr(answer, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    json_t *json = json_loads(body, 0, NULL);
    ck_assert_ptr_nonnull(json);
    return json;
}

static void order(const char *orders)
{
    json_decref(ask_server("POST", orders));
}

static json_int_t seen(const char *what)
{
    json_t *all = ask_server("GET", "");
    json_int_t n = json_integer_value(json_object_get(all, what));
    json_decref(all);
    return n;
}

static void static_keys(void)
{
    setenv("AWS_ACCESS_KEY_ID", "AKIDSTATIC", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "static/Secret+Key=0123456789", 1);
}

static raffle_rng *open_uri(const raffle_host *host)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rng *rng = NULL;
    raffle_rc rc = raffle_rng_open(uri, host, &rng, &err);
    ck_assert_msg(rc == RAFFLE_OK, "%s", err.message);
    clear_environment();
    return rng;
}

/* --- the cases --- */

START_TEST(evidence_is_the_request)
{
    uint8_t seed[RF_SEED_SIZE], again[RF_SEED_SIZE];
    char evidence[RAFFLE_NAME_SIZE], other[RAFFLE_NAME_SIZE];
    order("{\"reset\":true}");
    static_keys();
    raffle_rng *rng = open_uri(NULL);
    ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, 10000, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_rng_seed(rng, again, other, 10000, NULL), RAFFLE_OK);
    ck_assert_mem_ne(seed, again, sizeof seed);
    json_t *all = ask_server("GET", ""), *ids = json_object_get(all, "ids");
    ck_assert_str_eq(json_string_value(json_array_get(ids, 1)), evidence); /* after the start-up test's */
    ck_assert_str_eq(json_string_value(json_array_get(ids, 2)), other);
    json_decref(all);
    static const char *const without[] = {"no-id", "two-ids", "long-id", "bad-id"};
    for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
        char orders[64];
        snprintf(orders, sizeof orders, "{\"reset\":true,\"kms\":[\"%s\"]}", without[i]);
        order(orders);
        ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, 10000, NULL), RAFFLE_OK);
        ck_assert_str_eq(evidence, "");
    }
    ck_assert_uint_eq(rf_rng_is_test(rng), 0);
    raffle_rng_free(rng);
}
END_TEST

START_TEST(failures_leave_nothing)
{
    static const char *const bad[] = {"short",    "huge",       "cut", "drop-mid",      "status:404", "redirect:302",
                                      "not-http", "error:Zzzz", "nul", "non-canonical", "endless",    "echo"};
    static const uint8_t nothing[RF_SEED_SIZE];
    static_keys();
    raffle_rng *rng = open_uri(NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t seed[RF_SEED_SIZE];
        char evidence[RAFFLE_NAME_SIZE], orders[64];
        raffle_error err = RAFFLE_ERROR_INIT;
        snprintf(orders, sizeof orders, "{\"reset\":true,\"kms\":[\"%s\"]}", bad[i]);
        order(orders);
        ck_assert_int_eq(raffle_rng_fill(rng, seed, 47, 10000, &err), RAFFLE_RNG);
        ck_assert_mem_eq(seed, nothing, 47);
        ck_assert_ptr_nonnull(strstr(err.message, raffle_rng_name(rng)));
        if (strcmp(bad[i], "non-canonical") != 0)
            ck_assert_int_eq(rf_rng_seed(rng, seed, evidence, 10000, &err), RAFFLE_RNG);
        ck_assert_ptr_null(strstr(err.message, "Secret"));
    }
    order("{\"reset\":true,\"kms\":[\"slow-body\"]}");
    uint8_t out[16];
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 300, NULL), RAFFLE_TIMEOUT);
    order("{\"reset\":true,\"kms\":[\"status:500\",\"ok\"]}");
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 10000, NULL), RAFFLE_OK);
    raffle_rng_free(rng);
}
END_TEST

static void *fill_often(void *ctx)
{
    raffle_rng *rng = ctx;
    uint8_t out[64];
    raffle_error err = RAFFLE_ERROR_INIT;
    for (int i = 0; i < FILLS; i++) {
        if (raffle_rng_fill(rng, out, sizeof out, 30000, &err) != RAFFLE_OK) {
            printf("# %s\n", err.message);
            return ctx;
        }
    }
    return NULL;
}

static void fill_in_threads(raffle_rng *rng)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, fill_often, rng), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
}

START_TEST(threads)
{
    order("{\"reset\":true}");
    static_keys();
    raffle_rng *rng = open_uri(NULL);
    ck_assert_int_eq(raffle_rng_test(rng, 10000, NULL), RAFFLE_OK);
    fill_in_threads(rng);
    raffle_rng_free(rng);
    ck_assert_int_eq(seen("kms"), 1 + THREADS * FILLS);
}
END_TEST

/* Credentials that are about to expire: each call renews them, while others use and keep theirs. */
START_TEST(threads_renew)
{
    char url[64];
    order("{\"reset\":true,\"container\":[\"for:600\",\"for:600\",\"404\",\"for:600\"]}");
    snprintf(url, sizeof url, "http://127.0.0.1:%d/container", port);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
    raffle_rng *rng = open_uri(NULL);
    uint8_t out[8];
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 10000, NULL), RAFFLE_OK);
    fill_in_threads(rng);
    raffle_rng_free(rng);
    ck_assert_int_gt(seen("container"), 1);
}
END_TEST

START_TEST(instance)
{
    char url[64];
    order("{\"reset\":true}");
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url, 1);
    unsetenv("AWS_EC2_METADATA_DISABLED");
    raffle_rng *rng = open_uri(NULL);
    fill_in_threads(rng);
    raffle_rng_free(rng);
}
END_TEST

/* A child that frees the handle does not end the parent's connection. */
START_TEST(fork_leaves_the_connection)
{
    uint8_t out[8];
    order("{\"reset\":true}");
    static_keys();
    raffle_rng *rng = open_uri(NULL);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 10000, NULL), RAFFLE_OK);
    json_int_t before = seen("connections");
    pid_t child = fork();
    if (child == 0) {
        bool good = raffle_rng_fill(rng, out, sizeof out, 10000, NULL) == RAFFLE_FORKED;
        raffle_rng_free(rng);
        _exit(good ? 0 : 1);
    }
    int status = -1;
    ck_assert(waitpid(child, &status, 0) == child && status == 0);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 10000, NULL), RAFFLE_OK);
    ck_assert_int_eq(seen("connections"), before + 1); /* the one that asks */
    raffle_rng_free(rng);
}
END_TEST

typedef struct lender {
    const char *json;
    size_t length;
    int asked, released;
} lender;

static raffle_rc lend(void *ctx, const char *what, uint8_t *out, size_t cap, size_t *length, raffle_error *err)
{
    lender *l = ctx;
    l->asked++;
    if (strcmp(what, "aws-credentials") != 0 || strlen(l->json) > cap)
        return raffle_error_set(err, RAFFLE_NOT_FOUND, 0, "there is none");
    if (l->json[0] == '\0')
        return raffle_error_set(err, RAFFLE_KEY, 42, "the vault is shut");
    memcpy(out, l->json, strlen(l->json));
    if (l->length != 0)
        *length = l->length == 1 ? strlen(l->json) : l->length;
    return RAFFLE_OK;
}

static void take_back(void *ctx)
{
    ((lender *)ctx)->released++;
}

START_TEST(host)
{
    static const char good[] = "{\"AccessKeyId\":\"AKIDSTATIC\",\"SecretAccessKey\":\"static/Secret+Key=0123456789\"}";
    lender l = {.json = good, .length = 1};
    raffle_host lent = RAFFLE_HOST_INIT;
    lent.ctx = &l;
    lent.secret = lend;
    lent.release = take_back;
    raffle_error err = RAFFLE_ERROR_INIT;
    uint8_t out[8];
    order("{\"reset\":true}");
    raffle_rng *rng = open_uri(&lent);
    ck_assert_int_eq(l.asked, 0);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 10000, &err), RAFFLE_OK);
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 10000, &err), RAFFLE_OK);
    ck_assert_int_eq(l.asked, 3); /* once for the start-up test */
    l.json = "";
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 10000, &err), RAFFLE_HOST);
    ck_assert_uint_eq(err.token, 42);
    ck_assert_ptr_nonnull(strstr(err.message, "the vault is shut"));
    l.json = good;
    static const size_t wrong[] = {0, SIZE_MAX, 1 << 20};
    for (size_t i = 0; i < 3; i++) {
        l.length = wrong[i];
        ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 10000, &err), RAFFLE_HOST);
    }
    l.length = 20;
    ck_assert_int_eq(raffle_rng_fill(rng, out, sizeof out, 10000, &err), RAFFLE_RNG);
    raffle_rng_free(rng);
    ck_assert_int_eq(l.released, 1);
}
END_TEST

START_TEST(opening)
{
    static const char *const bad[] = {"kms:",
                                      "kms:?",
                                      "kms:?region=x",
                                      "kms:?region=ca-central-1&credentials=host",
                                      "kms:?region=ca-central-1&credentials=environment",
                                      "kms:?region=ca-central-1"};
    clear_environment();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        raffle_error err = RAFFLE_ERROR_INIT;
        raffle_rng *rng = NULL;
        ck_assert_int_eq(raffle_rng_open(bad[i], NULL, &rng, &err), RAFFLE_INVALID);
        ck_assert_ptr_null(rng);
        ck_assert_ptr_nonnull(strstr(err.message, "kms: "));
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_unchecked_fixture(tests, start, stop);
    tcase_add_test(tests, evidence_is_the_request);
    tcase_add_test(tests, failures_leave_nothing);
    tcase_add_test(tests, threads);
    tcase_add_test(tests, threads_renew);
    tcase_add_test(tests, instance);
    tcase_add_test(tests, fork_leaves_the_connection);
    tcase_add_test(tests, host);
    tcase_add_test(tests, opening);
}

int main(void)
{
    return run_tests("rng_kms", add);
}
