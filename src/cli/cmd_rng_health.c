/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle rng health`: the start-up test over a provider, on demand. */
#include "commands.h"

enum {
    HEALTH_BYTES = 1024 /* what the library's start-up test takes */
};

static const option_spec options_of[] = {
    {"rng", "URI", "the provider: system:, pkcs11:…, kms:…, or test:seed=HEX"},
    {NULL, NULL, NULL},
};

static void print_health(const cli *c, const char *name)
{
    if (!c->json) {
        printf("%s: %d bytes passed the health tests\n", name, HEALTH_BYTES);
        return;
    }
    json_t *o = json_must(json_object());
    json_put(o, "rng", json_text(name));
    json_put(o, "bytes", json_count(HEALTH_BYTES));
    json_put(o, "passed", json_must(json_true()));
    json_end(o, true, stdout);
}

static int run(cli *c)
{
    raffle_rng *rng;
    if (cli_option(c, "rng") == NULL)
        return cli_usage(c, "--rng URI is missing");
    if (raffle_rng_open(cli_option(c, "rng"), &c->host.table, &rng, &c->err) != RAFFLE_OK)
        return cli_fail(c);
    int status = CLI_DONE;
    const raffle_rc rc = raffle_rng_test(rng, CLI_TIMEOUT_MS, &c->err);
    if (rc == RAFFLE_OK)
        print_health(c, raffle_rng_name(rng));
    else
        status = cli_fail(c);
    raffle_rng_free(rng);
    return rc == RAFFLE_RNG_UNHEALTHY ? CLI_FAULT : status;
}

const command cmd_rng_health = {
    .name = "rng health",
    .usage = "--rng URI",
    .summary = "health tests over 1,024 bytes of a provider",
    .example = "  raffle rng health --rng system:",
    .options = options_of,
    .min = 0,
    .max = 0,
    .run = run,
};
