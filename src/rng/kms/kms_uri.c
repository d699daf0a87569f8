/* SPDX-License-Identifier: Apache-2.0 */
/* Taking `kms:?region=…` apart: no escapes, one spelling for each value, and a name that only AWS's own endpoints leave without a host. */
#include "kms_uri.h"

#include "bytes.h"
#include "error.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum {
    KEY_MAX = 32
};

/* --- URLs --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || is_digit(c);
}

/* [a-z0-9], and hyphens within. */
static bool is_label(const char *text, size_t length)
{
    if (length == 0 || length > 63 || text[0] == '-' || text[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_lower_or_digit(text[i]) && text[i] != '-')
            return false;
    return true;
}

/* Labels between dots; IPv4 addresses are of this form too. */
static bool is_host_name(const char *host)
{
    for (;;) {
        const size_t length = strcspn(host, ".");
        if (!is_label(host, length))
            return false;
        if (host[length] == '\0')
            return true;
        host += length + 1;
    }
}

/* The address between brackets, in the shortest form that inet_ntop() writes: one spelling. */
static bool is_host_v6(const char *host, struct in6_addr *address)
{
    char inner[INET6_ADDRSTRLEN], again[INET6_ADDRSTRLEN];
    const size_t length = strlen(host);
    if (length < 4 || length - 2 >= sizeof inner || host[0] != '[' || host[length - 1] != ']')
        return false;
    memcpy(inner, host + 1, length - 2);
    inner[length - 2] = '\0';
    return inet_pton(AF_INET6, inner, address) == 1 && inet_ntop(AF_INET6, address, again, sizeof again) != NULL &&
           strcmp(inner, again) == 0;
}

static bool classify_v6(rf_kms_url *url)
{
    struct in6_addr address;
    if (!is_host_v6(url->host, &address))
        return false;
    url->loopback = IN6_IS_ADDR_LOOPBACK(&address);
    url->metadata = strcmp(url->host, "[fd00:ec2::254]") == 0 || strcmp(url->host, "[fd00:ec2::23]") == 0;
    return true;
}

static bool classify(rf_kms_url *url)
{
    struct in_addr address;
    if (url->host[0] == '[')
        return classify_v6(url);
    if (!is_host_name(url->host))
        return false;
    if (inet_pton(AF_INET, url->host, &address) == 1)
        url->loopback = ntohl(address.s_addr) >> 24 == 127;
    else
        url->loopback = strcmp(url->host, "localhost") == 0;
    url->metadata = strcmp(url->host, "169.254.169.254") == 0 || strcmp(url->host, "169.254.170.2") == 0 ||
                    strcmp(url->host, "169.254.170.23") == 0;
    return true;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || strchr("\"#<>\\^`{|}", *text) != NULL)
            return false;
    return true;
}

/* The host and the port of `authority`, which is in `url` already. */
static bool split_authority(rf_kms_url *url)
{
    const char *authority = url->authority;
    const char *bracket = authority[0] == '[' ? strchr(authority, ']') : NULL;
    const char *colon = strchr(bracket == NULL ? authority : bracket, ':');
    const size_t length = colon == NULL ? strlen(authority) : (size_t)(colon - authority);
    uint64_t port = url->tls ? 443 : 80;
    if (length > RF_KMS_HOST_MAX)
        return false;
    if (colon != NULL && (!rf_decimal_parse(colon + 1, strlen(colon + 1), UINT16_MAX, &port) || port == 0))
        return false;
    memcpy(url->host, authority, length);
    url->host[length] = '\0';
    url->port = (uint16_t)port;
    return classify(url);
}

bool rf_kms_url_parse(rf_kms_url *url, const char *text)
{
    memset(url, 0, sizeof *url);
    const size_t whole = strnlen(text, sizeof url->text);
    if (whole == sizeof url->text || !is_printable(text))
        return false;
    memcpy(url->text, text, whole);
    url->tls = strncmp(text, "https://", 8) == 0;
    if (!url->tls && strncmp(text, "http://", 7) != 0)
        return false;
    const char *authority = text + (url->tls ? 8 : 7);
    const size_t length = strcspn(authority, "/?");
    if (length >= sizeof url->authority)
        return false;
    memcpy(url->authority, authority, length);
    const char *rest = authority + length;
    url->path = *rest != '\0' && strcmp(rest, "/") != 0;
    return split_authority(url);
}

/* --- parameters --- */

static raffle_rc read_region(rf_kms_uri *uri, const char *value, raffle_error *err)
{
    const size_t length = strlen(value);
    bool good = length <= RF_KMS_REGION_MAX && is_label(value, length) && !is_digit(value[0]) &&
                is_digit(value[length - 1]) && strchr(value, '-') != NULL && strstr(value, "--") == NULL;
    if (!good)
        return rf_fail(err, RAFFLE_INVALID, "kms: region is \"%.40s\", which is no region such as \"ca-central-1\"",
                       value);
    memcpy(uri->region, value, length);
    return RAFFLE_OK;
}

