/* SPDX-License-Identifier: Apache-2.0 */
/* The shim: a file of ours holds the system's behind it. */
#include "faulty_vfs.h"

#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

faulty_vfs faults;

typedef struct shim {
    sqlite3_file base;
    bool wal;
} shim;

static sqlite3_vfs *real_vfs;

static sqlite3_file *real(sqlite3_file *file)
{
    return (sqlite3_file *)((shim *)file + 1);
}

static bool count_down(atomic_int *counter)
{
    return atomic_load(counter) > 0 && atomic_fetch_sub(counter, 1) == 1;
}

/* A full disk is what writes find. */
static int code_of_sync(void)
{
    return atomic_load(&faults.code) == SQLITE_FULL ? SQLITE_IOERR_FSYNC : atomic_load(&faults.code);
}

/* Whether this call, of whatever file, fails; it may be the last one. */
static bool strike_any(sqlite3_file *f, const void *in, int n, sqlite3_int64 at)
{
    atomic_fetch_add(&faults.calls, 1);
    if (count_down(&faults.kill_in)) {
        if (in != NULL)
            real(f)->pMethods->xWrite(real(f), in, n / 2, at);
        raise(SIGKILL);
    }
    const bool struck = atomic_load(&faults.any_in) < 0 || count_down(&faults.any_in);
    if (struck && atomic_load(&faults.lasting))
        atomic_store(&faults.any_in, -1);
    atomic_fetch_add(&faults.faults, struck);
    return struck;
}

/* Whether this call fails. */
static bool strike(sqlite3_file *file, atomic_int *counter)
{
    const shim *s = (const shim *)file;
    if (atomic_load(counter) == 0 || !(s->wal || atomic_load(&faults.everywhere)))
        return false;
    int left = atomic_load(counter) > 0 ? atomic_fetch_sub(counter, 1) - 1 : -1;
    if (left > 0)
        return false;
    atomic_store(counter, atomic_load(&faults.lasting) ? -1 : 0);
    atomic_fetch_add(&faults.faults, 1);
    return true;
}

static int shim_close(sqlite3_file *f)
{
    return real(f)->pMethods->xClose(real(f));
}

static int shim_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    return real(f)->pMethods->xRead(real(f), out, n, at);
}

static int shim_write(sqlite3_file *f, const void *in, int n, sqlite3_int64 at)
{
    if (!strike_any(f, in, n, at) && !strike(f, &faults.write_in))
        return real(f)->pMethods->xWrite(real(f), in, n, at);
    if (atomic_load(&faults.done))
        real(f)->pMethods->xWrite(real(f), in, n, at);
    return atomic_load(&faults.code);
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return strike_any(f, NULL, 0, 0) ? code_of_sync() : real(f)->pMethods->xTruncate(real(f), size);
}

static int shim_sync(sqlite3_file *f, int flags)
{
    if (((const shim *)f)->wal) {
        atomic_fetch_add(&faults.syncs, 1);
        if (atomic_load(&faults.sync_delay) > 0)
            usleep((useconds_t)atomic_load(&faults.sync_delay));
    }
    if (!strike_any(f, NULL, 0, 0) && !strike(f, &faults.sync_in))
        return real(f)->pMethods->xSync(real(f), flags);
    if (atomic_load(&faults.done))
        real(f)->pMethods->xSync(real(f), flags);
    return code_of_sync();
}

static int shim_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real(f)->pMethods->xFileSize(real(f), size);
}

static int shim_lock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xLock(real(f), level);
}

static int shim_unlock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xUnlock(real(f), level);
}

static int shim_check_reserved(sqlite3_file *f, int *out)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int shim_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int shim_sector(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}

static int shim_device(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

static int shim_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}

static int shim_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}

static void shim_shm_barrier(sqlite3_file *f)
{
    real(f)->pMethods->xShmBarrier(real(f));
}

static int shim_shm_unmap(sqlite3_file *f, int delete_flag)
{
    return real(f)->pMethods->xShmUnmap(real(f), delete_flag);
}

static const sqlite3_io_methods methods = {.iVersion = 2,
                                           .xClose = shim_close,
                                           .xRead = shim_read,
                                           .xWrite = shim_write,
                                           .xTruncate = shim_truncate,
                                           .xSync = shim_sync,
                                           .xFileSize = shim_file_size,
                                           .xLock = shim_lock,
                                           .xUnlock = shim_unlock,
                                           .xCheckReservedLock = shim_check_reserved,
                                           .xFileControl = shim_control,
                                           .xSectorSize = shim_sector,
                                           .xDeviceCharacteristics = shim_device,
                                           .xShmMap = shim_shm_map,
                                           .xShmLock = shim_shm_lock,
                                           .xShmBarrier = shim_shm_barrier,
                                           .xShmUnmap = shim_shm_unmap};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    (void)vfs;
    shim *s = (shim *)f;
    memset(s, 0, sizeof *s);
    s->wal = (flags & SQLITE_OPEN_WAL) != 0;
    int code = real_vfs->xOpen(real_vfs, name, real(f), flags, out_flags);
    f->pMethods = real(f)->pMethods == NULL ? NULL : &methods;
    return code;
}

void faulty_vfs_install(void)
{
    static sqlite3_vfs vfs;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "faulty";
    vfs.pNext = NULL;
    vfs.szOsFile += (int)sizeof(shim);
    vfs.xOpen = shim_open;
    sqlite3_vfs_register(&vfs, 1);
}

void faulty_vfs_clear(void)
{
    atomic_store(&faults.sync_in, 0);
    atomic_store(&faults.write_in, 0);
    atomic_store(&faults.done, false);
    atomic_store(&faults.lasting, false);
    atomic_store(&faults.everywhere, false);
    atomic_store(&faults.sync_delay, 0);
    atomic_store(&faults.faults, 0);
    atomic_store(&faults.any_in, 0);
    atomic_store(&faults.kill_in, 0);
    atomic_store(&faults.calls, 0);
}
