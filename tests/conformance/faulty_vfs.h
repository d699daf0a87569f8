/* SPDX-License-Identifier: Apache-2.0 */
/* A VFS for SQLite that passes everything on to the system's, and fails where a test says so. */
#ifndef RF_TESTS_FAULTY_VFS_H
#define RF_TESTS_FAULTY_VFS_H

#include <stdatomic.h>
#include <stdbool.h>

/* Counted down with each call on a write-ahead log; the call at which a counter reaches zero fails, and with `lasting` every later one. */
typedef struct faulty_vfs {
    atomic_int sync_in;  /* 0: never */
    atomic_int write_in; /* 0: never */
    atomic_int code;     /* what is returned */
    atomic_bool done;    /* the work is done all the same, and only reported as failed */
    atomic_bool lasting;
    atomic_bool everywhere; /* the database's file counts, too */
    atomic_int sync_delay;  /* microseconds, before every sync of a write-ahead log */
    atomic_int syncs;       /* of write-ahead logs */
    atomic_int faults;      /* calls that failed */
    atomic_int any_in;      /* counted down by every write, sync and truncation of any file; 0: never */
    atomic_int kill_in;     /* the same, and the process ends there; half of a write is done before */
    atomic_int calls;       /* writes, syncs and truncations of any file */
} faulty_vfs;

extern faulty_vfs faults;

/* Makes it the default VFS. */
void faulty_vfs_install(void);
/* No faults from now on. */
void faulty_vfs_clear(void);

#endif
