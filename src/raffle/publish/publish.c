/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing a raffle's logs as tiles (docs/spec/publishing.md). */
#include "abi.h"
#include "error.h"
#include "manifest.h"
#include "published/folder.h"
#include "tiles.h"
#include "unit_impl.h"
#include <raffle/publish.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRIES = 16, /* while the control log grows */
    PATH_MOST = 128
};

/* A log on its way out. */
typedef struct outgoing {
    uint32_t number;
    rf_vkey vkey;
    rf_checkpoint is;   /* what its note says */
    uint64_t published; /* the size that the folder's checkpoint has; 0 when there is none */
    bool same_note;
    char *note;
    size_t note_length;
} outgoing;

typedef struct publishing {
    raffle *raffle;
    raffle_publish_options options;
    raffle_publish_info info;
    rf_folder *folder;
    rf_control control; /* at the size of the control log's checkpoint */
    size_t logs;
    outgoing *log; /* [0]: the control log */
    char *manifest;
    size_t manifest_length;
    bool same_manifest;
    rf_tree tree;
    uint64_t done, total;
    const outgoing *making;
} publishing;

void raffle_publish_options_init(raffle_publish_options *options, size_t size)
{
    rf_struct_init(options, size);
}

void raffle_publish_info_init(raffle_publish_info *info, size_t size)
{
    rf_struct_init(info, size);
}

static bool with_entries(const publishing *p, const outgoing *log)
{
    return log->number == 0 || (p->options.flags & RAFFLE_PUBLISH_HASHES) == 0;
}

/* --- what is published: the notes of one moment --- */

static void drop_notes(publishing *p)
{
    for (size_t i = 0; i < p->logs; i++)
        free(p->log[i].note);
    free(p->log);
    rf_control_clear(&p->control);
    p->log = NULL;
    p->logs = 0;
}

/* The newest note that is kept. One over more records than there are is of a log that lost some. */
static raffle_rc get_kept_note(const publishing *p, uint32_t number, char *note, size_t *length, raffle_error *err)
{
    uint64_t size;
    raffle_store_head head;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_store *store = p->raffle->store;
    raffle_rc rc = rf_store_note_get(store, number, RF_NOTE_LATEST, &size, note, RF_NOTE_MAX, length, &why);
    if (rc == RAFFLE_NOT_FOUND)
        return rf_fail(err, rc, "log %u has no checkpoint: it must be published with keys", number);
    if (rc == RAFFLE_OK)
        rc = rf_store_head(store, number, &head, &why);
    if (rc != RAFFLE_OK)
        return rf_fail_as(err, &why);
    return size <= head.size ? RAFFLE_OK
                             : rf_fail(err, RAFFLE_HISTORY, "log %u has %llu records, and its newest checkpoint %llu",
                                       number, (unsigned long long)head.size, (unsigned long long)size);
}

/* The note of a unit that is damaged, or behind what was seen of it: the one with which a seal took what is left. */
static raffle_rc get_sealed_note(const publishing *p, uint32_t number, char *note, size_t *length, raffle_error *err)
{
    uint64_t size;
    const rf_seal_state *seal = p->control.final.kind != 0 ? &p->control.final : &p->control.early;
    const rf_seal_unit *unit = number <= seal->units ? &seal->unit[number - 1] : NULL;
    if (unit == NULL || unit->reconciled)
        return rf_fail(err, RAFFLE_NOT_FOUND, "unit %u was sealed with all its records, or not at all", number);
    return rf_store_note_get(p->raffle->store, number, unit->size, &size, note, RF_NOTE_MAX, length, err);
}

static raffle_rc get_unit_note(const publishing *p, uint32_t number, char *note, size_t *length, raffle_error *err)
{
    rf_unit *u;
    uint64_t size;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc;
    if (p->raffle->keys == NULL) {
        rc = get_kept_note(p, number, note, length, &why);
    } else {
        rc = rf_unit_get(p->raffle, number, &u, &why);
        if (rc == RAFFLE_OK)
            rc = rf_unit_checkpoint(u, note, length, &size, &why);
    }
    const bool lost = rc == RAFFLE_HISTORY || rc == RAFFLE_HALTED || rc == RAFFLE_CORRUPT;
    if (rc == RAFFLE_OK || (lost && get_sealed_note(p, number, note, length, NULL) == RAFFLE_OK))
        return RAFFLE_OK;
    return rf_fail_as(err, &why);
}

