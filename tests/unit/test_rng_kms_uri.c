/* SPDX-License-Identifier: Apache-2.0 */
/* What may follow `kms:`, what name it gets, and which URLs are spoken to. */
#include "kms_uri.h"
#include "vectors.h"

static rf_kms_uri uri;

static void named(const char *parameters, const char *name, const char *url)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_kms_uri_parse(&uri, parameters, &err);
    ck_assert_msg(rc == RAFFLE_OK, "%s: %s", parameters, err.message);
    ck_assert_str_eq(uri.name, name);
    ck_assert_str_eq(uri.endpoint.text, url);
    ck_assert(rf_kms_url_is_safe(&uri.endpoint));
    ck_assert_int_eq(uri.foreign, strchr(name, '@') != NULL);
}

static void refused(const char *parameters, raffle_rc status, const char *words)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_kms_uri_parse(&uri, parameters, &err);
    ck_assert_msg(rc == status, "%s: %s %s", parameters, raffle_rc_name(rc), err.message);
    ck_assert_msg(strstr(err.message, words) != NULL, "%s: %s", parameters, err.message);
    ck_assert_msg(strstr(err.message, "hunter2") == NULL, "%s: %s", parameters, err.message);
}

START_TEST(names_of_regions)
{
    named("?region=ca-central-1", "kms:ca-central-1", "https://kms.ca-central-1.amazonaws.com");
    named("?region=us-gov-west-1", "kms:us-gov-west-1", "https://kms.us-gov-west-1.amazonaws.com");
    named("?region=cn-north-1", "kms:cn-north-1", "https://kms.cn-north-1.amazonaws.com.cn");
    named("?region=ca-central-1&fips=0", "kms:ca-central-1", "https://kms.ca-central-1.amazonaws.com");
    named("?fips=1&region=ca-central-1", "kms:ca-central-1", "https://kms-fips.ca-central-1.amazonaws.com");
    named("?region=ca-central-1&custom-key-store=cks-1234567890abcdef0", "kms:ca-central-1/cks-1234567890abcdef0",
          "https://kms.ca-central-1.amazonaws.com");
}
END_TEST

START_TEST(names_of_endpoints)
{
    static const char *const own[] = {"https://kms.ca-central-1.amazonaws.com",
                                      "https://kms.ca-central-1.amazonaws.com:443",
                                      "https://kms.ca-central-1.amazonaws.com/",
                                      "https://kms-fips.ca-central-1.amazonaws.com",
                                      "https://kms.ca-central-1.api.aws",
                                      "https://kms-fips.ca-central-1.api.aws",
                                      "https://vpce-0a1b-2c3d.kms.ca-central-1.vpce.amazonaws.com"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        char text[256];
        snprintf(text, sizeof text, "?region=ca-central-1&endpoint=%s", own[i]);
        named(text, "kms:ca-central-1", own[i]);
    }
}
END_TEST

/* Whatever AWS does not answer for shows in the name. */
START_TEST(names_of_foreign_endpoints)
{
    static const char *const foreign[] = {"kms.example",
                                          "kms.ca-central-1.amazonaws.com:8443",
                                          "kms.us-east-1.amazonaws.com",
                                          "kms.ca-central-1.amazonaws.com.evil.example",
                                          "evilkms.ca-central-1.amazonaws.com",
                                          "x.kms.ca-central-1.amazonaws.com",
                                          "vpce-1.kms.ca-central-1.amazonaws.com",
                                          "vpce-1.x.kms.ca-central-1.vpce.amazonaws.com",
                                          "x.kms.ca-central-1.vpce.amazonaws.com",
                                          "kms.ca-central-1.amazonaws.com.cn",
                                          "[::1]:8443",
                                          "[2001:db8::1]",
                                          "127.0.0.1:5005"};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        char text[256], name[256], url[256];
        snprintf(text, sizeof text, "?region=ca-central-1&endpoint=https://%s", foreign[i]);
        snprintf(name, sizeof name, "kms:ca-central-1@%s", foreign[i]);
        snprintf(url, sizeof url, "https://%s", foreign[i]);
        named(text, name, url);
    }
    named("?region=ca-central-1&endpoint=http://127.0.0.1:5005", "kms:ca-central-1@127.0.0.1:5005",
          "http://127.0.0.1:5005");
    named("?region=ca-central-1&endpoint=http://localhost", "kms:ca-central-1@localhost", "http://localhost");
    named("?region=ca-central-1&custom-key-store=cks-1&endpoint=http://[::1]:1", "kms:ca-central-1/cks-1@[::1]:1",
          "http://[::1]:1");
    /* Without TLS even AWS's own host is a stranger, and is refused. */
    refused("?region=ca-central-1&endpoint=http://kms.ca-central-1.amazonaws.com", RAFFLE_INVALID, "TLS");
}
END_TEST

