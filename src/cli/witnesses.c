/* SPDX-License-Identifier: Apache-2.0 */
/* Asking witnesses (C2SP tlog-witness, add-checkpoint): the library builds the request and judges the answer, and this carries them. */
#include "witnesses.h"
#include "fetch.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECONDS = 10, /* a committed draw's round does not wait for a slow one */
    TRIES = 4     /* a witness that is asked by others, too, may have gone on in between */
};

/* Where there is room for what is sent and what comes. */
typedef struct exchange {
    char request[RAFFLE_WITNESS_REQUEST_SIZE];
    char answer[RAFFLE_WITNESS_ANSWER_MAX + 1]; /* one more than may be: the library refuses it */
} exchange;

static raffle_rc send_once(cli *c, uint32_t i, uint32_t log, uint64_t size, uint64_t *old, exchange *e,
                           const char *address)
{
    size_t length = 0, got = 0;
    long status = 0;
    raffle_rc rc = raffle_witness_request(c->raffle, log, size, *old, e->request, sizeof e->request, &length, &c->err);
    if (rc != RAFFLE_OK)
        return rc;
    const fetch_body send = {"text/plain; charset=utf-8", e->request, length, SECONDS};
    rc = fetch_try(address, &send, e->answer, sizeof e->answer, &got, &status, &c->err);
    return rc == RAFFLE_OK
               ? raffle_witness_answer(c->raffle, i, log, size, (int32_t)status, e->answer, got, old, &c->err)
               : rc;
}

/* Begins with an old size of 0: the witness says which it is. */
static raffle_rc ask_one(cli *c, uint32_t i, uint32_t log, uint64_t size, const raffle_witness *w)
{
    char address[RAFFLE_WITNESS_URL_SIZE + 32];
    uint64_t old = 0;
    if (w->url[0] == 0)
        return raffle_error_set(&c->err, RAFFLE_NOT_FOUND, 0, "the rules give no address for it");
    snprintf(address, sizeof address, "%s/add-checkpoint", w->url);
    exchange *e = memory_grow(NULL, sizeof *e);
    raffle_rc rc = RAFFLE_OK;
    for (int i_try = 0; i_try < TRIES && rc == RAFFLE_OK && old != UINT64_MAX; i_try++)
        rc = send_once(c, i, log, size, &old, e, address);
    free(e);
    if (rc == RAFFLE_OK && old != UINT64_MAX)
        return raffle_error_set(&c->err, RAFFLE_BUSY, 0, "it names another size each time");
    return rc;
}

static int look(cli *c, uint32_t log, uint64_t size, bool *reached)
{
    int32_t there = 0;
    if (raffle_checkpoint_quorum(c->raffle, log, size, &there, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    *reached = there != 0;
    return CLI_DONE;
}

int witnesses_ask(cli *c, uint32_t log, uint64_t size, bool all, witness_answer *answers, bool *reached)
{
    if (c->info.witnesses > WITNESSES_MAX)
        return cli_fail_as(c, RAFFLE_UNSUPPORTED, "the rules ask more than %d witnesses", WITNESSES_MAX);
    int status = look(c, log, size, reached);
    for (uint32_t i = 0; status == CLI_DONE && i < c->info.witnesses && (all || !*reached); i++) {
        witness_answer *a = &answers[i];
        raffle_witness_init(&a->witness, sizeof a->witness);
        raffle_error_init(&c->err, sizeof c->err);
        if (raffle_witness_at(c->raffle, i, &a->witness, &c->err) != RAFFLE_OK)
            return cli_fail(c);
        (void)ask_one(c, i, log, size, &a->witness);
        a->err = c->err;
        a->asked = true;
        status = look(c, log, size, reached);
    }
    return status;
}

int witnesses_for_draw(cli *c, uint64_t intent, bool *reached)
{
    witness_answer answers[WITNESSES_MAX] = {{.asked = false}};
    *reached = true;
    if (c->info.witnesses == 0)
        return CLI_DONE;
    int status = witnesses_ask(c, 0, intent + 1, false, answers, reached);
    for (uint32_t i = 0; status == CLI_DONE && i < c->info.witnesses; i++)
        if (answers[i].asked && answers[i].err.rc != RAFFLE_OK)
            cli_note(c, "the witness %s has not cosigned: %s", answers[i].witness.name, answers[i].err.message);
    return status;
}
