/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite store: the conformance suite; opening, damage, locks, full disks, commits that fail, erasing, other processes. */
#include "faulty_vfs.h"
#include "filesystem.h"
#include "sqlite_db.h"
#include "sqlite_scrub.h"
#include "store_suite.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[128];
static raffle_store *store;
static raffle_error err;

static void make_folder(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.32s/raffle-store-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/gala.raffle", folder);
    err = (raffle_error)RAFFLE_ERROR_INIT;
    faulty_vfs_clear();
}

static void remove_folder(void)
{
    DIR *dir = opendir(folder);
    char file[512];
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        snprintf(file, sizeof file, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(file);
    }
    closedir(dir);
    rmdir(folder);
}

static raffle_rc open_with(const char *query, raffle_store **out)
{
    char uri[512];
    snprintf(uri, sizeof uri, "sqlite:%s%s", path, query);
    return raffle_store_open(uri, NULL, out, &err);
}

static raffle_store *open_new(void)
{
    raffle_store *opened = NULL;
    make_folder();
    raffle_rc rc = open_with("?create=1", &opened);
    ck_assert_msg(rc == RAFFLE_OK, "open: %s", err.message);
    return opened;
}

static void set_up(void)
{
    store = open_new();
    ck_assert_int_eq(rf_store_create(store, STORE_ORIGIN, &err), RAFFLE_OK);
}

static void tear_down(void)
{
    faulty_vfs_clear();
    raffle_store_free(store);
    store = NULL;
    remove_folder();
}

static void reopen(const char *query)
{
    raffle_store_free(store);
    store = NULL;
    raffle_rc rc = open_with(query, &store);
    ck_assert_msg(rc == RAFFLE_OK, "open: %s", err.message);
}

static void expect_open(const char *query, raffle_rc expected)
{
    raffle_store *other = NULL;
    raffle_rc rc = open_with(query, &other);
    ck_assert_msg(rc == expected, "%s: %s, not %s: %s", query, raffle_rc_name(rc), raffle_rc_name(expected),
                  err.message);
    raffle_store_free(other);
}

/* Runs SQL on the file with a connection of the test's own, as a stranger would. */
static void sql(const char *text)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    int code = sqlite3_exec(db, text, NULL, NULL, &message);
    ck_assert_msg(code == SQLITE_OK, "%s: %s", text, message);
    sqlite3_close(db);
}

static void sql_text(const char *query, char *out, size_t cap)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_prepare_v2(db, query, -1, &statement, NULL) == SQLITE_OK, "%s: %s", query,
                  sqlite3_errmsg(db));
    out[0] = '\0';
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            size_t length = strlen(out);
            const char *text = (const char *)sqlite3_column_text(statement, i);
            snprintf(out + length, cap - length, "%s|", text == NULL ? "-" : text);
        }
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static char *read_file(const char *name, size_t *length)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*length + 1);
    ck_assert_uint_eq(fread(bytes, 1, *length, file), *length);
    fclose(file);
    return bytes;
}

static void write_file(const char *name, const void *bytes, size_t length)
{
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static bool file_holds(const char *suffix, const char *text)
{
    char name[256];
    size_t length = 0;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    char *bytes = read_file(name, &length);
    bool found = bytes != NULL && memmem(bytes, length, text, strlen(text)) != NULL;
    free(bytes);
    return found;
}

static uint64_t size_of(uint32_t log)
{
    static raffle_store_head head;
    ck_assert_int_eq(rf_store_head(store, log, &head, &err), RAFFLE_OK);
    return head.size;
}

/* --- opening --- */

START_TEST(reopened_store_has_everything)
{
    char origin[RAFFLE_ORIGIN_SIZE];
    uint8_t root[32] = {1}, found[32];
    uint64_t size = 0;
    store_append(store, 0, 3, "c");
    store_append(store, 1, 1500, "a");
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 1500, root, true, &err), RAFFLE_OK);
    reopen("");
    ck_assert_int_eq(rf_store_origin(store, origin, &err), RAFFLE_OK);
    ck_assert_str_eq(origin, STORE_ORIGIN);
    ck_assert_uint_eq(store_check_log(store, 0), 3);
    ck_assert_uint_eq(store_check_log(store, 1), 1500);
    ck_assert_int_eq(rf_store_anchor_get(store, 1, &size, found, &err), RAFFLE_OK);
    ck_assert_uint_eq(size, 1500);
}
END_TEST

START_TEST(plain_path_opens)
{
    raffle_store *other = NULL;
    ck_assert_int_eq(raffle_store_open(path, NULL, &other, &err), RAFFLE_OK);
    raffle_store_free(other);
}
END_TEST

START_TEST(missing_file)
{
    raffle_store *other = NULL;
    strcat(path, "2");
    expect_open("", RAFFLE_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, path));
    expect_open("?create=0", RAFFLE_NOT_FOUND);
    expect_open("?readonly=1", RAFFLE_NOT_FOUND);
    expect_open("/x?create=1", RAFFLE_NOT_FOUND);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(open_with("?create=1", &other), RAFFLE_OK);
    raffle_store_free(other);
    expect_open("", RAFFLE_OK);
}
END_TEST

START_TEST(what_is_no_raffle)
{
    raffle_store_free(store);
    store = NULL;
    write_file(path, "", 0);
    expect_open("", RAFFLE_NOT_RAFFLE);
    write_file(path, "A text that is longer than a header.", 36);
    expect_open("", RAFFLE_NOT_RAFFLE);
    expect_open("?create=1", RAFFLE_NOT_RAFFLE);
    write_file(path, "short", 5);
    expect_open("", RAFFLE_NOT_RAFFLE);
    unlink(path);
    sql("CREATE TABLE contacts (name TEXT)");
    expect_open("", RAFFLE_NOT_RAFFLE);
    expect_open("?create=1", RAFFLE_NOT_RAFFLE);
    unlink(path);
    sql("PRAGMA application_id = 99");
    expect_open("?create=1", RAFFLE_NOT_RAFFLE);
    strcpy(path, folder);
    expect_open("", RAFFLE_NOT_RAFFLE);
}
END_TEST

START_TEST(empty_file_becomes_a_store_on_request)
{
    raffle_store_free(store);
    store = NULL;
    unlink(path);
    write_file(path, "", 0);
    expect_open("?create=1", RAFFLE_OK);
    expect_open("", RAFFLE_OK);
}
END_TEST

START_TEST(creating_that_was_cut_off_goes_on)
{
    raffle_store_free(store);
    store = NULL;
    unlink(path);
    sql("PRAGMA journal_mode = WAL");
    expect_open("", RAFFLE_NOT_RAFFLE);
    expect_open("?create=1", RAFFLE_OK);
    expect_open("", RAFFLE_OK);
}
END_TEST

START_TEST(newer_format)
{
    raffle_store_free(store);
    store = NULL;
    sql("PRAGMA user_version = 2");
    expect_open("", RAFFLE_NEWER);
    expect_open("?create=1", RAFFLE_NEWER);
    sql("PRAGMA user_version = 0");
    expect_open("", RAFFLE_CORRUPT);
}
END_TEST

START_TEST(altered_tables)
{
    raffle_store_free(store);
    store = NULL;
    sql("ALTER TABLE record ADD COLUMN more");
    expect_open("", RAFFLE_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "record"));
    sql("DROP VIEW entry; DROP TABLE key");
    expect_open("", RAFFLE_CORRUPT);
}
END_TEST

START_TEST(strangers_triggers_do_not_run)
{
    raffle_store_free(store);
    store = NULL;
    sql("CREATE TRIGGER evil AFTER INSERT ON record BEGIN DELETE FROM record; END");
    reopen("");
    store_append(store, 1, 5, "a");
    ck_assert_uint_eq(store_check_log(store, 1), 5);
}
END_TEST

