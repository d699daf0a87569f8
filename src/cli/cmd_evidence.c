/* SPDX-License-Identifier: Apache-2.0 */
/* `raffle evidence`: what a laboratory asks for, of this software and of a raffle, in one folder with an index. */
#include "commands.h"
#include "evidence.h"
#include "times.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const option_spec options_of[] = {
    {"docs", "FOLDER", "the documents: as they are installed, or docs of a source tree; default: as installed"},
    {"results", "FILE", "the results of a test run, as tests/run.sh leaves them: gli-31-results.json"},
    {"rng", "URI", "the provider that is sampled; default: system:"},
    {"draws", "D", "so many draws of ten numbers from 100,000 are sampled; default: 1000000"},
    {"key", "VKEY", "the control log's public key, for the audit"},
    {NULL, NULL, NULL},
};

enum {
    DRAWS = 1000000,
    DRAWS_MAX = 1000000000,
    FORMATS = 4,
    STEPS = 24 /* of no report */
};

static const char *const folders[] = {"documents", "vectors", "model",       "software", "rng",
                                      "reports",   "audit",   "checkpoints", "raffle"};

static const char *const formats[FORMATS][2] = {{"text", "txt"}, {"csv", "csv"}, {"json", "json"}, {"html", "html"}};

typedef struct collection {
    cli *c;
    evidence e;
    json_t *about;
    const char *store, *rng;
    char draws[24];
    char docs[PATH_MAX];
} collection;

/* --- documents --- */

static bool is_there(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat found;
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path && stat(path, &found) == 0;
}

/* In a source tree, vectors and model stand in tests/. */
static int copy_beside(collection *k, const char *name)
{
    char path[PATH_MAX];
    const char *way = is_there(k->docs, name) ? "" : "../tests/";
    if (snprintf(path, sizeof path, "%s/%s%s", k->docs, way, name) >= (int)sizeof path)
        return cli_usage(k->c, "--docs is longer than a path can be");
    return evidence_tree(&k->e, path, name, false, NULL);
}

