/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of members and types, and the one encoder and one decoder that follow them. */
#include "record.h"

#include "bytes.h"
#include "error.h"
#include "note.h"
#include "timestamp.h"
#include <string.h>

typedef enum kind {
    KIND_INT,    /* 0 … 2^53-1 */
    KIND_FROM_1, /* 1 … 2^53-1 */
    KIND_UNIT,   /* 1 … 65,535 */
    KIND_SERIAL, /* 1 … 2^40-1 */
    KIND_MONEY,  /* the same: no amount is negative */
    KIND_BOOL,
    KIND_TIME,
    KIND_ROLE,
    KIND_TYPE,
    KIND_WORD,   /* a word of the API */
    KIND_TEXT,   /* a text of the API, at most 512 bytes */
    KIND_NAME,   /* one of at most 64 bytes */
    KIND_NOTE,   /* a signed note */
    KIND_OBJECT, /* canonical JSON of its own, kept as bytes */
    KIND_ARRAY,
    KIND_HEX16,
    KIND_HEX32,
    KIND_HEX48
} kind;

typedef struct member {
    const char *name;
    uint8_t length;
    uint8_t kind;
    uint16_t offset;
} member;

#define MEMBER(text, k, type, field)                                                                                   \
    {                                                                                                                  \
        text, sizeof(text) - 1, k, offsetof(type, field)                                                               \
    }