START_TEST(files_and_their_modes)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-anchor"};
    uint8_t root[32] = {0};
    store_append(store, 1, 5, "a");
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 5, root, false, &err), RAFFLE_OK);
    for (size_t i = 0; i < 4; i++) {
        char name[256];
        struct stat st;
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        ck_assert_msg(stat(name, &st) == 0, "%s", name);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
    }
}
END_TEST

START_TEST(anchor_elsewhere_or_nowhere)
{
    uint8_t root[32] = {0};
    uint64_t size = 0;
    char query[300], name[256];
    snprintf(name, sizeof name, "%s/seen", folder);
    snprintf(query, sizeof query, "?anchor=file:%s", name);
    reopen(query);
    ck_assert(rf_store_has_anchor(store));
    ck_assert_int_eq(rf_store_anchor_put(store, 0, 1, root, true, &err), RAFFLE_OK);
    ck_assert_int_eq(access(name, F_OK), 0);
    reopen("?anchor=none");
    ck_assert(!rf_store_has_anchor(store));
    ck_assert_int_eq(rf_store_anchor_get(store, 0, &size, root, &err), RAFFLE_NOT_FOUND);
}
END_TEST

START_TEST(anchor_of_another_raffle_refuses_create)
{
    raffle_store *other = NULL;
    char query[300];
    uint8_t root[32] = {0};
    ck_assert_int_eq(rf_store_anchor_put(store, 0, 1, root, true, &err), RAFFLE_OK);
    snprintf(query, sizeof query, "2?create=1&anchor=file:%s-anchor", path);
    ck_assert_int_eq(open_with(query, &other), RAFFLE_OK);
    ck_assert_int_eq(rf_store_create(other, "raffle.example/other", &err), RAFFLE_MISMATCH);
    raffle_store_free(other);
}
END_TEST

/* A store that was lost is not made anew beside the anchor that saw it: nothing is written. */
START_TEST(anchor_that_saw_records_refuses_create)
{
    char origin[RAFFLE_ORIGIN_SIZE], query[300];
    raffle_store *other = NULL;
    uint8_t root[32] = {0};
    ck_assert_int_eq(rf_store_anchor_put(store, 0, (uint64_t)_i, root, true, &err), RAFFLE_OK);
    snprintf(query, sizeof query, "2?create=1&anchor=file:%s-anchor", path);
    ck_assert_int_eq(open_with(query, &other), RAFFLE_OK);
    ck_assert_int_eq(rf_store_create(other, STORE_ORIGIN, &err), _i == 0 ? RAFFLE_OK : RAFFLE_HISTORY);
    ck_assert_int_eq(rf_store_origin(other, origin, &err), _i == 0 ? RAFFLE_OK : RAFFLE_NOT_FOUND);
    raffle_store_free(other);
}
END_TEST

START_TEST(odd_names_and_another_folder)
{
    char uri[256], here[4096];
    raffle_store *other = NULL;
    uint8_t root[32] = {0};
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    ck_assert_int_eq(chdir(folder), 0);
    strcpy(uri, "sqlite:file:a%3Fb%23%25.raffle?create=1");
    ck_assert_int_eq(raffle_store_open(uri, NULL, &other, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_create(other, STORE_ORIGIN, &err), RAFFLE_OK);
    ck_assert_int_eq(access("file:a?b#%.raffle", F_OK), 0);
    ck_assert_int_eq(chdir("/"), 0);
    store_append(other, 1, 3, "a");
    ck_assert_int_eq(rf_store_anchor_put(other, 1, 3, root, true, &err), RAFFLE_OK);
    ck_assert_uint_eq(store_check_log(other, 1), 3);
    raffle_store_free(other);
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(access("file:a?b#%.raffle-anchor", F_OK), 0);
    ck_assert_int_eq(chdir(here), 0);
}
END_TEST

START_TEST(network_file_systems)
{
    ck_assert_str_eq(rf_network_fs(0x6969), "NFS");
    ck_assert_str_eq(rf_network_fs(0xff534d42), "CIFS");
    ck_assert_str_eq(rf_network_fs(0xffffffffff534d42), "CIFS");
    ck_assert_str_eq(rf_network_fs(0xfe534d42), "SMB2");
    ck_assert_str_eq(rf_network_fs(0x01021997), "9P");
    ck_assert_ptr_null(rf_network_fs(0xef53));
    ck_assert_ptr_null(rf_network_fs(0x65735546)); /* FUSE */
    ck_assert_int_eq(rf_check_local(path, &err), RAFFLE_OK);
}
END_TEST

/* --- reading only --- */

static void expect_readonly(void)
{
    store_job job = {.prefix = "a", .records = 1};
    uint8_t root[32] = {0};
    ck_assert_uint_eq(store_check_log(store, 1), 5);
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_READONLY);
    ck_assert_int_eq(rf_store_erase(store, 1, 0, &err), RAFFLE_READONLY);
    ck_assert_int_eq(rf_store_note_put(store, 1, 1, "a\n\nb\n", 5, &err), RAFFLE_READONLY);
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 9, root, true, &err), RAFFLE_READONLY);
    ck_assert_uint_eq(job.calls, 0);
}

START_TEST(opened_for_reading)
{
    store_append(store, 1, 5, "a");
    reopen("?readonly=1");
    expect_readonly();
}
END_TEST

START_TEST(reading_beside_a_writer)
{
    raffle_store *reader = NULL;
    store_append(store, 1, 5, "a");
    ck_assert_int_eq(open_with("?readonly=1", &reader), RAFFLE_OK);
    ck_assert_uint_eq(store_check_log(reader, 1), 5);
    store_append(store, 1, 5, "b");
    ck_assert_uint_eq(store_check_log(reader, 1), 10);
    raffle_store_free(reader);
}
END_TEST

/* As somebody who may not write: root may always. */
static void as_nobody(mode_t file_mode, mode_t folder_mode)
{
    store_append(store, 1, 5, "a");
    raffle_store_free(store);
    store = NULL;
    chmod(path, file_mode);
    chmod(folder, folder_mode);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0))
            _exit(2);
        raffle_rc rc = open_with("", &store);
        if (rc != RAFFLE_OK) {
            fprintf(stderr, "# %s: %s\n", raffle_rc_name(rc), err.message);
            _exit(3);
        }
        expect_readonly();
        raffle_store_free(store);
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    chmod(folder, 0700);
    ck_assert_int_eq(status, 0);
}

START_TEST(file_that_may_not_be_written)
{
    as_nobody(0444, 0777);
}
END_TEST

START_TEST(folder_that_may_not_be_written)
{
    as_nobody(0444, 0555);
}
END_TEST

/* --- the anchor and older copies --- */

START_TEST(restored_copy_is_behind_its_anchor)
{
    uint8_t root[32] = {7}, found[32];
    uint64_t size = 0;
    size_t length = 0;
    store_append(store, 1, 5, "a");
    reopen("");
    char *copy = read_file(path, &length);
    store_append(store, 1, 5, "b");
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 10, root, false, &err), RAFFLE_OK);
    raffle_store_free(store);
    store = NULL;
    write_file(path, copy, length);
    free(copy);
    reopen("");
    ck_assert_uint_eq(size_of(1), 5);
    ck_assert_int_eq(rf_store_anchor_get(store, 1, &size, found, &err), RAFFLE_OK);
    ck_assert_uint_eq(size, 10);
    ck_assert_mem_eq(root, found, 32);
}
END_TEST

/* --- files that go away while they are open --- */

static void expect_not_written(void)
{
    store_job job = {.prefix = "lost", .records = 1};
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_IO);
    ck_assert_ptr_nonnull(strstr(err.message, path));
    ck_assert_uint_eq(job.calls, 0);
}

