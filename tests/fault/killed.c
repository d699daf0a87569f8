/* SPDX-License-Identifier: Apache-2.0 */
/* A seller is killed in the middle of a commit, at another write each time, while two others sell into its unit and into another. Whoever comes after it
 * repeats its orders with their keys: what was acknowledged is there, all is sold once, and the audit finds no fault. */
#include "faulty_vfs.h"
#include "night.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ORDERS = 24, /* of each seller */
    LINES = 2,   /* of each order */
    SELLERS = 3
};

/* What a seller says of an order: it is this ticket, and the one after it. */
typedef struct word {
    uint32_t seller, order;
    uint32_t unit, replayed;
    uint64_t serial;
} word;

/* All sellers, and what they said first. */
typedef struct evening {
    night night;
    int kill_in;        /* the call at which seller 0 is killed; 0: … */
    uint32_t kill_told; /* … before it passes on what it was told of this order, counted from 1 */
    uint32_t heir_unit; /* through which its orders are repeated */
    int said[2];
    word first[SELLERS][ORDERS]; /* unit 0: nothing was said */
    int unheard; /* orders that were sold, as was found when they were repeated, and nobody had been told */
    const char *wrong;
} evening;

static bool step(night *n, const char *name)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    for (size_t i = 0; i < night_step_count; i++)
        if (strcmp(night_steps[i].name, name) == 0)
            return night_steps[i].run(n, &err) == RAFFLE_OK;
    return false;
}

static bool prepare(evening *e)
{
    static const char *const names[] = {"create", "enrol", "enable"};
    night_begin(&e->night);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!step(&e->night, names[i]))
            return false;
    raffle_free(e->night.raffle); /* no handle is taken through a fork */
    e->night.raffle = NULL;
    return pipe(e->said) == 0;
}

/* --- a seller: a process of its own --- */

static raffle_rc sell_one(raffle_unit *unit, uint32_t seller, uint32_t order, raffle_ticket *tickets)
{
    const raffle_actor by = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER);
    raffle_sale lines[LINES];
    raffle_error err = RAFFLE_ERROR_INIT;
    memset(lines, 0, sizeof lines);
    memset(tickets, 0, LINES * sizeof *tickets);
    for (size_t i = 0; i < LINES; i++) {
        lines[i].struct_size = sizeof *lines;
        tickets[i].struct_size = sizeof *tickets;
        snprintf(lines[i].order, sizeof lines[i].order, "seller-%u-%u", seller, order);
        snprintf(lines[i].tier, sizeof lines[i].tier, "one");
    }
    raffle_rc rc = raffle_unit_sell(unit, &by, lines, LINES, -1, tickets, &err);
    if (rc != RAFFLE_OK)
        printf("# seller %u, order %u: %s: %s\n", seller, order, raffle_rc_name(rc), err.message);
    return rc;
}

/* Status 1: an order was refused; 2: a word was not passed on. */
static int sell_all(const evening *e, raffle_unit *unit, uint32_t seller, uint32_t kill_told)
{
    raffle_ticket tickets[LINES];
    for (uint32_t i = 0; i < ORDERS; i++) {
        if (sell_one(unit, seller, i, tickets) != RAFFLE_OK)
            return 1;
        const word said = {seller, i, tickets[0].unit, tickets[0].flags & RAFFLE_TICKET_REPLAYED, tickets[0].serial};
        if (tickets[1].unit != said.unit || tickets[1].serial != said.serial + 1)
            return 1;
        if (kill_told == i + 1)
            raise(SIGKILL);
        if (write(e->said[1], &said, sizeof said) != sizeof said) /* short: whole, or not at all */
            return 2;
    }
    return 0;
}