static const member members[RF_FIELDS] = {
    [RF_F_ALTERNATES] = MEMBER("alternates", KIND_INT, rf_record, alternates),
    [RF_F_ASK] = MEMBER("ask", KIND_FROM_1, rf_record, ask),
    [RF_F_AT] = MEMBER("at", KIND_TIME, rf_record, at),
    [RF_F_ATTEMPT] = MEMBER("attempt", KIND_FROM_1, rf_record, attempt),
    [RF_F_AWAY] = MEMBER("away", KIND_INT, rf_record, away),
    [RF_F_BEACON] = MEMBER("beacon", KIND_HEX48, rf_record, beacon),
    [RF_F_BY] = MEMBER("by", KIND_ROLE, rf_record, by),
    [RF_F_CODE] = MEMBER("code", KIND_WORD, rf_record, code),
    [RF_F_COMMITMENT] = MEMBER("commitment", KIND_HEX32, rf_record, commitment),
    [RF_F_COMPONENT] = MEMBER("component", KIND_WORD, rf_record, component),
    [RF_F_COUNT] = MEMBER("count", KIND_INT, rf_record, count),
    [RF_F_COUNTED] = MEMBER("counted", KIND_MONEY, rf_record, counted),
    [RF_F_ENVELOPE] = MEMBER("envelope", KIND_FROM_1, rf_record, envelope),
    [RF_F_EVIDENCE] = MEMBER("evidence", KIND_TEXT, rf_record, evidence),
    [RF_F_FALLBACK] = MEMBER("fallback", KIND_HEX48, rf_record, fallback),
    [RF_F_FIRST] = MEMBER("first", KIND_INT, rf_record, first),
    [RF_F_FORMAT] = MEMBER("format", KIND_INT, rf_record, format),
    [RF_F_GROSS] = MEMBER("gross", KIND_MONEY, rf_record, gross),
    [RF_F_INTENT] = MEMBER("intent", KIND_INT, rf_record, intent),
    [RF_F_KEY] = MEMBER("key", KIND_TEXT, rf_record, key),
    [RF_F_KIND] = MEMBER("kind", KIND_WORD, rf_record, kind),
    [RF_F_N] = MEMBER("n", KIND_FROM_1, rf_record, n),
    [RF_F_NAME] = MEMBER("name", KIND_NAME, rf_record, name),
    [RF_F_NOTE] = MEMBER("note", KIND_NOTE, rf_record, note),
    [RF_F_NUMBER] = MEMBER("number", KIND_FROM_1, rf_record, number),
    [RF_F_NUMBERS] = MEMBER("numbers", KIND_INT, rf_record, numbers),
    [RF_F_OK] = MEMBER("ok", KIND_ROLE, rf_record, ok),
    [RF_F_OPEN] = MEMBER("open", KIND_HEX32, rf_record, open),
    [RF_F_OUTCOME] = MEMBER("outcome", KIND_WORD, rf_record, outcome),
    [RF_F_P] = MEMBER("p", KIND_HEX32, rf_record, p),
    [RF_F_PAPERS] = MEMBER("papers", KIND_BOOL, rf_record, papers),
    [RF_F_PLACE] = MEMBER("place", KIND_FROM_1, rf_record, place),
    [RF_F_PLACES] = MEMBER("places", KIND_ARRAY, rf_record, places),
    [RF_F_PRICE] = MEMBER("price", KIND_MONEY, rf_record, price),
    [RF_F_PRIZE] = MEMBER("prize", KIND_WORD, rf_record, prize),
    [RF_F_PROMOTED] = MEMBER("promoted", KIND_FROM_1, rf_record, promoted),
    [RF_F_PROVIDER] = MEMBER("provider", KIND_TEXT, rf_record, provider),
    [RF_F_QUOTA] = MEMBER("quota", KIND_INT, rf_record, quota),
    [RF_F_REASON] = MEMBER("reason", KIND_WORD, rf_record, reason),
    [RF_F_RECONCILED] = MEMBER("reconciled", KIND_BOOL, rf_record, reconciled),
    [RF_F_REJECTED] = MEMBER("rejected", KIND_INT, rf_record, rejected),
    [RF_F_RESULT] = MEMBER("result", KIND_INT, rf_record, result),
    [RF_F_ROOT] = MEMBER("root", KIND_HEX32, rf_record, root),
    [RF_F_ROUND] = MEMBER("round", KIND_INT, rf_record, round),
    [RF_F_RULES] = MEMBER("rules", KIND_OBJECT, rf_record, rules),
    [RF_F_SEAL] = MEMBER("seal", KIND_INT, rf_record, seal),
    [RF_F_SEED] = MEMBER("seed", KIND_HEX48, rf_record, seed),
    [RF_F_SERIAL] = MEMBER("serial", KIND_SERIAL, rf_record, serial),
    [RF_F_SIZE] = MEMBER("size", KIND_INT, rf_record, size),
    [RF_F_SKIPPED_BARRED] = MEMBER("skipped_barred", KIND_INT, rf_record, skipped_barred),
    [RF_F_SKIPPED_NOT_ENTERED] = MEMBER("skipped_not_entered", KIND_INT, rf_record, skipped_not_entered),
    [RF_F_SKIPPED_VOID] = MEMBER("skipped_void", KIND_INT, rf_record, skipped_void),
    [RF_F_SKIPS] = MEMBER("skips", KIND_HEX32, rf_record, skips),
    [RF_F_T] = MEMBER("t", KIND_TYPE, rf_record, type),
    [RF_F_TICKET_KEY] = MEMBER("ticket_key", KIND_HEX32, rf_record, ticket_key),
    [RF_F_TICKETS] = MEMBER("tickets", KIND_INT, rf_record, tickets),
    [RF_F_TIER] = MEMBER("tier", KIND_WORD, rf_record, tier),
    [RF_F_TIERS] = MEMBER("tiers", KIND_ARRAY, rf_record, tiers),
    [RF_F_TWICE] = MEMBER("twice", KIND_INT, rf_record, twice),
    [RF_F_UNIT] = MEMBER("unit", KIND_UNIT, rf_record, unit),
    [RF_F_UNITS] = MEMBER("units", KIND_INT, rf_record, units),
    [RF_F_UNRECONCILED] = MEMBER("unreconciled", KIND_INT, rf_record, unreconciled),
    [RF_F_VOID_GROSS] = MEMBER("void_gross", KIND_MONEY, rf_record, void_gross),
    [RF_F_VOID_NUMBERS] = MEMBER("void_numbers", KIND_INT, rf_record, void_numbers),
    [RF_F_VOID_ROOT] = MEMBER("void_root", KIND_HEX32, rf_record, void_root),
    [RF_F_VOIDS] = MEMBER("voids", KIND_INT, rf_record, voids),
    [RF_F_WINNERS] = MEMBER("winners", KIND_INT, rf_record, winners),
};

