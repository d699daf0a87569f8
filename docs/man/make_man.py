#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the manual's pages, so that nothing is written twice: raffle(1) from docs/guide/command.md, libraffle(3) from docs/guide/embedding.md,
raffle_NAME(3) from include/raffle/NAME.h, and for each of its functions a page that leads there.

    python3 docs/man/make_man.py (FOLDER | --list)

The same sources give the same bytes. --list prints the pages' names, a line each.
"""
import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = SOURCE / "include/raffle"
VERSION = re.search(r"version: '([^']+)'", (SOURCE / "meson.build").read_text(encoding="utf-8")).group(1)
DATE = "November 23, 2026"  # of this version's pages
NOT_PAGES = {"export.h", "raffle.h"}


# --- mdoc ---


def escape(text):
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return "".join(c if c.isascii() else rf"\[u{ord(c):04X}]" for c in text)


def line_of(text):
    """A line of text that no macro begins."""
    return r"\&" + text if text[:1] in (".", "'") else text


def quoted(text):
    return '"' + escape(text).replace('"', r"\(dq") + '"'


def literal(lines):
    return [".Bd -literal", *(line_of(escape(line)) for line in lines), ".Ed"]


def wrapped(text):
    """Running text, a sentence or at most some 100 characters a line; `code`, **strong** and [links](there) as a manual has them."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = escape(" ".join(text.split()))
    text = re.sub(r"`([^`]+)`|\*\*([^*]+)\*\*", lambda m: rf"\fB{m.group(1) or m.group(2)}\fP", text)
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and (len(lines[-1]) + len(word) > 100 or re.search(r"[.!?]$", lines[-1])):
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return [line_of(line) for line in lines]


def head(name, section):
    return [r'.\" SPDX-License-Identifier: Apache-2.0', r'.\" Made by docs/man/make_man.py.', f".Dd {DATE}", f".Dt {name.upper()} {section}", f'.Os "libraffle {VERSION}"', ".Sh NAME"]


# --- Markdown ---


def table_of(lines):
    """A table as a tagged list, its first column the tags."""
    out = [".Bl -tag -width Ds"]
    for line in lines[2:]:
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        text = "; ".join(filter(None, cells[1:]))
        out += [".It Sy " + quoted(re.sub(r"\[([^\]]+)\]\([^)]*\)|`", r"\1", cells[0])), *(wrapped(text) if text else [])]
    return [*out, ".El"]


def list_of(lines):
    text = "\n".join(lines)
    out = [".Bl -bullet -compact"]
    for item in re.split(r"^(?:- |\d+\. )", text, flags=re.M)[1:]:
        out += [".It", *wrapped(item)]
    return [*out, ".El"]


def block_of(lines):
    if lines[0].startswith("|"):
        return table_of(lines)
    if lines[0].startswith("    "):
        return [".Bd -literal -offset indent", *(line_of(escape(line[4:])) for line in lines), ".Ed"]
    if re.match(r"- |\d+\. ", lines[0]):
        return list_of(lines)
    return [".Pp", *wrapped(" ".join(lines))]


def markdown(text):
    """The page below its title: sections and blocks."""
    out = []
    for block in re.split(r"\n\s*\n", text.split("\n", 1)[1].strip("\n")):
        lines = block.split("\n")
        if lines[0].startswith("#"):
            out.append(".Sh " + escape(lines[0].lstrip("# ").replace("`", "")).upper())
            lines = lines[1:]
        if lines:
            out += block_of(lines)
    return without_idle_paragraphs(out)


def without_idle_paragraphs(lines):
    """Without .Pp where the language forbids it: after a heading, and before a display or a list."""
    out = []
    for line in lines:
        if line == ".Pp" and (not out or out[-1].startswith((".Sh", ".Ss"))):
            continue
        if line.startswith((".Sh", ".Ss")) and out and out[-1] == ".Pp":
            out.pop()
        out.append(line)
    return out


# --- headers ---


def comment_text(comment):
    """A comment's lines without its stars."""
    lines = comment.strip()[2:-2].split("\n")
    return [re.sub(r"^ ?\* ?", "", line).rstrip() if i else line.strip() for i, line in enumerate(lines)]


