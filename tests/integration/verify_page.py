#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The buyer's page, examples/verify-page, in headless Chromium, by mouse and by keyboard, on a desktop and at a phone's width: good raffles and receipts
get ticks alone; altered ones, every byte of a small raffle and of a receipt in turn, and forged ones, rightly signed, get a cross with the reason. The
page's own implementation runs tests/vectors.

    RAFFLE=build/src/cli/raffle python3 tests/integration/verify_page.py

chromium, chromedriver and openssl must be installed. Pictures of the page are left in the folder.
"""
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent / "verify_page"))
from cosigner import Cosigner  # noqa: E402
from forge import Signer, forge, read_leaves  # noqa: E402
from webdriver import Browser  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
NAME, TITLE = "Gala & <b>Co</b> <script>window.hit=1</script>", "Half <img src=x onerror='window.hit=1'>"
SALES = {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"}
WHOLE = {
    "origin": "raffle.example/page", "name": NAME, "organisation": "Club \u05d0\u05d1", "licence": "L-1", "place": "Hall", "currency": "CAD",
    "rehearsal": True, "sales": SALES, "zone": [{"from": "2020-01-01T09:00:00.000Z", "offset": -420}],
    "tiers": [{"name": "ten", "count": 10, "price": 2000}, {"name": "one", "count": 1, "price": 300}],
    "units": [{"name": "web"}, {"name": "till"}, {"name": "empty"}],
    "prizes": [{"name": "early", "title": "Early bird", "seal": "early", "winners": 2, "alternates": 2},
               {"name": "half", "title": TITLE, "winners": 5, "alternates": 3, "tiers": ["ten"]},
               {"name": "many", "winners": 590, "alternates": 15, "one_win": "number"}, {"name": "any", "winners": 3, "one_win": "none"}],
    "rng": ["test"],
}
SMALL = {
    "origin": "raffle.example/s", "name": "S", "organisation": "C", "currency": "CAD", "rehearsal": True, "sales": SALES,
    "tiers": [{"name": "t", "count": 2, "price": 100}], "prizes": [{"name": "p"}], "rng": ["test"],
}
COMMITTED = {
    "origin": "raffle.example/committed", "name": "Committed", "organisation": "Club", "currency": "CAD", "rehearsal": True,
    "sales": {"opens": "2023-09-15T09:00:00.000Z", "closes": "2023-09-15T10:30:00.000Z"},
    "tiers": [{"name": "ten", "count": 10, "price": 2000}], "beacon": "quicknet", "rng": ["test"],
    "prizes": [{"name": "car", "winners": 3, "seed": "committed", "beacon_delay": 60}],
}
DRUM = {
    "origin": "raffle.example/drum", "name": "Drum", "organisation": "Club", "currency": "CAD", "rehearsal": True, "sales": SALES, "rng": ["test"],
    "tiers": [{"name": "one", "count": 1, "price": 300}, {"name": "ten", "count": 10, "price": 2000}],
    "prizes": [{"name": "quilt", "draw": "drum", "winners": 2, "alternates": 1, "tiers": ["ten"]},
               {"name": "ace", "share": 5000, "pot": "entered", "tiers": ["ten"], "ace": 3, "must_go": True, "alternates": 2}, {"name": "last", "winners": 4}],
}
BEACON = {
    "round": 657413, "randomness": "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587",
    "signature": "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
}
NEGATIVE = "9" + BEACON["signature"][1:]  # the same point, mirrored
VECTORS = {"sha256": 9, "hmac_sha256": 16, "hmac_drbg": 120, "merkle": 69, "note": 77, "checkpoint": 30, "json": 128, "draw": 68}
TAB, ENTER = "\ue004", "\ue007"
checks = 0


def need(condition, *what):
    global checks
    assert condition, what
    checks += 1


# --- raffles ---

def raffle(*arguments, clock=None, given=None):
    environment = {**os.environ, "RAFFLE_ACTOR": "boss:manager", "RAFFLE_BEACON_VERIFIER": "true"}
    if clock:
        environment["RAFFLE_CLOCK"] = clock
    return subprocess.run([os.environ["RAFFLE"], *arguments], check=True, capture_output=True, text=True, env=environment, input=given).stdout


def create(name, rules, clock=None):
    pathlib.Path(f"{name}.json").write_text(json.dumps(rules), encoding="utf-8")
    raffle("create", f"{name}.raffle", "--rules", f"{name}.json", clock=clock)


def import_lines(name, lines):
    pathlib.Path("sales.csv").write_text("\n".join(["kind,at,unit,order,tier,count,payment,buyer,channel,reason,by", *lines]) + "\n", encoding="utf-8")
    raffle("import", f"{name}.raffle", "sales.csv")


def draw(name, prize, seed):
    raffle("draw", f"{name}.raffle", prize, "--rng", f"test:seed={seed}")


def publish(name, folder, *options):
    raffle("publish", f"{name}.raffle", folder, *options)
    return json.loads(pathlib.Path(folder, "manifest.json").read_text(encoding="utf-8"))["logs"][0]["key"]


def receipt(name, ticket):
    return raffle("receipt", f"{name}.raffle", "--ticket", ticket)


def make_whole():
    """Two seals, voids in both kinds of log, a forfeit that promotes, places in two records."""
    create("whole", WHOLE)
    sales = [f"sale,,{1 + i % 2},order-{i},{'ten' if i % 3 else 'one'},{1 + i % 2},,,,," for i in range(400)]
    import_lines("whole", [*sales[:200], "void,,,order-5,,,,,,refund,", "void,,,order-77,,,,,,error,"])
    promise = receipt("whole", "1/1")
    raffle("seal", "whole.raffle", "--early")
    raffle("ack", "whole.raffle", "--early")
    draw("whole", "early", "01")
    raffle("forfeit", "whole.raffle", "early", "--place", "1", "--reason", "gone", "--ok", "sue:supervisor")
    import_lines("whole", [*sales[200:], "void,,,order-300,,,,,,refund,", "void,,,order-301,,,,,,refund,"])
    raffle("unit", "close", "whole.raffle", "1")
    raffle("void", "whole.raffle", "--order", "order-310", "--reason", "refund")
    raffle("seal", "whole.raffle")
    raffle("ack", "whole.raffle")
    for prize, seed in (("half", "02"), ("many", "03"), ("any", "04")):
        draw("whole", prize, seed)
    key = publish("whole", "published/whole")
    publish("whole", "published/withheld", "--hashes")
    return key, promise


def make_small():
    create("small", SMALL)
    for order in "ab":
        raffle("sell", "small.raffle", "--tier", "t", "--order", order)
    raffle("void", "small.raffle", "--order", "b", "--reason", "refund")
    raffle("seal", "small.raffle")
    raffle("ack", "small.raffle")
    draw("small", "p", "01")
    return publish("small", "published/small")


def make_restored(name, lost):
    """A promise is given; then a backup from before it is put back, `lost` orders are sold to others, and the raffle goes on."""
    create(name, {**SMALL, "origin": f"raffle.example/{name}"})
    raffle("sell", f"{name}.raffle", "--tier", "t", "--order", "a")
    shutil.copy(f"{name}.raffle", "backup")
    raffle("sell", f"{name}.raffle", "--tier", "t", "--order", "b")
    promise = receipt(name, "1/2")
    for suffix in ("", "-wal", "-shm", "-anchor"):
        pathlib.Path(f"{name}.raffle{suffix}").unlink(missing_ok=True)
    shutil.copy("backup", f"{name}.raffle")
    for i in range(lost):
        raffle("sell", f"{name}.raffle", "--tier", "t", "--order", f"other-{i}")
    raffle("seal", f"{name}.raffle")
    return publish(name, f"published/{name}"), promise


def make_committed():
    create("committed", COMMITTED, "2023-09-15T10:00:00.000Z")
    for i in range(20):
        raffle("sell", "committed.raffle", "--tier", "ten", "--order", f"o-{i}", clock="2023-09-15T10:00:01.000Z")
    raffle("seal", "committed.raffle", clock="2023-09-15T10:40:00.000Z")
    raffle("ack", "committed.raffle", clock="2023-09-15T10:41:00.000Z")
    pathlib.Path("round.json").write_text(json.dumps(BEACON), encoding="ascii")
    raffle("draw", "committed.raffle", "car", "--rng", "test:seed=07", "--begin", "--seed", "car.seed", clock="2023-09-15T10:59:02.000Z")
    raffle("draw", "committed.raffle", "car", "--finish", "--seed", "car.seed", "--beacon", "round.json", clock="2023-09-15T11:00:03.000Z")
    return publish("committed", "published/committed")


def make_drum():
    """Numbers called by hand, rejected for every reason; an ace that is missed, so that an alternate is promoted, whose ticket the last draw bars."""
    create("drum", DRUM)
    import_lines("drum", [*[f"sale,,1,order-{i},{'one' if i == 0 else 'ten'},1,,,,," for i in range(6)], "void,,,order-1,,,,,,refund,"])
    raffle("print", "drum.raffle", "1")
    raffle("seal", "drum.raffle")
    raffle("ack", "drum.raffle")
    raffle("draw", "drum.raffle", "quilt", "--manual", *(f"1-{number:07d}" for number in (99, 2, 1, 12, 12, 13, 22, 35)))
    draw("drum", "ace", "02")
    place = json.loads(raffle("status", "drum.raffle", "--prize", "ace", "--json"))["prize"]["places"][0]
    shown = json.loads(raffle("ticket", "drum.raffle", "--number", place["number"], "--json"))["tickets"][0]["validation"]
    raffle("verify-winner", "drum.raffle", "ace", "--validation", "-", given=shown + "\n")
    raffle("official", "drum.raffle", "ace")
    raffle("pick", "drum.raffle", "ace", "--envelope", "1", "--missed", "--ok", "sue:supervisor")
    draw("drum", "last", "03")
    key = publish("drum", "published/drum")
    publish("drum", "published/drum-withheld", "--hashes")
    return key


def make_witnessed(cosigners):
    """Two of three witnesses answer."""
    lines = [f"witness w{i} {cosigner.vkey} {cosigner.address}" for i, cosigner in enumerate(cosigners)]
    lines += [f"witness w2 {Cosigner.stranger()}", "group enough 2 w0 w1 w2", "quorum enough"]
    create("witnessed", {**SMALL, "origin": "raffle.example/w", "witnesses": lines})
    for order in "abc":
        raffle("sell", "witnessed.raffle", "--tier", "t", "--order", order)
    raffle("seal", "witnessed.raffle")
    raffle("ack", "witnessed.raffle")
    draw("witnessed", "p", "01")
    raffle("witness", "witnessed.raffle")
    return publish("witnessed", "published/witnessed")


def control(folder):
    return [json.loads(leaf) for leaf in read_leaves(f"{folder}/control")]


# --- servers ---

class Handler(http.server.SimpleHTTPRequestHandler):
    """A static server; its `roots` say which folder an address begins."""
    protocol_version = "HTTP/1.1"

    def translate_path(self, path):
        for prefix, folder in self.server.roots.items():
            if path.startswith(prefix):
                return str(folder) + "/" + path[len(prefix):]
        return "/nonexistent"

    def end_headers(self):
        if self.server.open_to_all:
            self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_):
        self.server.asked.append((self.path, self.headers.get("Cookie"), self.headers.get("Referer")))


def serve(roots, open_to_all):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.roots, server.open_to_all, server.asked = roots, open_to_all, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


# --- the page ---

class Page:
    def __init__(self, browser, base):
        self.browser, self.base = browser, base

    def load(self, fragment=""):
        self.browser.go("about:blank")
        self.browser.go(f"{self.base}/page/index.html{fragment}")
        self.browser.until("return document.documentElement.dataset.ready === 'yes'")

    def fill(self, **values):
        """As a paste does it: the value at once."""
        for name, value in values.items():
            self.browser.run("document.getElementById(arguments[0]).value = arguments[1]", name, value)

    def result(self):
        self.browser.until("return document.getElementById('result').dataset.done === 'yes'")
        return self.browser.run("""
            const texts = (selector) => [...document.querySelectorAll(selector)].map((e) => e.textContent);
            return {verdict: document.getElementById('verdict').textContent, state: document.getElementById('verdict').className,
                    good: texts('#steps li.good'), bad: texts('#steps li.bad'), open: texts('#steps li.open'), ticket: texts('#ticket')[0],
                    winners: texts('#winners')[0], mine: texts('tr.mine')}""")

    def check(self, **values):
        self.load()
        self.fill(**values)
        self.browser.run("document.getElementById('check').click()")
        return self.result()

    def good(self, what, **values):
        found = self.check(**values)
        need(found["state"] == "good" and not found["bad"] and "passed" in found["verdict"], what, found)
        return found

    def bad(self, what, reason, **values):
        found = self.check(**values)
        need(found["state"] == "bad" and any(reason in line for line in found["bad"]), what, reason, found["bad"], found["verdict"])
        return found


def check_core(browser, page):
    """The page's implementation, through tests/vectors."""
    page.load()
    for name, count in VECTORS.items():
        ran = browser.run_async("""const [name, done] = arguments;
            const {runVectors} = await import('/test/vectors.js');
            done(await runVectors('/page/core', name, (await (await fetch(`/vectors/${name}.json`)).json()).cases));""", name)
        need(ran == {"ran": count, "failed": []}, name, ran)
    ran = browser.run_async("""const done = arguments[0];
        const {runHashToG1} = await import('/test/vectors.js');
        done(await runHashToG1('/page/core', await (await fetch('/vectors/rfc9380/hash_to_g1.json')).json()));""")
    need(ran == {"ran": 5, "failed": []}, ran)
    ran = browser.run_async("""const done = arguments[0];
        const {compareEd25519} = await import('/test/vectors.js');
        done(await compareEd25519('/page/core', (await (await fetch('/vectors/note.json')).json()).cases));""")
    need(ran["ran"] >= 80 and ran["differ"] == [] and ran["good"] >= 5, ran)