static const member private_members[RF_PRIVATE_FIELDS] = {
    [RF_P_ACTOR] = MEMBER("actor", KIND_TEXT, rf_private, actor),
    [RF_P_BUYER] = MEMBER("buyer", KIND_TEXT, rf_private, buyer),
    [RF_P_CHANNEL] = MEMBER("channel", KIND_WORD, rf_private, channel),
    [RF_P_ELEMENT] = MEMBER("element", KIND_TEXT, rf_private, element),
    [RF_P_FROM] = MEMBER("from", KIND_TEXT, rf_private, from),
    [RF_P_KEYS] = MEMBER("keys", KIND_TEXT, rf_private, keys),
    [RF_P_LINE] = MEMBER("line", KIND_INT, rf_private, line),
    [RF_P_LINES] = MEMBER("lines", KIND_INT, rf_private, lines),
    [RF_P_LOGIN] = MEMBER("login", KIND_TEXT, rf_private, login),
    [RF_P_NEW] = MEMBER("new", KIND_TEXT, rf_private, new_value),
    [RF_P_OK] = MEMBER("ok", KIND_TEXT, rf_private, ok),
    [RF_P_OLD] = MEMBER("old", KIND_TEXT, rf_private, old_value),
    [RF_P_ORDER] = MEMBER("order", KIND_TEXT, rf_private, order),
    [RF_P_PAYMENT] = MEMBER("payment", KIND_TEXT, rf_private, payment),
    [RF_P_SALT] = MEMBER("salt", KIND_HEX16, rf_private, salt),
    [RF_P_SELLER] = MEMBER("seller", KIND_TEXT, rf_private, seller),
    [RF_P_TEXT] = MEMBER("text", KIND_TEXT, rf_private, text),
};

#define B(field) ((rf_members)1 << RF_F_##field)
#define COMMON (B(AT) | B(BY) | B(P) | B(T))
#define TOTALS (B(TICKETS) | B(NUMBERS) | B(GROSS) | B(VOIDS) | B(VOID_NUMBERS) | B(VOID_GROSS))
#define PRIZE_PLACE (B(PRIZE) | B(PLACE) | B(RESULT))

typedef struct type_row {
    const char *name;
    rf_members must, may;
} type_row;