static raffle_rc read_store(rf_kms_uri *uri, const char *value, raffle_error *err)
{
    const size_t length = strlen(value);
    if (length > RF_KMS_STORE_MAX || strncmp(value, "cks-", 4) != 0 || !is_label(value + 4, length - 4) ||
        strchr(value + 4, '-') != NULL)
        return rf_fail(err, RAFFLE_INVALID,
                       "kms: custom-key-store is \"%.70s\", which is no id such as \"cks-1234567890abcdef0\"", value);
    memcpy(uri->store, value, length);
    return RAFFLE_OK;
}

static raffle_rc read_endpoint(rf_kms_uri *uri, const char *value, raffle_error *err)
{
    if (!rf_kms_url_parse(&uri->endpoint, value) || uri->endpoint.path)
        return rf_fail(err, RAFFLE_INVALID,
                       "kms: endpoint is no URL of the form https://host or https://host:port, "
                       "in lower case, without user, path and query");
    if (!uri->endpoint.tls && !uri->endpoint.loopback)
        return rf_fail(err, RAFFLE_INVALID,
                       "kms: endpoint is http: at \"%.100s\", and only loopback may be without TLS",
                       uri->endpoint.host);
    return RAFFLE_OK;
}

static raffle_rc read_credentials(rf_kms_uri *uri, const char *value, raffle_error *err)
{
    static const char *const names[] = {"", "environment", "container", "imds", "host"};
    for (rf_kms_source i = RF_KMS_ENVIRONMENT; i <= RF_KMS_HOST; i++) {
        if (strcmp(value, names[i]) == 0) {
            uri->credentials = i;
            return RAFFLE_OK;
        }
    }
    return rf_fail(err, RAFFLE_INVALID, "kms: credentials is \"%.40s\"; it can be environment, container, imds or host",
                   value);
}

/* Values as they stand; NULL when not given. */
typedef struct values {
    char region[64], endpoint[RF_KMS_URL_MAX + 1], fips[8], store[96], credentials[64];
} values;

typedef struct parameter {
    const char *key;
    char *value;
    size_t size;
    bool given;
} parameter;

enum {
    PARAMETERS = 5
};

static parameter *find(parameter known[PARAMETERS], const char *key, size_t length)
{
    for (size_t i = 0; i < PARAMETERS; i++)
        if (strlen(known[i].key) == length && memcmp(known[i].key, key, length) == 0)
            return &known[i];
    return NULL;
}

/* What cannot be a parameter's name is not repeated. */
static raffle_rc unknown(const char *key, size_t length, raffle_error *err)
{
    if (!rf_word_valid(key, length, KEY_MAX))
        return rf_fail(err, RAFFLE_INVALID, "kms: what follows \"kms:\" is not ?name=value&name=value");
    return rf_fail(err, RAFFLE_INVALID, "kms: the parameter \"%.*s\" is not known", (int)length, key);
}

static raffle_rc take(parameter known[PARAMETERS], const char *pair, size_t length, raffle_error *err)
{
    const char *equals = memchr(pair, '=', length);
    const size_t key_length = equals == NULL ? length : (size_t)(equals - pair);
    parameter *p = find(known, pair, key_length);
    if (p == NULL)
        return unknown(pair, key_length, err);
    if (p->given)
        return rf_fail(err, RAFFLE_INVALID, "kms: the parameter \"%s\" is given twice", p->key);
    p->given = true;
    const size_t value_length = equals == NULL ? 0 : length - key_length - 1;
    if (value_length == 0 || value_length >= p->size || memchr(equals + 1, '%', value_length) != NULL)
        return rf_fail(err, RAFFLE_INVALID, "kms: the parameter \"%s\" is empty, too long or escaped with '%%'",
                       p->key);
    memcpy(p->value, equals + 1, value_length);
    p->value[value_length] = '\0';
    return RAFFLE_OK;
}

static raffle_rc split(parameter known[PARAMETERS], const char *text, raffle_error *err)
{
    if (*text != '?')
        return unknown("", 0, err);
    do {
        text++;
        const size_t length = strcspn(text, "&");
        raffle_rc rc = take(known, text, length, err);
        if (rc != RAFFLE_OK)
            return rc;
        text += length;
    } while (*text == '&');
    return RAFFLE_OK;
}

static raffle_rc need_region(const parameter *region, raffle_error *err)
{
    return region->given ? RAFFLE_OK : rf_fail(err, RAFFLE_INVALID, "kms: the parameter \"region\" is missing");
}

/* --- endpoints --- */

/* Regions of partitions that are cut off from the others have domains that this build does not know. */
static const char *domain_of(const char *region)
{
    static const char *const isolated[] = {"us-iso-", "us-isob-", "us-isof-", "eu-isoe-", "eusc-"};
    for (size_t i = 0; i < sizeof isolated / sizeof *isolated; i++)
        if (strncmp(region, isolated[i], strlen(isolated[i])) == 0)
            return NULL;
    return strncmp(region, "cn-", 3) == 0 ? "amazonaws.com.cn" : "amazonaws.com";
}

