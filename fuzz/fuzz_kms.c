/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's answers and the provider's URI: what is accepted is bounded, written as the same text, and does not depend on what was in memory. */
#include "bytes.h"
#include "fuzz.h"
#include "kms_answer.h"
#include "kms_uri.h"

enum {
    BYTES_MAX = 1024
};

/* An answer is accepted for one length at most, and what was accepted can be said again. */
static void check_random(const char *json, size_t length)
{
    static uint8_t out[BYTES_MAX + 1], again[BYTES_MAX];
    static char text[2048];
    size_t accepted = 0;
    for (size_t n = 1; n <= BYTES_MAX; n += n < 64 ? 1 : 64) {
        out[n] = 0x5a;
        bool good = rf_kms_read_random(json, length, out, n) == NULL;
        fuzz_require(out[n] == 0x5a, "no more bytes are written than were asked for");
        fuzz_require(!good || accepted == 0, "an answer has one length");
        if (!good)
            continue;
        accepted = n;
        int head = snprintf(text, sizeof text, "{\"Plaintext\":\"");
        size_t end = (size_t)head + rf_base64_encode(text + head, out, n);
        memcpy(text + end, "\"}", 2);
        fuzz_require(rf_kms_read_random(text, end + 2, again, n) == NULL && memcmp(out, again, n) == 0,
                     "what is accepted is accepted again");
    }
}

static void check_error(const char *json, size_t length)
{
    char type[RF_KMS_ERROR_MAX + 1];
    rf_kms_read_error(json, length, type);
    fuzz_require(strnlen(type, sizeof type) < sizeof type, "an error's type ends");
    for (const char *p = type; *p != '\0'; p++)
        fuzz_require(rf_kms_is_alphanumeric(*p), "an error's type is a word");
}

static void check_credentials(const char *json, size_t length)
{
    static rf_kms_credentials c, zero;
    memset(&c, 0xaa, sizeof c);
    if (rf_kms_read_credentials(json, length, &c) != NULL) {
        fuzz_require(memcmp(&c, &zero, sizeof c) == 0, "nothing is left of credentials that are refused");
        return;
    }
    fuzz_require(rf_kms_check_credentials(&c) == NULL && c.key_id[0] != '\0' && c.secret[0] != '\0',
                 "credentials that are accepted can stand in a header");
    fuzz_require(strnlen(c.token, sizeof c.token) < sizeof c.token && strpbrk(c.token, "\r\n ") == NULL,
                 "a token is one word");
}

static void check_uri(const char *text, size_t length)
{
    rf_kms_uri uri;
    rf_kms_url url;
    char *copy = fuzz_alloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (rf_kms_uri_parse(&uri, copy, NULL) == RAFFLE_OK) {
        fuzz_require(strlen(uri.name) <= RAFFLE_NAME_MAX && strncmp(uri.name, "kms:", 4) == 0, "a name is bounded");
        fuzz_require(uri.endpoint.tls || uri.endpoint.loopback, "an endpoint has TLS, or is loopback");
        fuzz_require(uri.foreign == (strchr(uri.name, '@') != NULL), "a foreign endpoint shows in the name");
    }
    if (rf_kms_url_parse(&url, copy))
        fuzz_require(strcmp(url.text, copy) == 0 && url.port != 0 && strchr(url.authority, '@') == NULL &&
                         strstr(url.text, url.host) != NULL,
                     "a URL is kept as it is, and has no user");
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    check_random(text, size);
    check_error(text, size);
    check_credentials(text, size);
    check_uri(text, size);
    return 0;
}
