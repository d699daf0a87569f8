/* SPDX-License-Identifier: Apache-2.0 */
/* Reading AWS's answers. Members that are not asked for are skipped, since AWS adds some; what is asked for may be there once only. */
#include "kms_answer.h"

#include "bytes.h"
#include "json.h"
#include "timestamp.h"
#include <sodium.h>
#include <string.h>

enum {
    BYTES_MAX = 1024,
    BASE64_MAX = 1368, /* digits of 1,024 bytes */
    MEMBER_MAX = 32    /* a longer name is none that is asked for */
};

/* A member that is asked for. */
typedef struct member {
    const char *name;
    rf_json_text value;
    bool given;
} member;

/* --- objects --- */

/* Past white space: the byte that comes next, '\0' at the end. */
static char next_byte(rf_json_reader *r)
{
    while (r->at < r->length && strchr(" \t\r\n", r->in[r->at]) != NULL && r->in[r->at] != '\0')
        r->at++;
    return r->at < r->length ? r->in[r->at] : '\0';
}

static bool take(rf_json_reader *r, char byte)
{
    if (next_byte(r) != byte || byte == '\0')
        return false;
    r->at++;
    return true;
}

static member *find(member *wanted, size_t n, const rf_json_text *name)
{
    char text[MEMBER_MAX];
    const size_t length = rf_json_unescape(name, text, sizeof text);
    for (size_t i = 0; i < n && length <= sizeof text; i++)
        if (strlen(wanted[i].name) == length && memcmp(wanted[i].name, text, length) == 0)
            return &wanted[i];
    return NULL;
}

/* The reader of canonical JSON knows no null, and AWS writes it for what is absent. */
static bool take_null(rf_json_reader *r)
{
    if (next_byte(r) != 'n' || r->length - r->at < 4 || memcmp(r->in + r->at, "null", 4) != 0)
        return false;
    r->at += 4;
    return true;
}

static bool take_member(rf_json_reader *r, member *wanted, size_t n)
{
    rf_json_text name;
    const char *any;
    size_t length;
    if (!rf_json_take_string(r, &name) || !take(r, ':'))
        return false;
    member *m = find(wanted, n, &name);
    if (take_null(r))
        return true;
    if (m == NULL)
        return rf_json_take_any(r, &any, &length);
    if (m->given)
        return false;
    m->given = rf_json_take_string(r, &m->value);
    return m->given;
}

/* One object, and white space around it. Its members' names may be any strings, which rf_json_next_key() does not allow. */
static bool read_object(const char *json, size_t length, member *wanted, size_t n)
{
    rf_json_reader r;
    rf_json_reader_init(&r, json, length, false);
    if (!take(&r, '{'))
        return false;
    if (!take(&r, '}')) {
        do {
            if (!take_member(&r, wanted, n))
                return false;
        } while (take(&r, ','));
        if (!take(&r, '}'))
            return false;
    }
    return next_byte(&r) == '\0' && r.at == length;
}

/* The value, ended by NUL; false when it does not fit or holds a NUL. */
static bool copy_text(const member *m, char *out, size_t size)
{
    const size_t length = rf_json_unescape(&m->value, out, size - 1);
    if (length >= size || memchr(out, '\0', length) != NULL)
        return false;
    out[length] = '\0';
    return true;
}

/* --- random bytes --- */

const char *rf_kms_read_random(const char *json, size_t length, uint8_t *out, size_t bytes)
{
    char text[BASE64_MAX + 1];
    size_t n = 0;
    member plaintext = {.name = "Plaintext"};
    if (bytes == 0 || bytes > BYTES_MAX)
        return "is asked for no bytes, or for too many";
    if (!read_object(json, length, &plaintext, 1))
        return "is no JSON object with one string Plaintext";
    if (!plaintext.given)
        return "has no Plaintext";
    bool good =
        copy_text(&plaintext, text, sizeof text) && rf_base64_decode(out, bytes, &n, text, strlen(text)) && n == bytes;
    sodium_memzero(text, sizeof text);
    return good ? NULL : "has a Plaintext that is not as many bytes as were asked for, in canonical base64";
}

