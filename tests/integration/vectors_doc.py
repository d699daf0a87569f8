#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/guide/vectors.md names each file of vectors, each of their members, and nothing else; a file's cases have names of their own; and the scripts that make files from
nothing else make them as they are."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["RAFFLE_SOURCE"])
COMMON = {"name", "valid", "kind"}
MAKERS = ["base.py", "draw.py", "policy.py", "prize.py", "raffle.py", "receipt.py", "validation.py"]


def check(good, sentence):
    if not good:
        sys.exit("FAILED: " + sentence)


def documented():
    page = (SOURCE / "docs/guide/vectors.md").read_text(encoding="utf-8")
    part = page.split("## File by file")[1].split("\n## ")[0]
    sections = re.split(r"^### (\w+)$", part, flags=re.M)[1:]
    for name, text in zip(sections[::2], sections[1::2]):
        rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
        yield name, {member for row in rows for member in re.findall(r"`(\w+)`", row)}, text


def made_again():
    """The makers write beside their folder: here into a copy."""
    for folder in ("vectors/generate", "reference"):
        shutil.copytree(SOURCE / "tests" / folder, pathlib.Path("tests") / folder)
    for maker in MAKERS:
        done = subprocess.run([sys.executable, f"tests/vectors/generate/{maker}"], capture_output=True, text=True)
        check(done.returncode == 0, f"{maker}: {done.stdout}{done.stderr}")
    made = sorted(pathlib.Path("tests/vectors").glob("*.json"))
    for path in made:
        check(path.read_bytes() == (SOURCE / path).read_bytes(), f"{path} is not as its maker writes it")
    return len(made)


def main():
    sections = {name: (members, text) for name, members, text in documented()}
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (SOURCE / "tests/vectors").glob("*.json")}
    check(sections.keys() == files.keys(), f"sections and files differ: {sorted(sections.keys() ^ files.keys())}")
    for name, file in files.items():
        cases, (members, text) = file["cases"], sections[name]
        used = {member for case in cases for member in case} - COMMON
        check(used == members, f"{name}: members and their description differ: {sorted(used ^ members)}")
        check(file["algorithm"] == name and len({case["name"] for case in cases}) == len(cases), f"{name}: its algorithm, or two cases of one name")
        for kind in {case["kind"] for case in cases if "kind" in case}:
            check(f"`{kind}`" in text, f"{name}: the kind {kind} is not described")
    print(f"{len(files)} files, {sum(len(file['cases']) for file in files.values())} cases; {made_again()} files made again")


main()