def check_good(page, folders, key, promise):
    winner = next(r for r in control("published/whole") if r["t"] == "draw.result" and r["prize"] == "half")["places"][0]
    ticket = f"{winner['unit']}/{winner['serial']}"
    found = page.good("a winner", text=receipt("whole", ticket), address=folders + "/whole/", key=key)
    need("holds a winner's place" in found["verdict"] and len(found["mine"]) >= 1 and "your ticket" in found["mine"][0], found)
    for text in (NAME, "Club \u05d0\u05d1", "L-1", "Hall", ticket, "20.00 CAD (ten)", "-07:00", "REHEARSAL"):
        need(text in found["ticket"], text, found["ticket"])
    need(TITLE in found["winners"] and "forfeited" in found["winners"] and "winner, promoted" in found["winners"], found["winners"])
    need(sum("Permutation" in line for line in found["good"]) == 4 and any("neighbours" in line for line in found["good"]), found["good"])
    need(page.browser.run("return window.hit === undefined && document.querySelector('main img, main b, main script') === null"), "a name became HTML")

    void = page.good("a void ticket", text=receipt("whole", "2/5"), address=folders + "/whole", key=key)
    need("void: it takes no part" in void["verdict"], void["verdict"])
    sold = page.good("a promise", text=promise, address=folders + "/whole/", key=key)
    need(any("final seal covers it" in line for line in sold["good"]) and any("in the drum: not void" in line for line in sold["good"]), sold["good"])
    need("promise" in page.good("a promise alone", text=promise, key=key)["open"][-1], "a promise proves a drum")
    page.good("a receipt alone", text=receipt("whole", "1/9").rstrip("\n").replace("\n", "\r\n"), key=f" {key} ")
    page.good("the draws alone", address=folders + "/whole/", key=key)
    withheld = page.good("withheld records", text=receipt("whole", ticket), address=folders + "/withheld/", key=key)
    need(any("withheld" in line for line in withheld["open"]) and sum("places in the order drawn" in line for line in withheld["good"]) == 4, withheld)


