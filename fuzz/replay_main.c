/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over the files, and over the files in the folders, that are given as arguments: its corpus becomes an ordinary test. */
#include "fuzz.h"
#include <dirent.h>
#include <sys/stat.h>

static unsigned replayed;

static bool replay_file(const char *path, size_t size)
{
    uint8_t *bytes = fuzz_alloc(size);
    FILE *file = fopen(path, "rb");
    bool good = file != NULL && fread(bytes, 1, size, file) == size;
    if (file != NULL)
        fclose(file);
    if (good) {
        printf("# %s\n", path);
        fflush(stdout); /* so that a crash has its input's name */
        LLVMFuzzerTestOneInput(bytes, size);
        replayed++;
    } else {
        perror(path);
    }
    free(bytes);
    return good;
}

static bool replay(const char *path);

static bool replay_entry(const char *folder, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        fprintf(stderr, "%s/%s: the path is too long\n", folder, name);
        return false;
    }
    return replay(path);
}

static bool replay_folder(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    if (n < 0) {
        perror(path);
        return false;
    }
    bool good = true;
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.')
            good = replay_entry(path, entries[i]->d_name) && good;
        free(entries[i]);
    }
    free(entries);
    return good;
}

static bool replay(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        perror(path);
        return false;
    }
    return S_ISDIR(status.st_mode) ? replay_folder(path) : replay_file(path, (size_t)status.st_size);
}

int main(int argc, char **argv)
{
    bool good = true;
    for (int i = 1; i < argc; i++)
        good = replay(argv[i]) && good;
    printf("# %u inputs replayed\n", replayed);
    return good && replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