/* What is acknowledged must be in the file that the next process opens under this name. */
START_TEST(file_that_is_moved_is_not_written)
{
    char moved[160], name[160];
    size_t length = 0;
    store_append(store, 1, 5, "a");
    snprintf(moved, sizeof moved, "%s.moved", path);
    snprintf(name, sizeof name, "%s.copy", path);
    char *copy = read_file(path, &length);
    ck_assert_int_eq(rename(path, moved), 0);
    expect_not_written();
    write_file(name, copy, length);
    free(copy);
    ck_assert_int_eq(rename(name, path), 0); /* as a backup is put in place */
    expect_not_written();
    ck_assert_int_eq(rename(moved, path), 0);
    store_append(store, 1, 5, "b");
    ck_assert_uint_eq(store_check_log(store, 1), 10);
}
END_TEST

START_TEST(write_ahead_log_that_is_gone_is_not_written)
{
    char wal[160], moved[160];
    store_append(store, 1, 5, "a");
    snprintf(wal, sizeof wal, "%s-wal", path);
    snprintf(moved, sizeof moved, "%s.moved", path);
    ck_assert_int_eq(rename(wal, moved), 0);
    expect_not_written();
    write_file(wal, "", 0);
    expect_not_written();
    ck_assert_int_eq(rename(moved, wal), 0);
    store_append(store, 1, 5, "b");
    reopen("");
    ck_assert_uint_eq(store_check_log(store, 1), 10);
}
END_TEST