def check_committed(page, folders, key):
    found = page.good("a committed draw", address=folders + "/committed/", key=key)
    need(any("committed to, with round 657413" in line for line in found["good"]), found["good"])
    need(any("signed by drand's quicknet" in line for line in found["good"]), found["good"])
    result = next(i for i, r in enumerate(control("published/committed")) if r["t"] == "draw.result")
    for reason, change in (("not the one that the intent committed to", {"seed": "00" * 48}), ("fixes round 657413", {"round": 657414}), ("not in the subgroup", {"beacon": BEACON["signature"][:-1] + "a"}), ("not the key's over this round", {"beacon": NEGATIVE})):
        forged(page, folders, "committed", key, reason, result, change)


def check_drum(page, folders, key):
    found = page.good("a drum draw", address=folders + "/drum/", key=key)
    need(any("3 places, 5 numbers rejected" in line for line in found["good"]) and any("came out of the drum" in line for line in found["open"]), found)
    need("missed" in found["winners"] and "winner, promoted" in found["winners"], found["winners"])
    withheld = page.good("a drum draw, the records withheld", address=folders + "/drum-withheld/", key=key)
    need(any("void or not entered" in line for line in withheld["open"]), withheld["open"])
    records = control("published/drum")
    calls = [i for i, r in enumerate(records) if r["t"] == "draw.call"]
    manual = next(i for i, r in enumerate(records) if r["t"] == "draw.manual")
    seal = next(i for i, r in enumerate(records) if r["t"] == "seal.unit")
    for reason, index, change in (("and record", calls[1], {"outcome": "not-entered"}), ("is of ticket", calls[3], {"serial": 5}), ("counts other calls", manual, {"count": 7}),
                                  ("counts other tickets of the tier", seal, {"tiers": [{"tickets": 2, "voids": 0}, {"tickets": 4, "voids": 1}]})):
        forged(page, folders, "drum", key, reason, index, change)


