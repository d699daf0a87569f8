#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles each public header alone, as C11 and as C++17, pedantically and with warnings as errors. Prints TAP."""
import argparse
import shlex
import subprocess
import sys

STRICT = ["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
DIALECTS = {
    "C11": ("cc", ["-x", "c", "-std=c11", "-Wstrict-prototypes"]),
    "C++17": ("cxx", ["-x", "c++", "-std=c++17"]),
}


def header_name(path):
    """The name by which hosts include it: what follows the last "include/"."""
    return path.rpartition("include/")[2]


def compile_alone(compiler, flags, includes, header):
    command = compiler + flags + STRICT + [f"-I{folder}" for folder in includes] + ["-"]
    source = f"#include <{header}>\n#include <{header}>\ntypedef int not_empty;\n"
    return subprocess.run(command, input=source, text=True, capture_output=True, check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cc", required=True)
    parser.add_argument("--cxx", required=True)
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("headers", nargs="+")
    args = parser.parse_args()

    compilers = {"cc": shlex.split(args.cc), "cxx": shlex.split(args.cxx)}
    cases = [(header_name(path), dialect) for path in args.headers for dialect in DIALECTS]
    print(f"1..{len(cases)}")
    failed = 0
    for number, (header, dialect) in enumerate(cases, 1):
        compiler, flags = DIALECTS[dialect]
        run = compile_alone(compilers[compiler], flags, args.include, header)
        failed += run.returncode != 0
        print(f"{'not ok' if run.returncode else 'ok'} {number} - <{header}> alone as {dialect}")
        for line in run.stderr.splitlines():
            print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
