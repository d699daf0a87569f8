/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle receipt`: a ticket's receipt. */
#include "commands.h"
#include "file_out.h"
#include "ticket_ref.h"

#include <stdlib.h>
#include <string.h>

static const option_spec receipt_options[] = {
    TICKET_REF_OPTIONS,
    {"out", "FILE", "write the receipt into this file; default: standard output"},
    {"split", "FOLDER", "write its parts as C2SP tlog-proofs, sale.tlog-proof and so on, into this folder, too"},
    {NULL, NULL, NULL},
};

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
            status = file_write(c, path, body, end != NULL ? (size_t)(end - body) : strlen(body), false);
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
    int status = rc == RAFFLE_OK ? file_out(c, "out", text, length) : cli_fail(c);
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
