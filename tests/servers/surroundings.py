# SPDX-License-Identifier: Apache-2.0
"""What a platform has around the library, for as long as a test lasts: a database server, a token with a PIN, and a key management service."""
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

from postgres import Postgres

PIN = "user:s3cret"
AWS = {"AWS_ACCESS_KEY_ID": "AKIDSTATIC", "AWS_SECRET_ACCESS_KEY": "static/Secret+Key=0123456789", "AWS_SESSION_TOKEN": "", "AWS_EC2_METADATA_DISABLED": "true",
       "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}


def make_token(folder, label):
    """Of SoftHSM, in this folder; its URI with the PIN in a file. Who is to see it needs SOFTHSM2_CONF."""
    folder = pathlib.Path(folder).resolve()
    (folder / "tokens").mkdir(parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", encoding="utf-8")
    pin = folder / "pin"
    pin.write_text(PIN + "\n", encoding="utf-8")
    pin.chmod(0o600)
    subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "so-" + PIN], check=True, capture_output=True,
                   env={**os.environ, "SOFTHSM2_CONF": str(configuration)})
    files = subprocess.run(["dpkg", "-L", "libsofthsm2"], check=True, capture_output=True, text=True).stdout
    module = re.search(r"^.*/libsofthsm2\.so$", files, re.MULTILINE).group()
    uri = f"pkcs11:token={urllib.parse.quote(label)}?module-path={module}&pin-source={pin}"
    return uri, {"SOFTHSM2_CONF": str(configuration)}


@contextlib.contextmanager
def kms():
    """Its URI."""
    server = subprocess.Popen([sys.executable, str(pathlib.Path(__file__).with_name("fake_kms.py"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield f"kms:?region=ca-central-1&endpoint=http://127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.stdin.close()
        server.wait(10)


@contextlib.contextmanager
def surroundings(folder):
    """What the environment of a program that tests with them has more: RAFFLE_POSTGRES, RAFFLE_TOKEN and RAFFLE_KMS are their URIs."""
    token, of_token = make_token(folder, "gala night")
    with Postgres() as server, kms() as service:
        yield {**AWS, **of_token, "RAFFLE_POSTGRES": server.local_uri, "RAFFLE_TOKEN": token, "RAFFLE_KMS": service}