static const type_row types[RF_TYPES] = {
    [RF_CASH] = {"cash", COMMON | B(UNIT) | B(KIND) | B(COUNTED), 0},
    [RF_CLAIM] = {"claim", COMMON | PRIZE_PLACE | B(OK), B(PAPERS)},
    [RF_CLAIM_WAIT] = {"claim.wait", COMMON | PRIZE_PLACE, 0},
    [RF_DRAW_ABORT] = {"draw.abort", COMMON | B(OK) | B(INTENT) | B(PRIZE) | B(ATTEMPT) | B(REASON), 0},
    [RF_DRAW_CALL] = {"draw.call", COMMON | B(INTENT) | B(NUMBER) | B(OUTCOME) | B(UNIT), B(SERIAL)},
    [RF_DRAW_INTENT] = {"draw.intent", COMMON | B(PRIZE) | B(SEAL) | B(ATTEMPT) | B(NUMBERS),
                        B(COMMITMENT) | B(EVIDENCE) | B(OK) | B(PROVIDER) | B(REASON) | B(RESULT)},
    [RF_DRAW_MANUAL] = {"draw.manual",
                        COMMON | B(PRIZE) | B(ATTEMPT) | B(INTENT) | B(NOTE) | B(NUMBERS) | B(COUNT) | B(WINNERS) |
                            B(ALTERNATES),
                        B(OK)},
    [RF_DRAW_PICKS] = {"draw.picks", COMMON | B(INTENT) | B(FIRST) | B(PLACES), 0},
    [RF_DRAW_RESULT] = {"draw.result",
                        COMMON | B(PRIZE) | B(ATTEMPT) | B(INTENT) | B(NOTE) | B(NUMBERS) | B(PROVIDER) | B(SEED) |
                            B(WINNERS) | B(ALTERNATES) | B(REJECTED) | B(SKIPPED_VOID) | B(SKIPPED_NOT_ENTERED) |
                            B(SKIPPED_BARRED) | B(SKIPS),
                        B(ASK) | B(PLACES) | B(BEACON) | B(EVIDENCE) | B(FALLBACK) | B(ROUND)},
    [RF_EVENT] = {"event", COMMON | B(CODE),
                  B(ASK) | B(COMPONENT) | B(COUNT) | B(FIRST) | B(KEY) | B(N) | B(OK) | B(UNIT) | B(SIZE) | B(SERIAL)},
    [RF_FORFEIT] = {"forfeit", COMMON | PRIZE_PLACE | B(REASON), B(OK) | B(PROMOTED)},
    [RF_PRINT] = {"print", COMMON | B(UNIT) | B(FIRST) | B(COUNT) | B(SIZE), 0},
    [RF_RAFFLE_OPEN] = {"raffle.open", COMMON | B(FORMAT) | B(KEY) | B(RULES) | B(TICKET_KEY), 0},
    [RF_REPRINT] = {"reprint", COMMON | B(UNIT) | B(REASON) | B(OK), B(FIRST) | B(COUNT) | B(SERIAL)},
    [RF_SALE] = {"sale", COMMON | B(N) | B(COUNT) | B(PRICE) | B(TIER), 0},
    [RF_SEAL] = {"seal", COMMON | TOTALS | B(KIND) | B(FIRST) | B(UNITS) | B(UNRECONCILED), B(OK)},
    [RF_SEAL_UNIT] = {"seal.unit",
                      COMMON | TOTALS | B(UNIT) | B(SIZE) | B(ROOT) | B(RECONCILED) | B(VOID_ROOT) | B(NOTE), B(TIERS)},
    [RF_UNIT_CLOSE] = {"unit.close", COMMON | TOTALS | B(N), 0},
    [RF_UNIT_DISABLE] = {"unit.disable", COMMON | B(UNIT) | B(REASON), 0},
    [RF_UNIT_ENABLE] = {"unit.enable", COMMON | B(UNIT), 0},
    [RF_UNIT_ENROL] = {"unit.enrol", COMMON | B(UNIT) | B(NAME) | B(KEY) | B(TICKET_KEY) | B(QUOTA), B(AWAY) | B(NOTE)},
    [RF_UNIT_QUOTA] = {"unit.quota", COMMON | B(UNIT) | B(QUOTA), 0},
    [RF_UNIT_START] = {"unit.start", COMMON | B(UNIT) | B(OPEN) | B(N), 0},
    [RF_UNIT_SYNC] = {"unit.sync", COMMON | B(UNIT) | B(SIZE) | B(ROOT) | B(NOTE) | B(TWICE), 0},
    [RF_UNIT_UNENROL] = {"unit.unenrol", COMMON | B(UNIT), 0},
    [RF_VOID] = {"void", COMMON | B(UNIT) | B(SERIAL) | B(REASON) | B(COUNT) | B(PRICE), B(N)},
    [RF_VOIDS_ACK] = {"voids.ack", COMMON | B(SEAL) | B(VOIDS), 0},
    [RF_WINNER_OFFICIAL] = {"winner.official", COMMON | PRIZE_PLACE, 0},
    [RF_WINNER_PICK] = {"winner.pick", COMMON | PRIZE_PLACE | B(ENVELOPE) | B(OK) | B(OUTCOME), B(PROMOTED)},
    [RF_WINNER_VERIFY] = {"winner.verify", COMMON | PRIZE_PLACE | B(OUTCOME), B(PROMOTED)},
};

enum {
    TEXT_MAX = 512
};

