/* SPDX-License-Identifier: Apache-2.0 */
/* Running this command once more, so that what it prints becomes a file. */
#include "self_run.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static bool set_files(posix_spawn_file_actions_t *files, const char *folder, int out, int errors)
{
    return posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
           posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO) == 0 &&
           posix_spawn_file_actions_adddup2(files, errors, STDERR_FILENO) == 0 &&
           (folder == NULL || posix_spawn_file_actions_addchdir_np(files, folder) == 0);
}

static bool start(const char *const *argv, const char *folder, int out, int errors, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    if (posix_spawn_file_actions_init(&files) != 0)
        return false;
    const bool good = set_files(&files, folder, out, errors) &&
                      posix_spawn(pid, "/proc/self/exe", &files, NULL, (char *const *)argv, environ) == 0;
    posix_spawn_file_actions_destroy(&files);
    return good;
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return SELF_RUN_FAILED;
    return WIFEXITED(status) ? WEXITSTATUS(status) : SELF_RUN_FAILED;
}

/* Its end, if it is longer. */
static void read_back(int errors, char *said, size_t cap)
{
    const off_t all = lseek(errors, 0, SEEK_END), room = (off_t)cap - 1;
    const ssize_t length = pread(errors, said, cap - 1, all > room ? all - room : 0);
    said[length > 0 ? length : 0] = 0;
}

int self_run(const char *const *argv, const char *folder, const char *out, char *said, size_t cap)
{
    int status = SELF_RUN_FAILED;
    pid_t pid;
    said[0] = 0;
    const int errors = memfd_create("stderr", MFD_CLOEXEC);
    const int to = out != NULL ? open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)
                               : open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (errors >= 0 && to >= 0 && start(argv, folder, to, errors, &pid)) {
        status = wait_for(pid);
        read_back(errors, said, cap);
    }
    if (to >= 0 && close(to) != 0)
        status = SELF_RUN_FAILED;
    if (errors >= 0)
        close(errors);
    return status;
}
