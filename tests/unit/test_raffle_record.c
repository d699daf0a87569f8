/* SPDX-License-Identifier: Apache-2.0 */
/* Records: every type there and back again, every member missing or one too many, every byte altered. */
#include "record.h"

#include "fixture.h"

static char leaf[RAFFLE_RECORD_MAX + 1], again[RAFFLE_RECORD_MAX + 1];

/* A record with every member set to something that it may be; `has` decides which count. */
static rf_record full(void)
{
    static const char tiers[] = "[{\"tickets\":2,\"voids\":1}]";
    static const char places[] = "[{\"number\":7,\"serial\":3,\"unit\":1}]";
    rf_record r = {.by = RAFFLE_MANAGER,
                   .ok = RAFFLE_SUPERVISOR,
                   .papers = true,
                   .reconciled = true,
                   .at = INT64_C(1795291200000)};
    int64_t *const numbers[] = {&r.alternates,     &r.ask,
                                &r.attempt,        &r.away,
                                &r.count,          &r.counted,
                                &r.envelope,       &r.first,
                                &r.format,         &r.gross,
                                &r.intent,         &r.n,
                                &r.number,         &r.numbers,
                                &r.place,          &r.price,
                                &r.promoted,       &r.quota,
                                &r.rejected,       &r.result,
                                &r.round,          &r.seal,
                                &r.serial,         &r.size,
                                &r.skipped_barred, &r.skipped_not_entered,
                                &r.skipped_void,   &r.tickets,
                                &r.twice,          &r.unit,
                                &r.units,          &r.unreconciled,
                                &r.void_gross,     &r.void_numbers,
                                &r.voids,          &r.winners};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        *numbers[i] = (int64_t)i * 1000003 % 97;
    r.code = r.component = r.kind = r.outcome = r.prize = r.reason = r.tier = rf_text_of("word-1");
    r.evidence = r.key = r.name = r.provider = rf_text_of("a text \xc3\xa9 \"quoted\" \\");
    r.note = rf_text_of("a note\nof lines\n\n\xe2\x80\x94 name sig\n");
    r.places = rf_text_of(places);
    r.tiers = rf_text_of(tiers);
    r.rules = rf_text_of("{\"a\":[1,true,\"x\"]}");
    memset(r.commitment, 0xab, 32);
    memset(r.open, 1, 32);
    memset(r.p, 2, 32);
    memset(r.root, 3, 32);
    memset(r.skips, 4, 32);
    memset(r.ticket_key, 5, 32);
    memset(r.void_root, 6, 32);
    memset(r.seed, 7, 48);
    memset(r.beacon, 8, 48);
    memset(r.fallback, 9, 48);
    return r;
}

