/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle unit apply|kit|install|challenge|export|upload|update`: tills elsewhere, and what travels between them and the raffle. */
#include "commands.h"
#include "file_out.h"

#include <stdlib.h>
#include <string.h>

enum {
    STREAM_MAX = 1 << 30, /* bytes of a kit, an upload, news */
    LINE_MAX_BYTES = 4096 /* of an application or a challenge */
};

static const option_spec no_options[] = {{NULL, NULL, NULL}};

static const option_spec out_options[] = {
    {"out", "FILE", "write it into this file; default: standard output"},
    {NULL, NULL, NULL},
};

static const option_spec install_options[] = {
    {"key", "VKEY", "the raffle's control key, known from elsewhere"},
    {NULL, NULL, NULL},
};

static const option_spec export_options[] = {
    {"challenge", "FILE", "what the raffle asked; -: standard input"},
    {"out", "FILE", "write the upload into this file; default: standard output"},
    {NULL, NULL, NULL},
};

static const option_spec upload_options[] = {
    {"news", "FILE", "write here what the till is to know afterwards"},
    {NULL, NULL, NULL},
};

/* --- at the till --- */

static int run_apply(cli *c)
{
    uint64_t unit;
    char key[RAFFLE_VKEY_SIZE], proof[RAFFLE_PROOF_SIZE], text[RAFFLE_VKEY_SIZE + RAFFLE_PROOF_SIZE + 8];
    if (!options_positional(&c->options, 1, "the unit's number", 1, RAFFLE_UNIT_MAX, &unit))
        return cli_usage_fault(c);
    if (cli_keys(c) == NULL)
        return cli_usage(c, "--keys URI is missing: where the till keeps its key");
    if (raffle_unit_apply(cli_keys(c), &c->host.table, cli_positional(c, 0), (uint32_t)unit, key, proof, &c->err) !=
        RAFFLE_OK)
        return cli_fail(c);
    const int n = snprintf(text, sizeof text, "%s\n\n%s", key, proof);
    return file_out(c, "out", text, (size_t)n);
}

static int run_install(cli *c)
{
    size_t length;
    int status = CLI_DONE;
    char *kit = cli_read_file(c, cli_positional(c, 1), STREAM_MAX, &length, &status);
    if (kit == NULL)
        return status;
    raffle_rc rc = raffle_unit_install(cli_positional(c, 0), cli_keys(c), &c->host.table, kit, length,
                                       cli_option(c, "key"), &c->raffle, &c->err);
    explicit_bzero(kit, length);
    free(kit);
    raffle_info_init(&c->info, sizeof c->info);
    if (rc != RAFFLE_OK || raffle_describe(c->raffle, &c->info, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (!c->json) {
        printf("%s is the till of unit %u of %s; delete the kit\n", cli_positional(c, 0), c->info.till, c->info.origin);
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "unit", json_count(c->info.till));
    json_put(o, "origin", json_text(c->info.origin));
    json_put(o, "control_key", json_text(c->info.control_key));
    json_end(o, true, stdout);
    return CLI_DONE;
}

/* A file of one line. */
static char *read_line(cli *c, const char *path, int *status)
{
    size_t length;
    char *text = cli_read_file(c, path, LINE_MAX_BYTES, &length, status);
    if (text != NULL)
        text[strcspn(text, "\r\n")] = '\0';
    return text;
}

static int run_export(cli *c)
{
    file_bytes upload = {NULL, 0, 0};
    if (cli_option(c, "challenge") == NULL)
        return cli_usage(c, "--challenge FILE is missing: `raffle unit challenge` at the raffle gives it");
    int status = cli_open(c, NEED_KEYS);
    if (status != CLI_DONE)
        return status;
    if (c->info.till == 0)
        return cli_fail_as(c, RAFFLE_INVALID, "%.200s is no till", cli_positional(c, 0));
    char *challenge = read_line(c, cli_option(c, "challenge"), &status);
    if (challenge == NULL)
        return status;
    raffle_rc rc = cli_unit(c, c->info.till);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_export(c->unit, challenge, file_gather, &upload, &c->err);
    free(challenge);
    status = rc == RAFFLE_OK ? file_out(c, "out", upload.bytes, upload.length) : cli_fail(c);
    file_forget(&upload);
    return status;
}

static int run_update(cli *c)
{
    size_t length;
    int status = cli_open(c, NEED_KEYS);
    if (status != CLI_DONE)
        return status;
    char *news = cli_read_file(c, cli_positional(c, 1), STREAM_MAX, &length, &status);
    if (news == NULL)
        return status;
    raffle_rc rc = raffle_unit_update(c->raffle, news, length, &c->err);
    free(news);
    if (rc == RAFFLE_OK)
        rc = raffle_describe(c->raffle, &c->info, &c->err);
    if (rc != RAFFLE_OK)
        return cli_fail(c);
    if (c->json) {
        json_t *o = json_must(json_object());
        json_put(o, "control_size", json_count(c->info.control_size));
        json_end(o, true, stdout);
    } else {
        printf("the till knows %llu records of the control log\n", (unsigned long long)c->info.control_size);
    }
    return CLI_DONE;
}

/* --- at the raffle --- */

static int open_unit(cli *c, cli_need need, uint32_t *number)
{
    uint64_t value = 0;
    if (!options_positional(&c->options, 1, "the unit's number", 1, RAFFLE_UNIT_MAX, &value))
        return cli_usage_fault(c);
    *number = (uint32_t)value;
    return cli_open(c, need);
}

int till_write_kit(cli *c, uint32_t number, const char *path)
{
    file_bytes kit = {NULL, 0, 0};
    int status = raffle_unit_kit(c->raffle, number, file_gather, &kit, &c->err) == RAFFLE_OK
                     ? file_write(c, path, kit.bytes, kit.length, true)
                     : cli_fail(c);
    file_forget(&kit);
    return status;
}

static int run_kit(cli *c)
{
    uint32_t number = 0;
    int status = open_unit(c, NEED_KEYS, &number);
    if (status != CLI_DONE)
        return status;
    if (cli_option(c, "out") == NULL)
        return cli_usage(c, "--out FILE is missing: a kit holds a secret");
    status = till_write_kit(c, number, cli_option(c, "out"));
    if (status == CLI_DONE)
        cli_note(c, "the kit holds a secret: carry it, and delete it");
    return status;
}

static int run_challenge(cli *c)
{
    uint32_t number = 0;
    char challenge[RAFFLE_CHALLENGE_SIZE + 1];
    int status = open_unit(c, NEED_KEYS, &number);
    if (status != CLI_DONE)
        return status;
    if (raffle_unit_challenge(c->raffle, number, challenge, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    const size_t length = strlen(challenge);
    challenge[length] = '\n';
    return file_out(c, "out", challenge, length + 1);
}

static int write_news(cli *c, const raffle_upload_info *info)
{
    file_bytes news = {NULL, 0, 0};
    const char *path = cli_option(c, "news");
    if (path == NULL)
        return CLI_DONE;
    int status = raffle_unit_news(c->raffle, info->unit, info->control_size, file_gather, &news, &c->err) == RAFFLE_OK
                     ? file_write(c, path, news.bytes, news.length, false)
                     : cli_fail(c);
    file_forget(&news);
    return status;
}

static void print_upload(const cli *c, const raffle_upload_info *info)
{
    if (!c->json) {
        printf("unit %u: %llu of %llu records are new; %llu draw numbers in all%s\n", info->unit,
               (unsigned long long)info->taken, (unsigned long long)info->records, (unsigned long long)info->numbers,
               info->closed ? "; closed" : "");
        if (info->twice > 0)
            printf("%llu orders were sold by another unit, too: take one of each back\n",
                   (unsigned long long)info->twice);
        if (info->excepted)
            printf("the final seal was made without these: they are kept, and not drawn\n");
        return;
    }
    json_t *o = json_must(json_object());
    json_put(o, "unit", json_count(info->unit));
    json_put(o, "records", json_count(info->records));
    json_put(o, "taken", json_count(info->taken));
    json_put(o, "size", json_count(info->size));
    json_put(o, "draw_numbers", json_count(info->numbers));
    json_put(o, "twice", json_count(info->twice));
    json_put(o, "closed", json_boolean(info->closed));
    json_put(o, "excepted", json_boolean(info->excepted));
    json_end(o, true, stdout);
}

static int run_upload(cli *c)
{
    raffle_upload_info info;
    size_t length;
    int status = cli_open(c, NEED_ACTOR);
    if (status != CLI_DONE)
        return status;
    char *upload = cli_read_file(c, cli_positional(c, 1), STREAM_MAX, &length, &status);
    if (upload == NULL)
        return status;
    raffle_upload_info_init(&info, sizeof info);
    raffle_rc rc = raffle_unit_upload(c->raffle, &c->by, upload, length, &info, &c->err);
    free(upload);
    if (rc != RAFFLE_OK)
        return cli_fail(c);
    print_upload(c, &info);
    return write_news(c, &info);
}

const command cmd_unit_apply = {
    .name = "unit apply",
    .usage = "ORIGIN UNIT --keys URI [--out FILE]",
    .summary = "at a till: make the key of a sales unit, and the proof of it that `unit enrol` wants",
    .example = "  raffle unit apply raffle.example/gala 3 --keys file:tent.keys --out tent.key",
    .options = out_options,
    .min = 2,
    .max = 2,
    .run = run_apply,
};

const command cmd_unit_kit = {
    .name = "unit kit",
    .usage = "STORE UNIT --out FILE",
    .summary = "write a till's kit again: a secret, for `unit install`",
    .example = "  raffle unit kit gala.raffle 3 --out tent.kit",
    .options = out_options,
    .min = 2,
    .max = 2,
    .run = run_kit,
};

const command cmd_unit_install = {
    .name = "unit install",
    .usage = "STORE KIT [--keys URI] [--key VKEY]",
    .summary = "at a till: make its store from its kit",
    .example = "  raffle unit install tent.raffle tent.kit --keys file:tent.keys",
    .options = install_options,
    .min = 2,
    .max = 2,
    .run = run_install,
};

const command cmd_unit_challenge = {
    .name = "unit challenge",
    .usage = "STORE UNIT [--out FILE]",
    .summary = "what a till must answer with its upload, within the hour",
    .example = "  raffle unit challenge gala.raffle 3 --out tent.challenge",
    .options = out_options,
    .min = 2,
    .max = 2,
    .run = run_challenge,
};

const command cmd_unit_export = {
    .name = "unit export",
    .usage = "STORE --challenge FILE [--out FILE]",
    .summary = "at a till: what it sold since its last upload, signed",
    .example = "  raffle unit export tent.raffle --challenge tent.challenge --out tent.upload",
    .options = export_options,
    .min = 1,
    .max = 1,
    .run = run_export,
};

const command cmd_unit_upload = {
    .name = "unit upload",
    .usage = "STORE FILE [--news FILE] --by ID:ROLE",
    .summary = "take what a till sold; the same file again changes nothing",
    .example = "  raffle unit upload gala.raffle tent.upload --news tent.news --by boss:manager",
    .options = upload_options,
    .min = 2,
    .max = 2,
    .run = run_upload,
};

const command cmd_unit_update = {
    .name = "unit update",
    .usage = "STORE NEWS",
    .summary = "at a till: learn what the control log has become",
    .example = "  raffle unit update tent.raffle tent.news",
    .options = no_options,
    .min = 2,
    .max = 2,
    .run = run_update,
};
