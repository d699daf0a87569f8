/* SPDX-License-Identifier: Apache-2.0 */
/* Running a program of the operator's, bounded in time and in what it prints: in a process group of its own, so that nothing of it is left. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool start(const char *line, int out, pid_t *pid)
{
    static char shell[] = "sh", option[] = "-c";
    char *const arguments[] = {shell, option, (char *)line, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&files) != 0)
        return false;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return false;
    }
    const bool good = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP) == 0 &&
                      posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO) == 0 &&
                      posix_spawn(pid, "/bin/sh", &files, &attributes, arguments, environ) == 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return good;
}

/* Until its end; false: it goes on for too long, or prints too much. */
static bool take(int from, char *out, size_t cap, size_t *length)
{
    const int64_t until = now_ms() + PROGRAM_TIMEOUT_MS;
    char more;
    for (;;) {
        struct pollfd wait = {.fd = from, .events = POLLIN};
        const int64_t left = until - now_ms();
        if (left <= 0)
            return false;
        const int ready = poll(&wait, 1, (int)left);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return false;
        const bool full = *length == cap;
        const ssize_t n = full ? read(from, &more, 1) : read(from, out + *length, cap - *length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        if (full)
            return false;
        *length += (size_t)n;
    }
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return PROGRAM_FAILED;
    return WIFEXITED(status) ? WEXITSTATUS(status) : PROGRAM_FAILED;
}

int program_run(const char *line, char *out, size_t cap, size_t *length)
{
    int ends[2];
    pid_t pid;
    *length = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return PROGRAM_FAILED;
    const bool started = start(line, ends[1], &pid);
    close(ends[1]);
    const bool ended = started && take(ends[0], out, cap, length);
    close(ends[0]);
    if (!started)
        return PROGRAM_FAILED;
    if (!ended)
        (void)kill(-pid, SIGKILL);
    const int status = wait_for(pid);
    return ended ? status : PROGRAM_ENDLESS;
}
