/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#11 modules as one process has them. Here is all state of the process: C_Initialize and C_Login are the process's, not a handle's, so that every
 * provider and key of a token must share them. A module stays initialised until the process ends: CloudHSM's does not start twice. */
#include "pkcs11_module.h"

#include "error.h"
#include "pkcs11_names.h"
#include <p11-kit/uri.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SLOTS_MAX = 1024,
    LIST_SIZE = 120 /* of tokens in a sentence */
};

/* What was loaded by one URI's module-path, or without one. */
typedef struct rf_p11_loaded {
    struct rf_p11_loaded *next;
    CK_FUNCTION_LIST **modules; /* ended by NULL */
    CK_FUNCTION_LIST *one[2];   /* that list, of a module-path */
    char path[];                /* "": all that p11-kit is configured with */
} loaded;

/* Replaced in a child, never freed. */
static _Atomic(rf_p11_process *) current;

static rf_p11_process *make_process(void)
{
    rf_p11_process *process = calloc(1, sizeof *process);
    if (process == NULL || pthread_mutex_init(&process->lock, NULL) != 0) {
        free(process);
        return NULL;
    }
    process->pid = getpid();
    return process;
}

rf_p11_process *rf_p11_process_here(void)
{
    rf_p11_process *known = atomic_load(&current);
    if (known != NULL && known->pid == getpid())
        return known;
    rf_p11_process *mine = make_process();
    if (mine == NULL || atomic_compare_exchange_strong(&current, &known, mine))
        return mine;
    pthread_mutex_destroy(&mine->lock);
    free(mine);
    return known; /* another thread was first */
}

/* --- loading --- */

/* p11-kit's message is the thread's own, and may be none. */
static raffle_rc fail_load(const char *path, raffle_rc fault, raffle_error *err)
{
    const char *message = p11_kit_message();
    return rf_fail(err, fault, "pkcs11: p11-kit cannot load the module \"%s\"%s%s", path, message == NULL ? "" : ": ",
                   message == NULL ? "" : message);
}

/* p11-kit initialises a module once for all its users, with CKF_OS_LOCKING_OK, again in a child, and takes CKR_CRYPTOKI_ALREADY_INITIALIZED from
 * a module that others use without it. */
static raffle_rc load_one(loaded *l, raffle_rc fault, raffle_error *err)
{
    char name[RF_P11_RV_SIZE];
    if (access(l->path, R_OK) != 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "pkcs11: there is no module \"%s\" that can be read", l->path);
    l->modules = l->one;
    l->one[0] = p11_kit_module_load(l->path, 0);
    if (l->one[0] == NULL)
        return fail_load(l->path, fault, err);
    const CK_RV rv = p11_kit_module_initialize(l->one[0]);
    if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
        return RAFFLE_OK;
    p11_kit_module_release(l->one[0]);
    return rf_fail(err, fault, "pkcs11: the module \"%s\": C_Initialize gave %s", l->path, rf_p11_rv_name(rv, name));
}

static void leave_out(void *module)
{
    p11_kit_module_release(module);
}

/* A module that fails and is not marked critical in p11-kit's configuration is left out. */
static raffle_rc load_configured(loaded *l, raffle_rc fault, raffle_error *err)
{
    char name[RF_P11_RV_SIZE];
    l->modules = p11_kit_modules_load(NULL, 0);
    if (l->modules == NULL)
        return rf_fail(err, fault, "pkcs11: p11-kit cannot load the modules that it is configured with");
    const CK_RV rv = p11_kit_modules_initialize(l->modules, leave_out);
    if (rv == CKR_OK)
        return RAFFLE_OK;
    p11_kit_modules_release(l->modules);
    return rf_fail(err, fault, "pkcs11: a module that p11-kit is configured with: C_Initialize gave %s",
                   rf_p11_rv_name(rv, name));
}