WHOLE = re.compile(r"(?:/\*.*?\*/|[^;{/]|/(?!\*))*(?:\{.*?^\}[^;]*)?;[^\n]*(?:\n(?= {4,}\S)[^\n]*\*/)?\n", re.M | re.S)


def items_of(text):
    """The header's comments and declarations of the first level, in order: ("comment", …), ("code", …)."""
    at = 0
    while at < len(text):
        found = re.compile(r"/\*.*?\*/[ \t]*\n", re.S).match(text, at)
        if found:
            yield "comment", found.group()
            at = found.end()
        elif re.match(r"(RAFFLE_API|typedef|enum)\b", text[at:]):
            found = WHOLE.match(text, at)
            yield "code", found.group()
            at = found.end()
        else:
            if text[at] == "\n":
                yield "blank", ""
            macro = re.compile(r"[^\n]*\\\n(?:[^\n]*\\\n)*[^\n]*\n|[^\n]*\n").match(text, at)
            at = macro.end() if macro else len(text)


def split_arguments(text):
    depth, parts = 0, [""]
    for c in text:
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts]


def function_of(code):
    """{"name", "type", "arguments"} of a function's declaration; None for a type's."""
    if not code.startswith("RAFFLE_API"):
        return None
    plain = " ".join(re.sub(r"/\*.*?\*/|RAFFLE_API|RAFFLE_NODISCARD", " ", code, flags=re.S).split())
    kind, name, arguments = re.fullmatch(r"(.*?)(\w+) ?\((.*)\);", plain).groups()
    return {"name": name, "type": kind.strip(), "arguments": split_arguments(arguments)}


def type_name(code):
    named = re.search(r"(?:\}|\w[ *])\s*(\w+);[^\n]*\n$", code) if code.startswith("typedef") else None
    pointer = re.match(r"typedef [^;{]*\(\*(\w+)\)", code)
    return (pointer or named).group(1) if pointer or named else ""


class Header:
    """A public header: its subject, its functions, and its groups of a comment and what follows it."""

    def __init__(self, path):
        self.path = path
        self.include = "raffle/" + path.relative_to(INCLUDE).as_posix().removesuffix(".in")
        stem = self.include.removeprefix("raffle/").removesuffix(".h")
        self.page = "raffle_" + stem.replace("/", "_")
        items = list(items_of(path.read_text(encoding="utf-8")))
        about = " ".join(" ".join(comment_text(items[1][1])).split())
        self.subject = re.split(r"(?<=[.])\s", about, maxsplit=1)[0].rstrip(".")
        self.about = about
        self.preface = comment_text(items[1][1])
        self.groups = []
        apart = True
        for kind, text in items[2:]:
            if kind == "comment" or (kind == "code" and apart):
                self.groups.append({"comment": comment_text(text) if kind == "comment" else [], "types": [], "functions": []})
            if kind == "code":
                function = function_of(text)
                self.groups[-1]["functions" if function else "types"].append(function or text)
            apart = kind == "blank"
        self.functions = [function for group in self.groups for function in group["functions"]]


def headers():
    paths = sorted([*INCLUDE.glob("*.h"), *INCLUDE.glob("*.h.in"), *INCLUDE.glob("ext/*.h")])
    return [Header(path) for path in paths if path.name not in NOT_PAGES]


def prototype(function):
    return [f".Ft {quoted(function['type'])}", f".Fo {function['name']}", *(f".Fa {quoted(a)}" for a in function["arguments"]), ".Fc"]


def tagged(text):
    """`word  text`, its other lines indented, as a list."""
    out = [".Bl -tag -width Ds"]
    for word, body in re.findall(r"^(\w+) {2,}(.*(?:\n +.*)*)", text, re.M):
        out += [".It Sy " + quoted(word), *wrapped(body)]
    return [*out, ".El"]


def paragraphs(lines):
    out = []
    for part in re.split(r"\n\s*\n", "\n".join(lines).strip("\n")):
        shown = part.split("\n")
        if all(re.match(r"\w+ {2,}\S| {4,}\S", line) for line in shown):
            out += tagged(part)
        elif any(re.match(r" {2,}\S|\w+ {2,}\S", line) for line in shown):
            out += literal(shown)
        elif part.strip():
            out += [".Pp", *wrapped(part)]
    return out