/* The members that a type must have and (may have), as docs/spec/records.md lists them: the table of the code is not asked. */
static rf_members find_must(rf_type type, rf_members *may)
{
    rf_members must = 0;
    char line[64];
    *may = 0;
    static const struct {
        const char *type, *members;
    } table[] = {
        {"raffle.open", "format key rules ticket_key"},
        {"unit.enrol", "unit name key ticket_key quota (away) (note)"},
        {"unit.enable", "unit"},
        {"unit.disable", "unit reason"},
        {"unit.quota", "unit quota"},
        {"unit.unenrol", "unit"},
        {"unit.start", "unit open n"},
        {"unit.sync", "unit size root note twice"},
        {"sale", "n count price tier"},
        {"void", "unit serial reason count price (n)"},
        {"unit.close", "tickets numbers gross voids void_numbers void_gross n"},
        {"seal.unit",
         "tickets numbers gross voids void_numbers void_gross unit size root reconciled void_root note (tiers)"},
        {"seal", "tickets numbers gross voids void_numbers void_gross kind first units unreconciled (ok)"},
        {"voids.ack", "seal voids"},
        {"draw.intent", "prize seal attempt numbers (commitment) (evidence) (ok) (provider) (reason) (result)"},
        {"draw.call", "intent number outcome unit (serial)"},
        {"draw.manual", "prize attempt intent note numbers count winners alternates (ok)"},
        {"print", "unit first count size"},
        {"reprint", "unit reason ok (first) (count) (serial)"},
        {"draw.picks", "intent first places"},
        {"draw.result",
         "prize attempt intent note numbers provider seed winners alternates rejected skipped_void skipped_not_entered "
         "skipped_barred skips (ask) (places) (beacon) (evidence) (fallback) (round)"},
        {"draw.abort", "ok intent prize attempt reason"},
        {"winner.verify", "prize place result outcome (promoted)"},
        {"winner.official", "prize place result"},
        {"cash", "unit kind counted"},
        {"winner.pick", "prize place result envelope ok outcome (promoted)"},
        {"claim", "prize place result ok (papers)"},
        {"claim.wait", "prize place result"},
        {"forfeit", "prize place result reason (ok) (promoted)"},
        {"event", "code (ask) (component) (count) (first) (key) (n) (ok) (unit) (size) (serial)"},
    };
    static const char *const names[RF_FIELDS] = {"alternates",
                                                 "ask",
                                                 "at",
                                                 "attempt",
                                                 "away",
                                                 "beacon",
                                                 "by",
                                                 "code",
                                                 "commitment",
                                                 "component",
                                                 "count",
                                                 "counted",
                                                 "envelope",
                                                 "evidence",
                                                 "fallback",
                                                 "first",
                                                 "format",
                                                 "gross",
                                                 "intent",
                                                 "key",
                                                 "kind",
                                                 "n",
                                                 "name",
                                                 "note",
                                                 "number",
                                                 "numbers",
                                                 "ok",
                                                 "open",
                                                 "outcome",
                                                 "p",
                                                 "papers",
                                                 "place",
                                                 "places",
                                                 "price",
                                                 "prize",
                                                 "promoted",
                                                 "provider",
                                                 "quota",
                                                 "reason",
                                                 "reconciled",
                                                 "rejected",
                                                 "result",
                                                 "root",
                                                 "round",
                                                 "rules",
                                                 "seal",
                                                 "seed",
                                                 "serial",
                                                 "size",
                                                 "skipped_barred",
                                                 "skipped_not_entered",
                                                 "skipped_void",
                                                 "skips",
                                                 "t",
                                                 "ticket_key",
                                                 "tickets",
                                                 "tier",
                                                 "tiers",
                                                 "twice",
                                                 "unit",
                                                 "units",
                                                 "unreconciled",
                                                 "void_gross",
                                                 "void_numbers",
                                                 "void_root",
                                                 "voids",
                                                 "winners"};
    for (size_t i = 1; i < RF_FIELDS; i++)
        ck_assert_int_lt(strcmp(names[i - 1], names[i]), 0);
    const char *members = NULL;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].type, rf_type_name(type)) == 0)
            members = table[i].members;
    ck_assert_msg(members != NULL, "%s", rf_type_name(type));
    ck_assert_uint_eq(sizeof table / sizeof *table, RF_TYPES);
    for (unsigned f = 0; f < RF_FIELDS; f++) {
        snprintf(line, sizeof line, " %s ", names[f]);
        char padded[512];
        snprintf(padded, sizeof padded, " at by p t %s ", members);
        must |= strstr(padded, line) != NULL ? rf_bit(f) : 0;
        snprintf(line, sizeof line, " (%s) ", names[f]);
        *may |= strstr(padded, line) != NULL ? rf_bit(f) : 0;
    }
    return must;
}

static size_t decode(const char *bytes, size_t length)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    rf_record r;
    raffle_rc rc = rf_record_decode(&r, bytes, length, &err);
    if (rc != RAFFLE_OK) {
        ck_assert_int_eq(rc, RAFFLE_CORRUPT);
        ck_assert_int_eq(err.rc, rc);
        ck_assert_int_ne(err.message[0], 0);
        return 0;
    }
    ck_assert_int_eq(err.rc, RAFFLE_OK);
    size_t n = rf_record_encode(&r, again, sizeof again);
    ck_assert_uint_eq(n, length);
    ck_assert_mem_eq(again, bytes, n);
    return n;
}