rf_text rf_text_of(const char *string)
{
    return (rf_text){string, strlen(string), false};
}

bool rf_text_is(const rf_text *text, const char *word)
{
    return text->length == strlen(word) && memcmp(text->text, word, text->length) == 0;
}

bool rf_text_copy(const rf_text *text, char *out, size_t cap)
{
    size_t length = text->length;
    if (text->escaped)
        length = rf_json_unescape(text, out, cap - 1);
    if (length >= cap)
        return false;
    if (!text->escaped)
        memcpy(out, text->text, length);
    out[length] = 0;
    return true;
}

const char *rf_type_name(rf_type type)
{
    return types[type].name;
}

/* --- encoding --- */

static void write_text(rf_json_writer *w, const rf_text *text)
{
    if (!text->escaped) {
        rf_json_string(w, text->text, text->length);
        return;
    }
    if (w->cap - w->length < text->length + 2) {
        w->ok = false;
        return;
    }
    /* The bytes stood between quotes in a canonical record: the quotes do too. */
    rf_json_raw(w, text->text - 1, text->length + 2);
}

static void write_time(rf_json_writer *w, int64_t ms)
{
    char text[RF_TIME_LENGTH];
    if (!rf_time_format(text, ms)) {
        w->ok = false;
        return;
    }
    rf_json_string(w, text, sizeof text);
}

static void write_word(rf_json_writer *w, const char *word)
{
    if (word == NULL)
        w->ok = false;
    else
        rf_json_string(w, word, strlen(word));
}

static const int64_t serial_max = (INT64_C(1) << 40) - 1;

/* Of the kinds that are integers; the JSON bounds them all by 2^53-1. */
static bool in_range(kind k, int64_t value)
{
    const int64_t least = k == KIND_INT || k == KIND_MONEY ? 0 : 1;
    const int64_t most = k == KIND_UNIT ? RAFFLE_UNIT_MAX : k == KIND_SERIAL ? serial_max : RF_JSON_INT_MAX;
    return value >= least && value <= most;
}

static void write_member(rf_json_writer *w, const member *m, const void *from)
{
    const char *at = (const char *)from + m->offset;
    rf_json_key(w, m->name, m->length);
    switch ((kind)m->kind) {
    case KIND_INT:
    case KIND_FROM_1:
    case KIND_UNIT:
    case KIND_SERIAL:
    case KIND_MONEY:
        if (*(const int64_t *)(const void *)at < 0)
            w->ok = false;
        rf_json_int(w, *(const int64_t *)(const void *)at);
        break;
    case KIND_BOOL:
        rf_json_bool(w, *(const bool *)at);
        break;
    case KIND_TIME:
        write_time(w, *(const int64_t *)(const void *)at);
        break;
    case KIND_ROLE:
        write_word(w, raffle_role_name(*(const raffle_role *)(const void *)at));
        break;
    case KIND_TYPE:
        write_word(w, types[*(const rf_type *)(const void *)at].name);
        break;
    case KIND_WORD:
    case KIND_TEXT:
    case KIND_NAME:
    case KIND_NOTE:
        write_text(w, (const rf_text *)(const void *)at);
        break;
    case KIND_OBJECT:
    case KIND_ARRAY:
        rf_json_raw(w, ((const rf_text *)(const void *)at)->text, ((const rf_text *)(const void *)at)->length);
        break;
    case KIND_HEX16:
        rf_json_hex(w, (const uint8_t *)at, 16);
        break;
    case KIND_HEX32:
        rf_json_hex(w, (const uint8_t *)at, 32);
        break;
    case KIND_HEX48:
        rf_json_hex(w, (const uint8_t *)at, 48);
        break;
    }
}

/* Those of the table from `first` on whose bits are set. */
static void write_members(rf_json_writer *w, const member *table, unsigned first, uint64_t has, const void *from)
{
    for (uint64_t left = has; left != 0; left &= left - 1)
        write_member(w, &table[first + (unsigned)__builtin_ctzll(left)], from);
}

