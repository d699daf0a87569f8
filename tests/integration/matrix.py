#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The matrix of GLI-31 (tests/matrix/gli_31.py): docs/gli-31.md is as its data makes it, and names tests that are there; and every way in which it could be
untrue is found: in a copy that is altered, and in results that lack a test or say that it failed."""
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["RAFFLE_SOURCE"])
COPY = pathlib.Path("source").absolute()
DATA, PAGE = "docs/gli-31.toml", "docs/gli-31.md"


def check(good, sentence):
    if not good:
        sys.exit("FAILED: " + sentence)


def tool(*arguments, root=COPY, says=None):
    done = subprocess.run([sys.executable, str(root / "tests/matrix/gli_31.py"), *map(str, arguments)], capture_output=True, text=True)
    if says is None:
        check(done.returncode == 0, f"{arguments}: {done.stderr}")
    else:
        check(done.returncode == 1 and says in done.stderr, f"{arguments}: {says!r} expected, not: {done.stdout}{done.stderr}")
    return done.stdout


def copy():
    """What is altered is copied, and the rest linked to."""
    shutil.copytree(SOURCE / "docs", COPY / "docs")
    shutil.copytree(SOURCE / "tests/matrix", COPY / "tests/matrix")
    for path in SOURCE.iterdir():
        if path.name in ("src", "fuzz"):
            (COPY / path.name).symlink_to(path)
    for path in (SOURCE / "tests").iterdir():
        if path.name != "matrix":
            (COPY / "tests" / path.name).symlink_to(path)


def altered(says, old, new, file=DATA, count=1):
    text = (COPY / file).read_text(encoding="utf-8")
    check(re.search(old, text, re.M | re.S), f"{file} has no {old}")
    (COPY / file).write_text(re.sub(old, new, text, count=count, flags=re.M | re.S), encoding="utf-8")
    tool("check", says=says)
    (COPY / file).write_text(text, encoding="utf-8")


def untrue_pages():
    altered("is not as docs/gli-31.toml makes it", "2015", "2016", PAGE)
    altered("is not as docs/gli-31.toml makes it", "^about = \"sale", "about = \"Sale")
    altered("clauses without a row: 2.2.2", r'^\[\[clause\]\]\nid = "2\.2\.2".*?\n\n', "")
    altered("a clause that stands twice", r'^(\[\[clause\]\]\nid = "2\.2\.2".*?\n\n)', r"\1\1")
    altered("is no owner", "owner = \"library\"", "owner = \"nobody\"")
    altered("there is no operation", r"needs = \[", "needs = [\"nothing\", ")
    altered("its members are", "^about = ", "whatever = ")
    altered("nothing shows it", r'^(id = "2\.2\.2".*?)^tests = .*?\n', r"\1")
    altered("how is it met", r'^(id = "2\.2\.2".*?)^how = .*?\n', r"\1")
    altered("named, and not in the source: raffle_sell/nothing", "raffle_sell/a_sale_is_within_the_window", "raffle_sell/nothing")
    altered("named, and not in the source: integration/nothing.py", r"integration/till\.py", "integration/nothing.py")
    altered("named, and not in the source: model/P_NONE", "model/P_CLOSE", "model/P_NONE")
    altered("named, and not in the source: fuzz/none", "fuzz/validation", "fuzz/none")
    altered("named, and not in the source: check/none", "check/build without test_rng", "check/none")
    altered("named, and not in the source: none/*", r"killed/\*", "none/*")
    altered("there is no docs/spec/none.md", r"\(spec/seal\.md\)", "(spec/none.md)")
    altered("there is no src/raffle/none.c", "raffle/keys/validation\\.c", "raffle/none.c")


def flips():
    """An operation is flipped in its one line: its clauses say what it brings."""
    lines = (COPY / DATA).read_text(encoding="utf-8").splitlines(keepends=True)
    for i, line in enumerate(lines):
        if not line.rstrip().endswith("open = true }"):
            continue
        what = line.replace("open = true }", 'how = "flipped here", tests = ["integration/matrix.py"] }')
        (COPY / DATA).write_text("".join(lines[:i] + [what] + lines[i + 1:]), encoding="utf-8")
        tool("write")
        tool("check")
        check("flipped here" in (COPY / PAGE).read_text(encoding="utf-8"), f"nothing came of {line}")
        (COPY / DATA).write_text("".join(lines[:i] + [line.replace(", open = true", "")] + lines[i + 1:]), encoding="utf-8")
        tool("check", says="is either open, or has how and tests")
    (COPY / DATA).write_text("".join(lines), encoding="utf-8")
    tool("write")


def ran(tests, failing=None):
    """Writes what a run leaves behind, as if these tests had run."""
    checks, log = [], {}
    for test in tests:
        kind, name = test.split("/", 1)
        titles = {"integration": f"tests/integration/{name}", "fuzz": f"fuzz: {name}", "check": name, "model": "tests/integration/model.py"}
        if kind in titles:
            checks.append(titles[kind])
        else:
            log.setdefault(kind, []).append(name)
    pathlib.Path("checks").write_text("\n".join(checks) + "\n", encoding="utf-8")
    with open("testlog.json", "w", encoding="utf-8") as file:
        for program, cases in log.items():
            bad = [case for case in cases if f"{program}/{case}" == failing]
            said = "".join(f"{'not ' * (case in bad)}ok {i} - ../tests/unit/x.c:suite:{case}: Passed\n" for i, case in enumerate(cases, 1) if case != "*")
            file.write(json.dumps({"name": f"libraffle:unit / {program}", "result": "ERROR" if bad else "OK", "stdout": said}) + "\n")


def refused(module, rows, says):
    try:
        module.results_of(rows, pathlib.Path("checks"), [pathlib.Path("testlog.json")])
    except module.Fault as fault:
        check(says in str(fault), f"{says!r} expected, not: {fault}")
    else:
        sys.exit(f"FAILED: {says!r} expected, and nothing was said")


def without(every, test):
    """What ran, when this did not."""
    if test.startswith("model/"):
        return [other for other in every if not other.startswith("model/") and other != "integration/model.py"]
    return [other for other in every if other != test and not (test.endswith("/*") and other.startswith(test[:-1]))]


def what_ran():
    spec = importlib.util.spec_from_file_location("gli_31", COPY / "tests/matrix/gli_31.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows, _ = module.load()
    every = module.all_tests(rows)
    ran(every)
    print(tool("results", "--checks", "checks", "--out", "results.json", "testlog.json").strip())
    made = json.loads(pathlib.Path("results.json").read_text(encoding="utf-8"))
    check(all(test["result"] == "passed" for clause in made["clauses"] for test in clause["tests"]), "a test of the results did not pass")
    check(made["of"]["version"] and len(made["of"]["library"]) == 64, "the results do not say of which build they are")
    pathlib.Path("results.json").unlink()
    for test in every:
        ran(without(every, test))
        refused(module, rows, "did not run: " + ("model/" if test.startswith("model/") else test))
        if test.split("/")[0] not in ("model", "integration", "fuzz", "check"):
            ran(every, failing=test)
            refused(module, rows, "and failed: ")
    tool("results", "--checks", "checks", "--out", "results.json", "testlog.json", says="and failed: ")
    check(not pathlib.Path("results.json").exists(), "results of a run in which a test failed")
    return len(every)


def main():
    print(tool("check", root=SOURCE).strip())
    copy()
    tool("check")
    untrue_pages()
    flips()
    print(f"{what_ran()} named tests, each found missing in turn")


main()