START_TEST(every_type_there_and_back)
{
    for (unsigned type = 0; type < RF_TYPES; type++) {
        rf_members may, must = find_must((rf_type)type, &may);
        rf_record r = full();
        r.type = (rf_type)type;
        for (rf_members some = may;; some = (some - 1) & may) { /* every choice of those that it may have */
            r.has = must | some;
            size_t n = rf_record_encode(&r, leaf, sizeof leaf);
            ck_assert_msg(n > 0, "%s", rf_type_name(r.type));
            ck_assert_uint_eq(decode(leaf, n), n);
            for (size_t cap = 0; cap < n; cap += 1 + n / 50)
                ck_assert_uint_eq(rf_record_encode(&r, again, cap), 0);
            if (some == 0)
                break;
        }
        ck_assert_int_eq(rf_record_lacks_approver(&r), (must & rf_bit(RF_F_OK)) != 0 && !rf_has(&r, RF_F_OK));
    }
}
END_TEST

/* Cuts a member out of a sale's leaf, whose values hold no comma. */
static size_t cut_out(size_t n, const char *name)
{
    char member[64];
    int length = snprintf(member, sizeof member, "\"%s\":", name);
    char *at = memmem(leaf, n, member, (size_t)length);
    ck_assert_ptr_nonnull(at);
    char *end = memchr(at, ',', n - (size_t)(at - leaf));
    if (end == NULL) { /* the last one: with the comma before it */
        at[-1] = '}';
        return (size_t)(at - leaf);
    }
    memmove(at, end + 1, n - (size_t)(end + 1 - leaf));
    return n - (size_t)(end + 1 - at);
}

START_TEST(every_member_missing_or_one_too_many)
{
    for (unsigned type = 0; type < RF_TYPES; type++) {
        rf_members may, must = find_must((rf_type)type, &may);
        for (unsigned f = 0; f < RF_FIELDS; f++) {
            rf_record r = full();
            r.type = (rf_type)type;
            r.has = (must | may) ^ rf_bit(f);
            const bool fits = (may & rf_bit(f)) != 0;
            ck_assert_msg((rf_record_encode(&r, leaf, sizeof leaf) > 0) == fits, "%s without or with member %u",
                          rf_type_name(r.type), f);
        }
    }
}
END_TEST

START_TEST(the_decoder_misses_members_too)
{
    static const char *const members[] = {"at", "by", "p", "t", "n", "count", "price", "tier"};
    rf_members may, must = find_must(RF_SALE, &may);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        rf_record r = full();
        r.type = RF_SALE;
        r.has = must;
        ck_assert_uint_gt(decode(leaf, rf_record_encode(&r, leaf, sizeof leaf)), 0);
        size_t n = cut_out(rf_record_encode(&r, leaf, sizeof leaf), members[i]);
        ck_assert_msg(decode(leaf, n) == 0, "%s: %.*s", members[i], (int)n, leaf);
    }
}
END_TEST

START_TEST(every_byte_altered)
{
    static const char to[] = "\x00\x01 \"\\{}[],:0159-.eEtfnulaAzZ\x7f\x80\xc3\xff";
    for (unsigned type = 0; type < RF_TYPES; type++) {
        rf_members may, must = find_must((rf_type)type, &may);
        rf_record r = full();
        r.type = (rf_type)type;
        r.has = must | may;
        size_t n = rf_record_encode(&r, leaf, sizeof leaf);
        for (size_t at = 0; at < n; at++) {
            const char kept = leaf[at];
            for (size_t k = 0; k < sizeof to - 1; k++) {
                leaf[at] = to[k];
                (void)decode(leaf, n); /* refused, or another record with exactly these bytes */
            }
            leaf[at] = kept;
        }
        for (size_t cut = 0; cut < n; cut++)
            ck_assert_uint_eq(decode(leaf, cut), 0);
        leaf[n] = ' ';
        ck_assert_uint_eq(decode(leaf, n + 1), 0);
    }
}
END_TEST