static pid_t start(evening *e, uint32_t seller, uint32_t unit_number, bool dies)
{
    raffle_unit *unit = NULL;
    raffle_error err = RAFFLE_ERROR_INIT;
    fflush(stdout);
    const pid_t child = fork();
    if (child != 0)
        return child;
    faulty_vfs_clear();
    atomic_store(&faults.kill_in, dies ? e->kill_in : 0);
    raffle_rc rc = night_open(&e->night, &err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_open(e->night.raffle, unit_number, &unit, &err);
    const int status = rc == RAFFLE_OK ? sell_all(e, unit, seller, dies ? e->kill_told : 0) : 3;
    if (rc != RAFFLE_OK)
        printf("# seller %u opens: %s: %s\n", seller, raffle_rc_name(rc), err.message);
    raffle_unit_free(unit);
    fflush(stdout);
    _exit(status);
}

/* Whether it came to its own end, and that was a good one; `*killed`: or to the other. */
static bool ended_well(pid_t child, bool *killed)
{
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    *killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- what was said, and what is there --- */

/* The same order is the same tickets, whoever says so. */
static void listen_to(evening *e)
{
    word said;
    close(e->said[1]);
    while (read(e->said[0], &said, sizeof said) == sizeof said) {
        word *first = &e->first[said.seller][said.order];
        if (first->unit != 0 && (first->unit != said.unit || first->serial != said.serial))
            e->wrong = "an order that was acknowledged is another one when it is repeated";
        e->unheard += first->unit == 0 && said.replayed != 0;
        *first = said;
    }
    close(e->said[0]);
}

static bool is_there(const night *n, const word *said)
{
    char order[RAFFLE_NAME_SIZE];
    raffle_ticket tickets[LINES + 1];
    raffle_error err = RAFFLE_ERROR_INIT;
    size_t found = 0;
    memset(tickets, 0, sizeof tickets);
    tickets[0].struct_size = sizeof *tickets;
    snprintf(order, sizeof order, "seller-%u-%u", said->seller, said->order);
    return said->unit != 0 && raffle_order_tickets(n->raffle, order, tickets, LINES + 1, &found, &err) == RAFFLE_OK &&
           found == LINES && tickets[0].unit == said->unit && tickets[0].serial == said->serial;
}

static const char *check_audit(const night *n)
{
    static char text[600];
    raffle_audit *audit = NULL;
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_fault fault = RAFFLE_FAULT_INIT;
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    raffle_rc rc = raffle_audit_run(n->uri, NULL, NULL, &audit, &err);
    if (rc == RAFFLE_OK)
        rc = raffle_audit_verdict(audit, &verdict, &err);
    if (rc != RAFFLE_OK)
        snprintf(text, sizeof text, "the audit: %s", err.message);
    else if (!verdict.passed && raffle_audit_fault_at(audit, 0, &fault, &err) == RAFFLE_OK)
        snprintf(text, sizeof text, "the audit finds %s: %s", fault.code, fault.message);
    raffle_audit_free(audit);
    return text[0] == 0 ? NULL : text;
}

static const char *check_store(evening *e)
{
    raffle_info info = RAFFLE_INFO_INIT;
    raffle_error err = RAFFLE_ERROR_INIT;
    if (night_open(&e->night, &err) != RAFFLE_OK)
        return "the raffle cannot be opened afterwards";
    for (size_t i = 0; i < SELLERS; i++)
        for (size_t k = 0; k < ORDERS; k++)
            if (!is_there(&e->night, &e->first[i][k]))
                return "an order is not there as it was acknowledged";
    if (raffle_describe(e->night.raffle, &info, &err) != RAFFLE_OK || info.tickets != SELLERS * ORDERS * LINES)
        return "there are not as many tickets as were ordered";
    return check_audit(&e->night);
}

/* --- an evening --- */

/* Seller 0 is the one who dies, in unit 1; 1 sells there too, 2 in the other. */
static const char *sell_and_die(evening *e, bool *killed)
{
    bool other = false;
    const pid_t victim = start(e, 0, 1, true), same_unit = start(e, 1, 1, false), other_unit = start(e, 2, 2, false);
    const bool finished = ended_well(victim, killed);
    const bool heir = finished || ended_well(start(e, 0, e->heir_unit, false), &other); /* while the others go on */
    const bool same_good = ended_well(same_unit, &other), other_good = ended_well(other_unit, &other);
    listen_to(e);
    if (!finished && !*killed)
        return "the seller who was to be killed fails";
    if (!heir)
        return "whoever repeats the orders fails";
    if (!same_good || !other_good)
        return "a seller beside it fails";
    if (e->kill_told > 0 && e->unheard != 1)
        return "the order that was sold and not told is not found when it is repeated";
    return e->wrong != NULL ? e->wrong : check_store(e);
}

static bool spend(evening *e, bool *killed)
{
    const char *wrong = prepare(e) ? sell_and_die(e, killed) : "the evening is not prepared";
    faulty_vfs_clear();
    night_end(&e->night);
    if (wrong != NULL)
        printf("# killed at call %d, order %u: %s\n", e->kill_in, e->kill_told, wrong);
    return wrong == NULL;
}

/* --- all of them --- */

typedef struct plan {
    const char *name;
    uint32_t heir_unit;
    bool told; /* killed after a commit, and not at a call */
    int evenings, failures;
} plan;

static void spend_all(plan *p, int stride, int offset)
{
    static evening e;
    bool killed = true;
    for (int nth = 1 + offset; killed && p->failures < 5 && (!p->told || nth <= ORDERS); nth += stride, p->evenings++) {
        memset(&e, 0, sizeof e);
        e.heir_unit = p->heir_unit;
        e.kill_in = p->told ? 0 : nth;
        e.kill_told = p->told ? (uint32_t)nth : 0;
        p->failures += !spend(&e, &killed);
    }
}

/* killed STRIDE [OFFSET]: killed at every STRIDEth call, from the OFFSETth on (by default another one each time). */
int main(int argc, char **argv)
{
    plan plans[] = {{.name = "killed at a write, repeated in the same unit", .heir_unit = 1},
                    {.name = "killed at a write, repeated in another unit", .heir_unit = 2},
                    {.name = "killed before the answer, repeated in the same unit", .heir_unit = 1, .told = true},
                    {.name = "killed before the answer, repeated in another unit", .heir_unit = 2, .told = true}};
    const int n = (int)(sizeof plans / sizeof *plans), stride = argc > 1 ? atoi(argv[1]) : 0;
    int status = 0;
    if (stride < 1) {
        fprintf(stderr, "killed STRIDE [OFFSET]\n");
        return 2;
    }
    const int offset = argc > 2 ? atoi(argv[2]) % stride : (int)(getpid() % stride);
    faulty_vfs_install();
    printf("1..%d\n", n);
    for (int i = 0; i < n; i++) {
        spend_all(&plans[i], stride, offset);
        printf("%sok %d - %s: %d evenings, stride %d, offset %d\n", plans[i].failures > 0 ? "not " : "", i + 1,
               plans[i].name, plans[i].evenings, stride, offset);
        status |= plans[i].failures > 0;
    }
    return status;
}