def check_witnessed(page, folders, cosigners):
    key = make_witnessed(cosigners)
    text = receipt("witnessed", "1/1")
    found = page.good("a witnessed raffle", text=text, address=folders + "/witnessed/", key=key)
    need(sum("quorum saw it2 of 3 witnesses cosigned" in line for line in found["good"]) == 2, found["good"])
    line = next(each for each in text.splitlines() if each.startswith("\u2014 first.example/"))
    other = line[:-6] + ("A" if line[-6] != "A" else "B") + line[-5:]
    page.bad("an altered cosignature", "the cosignature by first.example/witness is wrong", text=text.replace(line, other), key=key)
    page.bad("a cosignature less", "", text=text.replace(line + "\n", "", 1), key=key)
    page.bad("a cosignature by nobody", "nobody vouches for", text=text.replace(line, line.replace("first", "third")), key=key)
    result = next(i for i, r in enumerate(control("published/witnessed")) if r["t"] == "draw.result")
    note = control("published/witnessed")[result]["note"]
    fewer = "".join(each for each in note.splitlines(True) if "second.example" not in each)
    need(fewer != note, note)
    forged(page, folders, "witnessed", key, "quorum is not reached", result, {"note": fewer})


def check_away(page, folders):
    """A unit whose log lives elsewhere, and what an operator may forge of its uploads."""
    environment = {**os.environ, "RAFFLE_SOURCE": str(SOURCE)}
    subprocess.run([sys.executable, str(SOURCE / "tests/verifier/away.py"), "published/away"], check=True, capture_output=True, text=True, env=environment)
    names = json.loads(pathlib.Path("published/away/names.json").read_text(encoding="utf-8"))
    key, folder = names["key"], names["folders"]
    found = page.good("a unit that is away", address=f"{folders}/away/0/", key=key)
    need(any("it uploaded what is published" in line for line in found["good"]), found["good"])
    decayed = page.good("a seal of less than was uploaded", address=f"{folders}/away/{folder['a seal of less than was uploaded']}/", key=key)
    need(any("less than all that they sold" in line for line in decayed["open"]), decayed["open"])
    for name, reason in (
            ("an upload of another root", "is not the one that was uploaded"), ("an upload signed by another key", "not signed by"),
            ("an upload of more than is there", "says that the unit uploaded"), ("an upload that shrinks", "had uploaded more before"),
            ("an upload of as many other records", "had uploaded other records before"), ("an upload of a unit that is here", "no upload of a unit that is away"),
            ("an upload of a unit that was un-enrolled", "no upload of a unit that is away"), ("an upload of nothing", '"size" that is none'),
            ("an upload of no unit", "there is no such unit"), ("an upload of more than the final seal took", "the final seal took all of the unit"),
            ("an upload while a draw is open", "a draw is open"), ("a seal of less than was uploaded, as if it were all", "takes other records than the unit uploaded"),
            ("a seal of more than was uploaded", "takes other records than the unit uploaded"), ("an early seal of a unit that is not closed", "does not end in its close"),
            ("a unit that is away without a proof", "has a proof of its key and a quota"), ("a proof of a unit that is not away", "has a proof of its key and a quota"),
            ("a proof over a record", "is not the one that was the proof of its key"), ("a proof by another key", "not signed by"),
            ("a unit that is away without a quota", "has a proof of its key and a quota"), ("a quota taken from a unit that is away", "has a quota"),
            ("a unit un-enrolled that has uploaded", "has uploaded records"), ("too many hours", '"away" that is none')):
        page.bad(name, reason, address=f"{folders}/away/{folder[name]}/", key=key)


