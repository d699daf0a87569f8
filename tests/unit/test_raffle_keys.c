/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in files (their format, their rights, that none is ever overwritten) and tables of hosts that misbehave. */
#include "keys.h"
#include "vectors.h"

#include "note.h"
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char origin[] = "raffle.example/gala";
static char folder[64], keys_folder[80], uri[96];
static raffle_error err;
static raffle_keys *keys;
static uint8_t *secure;

static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    raffle_error_init(&err, sizeof err);
    snprintf(folder, sizeof folder, "/tmp/raffle-keys-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(keys_folder, sizeof keys_folder, "%s/keys", folder);
    snprintf(uri, sizeof uri, "file:%s", keys_folder);
    ck_assert_int_eq(raffle_keys_open(uri, NULL, &keys, &err), RAFFLE_OK);
    secure = sodium_malloc(32);
}

static void remove_tree(const char *path)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf -- '%s'", path);
    ck_assert_int_eq(system(command), 0);
}

static void teardown(void)
{
    sodium_free(secure);
    raffle_keys_free(keys);
    remove_tree(folder);
}

static const char *path_of(const char *file)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", keys_folder, file);
    return path;
}

static size_t read_file(const char *file, char out[1024])
{
    FILE *f = fopen(path_of(file), "rb");
    ck_assert_ptr_nonnull(f);
    const size_t n = fread(out, 1, 1023, f);
    fclose(f);
    out[n] = '\0';
    return n;
}

