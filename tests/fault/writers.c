/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many writers of one raffle: processes of several threads that sell into all of its units, send the same orders, and are killed while they sell. Every sale that was
 * acknowledged must be there, once; and who sells one by one beside those who import must get his turn, by count.
 */
#include <raffle/raffle.h>

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    UNITS = 4,
    PROCESSES = 3,
    THREADS = 4,
    WRITERS = PROCESSES * THREADS,
    OWN = 30,    /* orders that one writer alone sends, */
    SHARED = 15, /* and those that each of them sends, to one unit or another */
    ORDERS = OWN + SHARED,
    KILLS = 12,
    BATCH = 1000,
    TILL_SALES = 200,
    WINDOW = 30,         /* batches of others within which a till has sold, */
    WINDOW_SERVER = 100, /* there also those into other units, which nobody waits for; */
    AVERAGE = 10         /* and that on average */
};

typedef struct answer {
    atomic_uint unit; /* 0: not answered yet; written last */
    uint32_t replayed;
    uint64_t serial, first;
} answer;

/* What outlives a writer that is killed. */
typedef struct shared {
    answer answer[WRITERS][ORDERS];
    atomic_ulong answered, batches;
    atomic_bool stop;
} shared;

static shared *all;
static char folder[128], store[512], keys[256];
static int failures;

static void check(bool good, const char *what, uint64_t i, uint64_t k)
{
    if (good)
        return;
    failures++;
    printf("# %s: %llu, %llu\n", what, (unsigned long long)i, (unsigned long long)k);
}

static void must(raffle_rc rc, const raffle_error *err, const char *what)
{
    if (rc == RAFFLE_OK)
        return;
    printf("Bail out! %s: %s: %s\n", what, raffle_rc_name(rc), err->message);
    fflush(stdout);
    _exit(1);
}

/* --- a raffle of its own for each test --- */

static void remove_folder(const char *path)
{
    char name[512];
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR)
            remove_folder(name);
        else
            unlink(name);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(path);
}

static void write_rules(char *out, size_t cap, const char *name)
{
    char opens[32], closes[32];
    struct tm tm;
    const time_t now = time(NULL), from = now - 86400, until = now + 86400;
    strftime(opens, sizeof opens, "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&from, &tm));
    strftime(closes, sizeof closes, "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&until, &tm));
    snprintf(
        out, cap,
        "{\"origin\":\"raffle.example/%s\",\"name\":\"Writers\",\"organisation\":\"Society\",\"currency\":\"CAD\","
        "\"sales\":{\"opens\":\"%s\",\"closes\":\"%s\"},\"tiers\":[{\"name\":\"ten\",\"count\":10,\"price\":2000}],"
        "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"d\"}],"
        "\"prizes\":[{\"name\":\"first\"}]}",
        name, opens, closes);
}

static void begin(const char *name)
{
    static const raffle_actor boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER);
    raffle_error err = RAFFLE_ERROR_INIT;
    const char *tmp = getenv("TMPDIR"), *server = getenv("RAFFLE_POSTGRES");
    char rules[1024];
    raffle *r = NULL;
    memset((void *)all, 0, sizeof *all);
    snprintf(folder, sizeof folder, "%s/raffle-writers-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        exit(1);
    }
    if (server != NULL)
        snprintf(store, sizeof store, "%s#raffle.example/%s", server, name);
    else
        snprintf(store, sizeof store, "sqlite:%s/r", folder);
    snprintf(keys, sizeof keys, "file:%s/keys", folder);
    write_rules(rules, sizeof rules, name);
    must(raffle_create(store, keys, NULL, rules, strlen(rules), &boss, &r, &err), &err, "create");
    raffle_free(r);
}

static raffle *open_units(raffle_unit *unit[UNITS])
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle *r = NULL;
    must(raffle_open(store, NULL, NULL, &r, &err), &err, "open");
    for (uint32_t u = 0; u < UNITS; u++)
        must(raffle_unit_open(r, u + 1, &unit[u], &err), &err, "unit");
    return r;
}

static void close_units(raffle *r, raffle_unit *unit[UNITS])
{
    for (uint32_t u = 0; u < UNITS; u++)
        raffle_unit_free(unit[u]);
    raffle_free(r);
}

/* --- writers --- */

typedef struct writer {
    unsigned number;
    raffle_unit **unit;
    pthread_t thread;
} writer;