# --- bad ones ---

def forged(page, folders, name, key, reason, index, change, resign_intent=False, **given):
    shutil.copytree(f"published/{name}", "published/forged", dirs_exist_ok=False)
    forge("published/forged", f"{name}.raffle.keys", index, change if callable(change) else lambda record: record.update(change), resign_intent)
    found = page.bad(f"forged: {change}", reason, address=folders + "/forged/", key=key, **given)
    shutil.rmtree("published/forged")
    return found


def check_forged(page, folders, key, promise):
    """What the organiser's own key signs, and is not true."""
    records = control("published/whole")
    index = {(r["t"], r.get("prize")): i for i, r in enumerate(records)}
    half, final = index["draw.result", "half"], max(i for i, r in enumerate(records) if r["t"] == "seal")
    unit, first = final - 3, records[half]["places"][0]
    other = dict(first)
    numbers = {(p["unit"], p["number"]) for p in records[half]["places"]}
    other["number"] = next(n for n in range(1, 100) if (other["unit"], n) not in numbers)
    stranger = Signer("small.raffle.keys/control.key").checkpoint([b"x"])

    def place(change):
        return lambda record: record["places"].__setitem__(0, change)

    for reason, at, change in (
            ("place 1 is number", half, place(other)), ("is of ticket", half, place({**first, "serial": first["serial"] + 1})),
            ("Permutation", half, {"seed": "00" * 48}), ("skipped_not_entered is", half, lambda r: r.update(skipped_not_entered=r["skipped_not_entered"] + 1)),
            ("list of skips", half, {"skips": "00" * 32}), ("words were rejected", half, {"rejected": 1}),
            ("not signed by", half, {"note": stranger}), ("is of size", half, {"note": records[index["draw.result", "any"]]["note"]}),
            ("is not the open intent's", half, {"numbers": 1}), ("no known type", half, {"t": "draw.other"}), ("unknown member", half, {"zz": 1})):
        forged(page, folders, "whole", key, reason, at, change)
    forged(page, folders, "whole", key, "leaves it out: the promise was not kept", unit, {"size": 1}, text=promise)
    for reason, at, change in (
            ("has another void_root", unit, {"void_root": "00" * 32}), ("voids are not the units' together", unit, {"voids": 0}),
            ("is not the one that was sealed", unit, {"root": "00" * 32}), ("another control key", 0, {"key": records[1]["key"]}),
            ("not acknowledged", final + 1, {"t": "event", "code": "x.y"})):
        def unacknowledge(record, change=change):
            """An event has no members of an acknowledgement."""
            record.update(change)
            if record["t"] == "event":
                del record["seal"], record["voids"]
        forged(page, folders, "whole", key, reason, at, unacknowledge, resign_intent=True)


