#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints tickets in every format: each field of GLI-31 2.3.1 is there as the store has it, zbar reads the QR codes back from SVG, terminal and the
page as Chromium shows it, html5lib finds the page without a fault, and no text of the rules is anything but text.

    RAFFLE=build/src/cli/raffle RAFFLE_PYTHON=python3 python3 tests/integration/ticket.py

zbarimg, rsvg-convert and chromium must be installed, and html5lib in RAFFLE_PYTHON's packages.
"""
import html.parser
import json
import os
import pathlib
import subprocess
import tempfile
import xml.etree.ElementTree as ET

STORE = "ticket.raffle"
NAME, PLACE = "<b>Gala & \"Co\"</b> '50/50' \u05d0\u05d1", "<img src=x onerror=alert(2)>Hall"
ORGANISATION, LICENCE, TILL = "</style><script>alert(1)</script>", "L-&amp;-1]]>", "<u>till&\"'"
RULES = {
    "origin": "raffle.example/tick_et", "name": NAME, "organisation": ORGANISATION, "licence": LICENCE, "place": PLACE,
    "series": {"name": "<i>Weekly", "number": 7}, "currency": "CAD", "rehearsal": True, "zone": [{"from": "2020-01-01T09:00:00.000Z", "offset": -420}],
    "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"},
    "tiers": [{"name": "three", "count": 3, "price": 1250}], "units": [{"name": TILL}], "prizes": [{"name": "p"}],
    "rng": ["test"],
}
ADDRESS = "https://gala.example/r/{unit}/{serial}?a=1&b='2'"
CHROMIUM = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync")


def run(*arguments, status=0):
    ran = subprocess.run([os.environ["RAFFLE"], *arguments], capture_output=True, text=True,
                         env={**os.environ, "RAFFLE_CLOCK": "2026-11-22T01:30:00.000Z"})
    assert ran.returncode == status, (arguments, ran.returncode, ran.stderr)
    return ran.stdout if status == 0 else ran.stderr


def make():
    pathlib.Path("rules.json").write_text(json.dumps(RULES), encoding="utf-8")
    run("create", STORE, "--rules", "rules.json", "--by", "boss:manager")
    run("sell", STORE, "--tier", "three", "--count", "2", "--order", "o<&>1", "--by", "ann:seller")
    run("void", STORE, "--ticket", "1/2", "--reason", "misprint", "--by", "sue:supervisor")


def codes_in(picture):
    out = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", picture], capture_output=True,
                         text=True, check=True).stdout
    return sorted(out.splitlines())


def field_values(ticket):
    """What stands on a ticket, from --json and the rules, by the clauses' letters."""
    assert ticket["place"] == PLACE and ticket["licence"] == LICENCE and ticket["rehearsal"] is True
    numbers = ticket["numbers"]
    return {
        "a": ORGANISATION, "b": NAME, "b, series": "<i>Weekly, number 7", "b, place": PLACE, "b, id": RULES["origin"], "c": f"{numbers[0]} to {numbers[-1]}",
        "d": "2026-11-21 18:30:00-07:00", "e": f"1, {TILL}", "f": "12.50 CAD (three)", "g": ticket["validation"],
        "h": LICENCE, "ticket": ticket["ticket"], "order": "o<&>1", "state": "VOID" if ticket["void"] else "sold",
        "rules": ticket["rules_hash"],
    }


class Page(html.parser.HTMLParser):
    """Articles as lists of their texts; the names of tags and attributes that there are."""

    def __init__(self):
        super().__init__()
        self.articles, self.tags, self.attributes = [], set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag == "article":
            self.articles.append([])

    def handle_data(self, data):
        if self.articles and data.strip():
            self.articles[-1].append(data.strip())


def check_html(tickets, expected_codes):
    text = run("ticket", STORE, "--order", "o<&>1", "--format", "html", "--address", ADDRESS)
    path = pathlib.Path("tickets.html")
    path.write_text(text, encoding="utf-8")
    strict = "import html5lib,sys; html5lib.HTMLParser(strict=True).parse(open(sys.argv[1], encoding='utf-8').read())"
    subprocess.run([os.environ.get("RAFFLE_PYTHON", "python3"), "-c", strict, str(path)], check=True)
    page = Page()
    page.feed(text)
    assert len(page.articles) == len(tickets)
    for ticket, article in zip(tickets, page.articles):
        for letter, value in field_values(ticket).items():
            assert value in article, (letter, value, article)
        assert "REHEARSAL: this ticket wins nothing" in article
        assert any(line.startswith("VOID") and "taken back" in line for line in article) == ticket["void"]
    assert not page.tags & {"script", "img", "link", "iframe", "b", "u", "a"}, page.tags
    assert not {a for a in page.attributes if a.startswith("on") or a in ("src", "href")}, page.attributes
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run([*CHROMIUM, f"--user-data-dir={profile}", "--window-size=1000,1200", "--force-device-scale-factor=2",
                        "--screenshot=page.png", path.resolve().as_uri()], check=True, stderr=subprocess.DEVNULL)
    assert codes_in("page.png") == expected_codes


