#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/bindings.md: every exported call, and what stands for it in Python and Go, by the "C:" lines of their doc texts. Fails when a call has no name in a language, when a name says that it stands for a
call that is not exported, or when no test of its language uses it; and, without --write, when the page says something else.

    python3 tests/abi/bindings.py [--write]
"""
import ast
import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/abi"))
import check_symbols  # noqa: E402

PAGE = SOURCE / "docs/bindings.md"
HEADERS = sorted((SOURCE / "include/raffle").glob("*.h")) + [SOURCE / "include/raffle/version.h.in"] + sorted((SOURCE / "include/raffle/ext").glob("*.h"))
PYTHON, GO = SOURCE / "bindings/python", SOURCE / "bindings/go"
HEAD = """# The names in C, Python and Go

Made by `tests/abi/bindings.py` from the headers and from the doc texts of [bindings/python](../bindings/python/README.md) and [bindings/go](../bindings/go/README.md); CI holds it to them, and each name to a test of its
language. A name in parentheses is inside of the binding: nobody calls it, and everything goes through it. `_init` and `_free` are what the languages do by themselves.
"""


class Fault(Exception):
    """What does not fit together."""


def calls_in(text):
    return [name.strip() for name in text.split(",")]


def python_names():
    """{call: names}: a class, a function, or Class.method."""
    found = {}
    for path in sorted((PYTHON / "raffle").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            for child in getattr(node, "body", []) if isinstance(node, (ast.Module, ast.ClassDef)) else []:
                if not isinstance(child, (ast.ClassDef, ast.FunctionDef)):
                    continue
                name = f"{node.name}.{child.name}" if isinstance(node, ast.ClassDef) else child.name
                for line in re.findall(r"^\s*C: (.+)$", ast.get_docstring(child) or "", re.M):
                    for call in calls_in(line):
                        found.setdefault(call, []).append(name.removesuffix(".__init__"))
    return found


def go_names():
    """{call: names}: a type, a function, or Type.Method."""
    found = {}
    declared = re.compile(r"^// C: (.+)\n(?:func (?:\(\w+ \*?(\w+)\) )?(\w+)|type (\w+))", re.M)
    for path in sorted(GO.glob("*.go")):
        for line, receiver, function, kind in declared.findall(path.read_text(encoding="utf-8")):
            name = kind or (f"{receiver}.{function}" if receiver else function)
            for call in calls_in(line):
                found.setdefault(call, []).append(name)
    return found


def is_inner(name):
    last = name.split(".")[-1]
    return last.startswith("_") or (name[0].islower() and name.split(".")[0] in GO_INNER)


GO_INNER = {"answer"}


def is_struct(name, names):
    """It stands for a struct's initialiser, or for strings of the library's own."""
    calls = [call for call, some in names.items() if name in some]
    return all(call.endswith(("_init", "_name", "_title", "_source")) for call in calls) and name[0].isupper() and "." not in name


def untested(names, tests):
    """Functions and methods that no test has as a word; what a struct holds is tested by who gives it."""
    words = set()
    for path in tests:
        words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return sorted({name for some in names.values() for name in some if not is_inner(name) and not is_struct(name, names) and name.split(".")[-1] not in words})


def check(language, names, exported, tests):
    missing, strange = exported - set(names), set(names) - exported
    if missing or strange:
        raise Fault(f"{language}: without a name: {sorted(missing)}; not exported: {sorted(strange)}")
    left = untested(names, tests)
    if left:
        raise Fault(f"{language}: no test uses {left}")


def cell(names):
    return ", ".join(f"(`{name}`)" if is_inner(name) else f"`{name}`" for name in names)


def page(python, go):
    lines = [HEAD]
    done = set()
    for header in HEADERS:
        calls = [call for call in check_symbols.DECLARATION.findall(check_symbols.DIRECTIVE.sub("", check_symbols.COMMENT.sub("", header.read_text(encoding="utf-8")))) if call not in done]
        done.update(calls)
        if not calls:
            continue
        name = str(header.relative_to(SOURCE / "include")).removesuffix(".in")
        lines += [f"## {name}\n", "| C | Python | Go |", "|---|---|---|"]
        lines += [f"| `{call}` | {cell(python[call])} | {cell(go[call])} |" for call in calls] + [""]
    return "\n".join(lines)


def main():
    exported = check_symbols.mapped(SOURCE / "src/libraffle.map")
    python, go = python_names(), go_names()
    check("Python", python, exported, list((PYTHON / "tests").glob("*.py")))
    check("Go", go, exported, list(GO.glob("*_test.go")))
    made = page(python, go)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != made:
        raise Fault("docs/bindings.md is not what --write makes")
    print(f"{len(exported)} calls, each with its names and a test")


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        sys.exit(f"FAILED: {fault}")
