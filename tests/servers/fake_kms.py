#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A KMS for tests, on loopback: GenerateRandom behind complete signatures (Signature version 4), a container's credentials and an instance's
(IMDSv2), which misbehave on demand. Prints its port; ends when its standard input does, or after --seconds.

Control, unsigned: POST /control with {"kms": [BEHAVIOUR, …]} (one for each request to come; the last stays), "container" and "imds" likewise,
"authorization" (what the container's endpoint wants), "skew" (seconds that its clock is ahead), "reset": true. GET /control tells what
was seen.
"""
import argparse
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time
import uuid

STATIC = {"AKIDSTATIC": ("static/Secret+Key=0123456789", None), "AKIDSESSION": ("session/Secret+Key", "c2Vzc2lvbg/Token+Of=" + "T" * 900)}
SKEW = 300
SIGNED = {"host", "x-amz-date", "content-type", "x-amz-target"}


class Refused(Exception):
    """A request that AWS would refuse: the error's type, and why."""


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def parse_authorization(text):
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([A-Za-z0-9_]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, ?"
        r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})", text or "")
    if not match:
        raise Refused("IncompleteSignatureException", "Authorization is malformed")
    return match.groups()


def canonical_request(request, body, names):
    lines = [request.command, "/", ""]
    if request.path != "/":
        raise Refused("InvalidSignatureException", "the path is not /")
    for name in names:
        values = request.headers.get_all(name)
        if values is None or len(values) != 1:
            raise Refused("InvalidSignatureException", f"the signed header {name} is not there once")
        lines.append(name + ":" + re.sub(r" +", " ", values[0].strip()))
    return "\n".join(lines + ["", ";".join(names), hashlib.sha256(body).hexdigest()])


def check_names(request, names):
    present = {name.lower() for name in request.headers if name.lower().startswith("x-amz-")} | SIGNED
    if names != sorted(set(names)) or not present <= set(names):
        raise Refused("InvalidSignatureException", "headers are unsigned: " + " ".join(sorted(present - set(names))))


def check_time(request, day, now):
    date = request.headers["x-amz-date"] or ""
    if not re.fullmatch(r"\d{8}T\d{6}Z", date) or date[:8] != day:
        raise Refused("IncompleteSignatureException", "X-Amz-Date is malformed")
    at = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
    if abs(now - at) > SKEW:
        raise Refused("RequestTimeTooSkewed", "the clocks differ")