/* --- errors --- */

void rf_kms_read_error(const char *json, size_t length, char type[RF_KMS_ERROR_MAX + 1])
{
    char text[256];
    member m = {.name = "__type"};
    type[0] = '\0';
    if (!read_object(json, length, &m, 1) || !m.given || !copy_text(&m, text, sizeof text))
        return;
    const char *hash = strrchr(text, '#');
    const char *from = hash == NULL ? text : hash + 1;
    const size_t n = strcspn(from, ":");
    for (size_t i = 0; i < n; i++)
        if (!rf_kms_is_alphanumeric(from[i]))
            return;
    if (n > RF_KMS_ERROR_MAX)
        return;
    memcpy(type, from, n);
    type[n] = '\0';
}

/* --- credentials --- */

bool rf_kms_read_time(const char *text, int64_t *ms)
{
    enum {
        SECONDS = 19 /* "2026-11-21T18:30:00" */
    };
    char whole[RF_TIME_LENGTH + 1];
    const size_t length = strlen(text);
    if (length <= SECONDS || text[length - 1] != 'Z')
        return false;
    size_t digits = 0;
    if (text[SECONDS] == '.')
        digits = strspn(text + SECONDS + 1, "0123456789");
    if (length != SECONDS + 1 + (digits > 0 ? digits + 1 : 0))
        return false;
    memcpy(whole, text, SECONDS);
    memcpy(whole + SECONDS, ".000Z", sizeof ".000Z");
    return rf_time_parse(whole, RF_TIME_LENGTH, ms);
}

static bool is_visible(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

const char *rf_kms_check_credentials(const rf_kms_credentials *c)
{
    if (c->key_id[0] == '\0' || c->secret[0] == '\0')
        return "has an empty access key";
    for (const char *p = c->key_id; *p != '\0'; p++)
        if (!rf_kms_is_alphanumeric(*p) && *p != '_')
            return "has an AccessKeyId that is no word";
    return is_visible(c->secret) && is_visible(c->token) ? NULL : "has a secret or a token that is no visible ASCII";
}

static const char *take_credentials(const char *json, size_t length, rf_kms_credentials *c)
{
    enum {
        KEY_ID,
        SECRET,
        TOKEN,
        EXPIRATION,
        CODE,
        MEMBERS
    };
    char text[64];
    member m[MEMBERS] = {{.name = "AccessKeyId"},
                         {.name = "SecretAccessKey"},
                         {.name = "Token"},
                         {.name = "Expiration"},
                         {.name = "Code"}};
    if (!read_object(json, length, m, MEMBERS))
        return "is no JSON object of strings, each given once";
    if (m[CODE].given && (!copy_text(&m[CODE], text, sizeof text) || strcmp(text, "Success") != 0))
        return "has a Code that is not \"Success\"";
    if (!m[KEY_ID].given || !m[SECRET].given)
        return "has no AccessKeyId or no SecretAccessKey";
    if (!copy_text(&m[KEY_ID], c->key_id, sizeof c->key_id) || !copy_text(&m[SECRET], c->secret, sizeof c->secret) ||
        (m[TOKEN].given && !copy_text(&m[TOKEN], c->token, sizeof c->token)))
        return "has an access key or a token that is too long";
    c->expires = INT64_MAX;
    if (m[EXPIRATION].given && (!copy_text(&m[EXPIRATION], text, sizeof text) || !rf_kms_read_time(text, &c->expires)))
        return "has an Expiration that is no time";
    return rf_kms_check_credentials(c);
}

const char *rf_kms_read_credentials(const char *json, size_t length, rf_kms_credentials *credentials)
{
    memset(credentials, 0, sizeof *credentials);
    const char *fault = take_credentials(json, length, credentials);
    if (fault != NULL)
        sodium_memzero(credentials, sizeof *credentials);
    return fault;
}