def check_bad(page, folders, key, small_key):
    good = receipt("whole", "1/9")
    address = folders + "/whole/"
    page.bad("another raffle's key", "the key that of raffle.example/s", text=good, key=small_key)
    page.bad("another raffle's folder", "not signed by", address=folders + "/small/", key=key)
    page.bad("a key with a wrong letter", "a letter may be wrong", text=good, key=key[:-1] + ("A" if key[-1] != "A" else "B"))
    page.bad("no receipt", "no receipt", text="hello", key=key)
    page.bad("a newer receipt", "newer", text=good.replace("receipt/v1", "receipt/v2"), key=key)
    page.bad("a promise for a drum", "", text=good.replace("drum ", "promise ", 1), key=key)
    page.bad("another ticket", "another record", text=good.replace(" 1/9\n", " 1/10\n", 1), key=key)
    page.bad("an endless receipt", "longer than", text=good + "x" * 140000, key=key)
    page.bad("no folder", "is not there", address=folders + "/nowhere/", key=key)
    page.bad("no address", "no http", address="javascript:alert(1)", key=key)

    for name, lost, reason in (("restored", 0, "two histories"), ("resold", 2, "two histories")):
        own, promise = make_restored(name, lost)
        page.bad(f"a promise that was not kept: {name}", reason, text=promise, address=f"{folders}/{name}/", key=own)
    create("twin", {**WHOLE, "name": "Twin"})  # the same origin once more
    raffle("sell", "twin.raffle", "--unit", "1", "--tier", "ten", "--order", "a")
    page.bad("a twin", "not signed by", text=receipt("twin", "1/1"), address=address, key=key)

    shutil.copytree("published/whole", "published/old")
    shutil.copy("published/small/control/checkpoint", "published/old/control/checkpoint")
    page.bad("another log's checkpoint", "not signed by", address=folders + "/old/", key=key)
    shutil.rmtree("published/old")


