/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS answers with: random bytes, errors, credentials and their times; jansson is the second opinion on what is JSON. */
#include "bytes.h"
#include "kms_answer.h"
#include "vectors.h"

static const char *read_random(const char *json, uint8_t *out, size_t bytes)
{
    return rf_kms_read_random(json, strlen(json), out, bytes);
}

START_TEST(random_bytes)
{
    static const char *const good[] = {"{\"Plaintext\":\"AAECAwQF\"}",
                                       " {\n\"Plaintext\"\t: \"AAECAwQF\" }\r\n",
                                       "{\"KeyId\":\"x\",\"Plaintext\":\"AAECAwQF\",\"More\":null}",
                                       "{\"More\":{\"a\":[1,\"b\",true]},\"Plaintext\":\"AAECAwQF\"}",
                                       "{\"\\u0050laintext\":\"\\u0041AECAwQF\"}",
                                       "{\"Plaintext\":null,\"Plaintext\":\"AAECAwQF\"}"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint8_t out[6] = {9};
        const char *fault = read_random(good[i], out, sizeof out);
        ck_assert_msg(fault == NULL, "%s: %s", good[i], fault);
        ck_assert_mem_eq(out, "\0\1\2\3\4\5", 6);
    }
}
END_TEST

START_TEST(random_bytes_of_every_length)
{
    static uint8_t in[1025], out[1025];
    static char json[2048], text[1536];
    for (size_t n = 0; n < sizeof in; n++)
        in[n] = (uint8_t)(n * 37 ^ n >> 3);
    for (size_t n = 1; n <= 1025; n++) {
        text[rf_base64_encode(text, in, n)] = '\0';
        snprintf(json, sizeof json, "{\"Plaintext\":\"%s\"}", text);
        ck_assert_int_eq(read_random(json, out, n) == NULL, n <= 1024);
        ck_assert(n > 1024 || memcmp(in, out, n) == 0);
        ck_assert_ptr_nonnull(read_random(json, out, n - 1));
        if (n < 1024)
            ck_assert_ptr_nonnull(read_random(json, out, n + 1));
    }
}
END_TEST

START_TEST(no_random_bytes)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "{}",
                                      "[]",
                                      "null",
                                      "\"Plaintext\"",
                                      "{\"Plaintext\"}",
                                      "{\"Plaintext\":}",
                                      "{\"Plaintext\":null}",
                                      "{\"Plaintext\":5}",
                                      "{\"Plaintext\":[\"AAECAwQF\"]}",
                                      "{\"Plaintext\":\"\"}",
                                      "{\"Plaintext\":\"AAECAwQF\"",
                                      "{\"Plaintext\":\"AAECAwQF\",}",
                                      "{,\"Plaintext\":\"AAECAwQF\"}",
                                      "{\"Plaintext\":\"AAECAwQF\"}x",
                                      "{\"Plaintext\":\"AAECAwQF\"}{}",
                                      "{\"Plaintext\" \"AAECAwQF\"}",
                                      "{\"Plaintext\":\"AAECAwQF\" \"x\":1}",
                                      "{\"Plaintext\":\"AAECAwQF\",\"Plaintext\":\"AAECAwQF\"}",
                                      "{\"Plaintext\":\"AAECAwQF\",\"\\u0050laintext\":\"AAECAwQF\"}",
                                      "{\"plaintext\":\"AAECAwQF\"}",
                                      "{'Plaintext':'AAECAwQF'}",
                                      "{\"Plaintext\":\"AAECAwQ\"}",
                                      "{\"Plaintext\":\"AAECAwQFBg==\"}",
                                      "{\"Plaintext\":\"AAECAwQF====\"}",
                                      "{\"Plaintext\":\"AAEC AwQF\"}",
                                      "{\"Plaintext\":\"AAECAwQ-\"}",
                                      "{\"Plaintext\":\"AAECAwQF\\u0000\"}",
                                      "{\"Plaintext\":\"AAECAwQF\n\"}",
                                      "{\"Plaintext\":\"AAECAwQF\",\"a\":nul}",
                                      "{\"Plaintext\":\"AAECAwQF\",\"a\":tru}",
                                      "{\"Plaintext\":\"AAECAwQF\",a:1}",
                                      "\xef\xbb\xbf{\"Plaintext\":\"AAECAwQF\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t out[6];
        const char *fault = read_random(bad[i], out, sizeof out);
        ck_assert_msg(fault != NULL, "%s", bad[i]);
        ck_assert_msg(strstr(fault, "AAEC") == NULL, "%s", fault);
    }
    uint8_t out[6];
    static const char nul[] = "{\"Plaintext\":\"AAECAwQF\"}\0";
    ck_assert_ptr_nonnull(rf_kms_read_random(nul, sizeof nul - 1, out, sizeof out));
    ck_assert_ptr_nonnull(read_random("{\"Plaintext\":\"AAECAwQF\"}", out, 0));
    /* AAECAwT= : the bits beyond the fifth byte are not zero. */
    ck_assert_ptr_nonnull(read_random("{\"Plaintext\":\"AAECAwR=\"}", out, 5));
}
END_TEST

