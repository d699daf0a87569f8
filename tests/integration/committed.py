#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A committed draw through the command, in a rehearsal whose clock meets the one round of drand's quicknet that is published everywhere: in steps, from a file,
a command and a server; with everything that must be refused; and its audit with the verifier of examples/beacon."""

import http.server
import json
import os
import shutil
import stat
import subprocess
import sys
import threading

RAFFLE = os.environ["RAFFLE"]
SOURCE = os.environ["RAFFLE_SOURCE"]
VERIFIER = f"{sys.executable} {SOURCE}/examples/beacon/verify_quicknet.py"
CHAIN = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
ROUND = 657413
PUBLISHED = {
    "round": ROUND,
    "randomness": "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587",
    "signature": "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
}
RULES = {
    "origin": "raffle.example/committed", "name": "Committed", "organisation": "Club", "currency": "CAD", "rehearsal": True,
    "sales": {"opens": "2023-09-15T09:00:00.000Z", "closes": "2023-09-15T10:30:00.000Z"},
    "tiers": [{"name": "ten", "count": 10, "price": 2000}], "beacon": "quicknet", "rng": ["test"],
    "prizes": [{"name": "car", "alternates": 1, "seed": "committed", "beacon_delay": 60}, {"name": "hat"}],
}
BEGIN = "2023-09-15T10:59:02.000Z"  # a minute later, the first round is the published one
ROUND_AT = "2023-09-15T11:00:03.000Z"
checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit("FAILED: " + sentence)
    checks += 1


def raffle(clock, *arguments, status=0, verifier=True, says=""):
    environment = dict(os.environ, RAFFLE_CLOCK=clock, RAFFLE_ACTOR="boss:manager")
    environment.pop("RAFFLE_BEACON_VERIFIER", None)
    if verifier:
        environment["RAFFLE_BEACON_VERIFIER"] = VERIFIER
    done = subprocess.run([RAFFLE, *arguments], env=environment, capture_output=True, text=True)
    check(done.returncode == status, f"{arguments} ends with {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    check(says in done.stdout + done.stderr, f"{arguments} does not say {says!r}: {done.stdout}{done.stderr}")
    return done.stdout


def sealed(store):
    with open("rules.json", "w", encoding="utf-8") as f:
        json.dump(RULES, f)
    raffle("2023-09-15T10:00:00.000Z", "create", store, "--rules", "rules.json")
    for i in range(5):
        raffle("2023-09-15T10:00:01.000Z", "sell", store, "--unit", "1", "--tier", "ten", "--order", f"web-{i}")
    raffle("2023-09-15T10:40:00.000Z", "seal", store)
    raffle("2023-09-15T10:41:00.000Z", "ack", store)


def write(name, value, mode=0o644):
    with open(name, "w", encoding="utf-8") as f:
        f.write(value if isinstance(value, str) else json.dumps(value))
    os.chmod(name, mode)


def in_steps():
    sealed("steps.raffle")
    begin = ("draw", "steps.raffle", "car", "--rng", "test:seed=07", "--begin")
    raffle(BEGIN, *begin, status=2, says="--seed")
    raffle(BEGIN, "draw", "steps.raffle", "hat", "--rng", "test:seed=07", "--seed", "x", status=2, says="random")
    raffle(BEGIN, "draw", "steps.raffle", "car", "--rng", "system:", "--begin", "--seed", "car.seed", status=1, says="system")
    check(not os.path.exists("car.seed"), "a seed that was refused is kept")
    for line in ("provider system\nraffle raffle.example/committed\nprize car", "provider test\nraffle raffle.example/other\nprize car",
                 "provider test\nraffle raffle.example/committed\nprize hat"):
        write("other.seed", "libraffle-seed-1 " + "01" * 48 + "\n" + line + "\nevidence \n", 0o600)
        raffle(BEGIN, *begin, "--seed", "other.seed", status=1, says="holds a seed of")
    write("broken.seed", "libraffle-seed-1 " + "01" * 48 + "\n", 0o600)
    raffle(BEGIN, *begin, "--seed", "broken.seed", status=1, says="holds no seed")
    intent = json.loads(raffle(BEGIN, *begin, "--seed", "car.seed", "--json"))["intent"]
    check(intent["round"] == ROUND and intent["round_at"] == ROUND_AT, f"the intent fixes {intent}")
    check(stat.S_IMODE(os.stat("car.seed").st_mode) == 0o600, "the seed's file can be read by others")
    shutil.copy("car.seed", "kept.seed")
    raffle(BEGIN, *begin, "--seed", "car.seed", status=1, says="open")
    raffle(BEGIN, "draw", "steps.raffle", "hat", "--rng", "test:seed=07", status=1)

    write("round.json", PUBLISHED)
    end = ("draw", "steps.raffle", "car", "--finish", "--seed", "car.seed", "--beacon")
    raffle("2023-09-15T11:00:02.999Z", *end, "round.json", status=1, says="not there yet")
    raffle(ROUND_AT, *end, "round.json", status=2, verifier=False, says="--beacon-verifier")
    raffle(ROUND_AT, *end, "no-such-file.json", status=1)
    raffle(ROUND_AT, *end, "false", status=1, says="status 1")
    raffle(ROUND_AT, *end, "yes", status=1, says="prints too much")
    write("mode.json", PUBLISHED, 0o755)  # as foreign file systems show it: still a document
    altered = dict(PUBLISHED, signature=PUBLISHED["signature"][:-1] + "a")
    write("altered.json", altered)
    raffle(ROUND_AT, *end, "altered.json", status=1, says="randomness")
    del altered["randomness"]
    write("altered.json", altered)
    raffle(ROUND_AT, *end, "altered.json", status=1, says=str(ROUND))
    write("other.json", dict(PUBLISHED, round=ROUND + 1))
    raffle(ROUND_AT, *end, "other.json", status=1, says=str(ROUND + 1))
    raffle(ROUND_AT, *end, "mode.json", "--beacon-verifier", "exit 3;", status=1, says="status 3")
    os.chmod("car.seed", 0o644)
    raffle(ROUND_AT, *end, "round.json", status=1, says="others")
    os.chmod("car.seed", 0o600)
    write("wrong.seed", "libraffle-seed-1 " + "00" * 47 + "01\nprovider test\nraffle raffle.example/committed\nprize car\nevidence \n", 0o600)
    raffle(ROUND_AT, "draw", "steps.raffle", "car", "--finish", "--seed", "wrong.seed", "--beacon", "round.json", status=1,
           says="committed to")
    raffle(ROUND_AT, "draw", "steps.raffle", "car", "--finish", "--seed-lost", "--beacon", "round.json", status=1)
    raffle(ROUND_AT, *end, "round.json", says="drawn")
    check(not os.path.exists("car.seed"), "the seed's file is still there")
    raffle("2023-09-15T11:00:04.000Z", "draw", "steps.raffle", "hat", "--rng", "test:seed=08", says="drawn")


def audited(store):
    draws = json.loads(raffle(ROUND_AT, "audit", store, "--json"))["draws"]
    check(draws[0]["committed"] and draws[0]["beacon_verified"] and not draws[0]["seed_lost"], f"the audit says {draws}")
    draws = json.loads(raffle(ROUND_AT, "audit", store, "--json", verifier=False))["draws"]
    check(draws[0]["committed"] and not draws[0]["beacon_verified"], f"without a verifier, the audit says {draws}")
    raffle(ROUND_AT, "audit", store, "--beacon-verifier", "exit 1;", status=3, says="beacon")
    raffle(ROUND_AT, "audit", store, "--beacon-verifier", "exit 9;", status=1, says="status 9")


def from_a_command():
    sealed("command.raffle")
    write("give.sh", "#!/bin/sh\n[ \"$1\" = %d ] && cat round.json\n" % ROUND, 0o755)
    raffle(BEGIN, "draw", "command.raffle", "car", "--rng", "test:seed=09", "--seed", "command.seed", "--begin", says=str(ROUND))
    raffle(ROUND_AT, "draw", "command.raffle", "car", "--seed", "command.seed", "--beacon", "./give.sh", says="drawn")
    audited("command.raffle")


class Drand(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path == f"/{CHAIN}/public/{ROUND}"
        endless = self.path.startswith("/long/")
        body = json.dumps(PUBLISHED).encode() if known else b"{}" * (4000 if endless else 1)
        self.send_response(200 if known or endless else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def from_a_server():
    sealed("server.raffle")
    raffle(BEGIN, "draw", "server.raffle", "car", "--rng", "test:seed=0a", "--seed", "server.seed", "--begin", says=str(ROUND))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Drand)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    end = ("draw", "server.raffle", "car", "--seed", "server.seed", "--beacon")
    raffle(ROUND_AT, *end, "http://127.0.0.1:1", status=1)  # where nobody listens
    raffle(ROUND_AT, *end, address + "/elsewhere", status=1, says="404")
    raffle(ROUND_AT, *end, address + "/long", status=1)
    raffle(ROUND_AT, *end, address + "/", says="drawn")
    server.shutdown()
    audited("server.raffle")


def a_seed_that_is_lost():
    sealed("lost.raffle")
    raffle(BEGIN, "draw", "lost.raffle", "car", "--rng", "test:seed=0b", "--seed", "lost.seed", "--begin", says=str(ROUND))
    os.unlink("lost.seed")
    write("any.sh", "#!/bin/sh\n[ \"$1\" = %d ] && exec cat round.json\necho \"{\\\"round\\\":$1,\\\"signature\\\":\\\"%s\\\"}\"\n"
          % (ROUND, PUBLISHED["signature"][:-2] + "00"), 0o755)
    end = ("draw", "lost.raffle", "car", "--seed-lost", "--beacon", "./any.sh")
    raffle("2023-09-16T11:00:03.000Z", *end, status=1, says=str(ROUND + 28800))  # the later round is verified, too
    raffle("2023-09-16T11:00:02.999Z", *end, "--beacon-verifier", "true", status=1, says="not there yet")
    raffle("2023-09-16T11:00:03.000Z", *end, "--beacon-verifier", "true", says="drawn")
    raffle("2023-09-16T11:00:03.000Z", "audit", "lost.raffle", "--beacon-verifier", "true", status=3, says="seed-lost")


in_steps()
audited("steps.raffle")
from_a_command()
from_a_server()
a_seed_that_is_lost()
print(f"{checks} checks passed")
