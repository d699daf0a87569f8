/* SPDX-License-Identifier: Apache-2.0 */
/* The wrappers: the linker gives the layers' calls of malloc() and its kin to these (--wrap). */
#include "memory.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_bool armed, lasting, failed, of_sqlite;
static atomic_long nth, seen;

/* Whether this allocation, which is of SQLite's or not, fails. */
static bool strike(bool sqlite)
{
    if (!atomic_load(&armed) || sqlite != atomic_load(&of_sqlite))
        return false;
    const long mine = atomic_fetch_add(&seen, 1) + 1;
    if (mine == atomic_load(&nth))
        atomic_store(&failed, true);
    return mine == atomic_load(&nth) || (atomic_load(&failed) && atomic_load(&lasting));
}

void memory_arm(long n, bool last)
{
    atomic_store(&nth, n);
    atomic_store(&lasting, last);
    atomic_store(&failed, false);
    atomic_store(&seen, 0);
    atomic_store(&armed, true);
}

long memory_disarm(bool *any)
{
    atomic_store(&armed, false);
    *any = atomic_load(&failed);
    return atomic_load(&seen);
}

/* --- the library's --- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t size);
char *__real_strdup(const char *text);
int __real_vasprintf(char **out, const char *format, va_list arguments);
void *__real_sodium_malloc(size_t size);
EVP_MD_CTX *__real_EVP_MD_CTX_new(void);
EVP_MD *__real_EVP_MD_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *__wrap_sodium_malloc(size_t size);
EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void);
EVP_MD *__wrap_EVP_MD_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties);

void *__wrap_malloc(size_t size)
{
    return strike(false) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return strike(false) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t size)
{
    return strike(false) ? NULL : __real_realloc(at, size);
}

char *__wrap_strdup(const char *text)
{
    return strike(false) ? NULL : __real_strdup(text);
}

int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list arguments;
    if (strike(false))
        return -1;
    va_start(arguments, format);
    int n = vasprintf(out, format, arguments);
    va_end(arguments);
    return n;
}

void *__wrap_sodium_malloc(size_t size)
{
    return strike(false) ? NULL : __real_sodium_malloc(size);
}

EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void)
{
    return strike(false) ? NULL : __real_EVP_MD_CTX_new();
}

EVP_MD *__wrap_EVP_MD_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties)
{
    return strike(false) ? NULL : __real_EVP_MD_fetch(library, name, properties);
}

/* --- SQLite's --- */

static sqlite3_mem_methods real_methods;

static void *sqlite_malloc(int size)
{
    return strike(true) ? NULL : real_methods.xMalloc(size);
}

static void *sqlite_realloc(void *at, int size)
{
    return strike(true) ? NULL : real_methods.xRealloc(at, size);
}

void memory_of_sqlite(void)
{
    sqlite3_mem_methods mine;
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_methods);
    mine = real_methods;
    mine.xMalloc = sqlite_malloc;
    mine.xRealloc = sqlite_realloc;
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* what it gives out is no allocation */
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &mine) != SQLITE_OK)
        abort();
    atomic_store(&of_sqlite, true);
}