static raffle_rc default_endpoint(rf_kms_uri *uri, bool fips, raffle_error *err)
{
    char url[RF_KMS_URL_MAX + 1];
    const char *domain = domain_of(uri->region);
    if (domain == NULL)
        return rf_fail(err, RAFFLE_INVALID, "kms: the endpoint of the region \"%s\" must be given", uri->region);
    snprintf(url, sizeof url, "https://kms%s.%s.%s", fips ? "-fips" : "", uri->region, domain);
    return rf_kms_url_parse(&uri->endpoint, url) ? RAFFLE_OK : rf_fail(err, RAFFLE_INVALID, "kms: no endpoint");
}

/* `host` is `prefix`.REGION.`domain`. */
static bool is_host_of(const rf_kms_uri *uri, const char *host, const char *prefix, const char *domain)
{
    char expected[RF_KMS_HOST_MAX + 1];
    snprintf(expected, sizeof expected, "%s.%s.%s", prefix, uri->region, domain);
    return strcmp(host, expected) == 0;
}

/* The public endpoints, and those that a VPC has of its own: their names are under AWS's domains, and TLS proves them. */
static bool is_aws(const rf_kms_uri *uri)
{
    static const char *const prefixes[] = {"kms", "kms-fips"};
    const char *host = uri->endpoint.host, *domain = domain_of(uri->region);
    if (!uri->endpoint.tls || uri->endpoint.port != 443 || domain == NULL)
        return false;
    const char *private = strncmp(host, "vpce-", 5) == 0 ? strchr(host, '.') : NULL;
    char vpce[64];
    snprintf(vpce, sizeof vpce, "vpce.%s", domain);
    for (size_t i = 0; i < 2; i++) {
        if (is_host_of(uri, host, prefixes[i], domain) ||
            (strcmp(domain, "amazonaws.com") == 0 && is_host_of(uri, host, prefixes[i], "api.aws")) ||
            (private != NULL && is_host_of(uri, private + 1, prefixes[i], vpce)))
            return true;
    }
    return false;
}

static raffle_rc make_name(rf_kms_uri *uri, raffle_error *err)
{
    uri->foreign = !is_aws(uri);
    int n = snprintf(uri->name, sizeof uri->name, "kms:%s%s%s%s%s", uri->region, uri->store[0] != '\0' ? "/" : "",
                     uri->store, uri->foreign ? "@" : "", uri->foreign ? uri->endpoint.authority : "");
    if (n < 0 || n > RAFFLE_NAME_MAX)
        return rf_fail(err, RAFFLE_LIMIT,
                       "kms: region, custom-key-store and endpoint make a name of %d bytes; it may have %d", n,
                       RAFFLE_NAME_MAX);
    return RAFFLE_OK;
}

static raffle_rc read_values(rf_kms_uri *uri, const values *v, raffle_error *err)
{
    if (v->fips[0] != '\0' && strcmp(v->fips, "0") != 0 && strcmp(v->fips, "1") != 0)
        return rf_fail(err, RAFFLE_INVALID, "kms: fips is \"%s\"; it can be 0 or 1", v->fips);
    const bool fips = v->fips[0] == '1';
    if (fips && v->endpoint[0] != '\0')
        return rf_fail(err, RAFFLE_INVALID, "kms: fips=1 and endpoint exclude each other");
    raffle_rc rc = read_region(uri, v->region, err);
    if (rc == RAFFLE_OK && v->store[0] != '\0')
        rc = read_store(uri, v->store, err);
    if (rc == RAFFLE_OK && v->credentials[0] != '\0')
        rc = read_credentials(uri, v->credentials, err);
    if (rc != RAFFLE_OK)
        return rc;
    return v->endpoint[0] != '\0' ? read_endpoint(uri, v->endpoint, err) : default_endpoint(uri, fips, err);
}

raffle_rc rf_kms_uri_parse(rf_kms_uri *uri, const char *parameters, raffle_error *err)
{
    values v = {0};
    parameter known[PARAMETERS] = {{"region", v.region, sizeof v.region, false},
                                   {"endpoint", v.endpoint, sizeof v.endpoint, false},
                                   {"fips", v.fips, sizeof v.fips, false},
                                   {"custom-key-store", v.store, sizeof v.store, false},
                                   {"credentials", v.credentials, sizeof v.credentials, false}};
    memset(uri, 0, sizeof *uri);
    raffle_rc rc = split(known, parameters, err);
    if (rc == RAFFLE_OK)
        rc = need_region(&known[0], err);
    if (rc == RAFFLE_OK)
        rc = read_values(uri, &v, err);
    return rc == RAFFLE_OK ? make_name(uri, err) : rc;
}
