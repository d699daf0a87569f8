/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a PostgreSQL store's URI apart: our own keys and the fragment come out, the rest is libpq's to read. */
#include "postgres/conninfo.h"

#include "bytes.h"
#include "error.h"
#include "uri.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A URI on its way: `theirs` becomes libpq's, `ours` a URI of our own keys and the fragment. In secure memory. */
typedef struct parts {
    char theirs[RF_URI_MAX + 1];
    char ours[RF_URI_MAX + 16];
    rf_uri uri;
} parts;

static bool is_ours(const char *pair, size_t length)
{
    static const char *const keys[] = {"anchor", "create", "dialect", "readonly"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const size_t n = strlen(keys[i]);
        if (length >= n && memcmp(pair, keys[i], n) == 0 && (length == n || pair[n] == '='))
            return true;
    }
    return false;
}

static void append(char *out, char separator, const char *text, size_t length)
{
    const size_t used = strlen(out);
    out[used] = separator;
    memcpy(out + used + 1, text, length);
    out[used + 1 + length] = '\0';
}

/* Each pair goes to one of the two; both have room, since nothing is lengthened. */
static void split(parts *p, const char *text)
{
    const size_t end = strcspn(text, "#");
    size_t at = strcspn(text, "?#");
    char theirs = '?', ours = '?';
    memcpy(p->theirs, text, at);
    p->theirs[at] = '\0';
    memcpy(p->ours, "store:", sizeof "store:");
    while (at < end) {
        const char *pair = text + at + 1;
        size_t length = strcspn(pair, "&#");
        const bool mine = is_ours(pair, length);
        append(mine ? p->ours : p->theirs, mine ? ours : theirs, pair, length);
        *(mine ? &ours : &theirs) = '&';
        at += 1 + length;
    }
    if (text[end] == '#')
        append(p->ours, '#', text + end + 1, strlen(text + end + 1));
}

/* --- ours --- */

static raffle_rc take_anchor(rf_pg_uri *uri, const rf_uri *ours, raffle_error *err)
{
    const char *anchor = rf_uri_get(ours, "anchor");
    if (anchor == NULL || strcmp(anchor, "none") == 0)
        return RAFFLE_OK;
    if (strncmp(anchor, "file:", 5) != 0 || anchor[5] == '\0')
        return rf_fail(err, RAFFLE_INVALID, "URI: anchor is \"%s\"; it can be file:PATH or none", anchor);
    uri->anchor = strdup(anchor + 5);
    return uri->anchor == NULL ? rf_nomem(err) : RAFFLE_OK;
}

static raffle_rc take_origin(rf_pg_uri *uri, const rf_uri *ours, raffle_error *err)
{
    const char *origin = rf_uri_fragment(ours);
    if (origin == NULL)
        return RAFFLE_OK;
    const size_t length = strnlen(origin, RAFFLE_ORIGIN_SIZE);
    if (length == RAFFLE_ORIGIN_SIZE || !rf_origin_valid(origin, length))
        return rf_fail(err, RAFFLE_INVALID,
                       "URI: what stands after the '#' is no origin of a raffle (a '#' in a password is written %%23)");
    memcpy(uri->origin, origin, length + 1);
    return RAFFLE_OK;
}

static raffle_rc take_ours(rf_pg_uri *uri, parts *p, raffle_error *err)
{
    /* Its own sentence would show a fragment, which may be the end of a password with a '#' in it. */
    if (rf_uri_parse(&p->uri, p->ours, NULL) != RAFFLE_OK)
        return rf_fail(
            err, RAFFLE_INVALID,
            "URI: anchor, create, dialect, readonly or what stands after the '#' is malformed or comes twice");
    raffle_rc rc = rf_uri_flag(&p->uri, "create", &uri->create, err);
    if (rc == RAFFLE_OK)
        rc = rf_uri_flag(&p->uri, "readonly", &uri->readonly, err);
    if (rc == RAFFLE_OK && uri->create && uri->readonly)
        rc = rf_fail(err, RAFFLE_INVALID, "URI: create=1 and readonly=1 exclude each other");
    const char *dialect = rc == RAFFLE_OK ? rf_uri_get(&p->uri, "dialect") : NULL;
    if (dialect != NULL && strcmp(dialect, "dsql") != 0 && strcmp(dialect, "postgresql") != 0)
        rc = rf_fail(err, RAFFLE_INVALID, "URI: dialect is \"%s\"; it can be postgresql or dsql", dialect);
    if (rc == RAFFLE_OK)
        rc = take_anchor(uri, &p->uri, err);
    return rc == RAFFLE_OK ? take_origin(uri, &p->uri, err) : rc;
}

/* --- libpq's --- */

static PQconninfoOption *find(PQconninfoOption *options, const char *keyword)
{
    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return o;
    return NULL;
}

