#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two release builds of these sources, in folders, locales, time zones and umasks of their own and minutes apart by their clocks, install the same bytes; and the bill of materials
fits CycloneDX's schema and names what was built.

    RAFFLE_SOURCE=. python3 tests/integration/reproducible.py
"""
import filecmp
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["RAFFLE_SOURCE"]).resolve()
OPTIONS = ["--buildtype=release", "--prefix=/usr", "-Dcli=enabled", "-Dtests=disabled", "-Dbenchmarks=disabled", "-Dexamples=disabled", "-Dtest_rng=false"]
PLACES = [("one", {"LC_ALL": "C", "TZ": "UTC", "LANG": "C"}, 0o022), ("another/and/deeper", {"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo", "LANG": "fr_CA.UTF-8"}, 0o027)]
SCHEMA = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
fault = JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1], encoding="utf-8").read())
sys.exit(f"{fault}" if fault else 0)
"""
checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit(f"FAILED: {sentence}")
    checks += 1


def copy_sources(to):
    """What is part of the sources, and nothing that lies beside them."""
    names = subprocess.run(["git", "-C", SOURCE, "ls-files", "-z"], capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SOURCE / name, to / name)


def build(name, environment, umask):
    folder = pathlib.Path(name).resolve()
    before = os.umask(umask)
    try:
        copy_sources(folder / "source")
        ours = {**os.environ, **environment, "CCACHE_DISABLE": "1", "DESTDIR": str(folder / "installed")}
        for command in (["meson", "setup", *OPTIONS, str(folder / "built"), str(folder / "source")], ["ninja", "-C", str(folder / "built")],
                        ["meson", "install", "--no-rebuild", "-C", str(folder / "built")]):
            done = subprocess.run(command, env=ours, capture_output=True, text=True, check=False)
            check(done.returncode == 0, f"{command} ends with {done.returncode}: {done.stdout[-2000:]}{done.stderr}")
    finally:
        os.umask(before)
    return folder / "installed"


def files_of(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def main():
    first, second = (build(*place) for place in PLACES)
    names = files_of(first)
    check(names == files_of(second), f"other files are installed: {set(names) ^ set(files_of(second))}")
    different = [str(name) for name in names if not filecmp.cmp(first / name, second / name, shallow=False)]
    check(not different, f"two builds differ in {different}")
    for kind in ("libraffle.so.0.1.0", "libraffle.a", "raffle", "raffle.h", "libraffle.pc", "libraffle.cdx.json"):
        check(any(name.name == kind for name in names), f"{kind} is not installed")
    for name in names:
        text = (first / name).read_bytes()
        check(str(SOURCE).encode() not in text and str(first.parent).encode() not in text, f"{name} names the folder that it was built in")

    sbom = next(first / name for name in names if name.name == "libraffle.cdx.json")
    bom = json.loads(sbom.read_text(encoding="utf-8"))
    for part in bom["metadata"]["component"]["components"]:
        path = next(first / name for name in names if name.name == part["name"])
        installed = hashlib.sha256(path.read_bytes()).hexdigest()
        check(part["hashes"] == [{"alg": "SHA-256", "content": installed}], f"{part['name']}: the bill says {part['hashes']}, installed is {installed}")
    check({"openssl", "libsodium", "sqlite", "jansson"} <= {each["name"] for each in bom["components"]}, bom["components"])
    done = subprocess.run([os.environ.get("RAFFLE_PYTHON", sys.executable), "-c", SCHEMA, sbom], capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"the bill of materials does not fit its schema: {done.stdout}{done.stderr}")
    print(f"{len(names)} files of two builds are the same; {checks} checks passed")


if __name__ == "__main__":
    main()