static void write_bytes(const char *file, const char *bytes, size_t length)
{
    FILE *f = fopen(path_of(file), "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, length, f), length);
    fclose(f);
    ck_assert_int_eq(chmod(path_of(file), 0600), 0);
}

static void write_file(const char *file, const char *text)
{
    write_bytes(file, text, strlen(text));
}

static void make(const char *name)
{
    ck_assert_msg(rf_keys_make(keys, origin, name, &err) == RAFFLE_OK, "%s", err.message);
}

/* A new handle, which remembers no public key. */
static void reopen(void)
{
    raffle_keys_free(keys);
    keys = NULL;
    ck_assert_int_eq(raffle_keys_open(uri, NULL, &keys, &err), RAFFLE_OK);
}

/* Also: the sentence names the file and holds none of what is in it. */
static raffle_rc public_key_of(const char *name, const char *content)
{
    uint8_t key[32];
    raffle_error_init(&err, sizeof err);
    raffle_rc rc = rf_keys_public_key(keys, origin, name, key, &err);
    if (rc != RAFFLE_OK && content != NULL) {
        ck_assert_ptr_nonnull(strstr(err.message, name));
        for (size_t i = 0; i + 12 <= strlen(content); i++) {
            char part[13] = "";
            memcpy(part, content + i, 12);
            ck_assert_msg(strstr(origin, part) != NULL || strstr("raffle.example/gala/unit/1", part) != NULL ||
                              strstr(err.message, part) == NULL,
                          "%s", err.message);
        }
    }
    return rc;
}

/* --- files --- */

START_TEST(a_folder_is_made_for_the_first_key)
{
    struct stat st;
    uint8_t key[32];
    ck_assert_int_eq(rf_keys_public_key(keys, origin, "control", key, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(stat(keys_folder, &st), -1);
    const mode_t mask = umask(0);
    make("control");
    umask(mask);
    ck_assert_int_eq(stat(keys_folder, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0700);
    ck_assert_int_eq(stat(path_of("control.key"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(st.st_nlink, 1);
    ck_assert_int_eq(rf_keys_public_key(keys, origin, "control", key, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_keys_public_key(keys, origin, "unit-1", key, &err), RAFFLE_NOT_FOUND);
}
END_TEST

START_TEST(rights_do_not_depend_on_the_umask)
{
    struct stat st;
    make("unit-1"); /* and the folder */
    const mode_t mask = umask(0377);
    make("control");
    umask(mask);
    ck_assert_int_eq(stat(path_of("control.key"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
}
END_TEST

/* Byte for byte what Go's note package reads: the name is the log's origin, the id that of the public key. */
static void check_private_form(const char *name, const char *log)
{
    char file[32], line[1024], expected[1024], hex[9] = "", base64[45] = "";
    uint8_t key[32], id[4], typed[33], derived[32], secret[64];
    size_t n;
    make(name);
    ck_assert_int_eq(rf_keys_public_key(keys, origin, name, key, &err), RAFFLE_OK);
    snprintf(file, sizeof file, "%s.key", name);
    const size_t length = read_file(file, line);
    ck_assert_uint_gt(length, 46);
    ck_assert_int_eq(
        sodium_base642bin(typed, 33, line + length - 45, 44, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL), 0);
    ck_assert(n == 33 && typed[0] == 1);
    crypto_sign_seed_keypair(derived, secret, typed + 1);
    ck_assert_mem_eq(derived, key, 32);
    rf_key_id(id, log, 1, key);
    sodium_bin2hex(hex, sizeof hex, id, 4);
    sodium_bin2base64(base64, sizeof base64, typed, 33, sodium_base64_VARIANT_ORIGINAL);
    snprintf(expected, sizeof expected, "PRIVATE+KEY+%s+%s+%s\n", log, hex, base64);
    ck_assert_str_eq(line, expected);
}

START_TEST(keys_are_in_the_form_of_go)
{
    check_private_form("control", "raffle.example/gala");
    check_private_form("unit-1", "raffle.example/gala/unit/1");
    check_private_form("unit-65535", "raffle.example/gala/unit/65535");
}
END_TEST

/* The example of x/mod's documentation: its public key is published. */
START_TEST(a_published_key_is_read)
{
    uint8_t key[32], id[4];
    static const char go[] = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n";
    rf_vkey vkey;
    static const char published[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    char line[256], hex[9];
    make("control");
    write_file("control.key", go);
    reopen();
    ck_assert_int_eq(public_key_of("control", go), RAFFLE_MISMATCH);
    ck_assert_int_eq(rf_vkey_parse(&vkey, published, strlen(published), &err), RAFFLE_OK);
    /* The same seed under the raffle's name. */
    rf_key_id(id, origin, 1, vkey.key);
    sodium_bin2hex(hex, sizeof hex, id, 4);
    snprintf(line, sizeof line, "PRIVATE+KEY+%s+%s+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n", origin, hex);
    write_file("control.key", line);
    ck_assert_msg(rf_keys_public_key(keys, origin, "control", key, &err) == RAFFLE_OK, "%s", err.message);
    ck_assert_mem_eq(key, vkey.key, 32);
}
END_TEST

START_TEST(signatures_verify)
{
    uint8_t key[32], signature[64];
    static const char message[] = "raffle.example/gala\n1\nroot\n";
    make("control");
    make("unit-1");
    ck_assert_int_eq(rf_keys_public_key(keys, origin, "unit-1", key, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_keys_sign(keys, origin, "unit-1", (const uint8_t *)message, sizeof message, signature, &err),
                     RAFFLE_OK);
    ck_assert_int_eq(crypto_sign_verify_detached(signature, (const uint8_t *)message, sizeof message, key), 0);
    ck_assert_int_eq(rf_keys_sign(keys, origin, "control", (const uint8_t *)message, sizeof message, signature, &err),
                     RAFFLE_OK);
    ck_assert_int_ne(crypto_sign_verify_detached(signature, (const uint8_t *)message, sizeof message, key), 0);
    ck_assert_int_eq(rf_keys_sign(keys, origin, "control", NULL, 0, signature, &err), RAFFLE_OK);
}
END_TEST

START_TEST(the_ticket_key)
{
    char line[1024], hex[65], expected[1024];
    ck_assert_int_eq(rf_keys_ticket_key(keys, origin, secure, &err), RAFFLE_KEY);
    make("ticket");
    ck_assert_int_eq(rf_keys_ticket_key(keys, origin, secure, &err), RAFFLE_OK);
    sodium_bin2hex(hex, sizeof hex, secure, 32);
    read_file("ticket.key", line);
    snprintf(expected, sizeof expected, "libraffle-ticket-key-1 %s %s\n", origin, hex);
    ck_assert_str_eq(line, expected);
    ck_assert_int_eq(rf_keys_ticket_key(keys, "raffle.example/other", secure, &err), RAFFLE_MISMATCH);
    ck_assert(sodium_is_zero(secure, 32));
}
END_TEST

START_TEST(no_key_is_made_anew)
{
    static const char *const names[] = {"control", "unit-1", "ticket"};
    for (size_t i = 0; i < 3; i++) {
        char file[32], before[1024], after[1024];
        snprintf(file, sizeof file, "%s.key", names[i]);
        make(names[i]);
        read_file(file, before);
        ck_assert_int_eq(rf_keys_make(keys, origin, names[i], &err), RAFFLE_EXISTS);
        ck_assert_int_eq(rf_keys_make(keys, "raffle.example/other", names[i], &err), RAFFLE_EXISTS);
        read_file(file, after);
        ck_assert_str_eq(before, after);
    }
    /* Nor is a file that is no key, or a link to nowhere. */
    write_file("unit-2.key", "");
    ck_assert_int_eq(rf_keys_make(keys, origin, "unit-2", &err), RAFFLE_EXISTS);
    ck_assert_int_eq(symlink("nowhere", path_of("unit-3.key")), 0);
    ck_assert_int_eq(rf_keys_make(keys, origin, "unit-3", &err), RAFFLE_EXISTS);
}
END_TEST

static int count_files(void)
{
    char command[160];
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", keys_folder);
    FILE *p = popen(command, "r");
    int n = -1;
    ck_assert_int_eq(fscanf(p, "%d", &n), 1);
    pclose(p);
    return n;
}

START_TEST(no_temporary_file_stays)
{
    make("control");
    make("ticket");
    ck_assert_int_eq(rf_keys_make(keys, origin, "control", &err), RAFFLE_EXISTS);
    ck_assert_int_eq(count_files(), 2);
}
END_TEST

START_TEST(another_raffles_keys_are_a_mismatch)
{
    uint8_t key[32], signature[64];
    make("control");
    make("unit-1");
    reopen();
    ck_assert_int_eq(rf_keys_public_key(keys, "raffle.example/other", "control", key, &err), RAFFLE_MISMATCH);
    ck_assert_int_eq(rf_keys_public_key(keys, "raffle.example", "unit-1", key, &err), RAFFLE_MISMATCH);
    ck_assert_int_eq(rf_keys_sign(keys, "raffle.example/other", "control", key, 1, signature, &err), RAFFLE_MISMATCH);
    /* One unit's key is not another's. */
    char line[1024];
    read_file("unit-1.key", line);
    write_file("unit-2.key", line);
    ck_assert_int_eq(public_key_of("unit-2", line), RAFFLE_MISMATCH);
}
END_TEST

START_TEST(rights_of_others_are_refused)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0660, 0666, 0777};
    make("control");
    make("ticket");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ck_assert_int_eq(chmod(path_of("control.key"), modes[i]), 0);
        ck_assert_int_eq(public_key_of("control", NULL), RAFFLE_KEY);
    }
    ck_assert_int_eq(chmod(path_of("control.key"), 0400), 0);
    ck_assert_int_eq(public_key_of("control", NULL), RAFFLE_OK);
    reopen();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ck_assert_int_eq(chmod(keys_folder, modes[i] | 0100), 0);
        ck_assert_int_eq(public_key_of("control", NULL), RAFFLE_KEY);
        ck_assert_int_eq(rf_keys_make(keys, origin, "unit-1", &err), RAFFLE_KEY);
        ck_assert_int_eq(rf_keys_ticket_key(keys, origin, secure, &err), RAFFLE_KEY);
    }
    ck_assert_int_eq(chmod(keys_folder, 0700), 0);
    ck_assert_int_eq(count_files(), 2);
}
END_TEST

/* Needs the right to give files away. */
START_TEST(files_of_another_user_are_refused)
{
    make("control");
    const bool able = chown(path_of("control.key"), 12345, (gid_t)-1) == 0;
    ck_assert_int_eq(public_key_of("control", NULL), able ? RAFFLE_KEY : RAFFLE_OK);
    if (!able)
        return;
    ck_assert_int_eq(chown(path_of("control.key"), geteuid(), (gid_t)-1), 0);
    ck_assert_int_eq(chown(keys_folder, 12345, (gid_t)-1), 0);
    ck_assert_int_eq(public_key_of("control", NULL), RAFFLE_KEY);
}
END_TEST

START_TEST(only_plain_files_are_keys)
{
    char line[1024];
    make("control");
    read_file("control.key", line);
    write_file("real", line);
    ck_assert_int_eq(unlink(path_of("control.key")), 0);
    ck_assert_int_eq(symlink("real", path_of("control.key")), 0);
    ck_assert_int_eq(public_key_of("control", NULL), RAFFLE_KEY);
    ck_assert_int_eq(unlink(path_of("control.key")), 0);
    ck_assert_int_eq(mkfifo(path_of("control.key"), 0600), 0);
    ck_assert_int_eq(public_key_of("control", NULL), RAFFLE_KEY); /* and does not wait for a writer */
    ck_assert_int_eq(unlink(path_of("control.key")), 0);
    ck_assert_int_eq(mkdir(path_of("control.key"), 0700), 0);
    ck_assert_int_eq(public_key_of("control", NULL), RAFFLE_KEY);
}
END_TEST

START_TEST(a_folder_that_is_none)
{
    FILE *file = fopen(keys_folder, "wb");
    ck_assert_ptr_nonnull(file);
    fclose(file);
    ck_assert_int_eq(chmod(keys_folder, 0700), 0);
    ck_assert_int_eq(public_key_of("control", NULL), RAFFLE_KEY);
    ck_assert_int_eq(rf_keys_make(keys, origin, "control", &err), RAFFLE_KEY);
}
END_TEST

/* Every changed bit, and every length but the right one. */
START_TEST(a_damaged_key_is_no_other_key)
{
    char line[1024];
    make("control");
    const size_t length = read_file("control.key", line);
    reopen();
    for (size_t n = 0; n < length; n++) {
        write_bytes("control.key", line, n);
        ck_assert_int_eq(public_key_of("control", line), RAFFLE_KEY);
    }
    for (size_t bit = 0; bit < 8 * length; bit++) {
        line[bit / 8] ^= (char)(1 << bit % 8);
        write_bytes("control.key", line, length);
        raffle_rc rc = public_key_of("control", NULL);
        ck_assert_msg(rc == RAFFLE_KEY || rc == RAFFLE_MISMATCH, "bit %zu: %s", bit, raffle_rc_name(rc));
        line[bit / 8] ^= (char)(1 << bit % 8);
    }
    line[length] = '\n';
    write_bytes("control.key", line, length + 1);
    ck_assert_int_eq(public_key_of("control", line), RAFFLE_KEY);
    write_bytes("control.key", line, length);
    ck_assert_int_eq(public_key_of("control", NULL), RAFFLE_OK);
}
END_TEST

START_TEST(a_damaged_ticket_key_is_none)
{
    char line[1024];
    make("ticket");
    const size_t length = read_file("ticket.key", line);
    for (size_t n = 0; n < length; n++) {
        write_bytes("ticket.key", line, n);
        ck_assert_int_eq(rf_keys_ticket_key(keys, origin, secure, &err), RAFFLE_KEY);
        ck_assert(sodium_is_zero(secure, 32));
    }
    line[length - 2] = 'A';
    write_bytes("ticket.key", line, length);
    ck_assert_int_eq(rf_keys_ticket_key(keys, origin, secure, &err), RAFFLE_KEY);
    memset(line + length - 65, '0', 64);
    write_bytes("ticket.key", line, length);
    ck_assert_int_eq(rf_keys_ticket_key(keys, origin, secure, &err), RAFFLE_KEY);
}
END_TEST

START_TEST(an_endless_file_is_not_read_whole)
{
    make("control");
    ck_assert_int_eq(truncate(path_of("control.key"), (off_t)1 << 40), 0);
    ck_assert_int_eq(public_key_of("control", NULL), RAFFLE_KEY);
}
END_TEST

static void *make_unit(void *out)
{
    raffle_keys *mine = NULL;
    raffle_rc rc = raffle_keys_open(uri, NULL, &mine, NULL);
    if (rc == RAFFLE_OK)
        rc = rf_keys_make(mine, origin, "unit-9", NULL);
    raffle_keys_free(mine);
    *(raffle_rc *)out = rc;
    return NULL;
}

START_TEST(one_of_many_makes_the_key)
{
    pthread_t threads[8];
    raffle_rc rc[8];
    int made = 0;
    for (size_t i = 0; i < 8; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_unit, &rc[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        ck_assert(rc[i] == RAFFLE_OK || rc[i] == RAFFLE_EXISTS);
        made += rc[i] == RAFFLE_OK;
    }
    ck_assert_int_eq(made, 1);
    ck_assert_int_eq(count_files(), 1);
}
END_TEST

/* --- URIs --- */

START_TEST(uris)
{
    static const struct {
        raffle_rc rc;
        const char *uri;
    } bad[] = {{RAFFLE_INVALID, ""},
               {RAFFLE_INVALID, "keys"},
               {RAFFLE_INVALID, "/keys"},
               {RAFFLE_INVALID, ":keys"},
               {RAFFLE_INVALID, "file:"},
               {RAFFLE_INVALID, "file:a?b=c"},
               {RAFFLE_INVALID, "file:a#b"},
               {RAFFLE_INVALID, "file:a%0"},
               {RAFFLE_INVALID, "file:a%00b"},
               {RAFFLE_INVALID, "file:%zz"},
#ifdef RAFFLE_WITH_PKCS11
               {RAFFLE_INVALID, "pkcs11:token=x;pin-value=1234"},
#else
               {RAFFLE_UNSUPPORTED, "pkcs11:token=x;pin-value=1234"},
#endif
               {RAFFLE_UNSUPPORTED, "kms:x"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        raffle_keys *other = NULL;
        ck_assert_msg(raffle_keys_open(bad[i].uri, NULL, &other, &err) == bad[i].rc, "%s", bad[i].uri);
        ck_assert_ptr_null(other);
        ck_assert_ptr_null(strstr(err.message, "1234"));
    }
}
END_TEST

START_TEST(a_path_is_decoded_and_made_absolute)
{
    raffle_keys *relative = NULL;
    struct stat st;
    char before[4096], path[160];
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(raffle_keys_open("file:a%20b%2Fc/", NULL, &relative, &err), RAFFLE_OK);
    ck_assert_int_eq(mkdir("a b", 0700), 0);
    ck_assert_int_eq(chdir(before), 0);
    ck_assert_msg(rf_keys_make(relative, origin, "control", &err) == RAFFLE_OK, "%s", err.message);
    snprintf(path, sizeof path, "%s/a b/c/control.key", folder);
    ck_assert_int_eq(stat(path, &st), 0);
    raffle_keys_free(relative);
}
END_TEST

START_TEST(a_folder_in_no_folder)
{
    raffle_keys *deep = NULL;
    char text[160];
    snprintf(text, sizeof text, "file:%s/none/keys", folder);
    ck_assert_int_eq(raffle_keys_open(text, NULL, &deep, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_keys_make(deep, origin, "control", &err), RAFFLE_IO);
    raffle_keys_free(deep);
}
END_TEST

/* --- the handle, over tables of hosts --- */

typedef struct table_state {
    raffle_rc rc;
    uint64_t token;
    const char *message;
    uint8_t public_key[32], secret[64];
    bool do_nothing, spoil;
    int public_calls, freed, released;
} table_state;

static raffle_rc answer(const table_state *t, raffle_error *theirs)
{
    ck_assert_ptr_nonnull(theirs);
    if (t->rc != RAFFLE_OK && t->message != NULL)
        raffle_error_set(theirs, t->rc, t->token, t->message);
    return t->rc;
}

static raffle_rc t_make(void *ctx, const char *o, const char *name, raffle_error *e)
{
    (void)o, (void)name;
    return answer(ctx, e);
}

static raffle_rc t_public(void *ctx, const char *o, const char *name, uint8_t out[32], raffle_error *e)
{
    table_state *t = ctx;
    (void)o, (void)name;
    __atomic_add_fetch(&t->public_calls, 1, __ATOMIC_RELAXED);
    if (!t->do_nothing)
        memcpy(out, t->public_key, 32);
    return answer(t, e);
}

static raffle_rc t_sign(void *ctx, const char *o, const char *name, const uint8_t *message, size_t length,
                        uint8_t out[64], raffle_error *e)
{
    table_state *t = ctx;
    (void)o, (void)name;
    if (!t->do_nothing)
        crypto_sign_detached(out, NULL, message, length, t->secret);
    out[5] ^= t->spoil;
    return answer(t, e);
}

static raffle_rc t_ticket(void *ctx, const char *o, uint8_t out[32], raffle_error *e)
{
    table_state *t = ctx;
    (void)o;
    if (!t->do_nothing)
        memset(out, 0x5a, 32);
    return answer(t, e);
}

static void t_free(void *ctx)
{
    ((table_state *)ctx)->freed++;
}

static raffle_keys_table host_table(void)
{
    raffle_keys_table table;
    raffle_keys_table_init(&table, sizeof table);
    table.make = t_make;
    table.public_key = t_public;
    table.sign = t_sign;
    table.ticket_key = t_ticket;
    table.free = t_free;
    return table;
}

static raffle_keys *host_keys(table_state *t)
{
    const raffle_keys_table table = host_table();
    raffle_keys *made = NULL;
    crypto_sign_keypair(t->public_key, t->secret);
    ck_assert_int_eq(raffle_keys_new(&table, t, &made, &err), RAFFLE_OK);
    return made;
}

START_TEST(a_table_is_read_and_checked)
{
    table_state t = {.rc = RAFFLE_OK};
    raffle_keys *made = NULL;
    raffle_keys_table table = host_table();
    ck_assert_int_eq(raffle_keys_new(NULL, &t, &made, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_keys_new(&table, &t, NULL, &err), RAFFLE_MISUSE);
    table.struct_size = 0;
    ck_assert_int_eq(raffle_keys_new(&table, &t, &made, &err), RAFFLE_MISUSE);
    table = host_table();
    table.flags = 1;
    ck_assert_int_eq(raffle_keys_new(&table, &t, &made, &err), RAFFLE_UNSUPPORTED);
    for (int i = 0; i < 4; i++) {
        table = host_table();
        if (i == 0)
            table.make = NULL;
        else if (i == 1)
            table.public_key = NULL;
        else if (i == 2)
            table.sign = NULL;
        else
            table.ticket_key = NULL;
        ck_assert_int_eq(raffle_keys_new(&table, &t, &made, &err), RAFFLE_MISUSE);
    }
    ck_assert_ptr_null(made);
    ck_assert_int_eq(t.freed, 0);
    table = host_table();
    table.free = NULL;
    ck_assert_int_eq(raffle_keys_new(&table, &t, &made, &err), RAFFLE_OK);
    raffle_keys_free(made);
    raffle_keys_free(NULL);
}
END_TEST

START_TEST(free_is_called_with_the_last_reference)
{
    table_state t = {.rc = RAFFLE_OK};
    raffle_keys *made = host_keys(&t);
    ck_assert_ptr_eq(rf_keys_ref(made), made);
    raffle_keys_free(made);
    ck_assert_int_eq(t.freed, 0);
    raffle_keys_free(made);
    ck_assert_int_eq(t.freed, 1);
}
END_TEST

static void count_release(void *ctx)
{
    ((table_state *)ctx)->released++;
}

START_TEST(the_host_is_released_once_and_only_when_it_was_taken)
{
    table_state t = {.rc = RAFFLE_OK};
    raffle_keys *made = NULL;
    raffle_host host = RAFFLE_HOST_INIT;
    host.ctx = &t;
    host.release = count_release;
    ck_assert_int_eq(raffle_keys_open("nothing:", &host, &made, &err), RAFFLE_UNSUPPORTED);
    ck_assert_int_eq(t.released, 0);
    ck_assert_int_eq(raffle_keys_open(uri, &host, &made, &err), RAFFLE_OK);
    raffle_keys_free(rf_keys_ref(made));
    ck_assert_int_eq(t.released, 0);
    raffle_keys_free(made);
    ck_assert_int_eq(t.released, 1);
    host.flags = 1u << 30;
    ck_assert_int_eq(raffle_keys_open(uri, &host, &made, &err), RAFFLE_UNSUPPORTED);
    ck_assert_int_eq(raffle_keys_open(NULL, NULL, &made, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_keys_open(uri, NULL, NULL, &err), RAFFLE_MISUSE);
}
END_TEST

START_TEST(public_keys_are_asked_for_once)
{
    table_state t = {.rc = RAFFLE_OK};
    uint8_t key[32];
    char name[24];
    raffle_keys *made = host_keys(&t);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(rf_keys_public_key(made, origin, "control", key, &err), RAFFLE_OK);
    ck_assert_int_eq(t.public_calls, 1);
    ck_assert_mem_eq(key, t.public_key, 32);
    /* Another raffle's is another key; and more keys than there is room for. */
    ck_assert_int_eq(rf_keys_public_key(made, "raffle.example/other", "control", key, &err), RAFFLE_OK);
    ck_assert_int_eq(t.public_calls, 2);
    for (int i = 1; i <= 300; i++) {
        snprintf(name, sizeof name, "unit-%d", i);
        crypto_sign_keypair(t.public_key, t.secret);
        ck_assert_int_eq(rf_keys_public_key(made, origin, name, key, &err), RAFFLE_OK);
        ck_assert_mem_eq(key, t.public_key, 32);
        ck_assert_int_eq(rf_keys_public_key(made, origin, name, key, &err), RAFFLE_OK);
        ck_assert_mem_eq(key, t.public_key, 32);
    }
    ck_assert_int_eq(t.public_calls, 302);
    raffle_keys_free(made);
}
END_TEST

START_TEST(what_is_no_public_key_is_refused)
{
    table_state t = {.rc = RAFFLE_OK};
    raffle_keys *made = host_keys(&t);
    uint8_t key[32], signature[64];
    t.do_nothing = true;
    ck_assert_int_eq(rf_keys_public_key(made, origin, "control", key, &err), RAFFLE_KEY);
    t.do_nothing = false;
    memset(t.public_key, 0, 32);
    t.public_key[0] = 1; /* the neutral element */
    ck_assert_int_eq(rf_keys_public_key(made, origin, "control", key, &err), RAFFLE_KEY);
    memset(t.public_key, 0xff, 32); /* no canonical number */
    ck_assert_int_eq(rf_keys_sign(made, origin, "control", key, 0, signature, &err), RAFFLE_KEY);
    raffle_keys_free(made);
}
END_TEST

START_TEST(a_wrong_signature_is_not_handed_on)
{
    table_state t = {.rc = RAFFLE_OK};
    raffle_keys *made = host_keys(&t);
    uint8_t signature[64] = {77}, message[3] = {1, 2, 3};
    ck_assert_int_eq(rf_keys_sign(made, origin, "control", message, 3, signature, &err), RAFFLE_OK);
    signature[0] = 77;
    t.spoil = true;
    ck_assert_int_eq(rf_keys_sign(made, origin, "control", message, 3, signature, &err), RAFFLE_SIGNATURE);
    t.spoil = false;
    t.do_nothing = true;
    ck_assert_int_eq(rf_keys_sign(made, origin, "control", message, 3, signature, &err), RAFFLE_SIGNATURE);
    ck_assert_uint_eq(signature[0], 77);
    raffle_keys_free(made);
}
END_TEST

START_TEST(a_ticket_key_that_was_not_given)
{
    table_state t = {.rc = RAFFLE_OK};
    raffle_keys *made = host_keys(&t);
    ck_assert_int_eq(rf_keys_ticket_key(made, origin, secure, &err), RAFFLE_OK);
    ck_assert_uint_eq(secure[31], 0x5a);
    t.do_nothing = true;
    ck_assert_int_eq(rf_keys_ticket_key(made, origin, secure, &err), RAFFLE_KEY);
    ck_assert(sodium_is_zero(secure, 32));
    t.do_nothing = false;
    t.rc = RAFFLE_IO;
    ck_assert_int_eq(rf_keys_ticket_key(made, origin, secure, &err), RAFFLE_IO);
    ck_assert(sodium_is_zero(secure, 32));
    t.rc = RAFFLE_NOT_FOUND;
    ck_assert_int_eq(rf_keys_ticket_key(made, origin, secure, &err), RAFFLE_KEY);
    raffle_keys_free(made);
}
END_TEST

START_TEST(failures_of_a_table_are_handed_on)
{
    table_state t = {.rc = RAFFLE_IO, .token = 4711, .message = "the token is unplugged"};
    raffle_keys *made = host_keys(&t);
    uint8_t key[32], signature[64];
    ck_assert_int_eq(rf_keys_make(made, origin, "control", &err), RAFFLE_IO);
    ck_assert_str_eq(err.message, "the token is unplugged");
    ck_assert_uint_eq(err.token, 4711);
    ck_assert_int_eq(rf_keys_make(made, origin, "control", NULL), RAFFLE_IO);
    t.message = NULL;
    t.rc = 123456;
    ck_assert_int_eq(rf_keys_public_key(made, origin, "control", key, &err), RAFFLE_HOST);
    ck_assert_ptr_nonnull(strstr(err.message, "123456"));
    ck_assert_int_eq(err.rc, RAFFLE_HOST);
    t.rc = -1;
    ck_assert_int_eq(rf_keys_sign(made, origin, "control", key, 1, signature, &err), RAFFLE_HOST);
    t.rc = RAFFLE_NOT_FOUND;
    ck_assert_int_eq(rf_keys_public_key(made, origin, "control", key, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_keys_sign(made, origin, "control", key, 1, signature, &err), RAFFLE_KEY);
    raffle_keys_free(made);
}
END_TEST

START_TEST(names_and_origins_are_checked)
{
    static const char *const bad[] = {"",
                                      "Control",
                                      "unit",
                                      "unit-",
                                      "unit-0",
                                      "unit-01",
                                      "unit-65536",
                                      "unit-+1",
                                      "unit-1 ",
                                      "../ticket",
                                      "unit-1/..",
                                      "tickets",
                                      "unit-99999999999999999999"};
    uint8_t key[32], signature[64];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(rf_keys_make(keys, origin, bad[i], &err) == RAFFLE_INVALID, "%s", bad[i]);
        ck_assert_int_eq(rf_keys_public_key(keys, origin, bad[i], key, &err), RAFFLE_INVALID);
    }
    ck_assert_int_eq(rf_keys_public_key(keys, origin, "ticket", key, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_keys_sign(keys, origin, "ticket", key, 1, signature, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_keys_make(keys, "Raffle", "control", &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_keys_make(keys, "", "control", &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_keys_make(keys, "a/unit/1", "control", &err), RAFFLE_INVALID);
    char longest[256];
    memset(longest, 'a', sizeof longest);
    longest[200] = '\0';
    ck_assert_msg(rf_keys_make(keys, longest, "unit-65535", &err) == RAFFLE_OK, "%s", err.message);
    ck_assert_int_eq(rf_keys_public_key(keys, longest, "unit-65535", key, &err), RAFFLE_OK);
    longest[200] = 'a';
    longest[255] = '\0';
    ck_assert_int_eq(rf_keys_make(keys, longest, "control", &err), RAFFLE_INVALID);
}
END_TEST

START_TEST(nothing_works_after_fork)
{
    make("control");
    make("ticket");
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        uint8_t key[32], signature[64];
        const bool refused = rf_keys_public_key(keys, origin, "control", key, NULL) == RAFFLE_FORKED &&
                             rf_keys_make(keys, origin, "unit-1", NULL) == RAFFLE_FORKED &&
                             rf_keys_sign(keys, origin, "control", key, 0, signature, NULL) == RAFFLE_FORKED &&
                             rf_keys_ticket_key(keys, origin, secure, NULL) == RAFFLE_FORKED;
        raffle_keys_free(keys);
        _exit(refused ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

static void *use_keys(void *ctx)
{
    raffle_keys *shared = ctx;
    uint8_t key[32], signature[64];
    char name[24];
    intptr_t wrong = 0;
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "unit-%d", i % 100 + 1);
        wrong += rf_keys_public_key(shared, origin, name, key, NULL) != RAFFLE_OK;
        wrong += rf_keys_sign(shared, origin, name, key, sizeof key, signature, NULL) != RAFFLE_OK;
    }
    raffle_keys_free(shared);
    return (void *)wrong;
}

START_TEST(many_threads_use_one_handle)
{
    table_state t = {.rc = RAFFLE_OK};
    raffle_keys *made = host_keys(&t);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_keys, rf_keys_ref(made)), 0);
    raffle_keys_free(made);
    for (size_t i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        ck_assert_ptr_null(wrong);
    }
    ck_assert_int_eq(t.freed, 1);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_folder_is_made_for_the_first_key);
    tcase_add_test(tests, rights_do_not_depend_on_the_umask);
    tcase_add_test(tests, keys_are_in_the_form_of_go);
    tcase_add_test(tests, a_published_key_is_read);
    tcase_add_test(tests, signatures_verify);
    tcase_add_test(tests, the_ticket_key);
    tcase_add_test(tests, no_key_is_made_anew);
    tcase_add_test(tests, no_temporary_file_stays);
    tcase_add_test(tests, another_raffles_keys_are_a_mismatch);
    tcase_add_test(tests, rights_of_others_are_refused);
    tcase_add_test(tests, files_of_another_user_are_refused);
    tcase_add_test(tests, only_plain_files_are_keys);
    tcase_add_test(tests, a_folder_that_is_none);
    tcase_add_test(tests, a_damaged_key_is_no_other_key);
    tcase_add_test(tests, a_damaged_ticket_key_is_none);
    tcase_add_test(tests, an_endless_file_is_not_read_whole);
    tcase_add_test(tests, one_of_many_makes_the_key);
    tcase_add_test(tests, uris);
    tcase_add_test(tests, a_path_is_decoded_and_made_absolute);
    tcase_add_test(tests, a_folder_in_no_folder);
    tcase_add_test(tests, a_table_is_read_and_checked);
    tcase_add_test(tests, free_is_called_with_the_last_reference);
    tcase_add_test(tests, the_host_is_released_once_and_only_when_it_was_taken);
    tcase_add_test(tests, public_keys_are_asked_for_once);
    tcase_add_test(tests, what_is_no_public_key_is_refused);
    tcase_add_test(tests, a_wrong_signature_is_not_handed_on);
    tcase_add_test(tests, a_ticket_key_that_was_not_given);
    tcase_add_test(tests, failures_of_a_table_are_handed_on);
    tcase_add_test(tests, names_and_origins_are_checked);
    tcase_add_test(tests, nothing_works_after_fork);
    tcase_add_test(tests, many_threads_use_one_handle);
}

int main(void)
{
    return run_tests("keys", add);
}
