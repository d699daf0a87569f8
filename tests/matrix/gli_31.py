#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The matrix of GLI-31: docs/gli-31.toml holds it, docs/gli-31.md is made of it, and every test that it names must be there and must have run.

    gli_31.py write                                    makes docs/gli-31.md
    gli_31.py check                                    is the page as it is made, is every clause there, is every named test in the source?
    gli_31.py results --checks FILE --out FILE LOG…    did every named test run and pass? FILE lists the checks that tests/run.sh passed, LOG is a testlog.json of Meson's.
                                                       Writes clauses and tests with their results, for `raffle evidence --results`; with RAFFLE, of which build they are
"""
import argparse
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib

SOURCE = pathlib.Path(__file__).resolve().parents[2]
GOOD = {"OK", "EXPECTEDFAIL"}


def letters(clause, names):
    return [f"{clause}({name})" for name in names]


# Every clause of chapters 2 to 6 that asks for something; lists by their items.
CLAUSES = [
    "2.1.1", "2.2.1", "2.2.2", "2.2.3", *letters("2.3.1", "abcdefgh"), "2.3.2", "2.3.3", "2.3.4", *letters("2.4.1", "abcde"), "2.4.2", "2.5.1", "2.5.2",
    *letters("2.6.1", "ab"), "2.6.2", "2.6.3", "2.6.4", "2.6.5", "2.7.1", *letters("2.8.1", "abcdefg"),
    "3.1.1", "3.2.1", "3.2.2", "3.2.3", "3.2.4", "3.2.5", "3.2.6", *letters("3.3.1", "ab"), "3.3.2", "3.3.2(d)",
    "3.4.1", "3.4.2", "3.4.3", "3.4.4", "3.4.5", "3.5.1", "3.5.2", "3.5.3", "3.6.1",
    "4.1.1", "4.2.1", *letters("4.2.2", "abcdefghijklmno"), "4.2.3", "4.2.4", "4.2.5", "4.2.6", *letters("4.2.6", "ab"), "4.3.1", *letters("4.3.1", "ab"),
    "4.4.1", *letters("4.4.1", "ab"), "4.4.2",
    "5.2.1", "5.2.2", "5.2.3", "5.2.4", "5.2.5", "5.2.6", "5.2.7", "5.3.1", "5.3.2", "5.4.1", "5.4.2", "5.5.1", "5.5.2", *letters("5.6.1", "abcfghijk"), "5.6.2",
    "5.7.1", "5.7.2", "5.8.1",
    "6.1.2", "6.1.3", "6.1.4", "6.2.1", "6.2.2", "6.3.1", "6.3.1(d)", "6.3.2", "6.4.1", "6.4.1(b)", "6.5.1",
]
CHAPTERS = {"2": "the raffle", "3": "sales units", "4": "random numbers", "5": "the system", "6": "communication"}
OWNERS = {"library": "provided", "host": "enables", "operator": "operator"}
MEMBERS = {"id", "about", "owner", "how", "missing", "needs", "tests"}
OPERATION = {"what", "open", "how", "tests"}

HEAD = """# GLI-31 v1.1, clause by clause

<!-- Made from gli-31.toml by tests/matrix/gli_31.py write. -->

GLI-31 "Electronic Raffle Systems", version 1.1 (24 July 2015), chapters 2 to 6, in our own words and few of them; the standard's text is not repeated here. Many of its points may be met by
operator controls that the regulator approves, and what a system does not do by itself is disclosed in the certification report. A clause that, as we read it,
asks for nothing by itself has no row; of some lists, single items have rows of their own. Two references within the standard are taken as they must be meant: in 5.2.6 to 5.8.1, in 6.2.2 to 5.6.

- **provided**: the library does it;
- **enables**: the host does it with what the library gives;
- **operator**: outside of software like this;
- **in part**, **open**: the library should do it, and this version does so in part, or not at all. The row says what is missing.

