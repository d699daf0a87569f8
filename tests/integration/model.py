#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The close and the seal as a model (tests/model, docs/model.md), by spin: each property in all states; and, with one guard taken out, a counterexample
to it, so that the check is known to bite. And that what docs/model.md names in C is there."""

import concurrent.futures
import os
import re
import subprocess
import sys

SOURCE = os.environ["RAFFLE_SOURCE"]
MODEL = f"{SOURCE}/tests/model/close_and_seal.pml"
HERE = os.getcwd()

# How much of the world there is: sellers without a till, a till beside one seller, uploads alone.
STORE = "-DNO_TILL -DNO_DISABLING"
DISABLED = "-DNO_TILL -DNO_SECOND -DCRASHES=0 -DSTEPS"
TILL = "-DNO_SECOND -DTRIES=1 -DQUOTA=1 -DNO_DISABLING"
UPLOADS = "-DNO_SELLERS -DNO_OTHERS -DTWO_UPLOADS"
STEPS = "-DNO_TILL -DNO_SECOND -DSTEPS"
VOIDS = "-DNO_TILL -DNO_SECOND -DNO_DISABLING"
MANAGERS = "-DNO_SELLERS -DNO_OTHERS -DQUOTA=1 -DTWO_MANAGERS"

# Property, world, and the guards of which each, left out, must lose the property there.
CASES = [
    ("P_CLOSE", STORE, ["SELL_CLOSED", "NO_HEAD"]),
    ("P_CLOSE", TILL, []),
    ("P_WHOLE", STORE, ["NO_RECHECK", "TAKE_FIRST", "ACK_EARLY"]),
    ("P_WHOLE", STORE + " -DSECOND=2 -DCRASHES=0", []),
    ("P_WHOLE", TILL, ["AWAY_OPEN"]),
    ("P_SEALED", STORE, ["DRAW_UNSEALED"]),
    ("P_SEALED", TILL, ["DRAW_LIVE"]),
    ("P_SEALED", MANAGERS, []),
    ("P_ONCE", STORE + " -DCRASHES=0", ["KEY_OUTSIDE", "KEY_OF_UNIT"]),
    ("P_ANSWER", STORE + " -DCRASHES=0", ["JUDGE_FIRST", "ACK_EARLY"]),
    ("P_DISABLED", DISABLED, ["NO_CONTROL"]),
    ("P_UPLOAD", UPLOADS, ["UPLOAD_BLIND", "SYNC_BACK", "SYNC_UNCHECKED", "TAKE_COPY", "NOTE_OF_ROWS"]),
    ("P_VOIDS", VOIDS, ["VOIDS_UNCHECKED", "VOID_WITHOUT_KEY"]),
    ("P_STOPS", STEPS, []),
    ("P_STOPS", TILL + " -DNO_OTHERS", ["NO_OVERRIDE"]),
    ("P_CYCLES", STEPS, ["NO_REFRESH"]),
    ("P_CYCLES", TILL + " -DNO_OTHERS", []),
    ("P_CYCLES", UPLOADS + " -DQUOTA=1", []),
]
NUMBERS = dict(re.findall(r"^#define (P_\w+) (\d)", open(MODEL).read(), re.M))
FAULTS = {"P_STOPS": "invalid end state", "P_CYCLES": "non-progress cycle"}  # else an assertion


def run(number, prop, world, guard):
    """The model of one property in one world, without a guard or whole: pan's words."""
    folder = f"{HERE}/{number}"
    os.makedirs(folder)
    flags = [f"-DPROPERTY={NUMBERS.get(prop, 0)}", *world.split()] + ([f"-DM_{guard}"] if guard else [])
    cycles = prop == "P_CYCLES"
    subprocess.run(["spin", *flags, "-a", MODEL], cwd=folder, check=True, stdout=subprocess.PIPE)
    subprocess.run(["gcc", "-w", "-O1" if guard else "-O2", "-DNOFAIR", "-DCOLLAPSE", "-DMEMLIM=2500", "-DNP" if cycles else "-DSAFETY", "-o", "pan", "pan.c"],
                   cwd=folder, check=True)
    done = subprocess.run(["./pan", "-m1000000", "-w24", *(["-l"] if cycles else [])], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def judge(prop, world, guard, said):
    """A sentence about the run; ends the script when it is not as it must be."""
    fault = re.search(r"^pan:1: (.*) \(at depth (\d+)\)", said, re.M)
    errors = int(re.search(r"errors: (\d+)", said)[1])
    states = int(re.search(r"(\d+) states, stored", said)[1])
    name = f"{prop} {world.replace('-D', '')}"
    if guard:
        if errors != 1 or not fault or FAULTS.get(prop, "assertion violated") not in fault[1]:
            sys.exit(f"FAILED: {name}: without its guard {guard} nothing is found\n{said}")
        return f"{name}: without {guard}, lost after {fault[2]} steps: {fault[1]}"
    if errors != 0 or fault or "Search not completed" in said or "max search depth too small" in said:
        sys.exit(f"FAILED: {name}\n{said}")
    return f"{name}: {states:,} states"


def unreached(said):
    """What no run came to, of the processes that the world has: as line and text."""
    found = set()
    for process in re.findall(r"^unreached in proctype \w+\n((?:\t.*\n)+)", said, re.M):
        lines = re.findall(r"pml:(\d+), state \d+, \"(.*)\"", process)
        found.update((int(line), text) for line, text in lines if text != "-end-")
    return found


def named_in_c():
    """Each `function` of a file in the table of docs/model.md is defined there."""
    text = open(f"{SOURCE}/docs/model.md").read()
    rows = re.findall(r"^\|[^|]+\| `([\w/.]+)`: (.+?) \|$", text, re.M)
    names = 0
    for file, functions in rows:
        code = open(f"{SOURCE}/src/{file}").read()
        for name in re.findall(r"`(\w+)\(\)`", functions):
            if not re.search(rf"^[a-z].*\b{name}\(", code, re.M):
                sys.exit(f"FAILED: docs/model.md names {name}() of src/{file}, where it is not")
            names += 1
    if names < 20:
        sys.exit("FAILED: docs/model.md names no functions")
    return names


def main():
    print(f"docs/model.md names {named_in_c()} functions, and all are there")
    jobs = [(prop, world, guard) for prop, world, guards in CASES for guard in [None, *guards]]
    never = None
    total = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        said = list(pool.map(lambda job: run(job[0], *job[1]), enumerate(jobs)))
    for job, words in zip(jobs, said):
        print(judge(*job, words))
        if job[2] is None and job[0] != "P_CYCLES":
            total += int(re.search(r"(\d+) states, stored", words)[1])
            never = unreached(words) if never is None else never & unreached(words)
    if never:
        sys.exit(f"FAILED: no world comes to {sorted(never)}")
    print(f"{total:,} states without cycles; {sum(1 for job in jobs if job[2])} guards left out, {sum(1 for job in jobs if not job[2])} worlds that hold")


main()