def check_signature(server, request, body):
    key_id, day, region, service, signed, signature = parse_authorization(request.headers["Authorization"])
    names = signed.split(";")
    if key_id not in server.keys:
        raise Refused("UnrecognizedClientException", "unknown key")
    secret, token, expires = server.keys[key_id]
    check_names(request, names)
    check_time(request, day, time.time() + server.skew)
    if (region, service) != (server.region, "kms"):
        raise Refused("InvalidSignatureException", "wrong scope")
    if request.headers["X-Amz-Security-Token"] != token:
        raise Refused("UnrecognizedClientException", "wrong session token")
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], f"{day}/{region}/kms/aws4_request",
                      hashlib.sha256(canonical_request(request, body, names).encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (day, region, "kms", "aws4_request"):
        key = digest(key, part)
    if not hmac.compare_digest(digest(key, text).hex(), signature):
        raise Refused("InvalidSignatureException", "the signature differs")
    if expires is not None and time.time() > expires:
        raise Refused("ExpiredTokenException", "the token has expired")


def check_request(request, body):
    if request.headers["X-Amz-Target"] != "TrentService.GenerateRandom":
        raise Refused("UnknownOperationException", "not GenerateRandom")
    if request.headers["Content-Type"] != "application/x-amz-json-1.1":
        raise Refused("SerializationException", "wrong type")
    asked = json.loads(body)
    n, store = asked.get("NumberOfBytes"), asked.get("CustomKeyStoreId")
    if set(asked) - {"NumberOfBytes", "CustomKeyStoreId"} or not isinstance(n, int) or not 1 <= n <= 1024:
        raise Refused("ValidationException", "NumberOfBytes")
    if store is not None and store != "cks-1234567890abcdef0":
        raise Refused("CustomKeyStoreNotFoundException", "no such store")
    return n


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with the default of 5, threads that connect at once wait a second for it

    def __init__(self, region):
        super().__init__(("127.0.0.1", 0), Handler)
        self.region, self.lock = region, threading.Lock()
        self.reset()

    def reset(self):
        self.keys = {key: (secret, token, None) for key, (secret, token) in STATIC.items()}
        self.queues = {"kms": ["ok"], "container": ["ok"], "imds": ["ok"]}
        self.seen = {"kms": 0, "container": 0, "imds": 0, "connections": 0, "refused": [], "ids": [], "issued": 0}
        self.authorization, self.repeated, self.skew = None, os.urandom(1024), 0

    def next(self, queue):
        with self.lock:
            self.seen[queue] += 1
            behaviours = self.queues[queue]
            return behaviours.pop(0) if len(behaviours) > 1 else behaviours[0]

    def issue(self, seconds):
        with self.lock:
            self.seen["issued"] += 1
            key_id = "AKIDISSUED%04d" % self.seen["issued"]
            secret, token, expires = "issued/Secret" + key_id, "issued/Token" + key_id + "X" * 700, time.time() + seconds
            self.keys[key_id] = (secret, token, expires)
        at = datetime.datetime.fromtimestamp(expires, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": key_id, "SecretAccessKey": secret, "Token": token,
                "Expiration": at, "RoleArn": None}

    def handle_error(self, request, client_address):
        pass


def seconds_of(behaviour):
    """"for:60": credentials that are valid for so long."""
    return float(behaviour[4:]) if behaviour.startswith("for:") else 3600


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.seen["connections"] += 1

    def log_message(self, *args):
        pass

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def send(self, status, body, headers=()):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drop(self, reset=False):
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def do_GET(self):
        if self.path == "/control":
            self.send(200, {**self.server.seen})
        elif self.path.startswith("/container"):
            self.container()
        elif self.path.startswith("/latest/"):
            self.imds()
        else:
            self.send(404, "")

    def do_PUT(self):
        self.body()
        self.imds()

    def do_POST(self):
        body = self.body()
        if self.path == "/control":
            self.control(json.loads(body))
        else:
            self.kms(body)

    def control(self, orders):
        with self.server.lock:
            if orders.get("reset"):
                self.server.reset()
            self.server.queues.update({k: v for k, v in orders.items() if k in self.server.queues})
            if "authorization" in orders:
                self.server.authorization = orders["authorization"]
            self.server.skew = orders.get("skew", self.server.skew)
        self.send(200, {})

    # --- credentials ---

    def container(self):
        behaviour = self.server.next("container")
        if self.server.authorization is not None and self.headers["Authorization"] != self.server.authorization:
            return self.send(401, {"code": "unauthorised"})
        self.credentials(behaviour)

    def credentials(self, behaviour):
        issued = self.server.issue(seconds_of(behaviour))
        if behaviour.isdigit():
            self.send(int(behaviour), issued)
        elif behaviour == "half":
            self.send(200, {k: v for k, v in issued.items() if k != "SecretAccessKey"})
        elif behaviour == "malformed":
            self.send(200, json.dumps(issued)[:-5])
        elif behaviour == "code":
            self.send(200, {**issued, "Code": "AssumeRoleUnauthorizedAccess"})
        elif behaviour == "huge":
            self.send(200, json.dumps({**issued, "More": "x" * 20000}))
        elif behaviour == "inject":
            self.send(200, {**issued, "Token": "a\r\nX-Evil: 1"})
        elif behaviour == "slow":
            time.sleep(4)
            self.drop()
        elif behaviour == "drop":
            self.drop()
        else:
            self.send(200, issued)

    def imds(self):
        behaviour = self.server.next("imds")
        if self.path == "/latest/api/token":
            ttl = self.headers["X-aws-ec2-metadata-token-ttl-seconds"] or ""
            if self.command != "PUT" or not ttl.isdigit() or behaviour == "403":
                return self.send(403, "")
            return self.send(200, "evil\r\nX: y" if behaviour == "inject" else "imds-session==")
        if self.command != "GET" or self.headers["X-aws-ec2-metadata-token"] != "imds-session==":
            return self.send(401, "")
        folder = "/latest/meta-data/iam/security-credentials/"
        if behaviour == "no-role":
            return self.send(404, "<html>")
        if self.path == folder:
            return self.send(200, "../../evil role" if behaviour == "bad-role" else "draw-role")
        if self.path != folder + "draw-role":
            return self.send(404, "")
        self.credentials(behaviour)

    # --- GenerateRandom ---

    def kms(self, body):
        behaviour = self.server.next("kms")
        request_id = str(uuid.uuid4())
        self.server.seen["ids"].append(request_id)
        self.headers_of_answer = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", request_id)]
        try:
            check_signature(self.server, self, body)
            n = check_request(self, body)
        except Refused as refused:
            self.server.seen["refused"].append(": ".join(refused.args))
            return self.error(400, refused.args[0])
        if hasattr(self, "kms_" + behaviour.split(":")[0].replace("-", "_")):
            return getattr(self, "kms_" + behaviour.split(":")[0].replace("-", "_"))(n, behaviour)
        self.answer(self.wrong(behaviour, n, os.urandom(n)))

    def answer(self, body, status=200):
        self.send(status, body, self.headers_of_answer)

    def error(self, status, kind, message="nothing to see"):
        self.answer({"__type": kind, "message": message}, status)

    def wrong(self, behaviour, n, data):
        text = base64.b64encode(data).decode()
        return {
            "ok": {"Plaintext": text},
            "short": {"Plaintext": base64.b64encode(data[:-1]).decode()},
            "long": {"Plaintext": base64.b64encode(data + b"x").decode()},
            "longest": {"Plaintext": base64.b64encode(data + b"x" * 2000).decode()},
            "empty": {"Plaintext": ""},
            "null": {"Plaintext": None, "CiphertextForRecipient": text},
            "number": {"Plaintext": 5},
            "list": [{"Plaintext": text}],
            "missing": {"KeyId": "x"},
            "extra": {"KeyId": "x", "Plaintext": text, "CiphertextForRecipient": None, "More": {"a": [1, "b", True]}},
            "bad-base64": {"Plaintext": "*" + text[1:]},
            "url-base64": {"Plaintext": "-_" + text[2:]},
            "no-padding": {"Plaintext": base64.b64encode(data[:-1]).decode().rstrip("=")},
            "space-base64": {"Plaintext": text[:4] + "\n" + text[4:]},
            "non-canonical": {"Plaintext": base64.b64encode(bytes(n - n % 3 + 1)[:n]).decode()[:-3] + "B=="},
            "escaped": '{"\\u0050laintext":"' + text.replace("/", "\\/").replace("A", "\\u0041") + '"}',
            "doubled": '{"Plaintext":"' + text + '","Plaintext":"' + text + '"}',
            "trailing": '{"Plaintext":"' + text + '"}x',
            "two": '{"Plaintext":"' + text + '"}{"Plaintext":"' + text + '"}',
            "cut": '{"Plaintext":"' + text,
            "nul": '{"Plaintext":"' + text + '\\u0000"}',
            "nothing": "",
            "huge": {"Plaintext": text, "More": "x" * 50000},
            "repeat": {"Plaintext": base64.b64encode(self.server.repeated[:n]).decode()},
            "zeros": {"Plaintext": base64.b64encode(bytes(n)).decode()},
        }[behaviour]

    def kms_status(self, n, behaviour):
        self.error(int(behaviour.split(":")[1]), "KMSInternalException")

    def kms_error(self, n, behaviour):
        self.error(400, behaviour.split(":")[1])

    def kms_namespace(self, n, behaviour):
        self.error(400, "com.amazonaws.kms#" + behaviour.split(":")[1] + ":http://internal/")

    def kms_echo(self, n, behaviour):
        secrets = " ".join(str(self.headers[h]) for h in ("Authorization", "X-Amz-Security-Token"))
        self.headers_of_answer[1] = ("x-amzn-RequestId", secrets)
        self.error(400, secrets, secrets)

    def kms_redirect(self, n, behaviour):
        self.headers_of_answer.append(("Location", "http://127.0.0.1:%d/control" % self.server.server_port))
        self.answer("", int(behaviour.split(":")[1]))

    def kms_unauthorised(self, n, behaviour):
        self.headers_of_answer.append(("WWW-Authenticate", "Basic realm=x"))
        self.error(401, "AccessDeniedException")

    def kms_html(self, n, behaviour):
        self.headers_of_answer[0] = ("Content-Type", "text/html")
        self.answer("<html>no</html>")

    def kms_other_type(self, n, behaviour):
        self.headers_of_answer[0] = ("Content-Type", "text/plain")
        self.answer(self.wrong("ok", n, os.urandom(n)))

    def kms_no_id(self, n, behaviour):
        del self.headers_of_answer[1]
        self.answer(self.wrong("ok", n, os.urandom(n)))

    def kms_two_ids(self, n, behaviour):
        self.headers_of_answer.append(("x-amzn-RequestId", "another"))
        self.answer(self.wrong("ok", n, os.urandom(n)))

    def kms_long_id(self, n, behaviour):
        self.headers_of_answer[1] = ("x-amzn-RequestId", "x" * 65)
        self.answer(self.wrong("ok", n, os.urandom(n)))

    def kms_bad_id(self, n, behaviour):
        self.headers_of_answer[1] = ("x-amzn-RequestId", "a \x7f\"b")
        self.answer(self.wrong("ok", n, os.urandom(n)))

    def kms_continue(self, n, behaviour):
        self.wfile.write(b"HTTP/1.1 100 Continue\r\nx-amzn-RequestId: early\r\n\r\n")
        self.answer(self.wrong("ok", n, os.urandom(n)))

    def kms_slow_head(self, n, behaviour):
        time.sleep(float(behaviour.split(":")[1]))
        self.drop()

    def kms_slow_body(self, n, behaviour):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n")
        for _ in range(40):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.2)
        self.drop()

    def kms_endless(self, n, behaviour):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1000):
            self.wfile.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
        self.drop()

    def kms_drop(self, n, behaviour):
        self.drop()

    def kms_reset(self, n, behaviour):
        self.drop(reset=True)

    def kms_drop_mid(self, n, behaviour):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"Plaintext\":\"")
        self.drop()

    def kms_not_http(self, n, behaviour):
        self.wfile.write(b"220 mail.example ESMTP\r\n")
        self.drop()


def end_with_stdin():
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--region", default="ca-central-1")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    options = parser.parse_args()
    server = Server(options.region)
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=end_with_stdin, daemon=True).start()
    timer = threading.Timer(options.seconds, os._exit, [1])
    timer.daemon = True
    timer.start()
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
