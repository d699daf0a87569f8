/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the URI of a token: p11-kit decodes it; which attributes stand there is judged here, since p11-kit takes what it does not know for a token
 * that is not there, strips white space, and keeps PINs in memory that nobody wipes. */
#include "pkcs11_uri.h"

#include "error.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_BYTES = 32,
    MODULE_PATH_MAX = 1024
};

static const char scheme[] = "pkcs11:";

typedef enum kind {
    TOKEN,
    SERIAL,
    MANUFACTURER,
    MODEL,
    MODULE_NAME,
    MODULE_PATH,
    PIN_SOURCE,
    PIN_VALUE,
    REFUSED
} kind;

typedef struct known {
    const char *name;
    kind kind;
    bool query; /* stands after the '?' */
    size_t max; /* bytes of its decoded value */
    const char *refusal;
} known;

static const char a_slot[] = "a slot's place changes: the token is named by its label or serial number";
static const char an_object[] = "it names an object, where a token is meant";
static const char a_library[] = "a module is named by module-path or module-name";

static const known attributes[] = {
    {"token", TOKEN, false, 32, NULL},
    {"serial", SERIAL, false, 16, NULL},
    {"manufacturer", MANUFACTURER, false, 32, NULL},
    {"model", MODEL, false, 16, NULL},
    {"module-name", MODULE_NAME, true, MODULE_PATH_MAX, NULL},
    {"module-path", MODULE_PATH, true, MODULE_PATH_MAX, NULL},
    {"pin-source", PIN_SOURCE, true, MODULE_PATH_MAX, NULL},
    {"pin-value", PIN_VALUE, true, RF_P11_PIN_MAX, NULL},
    {"slot-id", REFUSED, false, 0, a_slot},
    {"slot-description", REFUSED, false, 0, a_slot},
    {"slot-manufacturer", REFUSED, false, 0, a_slot},
    {"object", REFUSED, false, 0, an_object},
    {"type", REFUSED, false, 0, an_object},
    {"id", REFUSED, false, 0, an_object},
    {"library-description", REFUSED, false, 0, a_library},
    {"library-manufacturer", REFUSED, false, 0, a_library},
    {"library-version", REFUSED, false, 0, a_library},
};

/* An attribute as it stands in the URI. */
typedef struct attribute {
    const char *name, *value;
    size_t name_length, value_length;
} attribute;

/* A copy of the URI that leaves something out. */
typedef struct copy {
    char *text;
    size_t used, attributes;
    bool in_query;
} copy;

typedef struct parser {
    rf_p11_uri *uri;
    copy text, noted; /* into the fields of `uri` by these names */
    unsigned seen;    /* a bit a kind */
    bool query;       /* after the '?' */
    raffle_error *err;
} parser;

/* --- memory --- */

rf_p11_pin *rf_p11_pin_new(void)
{
    rf_p11_pin *pin = sodium_init() < 0 ? NULL : sodium_malloc(sizeof *pin);
    if (pin != NULL)
        sodium_memzero(pin, sizeof *pin);
    return pin;
}

void rf_p11_pin_free(rf_p11_pin *pin)
{
    sodium_free(pin); /* wipes it */
}

void rf_p11_uri_clear(rf_p11_uri *uri)
{
    p11_kit_uri_free(uri->parsed);
    rf_p11_pin_free(uri->pin);
    free(uri->pin_file);
    *uri = (rf_p11_uri){0};
}

/* --- values --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* pk11-path-res-avail and pk11-query-res-avail of RFC 7512 2.3, with unreserved characters of RFC 3986. */
static bool may_stand(char c, bool query)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c != '\0' && strchr(query ? "-._~:[]@!$'()*+,=/?|" : "-._~:[]@!$'()*+,=&", c) != NULL;
}