/* Whatever is cut from an answer, it is refused, and what is read as an object is one for jansson, too. */
START_TEST(cut_answers)
{
    static const char whole[] = "{\"More\":{\"a\":[1,\"b\"]},\"Plaintext\":\"AAECAwQF\",\"KeyId\":null}";
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        uint8_t out[6];
        ck_assert_ptr_nonnull(rf_kms_read_random(whole, n, out, sizeof out));
        ck_assert_ptr_null(json_loadb(whole, n, JSON_REJECT_DUPLICATES, NULL));
    }
    for (size_t at = 0; at < sizeof whole - 1; at++) {
        char changed[sizeof whole];
        uint8_t out[6];
        memcpy(changed, whole, sizeof whole);
        for (int c = 1; c < 128; c++) {
            changed[at] = (char)c;
            json_t *opinion = json_loadb(changed, sizeof whole - 1, 0, NULL);
            if (rf_kms_read_random(changed, sizeof whole - 1, out, sizeof out) == NULL)
                ck_assert_msg(opinion != NULL, "%s", changed);
            json_decref(opinion);
        }
    }
}
END_TEST

static void error_is(const char *json, const char *expected)
{
    char type[RF_KMS_ERROR_MAX + 1] = "x";
    rf_kms_read_error(json, strlen(json), type);
    ck_assert_str_eq(type, expected);
}

START_TEST(errors)
{
    error_is("{\"__type\":\"ThrottlingException\",\"message\":\"slow\"}", "ThrottlingException");
    error_is("{\"__type\":\"com.amazonaws.kms#AccessDeniedException\"}", "AccessDeniedException");
    error_is("{\"__type\":\"a#KMSInternalException:http://internal/\"}", "KMSInternalException");
    error_is("{\"__type\":\"\"}", "");
    error_is("{\"__type\":null}", "");
    error_is("{\"message\":\"x\"}", "");
    error_is("<html>", "");
    error_is("", "");
    error_is("{\"__type\":\"Access Denied\"}", "");
    error_is("{\"__type\":\"A\\nB\"}", "");
    error_is("{\"__type\":\"A\",\"__type\":\"B\"}", "");
    error_is("{\"__type\":\"A234567890123456789012345678901234567890123456789012345678901234\"}", "");
    error_is("{\"__type\":\"A23456789012345678901234567890123456789012345678901234567890123\"}",
             "A23456789012345678901234567890123456789012345678901234567890123");
}
END_TEST

static rf_kms_credentials credentials;

static const char *read_credentials(const char *json)
{
    memset(&credentials, 0xaa, sizeof credentials);
    return rf_kms_read_credentials(json, strlen(json), &credentials);
}

START_TEST(whole_credentials)
{
    ck_assert_ptr_null(
        read_credentials("{\"Code\":\"Success\",\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"a/b+c=\","
                         "\"Token\":\"to=ken\",\"Expiration\":\"2026-11-21T18:30:00Z\",\"RoleArn\":\"r\"}"));
    ck_assert_str_eq(credentials.key_id, "AKID");
    ck_assert_str_eq(credentials.secret, "a/b+c=");
    ck_assert_str_eq(credentials.token, "to=ken");
    ck_assert_int_eq(credentials.expires, INT64_C(1795285800000));
    ck_assert_ptr_null(read_credentials("{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"a\\/b\",\"Token\":null}"));
    ck_assert_str_eq(credentials.secret, "a/b");
    ck_assert_str_eq(credentials.token, "");
    ck_assert_int_eq(credentials.expires, INT64_MAX);
}
END_TEST

