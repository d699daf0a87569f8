#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/rng.md against the source: every function of the walk is defined in the file beside it, the files and links are there, the cut-offs
are those of the header, and the commands it names exist."""
import os
import re
import subprocess

ROOT = os.environ["RAFFLE_SOURCE"]


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def defines(source, function):
    """A definition begins a line, and its head does not end in a semicolon."""
    return re.search(rf"^\w[\w \t*]*\b{function}\([^;{{]*\)\s*\{{", source, re.MULTILINE) is not None


def check_walk(text):
    section = text.split("## From the entropy call to the winning number\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| `([^`]+)` \| ([^|]+) \| ", section, re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, len(rows) + 1)) and len(rows) > 15, "the walk's numbers"
    for number, path, functions in rows:
        source = read(path)
        names = re.findall(r"`(\w+)`", functions)
        assert names, f"step {number} names no function"
        for name in names:
            assert defines(source, name), f"step {number}: {path} does not define {name}()"
    assert not defines(read("src/rng/select.c"), "rf_drbg_generate"), "a call is no definition"


def check_files(text):
    for path in re.findall(r"\b(?:src|tests)/[\w/]+\.(?:c|h|py)\b", text):
        assert os.path.exists(os.path.join(ROOT, path)), path
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert os.path.exists(os.path.join(ROOT, "docs", target)), target
    for target, anchor in re.findall(r"\]\(([^)#]+)#([^)]+)\)", text):
        headings = re.findall(r"^#+ (.+)$", read("docs", target), re.MULTILINE)
        assert anchor in [heading.lower().replace(" ", "-") for heading in headings], anchor


def check_constants(text):
    header = read("src/rng/health.h")
    constant = {name: int(value) for name, value in re.findall(r"\bRF_HEALTH_(\w+) = (\d+)", header)}
    for claim in ("{REPEATS} equal bytes", "{PROPORTION} of a window of {WINDOW}", "{BLOCKS} equal blocks of {BLOCK} bytes",
                  "alpha = 2^-{ALPHA}", "Start-up: {START_UP} bytes"):
        assert claim.format(**constant) in text, claim.format(**constant)
    select = read("src/rng/select.h")
    assert "RF_SEED_SIZE = 48" in select and "RF_REJECT_MAX = 256" in select and "WORDS_SIZE = 64" in read("src/rng/select.c")


def check_commands(text):
    names = set(re.findall(r"`raffle (rng \w+|vectors|selfcheck)\b", text))
    assert names >= {"rng sample", "rng health", "vectors", "selfcheck"}, names
    for name in names:
        subprocess.run([os.environ["RAFFLE"], *name.split(), "--help"], check=True, stdout=subprocess.DEVNULL)
    public = read("include/raffle/rng.h") + read("include/raffle/version.h.in")
    for name in re.findall(r"`(raffle_\w+)(?:\(\))?`", text):
        assert name in public or name in ("raffle_draw_begin", "raffle_draw_finish"), name


document = read("docs/rng.md")
check_walk(document)
check_files(document)
check_constants(document)
check_commands(document)