/* Decodes into `out` unless that is NULL, without a NUL; SIZE_MAX: malformed, or longer than `cap`. */
static size_t decode(const attribute *a, bool query, char *out, size_t cap)
{
    size_t length = 0;
    for (size_t i = 0; i < a->value_length; i++) {
        char c = a->value[i];
        if (c == '%') {
            const int high = a->value_length - i > 2 ? hex_digit(a->value[i + 1]) : -1;
            const int low = high >= 0 ? hex_digit(a->value[i + 2]) : -1;
            if (low < 0 || high + low == 0)
                return SIZE_MAX;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (!may_stand(c, query)) {
            return SIZE_MAX;
        }
        if (length == cap)
            return SIZE_MAX;
        if (out != NULL)
            out[length] = c;
        length++;
    }
    return length;
}

static raffle_rc check_value(const parser *p, const known *k, const attribute *a)
{
    if (a->value_length == 0)
        return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: the attribute %s is empty", k->name);
    if (decode(a, p->query, NULL, k->max) == SIZE_MAX)
        return rf_fail(p->err, RAFFLE_INVALID,
                       "pkcs11: the value of %s has more than %zu bytes, or characters that are to be written as %%XX",
                       k->name, k->max);
    return RAFFLE_OK;
}

static raffle_rc take_pin(parser *p, const known *k, const attribute *a)
{
    rf_p11_pin *pin = p->uri->pin = rf_p11_pin_new();
    if (pin == NULL)
        return rf_nomem(p->err);
    pin->length = decode(a, true, (char *)pin->bytes, k->max);
    return RAFFLE_OK;
}

/* "file:/path", "file:///path" or "/path" (RFC 7512 2.4). */
static raffle_rc take_pin_source(parser *p, const known *k, const attribute *a)
{
    char *path = calloc(1, k->max + 1);
    if (path == NULL)
        return rf_nomem(p->err);
    decode(a, true, path, k->max);
    const char *start = path;
    if (strncmp(start, "file:", 5) == 0)
        start += 5;
    if (strncmp(start, "///", 3) == 0)
        start += 2;
    if (start[0] == '/' && start[1] != '/')
        p->uri->pin_file = strdup(start);
    const bool good = start[0] == '/' && start[1] != '/', kept = p->uri->pin_file != NULL;
    const bool command = path[0] == '|';
    free(path);
    if (command)
        return rf_fail(p->err, RAFFLE_INVALID,
                       "pkcs11: the pin-source is a command, which is not run; it can be a file");
    if (!good)
        return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: the pin-source is not \"file:\" and a path from the root");
    return kept ? RAFFLE_OK : rf_nomem(p->err);
}

static raffle_rc take_value(parser *p, const known *k, const attribute *a)
{
    if (k->kind == PIN_VALUE)
        return take_pin(p, k, a);
    if (k->kind == PIN_SOURCE)
        return take_pin_source(p, k, a);
    if (k->kind == MODULE_PATH && a->value[0] != '/')
        return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: the module-path does not begin at the root");
    return RAFFLE_OK;
}

/* --- attributes --- */

static const known *find(const attribute *a)
{
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        if (strlen(attributes[i].name) == a->name_length && memcmp(attributes[i].name, a->name, a->name_length) == 0)
            return &attributes[i];
    }
    return NULL;
}

static bool has(const parser *p, kind k)
{
    return p->seen >> k & 1;
}

static bool is_name(const attribute *a)
{
    for (size_t i = 0; i < a->name_length; i++) {
        const char c = a->name[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
            return false;
    }
    return a->name_length <= NAME_MAX_BYTES;
}

/* What stands after a PIN, or looks like the name of one, may be a part of it that was not encoded. */
static raffle_rc fail_unknown(const parser *p, const attribute *a)
{
    if (has(p, PIN_VALUE) || has(p, PIN_SOURCE))
        return rf_fail(p->err, RAFFLE_INVALID,
                       "pkcs11: an attribute that is not known follows that of the PIN, where '&' is written %%26");
    if (!is_name(a))
        return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: the name of an attribute is not 1 to %d of a-z, 0-9 and '-'",
                       (int)NAME_MAX_BYTES);
    if (a->name_length >= 3 && memcmp(a->name, "pin", 3) == 0)
        return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: an attribute that begins with \"pin\" is not known");
    return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: the attribute \"%.*s\" is not known", (int)a->name_length, a->name);
}

static raffle_rc check_place(const parser *p, const known *k)
{
    if (k->kind == REFUSED)
        return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: the attribute %s is refused: %s", k->name, k->refusal);
    if (k->query != p->query)
        return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: the attribute %s belongs %s the '?'", k->name,
                       k->query ? "after" : "before");
    if (has(p, k->kind))
        return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: the attribute %s is given twice", k->name);
    return RAFFLE_OK;
}

/* A copy of the URI without some of its attributes. There is room: it is no longer than the whole one. */
static void append(copy *c, const attribute *a, bool query)
{
    const char separator = !query ? ';' : c->in_query ? '&' : '?';
    if (query || c->attributes > 0)
        c->text[c->used++] = separator;
    memcpy(c->text + c->used, a->name, a->name_length + 1 + a->value_length);
    c->used += a->name_length + 1 + a->value_length;
    c->in_query = query;
    c->attributes++;
}

