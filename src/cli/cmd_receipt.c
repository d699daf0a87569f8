/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle receipt` and `raffle verify`: a ticket's receipt, and whether receipts hold, offline. */
#include "commands.h"
#include "ticket_ref.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const option_spec receipt_options[] = {
    TICKET_REF_OPTIONS,
    {"out", "FILE", "write the receipt into this file; default: standard output"},
    {"split", "FOLDER", "write its parts as C2SP tlog-proofs, sale.tlog-proof and so on, into this folder, too"},
    {NULL, NULL, NULL},
};

static const option_spec verify_options[] = {
    {"key", "VKEY", "the control log's public key, from somebody you trust"},
    {NULL, NULL, NULL},
};

/* --- receipt --- */

static int write_file(cli *c, const char *path, const char *text, size_t length)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    const bool written = fwrite(text, 1, length, file) == length;
    if (fclose(file) == 0 && written)
        return CLI_DONE;
    int status = cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    (void)remove(path);
    return status;
}

static int write_out(cli *c, const char *text, size_t length)
{
    const char *path = cli_option(c, "out");
    if (path != NULL)
        return write_file(c, path, text, length);
    fwrite(text, 1, length, stdout);
    return CLI_DONE;
}

/* The next "part NAME" at the beginning of a line; `text` is ended by NUL. */
static const char *next_part(const char *text)
{
    const char *at = strstr(text, "\npart ");
    return at == NULL ? NULL : at + 1;
}

/* Every part but the voids is a tlog-proof of its own (docs/spec/receipts.md). */
static int write_parts(cli *c, const char *text)
{
    char path[4096];
    int status = CLI_DONE;
    const char *folder = cli_option(c, "split");
    for (const char *part = next_part(text), *end; status == CLI_DONE && part != NULL; part = end) {
        const char *name = part + strlen("part "), *body = strchr(name, '\n') + 1;
        const int n = snprintf(path, sizeof path, "%s/%.*s.tlog-proof", folder, (int)(body - 1 - name), name);
        end = next_part(body);
        if (n < 0 || (size_t)n >= sizeof path)
            return cli_usage(c, "the folder's name is too long");
        if (strncmp(name, "voids\n", 6) != 0)
            status = write_file(c, path, body, end != NULL ? (size_t)(end - body) : strlen(body));
    }
    return status;
}

static int give_receipt(cli *c, const ticket_list *list)
{
    size_t length;
    if (list->n != 1)
        return cli_usage(c, "the order has %zu tickets, and a receipt is of one; name it by --ticket U/SERIAL",
                         list->n);
    char *text = memory_grow(NULL, RAFFLE_RECEIPT_MAX + 1);
    raffle_rc rc = raffle_receipt(c->raffle, list->ticket->unit, list->ticket->serial, text, RAFFLE_RECEIPT_MAX + 1,
                                  &length, &c->err);
    int status = rc == RAFFLE_OK ? write_out(c, text, length) : cli_fail(c);
    if (status == CLI_DONE && cli_option(c, "split") != NULL)
        status = write_parts(c, text);
    free(text);
    return status;
}

static int run_receipt(cli *c)
{
    ticket_list list = {0};
    int status = cli_open(c, NEED_KEYS);
    if (status == CLI_DONE)
        status = ticket_ref(c, &list);
    if (status == CLI_DONE)
        status = give_receipt(c, &list);
    ticket_list_free(&list);
    return status;
}

/* --- verify --- */

static const char *proves_name(int32_t proves)
{
    return proves == RAFFLE_RECEIPT_PROMISE ? "promise" : proves == RAFFLE_RECEIPT_DRUM ? "drum" : "void";
}

static const char *proves_words(int32_t proves)
{
    return proves == RAFFLE_RECEIPT_PROMISE ? "it is in its unit's signed log; no seal is shown"
           : proves == RAFFLE_RECEIPT_DRUM  ? "it was in the drum, and not void"
                                            : "it was void at the seal, and is not drawn from";
}

static const char *kind_name(int32_t kind)
{
    return kind == RAFFLE_SEAL_EARLY ? "early" : "final";
}

static json_t *good_json(const raffle_receipt_info *info)
{
    char number[RAFFLE_NUMBER_SIZE];
    json_t *o = json_must(json_object());
    json_put(o, "proves", json_string(proves_name(info->proves)));
    json_put(o, "origin", json_text(info->origin));
    json_put(o, "unit", json_count(info->unit));
    json_put(o, "serial", json_count(info->serial));
    json_put(o, "first", json_string(cli_number(info->unit, info->first, number)));
    json_put(o, "count", json_count(info->count));
    json_put(o, "tier", json_text(info->tier));
    json_put(o, "price", json_integer(info->price));
    json_put(o, "at", json_time(info->at));
    json_put(o, "unit_size", json_count(info->unit_size));
    json_put(o, "control_size", json_count(info->control_size));
    if (info->seal_kind != 0) {
        json_put(o, "seal", json_count(info->seal));
        json_put(o, "kind", json_string(kind_name(info->seal_kind)));
        json_put(o, "seal_at", json_time(info->seal_at));
        json_put(o, "voids", json_count(info->voids));
    }
    return o;
}

static void print_good(const cli *c, const char *path, const raffle_receipt_info *info)
{
    char first[RAFFLE_NUMBER_SIZE], last[RAFFLE_NUMBER_SIZE];
    if (c->json) {
        json_t *o = good_json(info);
        json_put(o, "file", json_text(path));
        json_put(o, "good", json_true());
        json_end(o, false, stdout);
        return;
    }
    cli_number(info->unit, info->first, first);
    cli_number(info->unit, info->first + info->count - 1, last);
    printf("good: ticket %u/%llu of %s, %s to %s, tier %s: %s", info->unit, (unsigned long long)info->serial,
           info->origin, first, last, info->tier, proves_words(info->proves));
    if (info->seal_kind != 0)
        printf(" (%s seal, record %llu)", kind_name(info->seal_kind), (unsigned long long)info->seal);
    printf("\n");
}

static void print_bad(const cli *c, const char *path)
{
    if (c->json) {
        json_t *o = cli_error_json(raffle_rc_name(c->err.rc), c->err.message, c->err.detail);
        json_put(o, "file", json_text(path));
        json_put(o, "good", json_false());
        json_end(o, false, stdout);
        return;
    }
    char name[300];
    snprintf(name, sizeof name, "%.290s", path);
    text_clean(name);
    printf("bad: %s: %s\n", name, c->err.message);
}

/* A file that is longer than any receipt is a bad one, and is read no further. */
static int verify_file(cli *c, const char *path, const char *key)
{
    size_t length = 0;
    int status = CLI_DONE;
    raffle_receipt_info info = RAFFLE_RECEIPT_INFO_INIT;
    char *text = cli_read_file(c, path, RAFFLE_RECEIPT_MAX, &length, &status);
    if (text == NULL)
        return c->err.rc == RAFFLE_LIMIT ? CLI_FAULT : status;
    raffle_rc rc = raffle_receipt_verify(text, length, key, &info, &c->err);
    free(text);
    if (rc == RAFFLE_OK)
        print_good(c, path, &info);
    else if (rc == RAFFLE_NOMEM)
        return cli_fail(c);
    else
        print_bad(c, path);
    return rc == RAFFLE_OK ? CLI_DONE : CLI_FAULT;
}

/* A receipt of nothing fails in its first line, unless the key is none. */
static bool key_is_good(cli *c, const char *key)
{
    return raffle_receipt_verify("", 0, key, NULL, &c->err) == RAFFLE_INVALID && c->err.detail == 1;
}

/* Every file gets its line; one that could not be read outweighs a bad one. */
static int run_verify(cli *c)
{
    const char *key = cli_option(c, "key");
    int status = CLI_DONE;
    if (key == NULL)
        return cli_usage(c, "--key VKEY is missing: the control log's public key, which receipts are verified with");
    if (!key_is_good(c, key))
        return cli_usage(c, "--key: %s", c->err.message);
    for (size_t i = 0; i < c->options.positionals; i++) {
        int one = verify_file(c, cli_positional(c, i), key);
        if (status == CLI_DONE || one == CLI_FAILED)
            status = one != CLI_DONE ? one : status;
    }
    return status;
}

const command cmd_receipt = {
    .name = "receipt",
    .usage = "STORE " TICKET_REF_USAGE " [--out FILE] [--split FOLDER]",
    .summary = "a ticket's receipt: that it was sold, and once it is sealed, that it was in the drum",
    .example = "  raffle receipt gala.raffle --ticket 1/42 --out 1-42.receipt",
    .options = receipt_options,
    .min = 1,
    .max = 1,
    .run = run_receipt,
};

const command cmd_verify = {
    .name = "verify",
    .usage = "FILE… --key VKEY",
    .summary = "verify receipts, offline, with the control log's public key alone",
    .example = "  raffle verify 1-42.receipt --key raffle.example/gala+3bf2fd4d+AdgAonMN…",
    .options = verify_options,
    .min = 1,
    .max = SIZE_MAX,
    .run = run_verify,
};
