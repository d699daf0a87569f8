/* SPDX-License-Identifier: Apache-2.0 */
/* The night, copied: into a receipt, a folder, a backup, another store, a mirror. */
#include "night_copies.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const raffle_actor boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER);

typedef struct place {
    char text[128];
} place;

static place in_folder(const night *n, const char *scheme, const char *name)
{
    place p;
    snprintf(p.text, sizeof p.text, "%s%s/%s", scheme, n->folder, name);
    return p;
}

raffle_rc night_receipt(night *n, raffle_error *err)
{
    char receipt[8192];
    size_t length = 0;
    raffle_info info = RAFFLE_INFO_INIT;
    raffle_receipt_info said = RAFFLE_RECEIPT_INFO_INIT;
    raffle_rc rc = raffle_describe(n->raffle, &info, err);
    if (rc == RAFFLE_OK)
        rc = raffle_receipt(n->raffle, 1, 3, receipt, sizeof receipt, &length, err);
    return rc == RAFFLE_OK ? raffle_receipt_verify(receipt, length, info.control_key, &said, err) : rc;
}

raffle_rc night_publish(night *n, raffle_error *err)
{
    return raffle_publish(n->raffle, in_folder(n, "", "published").text, NULL, NULL, err);
}

static raffle_rc write_bytes(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    return fwrite(bytes, 1, length, ctx) == length ? RAFFLE_OK : raffle_error_set(err, RAFFLE_IO, 0, strerror(errno));
}

raffle_rc night_back_up(night *n, raffle_error *err)
{
    FILE *file = fopen(in_folder(n, "", "backup").text, "wb");
    if (file == NULL)
        return raffle_error_set(err, RAFFLE_IO, 0, strerror(errno));
    raffle_rc rc = raffle_backup(n->raffle, write_bytes, file, err);
    return fclose(file) == 0 || rc != RAFFLE_OK ? rc : raffle_error_set(err, RAFFLE_IO, 0, strerror(errno));
}

/* The backup in a store of its own, where an earlier try may have come to its end. */
static raffle_rc put_back(night *n, const char *name, const raffle_actor *by, raffle **out, raffle_error *err)
{
    const place store = in_folder(n, "sqlite:", name), keys = in_folder(n, "file:", "r.keys");
    raffle_rc rc = raffle_restore(in_folder(n, "", "backup").text, store.text, keys.text, &n->host, by, out, err);
    if (rc != RAFFLE_EXISTS)
        return rc;
    raffle_error_init(err, sizeof *err);
    return raffle_open(store.text, keys.text, &n->host, out, err);
}

raffle_rc night_put_back(night *n, raffle_error *err)
{
    raffle *again = NULL;
    raffle_rc rc = put_back(n, "again", &boss, &again, err);
    raffle_free(again);
    return rc;
}

raffle_rc night_mirror(night *n, raffle_error *err)
{
    raffle *mirror = NULL;
    raffle_rc rc = put_back(n, "mirror", NULL, &mirror, err);
    if (rc == RAFFLE_OK)
        rc = raffle_mirror(n->raffle, mirror, NULL, err);
    raffle_free(mirror);
    return rc;
}

/* --- what must be there --- */

static const char *audit_of(const char *store)
{
    static char text[400];
    raffle_audit *audit = NULL;
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_fault fault = RAFFLE_FAULT_INIT;
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    text[0] = 0;
    if (raffle_audit_run(store, NULL, NULL, &audit, &err) != RAFFLE_OK ||
        raffle_audit_verdict(audit, &verdict, &err) != RAFFLE_OK)
        snprintf(text, sizeof text, "the audit of %.60s: %.200s", store, err.message);
    else if (!verdict.passed && raffle_audit_fault_at(audit, 0, &fault, &err) == RAFFLE_OK)
        snprintf(text, sizeof text, "the audit of %.60s finds: %.200s", store, fault.message);
    raffle_audit_free(audit);
    return text[0] == 0 ? NULL : text;
}

/* Tickets, voids and records, as the raffle has them that is copied. */
static bool same(const raffle_info *a, const raffle_info *b, uint64_t more)
{
    return a->tickets == b->tickets && a->voids == b->voids && a->control_size + more == b->control_size;
}

static const char *compare(const night *n, const raffle_info *first, const char *name, uint64_t more)
{
    raffle *copy = NULL;
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_info info = RAFFLE_INFO_INIT;
    const bool good = raffle_open(in_folder(n, "sqlite:", name).text, "", &n->host, &copy, &err) == RAFFLE_OK &&
                      raffle_describe(copy, &info, &err) == RAFFLE_OK && same(first, &info, more);
    raffle_free(copy);
    return good ? audit_of(in_folder(n, "sqlite:", name).text) : "a copy does not hold what was copied";
}

const char *night_copies_check(night *n)
{
    raffle_info info = RAFFLE_INFO_INIT;
    raffle_error err = RAFFLE_ERROR_INIT;
    if (raffle_describe(n->raffle, &info, &err) != RAFFLE_OK)
        return "the raffle cannot be described";
    const char *wrong = compare(n, &info, "mirror", 0);
    if (wrong == NULL)
        wrong = compare(n, &info, "again", 1); /* that it was put back */
    return wrong != NULL ? wrong : audit_of(in_folder(n, "", "published").text);
}
