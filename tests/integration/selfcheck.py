#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Self-verification by the command: a manifest that examples/manifest signed, checked by the command and by sha256sum; a library altered by a byte, a manifest altered in one; and a
raffle that begins no draw until the program is verified again.

    RAFFLE=build/src/cli/raffle RAFFLE_SOURCE=. RAFFLE_BUILD=build python3 tests/integration/selfcheck.py
"""
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys

SOURCE, BUILD = (pathlib.Path(os.environ[name]).resolve() for name in ("RAFFLE_SOURCE", "RAFFLE_BUILD"))
SIGN = [sys.executable, SOURCE / "examples/manifest/sign_manifest.py", "--key", "release.pem", "--name", "maker.example/release"]
checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit(f"FAILED: {sentence}")
    checks += 1


def run(*arguments, status=0, says="", **environment):
    done = subprocess.run(["./raffle", *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": os.getcwd(), "RAFFLE_ACTOR": "boss:manager", **environment})
    check(done.returncode == status, f"{arguments} ends with {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    check(says in done.stdout + done.stderr, f"{arguments} does not say {says!r}: {done.stdout}{done.stderr}")
    return done.stdout


# A copy of the programs, so that it can be altered; the command finds the library beside itself.
shutil.copy(os.environ["RAFFLE"], "raffle")
library = next(path for path in (BUILD / "src").iterdir() if path.name.startswith("libraffle.so.") and path.is_file() and not path.is_symlink())
shutil.copy(library, library.name)
os.symlink(library.name, "libraffle.so.0")
subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", "release.pem"], check=True, capture_output=True)
manifest = subprocess.run([*SIGN, "raffle", library.name], check=True, capture_output=True, text=True).stdout
key = subprocess.run([*SIGN, "--vkey"], check=True, capture_output=True, text=True).stdout.strip()
pathlib.Path("release.manifest").write_text(manifest, encoding="utf-8")
where = json.loads(run("selfcheck", "--json"))
if pathlib.Path(where["library"]["file"]).parent != pathlib.Path.cwd():  # the build's own path comes first there
    sys.exit(f"FAILED: the command loads {where['library']['file']}")

run("selfcheck", "--manifest", "release.manifest", "--key", key, says="as in the manifest")
lines = "".join(line + "\n" for line in manifest.splitlines()[1:3])
check(subprocess.run(["sha256sum", "--check", "--strict"], input=lines, text=True, capture_output=True, check=False).returncode == 0, "sha256sum finds other files")
other = key.replace(key.split("+")[2][-6:], "AAAAAA")
run("selfcheck", "--manifest", "release.manifest", "--key", other, status=1)
run("selfcheck", "--key", key, status=2)
for at in range(0, len(manifest.encode()), 7):
    altered = bytearray(manifest.encode())
    altered[at] ^= 1
    pathlib.Path("altered.manifest").write_bytes(altered)
    run("selfcheck", "--manifest", "altered.manifest", "--key", key, status=1)

# The file that a process loaded is replaced while it runs, or is gone: the program on the disk is not the one that was signed, and not the one that runs.
CORRUPT = 60
for replaced in (True, False):
    loaded = pathlib.Path(f"running-{replaced}", library.name)
    os.mkdir(loaded.parent)
    shutil.copy(library, loaded)
    verify = ctypes.CDLL(os.path.abspath(loaded)).raffle_self_verify
    signed_text = manifest.encode()
    check(verify(signed_text, ctypes.c_size_t(len(signed_text)), key.encode(), None) == 0, "a library that was loaded is not the one that was signed")
    if replaced:
        shutil.copy(library, "other.so")
        os.replace("other.so", loaded)
    else:
        os.unlink(loaded)
    rc = verify(signed_text, ctypes.c_size_t(len(signed_text)), key.encode(), None)
    check(rc == CORRUPT, f"a library whose file was {'replaced' if replaced else 'removed'} is verified with {rc}")

rules = {"origin": "raffle.example/self", "name": "Self", "organisation": "Club", "currency": "CAD", "rehearsal": True, "prizes": [{"name": "car"}],
         "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2090-01-01T00:00:00.000Z"}, "tiers": [{"name": "one", "count": 1, "price": 500}]}
pathlib.Path("rules.json").write_text(json.dumps(rules), encoding="utf-8")
signed = {"RAFFLE_MANIFEST": "release.manifest", "RAFFLE_MANIFEST_KEY": key}
run("create", "s.raffle", "--rules", "rules.json", **signed)
run("sell", "s.raffle", "--tier", "one", "--order", "a")
run("seal", "s.raffle")
run("ack", "s.raffle")
run("selfcheck", "s.raffle", "--manifest", "release.manifest", "--key", key, "--by", "cron:system")

# A byte more at the library's end alters nothing that it does.
with open(library.name, "ab") as file:
    file.write(b"x")
run("selfcheck", "--manifest", "release.manifest", "--key", key, status=3, says="DIFFERS FROM THE MANIFEST")
run("create", "t.raffle", "--rules", "rules.json", status=1, **signed)
check(not os.path.exists("t.raffle"), "a raffle was made by a library that was altered")
run("draw", "s.raffle", "car", "--rng", "system:", status=1, **signed)
run("selfcheck", "s.raffle", "--manifest", "release.manifest", "--key", key, "--by", "cron:system", status=3)
run("draw", "s.raffle", "car", "--rng", "system:", status=1, says="record")  # whoever asks, and without the manifest, too
shutil.copy(library, library.name)
run("draw", "s.raffle", "car", "--rng", "system:", status=1, says="verified again")
run("selfcheck", "s.raffle", "--manifest", "release.manifest", "--key", key, "--by", "cron:system")
run("draw", "s.raffle", "car", "--rng", "system:", **signed)
codes = [event["code"] for event in json.loads(run("events", "s.raffle", "--json"))["events"] if event["code"].startswith("program.")]
check(codes == ["program.verified", "program.altered", "program.verified"], codes)
check("good" in run("audit", "s.raffle"), "the audit")
print(f"{checks} checks passed")