static void keep(parser *p, const known *k, const attribute *a)
{
    if (k->kind != PIN_VALUE)
        append(&p->noted, a, p->query);
    if (k->kind != PIN_VALUE && k->kind != PIN_SOURCE)
        append(&p->text, a, p->query);
}

static raffle_rc read_attribute(parser *p, const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    if (equals == NULL || equals == text)
        return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: an attribute is not a name, '=' and a value");
    const attribute a = {text, equals + 1, (size_t)(equals - text), length - (size_t)(equals - text) - 1};
    const known *k = find(&a);
    if (k == NULL)
        return fail_unknown(p, &a);
    raffle_rc rc = check_place(p, k);
    if (rc == RAFFLE_OK)
        rc = check_value(p, k, &a);
    if (rc == RAFFLE_OK)
        rc = take_value(p, k, &a);
    p->seen |= 1U << k->kind;
    if (rc == RAFFLE_OK)
        keep(p, k, &a);
    return rc;
}

/* The attributes of one part, the path or the query. */
static raffle_rc read_part(parser *p, const char *text, size_t length, char separator)
{
    const char *end = text + length;
    for (;;) {
        const char *stop = memchr(text, separator, (size_t)(end - text));
        raffle_rc rc = read_attribute(p, text, (size_t)((stop == NULL ? end : stop) - text));
        if (rc != RAFFLE_OK || stop == NULL)
            return rc;
        text = stop + 1;
    }
}

static raffle_rc check_together(const parser *p)
{
    if (has(p, PIN_VALUE) && has(p, PIN_SOURCE))
        return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: pin-value and pin-source exclude each other");
    if (has(p, MODULE_NAME) && has(p, MODULE_PATH))
        return rf_fail(p->err, RAFFLE_INVALID, "pkcs11: module-name and module-path exclude each other");
    if (!has(p, TOKEN) && !has(p, SERIAL))
        return rf_fail(p->err, RAFFLE_INVALID,
                       "pkcs11: the token is not named: token=LABEL or serial=NUMBER is missing");
    return RAFFLE_OK;
}

static raffle_rc hand_to_p11_kit(rf_p11_uri *uri, raffle_error *err)
{
    uri->parsed = p11_kit_uri_new();
    if (uri->parsed == NULL)
        return rf_nomem(err);
    const int result = p11_kit_uri_parse(uri->text, P11_KIT_URI_FOR_TOKEN, uri->parsed);
    if (result == P11_KIT_URI_NO_MEMORY)
        return rf_nomem(err);
    if (result != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(uri->parsed))
        return rf_fail(err, RAFFLE_INVALID, "pkcs11: p11-kit does not read \"%s\"", uri->text);
    return RAFFLE_OK;
}

raffle_rc rf_p11_uri_parse(rf_p11_uri *uri, const char *text, raffle_error *err)
{
    *uri = (rf_p11_uri){0};
    const size_t length = strnlen(text, RF_P11_URI_MAX + 1);
    if (length > RF_P11_URI_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "pkcs11: the URI is longer than %d bytes", (int)RF_P11_URI_MAX);
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return rf_fail(err, RAFFLE_INVALID, "pkcs11: the URI does not begin with \"%s\"", scheme);
    memcpy(uri->text, scheme, sizeof scheme);
    memcpy(uri->noted, scheme, sizeof scheme);
    parser p = {.uri = uri, .text = {.text = uri->text}, .noted = {.text = uri->noted}, .err = err};
    p.text.used = p.noted.used = sizeof scheme - 1;
    const char *path = text + sizeof scheme - 1;
    const size_t path_length = strcspn(path, "?");
    raffle_rc rc = RAFFLE_OK;
    if (path_length > 0)
        rc = read_part(&p, path, path_length, ';');
    p.query = true;
    if (rc == RAFFLE_OK && path[path_length] == '?')
        rc = read_part(&p, path + path_length + 1, strlen(path + path_length + 1), '&');
    if (rc == RAFFLE_OK)
        rc = check_together(&p);
    return rc == RAFFLE_OK ? hand_to_p11_kit(uri, err) : rc;
}

const char *rf_p11_uri_module_path(const rf_p11_uri *uri)
{
    return p11_kit_uri_get_module_path(uri->parsed);
}

const char *rf_p11_uri_module_name(const rf_p11_uri *uri)
{
    return p11_kit_uri_get_module_name(uri->parsed);
}