/* The first SHARED orders are everybody's. */
static void order_key(char out[RAFFLE_NAME_SIZE], unsigned number, unsigned i)
{
    if (i < SHARED)
        snprintf(out, RAFFLE_NAME_SIZE, "shared-%u", i);
    else
        snprintf(out, RAFFLE_NAME_SIZE, "own-%u-%u", number, i);
}

static raffle_rc sell(raffle_unit *unit, const char *order, raffle_ticket *ticket, raffle_error *err)
{
    static const raffle_actor ann = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER);
    raffle_sale sale = RAFFLE_SALE_INIT;
    snprintf(sale.order, sizeof sale.order, "%s", order);
    memcpy(sale.tier, "ten", 3);
    raffle_ticket_init(ticket, sizeof *ticket);
    return raffle_unit_sell(unit, &ann, &sale, 1, 120000, ticket, err);
}

/* Sends what was not answered yet; what was answered to one who was killed is sent again, too, and must be answered the same. */
static void *write_orders(void *ctx)
{
    const writer *w = ctx;
    raffle_error err = RAFFLE_ERROR_INIT;
    for (unsigned k = 0; k < ORDERS; k++) {
        const unsigned i = (k + w->number * 5) % ORDERS; /* shared orders meet, and do not come all at once */
        answer *a = &all->answer[w->number][i];
        char order[RAFFLE_NAME_SIZE];
        raffle_ticket t;
        order_key(order, w->number, i);
        must(sell(w->unit[(w->number + i) % UNITS], order, &t, &err), &err, "sell");
        const unsigned before = atomic_load(&a->unit);
        check(before == 0 || (before == t.unit && a->serial == t.serial && a->first == t.first), "another answer",
              w->number, i);
        if (before != 0)
            continue;
        a->replayed = t.flags & RAFFLE_TICKET_REPLAYED;
        a->serial = t.serial;
        a->first = t.first;
        atomic_store(&a->unit, t.unit);
        atomic_fetch_add(&all->answered, 1);
    }
    return NULL;
}

static pid_t start_process(unsigned p)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    raffle_unit *unit[UNITS];
    writer w[THREADS];
    raffle *r = open_units(unit);
    for (unsigned t = 0; t < THREADS; t++) {
        w[t] = (writer){.number = p * THREADS + t, .unit = unit};
        pthread_create(&w[t].thread, NULL, write_orders, &w[t]);
    }
    for (unsigned t = 0; t < THREADS; t++)
        pthread_join(w[t].thread, NULL);
    close_units(r, unit);
    fflush(stdout);
    _exit(failures > 0);
}

/* --- what is there --- */

static uint64_t shared_sold; /* answers that are the first of a shared order */

static void compare_answer(raffle *r, unsigned number, unsigned i)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    const answer *a = &all->answer[number][i];
    raffle_ticket t = RAFFLE_TICKET_INIT;
    char order[RAFFLE_NAME_SIZE];
    size_t n = 0;
    order_key(order, number, i);
    must(raffle_order_tickets(r, order, &t, 1, &n, &err), &err, "order");
    check(n == 1 && t.unit == atomic_load(&a->unit) && t.serial == a->serial && t.first == a->first,
          "the store holds another ticket", number, i);
    if (i < SHARED)
        shared_sold += a->replayed == 0;
}

/* One log's sales follow one another without a gap by its audit; here: all of them are ours, and no more. */
static void compare_all(bool killed)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_unit *unit[UNITS];
    raffle_info info = RAFFLE_INFO_INIT;
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    raffle *r = open_units(unit);
    shared_sold = 0;
    for (unsigned w = 0; w < WRITERS; w++)
        for (unsigned i = 0; i < ORDERS; i++)
            compare_answer(r, w, i);
    must(raffle_describe(r, &info, &err), &err, "describe");
    check(info.tickets == WRITERS * OWN + SHARED, "tickets", info.tickets, WRITERS * OWN + SHARED);
    check(info.numbers == 10 * info.tickets, "draw numbers", info.numbers, 10 * info.tickets);
    check(killed ? shared_sold <= SHARED : shared_sold == SHARED, "shared orders sold", shared_sold, SHARED);
    close_units(r, unit);
    must(raffle_audit_store(store, NULL, NULL, &verdict, &err), &err, "audit");
    check(verdict.passed == 1 && verdict.tickets == info.tickets, "faults of the audit", verdict.faults, 0);
}

static void wait_process(pid_t pid)
{
    int status = 0;
    waitpid(pid, &status, 0);
    check(status == 0, "a writer's status", (uint64_t)status, 0);
}

