/* SPDX-License-Identifier: Apache-2.0 */
/* Backups of the large raffle: written, checked and put back, beside SQLite's own copy of the store's file (VACUUM INTO), which neither checks nor signs. */
#include "bench.h"

#include <raffle/backup.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const raffle_actor boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER);

static raffle_rc keep(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    return fwrite(bytes, 1, length, ctx) == length ? RAFFLE_OK : raffle_error_set(err, RAFFLE_IO, 0, "not written");
}

static double megabytes(const char *path)
{
    struct stat is;
    return stat(path, &is) == 0 ? (double)is.st_size / 1e6 : 0;
}

static double write_backup(raffle *r, const char *path)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    FILE *file = fopen(path, "wb");
    const double began = bench_now();
    if (file == NULL)
        exit(1);
    bench_check(raffle_backup(r, keep, file, &err), &err, "backup");
    if (fflush(file) != 0 || fsync(fileno(file)) != 0 || fclose(file) != 0)
        exit(1);
    return bench_now() - began;
}

static double copy_store(const char *store, const char *path)
{
    char sql[400];
    sqlite3 *db = NULL;
    const double began = bench_now();
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", path);
    if (sqlite3_open_v2(store, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s\n", sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_close(db);
    const double seconds = bench_now() - began;
    (void)remove(path);
    return seconds;
}

static double check_backup(const char *path)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    const double began = bench_now();
    bench_check(raffle_backup_verify(path, NULL, NULL, &err), &err, "verify");
    return bench_now() - began;
}

static double restore_backup(const char *path, const char *folder)
{
    char store[300], keys[300];
    raffle *r = NULL;
    raffle_error err = RAFFLE_ERROR_INIT;
    snprintf(store, sizeof store, "%s/again.raffle", folder);
    snprintf(keys, sizeof keys, "file:%s/bench.raffle.keys", bench_large_folder());
    const double began = bench_now();
    bench_check(raffle_restore(path, store, keys, NULL, &boss, &r, &err), &err, "restore");
    const double seconds = bench_now() - began;
    raffle_free(r);
    return seconds;
}

int bench_backup(void)
{
    char folder[256], path[300], copy[300], store[300];
    double written[BENCH_RUNS], copied[BENCH_RUNS], checked[BENCH_RUNS];
    bench_large_make();
    bench_folder(folder);
    snprintf(path, sizeof path, "%s/backup", folder);
    snprintf(copy, sizeof copy, "%s/copy", folder);
    snprintf(store, sizeof store, "%s/bench.raffle", bench_large_folder());
    for (int i = 0; i < BENCH_RUNS; i++) {
        raffle *r = bench_large_open();
        written[i] = write_backup(r, path);
        raffle_free(r); /* a live store is not opened by a second SQLite: it is closed for the copy */
        copied[i] = copy_store(store, copy);
        checked[i] = check_backup(path);
    }
    const double size = megabytes(path);
    bench_print("writing a backup, beside a copy of the store's file", size / bench_median(written, BENCH_RUNS),
                size / bench_median(copied, BENCH_RUNS), "MB/s");
    printf("  %.0f MB: checked at %.0f MB/s, put back at %.0f MB/s\n", size, size / bench_median(checked, BENCH_RUNS),
           size / restore_backup(path, folder));
    bench_remove(folder);
    return 0;
}