START_TEST(names_have_a_limit)
{
    named("?region=ca-central-1&endpoint=https://a123456789.b123456789.c123456789.d12345678.e",
          "kms:ca-central-1@a123456789.b123456789.c123456789.d12345678.e",
          "https://a123456789.b123456789.c123456789.d12345678.e");
    refused("?region=ca-central-1&endpoint=https://a123456789.b123456789.c123456789.d123456789.e123456789",
            RAFFLE_LIMIT, "name of");
}
END_TEST

START_TEST(parameters)
{
    refused("", RAFFLE_INVALID, "name=value");
    refused("region=ca-central-1", RAFFLE_INVALID, "name=value");
    refused("?", RAFFLE_INVALID, "name=value");
    refused("?region=ca-central-1&", RAFFLE_INVALID, "name=value");
    refused("?fips=1", RAFFLE_INVALID, "\"region\" is missing");
    refused("?region=ca-central-1&region=ca-central-1", RAFFLE_INVALID, "\"region\" is given twice");
    refused("?region=ca-central-1&colour=red", RAFFLE_INVALID, "\"colour\" is not known");
    refused("?region=ca-central-1&hunter2@=red", RAFFLE_INVALID, "name=value");
    refused("?region=ca-central-1&regio=x", RAFFLE_INVALID, "\"regio\"");
    refused("?region", RAFFLE_INVALID, "\"region\" is empty");
    refused("?region=", RAFFLE_INVALID, "\"region\" is empty");
    refused("?region=ca%2Dcentral-1", RAFFLE_INVALID, "'%'");
    refused("?region=ca-central-1&fips=yes", RAFFLE_INVALID, "fips is \"yes\"");
    refused("?region=ca-central-1&fips=1&endpoint=https://kms.example", RAFFLE_INVALID, "exclude");
    refused("?region=ca-central-1&credentials=profile", RAFFLE_INVALID, "credentials is \"profile\"");
    refused("?region=us-iso-east-1", RAFFLE_INVALID, "endpoint of the region");
}
END_TEST

START_TEST(values)
{
    static const char *const regions[] = {
        "x",   "ca-central",    "CA-CENTRAL-1",   "-ca-1", "ca--central-1", "1ca-1",
        "1-1", "ca-central-1#", "ca-central-1/x", "ca.1",  "ca-central-1 ", "ca-1@x1"};
    char text[256];
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
        snprintf(text, sizeof text, "?region=%s", regions[i]);
        refused(text, RAFFLE_INVALID, "region is");
    }
    static const char *const stores[] = {"cks", "cks-", "cks-A", "cks-a-b", "xks-1", "cks-1/2", "cks-1\""};
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
        snprintf(text, sizeof text, "?region=ca-central-1&custom-key-store=%s", stores[i]);
        refused(text, RAFFLE_INVALID, "custom-key-store is");
    }
    static const char *const sources[] = {"environment", "container", "imds", "host"};
    for (rf_kms_source i = RF_KMS_ENVIRONMENT; i <= RF_KMS_HOST; i++) {
        snprintf(text, sizeof text, "?region=ca-central-1&credentials=%s", sources[i - RF_KMS_ENVIRONMENT]);
        named(text, "kms:ca-central-1", "https://kms.ca-central-1.amazonaws.com");
        ck_assert_int_eq(uri.credentials, i);
    }
}
END_TEST

