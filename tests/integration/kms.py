#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The provider kms: against a KMS of our own that misbehaves (tests/servers/fake_kms.py), and against moto's: through the command, and through the
library where a time or a host's callback is needed.

RAFFLE and RAFFLE_BUILD as tests/run.sh sets them; RAFFLE_MOTO is a Python that has moto's server, without it a venv is made in this folder.
"""
import base64
import ctypes
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import urllib.request

SOURCE = pathlib.Path(os.environ["RAFFLE_SOURCE"])
BUILD = pathlib.Path(os.environ["RAFFLE_BUILD"])
COMMAND = os.environ["RAFFLE"]
STATIC = {"AWS_ACCESS_KEY_ID": "AKIDSTATIC", "AWS_SECRET_ACCESS_KEY": "static/Secret+Key=0123456789"}
SESSION = {"AWS_ACCESS_KEY_ID": "AKIDSESSION", "AWS_SECRET_ACCESS_KEY": "session/Secret+Key",
           "AWS_SESSION_TOKEN": "c2Vzc2lvbg/Token+Of=" + "T" * 900}
SECRETS = ("static/", "session/", "c2Vzc2lvbg", "issued/", "imds-session", "container-token", "host/Secret", "password")
STORE = "cks-1234567890abcdef0"
passed = 0
outputs = []


def need(condition, sentence):
    global passed
    if not condition:
        sys.exit("kms: " + sentence)
    passed += 1


def open_url(url, data=None):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(url, data, timeout=10).read()


class Fake:
    """The server, for as long as this object is used."""

    def __init__(self, *options, tls=False):
        self.process = subprocess.Popen([sys.executable, str(SOURCE / "tests/servers/fake_kms.py"), *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.http = f"http://127.0.0.1:{self.port}"
        self.uri = f"kms:?region=ca-central-1&endpoint={'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def control(self, **orders):
        open_url(self.http + "/control", json.dumps({"reset": True, **orders}).encode())

    def seen(self):
        return json.loads(open_url(self.http + "/control"))

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


def environment(variables):
    bare = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}
    return {**bare, "AWS_EC2_METADATA_DISABLED": "true", **variables}


def sample(uri, *options, env=STATIC):
    """The status, RAFFLE_OK when it went well, and what was printed."""
    done = subprocess.run([COMMAND, "rng", "sample", "--rng", uri, *(options or ("--bytes", "48")), "--json"],
                          capture_output=True, text=True, timeout=60, env=environment(env))
    outputs.append(done.stdout + done.stderr)
    if done.returncode == 0:
        return "RAFFLE_OK", "".join(json.loads(line)["bytes"] for line in done.stdout.split("\n") if '"bytes"' in line)
    error = json.loads(done.stdout.strip().split("\n")[-1])["error"]
    return error["rc"], error["message"]


# --- the library, by ctypes ---

OK, TIMEOUT, HOST, RNG = 0, 45, 47, 80


class Error(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("rc", ctypes.c_int32), ("detail", ctypes.c_uint32), ("reserved", ctypes.c_uint32),
                ("token", ctypes.c_uint64), ("message", ctypes.c_char * 240)]


SECRET = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t,
                          ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(Error))


class Host(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("ctx", ctypes.c_void_p), ("clock", ctypes.c_void_p),
                ("secret", SECRET), ("log", ctypes.c_void_p), ("release", ctypes.c_void_p), ("timeout_ms", ctypes.c_int32),
                ("reserved", ctypes.c_int32)]


library = ctypes.CDLL(str(BUILD / "src/libraffle.so"))
library.raffle_rng_name.restype = ctypes.c_char_p
library.raffle_rng_name.argtypes = library.raffle_rng_free.argtypes = [ctypes.c_void_p]
library.raffle_rng_fill.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int32, ctypes.POINTER(Error)]


def new_error():
    return Error(struct_size=ctypes.sizeof(Error))


class Provider:
    def __init__(self, uri, env=STATIC, host=None):
        self.rng, self.host, error = ctypes.c_void_p(), host, new_error()
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(environment(env))
        self.rc = library.raffle_rng_open(uri.encode(), None if host is None else ctypes.byref(host), ctypes.byref(self.rng), ctypes.byref(error))
        os.environ.clear()
        os.environ.update(before)
        self.message = error.message.decode()
        outputs.append(self.message)

    def name(self):
        return library.raffle_rng_name(self.rng).decode()

    def fill(self, timeout_ms=5000, length=48):
        """The status, the sentence, the bytes, and how many seconds it took."""
        out, error, since = ctypes.create_string_buffer(length), new_error(), time.monotonic()
        rc = library.raffle_rng_fill(self.rng, out, length, timeout_ms, ctypes.byref(error))
        outputs.append(error.message.decode())
        if rc != OK:
            need(out.raw == bytes(length), "bytes were left behind after a failure")
        return rc, error.message.decode(), out.raw, time.monotonic() - since

    def free(self):
        library.raffle_rng_free(self.rng)


# --- what is tried ---


def test_good(fake):
    fake.control()
    rc, data = sample(fake.uri, "--bytes", "2500")
    need(rc == "RAFFLE_OK" and len(data) == 5000, f"2500 bytes: {rc} {data[:100]}")
    seen = fake.seen()
    need(seen["kms"] == 4 and not seen["refused"], f"the start-up test and three signed calls: {seen}")
    need(sample(fake.uri)[1] != sample(fake.uri)[1], "two samples are equal")
    need(sample(fake.uri, env=SESSION)[0] == "RAFFLE_OK", f"a session's token is signed: {fake.seen()}")
    need(sample(fake.uri + "&custom-key-store=" + STORE)[0] == "RAFFLE_OK", "a custom key store")
    rc, text = sample(fake.uri + "&custom-key-store=cks-0")
    need(rc == "RAFFLE_RNG" and "CustomKeyStoreNotFoundException" in text and "/cks-0@127.0.0.1" in text, text)
    for n in (1, 2, 3, 31, 48, 1023, 1024):
        rc, data = sample(fake.uri, "--bytes", str(n))
        need(rc == "RAFFLE_OK" and len(data) == 2 * n, f"{n} bytes: {rc}")
    need(not [r for r in fake.seen()["refused"] if "KeyStore" not in r], f"signatures: {fake.seen()['refused']}")


def test_signature_is_judged(fake):
    """That the fake would notice: wrong key, wrong token, wrong region, each a failure that is not tried again."""
    fake.control()
    cases = [({**STATIC, "AWS_SECRET_ACCESS_KEY": "static/Secret+Key=0123456780"}, fake.uri, "InvalidSignatureException"),
             ({**SESSION, "AWS_SESSION_TOKEN": "c2Vzc2lvbg"}, fake.uri, "UnrecognizedClientException"),
             ({**STATIC, "AWS_ACCESS_KEY_ID": "AKIDNOBODY"}, fake.uri, "UnrecognizedClientException"),
             (STATIC, fake.uri.replace("ca-central-1", "us-east-1"), "InvalidSignatureException")]
    for env, uri, kind in cases:
        rc, text = sample(uri, env=env)
        need(rc == "RAFFLE_RNG" and f"HTTP 400 {kind} (request " in text, f"{kind}: {rc} {text}")
    need(fake.seen()["kms"] == len(cases), "a refused signature was tried again")
    for skew in (-400, 400):
        fake.control(skew=skew)
        rc, text = sample(fake.uri)
        need(rc == "RAFFLE_RNG" and "RequestTimeTooSkewed" in text, f"{skew} s: {rc} {text}")
    fake.control(skew=200)
    need(sample(fake.uri)[0] == "RAFFLE_OK", "clocks that differ by 200 s")


TOLERATED = ("extra", "escaped", "other-type", "no-id", "two-ids", "long-id", "bad-id", "continue")
REFUSED = {
    "short": "canonical base64", "long": "canonical base64", "longest": "canonical base64", "empty": "canonical base64", "null": "no Plaintext",
    "number": "no JSON object", "list": "no JSON object", "missing": "no Plaintext", "bad-base64": "canonical base64",
    "url-base64": "canonical base64", "no-padding": "canonical base64", "space-base64": "canonical base64",
    "non-canonical": "canonical base64", "doubled": "no JSON object", "trailing": "no JSON object", "two": "no JSON object",
    "cut": "no JSON object", "nul": "canonical base64", "nothing": "no JSON object", "huge": "too long", "endless": "too long",
    "html": "no JSON object", "drop-mid": ": ", "not-http": ": ", "redirect:301": "HTTP 301", "redirect:302": "HTTP 302",
    "redirect:307": "HTTP 307", "redirect:308": "HTTP 308", "status:204": "HTTP 204", "status:404": "HTTP 404", "unauthorised": "HTTP 401",
}
ERRORS = ("UnsupportedOperationException", "CustomKeyStoreNotFoundException", "CustomKeyStoreInvalidStateException", "ValidationException",
          "AccessDeniedException", "ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException",
          "IncompleteSignatureException", "RequestTimeTooSkewed", "SerializationException")


def test_answers(fake):
    provider = Provider(fake.uri)
    for behaviour in TOLERATED:
        fake.control(kms=[behaviour])
        rc, text, data, _ = provider.fill()
        need(rc == OK and data != bytes(48), f"{behaviour}: {rc} {text}")
    for behaviour, words in REFUSED.items():
        fake.control(kms=[behaviour])
        rc, text, _, _ = provider.fill(length=47 if behaviour == "non-canonical" else 48)
        need(rc == RNG and words in text and provider.name() in text, f"{behaviour}: {rc} {text}")
        need(fake.seen()["kms"] == 1, f"{behaviour} was tried again")
    for kind in ERRORS:
        for form in ("error:", "namespace:"):
            fake.control(kms=[form + kind])
            rc, text, _, _ = provider.fill()
            seen = fake.seen()
            need(rc == RNG and f"HTTP 400 {kind} (request {seen['ids'][0]})" in text, f"{kind}: {rc} {text}")
            need(seen["kms"] == 1, f"{kind} was tried again")
    fake.control(kms=["echo"])
    rc, text, _, _ = Provider(fake.uri, env=SESSION).fill()
    need(rc == RNG and text.endswith('": HTTP 400'), f"echo: {rc} {text}")
    provider.free()


def test_command_says_it(fake):
    fake.control(kms=["error:AccessDeniedException"])
    rc, text = sample(fake.uri)
    need(rc == "RAFFLE_RNG" and "AccessDeniedException" in text, text)
    fake.control(kms=["repeat"])
    rc, text = sample(fake.uri, "--range", "49", "--picks", "6", "--draws", "2")
    need(rc == "RAFFLE_RNG_SEED", f"the same seed again: {rc} {text}")
    fake.control(kms=["zeros"])
    rc, text = sample(fake.uri, "--range", "49", "--picks", "6")
    need(rc == "RAFFLE_RNG_UNHEALTHY", f"a seed of zeros: {rc} {text}")


def test_tries_again(fake):
    provider = Provider(fake.uri)
    for behaviour in ("status:500", "status:503", "status:429", "error:ThrottlingException", "drop", "reset"):
        fake.control(kms=[behaviour, "ok"])
        rc, text, _, _ = provider.fill()
        need(rc == OK and fake.seen()["kms"] >= 2, f"{behaviour}, then well: {rc} {text}")
        fake.control(kms=[behaviour])
        rc, text, _, _ = provider.fill()
        need(rc == RNG and 3 <= fake.seen()["kms"] <= 4, f"{behaviour} always: {rc} {text} {fake.seen()['kms']}")
    fake.control(kms=["status:503"])
    need("HTTP 503 KMSInternalException (request " in provider.fill()[1], "the last failure is told")
    rc, text, _, _ = provider.fill(timeout_ms=1)
    need(rc == TIMEOUT or rc == RNG, f"a millisecond: {rc} {text}")
    provider.free()


def test_time(fake):
    provider = Provider(fake.uri)
    for behaviour in ("slow-head:8", "slow-body"):
        fake.control(kms=[behaviour])
        rc, text, _, took = provider.fill(timeout_ms=700)
        need(rc == TIMEOUT and "out of time" in text, f"{behaviour}: {rc} {text}")
        need(0.6 < took < 6, f"{behaviour}: 700 ms took {took} s")
    rc, text, _, _ = provider.fill(timeout_ms=0)
    need(rc == TIMEOUT, f"no time at all: {rc} {text}")
    provider.free()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))  # listens not: connections are refused
    port = listener.getsockname()[1]
    provider = Provider(f"kms:?region=ca-central-1&endpoint=http://127.0.0.1:{port}")
    rc, text, _, _ = provider.fill()
    need(rc == RNG and "connect" in text, f"nobody there: {rc} {text}")
    listener.listen(0)  # accepts not
    rc, text, _, took = provider.fill(timeout_ms=600)
    need(rc == TIMEOUT and took < 6, f"nobody accepts: {rc} {text} {took}")
    provider.free()
    listener.close()


def test_threads(fake):
    fake.control()
    provider, results = Provider(fake.uri, env=SESSION), []

    def run():
        for _ in range(10):
            results.append(provider.fill())

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    provider.free()
    need(all(r[0] == OK for r in results), f"threads: {[r[1] for r in results if r[0] != OK][:1]}")
    need(len({r[2] for r in results}) == 80, "threads were given the same bytes")


def test_names(fake):
    fake.control()
    provider = Provider(fake.uri + "&custom-key-store=" + STORE)
    need(provider.name() == f"kms:ca-central-1/{STORE}@127.0.0.1:{fake.port}", provider.name())
    provider.free()
    for uri, name in (("kms:?region=ca-central-1", "kms:ca-central-1"), ("kms:?region=ca-central-1&fips=1", "kms:ca-central-1")):
        provider = Provider(uri)
        need(provider.name() == name, provider.name())
        provider.free()
    rc, text = sample(fake.uri.replace("http://", "http://user:password@"))
    need(rc == "RAFFLE_INVALID" and "endpoint" in text, f"a password in the URL: {rc} {text}")
    rc, text = sample("kms:?region=ca-central-1&endpoint=http://kms.example")
    need(rc == "RAFFLE_INVALID" and "TLS" in text, f"http to another host: {rc} {text}")


# --- credentials ---


def test_environment(fake):
    fake.control()
    nothing = {}
    cases = [(nothing, "no source of credentials"), ({"AWS_ACCESS_KEY_ID": "AKIDSTATIC"}, "AWS_SECRET_ACCESS_KEY is not"),
             ({"AWS_SECRET_ACCESS_KEY": "static/Secret"}, "AWS_ACCESS_KEY_ID is not"),
             ({**STATIC, "AWS_SECRET_ACCESS_KEY": "static/\x01"}, "visible ASCII"),
             ({**SESSION, "AWS_SESSION_TOKEN": "c2Vzc2lvbg\r\nX-Evil: 1"}, "visible ASCII"),
             ({**STATIC, "AWS_ACCESS_KEY_ID": "AKID STATIC"}, "no word"),
             ({**STATIC, "AWS_SESSION_TOKEN": "c2Vzc2lvbg" + "T" * 9000}, "AWS_SESSION_TOKEN has more than")]
    for env, words in cases:
        rc, text = sample(fake.uri, env=env)
        need(rc == "RAFFLE_INVALID" and words in text, f"{words}: {rc} {text}")
    for source in ("environment", "container", "host"):
        rc, text = sample(fake.uri + "&credentials=" + source, env=nothing)
        need(rc == "RAFFLE_INVALID", f"{source}: {rc} {text}")
    need(fake.seen()["kms"] == 0, "a call was made without credentials")


def container(fake, **more):
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": fake.http + "/container?id=1", **more}


def test_container(fake):
    token = pathlib.Path("container-token")
    token.write_text("container-token-1\n", "ascii")
    by_file = container(fake, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(token.resolve()))
    fake.control()
    need(sample(fake.uri, env=container(fake))[0] == "RAFFLE_OK", "a container's credentials")
    fake.control(authorization="container-token-1")
    need(sample(fake.uri, env=by_file)[0] == "RAFFLE_OK", "with its token from a file")
    need(sample(fake.uri, env=container(fake, AWS_CONTAINER_AUTHORIZATION_TOKEN="container-token-1"))[0] == "RAFFLE_OK", "with its token")
    rc, text = sample(fake.uri, env=container(fake))
    need(rc == "RAFFLE_RNG" and "HTTP 401" in text, f"without its token: {rc} {text}")
    rc, text = sample(fake.uri, env=container(fake, AWS_CONTAINER_AUTHORIZATION_TOKEN="container-token\r\nX-Evil: 1"))
    need(rc == "RAFFLE_RNG" and "no header's value" in text, f"a token of two lines: {rc} {text}")
    pathlib.Path("nul").write_bytes(b"container-token-1\0")
    for path in ("/nowhere", "/", "/dev/null", "nul"):
        rc, text = sample(fake.uri, env=container(fake, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=path))
        need(rc == "RAFFLE_RNG" and "cannot be read" in text, f"{path}: {rc} {text}")
    for behaviour, words in (("half", "no AccessKeyId or no Secret"), ("malformed", "no JSON object"), ("code", "Code"), ("huge", "too long"),
                             ("inject", "visible ASCII"), ("404", "HTTP 404"), ("for:-5", "expired")):
        fake.control(container=[behaviour])
        rc, text = sample(fake.uri, env=container(fake))
        need(rc == "RAFFLE_RNG" and words in text, f"{behaviour}: {rc} {text}")
    fake.control(container=["500", "drop", "for:3600"])
    need(sample(fake.uri, env=container(fake))[0] == "RAFFLE_OK", "a service that recovers")
    for url in ("http://10.0.0.1/x", "ftp://127.0.0.1/x", "http://user:password@127.0.0.1/x", "http://127.0.0.1.example/x"):
        rc, text = sample(fake.uri, env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": url})
        need(rc == "RAFFLE_INVALID" and "FULL_URI" in text, f"{url}: {rc} {text}")
    rc, text = sample(fake.uri, env={"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@evil.example/"})
    need(rc == "RAFFLE_INVALID" and "RELATIVE_URI" in text, f"a relative URI of another host: {rc} {text}")


def test_keeping(fake):
    """Kept while they last, renewed early, asked for again when they have expired or AWS says so."""
    fake.control()
    provider = Provider(fake.uri, env=container(fake))
    need([provider.fill()[0] for _ in range(5)] == [OK] * 5 and fake.seen()["container"] == 1, "credentials are kept")
    fake.control(kms=["error:ExpiredTokenException", "ok"])
    need(provider.fill()[0] == RNG and fake.seen()["container"] == 0, "AWS says that they have expired")
    need(provider.fill()[0] == OK and fake.seen()["container"] == 1, "then they are asked for again")
    provider.free()
    fake.control(container=["for:600", "for:3600"])
    provider = Provider(fake.uri, env=container(fake))
    need(provider.fill()[0] == OK and provider.fill()[0] == OK and provider.fill()[0] == OK, "renewed early")
    need(fake.seen()["container"] == 2, f"renewed once: {fake.seen()['container']}")
    provider.free()
    fake.control(container=["for:600", "slow"])
    provider = Provider(fake.uri, env=container(fake))
    need(provider.fill()[0] == OK, "the first")
    rc, text, _, took = provider.fill(timeout_ms=8000)
    need(rc == OK and took < 6, f"a renewal that hangs: {rc} {text} {took}")
    provider.free()
    fake.control(container=["for:4", "500"])
    provider = Provider(fake.uri, env=container(fake))
    need(provider.fill()[0] == OK, "for four seconds")
    time.sleep(4.1)
    rc, text, _, _ = provider.fill()
    need(rc == RNG and "HTTP 500" in text, f"expired, and no others: {rc} {text}")
    provider.free()


def test_imds(fake):
    env = {"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": fake.http + "/"}
    fake.control()
    need(sample(fake.uri, env=env)[0] == "RAFFLE_OK", "an instance's credentials")
    need(fake.seen()["imds"] == 3, "a token, a role, its credentials")
    need(sample(fake.uri + "&credentials=imds", env={**STATIC, **env})[0] == "RAFFLE_OK" and fake.seen()["imds"] == 6, "credentials=imds")
    fake.control(imds=["ok", "ok", "500", "ok"])
    need(sample(fake.uri, env=env)[0] == "RAFFLE_OK" and fake.seen()["imds"] == 4, "an instance's service that recovers")
    for behaviour, words in (("403", "HTTP 403"), ("no-role", "HTTP 404"), ("bad-role", "names none"), ("inject", "no header's value"),
                             ("half", "no AccessKeyId"), ("code", "Code"), ("for:-5", "expired")):
        fake.control(imds=[behaviour])
        rc, text = sample(fake.uri, env=env)
        need(rc == "RAFFLE_RNG" and words in text, f"{behaviour}: {rc} {text}")
    for url in ("http://10.0.0.1", "http://127.0.0.1/path", "nonsense"):
        rc, text = sample(fake.uri, env={**env, "AWS_EC2_METADATA_SERVICE_ENDPOINT": url})
        need(rc == "RAFFLE_INVALID" and "AWS_EC2_METADATA_SERVICE_ENDPOINT" in text, f"{url}: {rc} {text}")
    rc, text = sample(fake.uri + "&credentials=imds", env={})
    need(rc == "RAFFLE_INVALID" and "AWS_EC2_METADATA_DISABLED" in text, f"disabled: {rc} {text}")


def test_host(fake):
    answers = []

    def secret(_ctx, what, out, cap, length, error):
        need(what == b"aws-credentials", f"the host was asked for {what}")
        answer = answers[0]
        if isinstance(answer, int):
            error.contents.token, error.contents.message = 7, b"the vault is shut"
            return answer
        need(len(answer) <= cap, "the host's answer is too long")
        ctypes.memmove(out, answer, len(answer))
        length[0] = len(answer)
        return OK

    host = Host(struct_size=ctypes.sizeof(Host), secret=SECRET(secret))
    good = json.dumps({"AccessKeyId": STATIC["AWS_ACCESS_KEY_ID"], "SecretAccessKey": STATIC["AWS_SECRET_ACCESS_KEY"]}).encode()
    fake.control()
    absent = {"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"}
    for uri, env in ((fake.uri + "&credentials=host", STATIC), (fake.uri, {}), (fake.uri, absent)):
        provider = Provider(uri, env=env, host=host)
        need(provider.rc == OK, provider.message)
        answers[:] = [good]
        rc, text, _, _ = provider.fill()
        need(rc == OK, f"the host's credentials: {rc} {text}")
        answers[:] = [66]
        rc, text, _, _ = provider.fill()
        need(rc == HOST and "the vault is shut" in text, f"a host that fails: {rc} {text}")
        answers[:] = [b'{"AccessKeyId":"A"}']
        rc, text, _, _ = provider.fill()
        need(rc == RNG and "no AccessKeyId or no Secret" in text, f"half of a key: {rc} {text}")
        provider.free()


# --- a draw ---


def run(*arguments, at="2026-11-15T05:00:00.000Z"):
    done = subprocess.run([COMMAND, *arguments, "--by", "ann:manager"], capture_output=True, text=True, timeout=60,
                          env=environment({**STATIC, "RAFFLE_CLOCK": at}))
    outputs.append(done.stdout + done.stderr)
    return done


def sell_night(path, provider):
    """A raffle whose rules pin `provider`, with two tickets, sealed."""
    rules = json.loads((SOURCE / "examples/data/rules.json").read_text("utf-8"))
    rules["prizes"] = [p for p in rules["prizes"] if p["name"] == "fifty-fifty"]
    pathlib.Path("rules.json").write_text(json.dumps({**rules, "rng": [provider]}), "utf-8")
    lines = (SOURCE / "examples/data/sales.csv").read_text("utf-8").splitlines(keepends=True)
    pathlib.Path("sales.csv").write_text("".join(lines[:3]), "utf-8")
    steps = (["create", path, "--rules", "rules.json"], ["import", path, "sales.csv", "--replay"], ["seal", path], ["ack", path])
    for step in steps:
        done = run(*step, at="2026-11-15T00:59:00.000Z") if step[0] == "create" else run(*step)
        need(done.returncode == 0, f"{step}: {done.stdout} {done.stderr}")


def test_draw(fake):
    """What rules pin is the endpoint, too."""
    fake.control()
    sell_night("aws.raffle", "kms:ca-central-1")
    done = run("draw", "aws.raffle", "fifty-fifty", "--rng", fake.uri, "--json")
    need(done.returncode != 0 and "RAFFLE_RNG_NOT_PINNED" in done.stdout, f"another endpoint than AWS's: {done.stdout}")
    need(fake.seen()["kms"] == 0, "a provider that is not pinned was asked")
    sell_night("fake.raffle", f"kms:ca-central-1@127.0.0.1:{fake.port}")
    done = run("draw", "fake.raffle", "fifty-fifty", "--rng", fake.uri)
    need(done.returncode == 0, f"the endpoint that is pinned: {done.stdout} {done.stderr}")
    need(run("audit", "fake.raffle").returncode == 0, "the audit")
    result = [line for line in run("show", "fake.raffle", "control").stdout.splitlines() if '"draw.result"' in line]
    need(len(result) == 1 and f'"evidence":"{fake.seen()["ids"][-1]}"' in result[0], f"the request's id is not kept: {result}")
    fake.control(kms=["error:AccessDeniedException"])
    sell_night("refused.raffle", f"kms:ca-central-1@127.0.0.1:{fake.port}")
    done = run("draw", "refused.raffle", "fifty-fifty", "--rng", fake.uri, "--json")
    need(done.returncode != 0 and "AccessDeniedException" in done.stdout, f"a draw that is refused: {done.stdout}")


# --- TLS, and a second opinion ---


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_certificates():
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=Test CA")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "kms.key", "-out", "kms.csr", "-subj", "/CN=kms")
    pathlib.Path("kms.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:kms.ca-central-1.amazonaws.com,DNS:kms.example\n", "ascii")
    openssl("x509", "-req", "-in", "kms.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "kms.ext", "-days", "2", "-out",
            "kms.pem")


def pump(source, sink):
    try:
        while data := source.recv(4096):
            sink.sendall(data)
    except OSError:
        pass
    for s in (source, sink):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve_proxy(listener, port):
    """Whoever is asked for, the fake is what CONNECT gives."""
    while True:
        try:
            client = listener.accept()[0]
        except OSError:
            return
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1)
        server = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"HTTP/1.1 200 OK\r\nx-amzn-RequestId: the-proxys\r\n\r\n")
        for ends in ((client, server), (server, client)):
            threading.Thread(target=pump, args=ends, daemon=True).start()


def test_another_in_its_place(fake, trusted):
    """A proxy, a certificate for AWS's host and AWS_CA_BUNDLE, all set by the environment, do not make a server be KMS."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve_proxy, args=(listener, fake.port), daemon=True).start()
    env = {**trusted, "HTTPS_PROXY": f"http://127.0.0.1:{listener.getsockname()[1]}"}
    rc, text = sample("kms:?region=ca-central-1&endpoint=https://kms.example", env=env)
    need(rc == "RAFFLE_OK", f"a foreign endpoint by a proxy: {rc} {text}")
    for uri in ("kms:?region=ca-central-1", "kms:?region=ca-central-1&endpoint=https://kms.ca-central-1.amazonaws.com"):
        rc, text = sample(uri, env=env)
        need(rc == "RAFFLE_RNG" and "certificate" in text and "@" not in text, f"another in KMS's place: {rc} {text}")
    listener.close()