static size_t encode(const member *table, rf_members has, const void *from, char *out, size_t cap)
{
    rf_json_writer w;
    rf_json_init(&w, out, cap);
    rf_json_begin_object(&w);
    write_members(&w, table, 0, (uint64_t)has, from);
    write_members(&w, table, 64, (uint64_t)(has >> 64), from);
    rf_json_end_object(&w);
    return w.ok ? w.length : 0;
}

bool rf_record_lacks_approver(const rf_record *r)
{
    return (types[r->type].must & B(OK)) != 0 && !rf_has(r, RF_F_OK);
}

static bool fits_type(const rf_record *r)
{
    if ((unsigned)r->type >= RF_TYPES)
        return false;
    const type_row *row = &types[r->type];
    return (r->has & row->must) == row->must && (r->has & ~(row->must | row->may)) == 0;
}

size_t rf_record_encode(const rf_record *r, char *out, size_t cap)
{
    if (!fits_type(r))
        return 0;
    return encode(members, r->has, r, out, cap < RAFFLE_RECORD_MAX ? cap : RAFFLE_RECORD_MAX);
}

size_t rf_private_encode(const rf_private *p, char *out, size_t cap)
{
    return encode(private_members, p->has, p, out, cap < RAFFLE_PRIVATE_MAX ? cap : RAFFLE_PRIVATE_MAX);
}

/* --- decoding --- */

static bool read_type(const rf_text *text, rf_type *type)
{
    for (unsigned i = 0; i < RF_TYPES; i++) {
        if (!text->escaped && rf_text_is(text, types[i].name)) {
            *type = (rf_type)i;
            return true;
        }
    }
    return false;
}

static raffle_role read_role(const rf_text *text)
{
    char word[RAFFLE_WORD_SIZE];
    return !text->escaped && rf_text_copy(text, word, sizeof word) ? raffle_role_parse(word) : 0;
}

static bool bounded_text(const rf_text *text, size_t max)
{
    char plain[TEXT_MAX];
    if (!text->escaped)
        return rf_text_valid(text->text, text->length, max);
    /* By its length: an escaped NUL does not end it. */
    size_t length = rf_json_unescape(text, plain, sizeof plain);
    return length != SIZE_MAX && rf_text_valid(plain, length, max);
}

/* That it is a signed note, its reader says. */
static bool bounded_note(const rf_text *text)
{
    char plain[RF_NOTE_MAX];
    if (text->length <= RF_NOTE_MAX)
        return text->length > 0;
    return text->escaped && rf_json_unescape(text, plain, sizeof plain) != SIZE_MAX;
}

static bool read_string(rf_json_reader *in, kind k, void *at)
{
    rf_text text;
    if (!rf_json_take_string(in, &text))
        return false;
    switch (k) {
    case KIND_TIME:
        return !text.escaped && rf_time_parse(text.text, text.length, at);
    case KIND_ROLE:
        return (*(raffle_role *)at = read_role(&text)) != 0;
    case KIND_TYPE:
        return read_type(&text, at);
    case KIND_HEX16:
        return !text.escaped && rf_hex_decode(at, 16, text.text, text.length);
    case KIND_HEX32:
        return !text.escaped && rf_hex_decode(at, 32, text.text, text.length);
    case KIND_HEX48:
        return !text.escaped && rf_hex_decode(at, 48, text.text, text.length);
    default:
        break;
    }
    *(rf_text *)at = text;
    if (k == KIND_WORD)
        return !text.escaped && rf_word_valid(text.text, text.length, RAFFLE_WORD_MAX);
    return k == KIND_NOTE ? bounded_note(&text) : bounded_text(&text, k == KIND_NAME ? RAFFLE_NAME_MAX : TEXT_MAX);
}

