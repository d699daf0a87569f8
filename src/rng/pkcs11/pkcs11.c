/* SPDX-License-Identifier: Apache-2.0 */
/* The provider `pkcs11:`, a token's own generator by C_GenerateRandom: completely or not at all, and nothing weaker in its place. */
#include "provider.h"

#include "error.h"
#include "pkcs11_session.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TAIL = 16 /* bytes at the end of a fill that a module must not leave as they were */
};

typedef struct token_rng {
    rf_p11_pool *pool;
    char evidence[RAFFLE_NAME_SIZE];
} token_rng;

typedef struct request {
    uint8_t *out;
    size_t length;
} request;

/* --- filling --- */

static CK_RV generate(rf_p11_call *call, void *ctx)
{
    const request *r = ctx;
    call->function = "C_GenerateRandom";
    memset(r->out, 0, r->length);
    for (size_t done = 0; done < r->length;) {
        const size_t part = r->length - done < RF_RNG_CALL_MAX ? r->length - done : RF_RNG_CALL_MAX;
        const CK_RV rv = call->module->C_GenerateRandom(call->session, r->out + done, part);
        if (rv != CKR_OK)
            return rv;
        done += part;
    }
    return CKR_OK;
}

/* C_GenerateRandom does not say how much it wrote: an end that is still zeros, by chance one time in 2^128, was not written. */
static bool is_written(const request *r)
{
    return r->length < TAIL || !sodium_is_zero(r->out + r->length - TAIL, TAIL);
}

static raffle_rc fill(void *ctx, uint8_t *out, size_t length, size_t *filled, char evidence[RAFFLE_NAME_SIZE],
                      int32_t timeout_ms, raffle_error *err)
{
    const token_rng *t = ctx;
    request r = {out, length};
    raffle_rc rc = rf_p11_run(t->pool, generate, &r, rf_p11_deadline(timeout_ms), RAFFLE_RNG, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (!is_written(&r))
        return rf_fail(err, RAFFLE_RNG, "the token \"%s\": C_GenerateRandom left the last of %zu bytes unwritten",
                       rf_p11_token_of(t->pool)->label, length);
    memcpy(evidence, t->evidence, RAFFLE_NAME_SIZE);
    *filled = length;
    return RAFFLE_OK;
}

static void release(void *ctx)
{
    token_rng *t = ctx;
    rf_p11_close(t->pool);
    free(t);
}

/* --- the name --- */

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("._~ -", c) != NULL);
}

/* RFC 7512's encoding, of what would not be plain in a log or would be taken for the '/'. `out` has room for three times the text. */
static size_t encode(char *out, const char *text)
{
    size_t length = 0;
    for (; *text != '\0'; text++) {
        if (is_plain(*text))
            out[length++] = *text;
        else
            length += (size_t)snprintf(out + length, 4, "%%%02X", (unsigned char)*text);
    }
    out[length] = '\0';
    return length;
}

static raffle_rc name_of(const rf_p11_token *token, char name[RAFFLE_NAME_SIZE], char evidence[RAFFLE_NAME_SIZE],
                         raffle_error *err)
{
    char label[3 * sizeof token->label], serial[3 * sizeof token->serial];
    encode(label, token->label);
    encode(serial, token->serial);
    const int length = snprintf(name, RAFFLE_NAME_SIZE, "pkcs11:%s/%s", label, serial);
    if (length > RAFFLE_NAME_MAX)
        return rf_fail(err, RAFFLE_LIMIT,
                       "the token's name \"pkcs11:%s/%s\", by which rules would pin it, has more than %d bytes", label,
                       serial, (int)RAFFLE_NAME_MAX);
    snprintf(evidence, RAFFLE_NAME_SIZE, "%s", serial);
    return RAFFLE_OK;
}

static raffle_rc make(rf_p11_pool *pool, raffle_rng **out, raffle_error *err)
{
    const raffle_rng_table table = {.struct_size = sizeof table, .fill = fill, .free = release};
    char name[RAFFLE_NAME_SIZE] = "";
    token_rng *t = calloc(1, sizeof *t);
    if (t == NULL)
        return rf_nomem(err);
    raffle_rc rc = name_of(rf_p11_token_of(pool), name, t->evidence, err);
    if (rc == RAFFLE_OK)
        rc = rf_rng_make(name, &table, t, out, err);
    if (rc == RAFFLE_OK)
        t->pool = pool;
    else
        free(t);
    return rc;
}

raffle_rc rf_rng_pkcs11(const char *uri, const raffle_host *host, raffle_rng **out, raffle_error *err)
{
    rf_p11_pool *pool = NULL;
    raffle_rc rc = rf_p11_open(uri, host, RAFFLE_RNG, &pool, err);
    if (rc == RAFFLE_OK)
        rc = make(pool, out, err);
    if (rc != RAFFLE_OK)
        rf_p11_close(pool);
    return rc;
}
