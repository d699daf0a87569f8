#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time stamps of a published raffle, by an authority of `openssl ts` on loopback and by files; openssl verifies what is published; and every answer that an
authority should not give.

    RAFFLE=build/src/cli/raffle python3 tests/integration/timestamp.py
"""
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading

RULES = {
    "origin": "raffle.example/stamped", "name": "Stamped", "organisation": "Club", "currency": "CAD", "rehearsal": True, "rng": ["test"],
    "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"},
    "tiers": [{"name": "ten", "count": 10, "price": 2000}], "prizes": [{"name": "car"}],
}
CONFIGURATION = """[tsa]
default_tsa = it
[it]
serial = ./serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""
checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit(f"FAILED: {sentence}")
    checks += 1


def raffle(*arguments, status=0, says=""):
    done = subprocess.run([os.environ["RAFFLE"], *arguments], capture_output=True, text=True,
                          env={**os.environ, "RAFFLE_ACTOR": "boss:manager"})
    check(done.returncode == status, f"{arguments} ends with {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    check(says in done.stdout + done.stderr, f"{arguments} does not say {says!r}: {done.stdout}{done.stderr}")
    return done.stdout


def openssl(*arguments, good=True):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    check((done.returncode == 0) == good, f"openssl {arguments}: {done.stderr}")


def make_authority(name):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30", "-subj",
            f"/CN={name} authority", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}-tsa.key", "-out", f"{name}.csr", "-subj", f"/CN={name} stamps")
    pathlib.Path("purpose").write_text("extendedKeyUsage=critical,timeStamping\n")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{name}.pem", "-CAkey", f"{name}.key", "-CAcreateserial", "-days", "30", "-out",
            f"{name}-tsa.pem", "-extfile", "purpose")


def answer(query, name="one"):
    pathlib.Path("asked").write_bytes(query)
    openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "asked", "-signer", f"{name}-tsa.pem", "-inkey", f"{name}-tsa.key", "-out",
            "answered")
    return pathlib.Path("answered").read_bytes()


