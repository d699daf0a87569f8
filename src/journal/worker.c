/* SPDX-License-Identifier: Apache-2.0 */
/* The helper thread: a queue, a lock and two conditions. */
#include "worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct rf_worker {
    pthread_mutex_t lock;
    pthread_cond_t work, done; /* a task came; a task is done */
    rf_task *first, **last;
    pthread_t thread;
    pid_t owner; /* the process that started the thread */
    bool threads, running, ending;
};

rf_worker *rf_worker_new(bool threads)
{
    rf_worker *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->threads = threads;
    w->last = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    pthread_cond_init(&w->done, NULL);
    return w;
}

static rf_task *next_task(rf_worker *w)
{
    while (w->first == NULL && !w->ending)
        pthread_cond_wait(&w->work, &w->lock);
    rf_task *task = w->first;
    if (task != NULL && (w->first = task->next) == NULL)
        w->last = &w->first;
    return task;
}

static void *work(void *ctx)
{
    rf_worker *w = ctx;
    rf_task *task;
    pthread_mutex_lock(&w->lock);
    while ((task = next_task(w)) != NULL) {
        pthread_mutex_unlock(&w->lock);
        task->run(task->ctx);
        pthread_mutex_lock(&w->lock);
        task->done = true;
        pthread_cond_broadcast(&w->done);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* The thread inherits the mask: signals are the host's. */
static bool start(rf_worker *w)
{
    sigset_t all, old;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0)
        return false;
    w->running = pthread_create(&w->thread, NULL, work, w) == 0;
    w->owner = getpid();
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return w->running;
}

void rf_worker_submit(rf_worker *w, rf_task *task)
{
    task->done = false;
    task->next = NULL;
    pthread_mutex_lock(&w->lock);
    if (!w->threads || (!w->running && !start(w))) {
        w->threads = false;
        pthread_mutex_unlock(&w->lock);
        task->run(task->ctx);
        task->done = true;
        return;
    }
    *w->last = task;
    w->last = &task->next;
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
}

void rf_worker_wait(rf_worker *w, rf_task *task)
{
    pthread_mutex_lock(&w->lock);
    while (!task->done)
        pthread_cond_wait(&w->done, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

void rf_worker_free(rf_worker *w)
{
    if (w == NULL)
        return;
    if (w->running && w->owner == getpid()) {
        pthread_mutex_lock(&w->lock);
        w->ending = true;
        pthread_cond_signal(&w->work);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
    }
    if (!w->running || w->owner == getpid()) {
        pthread_cond_destroy(&w->work);
        pthread_cond_destroy(&w->done);
        pthread_mutex_destroy(&w->lock);
    }
    free(w);
}