static bool read_member(rf_json_reader *in, const member *m, void *to)
{
    void *at = (char *)to + m->offset;
    rf_text *raw = at;
    switch ((kind)m->kind) {
    case KIND_INT:
    case KIND_FROM_1:
    case KIND_UNIT:
    case KIND_SERIAL:
    case KIND_MONEY:
        return rf_json_take_int(in, at) && in_range((kind)m->kind, *(const int64_t *)at);
    case KIND_BOOL:
        return rf_json_take_bool(in, at);
    case KIND_OBJECT:
    case KIND_ARRAY:
        if (rf_json_peek(in) != (m->kind == KIND_OBJECT ? RF_JSON_OBJECT : RF_JSON_ARRAY))
            return false;
        raw->escaped = false;
        return rf_json_take_any(in, &raw->text, &raw->length);
    default:
        return read_string(in, (kind)m->kind, at);
    }
}

/* Names ascend in the bytes and in the table, so that one walk over the table meets each. */
static const member *find_member(const member *table, unsigned count, unsigned *next, const char *name, size_t length)
{
    while (*next < count) {
        const member *m = &table[(*next)++];
        if (m->length == length && memcmp(m->name, name, length) == 0)
            return m;
    }
    return NULL;
}

static raffle_rc decode(const member *table, unsigned count, rf_members *has, void *to, const char *json, size_t length,
                        raffle_error *err)
{
    rf_json_reader in;
    const char *name;
    size_t name_length;
    unsigned next = 0;
    *has = 0;
    rf_json_reader_init(&in, json, length, true);
    if (!rf_json_enter_object(&in))
        return rf_fail(err, RAFFLE_CORRUPT, "the record is not canonical JSON: %s at byte %zu",
                       in.fault ? in.fault : "no object", in.at);
    while (rf_json_next_key(&in, &name, &name_length)) {
        const member *m = find_member(table, count, &next, name, name_length);
        if (m == NULL)
            return rf_fail(err, RAFFLE_CORRUPT, "the record has an unknown member, \"%.*s\"",
                           (int)(name_length < 40 ? name_length : 40), name);
        if (!read_member(&in, m, to))
            return rf_fail(err, RAFFLE_CORRUPT, "the record's member \"%s\" is malformed: %s", m->name,
                           in.fault ? in.fault : "not of its kind");
        *has |= rf_bit((unsigned)(m - table));
    }
    if (!rf_json_done(&in))
        return rf_fail(err, RAFFLE_CORRUPT, "the record is not canonical JSON: %s at byte %zu",
                       in.fault ? in.fault : "bytes follow it", in.at);
    return RAFFLE_OK;
}

raffle_rc rf_record_decode(rf_record *r, const char *leaf, size_t length, raffle_error *err)
{
    if (length > RAFFLE_RECORD_MAX)
        return rf_fail(err, RAFFLE_CORRUPT, "the record has %zu bytes; %d are the most", length, RAFFLE_RECORD_MAX);
    raffle_rc rc = decode(members, RF_FIELDS, &r->has, r, leaf, length, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (!rf_has(r, RF_F_T))
        return rf_fail(err, RAFFLE_CORRUPT, "the record has no type");
    if (!fits_type(r))
        return rf_fail(err, RAFFLE_CORRUPT, "a record of type %s lacks a member or has one too many",
                       types[r->type].name);
    return RAFFLE_OK;
}

raffle_rc rf_private_decode(rf_private *p, const char *json, size_t length, raffle_error *err)
{
    if (length > RAFFLE_PRIVATE_MAX)
        return rf_fail(err, RAFFLE_CORRUPT, "the private part has %zu bytes; %d are the most", length,
                       RAFFLE_PRIVATE_MAX);
    raffle_rc rc = decode(private_members, RF_PRIVATE_FIELDS, &p->has, p, json, length, err);
    if (rc != RAFFLE_OK)
        return rc;
    if ((p->has & (rf_bit(RF_P_ACTOR) | rf_bit(RF_P_SALT))) != (rf_bit(RF_P_ACTOR) | rf_bit(RF_P_SALT)))
        return rf_fail(err, RAFFLE_CORRUPT, "the private part lacks the actor or the salt");
    return RAFFLE_OK;
}

/* --- places --- */

void rf_places_encode(rf_json_writer *w, const rf_place *places, size_t n)
{
    rf_json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        rf_json_begin_object(w);
        rf_json_key(w, "number", 6);
        rf_json_int(w, (int64_t)places[i].number);
        rf_json_key(w, "serial", 6);
        rf_json_int(w, (int64_t)places[i].serial);
        rf_json_key(w, "unit", 4);
        rf_json_int(w, places[i].unit);
        rf_json_end_object(w);
    }
    rf_json_end_array(w);
}

