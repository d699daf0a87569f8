/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of evidence while it is made: its files, what each of them is, and that it comes to be whole or not at all. */
#ifndef CLI_EVIDENCE_H
#define CLI_EVIDENCE_H

#include "cli.h"
#include "progress.h"

#include <limits.h>

typedef struct evidence {
    cli *c;
    char path[PATH_MAX]; /* what it will be called */
    char part[PATH_MAX]; /* what it is called until then; "": nothing is there */
    json_t *files;       /* in the order in which they came: {"path", "varies"} */
    progress bar;
    uint64_t steps, done;
    bool fault; /* something in it found one */
} evidence;

/* Each of these says what failed and returns CLI_FAILED, or CLI_DONE. `varies`: another run over the same store may give other bytes. */

/* Makes the folder under a name of its own, for its owner alone; refuses a `path` that is there. */
int evidence_begin(evidence *e, cli *c, const char *path, uint64_t steps);
int evidence_folder(evidence *e, const char *name);
/* A file from bytes, or from another file. */
int evidence_write(evidence *e, const char *name, bool varies, const char *bytes, size_t length);
int evidence_copy(evidence *e, const char *from, const char *name);
/* A file that something else wrote there. */
void evidence_note(evidence *e, const char *name, bool varies);
/* What this command prints when it is run with `argv` from `argv[1]` on; `name` NULL: nothing, and `inside`: with the folder as its working
 * folder. That it found a fault (3) is evidence, and kept in e->fault and `*verdict` (optional); any other failure ends the evidence. */
int evidence_run(evidence *e, const char *name, bool varies, bool inside, const char **argv, int *verdict);
/* The path of a file in it, while it is made. */
int evidence_path(evidence *e, const char *name, char out[PATH_MAX]);

/* Writes manifest.json, `about` with the files, their lengths and hashes, and SHA256SUMS; makes all of it durable, and gives it its name. */
int evidence_end(evidence *e, json_t *about);
/* Removes what was begun and not ended, and frees. */
void evidence_drop(evidence *e);

/* evidence_tree.c: copies the files of a folder (`deep`: of those below it too, but for `left_out`, names ended by NULL) in the order of their names; hidden
 * ones are left out. */
int evidence_tree(evidence *e, const char *from, const char *to, bool deep, const char *const *left_out);
/* Removes a folder with all that is in it. */
void evidence_remove(const char *path);

/* evidence_results.c: takes in the results of a test run, as tests/matrix/gli_31.py wrote them, as they are and as a page among the documents; adds to `about` what they say. */
int evidence_results(evidence *e, const char *path, json_t *about);

#endif