/* Two names of one file have one anchor: a restored copy is found out under each. */
START_TEST(link_has_the_anchor_of_its_file)
{
    char link[160], uri[200], unwanted[200];
    raffle_store *other = NULL;
    uint8_t root[32] = {7}, found[32];
    uint64_t size = 0;
    store_append(store, 1, 5, "a");
    ck_assert_int_eq(rf_store_anchor_put(store, 1, 5, root, true, &err), RAFFLE_OK);
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(unwanted, sizeof unwanted, "%s-anchor", link);
    ck_assert_int_eq(symlink(path, link), 0);
    snprintf(uri, sizeof uri, "sqlite:%s", link);
    ck_assert_int_eq(raffle_store_open(uri, NULL, &other, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_anchor_get(other, 1, &size, found, &err), RAFFLE_OK);
    ck_assert_uint_eq(size, 5);
    raffle_store_free(other);
    ck_assert_int_ne(access(unwanted, F_OK), 0);
}
END_TEST

/* --- locks and waiting --- */

START_TEST(locked_by_another_connection)
{
    sqlite3 *other = NULL;
    store_job job = {.prefix = "a", .records = 1};
    store_append(store, 1, 5, "a");
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(store_job_run(store, 1, &job, 0, &err), RAFFLE_BUSY);
    ck_assert_int_eq(store_job_run(store, 1, &job, 30, &err), RAFFLE_BUSY);
    ck_assert_uint_eq(job.calls, 0);
    ck_assert_uint_eq(store_check_log(store, 1), 5);
    ck_assert_int_eq(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(store_job_run(store, 1, &job, 0, &err), RAFFLE_OK);
    sqlite3_close(other);
}
END_TEST

START_TEST(host_says_how_long_calls_wait)
{
    raffle_host host = RAFFLE_HOST_INIT;
    sqlite3 *other = NULL;
    raffle_store *short_tempered = NULL;
    host.timeout_ms = 20;
    ck_assert_int_eq(raffle_store_open(path, &host, &short_tempered, &err), RAFFLE_OK);
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(rf_store_note_put(short_tempered, 1, 1, "a\n\nb\n", 5, &err), RAFFLE_BUSY);
    ck_assert_int_eq(rf_store_create(short_tempered, STORE_ORIGIN, &err), RAFFLE_BUSY);
    sqlite3_close(other);
    raffle_store_free(short_tempered);
}
END_TEST

/* A fill that stays inside until it is let go. */
typedef struct gate {
    sem_t inside, go;
    uint32_t log;
    raffle_rc rc;
    raffle_rc fail;
} gate;

static raffle_rc fill_at_gate(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                              raffle_error *e)
{
    gate *g = ctx;
    raffle_record record = {
        .struct_size = sizeof record, .leaf = "{\"i\":0,\"p\":\"g\"}", .leaf_length = 15, .index = head->size};
    sem_post(&g->inside);
    sem_wait(&g->go);
    raffle_rc rc = batch->records(batch->ctx, &record, 1, e);
    return rc == RAFFLE_OK ? g->fail : rc;
}

static void *append_at_gate(void *ctx)
{
    gate *g = ctx;
    g->rc = rf_store_append(store, g->log, fill_at_gate, g, -1, NULL);
    return NULL;
}

static void enter_gate(gate *g, pthread_t *thread)
{
    sem_init(&g->inside, 0, 0);
    sem_init(&g->go, 0, 0);
    ck_assert_int_eq(pthread_create(thread, NULL, append_at_gate, g), 0);
    sem_wait(&g->inside);
}

START_TEST(queue_has_a_deadline)
{
    gate g = {.log = 2};
    pthread_t thread;
    store_job job = {.prefix = "a", .records = 1};
    enter_gate(&g, &thread);
    ck_assert_int_eq(store_job_run(store, 1, &job, 0, &err), RAFFLE_TIMEOUT);
    ck_assert_int_eq(store_job_run(store, 1, &job, 30, &err), RAFFLE_TIMEOUT);
    ck_assert_uint_eq(job.calls, 0);
    sem_post(&g.go);
    pthread_join(thread, NULL);
    ck_assert_int_eq(g.rc, RAFFLE_OK);
    ck_assert_int_eq(store_job_run(store, 1, &job, 0, &err), RAFFLE_OK);
    ck_assert_uint_eq(store_check_log(store, 2), 1);
}
END_TEST

START_TEST(reads_go_on_during_a_fill)
{
    gate g = {.log = 1};
    pthread_t thread;
    store_append(store, 0, 5, "a");
    enter_gate(&g, &thread);
    ck_assert_uint_eq(store_check_log(store, 0), 5);
    ck_assert_uint_eq(store_check_log(store, 1), 0);
    sem_post(&g.go);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(store_check_log(store, 1), 1);
}
END_TEST

static raffle_rc fill_that_appends(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                                   raffle_error *e)
{
    store_job *job = ctx;
    (void)head;
    (void)batch;
    return store_job_run(store, 2, job, -1, e);
}

START_TEST(append_within_a_fill)
{
    store_job job = {.prefix = "a", .records = 1};
    ck_assert_int_eq(rf_store_append(store, 1, fill_that_appends, &job, -1, &err), RAFFLE_MISUSE);
    ck_assert_uint_eq(job.calls, 0);
    store_append(store, 2, 1, "a");
}
END_TEST

/* Those who wait while a fill is inside share the next transaction; one of them fails, and takes nobody with it. */
static void *run_job(void *ctx)
{
    store_job *job = ctx;
    raffle_rc rc = store_job_run(store, 1 + (uint32_t)(job->records % 3), job, -1, NULL);
    return rc == job->fail ? NULL : job;
}

START_TEST(a_group_shares_a_commit)
{
    enum {
        N = 16,
        ROUNDS = 20
    };
    static store_job jobs[N];
    pthread_t threads[N];
    size_t expected[4] = {0};
    atomic_store(&faults.sync_delay, 2000);
    int before = atomic_load(&faults.syncs);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < N; i++) {
            jobs[i] = (store_job){.prefix = "a", .records = 1 + i, .fail = i % 4 == 3 ? RAFFLE_QUOTA : RAFFLE_OK};
            expected[1 + (1 + i) % 3] += i % 4 == 3 ? 0 : 1 + i;
            ck_assert_int_eq(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
        }
        for (size_t i = 0; i < N; i++) {
            void *failed = NULL;
            pthread_join(threads[i], &failed);
            ck_assert_ptr_null(failed);
        }
    }
    int syncs = atomic_load(&faults.syncs) - before;
    ck_assert_msg(syncs < N * ROUNDS / 2, "%d syncs for %d appends", syncs, N * ROUNDS);
    for (uint32_t log = 1; log <= 3; log++)
        ck_assert_uint_eq(store_check_log(store, log), expected[log]);
}
END_TEST

/* --- other processes --- */

static void append_in_child(unsigned number)
{
    raffle_store *mine = NULL;
    if (open_with("", &mine) != RAFFLE_OK)
        _exit(2);
    for (unsigned i = 0; i < 50; i++) {
        store_job job = {.prefix = "p", .records = 2};
        if (store_job_run(mine, number % 2, &job, -1, NULL) != RAFFLE_OK)
            _exit(3);
    }
    raffle_store_free(mine);
    _exit(0);
}

START_TEST(processes_lose_nothing)
{
    enum {
        N = 4
    };
    pid_t children[N];
    for (unsigned i = 0; i < N; i++) {
        children[i] = fork();
        if (children[i] == 0)
            append_in_child(i);
    }
    for (unsigned i = 0; i < 50; i++)
        store_append(store, 0, 1, "mine");
    for (unsigned i = 0; i < N; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_uint_eq(store_check_log(store, 0), 250);
    ck_assert_uint_eq(store_check_log(store, 1), 200);
}
END_TEST

START_TEST(child_may_free_the_handle)
{
    store_append(store, 1, 5, "a");
    pid_t child = fork();
    if (child == 0) {
        store_job job = {.prefix = "a", .records = 1};
        raffle_rc rc = store_job_run(store, 1, &job, 0, NULL);
        raffle_store_free(store);
        _exit(rc == RAFFLE_FORKED ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    store_append(store, 1, 5, "b");
    reopen("");
    ck_assert_uint_eq(store_check_log(store, 1), 10);
}
END_TEST

/* What a killed process had been told was written is there. */
START_TEST(killed_process_leaves_what_it_wrote)
{
    int pipe_ends[2];
    raffle_store_free(store);
    store = NULL;
    ck_assert_int_eq(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (child == 0) {
        raffle_store *mine = NULL;
        if (open_with("", &mine) != RAFFLE_OK)
            _exit(2);
        for (uint32_t i = 1;; i++) {
            store_job job = {.prefix = "k", .records = 10};
            if (store_job_run(mine, 1, &job, -1, NULL) != RAFFLE_OK || write(pipe_ends[1], &i, sizeof i) != sizeof i)
                _exit(3);
        }
    }
    uint32_t batches = 0, last = 0;
    while (last < 25 && read(pipe_ends[0], &last, sizeof last) == sizeof last)
        batches = last;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(pipe_ends[1]);
    while (read(pipe_ends[0], &last, sizeof last) == sizeof last)
        batches = last;
    close(pipe_ends[0]);
    reopen("");
    uint64_t size = store_check_log(store, 1);
    ck_assert_uint_ge(size, 10 * batches);
    ck_assert_uint_eq(size % 10, 0);
}
END_TEST

/* --- damage --- */

static raffle_rc take_anything(void *ctx, const raffle_record *record, raffle_error *e)
{
    (void)e;
    unsigned *sum = ctx;
    for (uint32_t i = 0; i < record->leaf_length; i++)
        *sum += (uint8_t)record->leaf[i];
    for (uint32_t i = 0; i < record->private_length; i++)
        *sum += (uint8_t)record->private_part[i];
    return RAFFLE_OK;
}

static raffle_rc take_any_key(void *ctx, const raffle_store_key *key, raffle_error *e)
{
    (void)e;
    unsigned *sum = ctx;
    for (uint32_t i = 0; i < key->length; i++)
        *sum += key->key[i];
    return RAFFLE_OK;
}

/* Calls that may fail in any way that is a status, and may not crash. */
static void touch_everything(raffle_store *damaged)
{
    static raffle_store_head head;
    char origin[RAFFLE_ORIGIN_SIZE], note[RAFFLE_STORE_NOTE_MAX];
    raffle_store_key row;
    uint8_t hash[32];
    uint64_t size = 0;
    size_t length = 0;
    unsigned sum = 0;
    rf_store_origin(damaged, origin, &err);
    rf_store_head(damaged, 1, &head, &err);
    rf_store_read(damaged, 0, 0, UINT64_MAX, take_anything, &sum, &err);
    rf_store_read(damaged, 1, 0, UINT64_MAX, take_anything, &sum, &err);
    rf_store_scan(damaged, 1, NULL, 0, NULL, 0, UINT64_MAX, take_any_key, &sum, &err);
    rf_store_find(damaged, 1, (const uint8_t *)"key-5", 5, &row, &err);
    rf_store_node(damaged, 1, 8, 0, hash, &err);
    rf_store_note_get(damaged, 1, RF_NOTE_LATEST, &size, note, sizeof note, &length, &err);
    store_job job = {.prefix = "after", .records = 3};
    store_job_run(damaged, 1, &job, 0, &err);
    rf_store_erase(damaged, 1, 3, &err);
}

static char *make_sample(size_t *length)
{
    raffle_store_key keys[50];
    for (unsigned i = 0; i < 50; i++) {
        char text[16];
        snprintf(text, sizeof text, "key-%u", i);
        keys[i] = store_key(1, text, 1, i);
    }
    store_job job = {.prefix = "a", .records = 120, .keys = keys, .key_count = 50, .state = "state"};
    store_append(store, 0, 20, "c");
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_store_note_put(store, 1, 120, "text\n\nsigned\n", 13, &err), RAFFLE_OK);
    raffle_store_free(store);
    store = NULL;
    return read_file(path, length);
}

START_TEST(truncated_files)
{
    size_t length = 0;
    char *sample = make_sample(&length);
    for (size_t keep = 1; keep < length; keep += 997) {
        raffle_store *damaged = NULL;
        write_file(path, sample, keep);
        raffle_rc rc = open_with("", &damaged);
        if (keep < 16)
            ck_assert_int_eq(rc, RAFFLE_NOT_RAFFLE);
        if (keep >= 100 && keep <= length - 4096)
            ck_assert_msg(rc == RAFFLE_CORRUPT, "%zu bytes: %s %s", keep, raffle_rc_name(rc), err.message);
        if (rc == RAFFLE_OK)
            touch_everything(damaged);
        raffle_store_free(damaged);
    }
    free(sample);
}
END_TEST

START_TEST(flipped_bytes)
{
    size_t length = 0;
    char *sample = make_sample(&length);
    unsigned refused = 0;
    for (size_t at = 0; at < length; at += at < 4096 ? 7 : 37) {
        raffle_store *damaged = NULL;
        sample[at] ^= (char)(1 << at % 8);
        write_file(path, sample, length);
        sample[at] ^= (char)(1 << at % 8);
        raffle_rc rc = open_with("?anchor=none", &damaged);
        if (rc == RAFFLE_OK)
            touch_everything(damaged);
        refused += rc == RAFFLE_CORRUPT || rc == RAFFLE_NOT_RAFFLE || rc == RAFFLE_NEWER;
        raffle_store_free(damaged);
    }
    ck_assert_uint_gt(refused, 50);
    free(sample);
}
END_TEST

START_TEST(overwritten_pages)
{
    size_t length = 0;
    char *sample = make_sample(&length);
    for (size_t page = 0; page < length / 4096; page++) {
        raffle_store *damaged = NULL;
        char *copy = malloc(length);
        memcpy(copy, sample, length);
        memset(copy + 4096 * page + (page == 0 ? 100 : 0), 0xff, page == 0 ? 3996 : 4096);
        write_file(path, copy, length);
        if (open_with("?anchor=none", &damaged) == RAFFLE_OK)
            touch_everything(damaged);
        raffle_store_free(damaged);
        free(copy);
    }
    free(sample);
}
END_TEST

/* Rows that SQLite reads well, and no append of ours has written. */
static const struct strange {
    const char *sql;
    const char *names; /* what the sentence must hold */
} strange[] = {
    {"DELETE FROM record WHERE id = (1 << 40) + 3", "log 1: record 3"},
    {"DELETE FROM record WHERE id = (1 << 40) + 9", "log 1: record 9"},
    {"INSERT INTO record VALUES ((1 << 40) + 10, '{}', NULL)", "record 10"},
    {"INSERT INTO record VALUES ((1 << 40) + 500, '{}', NULL)", "record 500"},
    {"UPDATE record SET leaf = x'7b7d' WHERE id = (1 << 40) + 4", "log 1, record 4"},
    {"UPDATE record SET leaf = '' WHERE id = (1 << 40) + 4", "log 1, record 4"},
    {"UPDATE record SET private = 5 WHERE id = (1 << 40) + 4", "log 1, record 4"}, /* TEXT affinity makes it '5' */
    {"UPDATE record SET private = x'00' WHERE id = (1 << 40) + 4", "log 1, record 4"},
    {"UPDATE record SET leaf = printf('%.*c', 65536, 'x') WHERE id = (1 << 40) + 4", "log 1, record 4"},
    {"UPDATE record SET leaf = printf('%.*c', 10000000, 'x') WHERE id = (1 << 40) + 4", ""},
    {"UPDATE record SET private = printf('%.*c', 16385, 'x') WHERE id = (1 << 40) + 4", "log 1, record 4"},
    {"UPDATE log SET size = -1 WHERE log = 1", "log 1"},
    {"UPDATE log SET size = 'ten' WHERE log = 1", "log 1"},
    {"UPDATE log SET size = 1099511627777 WHERE log = 1", "log 1"},
    {"UPDATE log SET state = 'text' WHERE log = 1", "log 1"},
    {"UPDATE log SET state = zeroblob(4097) WHERE log = 1", "log 1"},
    {"UPDATE log SET size = 11 WHERE log = 1", "log 1: record 10"},
};

START_TEST(strange_rows)
{
    unsigned sum = 0;
    store_append(store, 1, 10, "a");
    store_append(store, 2, 1, "b");
    raffle_store_free(store);
    store = NULL;
    sql(strange[_i].sql);
    reopen("");
    raffle_rc rc = rf_store_read(store, 1, 0, UINT64_MAX, take_anything, &sum, &err);
    if (_i == 6) {
        ck_assert_int_eq(rc, RAFFLE_OK);
        return;
    }
    ck_assert_msg(rc == RAFFLE_CORRUPT, "%s: %s %s", strange[_i].sql, raffle_rc_name(rc), err.message);
    ck_assert_msg(strstr(err.message, strange[_i].names) != NULL, "%s: %s", strange[_i].sql, err.message);
}
END_TEST

START_TEST(append_onto_a_row_beyond_the_end)
{
    store_job job = {.prefix = "a", .records = 3};
    store_append(store, 1, 10, "a");
    sql("INSERT INTO record VALUES ((1 << 40) + 11, '{}', NULL)");
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "record 11"));
    ck_assert_uint_eq(size_of(1), 10);
}
END_TEST

START_TEST(strange_keys_nodes_and_notes)
{
    raffle_store_key row;
    uint8_t hash[32];
    char note[64];
    uint64_t size = 0;
    size_t length = 0;
    unsigned sum = 0;
    sql("INSERT INTO key VALUES (x'016b', -1), (x'026b', 'text'), (x'036b', 1 << 60), (x'04', 5), (zeroblob(66), 5), "
        "('text', 5)");
    sql("INSERT INTO node VALUES ((1 << 38) + (8 << 32), zeroblob(31)), ((1 << 38) + (8 << 32) + 1, 'a text of exactly "
        "thirty-two by')");
    sql("INSERT INTO note VALUES (1, 5, x'00'), (2, -1, 'a\n\nb\n'), (3, 1, printf('%.*c', 16385, 'x'))");
    for (uint32_t scope = 1; scope <= 3; scope++)
        ck_assert_int_eq(rf_store_find(store, scope, (const uint8_t *)"k", 1, &row, &err), RAFFLE_CORRUPT);
    for (uint32_t scope = 0; scope <= 4; scope++)
        ck_assert_int_eq(rf_store_scan(store, scope, NULL, 0, NULL, 0, 9, take_any_key, &sum, &err), RAFFLE_CORRUPT);
    ck_assert_int_eq(rf_store_node(store, 1, 8, 0, hash, &err), RAFFLE_CORRUPT);
    ck_assert_int_eq(rf_store_node(store, 1, 8, 1, hash, &err), RAFFLE_CORRUPT);
    for (uint32_t log = 1; log <= 3; log++)
        ck_assert_int_eq(rf_store_note_get(store, log, RF_NOTE_LATEST, &size, note, sizeof note, &length, &err),
                         RAFFLE_CORRUPT);
}
END_TEST

START_TEST(strange_origin)
{
    char origin[RAFFLE_ORIGIN_SIZE];
    raffle_store_free(store);
    store = NULL;
    sql("UPDATE meta SET value = printf('%.*c', 300, 'a')");
    reopen("");
    ck_assert_int_eq(rf_store_origin(store, origin, &err), RAFFLE_CORRUPT);
    raffle_store_free(store);
    store = NULL;
    sql("UPDATE meta SET value = 'No Origin'");
    reopen("");
    ck_assert_int_eq(rf_store_origin(store, origin, &err), RAFFLE_CORRUPT);
}
END_TEST

/* --- full disks and commits that fail --- */

static void fault(atomic_int *counter, int in, int code, bool done, bool lasting)
{
    atomic_store(&faults.code, code);
    atomic_store(&faults.done, done);
    atomic_store(&faults.lasting, lasting);
    atomic_store(counter, in);
}

/* After whatever happened, the file in a fresh handle holds `expected` records, and takes more. */
static void expect_after_fault(uint64_t expected)
{
    faulty_vfs_clear();
    ck_assert_uint_eq(store_check_log(store, 1), expected);
    store_append(store, 1, 1, "after");
    reopen("");
    ck_assert_uint_eq(store_check_log(store, 1), expected + 1);
}

START_TEST(full_disk_at_commit)
{
    store_job job = {.prefix = "b", .records = 100};
    store_append(store, 1, 5, "a");
    fault(&faults.write_in, 1 + _i, SQLITE_FULL, false, false);
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_FULL);
    expect_after_fault(5);
}
END_TEST

static raffle_rc fill_much(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *e)
{
    static char leaf[60000];
    raffle_rc rc = RAFFLE_OK;
    memset(leaf, 'x', sizeof leaf);
    (*(unsigned *)ctx)++;
    for (uint64_t i = 0; rc == RAFFLE_OK && i < 200; i++) {
        raffle_record record = {
            .struct_size = sizeof record, .leaf = leaf, .leaf_length = sizeof leaf, .index = head->size + i};
        rc = batch->records(batch->ctx, &record, 1, e);
    }
    return rc;
}

/* More than the cache holds: pages are written while the batch is filled. */
START_TEST(full_disk_within_a_batch)
{
    unsigned calls = 0;
    store_append(store, 1, 5, "a");
    fault(&faults.write_in, 50, SQLITE_FULL, false, false);
    ck_assert_int_eq(rf_store_append(store, 1, fill_much, &calls, -1, &err), RAFFLE_FULL);
    ck_assert_uint_eq(calls, 1);
    expect_after_fault(5);
}
END_TEST

typedef struct big_writer {
    unsigned calls;
    raffle_rc rc;
    sem_t *start;
} big_writer;

static void *write_much(void *ctx)
{
    big_writer *w = ctx;
    w->rc = rf_store_append(store, 3, fill_much, &w->calls, -1, NULL);
    return NULL;
}

static void *write_little(void *ctx)
{
    store_job *job = ctx;
    return store_job_run(store, 1, job, -1, NULL) == RAFFLE_OK ? NULL : job;
}

/* One who fills the disk fails alone: the others of his group begin again without him. */
START_TEST(full_disk_spares_the_others)
{
    enum {
        N = 6
    };
    gate g = {.log = 2};
    big_writer big = {.rc = RAFFLE_OK};
    store_job jobs[N];
    pthread_t at_gate, much, threads[N];
    enter_gate(&g, &at_gate);
    ck_assert_int_eq(pthread_create(&much, NULL, write_much, &big), 0);
    for (size_t i = 0; i < N; i++) {
        jobs[i] = (store_job){.prefix = "a", .records = 2};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_little, &jobs[i]), 0);
    }
    /* The little ones write fewer pages than this, the big one more. */
    fault(&faults.write_in, 200, SQLITE_FULL, false, false);
    sem_post(&g.go);
    pthread_join(at_gate, NULL);
    pthread_join(much, NULL);
    for (size_t i = 0; i < N; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    ck_assert_int_eq(g.rc, RAFFLE_OK);
    ck_assert_int_eq(big.rc, RAFFLE_FULL);
    ck_assert_uint_eq(size_of(3), 0);
    expect_after_fault(2 * N);
}
END_TEST

