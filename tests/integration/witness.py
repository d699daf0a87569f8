#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Witnesses: the command against the witness of examples/witness, to an audit that says `verifiable`; against every answer that the protocol has and has not; a restored
store; and the witness itself against everything that it must refuse."""

import base64
import concurrent.futures
import hashlib
import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

RAFFLE = os.environ["RAFFLE"]
SOURCE = os.environ["RAFFLE_SOURCE"]
sys.path.insert(0, f"{SOURCE}/examples/witness")
import ed25519  # noqa: E402
import witness as program  # noqa: E402

WITNESS = f"{SOURCE}/examples/witness/witness.py"
VERIFIER = f"{sys.executable} {SOURCE}/examples/beacon/verify_quicknet.py"
ROUND = 657413  # of drand's quicknet, at 2023-09-15T11:00:03Z: the one that is published everywhere
PUBLISHED = {
    "round": ROUND,
    "randomness": "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587",
    "signature": "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
}
ROUND_AT = 1694775603
BEGIN = ROUND_AT - 61
# The system's clock as a file's number says: no replayed clock, which would make it a rehearsal, and a rehearsal proves nothing.
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
    int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *now = getenv("TEST_NOW");
    if (now == NULL || id != CLOCK_REALTIME)
        return real(id, t);
    t->tv_sec = atoll(now);
    t->tv_nsec = 0;
    return 0;
}
"""
checks = 0
children = []


def check(good, sentence):
    global checks
    if not good:
        sys.exit("FAILED: " + sentence)
    checks += 1