START_TEST(values_that_no_record_has)
{
    static const char sale[] =
        "{\"at\":\"2026-11-21T20:00:00.000Z\",\"by\":\"seller\",\"count\":1,\"n\":1,\"p\":\""
        "0202020202020202020202020202020202020202020202020202020202020202\",\"price\":500,\"t\":\"sale\","
        "\"tier\":\"one\"}";
    static const struct {
        const char *from, *to;
    } faults[] = {{"\"seller\"", "\"boss\""},
                  {"\"seller\"", "\"Seller\""},
                  {"\"count\":1", "\"count\":-1"},
                  {"\"count\":1", "\"count\":01"},
                  {"\"count\":1", "\"count\":1.0"},
                  {"\"count\":1", "\"count\":9007199254740992"},
                  {"\"count\":1", "\"count\":\"1\""},
                  {"\"price\":500", "\"price\":-0"},
                  {"\"sale\"", "\"sales\""},
                  {"\"sale\"", "\"unit.sync\""},
                  {"\"one\"", "\"\""},
                  {"\"one\"", "\"One\""},
                  {"\"one\"", "\"abcdefghijklmnopqrstuvwxyz0123456\""},
                  {"20:00:00.000Z", "20:00:00Z"},
                  {"20:00:00.000Z", "24:00:00.000Z"},
                  {"0202", "02"},
                  {"0202", "020g"},
                  {"0202", "020A"},
                  {"{\"at\"", "{ \"at\""},
                  {"\"n\":1", "\"n\":0"},
                  {"\"n\":1", "\"n\":1,\"n\":1"},
                  {"\"n\":1", "\"n\":1,\"nn\":1"},
                  {"\"n\":1,", ""},
                  {"\"by\":\"seller\",\"count\":1", "\"count\":1,\"by\":\"seller\""}};
    ck_assert_uint_eq(decode(sale, strlen(sale)), strlen(sale));
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const char *at = strstr(sale, faults[i].from);
        int n =
            snprintf(leaf, sizeof leaf, "%.*s%s%s", (int)(at - sale), sale, faults[i].to, at + strlen(faults[i].from));
        ck_assert_msg(decode(leaf, (size_t)n) == 0, "%s", leaf);
    }
    ck_assert_uint_eq(decode(leaf, RAFFLE_RECORD_MAX + 1), 0);
}
END_TEST

START_TEST(what_the_encoder_refuses)
{
    rf_members may;
    rf_record good = full();
    good.type = RF_SALE;
    good.has = find_must(RF_SALE, &may);
    rf_record r = good;
    r.count = -1;
    ck_assert_uint_eq(rf_record_encode(&r, leaf, sizeof leaf), 0);
    r = good;
    r.price = INT64_C(9007199254740992);
    ck_assert_uint_eq(rf_record_encode(&r, leaf, sizeof leaf), 0);
    r = good;
    r.at = -1;
    ck_assert_uint_eq(rf_record_encode(&r, leaf, sizeof leaf), 0);
    r = good;
    r.by = 9;
    ck_assert_uint_eq(rf_record_encode(&r, leaf, sizeof leaf), 0);
    r = good;
    r.type = RF_TYPES;
    ck_assert_uint_eq(rf_record_encode(&r, leaf, sizeof leaf), 0);
    r = good;
    r.tier = rf_text_of("\xff");
    ck_assert_uint_eq(rf_record_encode(&r, leaf, sizeof leaf), 0);
}
END_TEST

