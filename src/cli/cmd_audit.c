/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle audit`: replays a raffle from its store alone, and says what holds and what does not. */
#include "beacon.h"
#include "commands.h"
#include "progress.h"
#include "receipt_folder.h"
#include "times.h"

#include <stdlib.h>
#include <string.h>

enum {
    AUTHORITIES_MAX = 1 << 20
};

static const option_spec options_of[] = {
    {"key", "VKEY",
     "the control log's public key, from somebody you trust; default: the one that the log names for itself"},
    {"threads", "N", "default: as many as there are processors"},
    {"beacon-verifier", "COMMAND",
     "verifies the beacon of committed draws: gets the round and the value, exits with 0 when it is good; "
     "RAFFLE_BEACON_VERIFIER"},
    {"authorities", "FILE", "certificates, PEM, to one of which every published time stamp must lead"},
    {"receipts", "FOLDER", "receipts that buyers brought back: the raffle must keep what they promise"},
    {NULL, NULL, NULL},
};

static const char *assurance_name(int32_t assurance)
{
    static const char *const names[] = {[RAFFLE_ASSURANCE_VERIFIABLE] = "verifiable",
                                        [RAFFLE_ASSURANCE_CERTIFIED] = "certified",
                                        [RAFFLE_ASSURANCE_OPERATOR] = "operator-trusted",
                                        [RAFFLE_ASSURANCE_WRONG] = "wrong"};
    return assurance >= RAFFLE_ASSURANCE_VERIFIABLE && assurance <= RAFFLE_ASSURANCE_WRONG ? names[assurance]
                                                                                           : "unknown";
}

static const char *assurance_words(int32_t assurance)
{
    static const char *const words[] = {
        [RAFFLE_ASSURANCE_VERIFIABLE] =
            "committed seed, verified beacon, witnesses in time: nobody could choose the winner",
        [RAFFLE_ASSURANCE_CERTIFIED] = "the pinned, certified provider; that it was asked once is the operator's word",
        [RAFFLE_ASSURANCE_OPERATOR] = "the operator's word alone, or a rehearsal",
        [RAFFLE_ASSURANCE_WRONG] = "THE RESULT DOES NOT FOLLOW FROM ITS SEED",
    };
    return assurance >= RAFFLE_ASSURANCE_VERIFIABLE && assurance <= RAFFLE_ASSURANCE_WRONG ? words[assurance]
                                                                                           : "unknown";
}

static void log_name(uint32_t log, char *out, size_t size)
{
    if (log == 0)
        snprintf(out, size, "control");
    else
        snprintf(out, size, "unit %u", log);
}

static raffle_rc draw_at(cli *c, const raffle_audit *audit, uint32_t i, raffle_audit_draw *draw)
{
    raffle_audit_draw_init(draw, sizeof *draw);
    return raffle_audit_draw_at(audit, i, draw, &c->err);
}

/* RAFFLE_NOT_FOUND: that was the last one kept. */
static raffle_rc fault_at(cli *c, const raffle_audit *audit, uint64_t i, raffle_fault *fault)
{
    raffle_fault_init(fault, sizeof *fault);
    return raffle_audit_fault_at(audit, i, fault, &c->err);
}

/* --- for machines --- */

static json_t *verdict_json(const raffle_verdict *v)
{
    json_t *o = json_must(json_object());
    json_put(o, "passed", json_boolean(v->passed));
    json_put(o, "integrity", json_boolean(v->integrity == 0));
    json_put(o, "completeness", json_boolean(v->incomplete == 0));
    json_put(o, "integrity_faults", json_count(v->integrity));
    json_put(o, "completeness_faults", json_count(v->incomplete));
    json_put(o, "key_pinned", json_boolean(v->key_pinned));
    json_put(o, "records", json_count(v->records));
    json_put(o, "private_missing", json_count(v->private_missing));
    json_put(o, "withheld", json_boolean(v->withheld));
    json_put(o, "timestamps", json_count(v->timestamps));
    json_put(o, "timestamps_trusted", json_count(v->timestamps_trusted));
    if (v->timestamps > 0)
        json_put(o, "stamped_at", json_time(v->stamped_at));
    if (v->receipts > 0) {
        json_put(o, "receipts", json_count(v->receipts));
        json_put(o, "receipts_kept", json_count(v->receipts_kept));
    }
    json_put(o, "tickets", json_count(v->tickets));
    json_put(o, "draw_numbers", json_count(v->numbers));
    json_put(o, "voids", json_count(v->voids));
    json_put(o, "gross", json_integer(v->gross));
    json_put(o, "void_gross", json_integer(v->void_gross));
    json_put(o, "pot", json_integer(v->gross - v->void_gross));
    return o;
}

static json_t *draw_json(const raffle_audit_draw *draw)
{
    json_t *o = json_must(json_object());
    json_put(o, "prize", json_text(draw->prize));
    json_put(o, "assurance", json_string(assurance_name(draw->assurance)));
    json_put(o, "provider", json_text(draw->provider));
    json_put(o, "committed", json_must(json_boolean(draw->committed)));
    if (draw->committed) {
        json_put(o, "round", json_count(draw->round));
        json_put(o, "beacon_verified", json_must(json_boolean(draw->beacon_verified)));
        json_put(o, "seed_lost", json_must(json_boolean(draw->seed_lost)));
    }
    json_put(o, "result", json_count(draw->result));
    json_put(o, "attempt", json_count(draw->attempt));
    json_put(o, "asked", json_count(draw->asked));
    json_put(o, "redraw_excluded", json_boolean(draw->redraw_excluded));
    json_put(o, "witnessed", json_boolean(draw->witnessed));
    json_put(o, "places", json_count(draw->places));
    json_put(o, "draw_numbers", json_count(draw->numbers));
    json_put(o, "skipped", json_count(draw->skipped));
    return o;
}

static json_t *fault_json(const raffle_fault *fault)
{
    json_t *o = json_must(json_object());
    json_put(o, "kind", json_string(fault->kind == RAFFLE_FAULT_INTEGRITY ? "integrity" : "completeness"));
    json_put(o, "log", json_count(fault->log));
    json_put(o, "index", json_count(fault->index));
    json_put(o, "code", json_text(fault->code));
    json_put(o, "message", json_text(fault->message));
    return o;
}

static int print_json(cli *c, const raffle_audit *audit, const raffle_verdict *verdict)
{
    json_t *top = json_must(json_object()), *draws = json_must(json_array()), *faults = json_must(json_array());
    raffle_audit_draw draw;
    raffle_fault fault;
    raffle_rc rc = RAFFLE_OK;
    json_put(top, "verdict", verdict_json(verdict));
    json_put(top, "draws", draws);
    json_put(top, "faults", faults);
    for (uint32_t i = 0; i < verdict->draws && (rc = draw_at(c, audit, i, &draw)) == RAFFLE_OK; i++)
        json_add(draws, draw_json(&draw));
    for (uint64_t i = 0; rc == RAFFLE_OK && i < verdict->faults && fault_at(c, audit, i, &fault) == RAFFLE_OK; i++)
        json_add(faults, fault_json(&fault));
    if (rc == RAFFLE_OK) {
        json_end(top, true, stdout);
        return CLI_DONE;
    }
    json_decref(top);
    return cli_fail(c);
}

/* --- for people --- */

static void row(table *t, const char *name, const char *value)
{
    table_add(t, "%s", name);
    table_add(t, "%s", value);
}

static void count_row(table *t, const char *name, uint64_t count)
{
    char text[MONEY_SIZE];
    count_format(count, text);
    row(t, name, text);
}

static void print_totals(cli *c, const raffle_verdict *v)
{
    static const column columns[] = {{NULL, false}, {NULL, true}};
    char text[MONEY_SIZE];
    table t;
    table_begin(&t, columns, 2);
    count_row(&t, "records", v->records);
    if (!v->withheld) {
        count_row(&t, "tickets sold", v->tickets);
        count_row(&t, "of them void", v->voids);
        count_row(&t, "draw numbers", v->numbers);
        row(&t, "taken", cli_money(c, v->gross, text));
        row(&t, "given back", cli_money(c, v->void_gross, text));
        row(&t, "pot", cli_money(c, v->gross - v->void_gross, text));
    }
    if (v->private_missing > 0)
        count_row(&t, "private parts erased or withheld", v->private_missing);
    if (v->receipts > 0) {
        count_row(&t, "receipts", v->receipts);
        count_row(&t, "of them kept", v->receipts_kept);
    }
    if (v->timestamps > 0) {
        count_row(&t, "time stamps", v->timestamps);
        count_row(&t, "of them by a trusted authority", v->timestamps_trusted);
        time_format(v->stamped_at, text);
        row(&t, "the newest", text);
    }
    table_end(&t, stdout);
}

static raffle_rc print_draws(cli *c, const raffle_audit *audit, uint32_t n)
{
    raffle_audit_draw draw;
    for (uint32_t i = 0; i < n; i++) {
        raffle_rc rc = draw_at(c, audit, i, &draw);
        if (rc != RAFFLE_OK)
            return rc;
        printf("draw of %s (control record %llu): %s: %s\n", draw.prize, (unsigned long long)draw.result,
               assurance_name(draw.assurance), assurance_words(draw.assurance));
        printf("    %u places from %llu draw numbers, %llu passed over; provider %s, asked %u time%s, attempt %u%s\n",
               draw.places, (unsigned long long)draw.numbers, (unsigned long long)draw.skipped, draw.provider,
               draw.asked, draw.asked == 1 ? "" : "s", draw.attempt,
               draw.redraw_excluded ? "" : "; no witness or anchor rules out a hidden second draw");
        if (draw.committed)
            printf("    seed %s; round %llu of the beacon %s\n", draw.seed_lost ? "LOST, and replaced" : "committed",
                   (unsigned long long)draw.round, draw.beacon_verified ? "verified" : "not verified here");
        if (draw.witnessed)
            printf("    the witnesses' quorum cosigned the intent%s\n", draw.committed ? " before the round" : "");
    }
    return RAFFLE_OK;
}

static void print_faults(cli *c, const raffle_audit *audit, uint64_t n)
{
    static const column columns[] = {
        {"fault", false}, {"log", false}, {"record", true}, {"code", false}, {"what", false}};
    raffle_fault fault;
    char log[24];
    uint64_t i;
    table t;
    table_begin(&t, columns, 5);
    for (i = 0; i < n && fault_at(c, audit, i, &fault) == RAFFLE_OK; i++) {
        log_name(fault.log, log, sizeof log);
        table_add(&t, "%s", fault.kind == RAFFLE_FAULT_INTEGRITY ? "integrity" : "completeness");
        table_add(&t, "%s", log);
        table_add(&t, "%llu", (unsigned long long)fault.index);
        table_add(&t, "%s", fault.code);
        table_add(&t, "%s", fault.message);
    }
    table_end(&t, stdout);
    if (i < n)
        printf("and %llu more\n", (unsigned long long)(n - i));
}

static void print_verdict(const char *name, uint64_t faults, const char *good)
{
    if (faults == 0)
        printf("%s: %s\n", name, good);
    else
        printf("%s: FAILED, %llu fault%s\n", name, (unsigned long long)faults, faults == 1 ? "" : "s");
}

static int print(cli *c, const raffle_audit *audit, const raffle_verdict *v)
{
    print_totals(c, v);
    putchar('\n');
    if (print_draws(c, audit, v->draws) != RAFFLE_OK)
        return cli_fail(c);
    print_faults(c, audit, v->faults);
    if (v->draws > 0 || v->faults > 0)
        putchar('\n');
    print_verdict("integrity", v->integrity, "good; everything that is there is right");
    print_verdict("completeness", v->incomplete, "good; everything that must be there is there");
    if (!v->key_pinned)
        printf("the control key is the one that the log names for itself; --key VKEY pins it\n");
    return CLI_DONE;
}

/* --- the command --- */

static raffle_rc show_progress(void *ctx, uint64_t done, uint64_t total, raffle_error *err)
{
    (void)err;
    progress_at(ctx, done, total);
    return RAFFLE_OK;
}

/* Of rules that are not known, minor units are shown. */
static void take_currency(cli *c, const raffle_verdict *v)
{
    c->info.digits = v->digits;
    snprintf(c->info.currency, sizeof c->info.currency, "%s", v->currency[0] != 0 ? v->currency : "minor");
}

static int report(cli *c, const raffle_audit *audit)
{
    raffle_verdict verdict;
    raffle_verdict_init(&verdict, sizeof verdict);
    if (raffle_audit_verdict(audit, &verdict, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    take_currency(c, &verdict);
    int status = c->json ? print_json(c, audit, &verdict) : print(c, audit, &verdict);
    return status == CLI_DONE && !verdict.passed ? CLI_FAULT : status;
}

static int read_authorities(cli *c, char **out)
{
    int status = CLI_DONE;
    size_t length;
    const char *path = cli_option(c, "authorities");
    *out = path == NULL ? NULL : cli_read_file(c, path, AUTHORITIES_MAX, &length, &status);
    return status;
}

static int open_receipts(cli *c, raffle_audit_options *how, receipt_folder **out)
{
    const char *path = cli_option(c, "receipts");
    if (path == NULL)
        return CLI_DONE;
    how->receipt = receipt_folder_get;
    int status = receipt_folder_open(c, path, out);
    how->receipt_ctx = *out;
    return status;
}

static int audit(cli *c, raffle_audit_options *how)
{
    progress bar;
    raffle_audit *found = NULL;
    progress_begin(&bar, "audit", !c->json);
    how->progress = show_progress;
    how->progress_ctx = &bar;
    raffle_rc rc = raffle_audit_run(cli_positional(c, 0), &c->host.table, how, &found, &c->err);
    progress_clear(&bar);
    int status = rc == RAFFLE_OK ? report(c, found) : cli_fail(c);
    raffle_audit_free(found);
    return status;
}

static int run(cli *c)
{
    raffle_audit_options how;
    uint64_t threads = 0;
    const char *key = cli_option(c, "key"), *verifier = beacon_verifier(c);
    raffle_audit_options_init(&how, sizeof how);
    if (!options_number(&c->options, "threads", 1, 64, &threads))
        return cli_usage_fault(c);
    if (key != NULL && !cli_copy(how.control_key, sizeof how.control_key, key))
        return cli_usage(c, "--key is longer than a vkey can be");
    how.threads = (uint32_t)threads;
    how.beacon = verifier == NULL ? NULL : beacon_verify;
    how.beacon_ctx = &verifier;
    char *authorities = NULL;
    receipt_folder *receipts = NULL;
    int status = read_authorities(c, &authorities);
    if (status == CLI_DONE)
        status = open_receipts(c, &how, &receipts);
    how.authorities = authorities;
    if (status == CLI_DONE)
        status = audit(c, &how);
    receipt_folder_close(receipts);
    free(authorities);
    return status;
}

const command cmd_audit = {
    .name = "audit",
    .usage = "STORE|FOLDER|ADDRESS [--key VKEY] [--threads N] [--beacon-verifier COMMAND] [--authorities FILE] "
             "[--receipts FOLDER]",
    .summary = "replay everything from the store, or what is published of it: is it right, is it complete, what is "
               "proved of each draw",
    .example = "  raffle audit gala.raffle --key \"$(cat control.vkey)\"\n  raffle audit https://raffle.example/gala",
    .options = options_of,
    .min = 1,
    .max = 1,
    .run = run,
};
