/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle verify`: whether receipts, of tickets and of closes, and checkpoints hold, offline; and whether a newer checkpoint continues an older one. */
#include "commands.h"
#include "times.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROOF_HASHES = 63,
    PROOF_MAX = 4096 /* bytes of a file of hashes */
};

static const option_spec options_of[] = {
    {"key", "VKEY",
     "the control log's public key, from somebody you trust; for a close that of its unit, for a checkpoint that of "
     "its log"},
    {"old", "FILE", "an older checkpoint: the one that is verified must continue it"},
    {"store", "STORE", "… as the raffle there shows, a store or what is published of it"},
    {"proof", "FILE", "… as these hashes show, base64, one a line: a consistency proof of RFC 6962"},
    {"report", "FILE", "a report in JSON: made again from STORE, or what is published of it, and compared"},
    {NULL, NULL, NULL},
};

/* --- one file's line --- */

static json_t *begin_json(const char *path, bool good)
{
    json_t *o = json_must(json_object());
    json_put(o, "file", json_text(path));
    json_put(o, "good", json_boolean(good));
    return o;
}

/* What c->err says. */
static int print_bad(const cli *c, const char *path)
{
    if (c->json) {
        json_t *o = cli_error_json(raffle_rc_name(c->err.rc), c->err.message, c->err.detail);
        json_put(o, "file", json_text(path));
        json_put(o, "good", json_false());
        json_end(o, false, stdout);
        return CLI_FAULT;
    }
    char name[300];
    snprintf(name, sizeof name, "%.290s", path);
    text_clean(name);
    printf("bad: %s: %s\n", name, c->err.message);
    return CLI_FAULT;
}

/* Out of memory says nothing about the file. */
static int judge(cli *c, const char *path, raffle_rc rc)
{
    return rc == RAFFLE_NOMEM ? cli_fail(c) : print_bad(c, path);
}

/* --- receipts --- */

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

static void print_receipt_json(const char *path, const raffle_receipt_info *info)
{
    char number[RAFFLE_NUMBER_SIZE];
    json_t *o = begin_json(path, true);
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
    json_put(o, "witnesses", json_count(info->witnesses));
    json_put(o, "quorum", json_boolean(info->quorum));
    if (info->seal_kind != 0) {
        json_put(o, "seal", json_count(info->seal));
        json_put(o, "kind", json_string(kind_name(info->seal_kind)));
        json_put(o, "seal_at", json_time(info->seal_at));
        json_put(o, "voids", json_count(info->voids));
    }
    json_end(o, false, stdout);
}

static void print_receipt(const cli *c, const char *path, const raffle_receipt_info *info)
{
    char first[RAFFLE_NUMBER_SIZE], last[RAFFLE_NUMBER_SIZE];
    if (c->json) {
        print_receipt_json(path, info);
        return;
    }
    cli_number(info->unit, info->first, first);
    cli_number(info->unit, info->first + info->count - 1, last);
    printf("good: ticket %u/%llu of %s, %s to %s, tier %s: %s", info->unit, (unsigned long long)info->serial,
           info->origin, first, last, info->tier, proves_words(info->proves));
    if (info->seal_kind != 0)
        printf(" (%s seal, record %llu)", kind_name(info->seal_kind), (unsigned long long)info->seal);
    if (info->witnesses > 0)
        printf("; %u witness%s cosigned, %s", info->witnesses, info->witnesses == 1 ? "" : "es",
               info->quorum ? "a quorum" : "no quorum");
    printf("\n");
}

static int verify_receipt(cli *c, const char *path, const char *text, size_t length)
{
    raffle_receipt_info info;
    raffle_receipt_info_init(&info, sizeof info);
    raffle_rc rc = raffle_receipt_verify(text, length, cli_option(c, "key"), &info, &c->err);
    if (rc != RAFFLE_OK)
        return judge(c, path, rc);
    print_receipt(c, path, &info);
    return CLI_DONE;
}

/* --- receipts of closes --- */

static void print_close_json(const char *path, const raffle_unit_close_info *info)
{
    json_t *o = begin_json(path, true);
    json_put(o, "proves", json_string("close"));
    json_put(o, "origin", json_text(info->origin));
    json_put(o, "unit", json_count(info->unit));
    json_put(o, "size", json_count(info->size));
    json_put(o, "root", json_hex(info->root, sizeof info->root));
    json_put(o, "at", json_time(info->at));
    json_put(o, "tickets", json_count(info->tickets));
    json_put(o, "numbers", json_count(info->numbers));
    json_put(o, "gross", json_integer(info->gross));
    json_put(o, "voids", json_count(info->voids));
    json_put(o, "void_numbers", json_count(info->void_numbers));
    json_put(o, "void_gross", json_integer(info->void_gross));
    json_end(o, false, stdout);
}

/* Money as a count of the smallest unit: the currency stands in the rules, which are not here. */
static void print_close(const raffle_unit_close_info *info)
{
    char at[TIME_SIZE], hex[2 * sizeof info->root + 1];
    time_format(info->at, at);
    hex_format(info->root, sizeof info->root, hex);
    printf("good: unit %u of %s closed at %s: %llu tickets, %llu draw numbers, gross %lld; of these void: %llu, %llu, "
           "%lld; %llu records, root %s\n",
           info->unit, info->origin, at, (unsigned long long)info->tickets, (unsigned long long)info->numbers,
           (long long)info->gross, (unsigned long long)info->voids, (unsigned long long)info->void_numbers,
           (long long)info->void_gross, (unsigned long long)info->size, hex);
}

static int verify_close(cli *c, const char *path, const char *text, size_t length)
{
    raffle_unit_close_info info = RAFFLE_UNIT_CLOSE_INFO_INIT;
    raffle_rc rc = raffle_unit_close_verify(text, length, cli_option(c, "key"), &info, &c->err);
    if (rc != RAFFLE_OK)
        return judge(c, path, rc);
    if (c->json)
        print_close_json(path, &info);
    else
        print_close(&info);
    return CLI_DONE;
}

/* --- checkpoints --- */

static void name_log(const raffle_checkpoint_info *info, char *out, size_t size)
{
    if (info->log == 0)
        snprintf(out, size, "the control log of %s", info->origin);
    else
        snprintf(out, size, "unit %u of %s", info->log, info->origin);
}

static void print_checkpoint(const cli *c, const char *path, const raffle_checkpoint_info *info, const char *continues)
{
    char name[RAFFLE_ORIGIN_SIZE + 32];
    if (c->json) {
        json_t *o = begin_json(path, true);
        json_put(o, "origin", json_text(info->origin));
        json_put(o, "log", json_count(info->log));
        json_put(o, "size", json_count(info->size));
        json_put(o, "root", json_hex(info->root, sizeof info->root));
        if (continues != NULL)
            json_put(o, "continues", json_text(continues));
        json_end(o, false, stdout);
        return;
    }
    name_log(info, name, sizeof name);
    printf("good: a checkpoint of %s over %llu records", name, (unsigned long long)info->size);
    if (continues != NULL)
        printf(", which continues that in %s", continues);
    printf("\n");
}

static int verify_checkpoint(cli *c, const char *path, const char *text, size_t length, raffle_checkpoint_info *info)
{
    raffle_checkpoint_info_init(info, sizeof *info);
    raffle_rc rc = raffle_checkpoint_verify(text, length, cli_option(c, "key"), info, &c->err);
    return rc == RAFFLE_OK ? CLI_DONE : judge(c, path, rc);
}

static int read_checkpoint(cli *c, const char *path, raffle_checkpoint_info *info)
{
    size_t length = 0;
    int status = CLI_DONE;
    char *text = cli_read_file(c, path, RAFFLE_NOTE_SIZE, &length, &status);
    if (text == NULL)
        return status;
    status = verify_checkpoint(c, path, text, length, info);
    free(text);
    return status;
}

/* --- two checkpoints --- */

typedef struct proof {
    size_t n;
    uint8_t hash[PROOF_HASHES + 1][32];
} proof;

/* Lines of canonical base64 of 32 bytes, and nothing else. */
static bool parse_proof(const char *text, proof *out)
{
    for (out->n = 0; *text != 0; out->n++) {
        size_t length = 0;
        const char *end = strchr(text, '\n');
        if (end == NULL || out->n == PROOF_HASHES ||
            sodium_base642bin(out->hash[out->n], 32, text, (size_t)(end - text), NULL, &length, NULL,
                              sodium_base64_VARIANT_ORIGINAL) != 0 ||
            length != 32)
            return false;
        text = end + 1;
    }
    return true;
}

static int proof_from_file(cli *c, const char *path, proof *out)
{
    size_t length = 0;
    int status = CLI_DONE;
    char *text = cli_read_file(c, path, PROOF_MAX, &length, &status);
    if (text != NULL && (strlen(text) != length || !parse_proof(text, out)))
        status = cli_fail_as(c, RAFFLE_INVALID, "%.200s is no proof: lines of a hash each, in base64", path);
    free(text);
    return status;
}

/* The raffle in the store must have had both roots; what it lacks is no fault of the checkpoints. */
static int compare_root(cli *c, const char *store, const char *path, const raffle_checkpoint_info *info)
{
    uint8_t root[32];
    if (raffle_root(c->raffle, info->log, info->size, NULL, root, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (memcmp(root, info->root, sizeof root) == 0)
        return CLI_DONE;
    char sentence[240];
    snprintf(sentence, sizeof sentence,
             "the first %llu records in %.80s are others: keep this checkpoint, with those of the store it is evidence "
             "of two histories",
             (unsigned long long)info->size, store);
    (void)raffle_error_set(&c->err, RAFFLE_HISTORY, 0, sentence);
    return print_bad(c, path);
}

static int proof_from_store(cli *c, const raffle_checkpoint_info *old, const raffle_checkpoint_info *new, proof *out)
{
    const char *store = cli_option(c, "store");
    if (raffle_open(store, "", &c->host.table, &c->raffle, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    int status = compare_root(c, store, cli_option(c, "old"), old);
    if (status == CLI_DONE)
        status = compare_root(c, store, cli_positional(c, 0), new);
    if (status == CLI_DONE && old->size > 0 &&
        raffle_consistency(c->raffle, old->log, old->size, new->size, out->hash[0], &out->n, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    return status;
}

/* Two notes that a log's key signed and that do not fit together are what nobody can talk away. */
static int fork_found(cli *c, const raffle_checkpoint_info *old, const raffle_checkpoint_info *new)
{
    char sentence[240];
    snprintf(sentence, sizeof sentence, "it does not continue the checkpoint in %.80s, of %llu records%s",
             cli_option(c, "old"), (unsigned long long)old->size,
             old->size == new->size ? " as well: the log's key signed two histories, and both files are evidence of it"
                                    : ": the proof does not hold");
    (void)raffle_error_set(&c->err, RAFFLE_HISTORY, 0, sentence);
    return print_bad(c, cli_positional(c, 0));
}

static int check_order(cli *c, const raffle_checkpoint_info *old, const raffle_checkpoint_info *new)
{
    if (old->log != new->log || strcmp(old->origin, new->origin) != 0)
        return cli_usage(c, "the checkpoints are of two logs");
    if (old->size > new->size)
        return cli_usage(c, "--old is the newer one: it is over %llu records, and the other over %llu",
                         (unsigned long long)old->size, (unsigned long long)new->size);
    return CLI_DONE;
}

static int verify_old(cli *c)
{
    raffle_checkpoint_info old = RAFFLE_CHECKPOINT_INFO_INIT, new = RAFFLE_CHECKPOINT_INFO_INIT;
    proof p = {.n = 0};
    const char *path = cli_positional(c, 0), *old_path = cli_option(c, "old"), *file = cli_option(c, "proof");
    if (c->options.positionals != 1)
        return cli_usage(c, "--old is compared with one checkpoint");
    if ((file != NULL) == (cli_option(c, "store") != NULL))
        return cli_usage(c, "--store or --proof shows that the one continues the other");
    int status = read_checkpoint(c, old_path, &old);
    if (status == CLI_DONE)
        status = read_checkpoint(c, path, &new);
    if (status == CLI_DONE)
        status = check_order(c, &old, &new);
    if (status != CLI_DONE)
        return status;
    if (old.size == new.size && memcmp(old.root, new.root, sizeof old.root) != 0)
        return fork_found(c, &old, &new);
    status = file != NULL ? proof_from_file(c, file, &p) : proof_from_store(c, &old, &new, &p);
    if (status != CLI_DONE)
        return status;
    if (raffle_consistency_verify(old.size, new.size, old.root, new.root, p.hash[0], p.n, &c->err) != RAFFLE_OK)
        return fork_found(c, &old, &new);
    print_checkpoint(c, path, &new, old_path);
    return CLI_DONE;
}

/* --- the command --- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static int verify_text(cli *c, const char *path, const char *text, size_t length)
{
    raffle_checkpoint_info info;
    const char *blank = strstr(text, "\n\n");
    if (begins(text, "c2sp.org/tlog-proof@"))
        return verify_close(c, path, text, length);
    if (begins(text, "libraffle/receipt/") || blank == NULL || !begins(blank + 2, "\xe2\x80\x94 "))
        return verify_receipt(c, path, text, length);
    const int status = verify_checkpoint(c, path, text, length, &info);
    if (status == CLI_DONE)
        print_checkpoint(c, path, &info, NULL);
    return status;
}

/* A file that is longer than any receipt is a bad one, and is read no further. */
static int verify_file(cli *c, const char *path)
{
    size_t length = 0;
    int status = CLI_DONE;
    char *text = cli_read_file(c, path, RAFFLE_RECEIPT_MAX, &length, &status);
    if (text == NULL)
        return c->err.rc == RAFFLE_LIMIT ? CLI_FAULT : status;
    status = verify_text(c, path, text, length);
    free(text);
    return status;
}

/* Of nothing the key alone can be judged. */
static bool key_is_good(cli *c, const char *key)
{
    return raffle_checkpoint_verify("", 0, key, NULL, &c->err) == RAFFLE_INVALID && c->err.detail != 1;
}

/* Every file gets its line; one that could not be read outweighs a bad one. */
static int run(cli *c)
{
    const char *key = cli_option(c, "key");
    int status = CLI_DONE;
    if (cli_option(c, "report") != NULL)
        return report_verify(c);
    if (key == NULL)
        return cli_usage(c, "--key VKEY is missing: the log's public key, which everything is verified with");
    if (!key_is_good(c, key))
        return cli_usage(c, "--key: %s", c->err.message);
    if (cli_option(c, "old") != NULL)
        return verify_old(c);
    for (size_t i = 0; i < c->options.positionals; i++) {
        int one = verify_file(c, cli_positional(c, i));
        if (status == CLI_DONE || one == CLI_FAILED)
            status = one != CLI_DONE ? one : status;
    }
    return status;
}

const command cmd_verify = {
    .name = "verify",
    .usage = "FILE… --key VKEY [--old FILE (--store STORE | --proof FILE)] | --report FILE STORE|FOLDER",
    .summary =
        "verify receipts, of tickets and of units' closes, and checkpoints, offline, with a public key alone; and a "
        "report by the raffle's records",
    .example = "  raffle verify 1-42.receipt --key raffle.example/gala+3bf2fd4d+AdgAonMN…\n"
               "  raffle verify new.checkpoint --old old.checkpoint --store public --key raffle.example/gala+3bf2…",
    .options = options_of,
    .min = 1,
    .max = SIZE_MAX,
    .run = run,
};
