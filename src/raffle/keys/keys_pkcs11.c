/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in a token: a log's key is an Ed25519 pair that signs inside and never leaves, the ticket key a secret that the token keeps and gives out, since
 * the library computes with it for each ticket. An object's label is the raffle's origin, a space and the key's name. */
#include "keys_pkcs11.h"

#include "error.h"
#include "pkcs11_session.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LABEL_SIZE = RAFFLE_ORIGIN_SIZE + 16,
    TIMEOUT_MS = 10000, /* what raffle_host.timeout_ms stands for by default */
    POINT_SIZE = 34     /* of a public key as an OCTET STRING */
};

typedef struct token_keys {
    rf_p11_pool *pool;
    int32_t timeout_ms;
} token_keys;

/* What one work goes by, and what it found. */
typedef struct errand {
    char label[LABEL_SIZE];
    size_t found;  /* objects: 0, 1, or more for several */
    size_t before; /* those that were there before making one */
    const uint8_t *message;
    size_t length; /* of the message; of what the token gave */
    uint8_t *out;
} errand;

/* --- finding --- */

/* One object by its class and label; `e->found` is how many there are, as far as two. */
static CK_RV find(rf_p11_call *call, errand *e, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *out)
{
    CK_OBJECT_HANDLE handles[2];
    CK_ULONG count = 0;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class}, {CKA_TOKEN, &yes, sizeof yes}, {CKA_LABEL, e->label, strlen(e->label)}};
    call->function = "C_FindObjectsInit";
    CK_RV rv = call->module->C_FindObjectsInit(call->session, template, sizeof template / sizeof *template);
    if (rv != CKR_OK)
        return rv;
    call->function = "C_FindObjects";
    rv = call->module->C_FindObjects(call->session, handles, 2, &count);
    const CK_RV ended = call->module->C_FindObjectsFinal(call->session);
    e->found = count;
    if (count == 1)
        *out = handles[0];
    return rv != CKR_OK ? rv : ended;
}

static CK_RV read_attribute(rf_p11_call *call, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, errand *e, size_t cap)
{
    CK_ATTRIBUTE attribute = {type, e->out, cap};
    call->function = "C_GetAttributeValue";
    const CK_RV rv = call->module->C_GetAttributeValue(call->session, object, &attribute, 1);
    e->length = attribute.ulValueLen;
    return rv;
}

static void label_of(errand *e, const char *origin, const char *name)
{
    snprintf(e->label, sizeof e->label, "%s %s", origin, name);
}

static raffle_rc run(const token_keys *k, rf_p11_work work, errand *e, raffle_error *err)
{
    return rf_p11_run(k->pool, work, e, rf_p11_deadline(k->timeout_ms), RAFFLE_KEY, err);
}

static raffle_rc check_found(const token_keys *k, const errand *e, raffle_error *err)
{
    const char *token = rf_p11_token_of(k->pool)->label;
    if (e->found == 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "the token \"%s\" has no key \"%s\"", token, e->label);
    if (e->found > 1)
        return rf_fail(err, RAFFLE_KEY, "the token \"%s\" has several keys \"%s\"", token, e->label);
    return RAFFLE_OK;
}

/* --- public keys --- */

static CK_RV read_point(rf_p11_call *call, void *ctx)
{
    errand *e = ctx;
    CK_OBJECT_HANDLE object;
    const CK_RV rv = find(call, e, CKO_PUBLIC_KEY, &object);
    return rv != CKR_OK || e->found != 1 ? rv : read_attribute(call, object, CKA_EC_POINT, e, POINT_SIZE);
}

/* PKCS#11 3.0 2.3.5 has the 32 bytes; modules after 2.40 wrap them in an OCTET STRING, as points of other curves. */
static raffle_rc public_key(void *ctx, const char *origin, const char *name, uint8_t out[32], raffle_error *err)
{
    const token_keys *k = ctx;
    uint8_t point[POINT_SIZE];
    errand e = {.out = point};
    label_of(&e, origin, name);
    raffle_rc rc = run(k, read_point, &e, err);
    if (rc == RAFFLE_OK)
        rc = check_found(k, &e, err);
    if (rc != RAFFLE_OK)
        return rc;
    const bool wrapped = e.length == POINT_SIZE && point[0] == 0x04 && point[1] == 32;
    if (!wrapped && e.length != 32)
        return rf_fail(err, RAFFLE_KEY, "the token \"%s\": the public key \"%s\" is not one of Ed25519",
                       rf_p11_token_of(k->pool)->label, e.label);
    memcpy(out, wrapped ? point + 2 : point, 32);
    return RAFFLE_OK;
}

