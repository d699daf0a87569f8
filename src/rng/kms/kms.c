/* SPDX-License-Identifier: Apache-2.0 */
/* The provider `kms:`: AWS KMS GenerateRandom, out of the HSMs of KMS or, with a custom key store, out of one's own CloudHSM. What comes is
 * exactly what was asked for, or nothing. */
#include "provider.h"

#include "error.h"
#include "kms_credentials.h"
#include "timestamp.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ATTEMPTS = 3,
    ATTEMPT_MS = 10000,
    CA_MAX = 1024
};

typedef struct kms {
    rf_kms_uri uri;
    rf_kms_keyring *keyring;
    rf_kms_http *http;
    char ca[CA_MAX]; /* "": the system's certificates */
} kms;

/* --- one call --- */

static void format_body(const kms *k, size_t length, char *out, size_t size)
{
    const bool own = k->uri.store[0] != '\0';
    snprintf(out, size, "{\"NumberOfBytes\":%zu%s%s%s}", length, own ? ",\"CustomKeyStoreId\":\"" : "", k->uri.store,
             own ? "\"" : "");
}

/* "HTTP 400 AccessDeniedException (request 3f…)", or what kept an answer from coming. */
static void describe(const rf_kms_response *r, char *out, size_t size)
{
    const bool has_id = r->id[0] != '\0';
    if (r->status == 0)
        snprintf(out, size, "%s", r->fault == NULL ? "no answer" : r->fault);
    else
        snprintf(out, size, "HTTP %d%s%s%s%s%s", r->status, r->error[0] != '\0' ? " " : "", r->error,
                 has_id ? " (request " : "", r->id, has_id ? ")" : "");
}

static raffle_rc fail_call(const kms *k, rf_kms_outcome outcome, const rf_kms_response *r, raffle_error *err)
{
    char what[160];
    describe(r, what, sizeof what);
    if (outcome == RF_KMS_NOMEM)
        return rf_nomem(err);
    if (outcome == RF_KMS_LATE)
        return rf_fail(err, RAFFLE_TIMEOUT, "the provider \"%s\": out of time: %s", k->uri.name, what);
    return rf_fail(err, RAFFLE_RNG, "the provider \"%s\": %s", k->uri.name, what);
}

static raffle_rc fail_answer(const kms *k, const rf_kms_response *r, const char *fault, raffle_error *err)
{
    const bool has_id = r->id[0] != '\0';
    return rf_fail(err, RAFFLE_RNG, "the provider \"%s\": the answer%s%s%s %s", k->uri.name, has_id ? " (request " : "",
                   r->id, has_id ? ")" : "", fault);
}

/* That the credentials are at fault, and others may be had. */
static bool wants_others(const char *error)
{
    return strcmp(error, "ExpiredTokenException") == 0 || strcmp(error, "ExpiredToken") == 0 ||
           strcmp(error, "UnrecognizedClientException") == 0 || strcmp(error, "InvalidClientTokenId") == 0;
}

static raffle_rc read_answer(kms *k, const rf_kms_response *r, uint8_t *out, size_t length, raffle_error *err)
{
    if (r->status != 200) {
        if (wants_others(r->error))
            rf_kms_keyring_forget(k->keyring);
        return fail_call(k, RF_KMS_ANSWERED, r, err);
    }
    const char *fault = rf_kms_read_random(r->body, r->length, out, length);
    return fault == NULL ? RAFFLE_OK : fail_answer(k, r, fault, err);
}

static raffle_rc call(kms *k, rf_kms_work *work, uint8_t *out, size_t length, int64_t deadline, raffle_error *err)
{
    char body[160];
    raffle_rc rc = rf_kms_keyring_get(k->keyring, k->http, deadline, work, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_kms_request request = {
        .url = k->uri.endpoint,
        .method = "POST",
        .body = body,
        .header = {"Content-Type: application/x-amz-json-1.1", "X-Amz-Target: TrentService.GenerateRandom"},
        .region = k->uri.region,
        .credentials = &work->credentials,
        .ca = k->ca[0] != '\0' ? k->ca : NULL,
        .attempts = ATTEMPTS,
        .attempt_ms = ATTEMPT_MS,
        .deadline = deadline};
    format_body(k, length, body, sizeof body);
    if (work->credentials.token[0] != '\0') {
        snprintf(work->header, sizeof work->header, "X-Amz-Security-Token: %s", work->credentials.token);
        request.header[2] = work->header;
    }
    rf_kms_outcome outcome = rf_kms_http_send(k->http, &request, &work->response);
    if (outcome != RF_KMS_ANSWERED)
        return fail_call(k, outcome, &work->response, err);
    return read_answer(k, &work->response, out, length, err);
}

/* --- the table --- */

static raffle_rc fill(void *ctx, uint8_t *out, size_t length, size_t *filled, char evidence[RAFFLE_NAME_SIZE],
                      int32_t timeout_ms, raffle_error *err)
{
    kms *k = ctx;
    const int64_t deadline = timeout_ms < 0 ? INT64_MAX : rf_clock_monotonic() + timeout_ms;
    rf_kms_work *work = sodium_malloc(sizeof *work);
    if (work == NULL)
        return rf_nomem(err);
    memset(work, 0, sizeof *work);
    raffle_rc rc = call(k, work, out, length, deadline, err);
    if (rc == RAFFLE_OK) {
        *filled = length;
        memcpy(evidence, work->response.id, RAFFLE_NAME_SIZE);
    }
    sodium_free(work); /* wipes it */
    return rc;
}

static void release(void *ctx)
{
    kms *k = ctx;
    rf_kms_keyring_free(k->keyring);
    rf_kms_http_free(k->http);
    free(k);
}

/* As AWS's tools have it, AWS_CA_BUNDLE names the certificates to be trusted. Not so for AWS's own hosts, which the name stands for: only the
 * system's certificates vouch for them, so that a variable in the environment cannot put another in their place. */
static raffle_rc read_ca(kms *k, raffle_error *err)
{
    const char *ca = getenv("AWS_CA_BUNDLE");
    if (ca == NULL || !k->uri.foreign)
        return RAFFLE_OK;
    const size_t length = strlen(ca);
    if (length >= sizeof k->ca)
        return rf_fail(err, RAFFLE_INVALID, "kms: AWS_CA_BUNDLE has more than %d bytes", CA_MAX - 1);
    memcpy(k->ca, ca, length + 1);
    return RAFFLE_OK;
}

static raffle_rc make(kms *k, const char *parameters, const raffle_host *host, raffle_rng **out, raffle_error *err)
{
    const raffle_rng_table table = {.struct_size = sizeof table, .fill = fill, .free = release};
    raffle_rc rc = rf_kms_uri_parse(&k->uri, parameters, err);
    if (rc == RAFFLE_OK)
        rc = read_ca(k, err);
    if (rc == RAFFLE_OK)
        rc = rf_kms_keyring_new(k->uri.name, k->uri.credentials, host, &k->keyring, err);
    if (rc != RAFFLE_OK)
        return rc;
    k->http = rf_kms_http_new();
    if (k->http == NULL)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "kms: libcurl could not be initialised, or was built without TLS");
    return rf_rng_make(k->uri.name, &table, k, out, err);
}

raffle_rc rf_rng_kms(const char *parameters, const raffle_host *host, raffle_rng **out, raffle_error *err)
{
    kms *k = calloc(1, sizeof *k);
    if (k == NULL)
        return rf_nomem(err);
    raffle_rc rc = make(k, parameters, host, out, err);
    if (rc != RAFFLE_OK)
        release(k);
    return rc;
}