static void many_writers(void)
{
    pid_t pid[PROCESSES];
    for (unsigned p = 0; p < PROCESSES; p++)
        pid[p] = start_process(p);
    for (unsigned p = 0; p < PROCESSES; p++)
        wait_process(pid[p]);
    compare_all(false);
}

/* Each kill comes after so many answers more: at no chosen moment of a sale. */
static void killed_writers(void)
{
    pid_t pid[PROCESSES];
    for (unsigned p = 0; p < PROCESSES; p++)
        pid[p] = start_process(p);
    for (unsigned k = 0; k < KILLS; k++) {
        const unsigned p = k % PROCESSES;
        const unsigned long at = (k + 1) * (WRITERS * ORDERS / (KILLS + 1));
        int status = 0;
        while (atomic_load(&all->answered) < at && waitpid(pid[p], &status, WNOHANG) == 0)
            usleep(100);
        kill(pid[p], SIGKILL);
        waitpid(pid[p], &status, 0);
        pid[p] = start_process(p);
    }
    for (unsigned p = 0; p < PROCESSES; p++)
        wait_process(pid[p]);
    compare_all(true);
}

/* --- a till beside importers --- */

static void *import(void *ctx)
{
    static const raffle_actor ann = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER);
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_sale *sale = calloc(BATCH, sizeof *sale);
    raffle_ticket *ticket = calloc(BATCH, sizeof *ticket);
    for (size_t i = 0; sale != NULL && ticket != NULL && i < BATCH; i++) {
        raffle_sale_init(&sale[i], sizeof *sale);
        raffle_ticket_init(&ticket[i], sizeof *ticket);
        memcpy(sale[i].tier, "ten", 3);
    }
    while (sale != NULL && ticket != NULL && !atomic_load(&all->stop)) {
        must(raffle_unit_sell(ctx, &ann, sale, BATCH, 120000, ticket, &err), &err, "import");
        atomic_fetch_add(&all->batches, 1);
    }
    free(sale);
    free(ticket);
    return NULL;
}

static pid_t start_importer(uint32_t number)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    raffle_unit *unit[UNITS];
    raffle *r = open_units(unit);
    import(unit[number - 1]);
    close_units(r, unit);
    _exit(0);
}

static void sell_beside(raffle_unit *till)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_ticket t;
    char order[RAFFLE_NAME_SIZE];
    const unsigned long window = getenv("RAFFLE_POSTGRES") == NULL ? WINDOW : WINDOW_SERVER;
    unsigned long sum = 0, most = 0;
    must(sell(till, "warm", &t, &err), &err, "till"); /* verifies what is there */
    for (unsigned i = 0; i < TILL_SALES; i++) {
        const unsigned long before = atomic_load(&all->batches);
        snprintf(order, sizeof order, "till-%u", i);
        must(sell(till, order, &t, &err), &err, "till");
        const unsigned long passed = atomic_load(&all->batches) - before;
        check(passed <= window, "batches that were faster than a sale", passed, i);
        sum += passed;
        most = passed > most ? passed : most;
    }
    printf("# %lu batches of others during %d sales, %lu during one\n", sum, TILL_SALES, most);
    check(sum <= (unsigned long)AVERAGE * TILL_SALES, "batches in all", sum, TILL_SALES);
}

/* The till's unit, 1, is sold into by a process; another unit by another one, a third by a thread. */
static void till_beside_importers(void)
{
    raffle_unit *unit[UNITS];
    pthread_t thread;
    const pid_t same = start_importer(1), other = start_importer(2);
    raffle *r = open_units(unit);
    pthread_create(&thread, NULL, import, unit[2]);
    while (atomic_load(&all->batches) < 6)
        usleep(100);
    sell_beside(unit[0]);
    atomic_store(&all->stop, true);
    pthread_join(thread, NULL);
    wait_process(same);
    wait_process(other);
    close_units(r, unit);
}

typedef struct test {
    const char *name;
    void (*run)(void);
} test;

int main(void)
{
    static const test tests[] = {{"many-writers", many_writers},
                                 {"killed-writers", killed_writers},
                                 {"till-beside-importers", till_beside_importers}};
    int failed = 0;
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return 1;
    printf("1..%zu\n", sizeof tests / sizeof *tests);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        failures = 0;
        begin(tests[i].name);
        tests[i].run();
        printf("%s %zu - %s\n", failures == 0 ? "ok" : "not ok", i + 1, tests[i].name);
        fflush(stdout);
        failed += failures > 0;
        remove_folder(folder);
    }
    return failed > 0;
}