def heading(group):
    names = [type_name(code) for code in group["types"]] + [f["name"] for f in group["functions"] if not f["name"].endswith("_init") or not group["types"]]
    return ", ".join(filter(None, names)) or "constants"


def group_lines(group):
    out = []
    if group["types"] or group["functions"]:
        out.append(f".Ss {escape(heading(group))}")
    out += paragraphs(group["comment"])
    for code in group["types"]:
        out += literal(code.rstrip("\n").split("\n"))
    return out


def section_3(header, all_headers):
    out = head(header.page, 3)
    names = [header.page, *(f["name"] for f in header.functions if f["name"] != header.page)]
    out += [f".Nm {name}{' ,' if name != names[-1] else ''}" for name in names]
    out += [".Nd " + escape(header.subject[:1].lower() + header.subject[1:] if not header.subject[:2].isupper() else header.subject)]
    out += [".Sh SYNOPSIS", f".In {header.include}"]
    for function in header.functions:
        out += prototype(function)
    out += [".Sh DESCRIPTION", *wrapped(header.about)]
    for group in header.groups:
        out += group_lines(group)
    if any(f["type"] == "raffle_rc" for f in header.functions):
        out += [".Sh RETURN VALUES"]
        out += wrapped("Calls of type raffle_rc return RAFFLE_OK, which is 0, or why they failed; the sentence is in `err`, which may be NULL. The statuses are in raffle_error(3).")
    return without_idle_paragraphs([*out, ".Sh SEE ALSO", *see_also(header, all_headers)])


def see_also(header, all_headers):
    pages = {h.include: h.page for h in all_headers}
    text = header.path.read_text(encoding="utf-8")
    near = {pages[name] for name in re.findall(r"#include <(raffle/\S+)>", text) if name in pages}
    names = sorted([("libraffle", 3), ("raffle", 1), *((page, 3) for page in near)], key=lambda n: (n[1], n[0]))
    return [f".Xr {name} {section}{' ,' if (name, section) != names[-1] else ''}" for name, section in names]


# --- the pages ---


def raffle_1():
    text = (SOURCE / "docs/guide/command.md").read_text(encoding="utf-8")
    body = text.split("\n\n", 2)
    out = head("raffle", 1) + [".Nm raffle", ".Nd make, sell, draw, audit and publish an electronic raffle", ".Sh SYNOPSIS"]
    usage = body[1].strip().removeprefix("raffle ")
    out += [".Nm", *wrapped(usage), ".Sh DESCRIPTION", *markdown("\n" + body[2])]
    return [*out, ".Sh SEE ALSO", ".Xr libraffle 3"]


def libraffle_3(all_headers):
    text = (SOURCE / "docs/guide/embedding.md").read_text(encoding="utf-8")
    about = Header(INCLUDE / "raffle.h")
    out = head("libraffle", 3) + [".Nm libraffle", ".Nd a library for electronic raffles", ".Sh SYNOPSIS", ".In raffle/raffle.h"]
    out += [".Sh DESCRIPTION", *paragraphs(about.preface)]
    out += [".Sh PAGES", ".Bl -tag -width Ds"]
    for header in all_headers:
        out += [f".It Xr {header.page} 3", *wrapped(header.subject + ".")]
    out += [".El", *markdown(text.replace("# Embedding\n", "# Embedding\n\n## Embedding\n", 1))]
    return without_idle_paragraphs([*out, ".Sh SEE ALSO", ".Xr raffle 1"])


def pages():
    """Every page: {"raffle.1": its lines}."""
    every = headers()
    made = {"raffle.1": raffle_1(), "libraffle.3": libraffle_3(every)}
    for header in every:
        made[f"{header.page}.3"] = section_3(header, every)
    for header in every:
        for function in header.functions:
            made.setdefault(f"{function['name']}.3", [f".so man3/{header.page}.3"])
    return made


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    made = pages()
    if sys.argv[1] == "--list":
        print("\n".join(made))
        return
    for name, lines in made.items():
        (pathlib.Path(sys.argv[1]) / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
