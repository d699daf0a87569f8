/* SPDX-License-Identifier: Apache-2.0 */
/* The steps: made, sold, voided, sealed, drawn, claimed, opened again, sealed, drawn, copied, audited. */
#include "night_copies.h"
#include "night_till.h"

#include <ftw.h>
#include <raffle/ext/rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef RAFFLE_WITH_POSTGRES
#include <libpq-fe.h>
#endif

enum {
    MANY = 300, /* more than a kept node has leaves, and the helper thread's share */
    TICKETS = 1 + 3 + MANY + 1 + 2 + NIGHT_TILL_TICKETS
};

static const char rules[] =
    "{\"origin\":\"raffle.example/fault\",\"name\":\"Fault\",\"organisation\":\"Society\",\"currency\":\"CAD\","
    "\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\"},\"rng\":[\"system\"],"
    "\"tiers\":[{\"name\":\"one\",\"count\":1,\"price\":500},{\"name\":\"ten\",\"count\":10,\"price\":2000}],"
    "\"prizes\":[{\"name\":\"bird\",\"seal\":\"early\",\"alternates\":1,\"amount\":2500},"
    "{\"name\":\"first\",\"alternates\":2,\"share\":5000},{\"name\":\"second\",\"winners\":2,\"alternates\":2}]}";
static const raffle_actor seller = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER),
                          super = RAFFLE_ACTOR_INIT("sue", RAFFLE_SUPERVISOR),
                          boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER),
                          chief = RAFFLE_ACTOR_INIT("chief", RAFFLE_MANAGER);

static raffle_rc show_time(void *ctx, int64_t *ms, raffle_error *err)
{
    (void)ctx;
    (void)err;
    *ms = INT64_C(1795291200000);
    return RAFFLE_OK;
}

/* --- the folder, and the database of RAFFLE_POSTGRES where that is set --- */

static void empty_database(const char *uri)
{
#ifdef RAFFLE_WITH_POSTGRES
    PGconn *pg = PQconnectdb(uri);
    PGresult *r = PQexec(pg, "SET client_min_messages = error; DROP SCHEMA IF EXISTS raffle CASCADE");
    if (PQresultStatus(r) == PGRES_COMMAND_OK) {
        PQclear(r);
        PQfinish(pg);
        return;
    }
    fputs(PQerrorMessage(pg), stderr);
#endif
    fprintf(stderr, "RAFFLE_POSTGRES: %s cannot be emptied\n", uri);
    exit(1);
}

void night_begin(night *n)
{
    memset(n, 0, sizeof *n);
    snprintf(n->folder, sizeof n->folder, "%s/raffle-fault-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(n->folder) == NULL) {
        perror(n->folder);
        exit(1);
    }
    if (getenv("RAFFLE_POSTGRES") == NULL) {
        snprintf(n->uri, sizeof n->uri, "sqlite:%s/r", n->folder);
    } else {
        empty_database(getenv("RAFFLE_POSTGRES"));
        snprintf(n->uri, sizeof n->uri, "%s?anchor=file:%s/r-anchor", getenv("RAFFLE_POSTGRES"), n->folder);
        snprintf(n->keys, sizeof n->keys, "file:%s/r.keys", n->folder);
    }
    raffle_host_init(&n->host, sizeof n->host);
    n->host.clock = show_time;
}

