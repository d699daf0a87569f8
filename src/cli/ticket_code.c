/* SPDX-License-Identifier: Apache-2.0 */
/* What a ticket's QR codes say. */
#include "ticket_code.h"

#include <ctype.h>
#include <string.h>

/* Validation numbers without what their reader drops (docs/spec/validation.md). */
static void squeeze(const char *text, char *out, size_t size)
{
    size_t n = 0;
    for (; *text != 0 && n + 1 < size; text++)
        if (*text != '-' && *text != ' ')
            out[n++] = (char)toupper((unsigned char)*text);
    out[n] = 0;
}

void ticket_code(const cli *c, const ticket_view *view, char out[TICKET_CODE_SIZE])
{
    char origin[RAFFLE_ORIGIN_SIZE], identity[40], validation[RAFFLE_VALIDATION_SIZE];
    size_t i = 0;
    for (; c->info.origin[i] != 0; i++)
        origin[i] = (char)toupper((unsigned char)c->info.origin[i]);
    origin[i] = 0;
    ticket_identity(view->ticket, identity);
    squeeze(view->validation, validation, sizeof validation);
    snprintf(out, TICKET_CODE_SIZE, "RFL1:%s:%s:%s", origin, identity, validation);
    explicit_bzero(validation, sizeof validation);
}

/* The characters of RFC 3986, 2. */
static bool address_good(const char *text)
{
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%";
    const size_t scheme = strncasecmp(text, "https://", 8) == 0 ? 8 : strncasecmp(text, "http://", 7) == 0 ? 7 : 0;
    return scheme > 0 && isalnum((unsigned char)text[scheme]) && text[strspn(text, good)] == 0;
}

/* Appends n bytes; false when they do not fit. */
static bool append(char *out, size_t *at, const char *bytes, size_t n)
{
    if (n >= TICKET_ADDRESS_MAX - *at)
        return false;
    memcpy(out + *at, bytes, n);
    *at += n;
    out[*at] = 0;
    return true;
}

static bool fill_in(const char *address, const raffle_ticket *ticket, char out[TICKET_ADDRESS_MAX])
{
    char number[24];
    size_t at = 0, step;
    bool fits = true;
    for (out[0] = 0; fits && *address != 0; address += step) {
        const bool unit = strncmp(address, "{unit}", 6) == 0, serial = strncmp(address, "{serial}", 8) == 0;
        step = unit ? 6 : serial ? 8 : 1;
        snprintf(number, sizeof number, "%llu", (unsigned long long)(unit ? ticket->unit : ticket->serial));
        fits = unit || serial ? append(out, &at, number, strlen(number)) : append(out, &at, address, 1);
    }
    return fits;
}

static bool holds(const char *address, const char *validation)
{
    char text[TICKET_ADDRESS_MAX], secret[RAFFLE_VALIDATION_SIZE];
    squeeze(address, text, sizeof text);
    squeeze(validation, secret, sizeof secret);
    const bool found = strstr(text, secret) != NULL;
    explicit_bzero(text, sizeof text);
    explicit_bzero(secret, sizeof secret);
    return found;
}

int ticket_address(cli *c, const ticket_view *view, char out[TICKET_ADDRESS_MAX])
{
    const char *address = cli_option(c, "address");
    out[0] = 0;
    if (address == NULL)
        return CLI_DONE;
    if (!fill_in(address, view->ticket, out))
        return cli_usage(c, "--address is longer than %d bytes", TICKET_ADDRESS_MAX - 1);
    if (holds(out, view->validation))
        return cli_usage(c, "--address holds the ticket's validation number, which is a secret of its holder");
    if (!address_good(out))
        return cli_usage(c,
                         "--address is \"%.100s\"; it is an http:// or https:// address, in which {unit} and {serial} "
                         "stand for the ticket's",
                         address);
    return CLI_DONE;
}