/* A sale of an order: refused when the order is taken. The first of all makes the next write fail. */
typedef struct order {
    uint32_t log;
    raffle_rc rc;
    raffle_error error;
} order;
static atomic_bool armed;

static raffle_rc fill_order(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *e)
{
    const order *o = ctx;
    const raffle_store_key key = store_key(1, "order", o->log, head->size);
    raffle_store_key owner = {.struct_size = sizeof owner};
    size_t done = 0;
    raffle_record record = {
        .struct_size = sizeof record, .leaf = "{\"i\":0,\"p\":\"o\"}", .leaf_length = 15, .index = head->size};
    if (!atomic_exchange(&armed, true))
        fault(&faults.write_in, 1, SQLITE_FULL, false, false);
    raffle_rc rc = batch->keys(batch->ctx, &key, 1, &done, &owner, e);
    if (rc == RAFFLE_OK && done == 0)
        return raffle_error_set(e, RAFFLE_EXISTS, 0, "the order is taken");
    return rc == RAFFLE_OK ? batch->records(batch->ctx, &record, 1, e) : rc;
}

static void *sell_order(void *ctx)
{
    order *o = ctx;
    o->rc = rf_store_append(store, o->log, fill_order, o, -1, &o->error);
    return NULL;
}

/* Two sell one order in one transaction, which is not committed: the one who found it taken is not told so of a sale that never was. */
START_TEST(refusals_of_a_commit_that_fails)
{
    gate g = {.log = 2};
    order orders[2] = {{.log = 1, .error = RAFFLE_ERROR_INIT}, {.log = 3, .error = RAFFLE_ERROR_INIT}};
    raffle_store_key row = {.struct_size = sizeof row};
    pthread_t at_gate, threads[2];
    const raffle_store_key key = store_key(1, "order", 1, 0);
    store_append(store, 1, 1, "a");
    atomic_store(&armed, false);
    enter_gate(&g, &at_gate);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sell_order, &orders[i]), 0);
    usleep(50000); /* one who comes later sells in another transaction, to the same end */
    sem_post(&g.go);
    pthread_join(at_gate, NULL);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    const size_t sold = orders[0].rc == RAFFLE_OK ? 0 : 1;
    ck_assert_int_eq(orders[1 - sold].rc, RAFFLE_FULL);
    ck_assert_msg(orders[sold].rc == RAFFLE_OK, "%s", orders[sold].error.message);
    ck_assert_int_eq(rf_store_find(store, 1, key.key, key.length, &row, &err), RAFFLE_OK);
    ck_assert_uint_eq(row.log, orders[sold].log);
    ck_assert_uint_eq(size_of(1) + size_of(3), 2);
}
END_TEST