/* --- signing --- */

static CK_RV sign_message(rf_p11_call *call, void *ctx)
{
    errand *e = ctx;
    CK_OBJECT_HANDLE object;
    CK_MECHANISM mechanism = {CKM_EDDSA, NULL, 0};
    CK_ULONG length = 64;
    CK_RV rv = find(call, e, CKO_PRIVATE_KEY, &object);
    if (rv != CKR_OK || e->found != 1)
        return rv;
    call->function = "C_SignInit";
    rv = call->module->C_SignInit(call->session, &mechanism, object);
    if (rv != CKR_OK)
        return rv;
    call->function = "C_Sign";
    rv = call->module->C_Sign(call->session, (CK_BYTE *)e->message, e->length, e->out, &length);
    return rv == CKR_OK && length != 64 ? CKR_SIGNATURE_LEN_RANGE : rv;
}

static raffle_rc sign(void *ctx, const char *origin, const char *name, const uint8_t *message, size_t length,
                      uint8_t out[64], raffle_error *err)
{
    const token_keys *k = ctx;
    errand e = {.message = message, .length = length, .out = out};
    label_of(&e, origin, name);
    raffle_rc rc = run(k, sign_message, &e, err);
    return rc == RAFFLE_OK ? check_found(k, &e, err) : rc;
}

/* --- the ticket key --- */

static CK_RV read_secret(rf_p11_call *call, void *ctx)
{
    errand *e = ctx;
    CK_OBJECT_HANDLE object;
    const CK_RV rv = find(call, e, CKO_SECRET_KEY, &object);
    return rv != CKR_OK || e->found != 1 ? rv : read_attribute(call, object, CKA_VALUE, e, 32);
}

static raffle_rc ticket_key(void *ctx, const char *origin, uint8_t out[32], raffle_error *err)
{
    const token_keys *k = ctx;
    errand e = {.out = out};
    label_of(&e, origin, "ticket");
    raffle_rc rc = run(k, read_secret, &e, err);
    if (rc == RAFFLE_OK)
        rc = check_found(k, &e, err);
    if (rc == RAFFLE_OK && e.length != 32)
        rc = rf_fail(err, RAFFLE_KEY, "the token \"%s\": the key \"%s\" has not 32 bytes",
                     rf_p11_token_of(k->pool)->label, e.label);
    return rc;
}

/* --- making --- */