def raffle(now, *arguments, status=0, says=""):
    environment = dict(os.environ, RAFFLE_ACTOR="boss:manager", RAFFLE_BEACON_VERIFIER=VERIFIER)
    if now is not None:
        environment.update(LD_PRELOAD=os.path.abspath("clock.so"), TEST_NOW=str(now))
    done = subprocess.run([RAFFLE, *arguments], env=environment, capture_output=True, text=True, timeout=120)
    check(done.returncode == status, f"{arguments} ends with {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    check(says in done.stdout + done.stderr, f"{arguments} does not say {says!r}: {done.stdout}{done.stderr}")
    return done.stdout


def write(name, value):
    with open(name, "w", encoding="utf-8") as f:
        f.write(value if isinstance(value, str) else json.dumps(value))


def make_key(name):
    return subprocess.run([sys.executable, WITNESS, "--key", f"{name}.key", "--new", f"{name}.example/raffles"], check=True,
                          capture_output=True, text=True).stdout.strip()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def serve(name, logs, port, seconds=None):
    """Starts the example's witness, and waits for its address."""
    arguments = [sys.executable, WITNESS, "--key", f"{name}.key", "--logs", logs, "--state", f"{name}.db", "--listen", f"127.0.0.1:{port}"]
    child = subprocess.Popen(arguments + (["--time", str(seconds)] if seconds else []), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    children.append(child)
    child.stdout.readline()
    check(child.stdout.readline().strip() == f"http://127.0.0.1:{port}", f"{name} does not listen")
    return child


def stop(child):
    child.terminate()
    child.wait()


def rules(origin, keys, ports, quorum, prizes):
    lines = [f"witness w{i} {key}" + (f" http://127.0.0.1:{port}/" if port else "") for i, (key, port) in enumerate(zip(keys, ports))]
    lines += ["group enough %d %s" % (quorum, " ".join(f"w{i}" for i in range(len(keys)))), "quorum enough"]
    write("rules.json", {
        "origin": origin, "name": "Witnessed", "organisation": "Club", "currency": "CAD",
        "sales": {"opens": "2023-09-15T09:00:00.000Z", "closes": "2023-09-15T10:30:00.000Z"},
        "tiers": [{"name": "ten", "count": 10, "price": 2000}], "beacon": "quicknet", "witnesses": lines, "prizes": prizes,
    })


def sealed(store):
    raffle(ROUND_AT - 3600, "create", store, "--rules", "rules.json")
    for i in range(3):
        raffle(ROUND_AT - 3590, "sell", store, "--unit", "1", "--tier", "ten", "--order", f"web-{i}")
    raffle(ROUND_AT - 1000, "seal", store)
    raffle(ROUND_AT - 990, "ack", store)


# --- the good path ---


def the_whole_way():
    keys = [make_key(f"good{i}") for i in range(3)]
    ports = [free_port() for _ in keys]
    prizes = [{"name": "car", "seed": "committed", "beacon_delay": 60}, {"name": "hat"}, {"name": "late", "seed": "committed", "beacon_delay": 60}]
    rules("raffle.example/witnessed", keys, ports, 2, prizes)
    sealed("good.raffle")
    policy = raffle(None, "witness", "good.raffle", "--policy")
    check(policy.startswith("log raffle.example/witnessed+") and policy.endswith("quorum enough\n"), f"the policy is {policy}")
    write("good.policy", policy)
    one = serve("good0", "good.policy", ports[0], BEGIN + 1)
    raffle(ROUND_AT - 100, "witness", "good.raffle", status=1, says="NO QUORUM")

    begun = raffle(BEGIN, "draw", "good.raffle", "car", "--rng", "system:", "--seed", "car.seed", "--begin", says="NO QUORUM")
    check("good0.example/raffles" in begun or "raffle.example/witnessed" in begun, f"no checkpoint: {begun}")
    write("round.json", PUBLISHED)
    end = ("draw", "good.raffle", "car", "--finish", "--seed", "car.seed", "--beacon", "round.json")
    raffle(ROUND_AT, *end, status=1, says="the draw waits")
    two = serve("good1", "good.policy", ports[1], BEGIN + 30)
    shown = json.loads(raffle(BEGIN + 40, "witness", "good.raffle", "--json"))
    check(shown["quorum"] and [w["cosigned"] for w in shown["witnesses"]] == [True, True, False], f"the answers are {shown}")
    check(shown["witnesses"][2]["error"]["rc"] == "RAFFLE_IO", f"the answers are {shown}")
    raffle(ROUND_AT, *end, says="drawn")
    audit = json.loads(raffle(ROUND_AT, "audit", "good.raffle", "--json"))
    car = audit["draws"][0]
    check(car["assurance"] == "verifiable" and car["witnessed"] and car["redraw_excluded"] and car["beacon_verified"], f"the audit says {car}")

    raffle(ROUND_AT + 5, "draw", "good.raffle", "hat", "--rng", "system:", says="drawn")
    hat = json.loads(raffle(ROUND_AT + 6, "audit", "good.raffle", "--json"))["draws"][1]
    check(hat["assurance"] == "certified" and hat["witnessed"] and hat["redraw_excluded"], f"the audit says {hat}")
    stop(two)
    stop(one)
    # Started again, they go on from where they were.
    one, two = serve("good0", "good.policy", ports[0]), serve("good1", "good.policy", ports[1])
    raffle(ROUND_AT + 10, "witness", "good.raffle", says="the quorum is reached")
    raffle(ROUND_AT + 10, "witness", "good.raffle", "--log", "1", status=1, says="does not know")
    raffle(ROUND_AT + 10, "witness", "good.raffle", "--log", "7", status=1)
    raffle(ROUND_AT + 10, "witness", "good.raffle", "--log", "x", status=2)

    done = subprocess.run([sys.executable, f"{SOURCE}/tests/integration/schema.py", "good.raffle"], capture_output=True, text=True)
    check(done.returncode == 0, f"the records do not fit their schema: {done.stdout}{done.stderr}")
    raffle(ROUND_AT + 11, "publish", "good.raffle", "public")
    published = json.loads(raffle(ROUND_AT + 11, "audit", "public", "--json"))
    check([d["assurance"] for d in published["draws"]] == ["verifiable", "certified"], f"the published folder's audit says {published}")

    restored(ports)
    stop(one)
    stop(two)


def restored(ports):
    """A backup that is put back: nothing here can tell, and the witnesses can."""
    shutil.copytree("good.raffle.keys", "copy.raffle.keys")
    for suffix in ("", "-wal"):
        if os.path.exists("good.raffle" + suffix):
            shutil.copy("good.raffle" + suffix, "copy.raffle" + suffix)
    raffle(ROUND_AT + 20, "event", "good.raffle", "x.power")
    raffle(ROUND_AT + 20, "witness", "good.raffle", says="the quorum is reached")
    behind = json.loads(raffle(ROUND_AT + 21, "witness", "copy.raffle", "--keys", "file:copy.raffle.keys", "--json", status=3))
    check(all(w["error"]["rc"] in ("RAFFLE_HISTORY", "RAFFLE_IO") for w in behind["witnesses"]), f"a restored store: {behind}")
    check("restored" in behind["witnesses"][0]["error"]["message"], f"a restored store: {behind}")
    raffle(ROUND_AT + 22, "event", "copy.raffle", "x.other", "--keys", "file:copy.raffle.keys")
    forked = json.loads(raffle(ROUND_AT + 23, "witness", "copy.raffle", "--keys", "file:copy.raffle.keys", "--json", status=3))
    check(forked["witnesses"][0]["error"]["rc"] == "RAFFLE_HISTORY", f"another history of the same length: {forked}")


# --- every answer ---


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers what the test says: a status, a body and headers, or a function of its own."""

    replies, requests = [], []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        Scripted.requests.append((self.path, body))
        reply = Scripted.replies.pop(0) if len(Scripted.replies) > 1 else Scripted.replies[0]
        if callable(reply):
            reply(self, body)
            return
        status, text = reply
        data = text(body).encode() if callable(text) else text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if 300 <= status < 400:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, form, *arguments):
        pass


def endless(handler, body):
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"\xe2\x80\x94 x eA==\n" * 100)
    except OSError:
        pass


def truncated(handler, body):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"\xe2\x80\x94 ")


def slow(handler, body):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    try:
        for _ in range(60):
            time.sleep(0.5)
            handler.wfile.write(b"x")
    except OSError:
        pass


def silent(handler, body):
    handler.connection.shutdown(socket.SHUT_RDWR)


def every_answer():
    seed = bytes(range(32, 64))
    public = ed25519.public_key(seed)
    name = "scripted.example/w"
    stranger = os.urandom(32)

    def line(body, key=seed, text=None, seconds=1700000000, kind=4, who=name):
        text = text or body.partition("\n\n")[2].rpartition("\n\n")[0] + "\n"
        signature = ed25519.sign(key, f"cosignature/v1\ntime {seconds}\n{text}".encode())
        data = program.key_id(who, kind, ed25519.public_key(key)) + seconds.to_bytes(8, "big") + signature
        return f"— {who} {base64.b64encode(data).decode()}\n"

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rules("raffle.example/answers", [program.vkey(name, 4, public)], [server.server_address[1]], 1, [{"name": "hat"}])
    raffle(ROUND_AT - 3600, "create", "answers.raffle", "--rules", "rules.json")

    def ask(*replies, status=1):  # 3 for another history
        Scripted.replies, Scripted.requests = list(replies), []
        shown = json.loads(raffle(ROUND_AT, "witness", "answers.raffle", "--json", status=status))
        return shown["witnesses"][0].get("error", {}).get("rc", "RAFFLE_OK"), shown

    size = ask((404, ""))[1]["size"]
    check(Scripted.requests[0][0] == "/add-checkpoint" and Scripted.requests[0][1].startswith("old 0\n\nraffle.example/answers\n"),
          f"the request is {Scripted.requests}")
    good = lambda body: line(body)
    for replies, wanted in [
        ([(400, "")], "RAFFLE_INVALID"), ([(403, "")], "RAFFLE_SIGNATURE"), ([(404, "")], "RAFFLE_NOT_FOUND"), ([(422, "")], "RAFFLE_HISTORY"),
        ([(409, f"{size + 1}\n")], "RAFFLE_HISTORY"), ([(409, "9223372036854775807\n")], "RAFFLE_HISTORY"),
        ([(409, "")], "RAFFLE_INVALID"), ([(409, "1")], "RAFFLE_INVALID"), ([(409, "01\n")], "RAFFLE_INVALID"), ([(409, "one\n")], "RAFFLE_INVALID"),
        ([(409, "99999999999999999999\n")], "RAFFLE_INVALID"), ([(409, "1\n"), (409, "x\n")], "RAFFLE_INVALID"),
        ([(409, "0\n")], "RAFFLE_BUSY"), ([(409, "1\n"), (409, "2\n")], "RAFFLE_BUSY"), ([(409, "1\n"), (422, "")], "RAFFLE_HISTORY"),
        ([(500, "")], "RAFFLE_IO"), ([(503, good)], "RAFFLE_IO"), ([(204, "")], "RAFFLE_IO"), ([(201, good)], "RAFFLE_IO"),
        ([(302, good), (200, good)], "RAFFLE_IO"), ([(308, good), (200, good)], "RAFFLE_IO"), ([(429, "")], "RAFFLE_IO"),
        ([(200, "")], "RAFFLE_SIGNATURE"), ([(200, "\n")], "RAFFLE_SIGNATURE"), ([(200, "<html>\n")], "RAFFLE_SIGNATURE"),
        ([(200, lambda b: line(b)[:-1])], "RAFFLE_SIGNATURE"), ([(200, lambda b: line(b).replace("\n", "\r\n"))], "RAFFLE_SIGNATURE"),
        ([(200, lambda b: line(b) * 2)], "RAFFLE_SIGNATURE"), ([(200, lambda b: "\n" + line(b))], "RAFFLE_SIGNATURE"),
        ([(200, lambda b: line(b, key=stranger))], "RAFFLE_SIGNATURE"), ([(200, lambda b: line(b, text="raffle.example/answers\n1\nx\n"))], "RAFFLE_SIGNATURE"),
        ([(200, lambda b: line(b, kind=1))], "RAFFLE_SIGNATURE"), ([(200, lambda b: line(b, who="other.example/w"))], "RAFFLE_SIGNATURE"),
        ([(200, lambda b: line(b) + "x" * 20000 + "\n")], "RAFFLE_IO"), ([endless], "RAFFLE_IO"), ([truncated], "RAFFLE_IO"), ([silent], "RAFFLE_IO"),
    ]:
        got, shown = ask(*replies, status=3 if wanted == "RAFFLE_HISTORY" else 1)
        check(got == wanted, f"{replies} gives {got}, not {wanted}: {shown}")
        check(not shown["quorum"] and len(Scripted.requests) <= 4, f"{replies}: {shown}, {len(Scripted.requests)} requests")
        check(all(path == "/add-checkpoint" for path, _ in Scripted.requests), f"{replies}: asked at {Scripted.requests}")
    since = time.monotonic()
    check(ask(slow)[0] == "RAFFLE_IO", "a slow one is taken")
    check(time.monotonic() - since < 60, "a slow one is waited for")
    # Two conflicts, each with the proof from that size, and then the cosignature, among others' lines.
    got, shown = ask((409, "1\n"), (409, "2\n"), (200, lambda b: line(b, key=stranger, who="other.example/w") + line(b)), status=0)
    check(got == "RAFFLE_OK" and shown["quorum"], f"the good answer: {shown}")
    for (_, body), old in zip(Scripted.requests, (0, 1, 2)):
        check(body.startswith(f"old {old}\n"), f"the request is {body}")
    server.shutdown()
    raffle(ROUND_AT, "publish", "answers.raffle", "answers.public")


# --- the witness itself ---


class Log:
    """A log of a test, signed by the key of the worked example of the reference: raffle.example/log1."""

    origin, seed = "raffle.example/log1", bytes(range(32))

    def __init__(self, entries=b"entry "):
        self.leaves = [hashlib.sha256(b"\0" + entries + str(i).encode()).digest() for i in range(600)]

    def root(self, first, last):
        if last - first == 0:
            return hashlib.sha256(b"").digest()
        if last - first == 1:
            return self.leaves[first]
        split = 1 << (last - first - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + self.root(first, first + split) + self.root(first + split, last)).digest()

    def proof(self, old, first, last, whole=True):
        """RFC 6962 2.1.2."""
        if old == last - first:
            return [] if whole else [self.root(first, last)]
        split = 1 << (last - first - 1).bit_length() - 1
        if old <= split:
            return self.proof(old, first, first + split, whole) + [self.root(first + split, last)]
        return self.proof(old - split, first + split, last, False) + [self.root(first, first + split)]

    def note(self, size, root=None, origin=None, seed=None, more=""):
        origin, seed = origin or self.origin, seed or self.seed
        text = f"{origin}\n{size}\n{base64.b64encode(root or self.root(0, size)).decode()}\n{more}"
        data = program.key_id(origin, 1, ed25519.public_key(seed)) + ed25519.sign(seed, text.encode())
        return f"{text}\n— {origin} {base64.b64encode(data).decode()}\n"

    def request(self, old, size, note=None, proof=None):
        proof = proof if proof is not None else self.proof(old, 0, size) if 0 < old < size else []
        return f"old {old}\n" + "".join(base64.b64encode(h).decode() + "\n" for h in proof) + "\n" + (note or self.note(size))


def post(port, body, path="/add-checkpoint"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, body if isinstance(body, bytes) else body.encode())
    answer = connection.getresponse()
    text = answer.read().decode()
    kind = answer.getheader("Content-Type")
    connection.close()
    check(answer.status != 409 or kind == "text/x.tlog.size", f"409 as {kind}")
    return answer.status, text


def the_witness_itself():
    log, other = Log(), Log(b"other ")
    write("witness.key", "witness.example/w1\n" + bytes(range(32, 64)).hex() + "\n")
    write("log.policy", f"log {program.vkey(log.origin, 1, ed25519.public_key(log.seed))}\nquorum none\n")
    port = free_port()
    child = serve("witness", "log.policy", port, 1700000000)
    expected = ("— witness.example/w1 IDJKvgAAAABlU/EA4psL2w6kvHjunCR6iRRvgW1vfNjzqReh15E9Y4oTdcW44LvHXlaXBM0A6gx3875GPmcFYk9HqMNrS9Qlp5auBA==\n")

    check(post(port, log.request(0, 600, proof=[bytes(32)])) == (422, ""), "a proof from nothing")
    check(post(port, log.request(5, 600)) == (409, "0\n"), "an old size that it has not")
    check(post(port, log.request(601, 600)) == (400, ""), "an old size beyond the new one")
    check(post(port, log.request(0, 0, log.note(0, bytes(32)))) == (422, ""), "a root of nothing that is another")
    check(post(port, log.request(0, 0))[0] == 200, "a checkpoint of nothing")
    for size in (1, 2, 3, 7, 8, 64, 65, 300):
        old = int(post(port, log.request(size, size))[1])
        status, text = post(port, log.request(old, size))
        check(status == 200 and text.startswith("— witness.example/w1 "), f"from {old} to {size}: {status}")
    good = log.proof(300, 0, 600)
    for proof in [[], good[1:], good[:-1], good + [bytes(32)], good[:1] + [bytes(32)] + good[2:], [bytes(32)] * 63]:
        check(post(port, log.request(300, 600, proof=proof)) == (422, ""), f"a proof of {len(proof)} hashes")
    check(post(port, log.request(300, 600, other.note(600))) == (422, ""), "the root of another history")
    check(post(port, log.request(300, 300, other.note(300))) == (422, ""), "another root of the same size")
    check(post(port, log.request(300, 300, proof=[bytes(32)])) == (422, ""), "a proof of nothing new")
    check(post(port, log.request(0, 200)) == (409, "300\n"), "back to a smaller size")
    check(post(port, log.request(0, 600, proof=[])) == (409, "300\n"), "a new start")

    check(post(port, log.request(300, 600, log.note(600, origin="raffle.example/log2"))) == (404, ""), "an origin that it does not know")
    check(post(port, log.request(300, 600, log.note(600, seed=bytes(32)))) == (403, ""), "another key")
    signed = log.note(600)
    check(post(port, log.request(300, 600, signed[:-6] + "AAA=\n"))[0] in (400, 403), "a signature that is wrong")
    check(post(port, log.request(300, 600, signed.replace("\n600\n", "\n599\n"))) == (403, ""), "another text")
    request = log.request(300, 600)
    for body in ["", "\n", "old 300", "old 300\n", "old 300\n\n", "old 0300" + request[7:], "old +300" + request[7:], "old -1" + request[7:],
                 "new 300" + request[7:], "old 300 " + request[7:], request.replace("\n", "\r\n"), request[:-1], request + "x", "\n" + request,
                 "old 300\n" + "A" * 44 + "\n" * 2 + request.partition("\n\n")[2], "old 300\n" + (base64.b64encode(bytes(32)).decode() + "\n") * 64 + "\n" + log.note(600),
                 b"\xff" + request.encode(), "x" * 40000]:
        check(post(port, body)[0] == 400, f"taken: {body[:60]!r}")
    check(post(port, request, "/elsewhere")[0] == 404, "another path")

    # Many at once: one is the first, and none goes back. Then the example of the reference, to the byte.
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda size: post(port, log.request(300, size)), range(301, 317)))
    first = [size for size, (status, _) in zip(range(301, 317), answers) if status == 200]
    check(len(first) == 1 and all(a == (409, f"{first[0]}\n") for a in answers if a[0] != 200), f"at once: {answers}")
    check(post(port, log.request(first[0], 600)) == (200, expected), "the worked example's cosignature is another one")
    check(post(port, log.request(600, 600)) == (200, expected), "the same again")
    stop(child)
    child = serve("witness", "log.policy", port, 1700000000)
    check(post(port, log.request(0, 600)) == (409, "600\n"), "it forgot")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", f"/{hashlib.sha256(log.origin.encode()).hexdigest()}/checkpoint")
    check(connection.getresponse().read().decode() == log.note(600) + expected, "what monitors get")
    connection.close()
    stop(child)


try:
    write("clock.c", SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "clock.so", "clock.c", "-ldl"], check=True)
    the_witness_itself()
    every_answer()
    the_whole_way()
finally:
    for process in children:
        process.kill()
        process.wait()
print(f"{checks} checks passed")
