/* SPDX-License-Identifier: Apache-2.0 */
/* The Time-Stamp Protocol (RFC 3161) over OpenSSL's: queries, and responses that are checked down to the signature. */
#include <raffle/timestamp.h>

#include "abi.h"
#include "error.h"
#include "timestamp.h"
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/sha.h>
#include <openssl/ts.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

void raffle_timestamp_init(raffle_timestamp *timestamp, size_t size)
{
    rf_struct_init(timestamp, size);
}

/* OpenSSL's reason for its last failure; its queue, which is the thread's, is left as it was found by whoever set a mark. */
static raffle_rc fail_by(raffle_error *err, raffle_rc rc, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return rf_fail(err, rc, "%s: %s", what, reason != NULL ? reason : "no reason given");
}

/* --- the query --- */

static bool fill_imprint(TS_MSG_IMPRINT *imprint, uint8_t digest[SHA256_DIGEST_LENGTH])
{
    X509_ALGOR *algorithm = X509_ALGOR_new();
    const bool done = algorithm != NULL &&
                      X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
                      TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
                      TS_MSG_IMPRINT_set_msg(imprint, digest, SHA256_DIGEST_LENGTH) == 1;
    X509_ALGOR_free(algorithm);
    return done;
}

/* No nonce: a response is told from an older one by its data, which is a checkpoint that was not there before. */
static int encode_query(uint8_t digest[SHA256_DIGEST_LENGTH], uint8_t *out)
{
    int length = 0;
    TS_REQ *request = TS_REQ_new();
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    if (request != NULL && imprint != NULL && fill_imprint(imprint, digest) && TS_REQ_set_version(request, 1) == 1 &&
        TS_REQ_set_msg_imprint(request, imprint) == 1 && TS_REQ_set_cert_req(request, 1) == 1)
        length = i2d_TS_REQ(request, out == NULL ? NULL : &out);
    TS_MSG_IMPRINT_free(imprint);
    TS_REQ_free(request);
    return length;
}

raffle_rc raffle_timestamp_query(const void *data, size_t length, uint8_t *query, size_t cap, size_t *query_length,
                                 raffle_error *err)
{
    uint8_t digest[SHA256_DIGEST_LENGTH], encoded[RAFFLE_TIMESTAMP_QUERY_MAX];
    if ((data == NULL && length > 0) || query_length == NULL || (query == NULL && cap > 0))
        return rf_null(err, query_length == NULL ? "query_length" : query == NULL ? "query" : "data");
    if (EVP_Q_digest(NULL, "SHA256", NULL, data, length, digest, NULL) != 1)
        return rf_nomem(err);
    const int needed = encode_query(digest, NULL);
    if (needed <= 0 || (size_t)needed > sizeof encoded || encode_query(digest, encoded) != needed)
        return rf_nomem(err);
    *query_length = (size_t)needed;
    if (cap < (size_t)needed)
        return rf_fail(err, RAFFLE_TOO_SMALL, "the query needs %d bytes, and %zu are there", needed, cap);
    memcpy(query, encoded, (size_t)needed);
    return RAFFLE_OK;
}

/* --- the response --- */

/* What one verification works with. */
typedef struct stamp {
    TS_RESP *response;
    PKCS7 *token;      /* the response's */
    TS_TST_INFO *info; /* the response's */
    raffle_timestamp says;
} stamp;

static raffle_rc decode(stamp *s, const uint8_t *bytes, size_t length, raffle_error *err)
{
    const uint8_t *at = bytes;
    if (length > RAFFLE_TIMESTAMP_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "the time stamp has %zu bytes; the longest has %d", length,
                       RAFFLE_TIMESTAMP_MAX);
    s->response = d2i_TS_RESP(NULL, &at, (long)length);
    if (s->response == NULL)
        return rf_fail(err, RAFFLE_INVALID, "it is no time stamp response");
    if (at != bytes + length)
        return rf_fail(err, RAFFLE_INVALID, "%zu bytes follow the time stamp", (size_t)(bytes + length - at));
    const long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(s->response)));
    if (status != TS_STATUS_GRANTED && status != TS_STATUS_GRANTED_WITH_MODS)
        return rf_fail(err, RAFFLE_INVALID, "the authority refused the time stamp: status %ld", status);
    s->token = TS_RESP_get_token(s->response);
    s->info = TS_RESP_get_tst_info(s->response);
    if (s->token == NULL || s->info == NULL)
        return rf_fail(err, RAFFLE_INVALID, "the response holds no time stamp");
    return RAFFLE_OK;
}

static raffle_rc check_imprint(stamp *s, const void *data, size_t length, raffle_error *err)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    const ASN1_OBJECT *algorithm = NULL;
    TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(s->info);
    X509_ALGOR_get0(&algorithm, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
    const ASN1_OCTET_STRING *found = TS_MSG_IMPRINT_get_msg(imprint);
    if (OBJ_obj2nid(algorithm) != NID_sha256)
        return rf_fail(err, RAFFLE_INVALID, "the time stamp is not over a SHA-256");
    if (EVP_Q_digest(NULL, "SHA256", NULL, data, length, digest, NULL) != 1)
        return rf_nomem(err);
    if (ASN1_STRING_length(found) != SHA256_DIGEST_LENGTH ||
        memcmp(ASN1_STRING_get0_data(found), digest, SHA256_DIGEST_LENGTH) != 0)
        return rf_fail(err, RAFFLE_MISMATCH, "the time stamp is over other data");
    return RAFFLE_OK;
}

