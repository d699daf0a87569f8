#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a C program that compares each _init function of the headers with the struct's _INIT macro, as TAP.

A struct without a macro of its own is compared with RAFFLE_INIT_OF(). A macro without a function does not compile.
"""
import re
import sys

MACRO = re.compile(r"^#define\s+RAFFLE_(\w+)_INIT\s", re.MULTILINE)
FUNCTION_OF = re.compile(r"\braffle_(\w+)_init\(raffle_\w+ \*\w+, size_t size\)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)

PROGRAM = """\
/* SPDX-License-Identifier: Apache-2.0 */
/* Made by make_init.py: each _INIT macro gives what its _init function gives. */
{includes}
#include <stdio.h>
#include <string.h>

static int failed;

static void report(int number, int good, const char *name)
{{
    failed |= !good;
    printf("%s %d - %s\\n", good ? "ok" : "not ok", number, name);
}}

{functions}
static int same_actor(void)
{{
    static const raffle_actor by_macro = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER);
    raffle_actor by_function;
    memset(&by_function, 0xa5, sizeof(by_function));
    return raffle_actor_init(&by_function, sizeof(by_function), "ann", RAFFLE_SELLER, NULL) == RAFFLE_OK &&
           memcmp(&by_macro, &by_function, sizeof(by_macro)) == 0;
}}

int main(void)
{{
    printf("1..{count}\\n");
{calls}
    return failed;
}}
"""

FUNCTION = """\
static int same_{type}(void)
{{
    static const {type} by_macro = {macro};
    {type} by_function;
    memset(&by_function, 0xa5, sizeof(by_function));
    {type}_init(&by_function, sizeof(by_function));
    return by_macro.struct_size == sizeof(by_macro) && memcmp(&by_macro, &by_function, sizeof(by_macro)) == 0;
}}
"""


def initialisers(headers):
    """The structs that have an _init function or an _INIT macro, each with the initialiser to compare with."""
    text = ""
    for path in headers:
        with open(path, encoding="utf-8") as file:
            text += COMMENT.sub("", file.read())
    own = {name.lower(): f"RAFFLE_{name}_INIT" for name in MACRO.findall(text)}
    names = sorted(set(own) | set(FUNCTION_OF.findall(text)))
    return {f"raffle_{name}": own.get(name, f"RAFFLE_INIT_OF(raffle_{name})") for name in names}


def program(headers):
    structs = initialisers(headers)
    names = [*structs, "actor"]
    return PROGRAM.format(
        includes="\n".join(f"#include <{path.rpartition('include/')[2]}>" for path in headers),
        functions="\n".join(FUNCTION.format(type=name, macro=macro) for name, macro in structs.items()),
        count=len(names),
        calls="\n".join(f'    report({i}, same_{name}(), "{name}");' for i, name in enumerate(names, 1)),
    )


def main():
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(program(sys.argv[2:]))


if __name__ == "__main__":
    main()