static void close_all(night *n)
{
    raffle_draw_free(n->draw);
    raffle_unit_free(n->unit);
    raffle_free(n->raffle);
    n->draw = NULL;
    n->unit = NULL;
    n->raffle = NULL;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

void night_end(night *n)
{
    close_all(n);
    raffle_rng_free(n->rng);
    if (nftw(n->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0) {
        perror(n->folder);
        exit(1);
    }
}

raffle_rc night_open(night *n, raffle_error *err)
{
    close_all(n);
    raffle_rc rc = raffle_open(n->uri, NULL, &n->host, &n->raffle, err);
    return rc == RAFFLE_OK ? raffle_unit_open(n->raffle, 1, &n->unit, err) : rc;
}

/* --- steps --- */

static raffle_rc open_rng(night *n, raffle_error *err)
{
    return raffle_rng_open("system:", NULL, &n->rng, err);
}

static raffle_rc create(night *n, raffle_error *err)
{
    return raffle_create(n->uri, n->keys[0] == 0 ? NULL : n->keys, &n->host, rules, strlen(rules), &boss, &n->raffle,
                         err);
}

static raffle_rc open_unit(night *n, raffle_error *err)
{
    raffle_unit_free(n->unit); /* after a create that had to be opened again, it is there */
    n->unit = NULL;
    return raffle_unit_open(n->raffle, 1, &n->unit, err);
}

static raffle_sale lines[MANY];
static raffle_ticket tickets[MANY];

/* `lines` of the order `name`, or with `each` as many orders of one. */
static void make_lines(const char *name, size_t count, bool each, const char *tier)
{
    memset(lines, 0, sizeof lines);
    memset(tickets, 0, sizeof tickets);
    for (size_t i = 0; i < count; i++) {
        lines[i].struct_size = sizeof *lines;
        tickets[i].struct_size = sizeof *tickets;
        snprintf(lines[i].order, sizeof lines[i].order, each ? "%s-%zu" : "%s", name, i);
        snprintf(lines[i].tier, sizeof lines[i].tier, "%s", tier);
    }
}

static raffle_rc sell(raffle_unit *unit, const char *name, size_t count, bool each, const char *tier, raffle_error *err)
{
    make_lines(name, count, each, tier);
    raffle_rc rc = raffle_unit_sell(unit, &seller, lines, count, -1, tickets, err);
    for (size_t i = 0; rc == RAFFLE_OK && i < count; i++)
        rc = tickets[i].rc;
    return rc;
}

static raffle_rc sell_one(night *n, raffle_error *err)
{
    return sell(n->unit, "a", 1, false, "one", err);
}

static raffle_rc sell_order(night *n, raffle_error *err)
{
    return sell(n->unit, "three", 3, false, "ten", err);
}

static raffle_rc sell_many(night *n, raffle_error *err)
{
    return sell(n->unit, "many", MANY, true, "one", err);
}

static raffle_rc sell_late(night *n, raffle_error *err)
{
    return sell(n->unit, "late", 1, false, "ten", err);
}

static raffle_rc void_ticket(night *n, raffle_error *err)
{
    return raffle_void(n->raffle, &super, 1, 2, "refund", err);
}

static raffle_rc write_event(night *n, raffle_error *err)
{
    return raffle_event(n->raffle, &boss, 1, "x.jam", "printer-1", "paper", err);
}

static raffle_rc take_checkpoint(night *n, raffle_error *err)
{
    char note[4096];
    size_t length = 0;
    raffle_rc rc = raffle_checkpoint(n->raffle, 1, note, sizeof note, &length, err);
    return rc == RAFFLE_OK ? raffle_checkpoint_get(n->raffle, 1, UINT64_MAX, note, sizeof note, &length, err) : rc;
}

static raffle_rc describe(night *n, raffle_error *err)
{
    raffle_info info = RAFFLE_INFO_INIT;
    raffle_unit_info unit = RAFFLE_UNIT_INFO_INIT;
    raffle_prize prize = {.struct_size = sizeof prize};
    raffle_rc rc = raffle_describe(n->raffle, &info, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_describe(n->raffle, 1, &unit, err);
    return rc == RAFFLE_OK ? raffle_prize_at(n->raffle, 1, &prize, err) : rc;
}

static raffle_rc look_up(night *n, raffle_error *err)
{
    char text[RAFFLE_VALIDATION_SIZE];
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    size_t found = 0;
    make_lines("three", 3, false, "ten");
    raffle_rc rc = raffle_order_tickets(n->raffle, "three", tickets, 3, &found, err);
    if (rc == RAFFLE_OK)
        rc = raffle_ticket_by_number(n->raffle, "1-0000020", &ticket, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_validation(n->unit, 1, text, err);
    return rc == RAFFLE_OK ? raffle_ticket_by_validation(n->raffle, text, &ticket, err) : rc;
}

static raffle_rc read_all(night *n, raffle_error *err)
{
    raffle_cursor *cursor = NULL;
    raffle_record record = {.struct_size = sizeof record};
    raffle_rc rc = raffle_cursor_open(n->raffle, 1, 0, &cursor, err);
    for (int i = 0; rc == RAFFLE_OK && i < 280; i++)
        rc = raffle_cursor_next(cursor, &record, err);
    raffle_cursor_free(cursor);
    return rc;
}

static raffle_rc prove(night *n, raffle_error *err)
{
    uint8_t proof[64][32], root[32];
    size_t count = 0;
    uint64_t size = 0;
    raffle_rc rc = raffle_root(n->raffle, 1, UINT64_MAX, &size, root, err);
    if (rc == RAFFLE_OK)
        rc = raffle_inclusion(n->raffle, 1, 100, size, &proof[0][0], &count, err);
    return rc == RAFFLE_OK ? raffle_consistency(n->raffle, 1, 200, size, &proof[0][0], &count, err) : rc;
}

static raffle_rc seal_early(night *n, raffle_error *err)
{
    return raffle_seal(n->raffle, &boss, NULL, RAFFLE_SEAL_EARLY, NULL, err);
}

static raffle_rc seal_final(night *n, raffle_error *err)
{
    return raffle_seal(n->raffle, &boss, NULL, RAFFLE_SEAL_FINAL, NULL, err);
}

static raffle_rc acknowledge(night *n, int32_t kind, raffle_error *err)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    raffle_rc rc = raffle_seal_latest(n->raffle, kind, &seal, err);
    return rc == RAFFLE_OK ? raffle_voids_ack(n->raffle, &boss, seal.index, err) : rc;
}

static raffle_rc ack_early(night *n, raffle_error *err)
{
    return acknowledge(n, RAFFLE_SEAL_EARLY, err);
}

static raffle_rc ack_final(night *n, raffle_error *err)
{
    return acknowledge(n, RAFFLE_SEAL_FINAL, err);
}

/* An intent that is there already is taken up; a provider whose answer was lost is asked again. */
static raffle_rc take_up(night *n, raffle_error *err)
{
    raffle_error_init(err, sizeof *err);
    raffle_draw_free(n->draw);
    n->draw = NULL;
    return raffle_draw_resume(n->raffle, &boss, &chief, &n->draw, err);
}

static raffle_rc draw(night *n, const char *prize, raffle_error *err)
{
    raffle_rc rc = n->draw == NULL ? raffle_draw_begin(n->raffle, &boss, prize, NULL, &n->draw, err) : RAFFLE_OK;
    if (rc == RAFFLE_DRAW_OPEN)
        rc = take_up(n, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = raffle_draw_finish(n->draw, n->rng, NULL, -1, err);
    if (rc == RAFFLE_APPROVAL) {
        rc = take_up(n, err);
        rc = rc == RAFFLE_OK ? raffle_draw_finish(n->draw, n->rng, NULL, -1, err) : rc;
    }
    if (rc == RAFFLE_OK || rc == RAFFLE_DRAWN) {
        raffle_draw_free(n->draw);
        n->draw = NULL;
    }
    return rc;
}

static raffle_rc draw_bird(night *n, raffle_error *err)
{
    return draw(n, "bird", err);
}

static raffle_rc draw_first(night *n, raffle_error *err)
{
    return draw(n, "first", err);
}

static raffle_rc draw_second(night *n, raffle_error *err)
{
    return draw(n, "second", err);
}

static raffle_rc winners_number(night *n, char text[RAFFLE_VALIDATION_SIZE], raffle_error *err)
{
    raffle_pick pick = RAFFLE_PICK_INIT;
    raffle_rc rc = raffle_pick_at(n->raffle, "bird", 1, &pick, err);
    return rc == RAFFLE_OK ? raffle_unit_validation(n->unit, pick.serial, text, err) : rc;
}

static raffle_rc verify(night *n, raffle_error *err)
{
    char text[RAFFLE_VALIDATION_SIZE];
    raffle_rc rc = winners_number(n, text, err);
    return rc == RAFFLE_OK ? raffle_winner_verify(n->raffle, &boss, "bird", 1, text, NULL, NULL, err) : rc;
}

static raffle_rc official(night *n, raffle_error *err)
{
    return raffle_winner_official(n->raffle, &boss, "bird", 1, err);
}

static raffle_rc claim(night *n, raffle_error *err)
{
    char text[RAFFLE_VALIDATION_SIZE];
    raffle_rc rc = winners_number(n, text, err);
    return rc == RAFFLE_OK ? raffle_claim(n->raffle, &boss, &chief, "bird", 1, text, err) : rc;
}

static raffle_rc enrol(night *n, raffle_error *err)
{
    raffle_unit_options options;
    uint32_t number = 0;
    raffle_unit_options_init(&options, sizeof options);
    snprintf(options.name, sizeof options.name, "second");
    return raffle_unit_enrol(n->raffle, &boss, &options, &number, err);
}

static raffle_rc enable(night *n, raffle_error *err)
{
    return raffle_unit_enable(n->raffle, &boss, 2, err);
}

static raffle_rc sell_second(night *n, raffle_error *err)
{
    raffle_unit *unit = NULL;
    raffle_rc rc = raffle_unit_open(n->raffle, 2, &unit, err);
    if (rc == RAFFLE_OK)
        rc = sell(unit, "second", 2, false, "one", err);
    raffle_unit_free(unit);
    return rc;
}

static raffle_rc forfeit(night *n, raffle_error *err)
{
    return raffle_forfeit(n->raffle, &boss, &chief, "second", 1, "gone", NULL, err);
}

/* A report, and where it is read. */
static char report[1 << 17];
static size_t report_length, report_read;

static raffle_rc keep_report(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    (void)ctx;
    if (length > sizeof report - report_length)
        return raffle_error_set(err, RAFFLE_FULL, 0, "the report is longer than its room");
    memcpy(report + report_length, bytes, length);
    report_length += length;
    return RAFFLE_OK;
}

static raffle_rc give_report(void *ctx, char *bytes, size_t cap, size_t *length, raffle_error *err)
{
    (void)ctx;
    (void)err;
    *length = report_length - report_read < cap ? report_length - report_read : cap;
    memcpy(bytes, report + report_read, *length);
    report_read += *length;
    return RAFFLE_OK;
}

static raffle_rc see_event(void *ctx, const raffle_event_hit *hit, raffle_error *err)
{
    (void)ctx;
    (void)hit;
    (void)err;
    return RAFFLE_OK;
}

static raffle_rc find_events(night *n, raffle_error *err)
{
    raffle_event_query query = RAFFLE_EVENT_QUERY_INIT;
    query.flags = RAFFLE_EVENT_NEWEST;
    snprintf(query.code, sizeof query.code, "x.jam");
    snprintf(query.component, sizeof query.component, "printer-1");
    return raffle_event_find(n->raffle, &query, see_event, NULL, NULL, err);
}

static raffle_rc write_report(night *n, raffle_error *err)
{
    raffle_report_options how = RAFFLE_REPORT_OPTIONS_INIT;
    how.format = RAFFLE_REPORT_JSON;
    snprintf(how.name, sizeof how.name, "tickets");
    report_length = 0;
    return raffle_report_write(n->raffle, &how, keep_report, NULL, err);
}

static raffle_rc verify_report(night *n, raffle_error *err)
{
    report_read = 0;
    return raffle_report_verify(n->raffle, give_report, NULL, NULL, err);
}

static raffle_rc run_audit(night *n, raffle_error *err)
{
    raffle_audit *audit = NULL;
    raffle_audit_options options = RAFFLE_AUDIT_OPTIONS_INIT;
    options.threads = 2;
    raffle_rc rc = raffle_audit_run(n->uri, &n->host, &options, &audit, err);
    raffle_audit_free(audit);
    return rc;
}

const night_step night_steps[] = {{"open the provider", open_rng, RAFFLE_OK, true},
                                  {"create", create, RAFFLE_EXISTS, false},
                                  {"open unit 1", open_unit, RAFFLE_OK, true},
                                  {"sell one", sell_one, RAFFLE_OK, false},
                                  {"sell an order of three", sell_order, RAFFLE_OK, false},
                                  {"sell many", sell_many, RAFFLE_OK, false},
                                  {"void", void_ticket, RAFFLE_VOIDED, false},
                                  {"event", write_event, RAFFLE_OK, false},
                                  {"find events", find_events, RAFFLE_OK, false},
                                  {"checkpoint", take_checkpoint, RAFFLE_OK, false},
                                  {"describe", describe, RAFFLE_OK, false},
                                  {"look up", look_up, RAFFLE_OK, false},
                                  {"read", read_all, RAFFLE_OK, false},
                                  {"prove", prove, RAFFLE_OK, false},
                                  {"seal early", seal_early, RAFFLE_OK, false},
                                  {"acknowledge early", ack_early, RAFFLE_EXISTS, false},
                                  {"draw the bird", draw_bird, RAFFLE_DRAWN, false},
                                  {"verify", verify, RAFFLE_SEQUENCE, false},
                                  {"make official", official, RAFFLE_SEQUENCE, false},
                                  {"claim", claim, RAFFLE_SEQUENCE, false},
                                  {"open again", night_open, RAFFLE_OK, true},
                                  {"sell late", sell_late, RAFFLE_OK, false},
                                  {"enrol", enrol, RAFFLE_EXISTS, false},
                                  {"enable", enable, RAFFLE_EXISTS, false},
                                  {"sell in unit 2", sell_second, RAFFLE_OK, false},
                                  {"enrol the till", night_enrol_till, RAFFLE_EXISTS, false},
                                  {"enable the till", night_enable_till, RAFFLE_EXISTS, false},
                                  {"install the till", night_install_till, RAFFLE_OK, false},
                                  {"sell at the till", night_sell_at_till, RAFFLE_OK, false},
                                  {"upload", night_upload_till, RAFFLE_OK, false},
                                  {"inform the till", night_inform_till, RAFFLE_OK, false},
                                  {"close the till", night_close_till, RAFFLE_CLOSED, false},
                                  {"upload the close", night_upload_till, RAFFLE_OK, false},
                                  {"seal finally", seal_final, RAFFLE_CLOSED, false},
                                  {"acknowledge finally", ack_final, RAFFLE_EXISTS, false},
                                  {"draw the first", draw_first, RAFFLE_DRAWN, false},
                                  {"draw the second", draw_second, RAFFLE_DRAWN, false},
                                  {"forfeit", forfeit, RAFFLE_SEQUENCE, false},
                                  {"report", write_report, RAFFLE_OK, false},
                                  {"verify the report", verify_report, RAFFLE_OK, false},
                                  {"receipt", night_receipt, RAFFLE_OK, false},
                                  {"publish", night_publish, RAFFLE_OK, false},
                                  {"back up", night_back_up, RAFFLE_OK, false},
                                  {"put back", night_put_back, RAFFLE_OK, false},
                                  {"mirror", night_mirror, RAFFLE_OK, false},
                                  {"audit", run_audit, RAFFLE_OK, true}};
const size_t night_step_count = sizeof night_steps / sizeof *night_steps;

raffle_rc night_again(night *n, const night_step *step, bool perhaps, raffle_error *err)
{
    raffle_error_init(err, sizeof *err);
    raffle_rc rc = step->run(n, err);
    if (perhaps && rc == step->already)
        rc = n->raffle == NULL && step->run == create ? night_open(n, err) : RAFFLE_OK;
    err->rc = rc;
    return rc;
}

/* --- what must be there --- */

bool night_has_sales(night *n, size_t step)
{
    const night_step *s = &night_steps[step];
    raffle_error err = RAFFLE_ERROR_INIT;
    const struct {
        raffle_rc (*run)(night *, raffle_error *);
        const char *order;
        size_t count;
    } sales[] = {{sell_one, "a", 1},         {sell_order, "three", 3}, {sell_many, "many-0", 1},
                 {sell_many, "many-299", 1}, {sell_late, "late", 1},   {sell_second, "second", 2}};
    for (size_t i = 0; i < sizeof sales / sizeof *sales; i++) {
        size_t found = 0;
        if (sales[i].run != s->run)
            continue;
        make_lines(sales[i].order, sales[i].count, false, "");
        if (raffle_order_tickets(n->raffle, sales[i].order, tickets, MANY, &found, &err) != RAFFLE_OK ||
            found != sales[i].count)
            return false;
    }
    return true;
}

static const char *check_audit(night *n)
{
    static char text[600];
    raffle_audit *audit = NULL;
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_fault fault = RAFFLE_FAULT_INIT;
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    if (raffle_audit_run(n->uri, NULL, NULL, &audit, &err) != RAFFLE_OK ||
        raffle_audit_verdict(audit, &verdict, &err) != RAFFLE_OK)
        snprintf(text, sizeof text, "the audit: %s", err.message);
    else if (!verdict.passed && raffle_audit_fault_at(audit, 0, &fault, &err) == RAFFLE_OK)
        snprintf(text, sizeof text, "the audit finds %u/%llu %s: %s", fault.log, (unsigned long long)fault.index,
                 fault.code, fault.message);
    else if (verdict.draws != 3)
        snprintf(text, sizeof text, "the audit sees %u draws", verdict.draws);
    else
        text[0] = 0;
    raffle_audit_free(audit);
    return text[0] == 0 ? NULL : text;
}

const char *night_check(night *n)
{
    raffle_info info = RAFFLE_INFO_INIT;
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_pick pick = RAFFLE_PICK_INIT;
    if (raffle_describe(n->raffle, &info, &err) != RAFFLE_OK)
        return "the raffle cannot be described";
    if (info.tickets != TICKETS || info.voids != 1 || info.units != 3 || info.halted || !info.closed || info.drawing)
        return "the totals are not those of the night";
    if (info.gross != INT64_C(500) * (1 + MANY + 2 + NIGHT_TILL_TICKETS) + INT64_C(2000) * 4)
        return "the gross is not that of the night";
    if (raffle_pick_at(n->raffle, "bird", 1, &pick, &err) != RAFFLE_OK || pick.state != RAFFLE_PLACE_CLAIMED)
        return "the bird is not claimed";
    if (raffle_pick_at(n->raffle, "second", 1, &pick, &err) != RAFFLE_OK || pick.state != RAFFLE_PLACE_FORFEITED)
        return "the second prize's first place is not forfeited";
    const char *wrong = check_audit(n);
    return wrong != NULL ? wrong : night_copies_check(n);
}
