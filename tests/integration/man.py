#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual's pages: mandoc finds no fault with any, every command of `raffle --help` and every public call has its page, and making them again gives
the same bytes.

    RAFFLE=build/src/cli/raffle RAFFLE_BUILD=build python3 tests/integration/man.py
"""
import os
import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
MAIN_CALLS = ("raffle_create", "raffle_open", "raffle_unit_open", "raffle_unit_sell", "raffle_void", "raffle_seal", "raffle_draw_begin", "raffle_draw_finish",
              "raffle_winner_verify", "raffle_audit_store", "raffle_rng_open", "raffle_receipt", "raffle_report_write", "raffle_error_init",
              "raffle_host_init", "raffle_store_new", "raffle_rng_new", "raffle_keys_new")


def need(condition, sentence):
    if not condition:
        sys.exit(f"man.py: {sentence}")


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def public_calls():
    listed = (SOURCE / "src/libraffle.map").read_text(encoding="utf-8")
    return set(re.findall(r"^\s+(raffle_\w+);", listed, re.M))


def made_again(pages):
    again = pathlib.Path("again")
    again.mkdir()
    subprocess.run([sys.executable, SOURCE / "docs/man/make_man.py", again], check=True, env={**os.environ, "LC_ALL": "C", "PYTHONHASHSEED": "7"})
    other = {path.name: path.read_bytes() for path in again.iterdir()}
    need(other == {name: path.read_bytes() for name, path in pages.items()}, "the build's pages are not those that the sources make now")


def lint(pages):
    run = subprocess.run(["mandoc", "-Tlint", "-W", "warning", *pages], capture_output=True, text=True, check=False)
    need(run.returncode == 0 and not run.stdout, f"mandoc:\n{run.stdout}{run.stderr}")


def shown(page):
    """The page as a reader sees it, its lines joined."""
    return " ".join(re.sub(r".\x08", "", output_of("mandoc", "-Tascii", "-O", "width=200", page)).split())


def check_commands(page):
    names = [m.group(1) for m in re.finditer(r"^  (\S+(?: \S+)?)  +\S", output_of(os.environ["RAFFLE"], "--help"), re.M)]
    need(len(names) > 40, "raffle --help lists no commands")
    text = page.read_text(encoding="utf-8")
    for name in names:
        need(re.search(rf'^\.It Sy "{name}[ "]', text.replace(r"\-", "-"), re.M), f"raffle.1 lacks `{name}`")


def check_calls(pages):
    calls = public_calls()
    need(calls >= set(MAIN_CALLS), "src/libraffle.map lacks a main call")
    for name in sorted(calls):
        need(f"{name}.3" in pages, f"there is no page {name}.3")
        text = pages[f"{name}.3"].read_text(encoding="utf-8")
        lead = re.fullmatch(r"\.so man3/(\S+)\n", text)
        text = pages[lead.group(1)].read_text(encoding="utf-8") if lead else text
        need(re.search(rf"^\.Fo {name}$", text, re.M) and re.search(rf"^\.Nm {name}\b", text, re.M), f"{name}.3 does not describe it")


def main():
    folder = pathlib.Path(os.environ["RAFFLE_BUILD"]) / "docs/man"
    pages = {path.name: path for path in sorted(folder.glob("*.[13]"))}
    made_again(pages)
    whole = [path for path in pages.values() if not path.read_text(encoding="utf-8").startswith(".so")]
    lint(whole)
    check_commands(pages["raffle.1"])
    check_calls(pages)
    need("RAFFLE_TIMEOUT: nothing was written." in shown(pages["libraffle.3"]), "libraffle.3 lacks the rules of raffle.h")
    need("raffle_unit_sell(raffle_unit *unit, const raffle_actor *by," in shown(pages["raffle_sale.3"]), "raffle_sale.3 lacks a prototype")
    print(f"{len(whole)} pages, {len(pages) - len(whole)} names that lead to one")


if __name__ == "__main__":
    main()
