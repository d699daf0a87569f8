#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares docs/guide/command.md with what the command says of itself: every command, its arguments and options stand in the page as `--help` has
them, and the other way round.

    RAFFLE=build/src/cli/raffle python3 tests/integration/command_doc.py
"""
import os
import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PAGE = SOURCE / "docs/guide/command.md"
COMMON = {"--keys", "--by", "--ok", "--json", "--help"}
TICKET = "(--order KEY | --ticket U/SERIAL | --number U-NNNNNNN | --validation -)"
# What the page says once, and not in each command's row.
SAID_ONCE = re.compile(r" \[?--(?:by ID:ROLE|ok ID:ROLE|keys URI)\]?")


class Fault(Exception):
    """Something that the page, or the help, does not say."""


def need(condition, sentence):
    if not condition:
        raise Fault(sentence)


def help_of(*command):
    run = subprocess.run([os.environ["RAFFLE"], *command, "--help"], capture_output=True, text=True, check=True)
    return run.stdout


def commands_of(text):
    """The names in the list that `raffle --help` prints."""
    return [m.group(1) for m in re.finditer(r"^  (\S+(?: \S+)?)  +\S", text, re.M)]


def options_of(text):
    """The options in a command's help, with what follows them: {"--place": "N"}."""
    rows = re.findall(r"^  (--[a-z-]+)(?: (\S+))?  +\S", text, re.M)
    return dict(rows)


def rows_of(page):
    """The page's table of commands: {"unit enrol": "STORE --name NAME …"}, and what it calls the command as a whole."""
    table = page.split("| command | |", 1)[1].split("\n\n", 1)[0]
    return [m.group(1).replace(r"\|", "|") for m in re.finditer(r"^\| `([^`]+)` \| \S", table, re.M)]


def options_in(usage):
    return set(re.findall(r"--[a-z][a-z-]*", usage))


def check_command(name, usage):
    text = help_of(*name.split())
    said = " ".join(line.strip() for line in text.split("\n\n")[0].splitlines())
    need(said.startswith(f"usage: raffle {name}"), f"{name}: its help begins with {said!r}")
    spoken = SAID_ONCE.sub("", said.removeprefix("usage: raffle ")).replace(TICKET, "TICKET")
    need(spoken == usage, f"{name}: the page has\n  {usage}\nand its help\n  {spoken}")
    listed = options_of(text)
    need(COMMON <= set(listed), f"{name}: its help lacks {sorted(COMMON - set(listed))}")
    written = options_in(said) | COMMON
    need(written == set(listed), f"{name}: its usage and its list of options differ in {sorted(written ^ set(listed))}")
    for option, value in listed.items():
        whole = f"{option} {value}" if value else option
        need(option in COMMON or whole in said, f"{name}: its usage has no {whole}")


def check_common(page, text):
    """The options of every command stand in the page with their values; so do the variables of the environment."""
    table = page.split("| option, environment | |", 1)[1].split("\n\n", 1)[0]
    for option, value in options_of(text).items():
        whole = f"`{option} {value}`" if value else f"`{option}`"
        need(option == "--help" or option not in COMMON or whole in table, f"the page has no {whole}")
    need(options_in(re.sub(r"`{.*?}`", "", table)) == COMMON - {"--help"}, "the page's options are not the common ones")
    need("--help" in page and "--version" in page, "the page has no --help or --version")


def check_ticket(page):
    said = next(line for line in page.splitlines() if line.startswith("`TICKET` is one of"))
    for way in TICKET.strip("()").split(" | "):
        need(f"`{way}`" in said, f"the page has no ticket by {way}")
    need(len(re.findall("--", said)) == 4, "the page knows other ways to name a ticket")


def check_import(page):
    columns = re.search(r"first line is (\S+);", help_of("import")).group(1)
    need(f"\n    {columns}\n" in page + "\n", f"the page has no line {columns}")


def check():
    page = PAGE.read_text(encoding="utf-8")
    overview = help_of()
    need(overview.splitlines()[0] == "usage: " + page.split("\n\n")[1].strip(), "the page's first line is not the help's")
    names = commands_of(overview)
    rows = rows_of(page)
    need(len(names) == len(set(names)) > 0 and len(rows) == len(set(rows)), "a command stands twice")
    by_name = {}
    for row in rows:
        fitting = [name for name in names if row == name or row.startswith(name + " ")]
        need(fitting, f"the page has `{row}`, which is no command")
        by_name[max(fitting, key=len)] = row
    need(set(by_name) == set(names), f"the page lacks {sorted(set(names) - set(by_name))}")
    need(len(by_name) == len(rows), "a command has two rows")
    for name, row in by_name.items():
        check_command(name, row)
    check_common(page, help_of("status"))
    check_ticket(page)
    check_import(page)
    for status, words in re.findall(r"(\d) ([a-z ]+)", overview.split("Exit status:", 1)[1]):
        need(re.search(rf"^\| {status} \| \S", page, re.M), f"the page has no exit status {status} ({words})")
    print(f"{len(names)} commands")


if __name__ == "__main__":
    try:
        check()
    except Fault as fault:
        sys.exit(f"command_doc.py: {fault}")
