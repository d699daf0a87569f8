/* SPDX-License-Identifier: Apache-2.0 */
/* One helper thread that runs tasks in the order they come, all signals blocked. Started with the first task; where no thread is wanted or to be
 * had, tasks run at once in the calling thread. */
#ifndef RF_JOURNAL_WORKER_H
#define RF_JOURNAL_WORKER_H

#include <stdbool.h>

typedef struct rf_worker rf_worker;

/* A task, owned by whoever submits it until it has been waited for. */
typedef struct rf_task {
    void (*run)(void *ctx);
    void *ctx;
    bool done;
    struct rf_task *next;
} rf_task;

/* NULL when there is no memory. `threads` false: everything runs in the calling thread. */
rf_worker *rf_worker_new(bool threads);
/* Ends the thread; no task may be under way. In a forked child, where the thread does not exist, only the memory is freed. */
void rf_worker_free(rf_worker *w);
void rf_worker_submit(rf_worker *w, rf_task *task);
void rf_worker_wait(rf_worker *w, rf_task *task);

#endif