static bool read_int_member(rf_json_reader *in, const char *want, kind k, int64_t *value)
{
    const char *name;
    size_t length;
    return rf_json_next_key(in, &name, &length) && length == strlen(want) && memcmp(name, want, length) == 0 &&
           rf_json_take_int(in, value) && in_range(k, *value);
}

static bool read_place(rf_json_reader *in, rf_place *place)
{
    const char *name;
    size_t length;
    int64_t number, serial, unit;
    if (!rf_json_enter_object(in) || !read_int_member(in, "number", KIND_FROM_1, &number) ||
        !read_int_member(in, "serial", KIND_SERIAL, &serial) || !read_int_member(in, "unit", KIND_UNIT, &unit) ||
        rf_json_next_key(in, &name, &length) || in->fault != NULL)
        return false;
    *place = (rf_place){(uint64_t)number, (uint64_t)serial, (uint32_t)unit};
    return true;
}

raffle_rc rf_places_decode(const rf_text *json, rf_place *places, size_t cap, size_t *n, raffle_error *err)
{
    rf_json_reader in;
    size_t count = 0;
    rf_json_reader_init(&in, json->text, json->length, true);
    if (!rf_json_enter_array(&in))
        return rf_fail(err, RAFFLE_CORRUPT, "the places are no array");
    while (rf_json_next_element(&in)) {
        if (count == cap || !read_place(&in, &places[count]))
            return rf_fail(err, RAFFLE_CORRUPT, "place %zu of the record is malformed or one too many", count + 1);
        count++;
    }
    if (!rf_json_done(&in))
        return rf_fail(err, RAFFLE_CORRUPT, "the places are malformed: %s", in.fault ? in.fault : "bytes follow");
    *n = count;
    return RAFFLE_OK;
}

/* --- tiers --- */

void rf_tier_counts_encode(rf_json_writer *w, const rf_tier_count *count, size_t n)
{
    rf_json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        rf_json_begin_object(w);
        rf_json_key(w, "tickets", 7);
        rf_json_int(w, (int64_t)count[i].tickets);
        rf_json_key(w, "voids", 5);
        rf_json_int(w, (int64_t)count[i].voids);
        rf_json_end_object(w);
    }
    rf_json_end_array(w);
}

static bool read_tier_count(rf_json_reader *in, rf_tier_count *count)
{
    const char *name;
    size_t length;
    int64_t tickets, voids;
    if (!rf_json_enter_object(in) || !read_int_member(in, "tickets", KIND_INT, &tickets) ||
        !read_int_member(in, "voids", KIND_INT, &voids) || rf_json_next_key(in, &name, &length) || in->fault != NULL)
        return false;
    *count = (rf_tier_count){(uint64_t)tickets, (uint64_t)voids};
    return true;
}

raffle_rc rf_tier_counts_decode(const rf_text *json, rf_tier_count *count, size_t n, raffle_error *err)
{
    rf_json_reader in;
    size_t read = 0;
    rf_json_reader_init(&in, json->text, json->length, true);
    if (!rf_json_enter_array(&in))
        return rf_fail(err, RAFFLE_CORRUPT, "the tiers are no array");
    while (rf_json_next_element(&in)) {
        if (read == n || !read_tier_count(&in, &count[read]))
            return rf_fail(err, RAFFLE_CORRUPT, "tier %zu of the record is malformed or one too many", read + 1);
        read++;
    }
    if (!rf_json_done(&in) || read != n)
        return rf_fail(err, RAFFLE_CORRUPT, "the record has %zu tiers, and the rules %zu", read, n);
    return RAFFLE_OK;
}