static const char *value_of(const rf_pg_uri *uri, const char *keyword)
{
    const PQconninfoOption *o = find(uri->options, keyword);
    return o == NULL || o->val == NULL ? "" : o->val;
}

/* libpq's own sentence would show what it could not read, which may be the password; what looks like the name of a key may be shown. */
static bool is_showable(const char *key)
{
    return key[0] != '\0' && key[strspn(key, "abcdefghijklmnopqrstuvwxyz_")] == '\0';
}

static raffle_rc explain(const char *theirs, raffle_error *err)
{
    PQconninfoOption *known = PQconndefaults();
    const char *pair = strchr(theirs, '?');
    char key[64];
    for (; known != NULL && pair != NULL; pair = strchr(pair + 1, '&')) {
        const size_t length = strcspn(pair + 1, "=&");
        snprintf(key, sizeof key, "%.*s", (int)length, pair + 1);
        if (is_showable(key) && strcmp(key, "ssl") != 0 && find(known, key) == NULL) {
            PQconninfoFree(known);
            return rf_fail(err, RAFFLE_INVALID, "URI: the key \"%s\" is known neither to us nor to libpq", key);
        }
    }
    PQconninfoFree(known);
    return rf_fail(err, RAFFLE_INVALID, "URI: libpq cannot read it (postgresql://user@host:port/database?key=value)");
}

/* The password goes into secure memory; libpq's copy is wiped. */
static raffle_rc take_password(rf_pg_uri *uri, raffle_error *err)
{
    PQconninfoOption *o = find(uri->options, "password");
    if (o == NULL || o->val == NULL)
        return RAFFLE_OK;
    const size_t length = strlen(o->val);
    uri->password = sodium_malloc(length + 1);
    if (uri->password != NULL)
        memcpy(uri->password, o->val, length + 1);
    sodium_memzero(o->val, length);
    return uri->password == NULL ? rf_nomem(err) : RAFFLE_OK;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static void describe(rf_pg_uri *uri)
{
    const char *host = value_of(uri, "host");
    if (host[0] == '\0')
        host = value_of(uri, "hostaddr");
    snprintf(uri->label, sizeof uri->label, "%.60s/%.30s", host, value_of(uri, "dbname"));
}

static raffle_rc take_theirs(rf_pg_uri *uri, const parts *p, const char *text, raffle_error *err)
{
    char *fault = NULL;
    uri->options = PQconninfoParse(p->theirs, &fault);
    if (fault != NULL) {
        sodium_memzero(fault, strlen(fault));
        PQfreemem(fault);
    }
    if (uri->options == NULL)
        return explain(p->theirs, err);
    raffle_rc rc = take_password(uri, err);
    if (rc != RAFFLE_OK)
        return rc;
    uri->text = strdup(uri->password == NULL ? text : "");
    const char *dialect = rf_uri_get(&p->uri, "dialect");
    const char *host = value_of(uri, "host");
    uri->dsql =
        dialect != NULL ? strcmp(dialect, "dsql") == 0 : strstr(host, ".dsql.") != NULL && ends_with(host, ".on.aws");
    /* A password's '@' or '/' that was not escaped: the rest of it would be taken for the host or the database, and shown as such. */
    if (strchr(host, '@') != NULL || (value_of(uri, "user")[0] == '\0' && strchr(value_of(uri, "dbname"), '@') != NULL))
        return rf_fail(
            err, RAFFLE_INVALID,
            "URI: an '@' stands in the host or the database; in a password '@' is written %%40, and '/' %%2F");
    describe(uri);
    return uri->text == NULL ? rf_nomem(err) : RAFFLE_OK;
}

raffle_rc rf_pg_uri_parse(rf_pg_uri *uri, const char *text, raffle_error *err)
{
    *uri = (rf_pg_uri){.text = NULL};
    if (strnlen(text, RF_URI_MAX + 1) > RF_URI_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "URI: longer than %d bytes", (int)RF_URI_MAX);
    parts *p = sodium_malloc(sizeof *p);
    if (p == NULL)
        return rf_nomem(err);
    split(p, text);
    raffle_rc rc = take_ours(uri, p, err);
    if (rc == RAFFLE_OK)
        rc = take_theirs(uri, p, text, err);
    sodium_free(p); /* wipes it */
    return rc;
}

/* What libpq marks as a secret with '*', the phrase of a client's key (sslpassword) among it, and the URI that it stood in. */
void rf_pg_uri_clear(rf_pg_uri *uri)
{
    for (PQconninfoOption *o = uri->options; o != NULL && o->keyword != NULL; o++)
        if (o->val != NULL && o->dispchar != NULL && o->dispchar[0] == '*')
            sodium_memzero(o->val, strlen(o->val));
    PQconninfoFree(uri->options);
    sodium_free(uri->password);
    if (uri->text != NULL)
        sodium_memzero(uri->text, strlen(uri->text));
    free(uri->text);
    free(uri->anchor);
}