static int copy_documents(collection *k)
{
    static const char *const beside[] = {"vectors", "model", NULL};
    static const char *const left_out[] = {"vectors", "model", "man",
                                           NULL}; /* the last makes manual pages: no document */
    static const char *const needed[] = {"gli-31.md", "rng.md", "spec"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!is_there(k->docs, needed[i]))
            return cli_fail_as(k->c, RAFFLE_NOT_FOUND, "the documents are not in %.200s: it has no %s; --docs FOLDER",
                               k->docs, needed[i]);
    int status = evidence_tree(&k->e, k->docs, "documents", true, left_out);
    for (size_t i = 0; status == CLI_DONE && beside[i] != NULL; i++)
        status = copy_beside(k, beside[i]);
    return status;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Whatever of the documents is a bill of materials, by the names that SPDX and CycloneDX give them. */
static void note_sbom(collection *k)
{
    json_t *found = json_must(json_array());
    for (size_t i = 0; i < json_array_size(k->e.files); i++) {
        const char *path = json_string_value(json_object_get(json_array_get(k->e.files, i), "path"));
        if (ends_with(path, ".spdx") || ends_with(path, ".spdx.json") || ends_with(path, ".cdx.json"))
            json_add(found, json_text(path));
    }
    json_put(k->about, "sbom", found);
}

/* --- what is computed --- */

static int add_verdict(collection *k, const char *name, int verdict)
{
    json_put(k->about, name, json_must(json_string(verdict == CLI_DONE ? "good" : "fault")));
    return CLI_DONE;
}

static int run_vectors(collection *k)
{
    int verdict = CLI_DONE;
    size_t n = 2;
    const size_t files = json_array_size(k->e.files);
    const char **argv = memory_grow(NULL, (files + 4) * sizeof *argv);
    argv[1] = "vectors";
    for (size_t i = 0; i < files; i++) {
        const char *path = json_string_value(json_object_get(json_array_get(k->e.files, i), "path"));
        if (strncmp(path, "vectors/", 8) == 0 && ends_with(path, ".json"))
            argv[n++] = path;
    }
    argv[n] = NULL;
    int status = evidence_run(&k->e, "vectors/results.txt", false, true, argv, &verdict);
    argv[n] = "--json";
    argv[n + 1] = NULL;
    if (status == CLI_DONE)
        status = evidence_run(&k->e, "vectors/results.json", false, true, argv, NULL);
    free(argv);
    return status == CLI_DONE ? add_verdict(k, "vectors", verdict) : status;
}

/* Which compiler made the command; the library came from the same build. */
static int write_versions(collection *k)
{
    json_t *top = json_must(json_object());
    json_put(top, "command", json_text(RAFFLE_VERSION));
    json_put(top, "library", json_text(raffle_version()));
#ifdef __clang__
    json_put(top, "compiler", json_text(__VERSION__));
#else
    json_put(top, "compiler", json_text("GCC " __VERSION__));
#endif
    json_put(top, "build", json_loads(raffle_build(), 0, NULL));
    char *text = json_dumps(top, JSON_INDENT(1));
    json_decref(top);
    if (text == NULL)
        return cli_fail_as(k->c, RAFFLE_NOMEM, "out of memory");
    const int status = evidence_write(&k->e, "software/versions.json", false, text, strlen(text));
    free(text);
    return status;
}

static int check_software(collection *k)
{
    int status = write_versions(k);
    if (status == CLI_DONE)
        status = evidence_run(&k->e, "software/selfcheck.txt", false, false, (const char *[]){NULL, "selfcheck", NULL},
                              NULL);
    if (status == CLI_DONE)
        status = evidence_run(&k->e, "software/selfcheck.json", false, false,
                              (const char *[]){NULL, "selfcheck", "--json", NULL}, NULL);
    return status;
}

/* --- randomness --- */

static int assess(collection *k, const char *sample, const char *range, const char *picks, const char *verdict_name)
{
    static const char *const endings[][2] = {{"text", "txt"}, {"json", "json"}, {"html", "html"}};
    char name[64];
    int status = CLI_DONE, verdict = CLI_DONE;
    const bool varies = strncmp(k->rng, "test:", 5) != 0;
    for (size_t i = 0; status == CLI_DONE && i < sizeof endings / sizeof *endings; i++) {
        snprintf(name, sizeof name, "%s.%s", sample, endings[i][1]);
        status = evidence_run(&k->e, name, varies, true,
                              (const char *[]){NULL, "rng", "assess", sample, "--input", "binary", "--range", range,
                                               "--picks", picks, "--format", endings[i][0], NULL},
                              &verdict);
    }
    return status == CLI_DONE ? add_verdict(k, verdict_name, verdict) : status;
}

/* Nothing is sampled a second time: of good samples one in a hundred is rejected, and then that is what the evidence shows. */
static int sample(collection *k)
{
    char raw[PATH_MAX], outcomes[PATH_MAX];
    const bool varies = strncmp(k->rng, "test:", 5) != 0;
    if (evidence_path(&k->e, "rng/raw.bin", raw) != CLI_DONE ||
        evidence_path(&k->e, "rng/outcomes.bin", outcomes) != CLI_DONE)
        return CLI_FAILED;
    int status = evidence_run(&k->e, NULL, varies, false,
                              (const char *[]){NULL, "rng", "sample", "--rng", k->rng, "--bytes", "12000000",
                                               "--format", "binary", "--out", raw, NULL},
                              NULL);
    if (status == CLI_DONE)
        status =
            evidence_run(&k->e, NULL, varies, false,
                         (const char *[]){NULL, "rng", "sample", "--rng", k->rng, "--range", "100000", "--picks", "10",
                                          "--draws", k->draws, "--format", "binary", "--out", outcomes, NULL},
                         NULL);
    if (status != CLI_DONE)
        return status;
    evidence_note(&k->e, "rng/raw.bin", varies);
    evidence_note(&k->e, "rng/outcomes.bin", varies);
    status = assess(k, "rng/raw.bin", "4294967296", "1", "raw");
    return status == CLI_DONE ? assess(k, "rng/outcomes.bin", "100000", "10", "outcomes") : status;
}

/* --- the raffle --- */

static int make_report(collection *k, const char *name, const char *const format[2])
{
    char file[80];
    const char *by = cli_option(k->c, "by");
    snprintf(file, sizeof file, "reports/%s.%s", name, format[1]);
    const char *argv[] = {NULL, "report", "--format", format[0], "--", k->store, name, NULL, NULL, NULL};
    if (by != NULL)
        memcpy(argv + 4, (const char *[]){"--by", by, "--", k->store, name}, 5 * sizeof *argv);
    return evidence_run(&k->e, file, true, false, argv, NULL);
}

static int make_reports(collection *k)
{
    int status = CLI_DONE;
    for (uint32_t i = 0; status == CLI_DONE && raffle_report_name(i) != NULL; i++)
        for (size_t f = 0; status == CLI_DONE && f < FORMATS; f++)
            status = make_report(k, raffle_report_name(i), formats[f]);
    return status;
}

static int audit(collection *k)
{
    int verdict = CLI_DONE;
    const char *key = cli_option(k->c, "key");
    const char *argv[] = {NULL, "audit", "--threads=1", key != NULL ? "--key" : "--", key, NULL, NULL, NULL, NULL};
    size_t n = key != NULL ? 5 : 3;
    argv[n++] = "--";
    argv[n] = k->store;
    int status = evidence_run(&k->e, "audit/audit.txt", false, false, argv, &verdict);
    argv[2] = "--json";
    if (status == CLI_DONE)
        status = evidence_run(&k->e, "audit/audit.json", false, false, argv, NULL);
    return status == CLI_DONE ? add_verdict(k, "audit", verdict) : status;
}

/* The newest checkpoint of a log that was kept, and the key that it is verified by. */
static int write_checkpoint(collection *k, uint32_t log, const char *name, const char *key)
{
    char note[RAFFLE_NOTE_SIZE], file[64], line[RAFFLE_VKEY_SIZE + 1];
    size_t length;
    raffle_rc rc = raffle_checkpoint_get(k->c->raffle, log, UINT64_MAX, note, sizeof note, &length, &k->c->err);
    if (rc != RAFFLE_OK && rc != RAFFLE_NOT_FOUND)
        return cli_fail(k->c);
    snprintf(file, sizeof file, "checkpoints/%s.vkey", name);
    snprintf(line, sizeof line, "%s\n", key);
    int status = evidence_write(&k->e, file, false, line, strlen(line));
    if (status != CLI_DONE || rc == RAFFLE_NOT_FOUND)
        return status;
    snprintf(file, sizeof file, "checkpoints/%s", name);
    return evidence_write(&k->e, file, false, note, strlen(note));
}

static int write_checkpoints(collection *k)
{
    char name[32];
    raffle_unit_info unit;
    int status = write_checkpoint(k, 0, "control", k->c->info.control_key);
    for (uint32_t i = 1; status == CLI_DONE && i <= k->c->info.units; i++) {
        raffle_unit_info_init(&unit, sizeof unit);
        if (raffle_unit_describe(k->c->raffle, i, &unit, &k->c->err) != RAFFLE_OK)
            return cli_fail(k->c);
        snprintf(name, sizeof name, "unit-%u", i);
        status = write_checkpoint(k, i, name, unit.key);
    }
    return status;
}

static int show_raffle(collection *k)
{
    int status =
        evidence_run(&k->e, "raffle/opening.json", false, false,
                     (const char *[]){NULL, "show", "--json", "--", k->store, "control", "0", "1", NULL}, NULL);
    if (status == CLI_DONE)
        status = evidence_run(&k->e, "raffle/status.txt", true, false,
                              (const char *[]){NULL, "status", "--", k->store, NULL}, NULL);
    if (status == CLI_DONE)
        status = evidence_run(&k->e, "raffle/status.json", true, false,
                              (const char *[]){NULL, "status", "--json", "--", k->store, NULL}, NULL);
    return status;
}

/* --- the index --- */

static int write_readme(collection *k)
{
    static const char text[] =
        "# Evidence\n\n"
        "Collected by `raffle evidence` from one raffle, and from the software that made this. `sha256sum -c "
        "SHA256SUMS` checks every file; `manifest.json` lists "
        "them with their lengths and hashes,\nsays which raffle it is, when this was made, and how vectors, samples, "
        "audit and results ended.\n\n"
        "| folder | |\n|---|---|\n"
        "| documents/ | the documents of the library: gli-31.md, the matrix; rng.md, the generator; spec/, every "
        "format; guide/, how it is used; an SBOM, if one is installed |\n"
        "| results/ | the results of a test run, if they were given, and in documents/gli-31-results.md the matrix "
        "with them; manifest.json says whether they are of this build |\n"
        "| software/ | versions, compiler, build, and the SHA-256 of library and command |\n"
        "| vectors/ | published and our own vectors, and what this build made of them: results.txt, results.json |\n"
        "| model/ | the protocol's model, for spin (documents/model.md) |\n"
        "| rng/ | raw.bin: bytes of the provider. outcomes.bin: draws of ten numbers from 100,000, as a draw picks "
        "them, 4 bytes each, least significant first. Beside each its assessment. A good "
        "sample is rejected\nonce in a hundred; nothing is sampled a second time (documents/guide/lab.md) |\n"
        "| raffle/ | how the raffle stands, and its opening record, with the frozen rules |\n"
        "| reports/ | every report, as text, CSV, JSON and HTML (documents/guide/reports.md) |\n"
        "| audit/ | what `raffle audit` says |\n"
        "| checkpoints/ | the newest signed checkpoint of each log, and the public key that it is verified by |\n\n"
        "Another collection by the same software, documents and options from the same store has the same bytes, except "
        "in the files that manifest.json marks with `varies`: reports (when they were made), the "
        "status\n(it looks at the clock), random samples with what is said about them, and manifest.json and "
        "SHA256SUMS themselves.\n";
    return evidence_write(&k->e, "README.md", false, text, sizeof text - 1);
}

static int describe(collection *k)
{
    char made[TIME_SIZE], provider[32];
    int64_t now;
    if (k->c->host.table.clock(k->c->host.table.ctx, &now, &k->c->err) != RAFFLE_OK)
        return cli_fail(k->c);
    json_t *of = json_must(json_object());
    time_format(now, made);
    json_put(k->about, "format", json_integer(1));
    json_put(k->about, "made", json_text(made));
    json_put(k->about, "raffle", of);
    json_put(of, "origin", json_text(k->c->info.origin));
    json_put(of, "name", json_text(k->c->info.name));
    json_put(of, "rehearsal", json_must(json_boolean(k->c->info.rehearsal)));
    json_put(of, "control_key", json_text(k->c->info.control_key));
    snprintf(provider, sizeof provider, "%.*s", (int)strcspn(k->rng, ":"), k->rng); /* its URI may hold a secret */
    json_put(k->about, "rng", json_text(provider));
    return CLI_DONE;
}

static int take_results(collection *k)
{
    const char *path = cli_option(k->c, "results");
    return path != NULL ? evidence_results(&k->e, path, k->about) : CLI_DONE;
}

/* --- the command --- */

static int collect(collection *k)
{
    static int (*const parts[])(collection *) = {
        describe,     take_results, copy_documents, run_vectors,       check_software, sample,
        make_reports, audit,        show_raffle,    write_checkpoints, write_readme};
    int status = CLI_DONE;
    for (size_t i = 0; status == CLI_DONE && i < sizeof folders / sizeof *folders; i++)
        status = evidence_folder(&k->e, folders[i]);
    for (size_t i = 0; status == CLI_DONE && i < sizeof parts / sizeof *parts; i++)
        status = parts[i](k);
    if (status != CLI_DONE)
        return status;
    note_sbom(k);
    return evidence_end(&k->e, k->about);
}

static int say(collection *k)
{
    const uint64_t files = json_array_size(k->e.files);
    if (k->c->json) {
        json_t *o = json_must(json_object());
        json_put(o, "folder", json_text(k->e.path));
        json_put(o, "files", json_count(files));
        json_put(o, "fault", json_must(json_boolean(k->e.fault)));
        json_end(o, false, stdout);
    } else {
        printf("%s: %llu files, listed in manifest.json and SHA256SUMS\n", k->e.path, (unsigned long long)files);
        if (k->e.fault)
            printf("something in it found a fault: see manifest.json\n");
    }
    return k->e.fault ? CLI_FAULT : CLI_DONE;
}

static int read_options(collection *k)
{
    uint64_t draws = DRAWS;
    const char *docs = cli_option(k->c, "docs"), *rng = cli_option(k->c, "rng");
    if (!options_number(&k->c->options, "draws", 1, DRAWS_MAX, &draws))
        return cli_usage_fault(k->c);
    snprintf(k->draws, sizeof k->draws, "%llu", (unsigned long long)draws);
    k->rng = rng != NULL ? rng : "system:";
    if (!cli_copy(k->docs, sizeof k->docs, docs != NULL ? docs : RAFFLE_DOCS))
        return cli_usage(k->c, "--docs is longer than a path can be");
    for (size_t n = strlen(k->docs); n > 1 && k->docs[n - 1] == '/'; n--)
        k->docs[n - 1] = 0;
    return CLI_DONE;
}

static int run(cli *c)
{
    collection k = {.c = c, .store = cli_positional(c, 0)};
    const char *keys = cli_option(c, "keys");
    uint64_t steps = STEPS;
    int status = read_options(&k);
    if (status != CLI_DONE)
        return status;
    /* For the reports, of which one has validation numbers. */
    if (keys != NULL && setenv("RAFFLE_KEYS", keys, 1) != 0)
        return cli_fail_as(c, RAFFLE_NOMEM, "out of memory");
    status = cli_open(c, NEED_READING);
    if (status != CLI_DONE)
        return status;
    for (uint32_t i = 0; raffle_report_name(i) != NULL; i++)
        steps += FORMATS;
    steps += 2ULL * c->info.units;
    k.about = json_must(json_object());
    status = evidence_begin(&k.e, c, cli_positional(c, 1), steps);
    if (status == CLI_DONE)
        status = collect(&k);
    progress_clear(&k.e.bar);
    if (status == CLI_DONE)
        status = say(&k);
    evidence_drop(&k.e);
    json_decref(k.about);
    return status;
}

const command cmd_evidence = {
    .name = "evidence",
    .usage = "STORE FOLDER [--docs FOLDER] [--results FILE] [--rng URI] [--draws D] [--key VKEY]",
    .summary =
        "collect what a laboratory asks for: documents, vectors, samples, reports, audit, versions, with an index",
    .example = "  raffle evidence gala.raffle gala-evidence --results gli-31-results.json\n"
               "  raffle evidence gala.raffle gala-evidence --docs docs --rng pkcs11:token=lab",
    .options = options_of,
    .min = 2,
    .max = 2,
    .run = run,
};