START_TEST(endpoints)
{
    static const char *const bad[] = {"kms.example",
                                      "ftp://kms.example",
                                      "HTTPS://kms.example",
                                      "https://",
                                      "https:///x",
                                      "https://KMS.example",
                                      "https://kms.example.",
                                      "https://.example",
                                      "https://a..b",
                                      "https://-a.example",
                                      "https://user:hunter2@kms.example",
                                      "https://kms.example/path",
                                      "https://kms.example?x=hunter2",
                                      "https://kms.example#x",
                                      "https://kms.example:",
                                      "https://kms.example:0",
                                      "https://kms.example:65536",
                                      "https://kms.example:0443",
                                      "https://kms.example:+1",
                                      "https://[::1",
                                      "https://[0:0::1]",
                                      "https://[::1]x",
                                      "https://kms.example\\x",
                                      "https://kms.exa mple",
                                      "https://k\xc3\xa4se.example"};
    char text[256];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "?region=ca-central-1&endpoint=%s", bad[i]);
        refused(text, RAFFLE_INVALID, "endpoint");
    }
    static const char *const open[] = {"http://kms.example",
                                       "http://10.0.0.1",
                                       "http://169.254.169.254",
                                       "http://127.0.0.1.example",
                                       "http://128.0.0.1",
                                       "http://[::2]",
                                       "http://127.1"};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        snprintf(text, sizeof text, "?region=ca-central-1&endpoint=%s", open[i]);
        refused(text, RAFFLE_INVALID, "TLS");
    }
}
END_TEST

START_TEST(urls)
{
    rf_kms_url url;
    ck_assert(rf_kms_url_parse(&url, "http://169.254.170.2/v2/credentials/x?y=1"));
    ck_assert(url.metadata && url.path && !url.tls && !url.loopback && rf_kms_url_is_safe(&url));
    ck_assert_uint_eq(url.port, 80);
    ck_assert(rf_kms_url_parse(&url, "http://[fd00:ec2::254]"));
    ck_assert(url.metadata && !url.path);
    ck_assert(rf_kms_url_parse(&url, "http://169.254.170.23:80/v1/credentials") && url.metadata);
    ck_assert(rf_kms_url_parse(&url, "http://[fd00:ec2::23]/v1/credentials") && url.metadata);
    ck_assert(rf_kms_url_parse(&url, "http://169.254.1.1/") && !rf_kms_url_is_safe(&url));
    ck_assert(rf_kms_url_parse(&url, "http://127.255.1.2:65535") && url.loopback);
    ck_assert_str_eq(url.host, "127.255.1.2");
    ck_assert_str_eq(url.authority, "127.255.1.2:65535");
    ck_assert_uint_eq(url.port, 65535);
}
END_TEST

/* No length of input writes beyond an array. */
START_TEST(lengths)
{
    static char text[2048];
    static const char *const heads[] = {"?region=",
                                        "?region=ca-central-1&endpoint=https://",
                                        "?region=ca-central-1&endpoint=https://[",
                                        "?region=ca-central-1&credentials=",
                                        "?region=ca-central-1&custom-key-store=cks-",
                                        "?fips=",
                                        "?"};
    for (size_t h = 0; h < sizeof heads / sizeof *heads; h++) {
        for (size_t n = 1; n < 1200; n++) {
            strcpy(text, heads[h]);
            memset(text + strlen(heads[h]), 'a', n);
            text[strlen(heads[h]) + n] = '\0';
            raffle_rc rc = rf_kms_uri_parse(&uri, text, NULL);
            ck_assert(rc == RAFFLE_INVALID || rc == RAFFLE_LIMIT || rc == RAFFLE_OK);
            ck_assert_uint_le(strlen(uri.name), RAFFLE_NAME_SIZE - 1);
        }
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, names_of_regions);
    tcase_add_test(tests, names_of_endpoints);
    tcase_add_test(tests, names_of_foreign_endpoints);
    tcase_add_test(tests, names_have_a_limit);
    tcase_add_test(tests, parameters);
    tcase_add_test(tests, values);
    tcase_add_test(tests, endpoints);
    tcase_add_test(tests, urls);
    tcase_add_test(tests, lengths);
}

int main(void)
{
    return run_tests("rng_kms_uri", add);
}
