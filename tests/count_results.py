#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the cases in Meson's testlog.json files and prints "PASSED FAILED".

A program that prints TAP counts for each of its cases, any other for one; one that failed without a failed case counts as one failure.
"""
import json
import re
import sys

CASE = re.compile(r"^(not )?ok\b", re.MULTILINE)
GOOD = {"OK", "EXPECTEDFAIL"}


def count(test):
    cases = CASE.findall(test.get("stdout") or "")
    failed = sum(1 for case in cases if case)
    passed = len(cases) - failed
    if test["result"] not in GOOD:
        failed = failed or 1
    elif not cases:
        passed = 1
    return passed, failed


def main():
    passed = failed = 0
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            for line in file:
                good, bad = count(json.loads(line))
                passed += good
                failed += bad
    print(passed, failed)


if __name__ == "__main__":
    main()
