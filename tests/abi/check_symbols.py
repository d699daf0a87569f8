#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the functions that the headers declare with the version map and with what the library exports. Prints TAP.

With --write it makes the map from the headers instead: after a function was added, for a release that is not out yet.
"""
import argparse
import re
import subprocess
import sys

SECTION = "RAFFLE_0.1"
DECLARATION = re.compile(r"\bRAFFLE_API\b[^;{]*?\b(raffle_\w+)\s*\(")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DIRECTIVE = re.compile(r"^\s*#.*?(?<!\\)$", re.DOTALL | re.MULTILINE)


def declared(headers):
    """The functions that are declared RAFFLE_API."""
    names = set()
    for path in headers:
        with open(path, encoding="utf-8") as file:
            text = DIRECTIVE.sub("", COMMENT.sub("", file.read()))
        names.update(DECLARATION.findall(text))
    return names


def mapped(path):
    """The names that the version map lists as global."""
    with open(path, encoding="utf-8") as file:
        text = COMMENT.sub("", file.read())
    names = set()
    for section in re.findall(r"global:(.*?)(?:local:|\})", text, re.DOTALL):
        names.update(name.strip() for name in section.split(";") if name.strip())
    return names


def write_map(path, names):
    lines = "".join(f"    {name};\n" for name in sorted(names))
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            "/* SPDX-License-Identifier: Apache-2.0 */\n"
            "/* What libraffle.so exports. Made by tests/abi/check_symbols.py --write; a section is frozen once it is released. */\n"
            f"{SECTION} {{\nglobal:\n{lines}local:\n    *;\n}};\n"
        )


def symbols(nm, options, library):
    """Name and type of each symbol that a library defines for others."""
    run = subprocess.run([nm, *options, "--defined-only", "--format=posix", library], text=True, capture_output=True, check=True)
    rows = (line.split() for line in run.stdout.splitlines())
    return {row[0]: row[1] for row in rows if len(row) >= 2 and not row[0].endswith(":")}


def exported(nm, library):
    """The names that the shared library exports, without the version's own symbol."""
    names = {name.partition("@")[0]: name.partition("@")[2].lstrip("@") for name in symbols(nm, ["-D"], library)}
    return {name: version for name, version in names.items() if name != SECTION}


def foreign(nm, archive):
    """Global names of the archive that could clash with a host's own."""
    return {
        name
        for name in symbols(nm, ["-g"], archive)
        if not name.startswith(("raffle_", "rf_", "__asan", "__odr_asan", "__ubsan", "__tsan", "__sancov", "__gcov", "DW.ref."))
    }


class Tap:
    """Counts and prints cases."""

    def __init__(self, plan):
        self.number = 0
        self.failed = 0
        print(f"1..{plan}")

    def none(self, title, names):
        """The case holds when there are no such names."""
        self.number += 1
        self.failed += bool(names)
        print(f"{'not ok' if names else 'ok'} {self.number} - {title}")
        for name in sorted(names):
            print(f"# {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--map", required=True)
    parser.add_argument("--shared")
    parser.add_argument("--archive")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("headers", nargs="+")
    args = parser.parse_args()

    declarations = declared(args.headers)
    if args.write:
        write_map(args.map, declarations)
        return 0
    if not args.shared or not args.archive:
        parser.error("--shared and --archive, or --write")
    listed = mapped(args.map)
    exports = exported(args.nm, args.shared)
    tap = Tap(7)
    tap.none("there are declarations", set() if declarations else {"none was found"})
    tap.none("each function that is declared is in the map", declarations - listed)
    tap.none("each name in the map is declared", listed - declarations)
    tap.none("each function that is declared is exported", declarations - set(exports))
    tap.none("each symbol that is exported is declared", set(exports) - declarations)
    tap.none(f"each export is in {SECTION}", {name for name, version in exports.items() if version != SECTION})
    tap.none("each global name in the archive begins with raffle_ or rf_", foreign(args.nm, args.archive))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