/* fsync() fails once, before or after the data reached the file. What is answered is true either way. */
START_TEST(commit_whose_sync_fails)
{
    store_job job = {.prefix = "b", .records = 7};
    store_append(store, 1, 5, "a");
    fault(&faults.sync_in, 1, SQLITE_IOERR_FSYNC, _i == 1, false);
    raffle_rc rc = store_job_run(store, 1, &job, -1, &err);
    ck_assert_int_eq(atomic_load(&faults.faults), 1);
    ck_assert_msg(rc == RAFFLE_OK || rc == RAFFLE_IO, "%s: %s", raffle_rc_name(rc), err.message);
    expect_after_fault(rc == RAFFLE_OK ? 12 : 5);
}
END_TEST

START_TEST(commit_whose_write_fails)
{
    store_job job = {.prefix = "b", .records = 7};
    store_append(store, 1, 5, "a");
    fault(&faults.write_in, 1 + _i / 2, SQLITE_IOERR_WRITE, _i % 2 == 1, false);
    raffle_rc rc = store_job_run(store, 1, &job, -1, &err);
    ck_assert_int_eq(atomic_load(&faults.faults), 1);
    ck_assert_msg(rc == RAFFLE_OK || rc == RAFFLE_IO, "%s: %s", raffle_rc_name(rc), err.message);
    expect_after_fault(rc == RAFFLE_OK ? 12 : 5);
}
END_TEST

/* Another process keeps the write-ahead log from being read anew: the outcome is still told truly. */
START_TEST(commit_that_fails_beside_another_connection)
{
    store_job job = {.prefix = "b", .records = 7};
    sqlite3 *other = NULL;
    store_append(store, 1, 5, "a");
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "SELECT count(*) FROM record", NULL, NULL, NULL), SQLITE_OK);
    fault(&faults.sync_in, 1, SQLITE_IOERR_FSYNC, _i == 1, false);
    raffle_rc rc = store_job_run(store, 1, &job, -1, &err);
    ck_assert_msg(rc == RAFFLE_OK || rc == RAFFLE_IO, "%s: %s", raffle_rc_name(rc), err.message);
    sqlite3_close(other);
    expect_after_fault(rc == RAFFLE_OK ? 12 : 5);
}
END_TEST

START_TEST(disk_that_stays_broken)
{
    store_job job = {.prefix = "b", .records = 7};
    store_append(store, 1, 5, "a");
    atomic_store(&faults.everywhere, true);
    fault(&faults.sync_in, 1, SQLITE_IOERR_FSYNC, false, true);
    ck_assert_int_eq(store_job_run(store, 1, &job, -1, &err), RAFFLE_UNKNOWN);
    ck_assert_int_eq(rf_store_note_put(store, 1, 5, "a\n\nb\n", 5, &err), RAFFLE_UNKNOWN);
    faulty_vfs_clear();
    uint64_t size = size_of(1);
    ck_assert_msg(size == 5 || size == 12, "%" PRIu64, size);
    expect_after_fault(size);
}
END_TEST

static void *read_for_a_while(void *ctx)
{
    atomic_bool *stop = ctx;
    unsigned failures = 0, sum = 0;
    while (!atomic_load(stop))
        failures += rf_store_read(store, 1, 0, UINT64_MAX, take_anything, &sum, NULL) != RAFFLE_OK;
    return failures == 0 ? NULL : (void *)1;
}

START_TEST(readers_outlive_a_commit_that_fails)
{
    atomic_bool stop = false;
    pthread_t threads[3];
    uint64_t expected = 5;
    store_append(store, 1, 5, "a");
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_for_a_while, &stop), 0);
    for (unsigned i = 0; i < 10; i++) {
        store_job job = {.prefix = "b", .records = 3};
        fault(&faults.sync_in, 1, SQLITE_IOERR_FSYNC, i % 2 == 1, false);
        raffle_rc rc = store_job_run(store, 1, &job, -1, &err);
        atomic_store(&faults.sync_in, 0);
        ck_assert_msg(rc == RAFFLE_OK || rc == RAFFLE_IO, "%s: %s", raffle_rc_name(rc), err.message);
        expected += rc == RAFFLE_OK ? 3 : 0;
        ck_assert_uint_eq(store_check_log(store, 1), expected);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < 3; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    expect_after_fault(expected);
}
END_TEST

/* --- the write-ahead log --- */