/* Signs the log as it is, or without keys takes the newest note. `note` has RF_NOTE_MAX bytes. */
static raffle_rc get_note(const publishing *p, uint32_t number, char *note, size_t *length, raffle_error *err)
{
    uint64_t size;
    raffle_error why = RAFFLE_ERROR_INIT;
    if (number > 0)
        return get_unit_note(p, number, note, length, err);
    if (p->raffle->keys == NULL)
        return get_kept_note(p, 0, note, length, err);
    raffle_rc rc = rf_control_checkpoint(p->raffle, note, length, &size, &why);
    if (rc == RAFFLE_DRAW_OPEN) /* a draw waits for its witnesses: the checkpoint of its intent is the newest */
        return get_kept_note(p, 0, note, length, err);
    return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
}

static raffle_rc read_note(const outgoing *log, const char *bytes, size_t length, rf_checkpoint *out, raffle_error *err)
{
    rf_note *note = malloc(sizeof *note);
    if (note == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_note_parse(note, bytes, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_verify(note, &log->vkey, err);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(out, note->text, note->text_length, err);
    if (rc == RAFFLE_OK && strcmp(out->origin, log->vkey.name) != 0)
        rc = rf_fail(err, RAFFLE_SIGNATURE, "it is a checkpoint of %s", out->origin);
    free(note);
    return rc;
}

static raffle_rc take_log(const publishing *p, uint32_t number, const char *key, outgoing *log, raffle_error *err)
{
    char note[RF_NOTE_MAX];
    raffle_error why = RAFFLE_ERROR_INIT;
    size_t length;
    log->number = number;
    raffle_rc rc = rf_vkey_parse(&log->vkey, key, strlen(key), err);
    if (rc == RAFFLE_OK)
        rc = get_note(p, number, note, &length, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = read_note(log, note, length, &log->is, &why);
    if (rc != RAFFLE_OK)
        return rf_fail(err, rc == RAFFLE_NOMEM ? rc : RAFFLE_CORRUPT, "the newest checkpoint of %s: %s", log->vkey.name,
                       why.message);
    log->note = malloc(length);
    if (log->note == NULL)
        return rf_nomem(err);
    memcpy(log->note, note, length);
    log->note_length = length;
    return RAFFLE_OK;
}

/* What a seal took of a unit is in what is published of it. */
static raffle_rc check_sealed(const rf_seal_state *seal, const outgoing *log, raffle_error *err)
{
    if (log->number == 0 || log->number > seal->units || seal->unit[log->number - 1].size <= log->is.size)
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_HISTORY, "the newest checkpoint of %s is over %llu records; a seal took %llu",
                   log->vkey.name, (unsigned long long)log->is.size,
                   (unsigned long long)seal->unit[log->number - 1].size);
}

static raffle_rc take_units(publishing *p, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    outgoing *all = realloc(p->log, (1 + p->control.units) * sizeof *all);
    if (all == NULL)
        return rf_nomem(err);
    p->log = all;
    for (uint32_t i = 0; rc == RAFFLE_OK && i < p->control.units; i++) {
        outgoing *log = &p->log[p->logs++];
        *log = (outgoing){0};
        rc = take_log(p, i + 1, p->control.unit[i].key, log, err);
        if (rc == RAFFLE_OK)
            rc = check_sealed(&p->control.early, log, err);
        if (rc == RAFFLE_OK)
            rc = check_sealed(&p->control.final, log, err);
    }
    return rc;
}

static raffle_rc take_notes(publishing *p, raffle_error *err)
{
    char key[RF_VKEY_SIZE];
    drop_notes(p);
    p->log = calloc(1, sizeof *p->log);
    if (p->log == NULL)
        return rf_nomem(err);
    p->logs = 1;
    rf_vkey_format(&p->raffle->vkey, key);
    raffle_rc rc = take_log(p, 0, key, &p->log[0], err);
    if (rc == RAFFLE_OK)
        rc = rf_control_refold(p->raffle, p->log[0].is.size, &p->control, err);
    return rc == RAFFLE_OK ? take_units(p, err) : rc;
}

/* Behind an open intent there are events alone, which allow a unit nothing. */
static bool is_open_intent(raffle *r, uint64_t size)
{
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_control *c = &r->control;
    const bool open = c->open_prize >= 0 && c->prize[c->open_prize].intent + 1 == size;
    pthread_rwlock_unlock(&r->control_lock);
    return open;
}

/* A unit may not show what the control log allowed only later; so the control log must not have grown until all notes were taken. */
static raffle_rc take_moment(publishing *p, raffle_error *err)
{
    raffle *r = p->raffle;
    for (int i = 0; i < TRIES; i++) {
        raffle_rc rc = take_notes(p, err);
        if (rc != RAFFLE_OK || r->keys == NULL)
            return rc;
        rc = rf_log_refresh(r->log, err);
        if (rc != RAFFLE_OK || rf_log_size(r->log) == p->log[0].is.size || is_open_intent(r, p->log[0].is.size))
            return rc;
    }
    return rf_fail(err, RAFFLE_BUSY, "the control log of %s grew while the units were signed, %d times", r->origin,
                   (int)TRIES);
}

/* --- what the folder holds --- */

static void path_of(const outgoing *log, const char *file, char out[PATH_MOST])
{
    if (log->number == 0)
        snprintf(out, PATH_MOST, "control/%s", file);
    else
        snprintf(out, PATH_MOST, "unit/%u/%s", log->number, file);
}

/* The records that are published are the first of those that will be. */
static raffle_rc check_prefix(publishing *p, const outgoing *log, const rf_checkpoint *old, raffle_error *err)
{
    uint8_t root[32];
    if (old->size > log->is.size)
        return rf_fail(err, RAFFLE_HISTORY, "the folder has %llu records of %s, and the store signed %llu",
                       (unsigned long long)old->size, log->vkey.name, (unsigned long long)log->is.size);
    p->tree.log = log->number;
    raffle_rc rc = rf_tree_root(&p->tree, old->size, root, err);
    if (rc == RAFFLE_OK && memcmp(root, old->root, 32) != 0)
        return rf_fail(err, RAFFLE_HISTORY, "the first %llu records of %s in the folder are not those of the store",
                       (unsigned long long)old->size, log->vkey.name);
    return rc;
}

static raffle_rc look_at_log(publishing *p, outgoing *log, raffle_error *err)
{
    char path[PATH_MOST];
    rf_bytes note = {0};
    rf_checkpoint old;
    raffle_error why = RAFFLE_ERROR_INIT;
    path_of(log, "checkpoint", path);
    raffle_rc rc = rf_folder_get(p->folder, path, RF_NOTE_MAX, &note, &why);
    if (rc == RAFFLE_OK)
        rc = read_note(log, (const char *)note.at, note.length, &old, &why);
    log->same_note = rc == RAFFLE_OK && note.length == log->note_length && memcmp(note.at, log->note, note.length) == 0;
    free(note.at);
    if (rc == RAFFLE_NOT_FOUND)
        return RAFFLE_OK;
    if (rc == RAFFLE_INVALID || rc == RAFFLE_SIGNATURE || rc == RAFFLE_CORRUPT)
        return rf_fail(err, RAFFLE_HISTORY, "the folder's %s is not one of %s: %s", path, log->vkey.name, why.message);
    if (rc != RAFFLE_OK)
        return rf_fail_as(err, &why);
    log->published = old.size;
    return check_prefix(p, log, &old, err);
}

static bool begins(const rf_bytes *bytes, const char *with)
{
    return bytes->length >= strlen(with) && memcmp(bytes->at, with, strlen(with)) == 0;
}

/* Its first member says which kind of folder it is. */
static raffle_rc look_at_manifest(publishing *p, raffle_error *err)
{
    static const char all[] = "{\"entries\":\"all\",", control[] = "{\"entries\":\"control\",";
    const bool hashes = (p->options.flags & RAFFLE_PUBLISH_HASHES) != 0;
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_bytes bytes = {0};
    raffle_rc rc = rf_folder_get(p->folder, "manifest.json", RF_MANIFEST_MAX, &bytes, &why);
    if (rc == RAFFLE_NOT_FOUND)
        rc = RAFFLE_OK;
    else if (rc != RAFFLE_OK)
        rc = rf_fail_as(err, &why);
    else if (begins(&bytes, hashes ? all : control))
        rc = rf_fail(err, RAFFLE_MISMATCH, "the folder was published %s, and cannot go on %s",
                     hashes ? "with all entries" : "with hashes alone", hashes ? "without" : "with all entries");
    else if (!begins(&bytes, hashes ? control : all))
        rc = rf_fail(err, RAFFLE_MISMATCH, "the folder's manifest.json is not that of a published raffle");
    else
        p->same_manifest = bytes.length == p->manifest_length && memcmp(bytes.at, p->manifest, bytes.length) == 0;
    free(bytes.at);
    return rc;
}

static raffle_rc look(publishing *p, raffle_error *err)
{
    raffle_rc rc = rf_manifest_make(&p->control, (p->options.flags & RAFFLE_PUBLISH_HASHES) != 0, &p->manifest,
                                    &p->manifest_length, err);
    if (rc == RAFFLE_OK)
        rc = look_at_manifest(p, err);
    for (size_t i = 0; rc == RAFFLE_OK && i < p->logs; i++) {
        rc = look_at_log(p, &p->log[i], err);
        p->total += p->log[i].is.size - p->log[i].published;
        p->info.records += p->log[i].is.size;
    }
    return rc;
}

/* --- writing --- */

static raffle_rc put(publishing *p, const char *path, const void *bytes, size_t length, bool synced, raffle_error *err)
{
    raffle_rc rc = rf_folder_put(p->folder, path, bytes, length, synced, err);
    if (rc == RAFFLE_OK) {
        p->info.files++;
        p->info.bytes += length;
    }
    return rc;
}

static raffle_rc show_progress(publishing *p, uint64_t records, raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    p->done += records;
    if (p->options.progress == NULL)
        return RAFFLE_OK;
    raffle_rc rc = p->options.progress(p->options.progress_ctx, p->done, p->total, &theirs);
    if (rc == RAFFLE_OK || theirs.rc == rc)
        return rc == RAFFLE_OK ? rc : rf_fail_as(err, &theirs);
    return rf_fail(err, rc, "the publishing was ended after %llu of %llu records", (unsigned long long)p->done,
                   (unsigned long long)p->total);
}

static raffle_rc take_tile(void *ctx, const rf_tile *tile, const uint8_t *bytes, size_t length, raffle_error *err)
{
    publishing *p = ctx;
    char name[RF_TILE_PATH_SIZE], path[PATH_MOST];
    rf_tile_path(tile, name);
    path_of(p->making, name, path);
    raffle_rc rc = put(p, path, bytes, length, false, err);
    if (rc != RAFFLE_OK || tile->entries || tile->level > 0)
        return rc;
    const uint64_t from = tile->index * RF_TILE_WIDTH, to = from + tile->width;
    return show_progress(p, to - (p->making->published > from ? p->making->published : from), err);
}

static raffle_rc write_tiles(publishing *p, const outgoing *log, raffle_error *err)
{
    const rf_tiles what = {log->published, log->is.size, log->is.root, with_entries(p, log)};
    if (log->published == log->is.size && log->is.size > 0)
        return RAFFLE_OK;
    p->tree.log = log->number;
    p->making = log;
    p->info.added += log->is.size - log->published;
    return rf_tiles_make(&p->tree, &what, take_tile, p, err);
}

static raffle_rc write_note(publishing *p, const outgoing *log, raffle_error *err)
{
    char path[PATH_MOST];
    if (log->same_note)
        return RAFFLE_OK;
    path_of(log, "checkpoint", path);
    return put(p, path, log->note, log->note_length, true, err);
}

/* What a checkpoint speaks of is on the disk before it, because the next publish begins where it ends; and the control log's checkpoint is the last of
 * all, right after the manifest that follows from it. */
static raffle_rc write_all(publishing *p, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < p->logs; i++)
        rc = write_tiles(p, &p->log[(i + 1) % p->logs], err);
    if (rc == RAFFLE_OK && p->info.files > 0)
        rc = rf_folder_sync(p->folder, err);
    for (size_t i = 1; rc == RAFFLE_OK && i < p->logs; i++)
        rc = write_note(p, &p->log[i], err);
    if (rc == RAFFLE_OK && !p->same_manifest)
        rc = put(p, "manifest.json", p->manifest, p->manifest_length, true, err);
    if (rc == RAFFLE_OK)
        rc = write_note(p, &p->log[0], err);
    return rc == RAFFLE_OK && p->info.files > 0 ? rf_folder_sync(p->folder, err) : rc;
}

/* --- partial tiles that nobody needs any more --- */

typedef struct keeping {
    publishing *publishing;
    const outgoing *log;
} keeping;

/* Whether `path` is a partial tile of a tree of `size` records. */
static bool is_of(const outgoing *log, uint64_t size, const char *path)
{
    char name[RF_TILE_PATH_SIZE], mine[PATH_MOST];
    for (uint32_t level = 0; level < RF_TILE_LEVELS; level++) {
        const uint64_t hashes = rf_tile_hashes(size, level);
        rf_tile tile = {.level = level, .index = hashes / RF_TILE_WIDTH, .width = (uint32_t)(hashes % RF_TILE_WIDTH)};
        for (int entries = 0; tile.width > 0 && entries <= (level == 0); entries++) {
            tile.entries = entries;
            rf_tile_path(&tile, name);
            path_of(log, name, mine);
            if (strcmp(mine, path) == 0)
                return true;
        }
    }
    return false;
}

static raffle_rc drop_partial(void *ctx, const char *path, raffle_error *err)
{
    const keeping *k = ctx;
    if (is_of(k->log, k->log->is.size, path) || is_of(k->log, k->log->published, path))
        return RAFFLE_OK;
    k->publishing->info.removed++;
    return rf_folder_remove(k->publishing->folder, path, err);
}

/* Those of this checkpoint and of the one before stay. */
static raffle_rc drop_partials(publishing *p, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < p->logs; i++) {
        const outgoing *log = &p->log[i];
        char path[PATH_MOST];
        keeping k = {p, log};
        path_of(log, "tile", path);
        if (log->published != log->is.size)
            rc = rf_folder_partials(p->folder, path, drop_partial, &k, err);
    }
    return rc;
}