START_TEST(bad_credentials)
{
    static const char *const bad[] = {
        "",
        "{}",
        "{\"AccessKeyId\":\"AKID\"}",
        "{\"SecretAccessKey\":\"s3cret\"}",
        "{\"AccessKeyId\":\"\",\"SecretAccessKey\":\"s3cret\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"\"}",
        "{\"AccessKeyId\":\"AK ID\",\"SecretAccessKey\":\"s3cret\"}",
        "{\"AccessKeyId\":\"AK/ID\",\"SecretAccessKey\":\"s3cret\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3 cret\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\\n\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\\u0000\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\",\"Token\":\"a\\r\\nb: c\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\",\"Expiration\":\"soon\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\",\"Expiration\":5}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\",\"Code\":\"Failed\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\",\"AccessKeyId\":\"AKIE\"}",
        "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s3cret\"}x",
    };
    static const rf_kms_credentials nothing;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *fault = read_credentials(bad[i]);
        ck_assert_msg(fault != NULL, "%s", bad[i]);
        ck_assert_msg(strstr(fault, "s3cret") == NULL, "%s", fault);
        ck_assert_mem_eq(&credentials, &nothing, sizeof nothing);
    }
}
END_TEST

START_TEST(lengths_of_credentials)
{
    static const char *const names[] = {"AccessKeyId", "SecretAccessKey", "Token"};
    static const size_t most[] = {RF_KMS_KEY_ID_MAX, RF_KMS_SECRET_MAX, RF_KMS_TOKEN_MAX};
    static char json[3 * RF_KMS_TOKEN_MAX], value[RF_KMS_TOKEN_MAX + 2];
    for (size_t i = 0; i < 3; i++) {
        for (size_t n = most[i] - 1; n <= most[i] + 1; n++) {
            memset(value, 'k', n);
            value[n] = '\0';
            snprintf(json, sizeof json, "{%s%s\"%s\":\"%s\"}", i != 0 ? "\"AccessKeyId\":\"A\"," : "",
                     i != 1 ? "\"SecretAccessKey\":\"S\"," : "", names[i], value);
            ck_assert_int_eq(read_credentials(json) == NULL, n <= most[i]);
        }
    }
}
END_TEST

START_TEST(times)
{
    int64_t ms = 0;
    ck_assert(rf_kms_read_time("1970-01-01T00:00:01Z", &ms));
    ck_assert_int_eq(ms, 1000);
    ck_assert(rf_kms_read_time("1970-01-01T00:00:01.9Z", &ms));
    ck_assert_int_eq(ms, 1000);
    ck_assert(rf_kms_read_time("2026-11-21T18:30:00.123456789Z", &ms));
    ck_assert_int_eq(ms, INT64_C(1795285800000));
    static const char *const bad[] = {"",
                                      "Z",
                                      "2026-11-21",
                                      "2026-11-21T18:30:00",
                                      "2026-11-21T18:30:00.Z",
                                      "2026-11-21T18:30:00+00:00",
                                      "2026-11-21 18:30:00Z",
                                      "2026-13-21T18:30:00Z",
                                      "2026-11-21T18:30:00ZZ",
                                      "2026-11-21T18:30:00.1x2Z",
                                      "9999-99-99T99:99:99Z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!rf_kms_read_time(bad[i], &ms), "%s", bad[i]);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, random_bytes);
    tcase_add_test(tests, random_bytes_of_every_length);
    tcase_add_test(tests, no_random_bytes);
    tcase_add_test(tests, cut_answers);
    tcase_add_test(tests, errors);
    tcase_add_test(tests, whole_credentials);
    tcase_add_test(tests, bad_credentials);
    tcase_add_test(tests, lengths_of_credentials);
    tcase_add_test(tests, times);
}

int main(void)
{
    return run_tests("rng_kms_answer", add);
}