START_TEST(write_ahead_log_is_folded)
{
    char wal[256];
    struct stat st;
    unsigned calls = 0;
    raffle_host host = RAFFLE_HOST_INIT;
    host.flags = RAFFLE_HOST_NO_THREADS; /* folded before the call returns */
    raffle_store_free(store);
    ck_assert_int_eq(raffle_store_open(path, &host, &store, &err), RAFFLE_OK);
    snprintf(wal, sizeof wal, "%s-wal", path);
    for (unsigned i = 0; i < 12; i++)
        ck_assert_int_eq(rf_store_append(store, 1, fill_much, &calls, -1, &err), RAFFLE_OK);
    ck_assert_int_eq(stat(wal, &st), 0);
    /* 12 batches of 12 MB; the log is begun again after 40 MB and at most one batch more. */
    ck_assert_int_le(st.st_size, 56 << 20);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_ge(st.st_size, 80 << 20);
    raffle_store_free(store);
    store = NULL;
    ck_assert_int_ne(access(wal, F_OK), 0);
    reopen("");
}
END_TEST

START_TEST(write_ahead_log_is_folded_by_a_thread)
{
    char wal[256];
    struct stat st = {0};
    unsigned calls = 0;
    snprintf(wal, sizeof wal, "%s-wal", path);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_int_eq(rf_store_append(store, 1, fill_much, &calls, -1, &err), RAFFLE_OK);
    for (unsigned i = 0; st.st_size < 36 << 20 && i < 60000; i++) {
        usleep(1000);
        ck_assert_int_eq(stat(path, &st), 0);
    }
    ck_assert_int_ge(st.st_size, 36 << 20);
    raffle_store_free(store);
    store = NULL;
    ck_assert_int_ne(access(wal, F_OK), 0);
    reopen("");
}
END_TEST

/* One who asks for his turn while another has it comes next, whoever else asks then; one whose time is up asks SQLite at once. */
START_TEST(turns_are_taken_in_turn)
{
    rf_sqlite owner = {.path = path};
    rf_conn a = {.owner = &owner, .turn = -1, .busy_until = INT64_MAX},
            b = {.owner = &owner, .turn = -1, .busy_until = INT64_MAX};
    store_job job = {.prefix = "a", .records = 1};
    rf_turn_take(&a);
    ck_assert_int_ge(a.turn, 0);
    const int64_t began = rf_now();
    rf_turn_take(&b); /* a courtesy of a second */
    ck_assert_int_ge(rf_now() - began, 1000000);
    ck_assert_int_gt(b.rude_until, rf_now());
    rf_turn_take(&b); /* waits no more */
    b.rude_until = 0;
    b.busy_until = 0;
    rf_turn_take(&b);
    ck_assert_int_eq(store_job_run(store, 1, &job, 0, &err), RAFFLE_OK); /* nothing depends on it */
    rf_turn_give(&a);
    rf_turn_take(&b);
    a.busy_until = 0;
    rf_turn_take(&a);
    rf_turn_close(&b); /* with its file the turn goes too */
    ck_assert_int_eq(b.turn, -1);
    a.busy_until = INT64_MAX;
    rf_turn_take(&a);
    ck_assert(!rf_turn_try(&b));
    rf_turn_close(&a);
    ck_assert(rf_turn_try(&b));
    rf_turn_close(&b);
    rf_turn_close(&a);
    owner.path = "/nowhere/at/all";
    rf_turn_take(&a);
    rf_turn_give(&a);
    ck_assert_int_eq(a.turn, -1);
}
END_TEST

/* --- erasing --- */

START_TEST(erased_bytes_are_gone_from_the_files)
{
    char secret[32];
    store_append(store, 1, 100, "a");
    store_append(store, 2, 100, "b");
    ck_assert(file_holds("-wal", "private a 42;"));
    for (int i = 40; i < 50; i++) {
        ck_assert_int_eq(rf_store_erase(store, 1, (uint64_t)i, &err), RAFFLE_OK);
        snprintf(secret, sizeof secret, "private a %d;", i);
        ck_assert(!file_holds("", secret));
        ck_assert(!file_holds("-wal", secret));
    }
    ck_assert(file_holds("", "private a 39;"));
    ck_assert_uint_eq(store_check_log(store, 1), 100);
}
END_TEST

/* Logs that grow side by side split each other's pages: no copy may stay behind in the free space of a page. */
START_TEST(erased_bytes_are_gone_from_split_pages)
{
    enum {
        ROUNDS = 150
    };
    char prefix[32], secret[64];
    unsigned found = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (uint32_t log = 1; log <= 4; log++) {
            snprintf(prefix, sizeof prefix, "%u.%u.%.*s", log, i, (int)(i * 7 % 13), "xxxxxxxxxxxxx");
            store_append(store, log, 1 + (i + log) % 5, prefix);
        }
    }
    uint64_t sizes[5];
    for (uint32_t log = 1; log <= 4; log++)
        sizes[log] = size_of(log);
    for (uint32_t log = 1; log <= 4; log++) {
        for (uint64_t i = log % 2; i < sizes[log]; i += 2)
            ck_assert_int_eq(rf_store_erase(store, log, i, &err), RAFFLE_OK);
    }
    size_t length = 0;
    char *bytes = read_file(path, &length);
    for (uint32_t log = 1; log <= 4; log++) {
        for (unsigned i = 0; i < ROUNDS; i++) {
            snprintf(prefix, sizeof prefix, "%u.%u.%.*s", log, i, (int)(i * 7 % 13), "xxxxxxxxxxxxx");
            snprintf(secret, sizeof secret, "private %s ", prefix);
            const char *at = bytes;
            while ((at = memmem(at, length - (size_t)(at - bytes), secret, strlen(secret))) != NULL) {
                char *end = NULL;
                uint64_t index = strtoull(at + strlen(secret), &end, 10);
                found += *end != ';' || index % 2 == log % 2; /* a piece counts, too */
                at++;
            }
        }
    }
    free(bytes);
    ck_assert_uint_eq(found, 0);
}
END_TEST

/* Rows of all lengths, in logs that take turns. */
static raffle_rc fill_uneven(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *e)
{
    static char leaf[200], part[5000];
    unsigned *seed = ctx;
    raffle_record record = {.struct_size = sizeof record, .leaf = leaf, .private_part = part, .index = head->size};
    memset(leaf, 'L', sizeof leaf);
    memset(part, 'P', sizeof part);
    *seed = *seed * 1103515245 + 12345;
    record.leaf_length = 1 + (*seed >> 8) % sizeof leaf;
    record.private_length = 1 + (*seed >> 16) % ((*seed >> 28) % 2 == 0 ? 300U : 5000U);
    return batch->records(batch->ctx, &record, 1, e);
}

START_TEST(unused_bytes_of_pages_are_wiped)
{
    unsigned seed = 1, leaves = 0;
    size_t length = 0;
    for (unsigned i = 0; i < 3000; i++)
        ck_assert_int_eq(rf_store_append(store, (seed >> 20) % 6, fill_uneven, &seed, -1, &err), RAFFLE_OK);
    raffle_store_free(store);
    store = NULL;
    char *bytes = read_file(path, &length);
    for (size_t page = 1; page < length / 4096; page++) {
        int from = 0, to = 0;
        rf_scrub_range((const unsigned char *)bytes + 4096 * page, 4096, &from, &to);
        leaves += from < to;
        for (int i = from; i < to; i++)
            ck_assert_msg(bytes[4096 * page + (size_t)i] == 0, "page %zu, byte %d", page, i);
    }
    ck_assert_uint_gt(leaves, 500);
    free(bytes);
    sql("PRAGMA integrity_check");
    reopen("");
    uint64_t count = 0;
    for (uint32_t log = 0; log < 6; log++)
        count += size_of(log);
    ck_assert_uint_eq(count, 3000);
}
END_TEST

