/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle backup|restore|mirror`: a raffle as a file, back into a store, and a second store that follows (GLI-31 5.7). */
#include "commands.h"
#include "file_out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- backup --- */

static const option_spec backup_options[] = {
    {"out", "FILE", "a new file, for its owner alone; default: standard output"},
    {NULL, NULL, NULL},
};

static raffle_rc write_part(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    FILE *file = ctx;
    if (fwrite(bytes, 1, length, file) == length)
        return RAFFLE_OK;
    (void)snprintf(err->message, sizeof err->message, "%s", strerror(errno));
    return RAFFLE_HOST;
}

static FILE *new_file(cli *c, const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL && fd >= 0) {
        const int why = errno;
        (void)close(fd);
        (void)remove(path);
        errno = why;
    }
    if (file == NULL && errno == EEXIST)
        (void)cli_fail_as(c, RAFFLE_EXISTS, "%.200s is there: another backup writes it, or was cut off", path);
    else if (file == NULL)
        (void)cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    return file;
}

/* Whole and on the disk. */
static int write_whole(cli *c, FILE *file, const char *path)
{
    (void)setvbuf(file, NULL, _IONBF, 0); /* what is private stays in the library's buffer */
    int status = raffle_backup(c->raffle, write_part, file, &c->err) == RAFFLE_OK ? CLI_DONE : cli_fail(c);
    if (status == CLI_DONE && (fflush(file) != 0 || fsync(fileno(file)) != 0))
        status = cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    if (fclose(file) != 0 && status == CLI_DONE)
        status = cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    return status;
}

/* A backup that was cut off is none: the file has its name only when it is whole. */
static int backup_into(cli *c, const char *path)
{
    char part[PATH_MAX];
    if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part)
        return cli_usage(c, "--out is longer than a path can be");
    if (access(path, F_OK) == 0)
        return cli_fail_as(c, RAFFLE_EXISTS, "%.200s: %s", path, strerror(EEXIST));
    FILE *file = new_file(c, part);
    if (file == NULL)
        return CLI_FAILED;
    int status = write_whole(c, file, part);
    if (status == CLI_DONE && !file_give_name(part, path))
        status = cli_fail_as(c, errno == EEXIST ? RAFFLE_EXISTS : RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    if (status != CLI_DONE) {
        (void)remove(part);
        return status;
    }
    if (file_sync_name(path))
        return CLI_DONE;
    status = cli_fail_as(c, RAFFLE_IO, "%.200s: %s", path, strerror(errno));
    (void)remove(path);
    return status;
}

static int show(cli *c, const char *path)
{
    raffle_backup_info info = RAFFLE_BACKUP_INFO_INIT;
    if (raffle_backup_verify(path, cli_option(c, "key"), &info, &c->err) != RAFFLE_OK) {
        (void)cli_fail(c);
        return CLI_FAULT;
    }
    if (!c->json) {
        printf("%s: good: %llu records of %s, with %u units, under %s\n", path, (unsigned long long)info.records,
               info.origin, info.units, info.key);
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "origin", json_text(info.origin));
    json_put(o, "control_key", json_text(info.key));
    json_put(o, "units", json_count(info.units));
    json_put(o, "control_size", json_count(info.control));
    json_put(o, "records", json_count(info.records));
    json_put(o, "keys", json_count(info.keys));
    json_end(o, true, stdout);
    return CLI_DONE;
}

static int run_backup(cli *c)
{
    const char *path = cli_option(c, "out");
    int status = cli_open(c, NEED_KEYS);
    if (status != CLI_DONE)
        return status;
    if (path == NULL) {
        (void)setvbuf(stdout, NULL, _IONBF, 0);
        if (raffle_backup(c->raffle, write_part, stdout, &c->err) != RAFFLE_OK)
            return cli_fail(c);
        return fflush(stdout) == 0 ? CLI_DONE : cli_fail_as(c, RAFFLE_IO, "standard output: %s", strerror(errno));
    }
    status = backup_into(c, path);
    return status == CLI_DONE ? show(c, path) : status;
}

const command cmd_backup = {
    .name = "backup",
    .usage = "STORE [--out FILE]",
    .summary = "write the raffle as one file, while it goes on, and check it; keys are not in it",
    .example = "  raffle backup gala.raffle --out gala.backup",
    .options = backup_options,
    .min = 1,
    .max = 1,
    .run = run_backup,
};

/* --- restore --- */

static const option_spec restore_options[] = {
    {"check", NULL, "only check the backup; no STORE"},
    {"key", "VKEY", "the raffle's control key, known from elsewhere"},
    {"mirror", NULL, "write nothing about it: the copy is for raffle mirror, and not to be sold from"},
    {NULL, NULL, NULL},
};

static int restore(cli *c, const char *path, const char *store)
{
    const bool mirror = cli_flag(c, "mirror");
    int status = mirror ? CLI_DONE : cli_actors(c);
    if (status == CLI_DONE && cli_option(c, "key") != NULL &&
        raffle_backup_verify(path, cli_option(c, "key"), NULL, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (status != CLI_DONE)
        return status;
    raffle_rc rc =
        raffle_restore(path, store, cli_keys(c), &c->host.table, mirror ? NULL : &c->by, &c->raffle, &c->err);
    raffle_info_init(&c->info, sizeof c->info);
    if (rc != RAFFLE_OK || raffle_describe(c->raffle, &c->info, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    if (!c->json) {
        printf("%s holds %s again; look at raffle status before anything is sold\n", store, c->info.origin);
        return CLI_DONE;
    }
    json_t *o = json_must(json_object());
    json_put(o, "origin", json_text(c->info.origin));
    json_put(o, "control_size", json_count(c->info.control_size));
    json_end(o, true, stdout);
    return CLI_DONE;
}

static int run_restore(cli *c)
{
    const char *path = cli_positional(c, 0), *store = cli_positional(c, 1);
    if (cli_flag(c, "check") != (store == NULL))
        return cli_usage(c, store == NULL ? "STORE is missing: where it is to be put back" : "--check takes no STORE");
    return store == NULL ? show(c, path) : restore(c, path, store);
}

const command cmd_restore = {
    .name = "restore",
    .usage = "FILE STORE [--mirror] [--key VKEY] --by ID:ROLE | FILE --check",
    .summary = "put a raffle back from a backup into an empty store, after all of it was checked",
    .example = "  raffle restore gala.backup again.raffle --keys file:gala.raffle.keys --by boss:manager",
    .options = restore_options,
    .min = 1,
    .max = 2,
    .run = run_restore,
};

/* --- mirror --- */

static const option_spec mirror_options[] = {
    {"every", "MS", "go on, and look again after so many milliseconds, until interrupted"},
    {NULL, NULL, NULL},
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void say(const cli *c, const raffle_mirror_info *info)
{
    if (!c->json) {
        printf("copied %llu, records %llu, units %u of %u\n", (unsigned long long)info->copied,
               (unsigned long long)info->records, info->units, c->info.units);
    } else {
        json_t *o = json_must(json_object());
        json_put(o, "copied", json_count(info->copied));
        json_put(o, "records", json_count(info->records));
        json_put(o, "units", json_count(info->units));
        json_end(o, true, stdout);
    }
    (void)fflush(stdout);
}

/* What may pass is waited out. */
static bool may_pass(raffle_rc rc)
{
    return rc == RAFFLE_BUSY || rc == RAFFLE_TIMEOUT || rc == RAFFLE_IO || rc == RAFFLE_UNKNOWN || rc == RAFFLE_FULL;
}

static int follow(cli *c, raffle *mirror, uint64_t every)
{
    const struct timespec pause = {.tv_sec = (time_t)(every / 1000), .tv_nsec = (long)(every % 1000) * 1000000};
    bool first = true;
    do {
        raffle_mirror_info info = RAFFLE_MIRROR_INFO_INIT;
        raffle_rc rc = raffle_mirror(c->raffle, mirror, &info, &c->err);
        if (rc != RAFFLE_OK && (every == 0 || !may_pass(rc)))
            return cli_fail(c);
        if (rc != RAFFLE_OK)
            cli_note(c, "%s; trying again", c->err.message);
        else if (first || info.copied > 0)
            say(c, &info);
        first = false;
        if (every > 0 && !interrupted)
            (void)nanosleep(&pause, NULL);
    } while (every > 0 && !interrupted);
    return CLI_DONE;
}

static int run_mirror(cli *c)
{
    uint64_t every = 0;
    raffle *mirror = NULL;
    raffle_host lent = c->host.table;
    const struct sigaction action = {.sa_handler = interrupt};
    if (!options_number(&c->options, "every", 1, 3600000, &every))
        return cli_usage_fault(c);
    int status = cli_open(c, NEED_KEYS);
    if (status != CLI_DONE)
        return status;
    lent.release = NULL;
    if (raffle_open(cli_positional(c, 1), cli_keys(c), &lent, &mirror, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    status = follow(c, mirror, every);
    raffle_free(mirror);
    return status;
}

const command cmd_mirror = {
    .name = "mirror",
    .usage = "STORE MIRROR [--every MS]",
    .summary = "give a second store, which raffle restore --mirror made, the records that it lacks",
    .example = "  raffle mirror gala.raffle postgresql://standby/gala --every 200",
    .options = mirror_options,
    .min = 2,
    .max = 2,
    .run = run_mirror,
};