def check_every_byte(browser, page, key, text):
    """Alters each byte of the small raffle's folder and of a receipt, in the page, with the files in its memory."""
    root = pathlib.Path("published/small")
    files = {str(f.relative_to(root)): f.read_bytes().hex() for f in sorted(root.rglob("*")) if f.is_file()}
    page.load()
    missed = browser.run_async("""const [key, text, files, done] = arguments;
        const {checkAll} = await import('/page/core/check.js');
        const {Report} = await import('/page/core/report.js');
        const {utf8, unhex} = await import('/page/core/bytes.js');
        const held = new Map(Object.entries(files).map(([path, hex]) => [path, unhex(hex)])), receipt = utf8(text), real = globalThis.fetch;
        globalThis.fetch = async (url) => {
            const body = held.get(new URL(url).pathname.slice(1));
            return new Response(body, {status: body ? 200 : 404});
        };
        const bad = async (given) => {
            const report = new Report();
            await checkAll(report, {key, receipt: null, address: null, ...given});
            return report.bad;
        };
        const missed = [];
        let tried = 0;
        const alter = async (name, bytes, given) => {
            if (await bad(given) !== 0) missed.push(`${name} as it is`);
            for (let i = 0; i < bytes.length; i++, tried++) {
                bytes[i] ^= 1 << i % 8;
                if (await bad(given) === 0) missed.push(`${name}, byte ${i}`);
                bytes[i] ^= 1 << i % 8;
            }
        };
        await alter('receipt', receipt, {receipt});
        for (const [path, bytes] of held) await alter(path, bytes, {address: 'http://folder.example/'});
        globalThis.fetch = real;
        done({tried, missed});""", key, text, files)
    need(missed["missed"] == [] and missed["tried"] == len(text.encode()) + sum(len(f) // 2 for f in files.values()), missed)


# --- people ---

def check_keyboard(browser, page, folders, key):
    """Without a mouse: from the top of the page by Tab, to the result by Enter."""
    page.load(f"#folder={folders}/whole/")
    need(browser.run("return document.getElementById('address').value") == folders + "/whole/", "the link's folder")
    order = []
    while "check" not in order and len(order) < 20:
        browser.press(TAB)
        order.append(browser.run("return document.activeElement.id || document.activeElement.className"))
        if order[-1] == "key":
            browser.press(*key)
            browser.press(ENTER)
            break
    need(order == ["skip", "file", "text", "address", "key"], order)
    need(page.result()["state"] == "good", "by keyboard")
    need(browser.run("return document.activeElement.id") == "result-title", "the focus is not at the result")
    page.load()
    browser.run("document.getElementById('check').click()")
    need(browser.run("return document.getElementById('form-fault').textContent").startswith("Give a receipt"), "nothing was given")
    browser.run("document.getElementById('text').value = 'x'; document.getElementById('check').click()")
    browser.until("return document.getElementById('form-fault').textContent === 'Give the control key.'")


def check_markup(browser, page):
    page.load()
    need(browser.run("return [...document.querySelectorAll('input, textarea, video')].every((e) => e.labels?.length === 1 || e.ariaLabel)"), "a field without a label")
    need(browser.run("return document.querySelector('#verdict[aria-live=polite][role=status]') !== null && document.documentElement.lang === 'en'"), "no live region")
    policy = browser.run("return document.querySelector('meta[http-equiv]').content")
    need("default-src 'none'" in policy and "unsafe" not in policy and "trusted-types 'none'" in policy, policy)
    blocked = browser.run("try { document.body.insertAdjacentHTML('beforeend', '<p>x</p>'); return false } catch { return true }")
    need(blocked, "HTML can be written from a string")
    for path in (SOURCE / "examples/verify-page").rglob("*.js"):
        code = path.read_text(encoding="utf-8")
        need(not any(word in code for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(")), path)


def check_drop(browser, page, key):
    """A file that is dropped, and one that is chosen."""
    page.load()
    browser.run("""const [text] = arguments, transfer = new DataTransfer();
        transfer.items.add(new File([text], 'ticket.tlog-proof'));
        document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));""", receipt("whole", "1/9"))
    need(browser.run("return document.getElementById('file').files.length === 1 && document.activeElement.id === 'key'"), "nothing was dropped")
    page.fill(key=key)
    browser.run("document.getElementById('check').click()")
    need(page.result()["state"] == "good", "dropped")
    page.load()
    pathlib.Path("chosen.tlog-proof").write_text(receipt("whole", "1/9"), encoding="utf-8")
    browser.type("#file", str(pathlib.Path("chosen.tlog-proof").resolve()))
    page.fill(key=key)
    browser.run("document.getElementById('check').click()")
    need(page.result()["state"] == "good", "chosen")


def check_scan(browser, page):
    """A camera that shows what the test says; a ticket's own code is not kept."""
    fake = browser.devtools("Page.addScriptToEvaluateOnNewDocument", source="""
        globalThis.BarcodeDetector = class { static async getSupportedFormats() { return ['qr_code']; }
            async detect() { return globalThis.shown ? [{rawValue: globalThis.shown}] : []; } };
        const canvas = document.createElement('canvas');
        canvas.getContext('2d');
        navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(5);""")
    for shown, said in (("RFL1:RAFFLE.EXAMPLE/PAGE:1/9:000PW37S75S7BTWPR0H8N0HTB", "keep it to yourself"), ("https://gala.example/r/1/9", "https://gala.example/r/1/9"), ("hello", "none of a ticket")):
        page.load()
        browser.run("globalThis.shown = arguments[0]; document.getElementById('scan-start').click()", shown)
        browser.until("return document.getElementById('scan-found').textContent !== ''")
        text = browser.run("return document.getElementById('scan-found').textContent")
        need(said in text and "000PW" not in browser.run("return document.documentElement.outerHTML"), text)
        need(browser.run("return document.getElementById('scan-view').hidden"), "the camera still runs")
    browser.devtools("Page.removeScriptToEvaluateOnNewDocument", identifier=fake["identifier"])


def check_widths(browser, page, folders, key):
    given = {"text": receipt("whole", "1/9"), "address": folders + "/whole/", "key": key}
    for width, height, name in ((360, 740, "phone"), (1100, 900, "desktop")):
        browser.width(width, height)
        found = page.good(name, **given)
        need(browser.run("return document.documentElement.scrollWidth <= innerWidth && innerWidth === arguments[0]", width), f"wider than {width}")
        small = browser.run("return [...document.querySelectorAll('button, input')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 24).length")
        need(small == 0 and found["state"] == "good", "a control too small for a finger")
        browser.picture(f"{name}.png")
    browser.width(360, 740)
    page.bad("a phone's cross", "no hash", text=given["text"].replace("\n\n", "\nAAAA\n\n", 1), key=key)
    browser.picture("phone-bad.png")
    browser.width(1100, 900)


def check():
    pathlib.Path("published").mkdir()
    key, promise = make_whole()
    small_key, committed_key, drum_key = make_small(), make_committed(), make_drum()
    published = pathlib.Path("published").resolve()
    site, base = serve({"/page/": SOURCE / "examples/verify-page", "/test/": SOURCE / "tests/integration/verify_page", "/vectors/": SOURCE / "tests/vectors"}, False)
    server, folders = serve({"/": published}, True)
    closed, closed_folders = serve({"/": published}, False)
    with Browser() as browser:
        page = Page(browser, base)
        browser.width(1100)
        check_markup(browser, page)
        check_core(browser, page)
        browser.console()
        check_good(page, folders, key, promise)
        check_committed(page, folders, committed_key)
        check_drum(page, folders, drum_key)
        with Cosigner("first.example/witness") as first, Cosigner("second.example/witness") as second:
            check_witnessed(page, folders, (first, second))
        need(browser.console() == [], "the console has something to say")
        check_keyboard(browser, page, folders, key)
        check_drop(browser, page, key)
        check_widths(browser, page, folders, key)
        check_forged(page, folders, key, promise)
        check_away(page, folders)
        check_bad(page, folders, key, small_key)
        page.bad("a server that lets nobody read", "CORS", address=closed_folders + "/whole/", key=key)
        check_scan(browser, page)
        check_every_byte(browser, page, small_key, receipt("small", "1/1"))
    asked = site.asked + server.asked + closed.asked
    need(all("?" not in path and cookie is None for path, cookie, _ in asked) and not any(referrer for _, _, referrer in server.asked), "more was sent than asked for")
    need(len(server.asked) > 50, "the folder was not read")
    print(f"{checks} checks of the page passed")


if __name__ == "__main__":
    check()
