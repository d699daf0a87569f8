/* SPDX-License-Identifier: Apache-2.0 */
/* Two sockets and a thread a connection. */
#include "cutting_proxy.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Of one start; kept for the rest of the process, like its thread. */
typedef struct entrance {
    char host[256], port[16];
    int listener;
} entrance;

typedef struct visit {
    const entrance *entrance;
    int client;
} visit;

static struct {
    pthread_mutex_t lock;
    cut how;
    unsigned times, count;
    char mark[64];
    size_t mark_length;
} proxy = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- sockets --- */

static int at_path(const char *folder, const char *port, int (*use)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.%s", folder, port);
    ck_assert_int_lt(n, (int)sizeof address.sun_path);
    ck_assert_int_eq(use(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int to_server(const entrance *e)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(e->port, NULL, 10))};
    if (e->host[0] == '/')
        return at_path(e->host, e->port, connect);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(inet_pton(AF_INET, e->host, &address.sin_addr), 1);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* --- one connection --- */

static cut judge(const char *bytes, size_t n)
{
    cut how = CUT_NOTHING;
    pthread_mutex_lock(&proxy.lock);
    if (proxy.times > 0 && memmem(bytes, n, proxy.mark, proxy.mark_length) != NULL) {
        how = proxy.how;
        proxy.times--;
        proxy.count++;
    }
    pthread_mutex_unlock(&proxy.lock);
    return how;
}

static int pass(int to, const char *bytes, ssize_t n)
{
    for (ssize_t done = 0; done < n;) {
        ssize_t sent = send(to, bytes + done, (size_t)(n - done), MSG_NOSIGNAL);
        if (sent <= 0)
            return 0;
        done += sent;
    }
    return 1;
}

static void swallow(int fd, char *buffer, size_t cap)
{
    while (recv(fd, buffer, cap, 0) > 0)
        ;
}

/* What a client says is judged; what a server says goes through, unless it is the answer to be cut. */
static void relay(int client, int server)
{
    static _Thread_local char buffer[1 << 20];
    struct pollfd p[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    cut how = CUT_NOTHING;
    while (poll(p, 2, -1) > 0) {
        const int from = p[0].revents != 0 ? 0 : 1;
        const ssize_t n = recv(p[from].fd, buffer, sizeof buffer, 0);
        if (n <= 0 || (from == 1 && how == CUT_ANSWER))
            return;
        if (from == 0 && how == CUT_NOTHING)
            how = judge(buffer, (size_t)n);
        if (how == CUT_REQUEST)
            return;
        if (how == CUT_SILENCE) {
            swallow(client, buffer, sizeof buffer);
            return;
        }
        if (!pass(p[1 - from].fd, buffer, n))
            return;
    }
}

static void *serve(void *ctx)
{
    visit *v = ctx;
    const int server = to_server(v->entrance);
    relay(v->client, server);
    close(v->client);
    close(server);
    free(v);
    return NULL;
}

static void *listen_for_clients(void *ctx)
{
    const entrance *e = ctx;
    for (;;) {
        pthread_t thread;
        visit *v = malloc(sizeof *v);
        *v = (visit){.entrance = e, .client = accept(e->listener, NULL, NULL)};
        if (v->client < 0 || pthread_create(&thread, NULL, serve, v) != 0) {
            free(v);
            return NULL;
        }
        pthread_detach(thread);
    }
}

void cutting_proxy_start(const char *folder, const char *host, const char *port)
{
    static entrance *kept[64];
    static size_t n;
    pthread_t thread;
    ck_assert_uint_lt(n, sizeof kept / sizeof kept[0]);
    entrance *e = malloc(sizeof *e);
    kept[n++] = e;
    snprintf(e->host, sizeof e->host, "%s", host);
    snprintf(e->port, sizeof e->port, "%s", port);
    e->listener = at_path(folder, "5432", bind);
    ck_assert_int_eq(listen(e->listener, 64), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, listen_for_clients, e), 0);
    pthread_detach(thread);
}

void cutting_proxy_arm(cut how, unsigned times, const char *mark, size_t mark_length)
{
    pthread_mutex_lock(&proxy.lock);
    proxy.how = how;
    proxy.times = times;
    proxy.count = 0;
    memcpy(proxy.mark, mark, mark_length);
    proxy.mark_length = mark_length;
    pthread_mutex_unlock(&proxy.lock);
}

unsigned cutting_proxy_count(void)
{
    pthread_mutex_lock(&proxy.lock);
    unsigned count = proxy.count;
    pthread_mutex_unlock(&proxy.lock);
    return count;
}