START_TEST(pages_that_are_not_to_be_wiped)
{
    unsigned char page[512] = {0x0d, 0, 0, 0, 2, 0x01, 0x80};
    int from = 9, to = 9;
    rf_scrub_range(page, 512, &from, &to);
    ck_assert_int_eq(from, 12);
    ck_assert_int_eq(to, 0x180);
    page[5] = 2, page[6] = 1; /* beyond the page */
    rf_scrub_range(page, 512, &from, &to);
    ck_assert_int_eq(from, to);
    page[5] = 0, page[6] = 12; /* no room */
    rf_scrub_range(page, 512, &from, &to);
    ck_assert_int_eq(from, to);
    page[5] = 0, page[6] = 0; /* 65,536 */
    rf_scrub_range(page, 512, &from, &to);
    ck_assert_int_eq(from, to);
    page[5] = 1, page[6] = 0x80, page[3] = 0xff; /* more cells than fit */
    rf_scrub_range(page, 512, &from, &to);
    ck_assert_int_eq(from, to);
    page[3] = 0, page[0] = 0x05;
    rf_scrub_range(page, 512, &from, &to);
    ck_assert_int_eq(from, to);
}
END_TEST

START_TEST(erase_waits_for_readers)
{
    sqlite3 *other = NULL;
    raffle_host host = RAFFLE_HOST_INIT;
    host.timeout_ms = 30;
    store_append(store, 1, 5, "a");
    raffle_store_free(store);
    ck_assert_int_eq(raffle_store_open(path, &host, &store, &err), RAFFLE_OK);
    store_append(store, 1, 5, "b");
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN; SELECT count(*) FROM record", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(rf_store_erase(store, 1, 7, &err), RAFFLE_BUSY);
    sqlite3_close(other);
    ck_assert_int_eq(rf_store_erase(store, 1, 7, &err), RAFFLE_OK);
    ck_assert(!file_holds("", "private b 7;"));
    ck_assert(!file_holds("-wal", "private b 7;"));
}
END_TEST

/* --- what auditors see --- */

START_TEST(views_for_auditors)
{
    char text[512];
    sql("INSERT INTO record VALUES"
        " (5, '{\"first\":1,\"intent\":4,\"places\":[{\"number\":3,\"serial\":4,\"unit\":2},{\"number\":5,\"serial\":6,"
        "\"unit\":2}],\"t\":\"draw.picks\"}', NULL),"
        " (6, "
        "'{\"alternates\":1,\"at\":\"2026-11-21T18:30:00.000Z\",\"attempt\":1,\"by\":\"manager\",\"intent\":4,"
        "\"places\":[{\"number\":7,\"serial\":1,"
        "\"unit\":1},"
        "{\"number\":9,\"serial\":2,\"unit\":1}],\"prize\":\"car\",\"t\":\"draw.result\",\"winners\":3}', NULL),"
        " (1, "
        "'{\"at\":\"2026-11-21T18:30:00.000Z\",\"by\":\"system\",\"code\":\"door\",\"component\":\"rng\",\"t\":"
        "\"event\"}', NULL),"
        " ((1 << 40) + 1, "
        "'{\"at\":\"2026-11-21T18:30:00.000Z\",\"by\":\"seller\",\"count\":5,\"n\":3,\"price\":1000,\"t\":\"sale\","
        "\"tier\":\"five\"}', '{}'),"
        " ((1 << 40) + 2, "
        "'{\"at\":\"2026-11-21T18:31:00.000Z\",\"by\":\"seller\",\"count\":5,\"price\":1000,\"reason\":\"payment\","
        "\"serial\":1,\"t\":\"void\",\"unit\":1}', NULL)");
    sql_text("SELECT unit, serial, first_number, last_number, price, tier FROM ticket", text, sizeof text);
    ck_assert_str_eq(text, "1|1|3|7|1000|five|");
    sql_text("SELECT log, idx, unit, serial, reason FROM void", text, sizeof text);
    ck_assert_str_eq(text, "1|2|1|1|payment|");
    sql_text("SELECT place, unit, number, serial, prize FROM place ORDER BY place", text, sizeof text);
    ck_assert_str_eq(text, "1|2|3|4|car|2|2|5|6|car|3|1|7|1|car|4|1|9|2|car|");
    sql_text("SELECT prize, attempt FROM draw", text, sizeof text);
    ck_assert_str_eq(text, "-|-|car|1|");
    sql_text("SELECT code, component FROM event", text, sizeof text);
    ck_assert_str_eq(text, "door|rng|");
    sql_text("SELECT (SELECT count(*) FROM unit_event), (SELECT count(*) FROM unit), (SELECT count(*) FROM seal),"
             " (SELECT count(*) FROM claim)",
             text, sizeof text);
    ck_assert_str_eq(text, "0|0|0|0|");
}
END_TEST

static TCase *opening(void)
{
    TCase *c = tcase_create("opening");
    const TTest *const tests[] = {reopened_store_has_everything,
                                  plain_path_opens,
                                  missing_file,
                                  what_is_no_raffle,
                                  empty_file_becomes_a_store_on_request,
                                  creating_that_was_cut_off_goes_on,
                                  newer_format,
                                  altered_tables,
                                  strangers_triggers_do_not_run,
                                  files_and_their_modes,
                                  anchor_elsewhere_or_nowhere,
                                  anchor_of_another_raffle_refuses_create,
                                  odd_names_and_another_folder,
                                  network_file_systems,
                                  opened_for_reading,
                                  reading_beside_a_writer,
                                  file_that_may_not_be_written,
                                  folder_that_may_not_be_written,
                                  restored_copy_is_behind_its_anchor,
                                  file_that_is_moved_is_not_written,
                                  write_ahead_log_that_is_gone_is_not_written,
                                  link_has_the_anchor_of_its_file,
                                  views_for_auditors};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    tcase_add_loop_test(c, anchor_that_saw_records_refuses_create, 0, 3);
    return c;
}

static TCase *waiting(void)
{
    TCase *c = tcase_create("waiting");
    const TTest *const tests[] = {
        locked_by_another_connection, host_says_how_long_calls_wait, queue_has_a_deadline,
        reads_go_on_during_a_fill,    append_within_a_fill,          a_group_shares_a_commit,
        processes_lose_nothing,       child_may_free_the_handle,     killed_process_leaves_what_it_wrote,
        erase_waits_for_readers};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    return c;
}

static TCase *damage(void)
{
    TCase *c = tcase_create("damage");
    const TTest *const tests[] = {truncated_files,
                                  flipped_bytes,
                                  overwritten_pages,
                                  append_onto_a_row_beyond_the_end,
                                  strange_keys_nodes_and_notes,
                                  strange_origin};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    tcase_add_loop_test(c, strange_rows, 0, (int)(sizeof strange / sizeof *strange));
    return c;
}

static TCase *failures(void)
{
    TCase *c = tcase_create("failures");
    const TTest *const tests[] = {full_disk_within_a_batch,
                                  full_disk_spares_the_others,
                                  refusals_of_a_commit_that_fails,
                                  disk_that_stays_broken,
                                  readers_outlive_a_commit_that_fails,
                                  write_ahead_log_is_folded,
                                  write_ahead_log_is_folded_by_a_thread,
                                  turns_are_taken_in_turn,
                                  erased_bytes_are_gone_from_the_files,
                                  erased_bytes_are_gone_from_split_pages,
                                  unused_bytes_of_pages_are_wiped,
                                  pages_that_are_not_to_be_wiped};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    tcase_add_loop_test(c, full_disk_at_commit, 0, 8);
    tcase_add_loop_test(c, commit_whose_sync_fails, 0, 2);
    tcase_add_loop_test(c, commit_whose_write_fails, 0, 8);
    tcase_add_loop_test(c, commit_that_fails_beside_another_connection, 0, 2);
    return c;
}

int main(void)
{
    static const store_suite sqlite = {.name = "conformance: sqlite", .open = open_new, .close = remove_folder};
    TCase *const own[] = {opening(), waiting(), damage(), failures()};
    faulty_vfs_install();
    Suite *s = suite_create("store_sqlite");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        tcase_add_checked_fixture(own[i], set_up, tear_down);
        tcase_set_timeout(own[i], 200);
        suite_add_tcase(s, own[i]);
    }
    suite_add_tcase(s, store_suite_tcase(&sqlite));
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
