/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is to write. SQLite's write lock goes to whoever asks at the right moment, and that is who had it: a till beside an importer would
 * wait for seconds. So a writer first takes the turn, then waits for the write lock, and then gives the turn on: who had the
 * write lock finds the turn taken, and comes after the one who waits. A lock on the write-ahead log's file, far beyond its bytes, is the
 * turn: SQLite has no lock there. Who wrote much the last time keeps no turn while it waits, for a while, and asks for the write lock only when nobody else has one: one
 * who writes little waits for the one who is writing, and not for all who import. It is a courtesy that nothing depends on.
 */
#include "sqlite_db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    COURTESY_US = 1000000, /* one who stopped while it had the turn keeps others back no longer, … */
    RUDE_US = 10000000     /* … and not again for so long */
};

static const off_t place = (off_t)1 << 62;

static int open_wal(const rf_conn *conn)
{
    char name[PATH_MAX + 4];
    int length = snprintf(name, sizeof name, "%s-wal", conn->owner->path);
    if (length < 0 || (size_t)length >= sizeof name)
        return -1;
    return open(name, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
}

static int set_lock(const rf_conn *conn, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = place, .l_len = 1};
    return fcntl(conn->turn, F_OFD_SETLK, &lock);
}

bool rf_turn_try(rf_conn *conn)
{
    if (conn->turn < 0)
        conn->turn = open_wal(conn);
    return conn->turn < 0 || set_lock(conn, F_WRLCK) == 0 || (errno != EAGAIN && errno != EACCES && errno != EINTR);
}

void rf_turn_take(rf_conn *conn)
{
    const int64_t until = rf_now() + COURTESY_US;
    while (!rf_turn_try(conn)) {
        const int64_t now = rf_now();
        if (now >= until)
            conn->rude_until = now + RUDE_US;
        if (now < conn->rude_until || now >= conn->busy_until)
            return;
        rf_pause(1);
    }
}

void rf_turn_give(rf_conn *conn)
{
    if (conn->turn >= 0)
        (void)set_lock(conn, F_UNLCK);
}

void rf_turn_close(rf_conn *conn)
{
    if (conn->turn >= 0)
        close(conn->turn);
    conn->turn = -1;
}