def check_svg(expected_codes):
    text = run("ticket", STORE, "--order", "o<&>1", "--format", "svg", "--address", ADDRESS)
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and root[0].text == NAME
    assert {e.tag.split("}")[1] for e in root.iter()} == {"svg", "title", "rect", "g", "path", "text"}
    pathlib.Path("tickets.svg").write_text(text, encoding="utf-8")
    subprocess.run(["rsvg-convert", "-z", "3", "-o", "svg.png", "tickets.svg"], check=True)
    assert codes_in("svg.png") == expected_codes


def draw_blocks(lines, path):
    """Half blocks as a picture, eight dots a module."""
    tops, bottoms = {" ": 0, "▀": 1, "▄": 0, "█": 1}, {" ": 0, "▀": 0, "▄": 1, "█": 1}
    rows = [[half[c] for c in line] for line in lines for half in (tops, bottoms)]
    bits = "\n".join(" ".join(str(bit) for bit in row for _ in range(8)) for row in rows for _ in range(8))
    pathlib.Path(path).write_text(f"P1\n{8 * len(rows[0])} {8 * len(rows)}\n{bits}\n", encoding="ascii")


def check_text(ticket, expected_codes):
    text = run("ticket", STORE, "--ticket", ticket["ticket"], "--format", "text", "--address", ADDRESS)
    fields, own, receipt = text.split("\n\n")
    assert "\033" not in text
    for letter, value in field_values(ticket).items():
        assert f"  {value}\n" in fields + "\n", (letter, value)
    assert "REHEARSAL: this ticket wins nothing" in fields
    assert fields + "\n" == run("ticket", STORE, "--ticket", ticket["ticket"])
    found = []
    for block, heading in ((own, "this ticket"), (receipt, "its receipt: https://gala.example/r/1/1?a=1&b='2'")):
        lines = block.strip("\n").splitlines()
        assert lines[0] == heading and len({len(line) for line in lines[1:]}) == 1
        draw_blocks(lines[1:], "text.pbm")
        found += codes_in("text.pbm")
    assert sorted(found) == expected_codes


def check_refusals(ticket):
    one = ("ticket", STORE, "--ticket", "1/1")
    secret = ticket["validation"]
    for address in (f"https://gala.example/{secret}", f"https://gala.example/?v={secret.replace('-', '').lower()}"):
        said = run(*one, "--format", "svg", "--address", address, status=2)
        assert "secret" in said and secret not in said and secret.replace("-", "").lower() not in said
    for address in ("gala.example", "javascript:alert(1)", "https://", "https:// x", "https://gala.example/\"", "https://x/" + 600 * "y"):
        assert "--address" in run(*one, "--format", "html", "--address", address, status=2)
    assert "--format" in run(*one, "--format", "pdf", status=2)
    assert "--format" in run(*one, "--address", "https://x.example/", status=2)
    run(*one, "--format", "html", "--json", status=2)
    assert run(*one, "--format", "json") == run(*one, "--json")


def check():
    make()
    tickets = json.loads(run("ticket", STORE, "--order", "o<&>1", "--format", "json", "--address", ADDRESS))["tickets"]
    assert [t["void"] for t in tickets] == [False, True]
    for t in tickets:
        assert t["code"] == f"RFL1:RAFFLE.EXAMPLE/TICK_ET:{t['ticket']}:{t['validation'].replace('-', '')}"
        assert t["address"] == f"https://gala.example/r/{t['ticket']}?a=1&b='2'"
        assert t["validation"].replace("-", "") not in t["address"]
    every = sorted(t[name] for t in tickets for name in ("code", "address"))
    check_html(tickets, every)
    check_svg(every)
    check_text(tickets[0], sorted([tickets[0]["code"], tickets[0]["address"]]))
    check_refusals(tickets[0])
    print("printed tickets: text, html, svg and json agree, and their codes are read back")


if __name__ == "__main__":
    check()