static raffle_rc load(rf_p11_process *process, const char *path, loaded **out, raffle_rc fault, raffle_error *err)
{
    const size_t size = strlen(path) + 1;
    loaded *l = calloc(1, sizeof *l + size);
    if (l == NULL)
        return rf_nomem(err);
    memcpy(l->path, path, size);
    raffle_rc rc = path[0] == '\0' ? load_configured(l, fault, err) : load_one(l, fault, err);
    if (rc != RAFFLE_OK) {
        free(l);
        return rc;
    }
    l->next = process->loaded;
    process->loaded = *out = l;
    return RAFFLE_OK;
}

static raffle_rc loaded_for(rf_p11_process *process, const rf_p11_uri *uri, loaded **out, raffle_rc fault,
                            raffle_error *err)
{
    const char *path = rf_p11_uri_module_path(uri) == NULL ? "" : rf_p11_uri_module_path(uri);
    raffle_rc rc = RAFFLE_OK;
    pthread_mutex_lock(&process->lock);
    loaded *l = process->loaded;
    while (l != NULL && strcmp(l->path, path) != 0)
        l = l->next;
    if (l == NULL)
        rc = load(process, path, &l, fault, err);
    pthread_mutex_unlock(&process->lock);
    *out = l;
    return rc;
}

/* --- tokens --- */

/* Some modules pad with NUL, against the standard. */
static void trim(char *out, const CK_UTF8CHAR *padded, size_t size)
{
    while (size > 0 && (padded[size - 1] == ' ' || padded[size - 1] == '\0'))
        size--;
    memcpy(out, padded, size);
    out[size] = '\0';
}

static void read_token(rf_p11_token *token, const CK_TOKEN_INFO *info)
{
    trim(token->label, info->label, sizeof info->label);
    trim(token->serial, info->serialNumber, sizeof info->serialNumber);
    trim(token->manufacturer, info->manufacturerID, sizeof info->manufacturerID);
    trim(token->model, info->model, sizeof info->model);
    token->flags = info->flags;
}

bool rf_p11_same_token(const rf_p11_token *a, const rf_p11_token *b)
{
    return strcmp(a->label, b->label) == 0 && strcmp(a->serial, b->serial) == 0 &&
           strcmp(a->manufacturer, b->manufacturer) == 0 && strcmp(a->model, b->model) == 0;
}

/* Whether a part that the URI names is the token's; what it does not name is empty. */
static bool matches(const char *wanted, const char *real)
{
    return wanted[0] == '\0' || strcmp(wanted, real) == 0;
}

static bool is_wanted(const rf_p11_token *wanted, const rf_p11_token *token)
{
    return matches(wanted->label, token->label) && matches(wanted->serial, token->serial) &&
           matches(wanted->manufacturer, token->manufacturer) && matches(wanted->model, token->model);
}

/* Called for each slot with a token that was initialised: the others cannot be opened. False ends the walk. */
typedef bool (*visitor)(void *ctx, CK_FUNCTION_LIST *module, CK_SLOT_ID slot, const rf_p11_token *token);

/* CKR_OK, or the last failure other than that of an empty slot. The list is asked for its length first, which is what makes a module look. */
static CK_RV walk_slots(CK_FUNCTION_LIST *module, visitor visit, void *ctx, const char **function)
{
    CK_ULONG count = 0;
    *function = "C_GetSlotList";
    CK_RV rv = module->C_GetSlotList(CK_TRUE, NULL, &count);
    if (rv != CKR_OK || count == 0)
        return rv;
    const CK_ULONG room = count < SLOTS_MAX ? count : SLOTS_MAX;
    CK_SLOT_ID *slots = calloc(room, sizeof *slots);
    if (slots == NULL)
        return CKR_HOST_MEMORY;
    count = room;
    rv = module->C_GetSlotList(CK_TRUE, slots, &count);
    bool more = rv == CKR_OK && count <= room;
    for (CK_ULONG i = 0; more && i < count; i++) {
        CK_TOKEN_INFO info = {0};
        rf_p11_token token;
        const CK_RV seen = module->C_GetTokenInfo(slots[i], &info);
        read_token(&token, &info);
        if (seen == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED) != 0)
            more = visit(ctx, module, slots[i], &token);
        else if (seen != CKR_OK && seen != CKR_TOKEN_NOT_PRESENT && seen != CKR_TOKEN_NOT_RECOGNIZED) {
            *function = "C_GetTokenInfo";
            rv = seen;
        }
    }
    free(slots);
    return rv;
}

