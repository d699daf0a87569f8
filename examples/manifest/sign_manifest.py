#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a manifest of programs and signs it (docs/spec/manifest.md), with a key of openssl's; or prints the key by which it is verified.

    openssl genpkey -algorithm ed25519 -out release.pem
    sign_manifest.py --key release.pem --name maker.example/release FILE… > release.manifest
    sign_manifest.py --key release.pem --name maker.example/release --vkey
"""
import argparse
import base64
import hashlib
import pathlib
import subprocess
import tempfile


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True, check=True).stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--key", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--vkey", action="store_true")
    parser.add_argument("files", nargs="*")
    given = parser.parse_args()
    public = openssl("pkey", "-in", given.key, "-pubout", "-outform", "DER")[-32:]
    identity = hashlib.sha256(given.name.encode() + b"\n\x01" + public).digest()[:4]
    if given.vkey:
        print(f"{given.name}+{identity.hex()}+{base64.b64encode(bytes([1]) + public).decode()}")
        return
    lines = [f"{hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest()}  {pathlib.Path(file).resolve().name}\n" for file in given.files]
    text = "libraffle/manifest/v1\n" + "".join(sorted(lines, key=lambda line: line[66:]))
    with tempfile.NamedTemporaryFile() as message:
        message.write(text.encode())
        message.flush()
        signature = openssl("pkeyutl", "-sign", "-inkey", given.key, "-rawin", "-in", message.name)
    print(f"{text}\n\u2014 {given.name} {base64.b64encode(identity + signature).decode()}")


if __name__ == "__main__":
    main()
