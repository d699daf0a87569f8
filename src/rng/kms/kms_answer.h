/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS answers with: JSON objects of strings, read without a copy outside of the caller's memory, which is secure. Pure. */
#ifndef RF_RNG_KMS_ANSWER_H
#define RF_RNG_KMS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RF_KMS_BODY_MAX = 12288, /* bytes of the longest answer that is read */
    RF_KMS_KEY_ID_MAX = 128,
    RF_KMS_SECRET_MAX = 256,
    RF_KMS_TOKEN_MAX = 8192,
    RF_KMS_ERROR_MAX = 63 /* bytes of an error's type, "ThrottlingException" */
};

static inline bool rf_kms_is_alphanumeric(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* In secure memory. */
typedef struct rf_kms_credentials {
    char key_id[RF_KMS_KEY_ID_MAX + 1];
    char secret[RF_KMS_SECRET_MAX + 1];
    char token[RF_KMS_TOKEN_MAX + 1]; /* "": none */
    int64_t expires;                  /* milliseconds since the epoch; INT64_MAX: never */
} rf_kms_credentials;

/* These return NULL, or a few words on what is wrong, which hold nothing of the answer. */

/* {"Plaintext":"BASE64"}: exactly `length` bytes, at most 1,024, in canonical base64. On failure `out` may hold some of them. */
const char *rf_kms_read_random(const char *json, size_t length, uint8_t *out, size_t bytes);

/* {"AccessKeyId":…,"SecretAccessKey":…,"Token":…,"Expiration":…}, the last two optional; "Code", when given, is "Success". On failure
 * `credentials` is zeroed. */
const char *rf_kms_read_credentials(const char *json, size_t length, rf_kms_credentials *credentials);

/* Each of them is what it may be, and can stand in a header. */
const char *rf_kms_check_credentials(const rf_kms_credentials *credentials);

/* The type of an error, without the namespace before '#' and what follows ':'; "" when the answer names none. */
void rf_kms_read_error(const char *json, size_t length, char type[RF_KMS_ERROR_MAX + 1]);

/* RFC 3339 in UTC, with or without a fraction: "2026-11-21T18:30:00Z". */
bool rf_kms_read_time(const char *text, int64_t *ms);

#endif
