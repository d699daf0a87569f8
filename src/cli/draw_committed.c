/* SPDX-License-Identifier: Apache-2.0 */
/* What `raffle draw` does for a committed prize: the seed is kept in a file before the intent, and revealed with the beacon's round after it. */
#include "draw_committed.h"
#include "beacon.h"
#include "progress.h"
#include "seed_file.h"
#include "times.h"

#include <string.h>
#include <time.h>

/* Who gave the seed, and what for: a file of another provider, raffle or prize is not taken. */
static bool label(const cli *c, const char *prize, const raffle_rng *rng, kept_seed *kept)
{
    return cli_copy(kept->provider, sizeof kept->provider, raffle_rng_name(rng)) &&
           cli_copy(kept->origin, sizeof kept->origin, c->info.origin) &&
           cli_copy(kept->prize, sizeof kept->prize, prize);
}

static int check_label(cli *c, const char *path, const kept_seed *kept, const kept_seed *wanted)
{
    if (strcmp(kept->provider, wanted->provider) == 0 && strcmp(kept->origin, wanted->origin) == 0 &&
        strcmp(kept->prize, wanted->prize) == 0)
        return CLI_DONE;
    return cli_fail_as(c, RAFFLE_MISMATCH, "%.60s holds a seed of %s, for the prize %s of %.80s", path, kept->provider,
                       kept->prize, kept->origin);
}

/* A file that is there is of a draw that was cut off before its intent: the seed in it was shown to nobody, and is as good as another. */
static int take_seed(cli *c, const char *prize, raffle_rng *rng, const char *path, kept_seed *kept, bool *made)
{
    kept_seed wanted = {.evidence = ""};
    uint8_t commitment[32];
    bool there = false;
    if (!label(c, prize, rng, &wanted))
        return cli_fail_as(c, RAFFLE_LIMIT, "a name is too long for the seed's file");
    int status = seed_file_read(c, path, kept, &there);
    if (status != CLI_DONE || there)
        return status == CLI_DONE ? check_label(c, path, kept, &wanted) : status;
    *kept = wanted;
    if (raffle_rng_seed(rng, kept->seed, commitment, kept->evidence, CLI_TIMEOUT_MS, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    status = seed_file_write(c, path, kept);
    *made = status == CLI_DONE;
    return status;
}

int committed_options(cli *c, const char *prize, raffle_rng *rng, raffle_draw_options *how, bool *made)
{
    kept_seed kept = {.evidence = ""};
    const char *path = cli_option(c, "seed");
    if (path == NULL || rng == NULL)
        return cli_usage(c, "a committed draw begins with --rng URI, and with --seed FILE to keep its seed in");
    int status = take_seed(c, prize, rng, path, &kept, made);
    if (status == CLI_DONE && raffle_seed_commitment(kept.seed, how->commitment, &c->err) != RAFFLE_OK)
        status = cli_fail(c);
    memcpy(how->evidence, kept.evidence, sizeof how->evidence);
    explicit_bzero(&kept, sizeof kept);
    return status;
}

void committed_undo(cli *c, bool made)
{
    if (made && (c->err.rc < RAFFLE_NOMEM || c->err.rc >= RAFFLE_CORRUPT))
        (void)seed_file_remove(c, cli_option(c, "seed"));
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* With a replayed clock there is nothing to wait for: the library refuses what is too early. */
static void wait_until(const cli *c, int64_t at)
{
    progress bar;
    if (c->host.replayed)
        return;
    const int64_t from = now_ms();
    progress_begin(&bar, "waiting for the beacon's round", !c->json);
    for (int64_t now = from; now < at; now = now_ms()) {
        const int64_t left = at - now < 1000 ? at - now : 1000;
        nanosleep(&(struct timespec){left / 1000, left % 1000 * 1000000}, NULL);
        progress_at(&bar, (uint64_t)(now - from), (uint64_t)(at - from));
    }
    progress_clear(&bar);
}

static int take_kept(cli *c, bool lost, raffle_finish_options *end)
{
    kept_seed kept = {.evidence = ""};
    if (lost) {
        end->flags |= RAFFLE_FINISH_SEED_LOST;
        return CLI_DONE;
    }
    int status = seed_file_read(c, cli_option(c, "seed"), &kept, NULL);
    memcpy(end->seed, kept.seed, sizeof end->seed);
    explicit_bzero(&kept, sizeof kept);
    return status;
}

static int fill_end(cli *c, const raffle_draw_info *info, bool lost, raffle_finish_options *end)
{
    const char *source = cli_option(c, "beacon");
    end->round = info->round;
    int status = take_kept(c, lost, end);
    if (status != CLI_DONE)
        return status;
    wait_until(c, lost ? info->fallback_at : info->round_at);
    status = beacon_get(c, source, info->round, end->beacon);
    return status == CLI_DONE && lost ? beacon_get(c, source, info->fallback_round, end->fallback) : status;
}

int committed_finish(cli *c, raffle_draw *draw)
{
    raffle_draw_info info;
    raffle_finish_options end;
    const bool lost = cli_flag(c, "seed-lost");
    const char *verifier = beacon_verifier(c);
    raffle_draw_info_init(&info, sizeof info);
    raffle_finish_options_init(&end, sizeof end);
    end.flags = cli_flag(c, "quorum-late") ? RAFFLE_FINISH_QUORUM_LATE : 0;
    end.verify = beacon_verify;
    end.verify_ctx = &verifier;
    if (cli_option(c, "beacon") == NULL || verifier == NULL)
        return cli_usage(c, "a committed draw ends with --beacon and --beacon-verifier");
    if (lost == (cli_option(c, "seed") != NULL))
        return cli_usage(c, "a committed draw ends with either --seed FILE or --seed-lost");
    if (raffle_draw_describe(draw, &info, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    int status = fill_end(c, &info, lost, &end);
    if (status == CLI_DONE && raffle_draw_finish(draw, NULL, &end, CLI_TIMEOUT_MS, &c->err) != RAFFLE_OK)
        status = cli_fail(c);
    explicit_bzero(&end, sizeof end);
    return status == CLI_DONE && !lost ? seed_file_remove(c, cli_option(c, "seed")) : status;
}