/* Other modules want the curve's name (PKCS#11 3.0 2.3.10), OpenSSL's its object identifier (RFC 8410). */
static const CK_BYTE curve_oid[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
static const CK_BYTE curve_name[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'};

static bool is_about_curve(CK_RV rv)
{
    return rv == CKR_CURVE_NOT_SUPPORTED || rv == CKR_DOMAIN_PARAMS_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
           rv == CKR_TEMPLATE_INCONSISTENT || rv == CKR_MECHANISM_PARAM_INVALID || rv == CKR_ARGUMENTS_BAD;
}

static CK_RV generate_pair(rf_p11_call *call, errand *e, const CK_BYTE *curve, size_t length, CK_OBJECT_HANDLE made[2])
{
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_MECHANISM mechanism = {CKM_EC_EDWARDS_KEY_PAIR_GEN, NULL, 0};
    CK_ATTRIBUTE open[] = {{CKA_TOKEN, &yes, sizeof yes},
                           {CKA_PRIVATE, &no, sizeof no},
                           {CKA_VERIFY, &yes, sizeof yes},
                           {CKA_LABEL, e->label, strlen(e->label)},
                           {CKA_EC_PARAMS, (void *)curve, length}};
    CK_ATTRIBUTE hidden[] = {{CKA_TOKEN, &yes, sizeof yes},     {CKA_PRIVATE, &yes, sizeof yes},
                             {CKA_SENSITIVE, &yes, sizeof yes}, {CKA_EXTRACTABLE, &no, sizeof no},
                             {CKA_SIGN, &yes, sizeof yes},      {CKA_LABEL, e->label, strlen(e->label)}};
    call->function = "C_GenerateKeyPair";
    return call->module->C_GenerateKeyPair(call->session, &mechanism, open, sizeof open / sizeof *open, hidden,
                                           sizeof hidden / sizeof *hidden, &made[0], &made[1]);
}

/* Another process may have made the same key meanwhile: nothing in PKCS#11 excludes it. Then ours goes, and `found` says so. */
static CK_RV withdraw_second(rf_p11_call *call, errand *e, CK_OBJECT_CLASS class, const CK_OBJECT_HANDLE *made,
                             size_t n)
{
    CK_OBJECT_HANDLE one;
    CK_RV rv = find(call, e, class, &one);
    if (rv != CKR_OK || e->found == 1)
        return rv;
    call->function = "C_DestroyObject";
    for (size_t i = 0; i < n && rv == CKR_OK; i++)
        rv = call->module->C_DestroyObject(call->session, made[i]);
    return rv;
}

static CK_RV make_pair(rf_p11_call *call, void *ctx)
{
    errand *e = ctx;
    CK_OBJECT_HANDLE made[2];
    CK_RV rv = find(call, e, CKO_PRIVATE_KEY, &made[0]);
    if (rv == CKR_OK && e->found == 0)
        rv = find(call, e, CKO_PUBLIC_KEY, &made[0]);
    e->before = e->found;
    if (rv != CKR_OK || e->found > 0)
        return rv;
    rv = generate_pair(call, e, curve_oid, sizeof curve_oid, made);
    if (is_about_curve(rv))
        rv = generate_pair(call, e, curve_name, sizeof curve_name, made);
    return rv == CKR_OK ? withdraw_second(call, e, CKO_PRIVATE_KEY, made, 2) : rv;
}

static CK_RV make_secret(rf_p11_call *call, void *ctx)
{
    errand *e = ctx;
    CK_OBJECT_HANDLE made;
    CK_MECHANISM mechanism = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
    CK_ULONG size = 32;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ATTRIBUTE template[] = {{CKA_TOKEN, &yes, sizeof yes},       {CKA_PRIVATE, &yes, sizeof yes},
                               {CKA_SENSITIVE, &no, sizeof no},     {CKA_EXTRACTABLE, &yes, sizeof yes},
                               {CKA_VALUE_LEN, &size, sizeof size}, {CKA_LABEL, e->label, strlen(e->label)}};
    CK_RV rv = find(call, e, CKO_SECRET_KEY, &made);
    e->before = e->found;
    if (rv != CKR_OK || e->found > 0)
        return rv;
    call->function = "C_GenerateKey";
    rv = call->module->C_GenerateKey(call->session, &mechanism, template, sizeof template / sizeof *template, &made);
    return rv == CKR_OK ? withdraw_second(call, e, CKO_SECRET_KEY, &made, 1) : rv;
}

static raffle_rc make(void *ctx, const char *origin, const char *name, raffle_error *err)
{
    const token_keys *k = ctx;
    const char *token = rf_p11_token_of(k->pool)->label;
    errand e = {.found = 0};
    label_of(&e, origin, name);
    raffle_rc rc = run(k, strcmp(name, "ticket") == 0 ? make_secret : make_pair, &e, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (e.before > 0)
        return rf_fail(err, RAFFLE_EXISTS, "the token \"%s\" has a key \"%s\" already", token, e.label);
    if (e.found != 1)
        return rf_fail(err, RAFFLE_BUSY, "the token \"%s\": somebody else made the key \"%s\" at the same time", token,
                       e.label);
    return RAFFLE_OK;
}

/* --- opening --- */

static void release(void *ctx)
{
    token_keys *k = ctx;
    rf_p11_close(k->pool);
    free(k);
}

raffle_rc rf_keys_pkcs11_open(const char *uri, const raffle_host *host, raffle_keys_table *table, void **ctx,
                              raffle_error *err)
{
    token_keys *k = calloc(1, sizeof *k);
    if (k == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_p11_open(uri, host, RAFFLE_KEY, &k->pool, err);
    if (rc != RAFFLE_OK) {
        free(k);
        return rc;
    }
    k->timeout_ms = host == NULL || host->timeout_ms == 0 ? TIMEOUT_MS : host->timeout_ms;
    *table = (raffle_keys_table){.struct_size = sizeof *table,
                                 .make = make,
                                 .public_key = public_key,
                                 .sign = sign,
                                 .ticket_key = ticket_key,
                                 .free = release};
    *ctx = k;
    return RAFFLE_OK;
}

raffle_rc rf_keys_pkcs11_note(const char *uri, char out[RAFFLE_TEXT_MAX + 1], raffle_error *err)
{
    rf_p11_uri parsed;
    raffle_rc rc = rf_p11_uri_parse(&parsed, uri, err);
    const size_t length = strlen(parsed.noted);
    if (rc == RAFFLE_OK && length > RAFFLE_TEXT_MAX)
        rc = rf_fail(err, RAFFLE_LIMIT, "the URI of the keys has %zu bytes without a PIN; %d can be noted", length,
                     (int)RAFFLE_TEXT_MAX);
    if (rc == RAFFLE_OK)
        memcpy(out, parsed.noted, length + 1);
    rf_p11_uri_clear(&parsed);
    return rc;
}
