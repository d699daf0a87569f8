# SPDX-License-Identifier: Apache-2.0
"""A witness that believes everything: cosigns whatever checkpoint it is sent (C2SP tlog-witness, tlog-cosignature), for tests of those who read cosignatures."""
import base64
import hashlib
import http.server
import os
import struct
import subprocess
import tempfile
import threading
import time

COSIGNATURE = b"\x04"


def vkey_of(name, public):
    key = COSIGNATURE + public
    identity = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    return identity, f"{name}+{identity.hex()}+{base64.b64encode(key).decode()}"


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        answer = self.server.cosigner.line(body.split("\n\n", 1)[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Cosigner:
    """Listens within a `with`."""

    def __init__(self, name):
        self.name = name
        self.folder = tempfile.TemporaryDirectory()
        self.key = os.path.join(self.folder.name, "key.pem")
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.key)
        self.id, self.vkey = vkey_of(name, openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")[-32:])
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.cosigner = self
        self.address = f"http://127.0.0.1:{self.server.server_port}/"

    @staticmethod
    def stranger():
        """The vkey of a witness that is nowhere."""
        return vkey_of("third.example/witness", bytes(range(32)))[1]

    def line(self, note):
        text, now = note[:note.rindex("\n\n") + 1], int(time.time())
        path = os.path.join(self.folder.name, "message")
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"cosignature/v1\ntime {now}\n{text}")
        signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", path)
        return f"\u2014 {self.name} {base64.b64encode(self.id + struct.pack('>Q', now) + signature).decode()}\n"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()
