#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the C source of raffle._native from the preprocessed headers.

    make_native.py API.I BULK.H OUT.C

Nothing is copied by hand: functions, structs and constants are those of the headers, and each callback that they name, as a member of a struct or as a
type, gets a function of its own that Python implements: `raffle_py_host_clock` for the member `clock` of `raffle_host`, `raffle_py_write` for the type
`raffle_write`.
"""
import pathlib
import re
import sys

import cffi

MARK = re.compile(r"enum\s*\{\s*the_headers_begin_here\s*\};")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DIRECTIVE = re.compile(r"^\s*#.*$", re.MULTILINE)
STRUCT = re.compile(r"typedef struct (raffle_\w+) \{(.*?)\}\s*\1;", re.DOTALL)
MEMBER = re.compile(r"(\w+) \(\*(\w+)\)\(([^()]*)\);")
TYPE = re.compile(r"typedef (\w+) \(\*(raffle_\w+)\)\(([^()]*)\);")

# Macros, which the preprocessor took away.
CONSTANTS = "#define RAFFLE_VERSION_MAJOR ...\n#define RAFFLE_VERSION_MINOR ...\n#define RAFFLE_VERSION_PATCH ...\n"

SOURCE = """\
#include <raffle/raffle.h>
#include <raffle/ext/key.h>
#include <raffle/ext/rng.h>
#include <raffle/ext/store.h>

#include "bulk.h"
"""


def declarations(preprocessed):
    """What follows the mark, which is the headers' own."""
    return DIRECTIVE.sub("", MARK.split(preprocessed, maxsplit=1)[1])


def callbacks(text):
    """A function for each callback of the headers, as cffi declares functions that Python implements."""
    found = [(result, name, arguments) for result, name, arguments in TYPE.findall(text)]
    for struct, members in STRUCT.findall(text):
        found += [(result, f"{struct}_{name}", arguments) for result, name, arguments in MEMBER.findall(members)]
    lines = [f"    {result} raffle_py_{name[len('raffle_'):]}({arguments});" for result, name, arguments in found]
    return 'extern "Python" {\n' + "\n".join(lines) + "\n}\n"


def prototypes(header):
    return DIRECTIVE.sub("", COMMENT.sub("", header))


def main():
    api, bulk, out = (pathlib.Path(argument) for argument in sys.argv[1:])
    text = declarations(api.read_text(encoding="utf-8"))
    builder = cffi.FFI()
    builder.cdef(text + CONSTANTS + callbacks(text) + prototypes(bulk.read_text(encoding="utf-8")))
    builder.set_source("raffle._native", SOURCE)
    builder.emit_c_code(str(out))


if __name__ == "__main__":
    main()
