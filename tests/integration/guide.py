#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs what docs/guide/night.md, incidents.md and retention.md show, command by command, and compares the output's shape and the exit status.

    RAFFLE=build/src/cli/raffle python3 tests/integration/guide.py [--fill PAGE]

A block is indented by four spaces: `$ ` begins a command, `> ` continues it, `(exit N)` is how it ended when that is not 0, and the rest is what it
prints. `…` in a line stands for anything, on a line of its own for any lines. Numbers, hashes and keys may be others; all else is as written.
`disk-full COMMAND…` is this test's: the command with a disk that takes no more into a store's write-ahead log. With --fill the page is printed with what the commands print in this run.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PAGES = ("night", "incidents", "retention")
INDENT = "    "
MARK = "@@guide"
DISK_FULL = r"""
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static ssize_t put(int fd, const void *bytes, size_t n, off_t at)
{
    char link[40], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) > 4 && strcmp(path + strlen(path) - 4, "-wal") == 0) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, bytes, n, at);
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return put(fd, bytes, n, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at) { return put(fd, bytes, n, at); }
"""


class Fault(Exception):
    """A page that does not say what happens."""


def blocks_of(lines):
    """The commands of a page: {"line", "end", "command", "shown", "status"}; `line` and `end` bound what it shows."""
    found = []
    current = None
    for at, line in enumerate(lines):
        body = line[len(INDENT):] if line.startswith(INDENT) else None
        if body is not None and body.startswith("$ "):
            current = {"line": at + 1, "end": at + 1, "command": body[2:], "shown": [], "status": 0}
            found.append(current)
        elif body is None or current is None:
            current = None if line.strip() else current
        else:
            take(current, body, at)
    return found


def take(current, body, at):
    if body.startswith("> ") and not current["shown"]:
        current["command"] += "\n" + body[2:]
        current["line"] = at + 1
    elif ended := re.fullmatch(r"\(exit (\d+)\)", body):
        current["status"] = int(ended.group(1))
    else:
        current["shown"].append(body)
    current["end"] = at + 1


def make_tools(folder):
    """The folder with `disk-full`, for PATH."""
    tools = pathlib.Path(folder)
    (tools / "full.c").write_text(DISK_FULL, encoding="utf-8")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tools / "full.so", tools / "full.c"], check=True)
    wrapper = tools / "disk-full"
    wrapper.write_text(f'#!/bin/sh\nLD_PRELOAD="{tools}/full.so" exec "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    return tools


def run(page, commands, folder, tools):
    """Runs the commands in one shell: for each its status and its lines."""
    script = ["set +e"]
    for command in commands:
        script.append(f"{{ {command['command']}\n}} </dev/null 2>&1\nprintf '\\n{MARK} %s\\n' $?")
    path = os.path.dirname(os.path.abspath(os.environ["RAFFLE"]))
    env = {**os.environ, "PATH": f"{path}:{tools}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "TZ": "UTC", "GUIDE": str(SOURCE)}
    for name in ("RAFFLE_ACTOR", "RAFFLE_KEYS", "RAFFLE_CLOCK", "http_proxy", "all_proxy", "ALL_PROXY"):
        env.pop(name, None)
    done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    parts = re.split(rf"\n?{MARK} (\d+)\n", done.stdout)
    if len(parts) != 2 * len(commands) + 1:
        raise Fault(f"{page}: the shell ended early, after {parts[-1]!r}: {done.stderr}")
    return [(int(parts[2 * i + 1]), trimmed(parts[2 * i].splitlines())) for i in range(len(commands))]


def trimmed(lines):
    lines = [line.rstrip() for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def shape(text):
    """A line without what differs from run to run: hashes, keys, validation numbers, any number; and how wide columns are."""
    text = re.sub(r"\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{20,}", "+KEY", text)
    text = re.sub(r"\b[0-9a-f]{40,}\b", "HASH", text)
    text = re.sub(r"\b(?:[0-9A-Z]{5}-){4}[0-9A-Z]{4}[0-9A-Z*~$=]", "VALIDATION", text)
    text = re.sub(r"\d+", "N", text)
    return re.sub(r"\s+", " ", text).strip()


def fits(shown, printed):
    """Whether the printed lines are as shown, where "…" stands for anything; empty lines do not count."""
    whole = ""
    for line in filter(None, shown):
        whole += r"(?:.*\n)*?" if line.strip() == "…" else ".*".join(re.escape(shape(part)) for part in line.split("…")) + r"\n"
    return re.fullmatch(whole, "".join(shape(line) + "\n" for line in printed if line)) is not None


def check(page, lines, folder, tools):
    commands = blocks_of(lines)
    if not commands:
        raise Fault(f"{page}: no command")
    for command, (status, printed) in zip(commands, run(page, commands, folder, tools)):
        where = f"{page}:{command['line']}: {command['command'].splitlines()[0]}"
        if status != command["status"]:
            raise Fault(f"{where}\nended with {status}, the page says {command['status']}:\n" + "\n".join(printed))
        if not fits(trimmed(command["shown"]), printed):
            raise Fault(f"{where}\nprints\n" + "\n".join(printed) + "\nand the page shows\n" + "\n".join(command["shown"]))
    return len(commands)


def fill(lines, folder, tools):
    commands = blocks_of(lines)
    for command, (status, printed) in reversed(list(zip(commands, run("page", commands, folder, tools)))):
        if command["shown"]:
            continue
        ended = [f"(exit {status})"] if status else []
        lines[command["line"]:command["end"]] = [(INDENT + line).rstrip() for line in printed + ended]
    print("\n".join(lines))


def main():
    with tempfile.TemporaryDirectory() as folder:
        tools = make_tools(folder)
        if sys.argv[1:2] == ["--fill"]:
            work = pathlib.Path(folder) / "work"
            work.mkdir()
            return fill(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").splitlines(), work, tools)
        total = 0
        for page in PAGES:
            path = SOURCE / "docs/guide" / f"{page}.md"
            work = pathlib.Path(page)
            work.mkdir()
            total += check(path.name, path.read_text(encoding="utf-8").splitlines(), work, tools)
        print(f"{total} commands")
    return None


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        sys.exit(f"guide.py: {fault}")
