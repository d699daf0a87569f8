/* SPDX-License-Identifier: Apache-2.0 */
/* Which version this is and how it was built (GLI-31 3.5.1). */
#include <raffle/version.h>

#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>

#ifdef RAFFLE_WITH_KMS
#define KMS "\"kms\","
#else
#define KMS ""
#endif
#ifdef RAFFLE_WITH_HTTP
#define HTTP "\"http\",\"https\","
#else
#define HTTP ""
#endif
#ifdef RAFFLE_WITH_POSTGRES
#define POSTGRES "\"postgresql\","
#else
#define POSTGRES ""
#endif
#ifdef RAFFLE_WITH_PKCS11
#define KEYS "[\"file\",\"pkcs11\"]"
#define PKCS11 "\"pkcs11\","
#else
#define KEYS "[\"file\"]"
#define PKCS11 ""
#endif
#ifdef RAFFLE_WITH_TEST_RNG
#define PROVIDERS "[" KMS PKCS11 "\"system\",\"test\"]"
#define TEST "true"
#else
#define PROVIDERS "[" KMS PKCS11 "\"system\"]"
#define TEST "false"
#endif

/* Written once: what libraries are linked is known at run time only. */
static char build[1024];
static pthread_once_t once = PTHREAD_ONCE_INIT;

const char *raffle_version(void)
{
    return RAFFLE_VERSION;
}

static void describe(void)
{
    snprintf(build, sizeof build,
             "{\"compiled\":{\"libsodium\":\"%s\",\"openssl\":\"%s\",\"sqlite\":\"%s\"},"
             "\"keys\":" KEYS ","
             "\"linked\":{\"libsodium\":\"%s\",\"openssl\":\"%s\",\"sqlite\":\"%s\"},"
             "\"providers\":" PROVIDERS ",\"records\":\"libraffle-rec-1\",\"stores\":[\"folder\"," HTTP POSTGRES
             "\"sqlite\"],"
             "\"test\":" TEST ",\"version\":\"" RAFFLE_VERSION "\"}",
             SODIUM_VERSION_STRING, OPENSSL_VERSION_STR, SQLITE_VERSION, sodium_version_string(),
             OpenSSL_version(OPENSSL_VERSION_STRING), sqlite3_libversion());
}

const char *raffle_build(void)
{
    pthread_once(&once, describe);
    return build;
}