def test_tls():
    make_certificates()
    fake = Fake("--cert", "kms.pem", "--key", "kms.key", tls=True)
    trusted = {**STATIC, "AWS_CA_BUNDLE": os.path.abspath("ca.pem")}
    rc, data = sample(fake.uri, "--bytes", "2500", env=trusted)
    need(rc == "RAFFLE_OK" and len(data) == 5000, f"TLS: {rc} {data[:200]}")
    rc, text = sample(fake.uri)
    need(rc == "RAFFLE_RNG" and "certificate" in text, f"an unknown CA: {rc} {text}")
    rc, text = sample(fake.uri.replace("127.0.0.1", "localhost"), env=trusted)
    need(rc == "RAFFLE_RNG" and "certificate" in text, f"another's certificate: {rc} {text}")
    rc, text = sample(fake.uri, env={**STATIC, "AWS_CA_BUNDLE": "/nowhere.pem"})
    need(rc == "RAFFLE_RNG", f"no bundle: {rc} {text}")
    rc, text = sample(fake.uri.replace("https://", "http://"))
    need(rc == "RAFFLE_RNG", f"http to https: {rc} {text}")
    test_another_in_its_place(fake, trusted)
    fake.end()
    plain = Fake()
    rc, text = sample(plain.uri.replace("http://", "https://"), env=trusted)
    need(rc == "RAFFLE_RNG", f"https to http: {rc} {text}")
    plain.end()


