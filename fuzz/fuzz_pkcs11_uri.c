/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of tokens: what is accepted keeps within its bounds, names a token, and is the same URI again without its PIN. */
#include "fuzz.h"
#include "pkcs11_uri.h"

static void check_parts(const rf_p11_uri *uri)
{
    const char *path = rf_p11_uri_module_path(uri);
    fuzz_require(uri->pin == NULL || (uri->pin->length >= 1 && uri->pin->length <= RF_P11_PIN_MAX),
                 "a PIN has 1 to 255 bytes");
    fuzz_require(uri->pin == NULL || memchr(uri->pin->bytes, 0, uri->pin->length) == NULL, "a PIN holds no NUL");
    fuzz_require(uri->pin == NULL || uri->pin_file == NULL, "a PIN has one source");
    fuzz_require(uri->pin_file == NULL || uri->pin_file[0] == '/', "a PIN's file is named from the root");
    fuzz_require(path == NULL || path[0] == '/', "a module's file is named from the root");
    fuzz_require(path == NULL || rf_p11_uri_module_name(uri) == NULL, "a module is named once");
    CK_TOKEN_INFO *info = p11_kit_uri_get_token_info(uri->parsed);
    fuzz_require(info->label[0] != 0 || info->serialNumber[0] != 0, "a token is named");
}

static void check_without_pin(const rf_p11_uri *uri)
{
    rf_p11_uri again;
    fuzz_require(rf_p11_uri_parse(&again, uri->text, NULL) == RAFFLE_OK, "a URI without its PIN is accepted");
    fuzz_require(strcmp(again.text, uri->text) == 0, "a URI without a PIN is itself");
    fuzz_require(again.pin == NULL && again.pin_file == NULL, "a URI without its PIN has none");
    fuzz_require(memcmp(p11_kit_uri_get_token_info(again.parsed), p11_kit_uri_get_token_info(uri->parsed),
                        sizeof(CK_TOKEN_INFO)) == 0,
                 "a URI without its PIN means the same token");
    rf_p11_uri_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    rf_p11_uri uri;
    char *string = fuzz_alloc(size + 1);
    if (size > 0)
        memcpy(string, data, size);
    string[size] = 0;
    raffle_rc rc = rf_p11_uri_parse(&uri, string, &err);
    fuzz_require(rc == RAFFLE_OK || rc == RAFFLE_INVALID || rc == RAFFLE_LIMIT, "a URI is accepted or refused");
    fuzz_require(rc == RAFFLE_OK || err.message[0] != 0, "a URI is refused with a sentence");
    if (rc == RAFFLE_OK) {
        check_parts(&uri);
        check_without_pin(&uri);
    }
    rf_p11_uri_clear(&uri);
    free(string);
    return 0;
}
