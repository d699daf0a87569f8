# SPDX-License-Identifier: Apache-2.0
"""Which library this is, and whether it is the one that its maker signed."""
import hashlib
import importlib.metadata
import pathlib
import subprocess
import sys

import pytest

import raffle
from support import SOURCE, People
from raffle import Raffle
from raffle._native import lib


def test_versions_agree() -> None:
    assert raffle.version() == raffle.build()["version"] == raffle.__version__ == importlib.metadata.version("libraffle")
    assert f"{lib.RAFFLE_VERSION_MAJOR}.{lib.RAFFLE_VERSION_MINOR}.{lib.RAFFLE_VERSION_PATCH}" == raffle.version()
    assert "sqlite" in raffle.build()["stores"]


def test_the_hash_is_that_of_the_file() -> None:
    path, digest = raffle.self_hash()
    assert hashlib.sha256(pathlib.Path(path).read_bytes()).digest() == digest


def test_vectors() -> None:
    """The same that the library's own tests run."""
    passed = sum(raffle.vectors(path.read_bytes()) for path in sorted((SOURCE / "tests/vectors").glob("*.json")))
    assert passed > 3000
    with pytest.raises(raffle.Mismatch, match="abc"):
        raffle.vectors('{"format": "libraffle-vectors-1", "algorithm": "sha256", "source": "", "cases": '
                       '[{"name": "abc", "valid": true, "message": "616263", "digest": "%s"}]}' % ("00" * 32))
    with pytest.raises(raffle.Invalid):
        raffle.vectors("[]")


def test_manifest(tmp_path: pathlib.Path, gala: Raffle, people: People) -> None:
    path, digest = raffle.self_hash()
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "release.pem"], check=True, capture_output=True)

    def sign(*more: str) -> str:
        return subprocess.run([sys.executable, SOURCE / "examples/manifest/sign_manifest.py", "--key", tmp_path / "release.pem", "--name", "maker.example/release", *more],
                              check=True, capture_output=True, text=True).stdout

    vkey, manifest = sign("--vkey").strip(), sign(path)
    name = pathlib.Path(path).resolve().name
    raffle.manifest_verify(manifest, vkey, name, digest)
    raffle.self_verify(manifest, vkey)
    gala.self_check(people.boss, manifest, vkey)
    with pytest.raises(raffle.Corrupt):
        raffle.manifest_verify(manifest, vkey, name, bytes(32))
    with pytest.raises(raffle.Signature):
        raffle.self_verify(manifest.replace(digest.hex(), bytes(32).hex()), vkey)
    with pytest.raises(ValueError):
        raffle.manifest_verify(manifest, vkey, name, b"short")
