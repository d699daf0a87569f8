#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A night that is published while it sells: each file against tlog-tiles as Python computes them, audits of the folder and over HTTP, publishers and auditors
side by side, and hostile folders and servers.

    RAFFLE=build/src/cli/raffle python3 tests/integration/publish.py

Works in the folder it starts in.
"""
import base64
import functools
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import threading
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DATA = SOURCE / "examples/data"
COMMAND = os.environ["RAFFLE"]
STORE = "night.raffle"
checks = 0


class Fault(Exception):
    """Something that must not be."""


def need(condition, sentence):
    global checks
    checks += 1
    if not condition:
        raise Fault(sentence)


def raffle(*arguments, status=0, clock=None):
    """The command's JSON. It must end with this status, or one of these."""
    environment = {**os.environ, "RAFFLE_ACTOR": "boss:manager", **({"RAFFLE_CLOCK": clock} if clock else {})}
    run = subprocess.run([COMMAND, *map(str, arguments), "--json"], capture_output=True, text=True, env=environment, timeout=120)
    need(run.returncode in (status if isinstance(status, tuple) else (status,)),
         f"raffle {' '.join(map(str, arguments))}: status {run.returncode}, not {status}: {run.stdout[:2000]} {run.stderr[:2000]}")
    text = run.stdout if run.stdout.strip() else run.stderr
    return json.loads(text), run.returncode


def publish(folder, *options, status=0):
    return raffle("publish", STORE, folder, *options, status=status)[0]


def audit(where, *options, status=0):
    return raffle("audit", where, *options, status=status)[0]


def codes(found):
    return {fault["code"] for fault in found["faults"]}


# --- tlog-tiles once more ---


def digest(data):
    return hashlib.sha256(data).digest()


def root_of(hashes):
    if not hashes:
        return digest(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return digest(b"\x01" + root_of(hashes[:k]) + root_of(hashes[k:]))


def tile_name(index, width):
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups) + (f".p/{width}" if width < 256 else "")