/* --- the one that is meant --- */

typedef struct search {
    rf_p11_token wanted;
    rf_p11_place found;
    size_t matches;
    size_t listed;                        /* bytes of each list */
    char all[LIST_SIZE], some[LIST_SIZE]; /* tokens for a sentence: those seen, those that match */
} search;

static void list_token(char list[LIST_SIZE], const rf_p11_token *token)
{
    const size_t used = strlen(list);
    snprintf(list + used, LIST_SIZE - used, "%s\"%s\" (%s)", used > 0 ? ", " : "", token->label, token->serial);
}

static bool look(void *ctx, CK_FUNCTION_LIST *module, CK_SLOT_ID slot, const rf_p11_token *token)
{
    search *s = ctx;
    list_token(s->all, token);
    if (!is_wanted(&s->wanted, token))
        return true;
    list_token(s->some, token);
    s->matches++;
    s->found = (rf_p11_place){module, slot, *token};
    return true;
}

/* A module that failed is only at fault when the token was not found in another. */
static raffle_rc conclude(const search *s, CK_RV rv, const char *function, raffle_rc fault, raffle_error *err)
{
    char name[RF_P11_RV_SIZE];
    if (s->matches == 1)
        return RAFFLE_OK;
    if (s->matches > 1)
        return rf_fail(err, RAFFLE_INVALID, "pkcs11: %zu tokens match, and one is needed: %s", s->matches, s->some);
    if (rv != CKR_OK)
        return rf_fail(err, fault, "pkcs11: no token matches \"%s\" (\"%s\"), and %s gave %s", s->wanted.label,
                       s->wanted.serial, function, rf_p11_rv_name(rv, name));
    return rf_fail(err, RAFFLE_NOT_FOUND, "pkcs11: no token matches label \"%s\", serial \"%s\"; there %s %s",
                   s->wanted.label, s->wanted.serial, s->all[0] == '\0' ? "is" : "are",
                   s->all[0] == '\0' ? "none" : s->all);
}

raffle_rc rf_p11_find(rf_p11_process *process, const rf_p11_uri *uri, rf_p11_place *out, raffle_rc fault,
                      raffle_error *err)
{
    loaded *l;
    raffle_rc rc = loaded_for(process, uri, &l, fault, err);
    if (rc != RAFFLE_OK)
        return rc;
    const char *name = rf_p11_uri_module_name(uri), *function = "";
    CK_FUNCTION_LIST *named[2] = {NULL, NULL};
    if (name != NULL && (named[0] = p11_kit_module_for_name(l->modules, name)) == NULL)
        return rf_fail(err, RAFFLE_NOT_FOUND, "pkcs11: p11-kit is configured with no module-name \"%s\"", name);
    search s = {0};
    CK_RV failed = CKR_OK;
    read_token(&s.wanted, p11_kit_uri_get_token_info(uri->parsed));
    for (CK_FUNCTION_LIST **m = name == NULL ? l->modules : named; *m != NULL; m++) {
        const CK_RV rv = walk_slots(*m, look, &s, &function);
        failed = rv != CKR_OK ? rv : failed;
    }
    *out = s.found;
    return conclude(&s, failed, function, fault, err);
}

/* --- the same one again --- */

static bool look_again(void *ctx, CK_FUNCTION_LIST *module, CK_SLOT_ID slot, const rf_p11_token *token)
{
    search *s = ctx;
    if (!rf_p11_same_token(&s->wanted, token))
        return true;
    s->matches++;
    s->found = (rf_p11_place){module, slot, *token};
    return false;
}

CK_RV rf_p11_find_again(rf_p11_place *place, const char **function)
{
    search s = {.wanted = place->token};
    const CK_RV rv = walk_slots(place->module, look_again, &s, function);
    if (s.matches == 0)
        return rv != CKR_OK ? rv : CKR_TOKEN_NOT_PRESENT;
    *place = s.found;
    return CKR_OK;
}