def moto_python():
    given = os.environ.get("RAFFLE_MOTO")
    if given:
        return given
    subprocess.run([sys.executable, "-m", "venv", "venv"], check=True)
    subprocess.run(["venv/bin/python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "moto[server,kms]"], check=True)
    return "venv/bin/python3"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process):
    for _ in range(600):
        need(process.poll() is None, "moto's server ended")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("kms: moto's server does not listen")


def test_moto():
    port = free_port()
    process = subprocess.Popen([moto_python(), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=environment({}))
    try:
        wait_for(port, process)
        uri = f"kms:?region=ca-central-1&endpoint=http://127.0.0.1:{port}"
        rc, data = sample(uri, "--bytes", "1500")
        need(rc == "RAFFLE_OK" and len(data) == 3000, f"moto: {rc} {data[:200]}")
        need(len(set(base64.b16decode(data.upper()))) > 200, "moto's bytes are not random")
    finally:
        process.terminate()
        process.wait(10)


def main():
    since = time.monotonic()
    fake = Fake()
    for test in (test_good, test_signature_is_judged, test_answers, test_command_says_it, test_tries_again, test_time, test_threads, test_names,
                 test_environment, test_container, test_keeping, test_imds, test_host,
                 test_draw):
        test(fake)
        print(f"{test.__name__}: {time.monotonic() - since:.1f} s", flush=True)
    fake.end()
    test_tls()
    print(f"test_tls: {time.monotonic() - since:.1f} s", flush=True)
    test_moto()
    told = "\n".join(outputs)
    for word in SECRETS:
        need(word not in told, f"a secret was told: {word}")
    print(f"kms: {passed} checks, {time.monotonic() - since:.1f} s")


if __name__ == "__main__":
    main()