/* GeneralizedTime, whose fraction, if any, is left out. */
static raffle_rc read_time(stamp *s, raffle_error *err)
{
    struct tm tm;
    char text[RF_TIME_LENGTH + 16];
    const ASN1_GENERALIZEDTIME *time = TS_TST_INFO_get_time(s->info);
    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
        return rf_fail(err, RAFFLE_INVALID, "the time stamp gives no time");
    const int n = snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.000Z", tm.tm_year + 1900, tm.tm_mon + 1,
                           tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (n != RF_TIME_LENGTH || !rf_time_parse(text, RF_TIME_LENGTH, &s->says.at))
        return rf_fail(err, RAFFLE_INVALID, "the time stamp's time is none");
    return RAFFLE_OK;
}

/* --- who signed --- */

/* The name that people know the authority by. What a certificate says is as hostile as any text: control characters go, and what does not fit. */
static void read_authority(stamp *s)
{
    raffle_error clean = RAFFLE_ERROR_INIT;
    unsigned char *name = NULL;
    STACK_OF(X509) *signers = PKCS7_get0_signers(s->token, NULL, 0);
    X509_NAME *subject = sk_X509_num(signers) == 1 ? X509_get_subject_name(sk_X509_value(signers, 0)) : NULL;
    const int at = subject == NULL ? -1 : X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0 && ASN1_STRING_to_UTF8(&name, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))) >= 0) {
        (void)rf_fail(&clean, RAFFLE_INVALID, "%.*s", RAFFLE_NAME_MAX, (const char *)name);
        memcpy(s->says.authority, clean.message, strnlen(clean.message, RAFFLE_NAME_MAX));
    }
    OPENSSL_free(name);
    sk_X509_free(signers);
}

/* That the certificate in the token signed it; who that is stays open. */
static raffle_rc check_signature(stamp *s, raffle_error *err)
{
    if (PKCS7_verify(s->token, NULL, NULL, NULL, NULL, PKCS7_NOVERIFY) != 1)
        return fail_by(err, RAFFLE_SIGNATURE, "the time stamp's signature does not hold");
    return RAFFLE_OK;
}

/* Adds every certificate; false when there is none, or one of them cannot be read. */
static bool add_certificates(X509_STORE *store, const char *pem)
{
    size_t n = 0;
    bool good = true;
    BIO *in = BIO_new_mem_buf(pem, -1);
    for (X509 *one; in != NULL && good && (one = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL; n++) {
        good = X509_STORE_add_cert(store, one) == 1;
        X509_free(one);
    }
    good =
        good && n > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE; /* the end, and nothing else */
    BIO_free(in);
    return good;
}

/* The authorities, asked about the time of the stamp; NULL when they cannot be read. */
static X509_STORE *load_authorities(const stamp *s, const char *pem)
{
    X509_STORE *store = X509_STORE_new();
    if (store != NULL && add_certificates(store, pem)) {
        X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)(s->says.at / 1000));
        return store;
    }
    X509_STORE_free(store);
    return NULL;
}

/* RFC 3161 2.4.2: the version, the signer's ESS certificate identifier, the purpose of its certificate, the chain. */
static raffle_rc check_chain(stamp *s, const char *authorities, raffle_error *err)
{
    X509_STORE *store = load_authorities(s, authorities);
    if (store == NULL)
        return rf_fail(err, RAFFLE_INVALID, "the authorities are no certificates in PEM");
    TS_VERIFY_CTX *verify = TS_VERIFY_CTX_new();
    if (verify == NULL) {
        X509_STORE_free(store);
        return rf_nomem(err);
    }
    TS_VERIFY_CTX_set_flags(verify, TS_VFY_VERSION | TS_VFY_SIGNATURE);
    TS_VERIFY_CTX_set_store(verify, store); /* is `verify`'s now */
    const int good = TS_RESP_verify_response(verify, s->response);
    TS_VERIFY_CTX_free(verify);
    if (good != 1)
        return fail_by(err, RAFFLE_SIGNATURE, "the time stamp's certificate does not lead to an authority");
    s->says.trusted = 1;
    return RAFFLE_OK;
}

/* --- the call --- */

static raffle_rc verify(stamp *s, const void *data, size_t length, const uint8_t *response, size_t response_length,
                        const char *authorities, raffle_error *err)
{
    raffle_rc rc = decode(s, response, response_length, err);
    if (rc == RAFFLE_OK)
        rc = check_imprint(s, data, length, err);
    if (rc == RAFFLE_OK)
        rc = read_time(s, err);
    if (rc == RAFFLE_OK)
        rc = check_signature(s, err);
    if (rc == RAFFLE_OK && authorities != NULL)
        rc = check_chain(s, authorities, err);
    if (rc == RAFFLE_OK)
        read_authority(s);
    return rc;
}

raffle_rc raffle_timestamp_verify(const void *data, size_t length, const uint8_t *response, size_t response_length,
                                  const char *authorities, raffle_timestamp *timestamp, raffle_error *err)
{
    stamp s = {.says = RAFFLE_TIMESTAMP_INIT};
    if ((data == NULL && length > 0) || response == NULL)
        return rf_null(err, response == NULL ? "response" : "data");
    raffle_rc rc = timestamp == NULL ? RAFFLE_OK : rf_struct_check(timestamp, "timestamp", err);
    if (rc != RAFFLE_OK)
        return rc;
    ERR_set_mark();
    rc = verify(&s, data, length, response, response_length, authorities, err);
    ERR_pop_to_mark();
    TS_RESP_free(s.response);
    if (rc == RAFFLE_OK && timestamp != NULL)
        rf_struct_out(timestamp, rf_struct_size(timestamp), &s.says, sizeof s.says);
    return rc;
}
