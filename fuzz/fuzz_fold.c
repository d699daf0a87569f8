/* SPDX-License-Identifier: Apache-2.0 */
/* The fold: each line is a record, applied to the control log or, when it counts draw numbers, to unit 1's; one that is refused changes nothing. */
#include "fold.h"
#include "fuzz.h"

static rf_sha256 *hash;

/* --- all that a control log's state says, as one hash; not the rules, which are as they were opened --- */

/* The struct itself, without the pointers: what is grown for a record that is then refused may have moved. */
static rf_control scalars_of(const rf_control *c)
{
    rf_control copy;
    memcpy(&copy, c, sizeof copy);
    copy.unit = NULL;
    copy.run_unit = NULL;
    copy.pick = NULL;
    copy.printed.at = copy.reprinted.at = NULL;
    copy.printed.cap = copy.reprinted.cap = 0;
    return copy;
}

static void add(rf_span *spans, size_t *n, const void *data, size_t length)
{
    if (length > 0)
        spans[(*n)++] = (rf_span){data, length};
}

static void fingerprint(const rf_control *c, uint8_t out[32])
{
    rf_span spans[10 + RF_PRIZES_MAX];
    size_t n = 0;
    const size_t prizes = c->rules == NULL ? 0 : c->rules->prizes;
    const rf_control scalars = scalars_of(c);
    add(spans, &n, &scalars, sizeof scalars);
    add(spans, &n, c->unit, c->units * sizeof *c->unit);
    add(spans, &n, c->run_unit, c->run * sizeof *c->run_unit);
    add(spans, &n, c->pick, c->picks * sizeof *c->pick);
    add(spans, &n, c->printed.at, c->printed.n * sizeof *c->printed.at);
    add(spans, &n, c->reprinted.at, c->reprinted.n * sizeof *c->reprinted.at);
    add(spans, &n, c->early.unit, c->early.units * sizeof *c->early.unit);
    add(spans, &n, c->final.unit, c->final.units * sizeof *c->final.unit);
    add(spans, &n, c->prize, prizes * sizeof *c->prize);
    for (size_t i = 0; i < prizes; i++)
        add(spans, &n, c->prize[i].place, c->prize[i].places * sizeof *c->prize[i].place);
    rf_sha256_spans(hash, out, spans, n);
}

/* --- applying --- */

static void check_taken(const rf_taken_list *taken)
{
    fuzz_require(taken->n <= sizeof taken->key / sizeof taken->key[0], "a record takes a few keys");
    for (size_t i = 0; i < taken->n; i++)
        fuzz_require(taken->key[i].scope >= RF_SCOPE_ORDER && taken->key[i].scope <= RF_SCOPE_TIME &&
                         taken->key[i].length <= sizeof taken->key[i].key,
                     "a key is of a known scope and fits");
}

static void check_control(const rf_control *c)
{
    if (c->rules == NULL)
        return;
    const int next = rf_control_next_prize(c);
    fuzz_require(next >= -1 && next < (int)c->rules->prizes && c->open_prize < (int)c->rules->prizes,
                 "prizes are there");
    fuzz_require(c->run <= c->units && c->units <= RAFFLE_UNIT_MAX, "a seal's run is over the units that are there");
    fuzz_require(c->early.units <= c->units && c->final.units <= c->units, "seals are over units that are there");
    for (size_t i = 0; i < c->rules->prizes; i++)
        fuzz_require(rf_control_promotion(c, (int)i) <= c->prize[i].places, "who is promoted holds a place");
}

static void apply_control(rf_control *c, const rf_record *r, const char *leaf, size_t length)
{
    uint8_t leaf_hash[32], before[32], after[32];
    rf_taken_list taken = {0};
    const uint64_t size = c->size;
    rf_leaf_hash(hash, leaf_hash, leaf, length);
    fingerprint(c, before);
    if (rf_control_apply(c, r, leaf_hash, &taken, NULL) == RAFFLE_OK) {
        fuzz_require(c->size == size + 1 && c->last_at == r->at, "a record that is applied counts for one");
        check_taken(&taken);
        check_control(c);
        return;
    }
    fingerprint(c, after);
    fuzz_require(c->size == size && memcmp(before, after, sizeof after) == 0,
                 "a record that is refused changes nothing");
}

static void apply_unit(const rf_unit_frame *frame, rf_unit_state *s, const rf_record *r)
{
    rf_taken_list taken = {0};
    const rf_unit_state before = *s;
    if (rf_unit_apply(frame, s, r, &taken, NULL) != RAFFLE_OK) {
        fuzz_require(memcmp(&before, s, sizeof before) == 0, "a record that is refused changes nothing");
        return;
    }
    fuzz_require(s->size == before.size + 1 && s->last_at == r->at, "a record that is applied counts for one");
    fuzz_require(s->next == s->numbers + 1 && s->voids <= s->tickets && s->void_numbers <= s->numbers &&
                     s->void_gross <= s->gross,
                 "no more is void than was sold");
    check_taken(&taken);
}

static void apply_line(rf_control *c, rf_unit_state *s, const char *leaf, size_t length)
{
    rf_record r;
    if (rf_record_decode(&r, leaf, length, NULL) != RAFFLE_OK)
        return;
    if (c->rules == NULL || !rf_has(&r, RF_F_N)) {
        apply_control(c, &r, leaf, length);
        return;
    }
    rf_unit_frame frame = {.rules = c->rules, .unit = 1};
    memcpy(frame.open, c->open, sizeof frame.open);
    apply_unit(&frame, s, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rf_control control;
    rf_unit_state state;
    if (hash == NULL)
        hash = rf_sha256_new();
    fuzz_require(hash != NULL, "there is a digest");
    rf_control_init(&control);
    rf_unit_state_init(&state);
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        const size_t length = end == NULL ? size - at : (size_t)(end - data) - at;
        apply_line(&control, &state, (const char *)data + at, length);
        at += length + 1;
    }
    rf_control_clear(&control);
    return 0;
}