class Authority(http.server.BaseHTTPRequestHandler):
    """Answers by the path: /good, or one of those that it should not give."""

    def do_POST(self):
        query = self.rfile.read(int(self.headers["Content-Length"]))
        fine = self.headers["Content-Type"] == "application/timestamp-query"
        body = {
            "/good": lambda: answer(query), "/stranger": lambda: answer(query, "two"), "/empty": lambda: b"",
            "/text": lambda: b"<html>come back later</html>", "/longer": lambda: answer(query) + b"\0",
            "/endless": lambda: b"\x30" * (1 << 20), "/other": lambda: answer(query[:-10] + bytes(5) + query[-5:]), "/broken": lambda: b"",
        }[self.path]()
        self.send_response(200 if fine and self.path != "/broken" else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass

    def log_message(self, *_):
        pass


def raffle_query():
    raffle("timestamp", "public", "--query", "again.tsq")
    return pathlib.Path("again.tsq").read_bytes()


def stamp_by_network(url):
    said = raffle("timestamp", "public", "--tsa", f"{url}/good", "--authorities", "one.pem")
    check("says one stamps" in said and "nobody" not in said, said)
    folder = pathlib.Path("public/control/timestamp")
    size = (folder / "list").read_text().strip()
    check((folder / size / "checkpoint").read_bytes() == pathlib.Path("public/control/checkpoint").read_bytes(), "the copy is the checkpoint")
    openssl("ts", "-verify", "-data", f"{folder}/{size}/checkpoint", "-in", f"{folder}/{size}/token.tsr", "-CAfile", "one.pem")
    openssl("ts", "-verify", "-data", f"{folder}/{size}/checkpoint", "-in", f"{folder}/{size}/token.tsr", "-CAfile", "two.pem", good=False)
    token = (folder / size / "token.tsr").read_bytes()
    again = json.loads(raffle("timestamp", "public", "--tsa", f"{url}/stranger", "--json"))
    check(again["trusted"] is False and again["size"] == int(size), "without authorities nobody is trusted")
    raffle("timestamp", "public", "--tsa", f"{url}/good", "--authorities", "one.pem")
    check((folder / size / "token.tsr").read_bytes() == token, "a stamp is not replaced by a later one")
    (folder / size / "token.tsr").write_bytes(answer(raffle_query(), "two"))
    raffle("timestamp", "public", "--tsa", f"{url}/good", "--authorities", "one.pem", says="says one stamps")
    openssl("ts", "-verify", "-data", f"{folder}/{size}/checkpoint", "-in", f"{folder}/{size}/token.tsr", "-CAfile", "one.pem")
    check((folder / "list").read_text() == f"{size}\n", "a size is listed once")


def refuse(url):
    before = {p: p.read_bytes() for p in pathlib.Path("public").rglob("*") if p.is_file()}
    trusted = ("--authorities", "one.pem")
    for path, options, says in (("/stranger", trusted, "does not lead to an authority"), ("/empty", (), "no time stamp"), ("/text", (), "no time stamp"),
                                ("/longer", (), "1 bytes follow"), ("/endless", (), ""), ("/other", (), "other data"),
                                ("/broken", (), "answers 500"), ("/good", ("--authorities", "rules.json"), "no certificates")):
        raffle("timestamp", "public", "--tsa", url + path, *options, status=1, says=says)
    raffle("timestamp", "public", "--tsa", "https://127.0.0.1:1/", status=1)
    raffle("timestamp", "public", "--tsa", "tsa", status=1, says="no http:// or https:// address")
    raffle("timestamp", "nowhere", "--tsa", url, status=1, says="nowhere")
    check(not pathlib.Path("nowhere").exists(), "no folder is made")
    raffle("timestamp", "public", status=2)
    raffle("timestamp", "public", "--reply", "r", status=2)
    raffle("timestamp", "public", "--reply", "rules.json", "--size", "1x", status=2)
    raffle("timestamp", "public", "--reply", "rules.json", "--size", "99", status=1)
    check(before == {p: p.read_bytes() for p in pathlib.Path("public").rglob("*") if p.is_file()}, "nothing was published")


def stamp_by_files():
    raffle("sell", "s.raffle", "--unit", "1", "--tier", "ten", "--order", "2")
    raffle("event", "s.raffle", "x.note")
    raffle("publish", "s.raffle", "public")
    size = json.loads(raffle("timestamp", "public", "--query", "q.tsq", "--json"))["size"]
    raffle("event", "s.raffle", "x.note")
    raffle("publish", "s.raffle", "public")  # the folder goes on while somebody carries the query
    pathlib.Path("q.tsr").write_bytes(answer(pathlib.Path("q.tsq").read_bytes()))
    raffle("timestamp", "public", "--reply", "q.tsr", "--size", str(size - 1), status=1)
    raffle("timestamp", "public", "--reply", "q.tsr", "--size", str(size), "--authorities", "one.pem", says="says one stamps")
    folder = pathlib.Path("public/control/timestamp")
    check((folder / "list").read_text().split()[1:] == [str(size)], "the list goes on")
    openssl("ts", "-verify", "-queryfile", "q.tsq", "-in", f"{folder}/{size}/token.tsr", "-CAfile", "one.pem")


def audit():
    """What is published is audited with its stamps; every file of theirs counts."""
    said = json.loads(raffle("audit", "public", "--authorities", "one.pem", "--json"))["verdict"]
    check(said["passed"] and said["timestamps"] == 2 and said["timestamps_trusted"] == 2 and said["stamped_at"] > "2026", said)
    check(json.loads(raffle("audit", "public", "--json"))["verdict"]["timestamps_trusted"] == 0, "nobody is trusted unasked")
    raffle("audit", "public", "--authorities", "two.pem", status=3, says="does not lead to an authority")
    folder = pathlib.Path("public/control/timestamp")
    first, second = (folder / "list").read_text().split()
    for name, becomes, says in (
            (f"{first}/checkpoint", (folder / second / "checkpoint").read_bytes(), "not the log's"),
            (f"{first}/checkpoint", b"nothing\n", "checkpoint"), (f"{first}/checkpoint", None, "timestamp"),
            (f"{first}/token.tsr", (folder / second / "token.tsr").read_bytes(), "other data"), (f"{first}/token.tsr", None, "timestamp"),
            ("list", f"{first}\n{second}\n{first}\n".encode(), "list of time stamps"), ("list", f"{first}".encode(), "list of time stamps"),
            ("list", b"99\n", "99 were stamped"), ("list", b"0\n", "0 were stamped"), ("list", b"1\n" * 40000, "list")):
        kept = (folder / name).read_bytes()
        (folder / name).unlink() if becomes is None else (folder / name).write_bytes(becomes)
        raffle("audit", "public", status=3, says=says)
        (folder / name).write_bytes(kept)
    raffle("audit", "public")


def main():
    pathlib.Path("tsa.cnf").write_text(CONFIGURATION)
    pathlib.Path("serial").write_text("01\n")
    for name in ("one", "two"):
        make_authority(name)
    pathlib.Path("rules.json").write_text(json.dumps(RULES))
    raffle("create", "s.raffle", "--rules", "rules.json")
    raffle("sell", "s.raffle", "--unit", "1", "--tier", "ten", "--order", "1")
    raffle("publish", "s.raffle", "public")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Authority)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    stamp_by_network(url)
    refuse(url)
    server.shutdown()
    stamp_by_files()
    audit()
    print(f"{checks} checks")


main()