def tiles_of(leaves):
    """The files of a log: {"tile/0/000": …}."""
    files = {}
    for at in range(0, len(leaves), 256):
        part = leaves[at:at + 256]
        files["tile/entries/" + tile_name(at // 256, len(part))] = b"".join(len(x).to_bytes(2, "big") + x for x in part)
    hashes, level = [digest(b"\x00" + leaf) for leaf in leaves], 0
    while hashes:
        for at in range(0, len(hashes), 256):
            part = hashes[at:at + 256]
            files[f"tile/{level}/" + tile_name(at // 256, len(part))] = b"".join(part)
        hashes = [root_of(hashes[at:at + 256]) for at in range(0, len(hashes) - 255, 256)]
        level += 1
    return files


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in pathlib.Path(folder).rglob("*") if path.is_file()}


def check_folder(folder, fresh):
    """Every file, from the records in the store. A folder that was published once has nothing else."""
    database = sqlite3.connect(STORE)
    found, expected = files_of(folder), {}
    manifest = json.loads(found["manifest.json"])
    need(json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode() == found["manifest.json"], "the manifest is not canonical")
    need(manifest["format"] == 1 and manifest["entries"] == "all", "the manifest is another")
    for number, log in enumerate(manifest["logs"]):
        need(log["path"] == ("control" if number == 0 else f"unit/{number}"), f"the path {log['path']}")
        need(log["key"].startswith(log["name"] + "+"), "a key of another name")
        origin, size, root = found[log["path"] + "/checkpoint"].decode().split("\n")[:3]
        need(origin == log["name"] == manifest["origin"] + (f"/unit/{number}" if number else ""), f"the origin {origin}")
        rows = database.execute("SELECT leaf FROM record WHERE id >= ? AND id < ? ORDER BY id", (number << 40, (number << 40) + int(size)))
        leaves = [row[0].encode() for row in rows]
        need(len(leaves) == int(size), f"{origin} has {len(leaves)} records, and a checkpoint over {size}")
        need(root == base64.b64encode(root_of([digest(b"\x00" + x) for x in leaves])).decode(), f"the root of {origin}")
        expected |= {log["path"] + "/" + name: content for name, content in tiles_of(leaves).items()}
        expected[log["path"] + "/checkpoint"] = found[log["path"] + "/checkpoint"]
    expected["manifest.json"] = found["manifest.json"]
    for name, content in expected.items():
        need(found.get(name) == content, f"{folder}/{name} is not as tlog-tiles has it")
    extra = set(found) - set(expected)
    need(not extra if fresh else all(".p/" in name for name in extra), f"{folder} holds {sorted(extra)[:5]} too")


# --- the night ---


def split_sales(time):
    lines = (DATA / "sales.csv").read_text().splitlines(True)
    early = [line for line in lines[1:] if line.split(",")[1] < time]
    pathlib.Path("early.csv").write_text(lines[0] + "".join(early))
    pathlib.Path("late.csv").write_text(lines[0] + "".join(lines[1 + len(early):]))


def begin():
    split_sales("2026-11-15T03:00:00.000Z")
    raffle("create", STORE, "--rules", DATA / "rules.json", clock="2026-11-15T00:59:00.000Z")
    info = publish("site")["published"]
    need(info["logs"] == 4 and info["added"] == info["records"] == 7, f"the first publish: {info}")
    raffle("import", STORE, "early.csv", "--replay")
    clock = "2026-11-15T03:00:00.000Z"
    for arguments in (("seal", STORE, "--early"), ("ack", STORE, "--early"), ("draw", STORE, "early-bird", "--rng", "system:")):
        raffle(*arguments, clock=clock)
    publish("site")
    shutil.copyfile(STORE, "backup.raffle")
    shutil.copytree("night.raffle.keys", "backup.raffle.keys")


def while_selling():
    """Two publishers and an auditor, while the till sells. Whoever comes second is told so; the auditor finds no fault."""
    importing = subprocess.Popen([COMMAND, "import", STORE, "late.csv", "--replay", "--by", "boss:manager"], stdout=subprocess.DEVNULL)
    outcomes, faults = [], []

    def publishing():
        while importing.poll() is None:
            outcomes.append(raffle("publish", STORE, "site", status=(0, 1)))

    def auditing():
        while importing.poll() is None:
            outcomes.append(raffle("audit", "site", status=(0, 1)))

    def guarded(run):
        try:
            run()
        except Exception as fault:  # pylint: disable=broad-except
            faults.append(fault)

    threads = [threading.Thread(target=guarded, args=(run,)) for run in (publishing, publishing, auditing)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    need(importing.wait() == 0, "the import failed")
    if faults:
        raise faults[0]
    for answer, status in outcomes:
        need(status == 0 or answer["error"]["rc"] == "RAFFLE_BUSY", f"a publisher or auditor said {answer}")
    need(any("published" in answer and answer["published"]["added"] > 0 for answer, _ in outcomes), "nothing was published on the way")


def finish():
    clock = "2026-11-15T05:00:00.000Z"
    for arguments in (("seal", STORE), ("ack", STORE), *(("draw", STORE, prize, "--rng", "system:") for prize in ("fifty-fifty", "second", "third"))):
        raffle(*arguments, clock=clock)
    publish("site")
    need(publish("site")["published"]["files"] == 0, "a publish of nothing new writes files")
    publish("fresh")
    check_folder("fresh", True)
    check_folder("site", False)
    before, after = files_of("site"), files_of("fresh")
    need(all(before[name] == content for name, content in after.items()), "a folder that was continued differs from one made at once")


def same_verdicts():
    """As on the store, but for what private parts, kept notes and the anchor add."""
    store, folder = audit(STORE), audit("site")
    for found in (store, folder):
        found["verdict"].pop("private_missing")
        for draw in found["draws"]:
            draw.pop("redraw_excluded")
    need(store == folder, f"the verdicts differ: {store} {folder}")
    need(len(folder["draws"]) == 4, "four draws")
    key = json.loads(pathlib.Path("site/manifest.json").read_text())["logs"][0]["key"]
    need(audit("folder:site", "--key", key)["verdict"]["key_pinned"], "the key is not pinned")
    other = json.loads(pathlib.Path("site/manifest.json").read_text())["logs"][1]["key"]
    need("control-key" in codes(audit("site", "--key", other, status=3)), "another key is good enough")


def hashes_only():
    publish("hashes", "--hashes")
    need(not list(pathlib.Path("hashes/unit").rglob("entries")), "entries of a unit were published")
    found = audit("hashes", status=3)
    need(found["verdict"]["integrity"] and found["verdict"]["withheld"] and codes(found) == {"withheld"}, f"withheld: {found['verdict']}")
    need(len(found["faults"]) == 3 + 4 and found["draws"] == [], "three units, four draws")
    need(publish("hashes", status=1)["error"]["rc"] == "RAFFLE_MISMATCH", "the two kinds are mixed")


def without_private_parts():
    """Nothing of the private parts is in the folder."""
    database = sqlite3.connect(STORE)
    published = b"".join(files_of("fresh").values())
    texts = set()
    for (private,) in database.execute("SELECT private FROM record WHERE private IS NOT NULL LIMIT 100"):
        part = json.loads(private)
        texts |= {part["salt"], *(part[name] for name in ("order", "payment", "buyer") if name in part)}
    need(len(texts) > 100 and not any(text.encode() in published for text in texts), "a private text was published")


# --- what is altered ---


class altered:
    """A copy of the folder, made of links: only what is altered is another file."""

    def __init__(self, name="altered"):
        self.folder = pathlib.Path(name)

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree("fresh", self.folder, copy_function=os.link)
        return self.folder

    def __exit__(self, *_):
        shutil.rmtree(self.folder)


def replace(path, content):
    path.unlink()
    path.write_bytes(content)


BUNDLE, TILE, UPPER = "unit/1/tile/entries/003", "unit/1/tile/0/003", "unit/1/tile/1"


def hostile_folders():
    upper = next(pathlib.Path("fresh", UPPER).rglob("*.p/*")).relative_to("fresh")
    some = [pathlib.Path(name) for name in ("manifest.json", "control/checkpoint", "unit/2/checkpoint", BUNDLE, TILE)] + [upper]
    for name in some:
        for what in ("flip", "cut", "longer", "empty", "missing", "folder", "link", "huge", "pipe"):
            with altered() as folder:
                path = folder / name
                content = path.read_bytes()
                if what in ("missing", "folder", "link", "huge", "pipe"):
                    path.unlink()
                if what == "flip":
                    replace(path, content[:-20] + bytes([content[-20] ^ 4]) + content[-19:])
                elif what == "cut":
                    replace(path, content[:-1])
                elif what == "longer":
                    replace(path, content + b"\n")
                elif what == "empty":
                    replace(path, b"")
                elif what == "folder":
                    path.mkdir()
                elif what == "link":
                    path.symlink_to("/dev/zero")
                elif what == "huge":
                    with path.open("wb") as out:
                        out.truncate(1 << 40)
                elif what == "pipe":
                    os.mkfifo(path)
                found = audit(folder, status=(1, 3))
                if name == pathlib.Path("control/checkpoint"):
                    continue
                need("verdict" in found and not found["verdict"]["passed"], f"{name}, {what}: {found}")
                need(what != "missing" or found["verdict"]["completeness_faults"] > 0, f"{name}: it is missing, and nothing is incomplete")
    with altered() as folder:
        shutil.rmtree(folder / "unit/3")
        need(codes(audit(folder, status=3)) >= {"checkpoint", "behind-seal"}, "a unit that is missing")
    with altered() as folder:
        shutil.rmtree(folder / "control")
        need(audit(folder, status=1)["error"]["rc"] == "RAFFLE_NOT_RAFFLE", "a folder without a control log")


def swapped_units():
    """A unit's log in the place of another's."""
    with altered() as folder:
        (folder / "unit/1").rename(folder / "away")
        (folder / "unit/2").rename(folder / "unit/1")
        (folder / "away").rename(folder / "unit/2")
        need("checkpoint" in codes(audit(folder, status=3)), "two units may change places")


def not_backwards():
    before = files_of("site")
    clone = ("backup.raffle", "sqlite:backup.raffle?anchor=none")
    found, _ = raffle("publish", clone[1], "site", status=1)
    need(found["error"]["rc"] == "RAFFLE_HISTORY" and "the folder has" in found["error"]["message"], f"a backup: {found}")
    raffle("import", clone[1], "other.csv", "--replay")
    found, _ = raffle("publish", clone[1], "site", status=1)
    need(found["error"]["rc"] == "RAFFLE_HISTORY", f"a copy that sold on: {found}")
    raffle("create", "other.raffle", "--rules", "other.json", clock="2026-11-15T00:59:00.000Z")
    found, _ = raffle("publish", "other.raffle", "site", status=1)
    need(found["error"]["rc"] == "RAFFLE_HISTORY", f"another raffle: {found}")
    need(files_of("site") == before, "something was written")


def other_raffles():
    rules = json.loads((DATA / "rules.json").read_text())
    rules["origin"] = "raffle.example/other"
    pathlib.Path("other.json").write_text(json.dumps(rules))
    lines = pathlib.Path("late.csv").read_text().splitlines(True)
    pathlib.Path("other.csv").write_text("".join(lines[:1] + [line for line in lines if line.startswith("sale")][:300]))


# --- over HTTP ---


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are written one after the other

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class Hostile(Quiet):
    """Answers as the path's first part says, and serves the folder under `fine`."""

    def endless(self):
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(65536))
        except OSError:
            self.close_connection = True

    def do_GET(self):
        _, kind, rest = self.path.split("/", 2)
        late = not rest.startswith("control/")
        if kind == "endless-all" or (kind == "endless" and rest.endswith(("entries/003", "tile/0/003", "manifest.json", "unit/2/checkpoint"))):
            self.endless()
        elif kind == "redirect":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/fine/{rest}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif kind == "error" and late:
            self.send_error(500)
        elif kind == "forbidden" and ("entries/003" in rest or "tile/1/" in rest):
            self.send_error(403)
        elif kind == "cut" and late:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"short")
            self.close_connection = True
        elif kind == "page" and late:
            self.send_response(200)
            self.send_header("Content-Length", "15")
            self.end_headers()
            self.wfile.write(b"<html>no</html>")
        else:
            self.path = "/" + rest
            super().do_GET()


def serve(handler, folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


def over_http():
    server, address = serve(Hostile, "fresh")
    by_address = audit(address + "/fine")
    need(by_address == audit("fresh"), "the verdicts by address and by folder differ")
    need(audit(address + "/fine/", "--threads", "1") == by_address, "a slash at the end")
    for kind, rc in (("endless-all", "RAFFLE_CORRUPT"), ("redirect", "RAFFLE_IO"), ("error", "RAFFLE_IO"), ("cut", "RAFFLE_IO")):
        found = audit(f"{address}/{kind}", status=1)["error"]
        need(found["rc"] == rc and len(found["message"]) > 10, f"{kind}: {found}")
    found = audit(address + "/forbidden", status=3)
    need({"missing", "tile"} <= codes(found) and {"completeness"} == {f["kind"] for f in found["faults"] if f["code"] == "tile"}, "a bucket's 403")
    need(not audit(address + "/endless", status=3)["verdict"]["integrity"], "files without end")
    need(not audit(address + "/page", status=3)["verdict"]["integrity"], "a page for every file")
    for bad in ("?a=b", "#x", "/../@", "\u00e9"):
        need(audit(address + "/fine" + bad, status=1)["error"]["rc"] == "RAFFLE_INVALID", f"an address with {bad}")
    server.shutdown()
    server.server_close()
    need(audit(address + "/fine", status=1)["error"]["rc"] == "RAFFLE_IO", "a server that is gone")


def main():
    since = time.monotonic()
    for step in (begin, while_selling, finish, same_verdicts, hashes_only, without_private_parts, hostile_folders, swapped_units, other_raffles,
                 not_backwards, over_http):
        step()
        print(f"{step.__name__.replace('_', ' ')}: {time.monotonic() - since:.1f} s")
    print(f"{checks} checks")


if __name__ == "__main__":
    main()