/* --- the call --- */

static raffle_rc publish(publishing *p, const char *folder, raffle_error *err)
{
    raffle_rc rc = rf_folder_write(folder, &p->folder, err);
    if (rc == RAFFLE_OK)
        rc = take_moment(p, err);
    if (rc == RAFFLE_OK)
        rc = look(p, err);
    if (rc == RAFFLE_OK)
        rc = write_all(p, err);
    return rc == RAFFLE_OK ? drop_partials(p, err) : rc;
}

static raffle_rc read_options(publishing *p, const raffle_publish_options *options, raffle_error *err)
{
    raffle_publish_options_init(&p->options, sizeof p->options);
    raffle_rc rc = options == NULL ? RAFFLE_OK : rf_struct_in(&p->options, sizeof p->options, options, "options", err);
    if (rc == RAFFLE_OK && (p->options.flags & ~(uint32_t)RAFFLE_PUBLISH_HASHES) != 0)
        rc = rf_fail(err, RAFFLE_UNSUPPORTED, "options: flags are %#x, which this version of the library does not know",
                     p->options.flags);
    return rc;
}

raffle_rc raffle_publish(raffle *r, const char *folder, const raffle_publish_options *options,
                         raffle_publish_info *info, raffle_error *err)
{
    publishing p = {.raffle = r, .info = {.struct_size = sizeof p.info}};
    rf_control_init(&p.control);
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK && folder == NULL)
        rc = rf_null(err, "folder");
    if (rc == RAFFLE_OK && info != NULL)
        rc = rf_struct_check(info, "info", err);
    if (rc == RAFFLE_OK)
        rc = read_options(&p, options, err);
    if (rc == RAFFLE_OK && r->keys != NULL)
        rc = rf_enter_write(r, err);
    if (rc != RAFFLE_OK)
        return rc;
    p.tree = (rf_tree){.store = r->store, .hash = rf_sha256_new()};
    rc = p.tree.hash == NULL ? rf_nomem(err) : publish(&p, folder, err);
    p.info.logs = (uint32_t)p.logs;
    if (rc == RAFFLE_OK && info != NULL)
        rf_struct_out(info, rf_struct_size(info), &p.info, sizeof p.info);
    rf_folder_free(p.folder);
    rf_sha256_free(p.tree.hash);
    free(p.manifest);
    drop_notes(&p);
    return rc;
}