Files are below `src/`; record types are in [spec/records.md](spec/records.md). The tests are those that show it: a case of a test program as `program/case`, a script as `integration/file`, a fuzz target as `fuzz/target`,
a property of the [model](model.md) as `model/property`, another step of `tests/run.sh` as `check/title`. The run fails when one of them is missing, failed, or did not run.
"""

TAIL = """
The parts that are examined line by line, each in files of its own: randomness (`rng/health.c`, `rng/hmac_drbg.c`, `rng/select.c`, `rng/shuffle.c`), validation numbers (`raffle/keys/validation.c`), critical memory
(`journal/log.c`, `base/merkle.c`), raffle logic (`raffle/fold/`, `raffle/draw/drum.c`), program self-verification (`raffle/self_hash.c`).
"""


class Fault(Exception):
    """What keeps the matrix from being true."""


def need(condition, sentence):
    if not condition:
        raise Fault(sentence)


# --- the data ---

def check_shape(clauses, operations):
    ids = [clause.get("id") for clause in clauses]
    lacking = sorted(set(CLAUSES) - set(ids))
    need(not lacking, f"clauses without a row: {', '.join(lacking)}")
    odd = [a for a, b in itertools.zip_longest(ids, CLAUSES) if a != b]
    need(not odd, f"a clause that stands twice, out of its order, or is none: {odd[:1]}")
    for clause in clauses:
        name = clause["id"]
        need(set(clause) <= MEMBERS and {"about", "owner"} <= set(clause), f"{name}: its members are {sorted(clause)}")
        need(clause["owner"] in OWNERS, f"{name}: {clause['owner']} is no owner")
        unknown = sorted(set(clause.get("needs", [])) - set(operations))
        need(not unknown, f"{name}: there is no operation {', '.join(unknown)}")
    needed = {operation for clause in clauses for operation in clause.get("needs", [])}
    need(set(operations) == needed, f"operations that no clause needs: {sorted(set(operations) - needed)}")
    for name, operation in operations.items():
        need(set(operation) <= OPERATION and "what" in operation, f"{name}: its members are {sorted(operation)}")
        done = "how" in operation and operation.get("tests")
        need(bool(operation.get("open")) != bool(done), f"the operation {name} is either open, or has how and tests")


def joined(clause, operations):
    """A clause with what its operations bring, and what is open of it."""
    done = [operations[name] for name in clause.get("needs", []) if not operations[name].get("open")]
    missing = [f"[{name}](#what-is-open)" for name in clause.get("needs", []) if operations[name].get("open")]
    how = [clause["how"]] if "how" in clause else []
    row = {"clause": clause["id"], "about": clause["about"], "owner": clause["owner"],
           "how": "; ".join(how + [operation["how"] for operation in done]),
           "open": missing + ([clause["missing"]] if "missing" in clause else []),
           "tests": list(dict.fromkeys(clause.get("tests", []) + [test for operation in done for test in operation["tests"]]))}
    row["status"] = status_of(row)
    need(row["status"] in ("open", "operator") or row["tests"], f"{row['clause']}: nothing shows it")
    need(row["status"] in ("open", "operator") or row["how"], f"{row['clause']}: how is it met?")
    need(row["how"] or not row["tests"], f"{row['clause']} has tests, and nothing that they show")
    return row


def status_of(row):
    word = OWNERS[row["owner"]]
    if not row["open"]:
        return word
    return f"{word}, in part" if row["how"] else "open"


def load(path=SOURCE / "docs/gli-31.toml"):
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as fault:
        raise Fault(f"{path.name}: {fault}") from fault
    check_shape(data["clause"], data["operation"])
    return [joined(clause, data["operation"]) for clause in data["clause"]], data["operation"]


# --- the page ---

def cell(text):
    return text.replace("|", "\\|")


def clause_line(row):
    tests = ", ".join(f"`{test}`" for test in row["tests"])
    cells = [row["clause"], row["about"], row["status"], row["how"], "; ".join(row["open"]), tests]
    return "| " + " | ".join(cell(text) for text in cells) + " |\n"


def counts(rows):
    found = {}
    for row in rows:
        found[row["status"]] = found.get(row["status"], 0) + 1
    order = ["provided", "provided, in part", "enables", "enables, in part", "operator", "operator, in part", "open"]
    return ", ".join(f"{found[status]} {status.replace(', ', ' ')}" for status in order if status in found)


def open_line(name, operation, rows):
    clauses = [row["clause"] for row in rows if f"[{name}](#what-is-open)" in row["open"]]
    return f"| {name} | {cell(operation['what'])} | {', '.join(clauses)} |\n"


def page(rows, operations):
    text = HEAD + f"\nOf {len(rows)} rows: {counts(rows)}.\n"
    lacking = {name: operation for name, operation in operations.items() if operation.get("open")}
    if lacking:
        text += "\n## What is open\n\n| | | clauses |\n|---|---|---|\n"
        text += "".join(open_line(name, operation, rows) for name, operation in lacking.items())
    for number, title in CHAPTERS.items():
        text += f"\n## Chapter {number}: {title}\n\n"
        if number == "4":
            text += "The document for the laboratory is [rng.md](rng.md).\n\n"
        text += "| clause | about | status | where and how | open | tests |\n|---|---|---|---|---|---|\n"
        text += "".join(clause_line(row) for row in rows if row["clause"].startswith(number + "."))
    return text + TAIL


# --- the tests that are named ---

def all_tests(rows):
    return sorted({test for row in rows for test in row["tests"]})


def sources(pattern):
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((SOURCE / "tests").glob(pattern)))


def is_there(test):
    """Whether the source has a test of this name."""
    kind, _, name = test.partition("/")
    if kind == "integration":
        return (SOURCE / "tests/integration" / name).is_file()
    if kind == "fuzz":
        return (SOURCE / f"fuzz/fuzz_{name}.c").is_file()
    if kind == "model":
        return f'("{name}",' in (SOURCE / "tests/integration/model.py").read_text(encoding="utf-8")
    if kind == "check":
        return re.search(rf'^ *check "{re.escape(name)}" ', (SOURCE / "tests/run.sh").read_text(encoding="utf-8"), re.M) is not None
    if name == "*":
        return f"test('{kind}'," in sources("*/meson.build") or (SOURCE / f"tests/unit/test_{kind}.c").exists()
    return f"START_TEST({name})" in sources(f"unit/test_{kind}.c") + (sources("conformance/*.c") if kind.startswith("store_") else "")


def check_names(rows):
    lacking = [test for test in all_tests(rows) if not is_there(test)]
    need(not lacking, "named, and not in the source: " + ", ".join(lacking))


def check_links(rows):
    """What the matrix names of our own files is there."""
    for row in rows:
        for link in re.findall(r"\]\(([^)#]+)", row["how"]):
            need((SOURCE / "docs" / link).exists(), f"{row['clause']}: there is no docs/{link}")
        for path in re.findall(r"`([a-z]+/[\w/]+\.[ch])`", row["how"]):
            need((SOURCE / "src" / path).is_file(), f"{row['clause']}: there is no src/{path}")


# --- what ran ---

CASE = re.compile(r"^(not )?ok \d+(?: - (?:[^:\n]+\.[ch]:[^:\n]*:(\w+):)?)?", re.M)


def add(results, name, good):
    """A test that ran more than once passed when it passed each time."""
    results[name] = results.get(name, True) and good


def read_log(path, results):
    for line in path.read_text(encoding="utf-8").splitlines():
        test = json.loads(line)
        program, good = test["name"].split(" / ")[-1], test["result"] in GOOD
        add(results, f"{program}/*", good)
        for bad, case in CASE.findall(test.get("stdout") or ""):
            if case:
                add(results, f"{program}/{case}", good and not bad)


def read_checks(path, results):
    """The titles of what passed: a check that failed ended the run."""
    for title in path.read_text(encoding="utf-8").splitlines():
        if title.startswith("tests/integration/"):
            add(results, title.removeprefix("tests/"), True)
        elif title.startswith("fuzz: "):
            add(results, "fuzz/" + title.removeprefix("fuzz: "), True)
        else:
            add(results, "check/" + title, True)
    if results.get("integration/model.py"):
        for name in re.findall(r'^    \("(P_\w+)",', (SOURCE / "tests/integration/model.py").read_text(encoding="utf-8"), re.M):
            add(results, "model/" + name, True)


def build_of():
    """The build that ran, by its own word."""
    command = os.environ.get("RAFFLE")
    if not command:
        return None
    said = json.loads(subprocess.run([command, "selfcheck", "--json"], check=True, capture_output=True, text=True).stdout)
    return {"version": said["version"], "build": said["build"], "library": said["library"]["sha256"], "command": said["command"]["sha256"]}


def results_of(rows, checks, logs):
    ran = {}
    read_checks(checks, ran)
    for log in logs:
        read_log(log, ran)
    names = all_tests(rows)
    absent, failed = [test for test in names if test not in ran], [test for test in names if ran.get(test) is False]
    need(not absent, "named, and did not run: " + ", ".join(absent))
    need(not failed, "named, and failed: " + ", ".join(failed))
    words = {True: "passed", False: "failed"}
    clauses = [{**row, "open": [link.replace("(#", "(gli-31.md#") for link in row["open"]],
                "tests": [{"test": test, "result": words[ran[test]]} for test in row["tests"]]} for row in rows]
    return {"format": 1, "standard": "GLI-31 v1.1", "of": build_of(), "clauses": clauses, "tests": {test: words[ran[test]] for test in sorted(ran)}}


# --- the command line ---

def check(rows, operations):
    check_names(rows)
    check_links(rows)
    made = (SOURCE / "docs/gli-31.md").read_text(encoding="utf-8")
    need(made == page(rows, operations), "docs/gli-31.md is not as docs/gli-31.toml makes it: tests/matrix/gli_31.py write")
    print(f"{len(rows)} clauses, {len(all_tests(rows))} tests; {counts(rows)}")


def main():
    parser = argparse.ArgumentParser(description="The matrix of GLI-31.")
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("write")
    commands.add_parser("check")
    of_results = commands.add_parser("results")
    of_results.add_argument("--checks", type=pathlib.Path, required=True)
    of_results.add_argument("--out", type=pathlib.Path, required=True)
    of_results.add_argument("logs", nargs="+", type=pathlib.Path)
    given = parser.parse_args()
    rows, operations = load()
    if given.what == "write":
        (SOURCE / "docs/gli-31.md").write_text(page(rows, operations), encoding="utf-8")
    elif given.what == "check":
        check(rows, operations)
    else:
        made = results_of(rows, given.checks, given.logs)
        given.out.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{len(rows)} clauses; {len(all_tests(rows))} tests that they name ran and passed, of {len(made['tests'])}")


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        sys.exit(f"gli_31.py: {fault}")