START_TEST(private_parts)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    rf_private p = {.line = 3, .lines = 7}, q;
    rf_text *const texts[] = {&p.actor,     &p.buyer, &p.channel,   &p.element, &p.from,    &p.keys,   &p.login,
                              &p.new_value, &p.ok,    &p.old_value, &p.order,   &p.payment, &p.seller, &p.text};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = rf_text_of("a-1");
    for (uint64_t has = 0; has < UINT64_C(1) << RF_PRIVATE_FIELDS; has++) {
        p.has = has;
        size_t n = rf_private_encode(&p, leaf, sizeof leaf);
        ck_assert_uint_gt(n, 0);
        const bool whole = (has & rf_bit(RF_P_ACTOR)) && (has & rf_bit(RF_P_SALT));
        ck_assert_int_eq(rf_private_decode(&q, leaf, n, &err), whole ? RAFFLE_OK : RAFFLE_CORRUPT);
        if (!whole)
            continue;
        ck_assert(q.has == has);
        ck_assert_uint_eq(rf_private_encode(&q, again, sizeof again), n);
        ck_assert_mem_eq(leaf, again, n);
    }
    p.has = (UINT64_C(1) << RF_PRIVATE_FIELDS) - 1;
    size_t n = rf_private_encode(&p, leaf, sizeof leaf);
    for (size_t at = 0; at < n; at++) {
        const char kept = leaf[at];
        for (int c = 0; c < 256; c++) {
            leaf[at] = (char)c;
            if (rf_private_decode(&q, leaf, n, &err) == RAFFLE_OK) {
                ck_assert_uint_eq(rf_private_encode(&q, again, sizeof again), n);
                ck_assert_mem_eq(leaf, again, n);
            }
        }
        leaf[at] = kept;
    }
    ck_assert_int_eq(rf_private_decode(&q, leaf, RAFFLE_PRIVATE_MAX + 1, &err), RAFFLE_CORRUPT);
}
END_TEST

START_TEST(places)
{
    static rf_place out[RF_PLACES_MAX], in[RF_PLACES_MAX];
    rf_json_writer w;
    raffle_error err = RAFFLE_ERROR_INIT;
    size_t n;
    for (size_t i = 0; i < RF_PLACES_MAX; i++)
        in[i] =
            (rf_place){.number = (UINT64_C(1) << 40) - i, .serial = 1 + i * 7919, .unit = (uint32_t)(1 + i % 65535)};
    for (size_t count = 0; count <= RF_PLACES_MAX; count += count < 3 ? 1 : 71) {
        rf_json_init(&w, leaf, sizeof leaf);
        rf_places_encode(&w, in, count);
        ck_assert(w.ok);
        rf_text text = {leaf, w.length, false};
        ck_assert_int_eq(rf_places_decode(&text, out, count, &n, &err), RAFFLE_OK);
        ck_assert_uint_eq(n, count);
        for (size_t i = 0; i < count; i++)
            ck_assert(out[i].number == in[i].number && out[i].serial == in[i].serial && out[i].unit == in[i].unit);
        if (count > 0)
            ck_assert_int_eq(rf_places_decode(&text, out, count - 1, &n, &err), RAFFLE_CORRUPT);
    }
    static const char *const bad[] = {"",
                                      "{}",
                                      "[",
                                      "[1]",
                                      "[{}]",
                                      "[{\"number\":1,\"serial\":1}]",
                                      "[{\"serial\":1,\"number\":1,\"unit\":1}]",
                                      "[{\"number\":1,\"serial\":1,\"unit\":65536}]",
                                      "[{\"number\":-1,\"serial\":1,\"unit\":1}]",
                                      "[{\"number\":0,\"serial\":1,\"unit\":1}]",
                                      "[{\"number\":1,\"serial\":0,\"unit\":1}]",
                                      "[{\"number\":1,\"serial\":1,\"unit\":0}]",
                                      "[{\"number\":1,\"serial\":1,\"unit\":1,\"x\":1}]",
                                      "[{\"number\":1,\"serial\":1,\"unit\":1}] ",
                                      "[{\"number\":1, \"serial\":1,\"unit\":1}]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rf_text text = rf_text_of(bad[i]);
        ck_assert_msg(rf_places_decode(&text, out, RF_PLACES_MAX, &n, &err) == RAFFLE_CORRUPT, "%s", bad[i]);
    }
}
END_TEST

FX_MAIN("raffle_record", every_type_there_and_back, every_member_missing_or_one_too_many,
        the_decoder_misses_members_too, every_byte_altered, values_that_no_record_has, what_the_encoder_refuses,
        private_parts, places)
