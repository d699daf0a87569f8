#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`raffle evidence`: what it collects is what the commands print by themselves, every file is in the index with its hash, two collections differ only where the index says
so, no key is in it; and whatever fails, or is killed, leaves no folder of that name. The raffle has a significant event of every code that a host may write."""
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

SOURCE = pathlib.Path(os.environ["RAFFLE_SOURCE"])
BUILD = os.environ["RAFFLE_BUILD"]
RAFFLE = os.environ["RAFFLE"]
STORE = "lab.raffle"
RULES = {
    "origin": "raffle.example/lab", "name": "Lab night", "organisation": "Club", "licence": "L-7", "currency": "CAD", "rehearsal": True, "rng": ["test"],
    "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"},
    "tiers": [{"name": "ten", "count": 10, "price": 2000}], "units": [{"name": "a"}, {"name": "b"}],
    "prizes": [{"name": "first", "share": 5000}, {"name": "car", "amount": 12345}],
}
BOSS = ("--by", "boss:manager")
SMALL = ("--docs", str(SOURCE / "docs"), "--rng", "test:seed=01", "--draws", "60000")
NOW = {"RAFFLE_CLOCK": "2099-12-31T12:00:00.000Z"}


def check(good, sentence):
    if not good:
        sys.exit("FAILED: " + sentence)


def run(*arguments, status=0, says="", env=None, cwd=None, **how):
    done = subprocess.run([RAFFLE, *map(str, arguments)], capture_output=True, env={**os.environ, **(env or {})}, cwd=cwd, check=False, **how)
    said = done.stdout + done.stderr
    check(done.returncode == status, f"{arguments} ended with {done.returncode}, not {status}: {said[-600:]}")
    check(says in said.decode(), f"{arguments}: {says!r} is not in {said[-600:]}")
    return done.stdout


def codes():
    """The codes that a host writes, and one of its own."""
    return ["x.door"] + [entry["code"] for entry in json.loads(run("events", "--codes", "--json"))["codes"] if "host" in entry["writers"]]


def write_events():
    """Each code once; remote access is ended after it began, which is said by its record."""
    more = {"data.altered": ["--element", "float", "--old", "200", "--new", "250", "--ok", "sue:supervisor"], "remote.begin": ["--login", "vendor", "--from", "203.0.113.9"]}
    for code in codes():
        if code == "remote.end":
            found = json.loads(run("events", STORE, "--code", "remote.begin", "--json"))["events"]
            more[code] = ["--began", found[0]["index"]]
        component = [] if code == "remote.end" else ["--component", "part-1"]
        run("event", STORE, code, "--unit", "1", *component, "--text", f"what {code} is", *more.get(code, []), *BOSS)


def make():
    pathlib.Path("rules.json").write_text(json.dumps(RULES), encoding="utf-8")
    run("create", STORE, "--rules", "rules.json", *BOSS)
    for i in range(40):
        run("sell", STORE, "--tier", "ten", "--unit", 1 + i % 2, "--order", f"o{i}", "--by", "ann:seller")
    run("void", STORE, "--order", "o7", "--reason", "refund", "--by", "sue:supervisor")
    write_events()
    run("seal", STORE, *BOSS)
    run("ack", STORE, *BOSS)
    for prize in ("first", "car"):
        run("draw", STORE, prize, "--rng", f"test:seed={len(prize):02}", *BOSS)


def write_results(path, **changes):
    """As tests/matrix/gli_31.py writes them, with texts that are no texts of a table."""
    said = json.loads(run("selfcheck", "--json"))
    tests = [{"test": "raffle_sell/a|b`c", "result": "passed"}]
    clause = {"clause": "2.2.2", "about": "times | of\nselling", "owner": "library", "how": "", "status": "provided", "open": ["some|thing"], "tests": tests}
    top = {"format": 1, "standard": "GLI-31 v1.1", "of": {"library": said["library"]["sha256"], "command": said["command"]["sha256"]},
           "clauses": [clause, {**clause, "clause": "2.2.3", "open": [], "tests": []}], "tests": {"raffle_sell/a|b`c": "passed", "b/*": "passed"}}
    pathlib.Path(path).write_text(json.dumps({**top, **changes}), encoding="utf-8")


# --- what is in it ---

def hashes(folder):
    root = pathlib.Path(folder)
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()}


def check_index(folder):
    """sha256sum accepts it, and neither list lacks a file, or has one that is not there."""
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=folder, check=True)
    there = hashes(folder)
    lines = (pathlib.Path(folder) / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    check({line[66:]: line[:64] for line in lines} == {name: value for name, value in there.items() if name != "SHA256SUMS"}, "SHA256SUMS is not of these files")
    manifest = json.loads((pathlib.Path(folder) / "manifest.json").read_text(encoding="utf-8"))
    listed = {file["path"]: file for file in manifest["files"]}
    check(set(listed) == set(there) - {"SHA256SUMS", "manifest.json"} and len(listed) == len(manifest["files"]), "manifest.json is not of these files")
    for name, file in listed.items():
        check(file["sha256"] == there[name] and file["bytes"] == (pathlib.Path(folder) / name).stat().st_size, f"{name} is not as manifest.json has it")
    check(not [path for path in pathlib.Path(folder).rglob("*") if path.is_symlink()], "there is a link in it")
    return manifest


def check_said(folder, env):
    """Byte for byte what the commands print."""
    root = pathlib.Path(folder)
    names = re.search(r"a report: (.*)", run("report", "--help").decode())[1].split(", ")
    check(len(names) == 11, f"reports: {names}")
    for name in names:
        for form, ending in {"text": "txt", "csv": "csv", "json": "json", "html": "html"}.items():
            made = run("report", STORE, name, "--format", form, env=env)
            check((root / f"reports/{name}.{ending}").read_bytes() == made, f"reports/{name}.{ending} is not what `raffle report` prints")
        run("verify", "--report", root / f"reports/{name}.json", STORE)
    check(len(list((root / "reports").iterdir())) == 4 * 11, "there are not four formats of each report")
    for name, arguments in {"audit/audit.txt": ["audit", STORE], "audit/audit.json": ["audit", STORE, "--json"], "software/selfcheck.txt": ["selfcheck"],
                            "software/selfcheck.json": ["selfcheck", "--json"], "raffle/status.txt": ["status", STORE],
                            "raffle/status.json": ["status", STORE, "--json"], "raffle/opening.json": ["show", STORE, "control", "0", "1", "--json"]}.items():
        check((root / name).read_bytes() == run(*arguments, env=env), f"{name} is not what `raffle {arguments[0]}` prints")


def column(folder, report, name):
    made = json.loads((pathlib.Path(folder) / f"reports/{report}.json").read_text(encoding="utf-8"))
    at = [entry["name"] for entry in made["columns"]].index(name)
    return [row[at] for row in made["rows"]]


def check_events(folder):
    lacking = set(codes()) - set(column(folder, "events", "code"))
    check(not lacking, f"the report of events lacks {lacking}")


def check_software(folder):
    root = pathlib.Path(folder)
    said = json.loads((root / "software/selfcheck.json").read_text(encoding="utf-8"))
    for part in ("library", "command"):
        check(hashlib.sha256(pathlib.Path(said[part]["file"]).read_bytes()).hexdigest() == said[part]["sha256"], f"the SHA-256 of the {part}")
    check(os.path.samefile(said["command"]["file"], RAFFLE), "another command")
    versions = json.loads((root / "software/versions.json").read_text(encoding="utf-8"))
    check(versions["build"] == said["build"] and re.match(r"(GCC|.*[Cc]lang) ?\d+\.\d+", versions["compiler"]), f"versions: {versions}")


def check_vectors(folder):
    root = pathlib.Path(folder)
    there = sorted(path.name for path in (root / "vectors").glob("*.json") if path.name != "results.json")
    check(there == sorted(path.name for path in (SOURCE / "tests/vectors").glob("*.json")), "other vectors than those of the source")
    made = json.loads((root / "vectors/results.json").read_text(encoding="utf-8"))
    check(sorted(file["file"] for file in made["files"]) == [f"vectors/{name}" for name in there] and made["failed"] == 0 and made["passed"] > 500, "the vectors' results")
    check((root / "vectors/results.txt").read_bytes() == run("vectors", *[f"vectors/{file['file'][8:]}" for file in made["files"]], cwd=folder), "results.txt")


def check_documents(folder):
    root = pathlib.Path(folder)
    for path in (SOURCE / "docs").rglob("*"):
        if path.is_file() and path.parent.name != "man":
            copy = root / "documents" / path.relative_to(SOURCE / "docs")
            check(copy.is_file() and copy.read_bytes() == path.read_bytes(), f"{copy} is not the document")
    model = SOURCE / "tests/model/close_and_seal.pml"
    check((root / "model/close_and_seal.pml").read_bytes() == model.read_bytes(), "the model")


def check_samples(folder):
    """The provider test: gives the same bytes to whoever asks; the assessment is of these files."""
    root = pathlib.Path(folder) / "rng"
    run("rng", "sample", "--rng", "test:seed=01", "--bytes", "12000000", "--format", "binary", "--out", "raw.bin")
    run("rng", "sample", "--rng", "test:seed=01", "--range", "100000", "--picks", "10", "--draws", "60000", "--format", "binary", "--out", "outcomes.bin")
    for name, shape in {"raw.bin": ["--range", "4294967296"], "outcomes.bin": ["--range", "100000", "--picks", "10"]}.items():
        check((root / name).read_bytes() == pathlib.Path(name).read_bytes(), f"rng/{name} is another sample")
        made = run("rng", "assess", f"rng/{name}", "--input", "binary", *shape, "--format", "json", cwd=folder)
        check((root / f"{name}.json").read_bytes() == made, f"rng/{name}.json is another assessment")
        check((root / f"{name}.txt").exists() and (root / f"{name}.html").read_text(encoding="utf-8").startswith("<!"), f"rng/{name} as a page")
    check(len(list(root.iterdir())) == 8, "other files in rng/")


def check_checkpoints(folder):
    root = pathlib.Path(folder) / "checkpoints"
    check({path.name for path in root.iterdir()} == {f"{log}{end}" for log in ("control", "unit-1", "unit-2") for end in ("", ".vkey")}, "the checkpoints")
    for log in ("control", "unit-1", "unit-2"):
        run("verify", root / log, "--key", (root / f"{log}.vkey").read_text(encoding="utf-8").strip())


def check_results(folder, manifest):
    root = pathlib.Path(folder)
    check((root / "results/gli-31.json").read_bytes() == pathlib.Path("results.json").read_bytes(), "results/gli-31.json is not the file that was given")
    check(manifest["results"] == {"of_this_build": True, "clauses": 2, "passed": 2, "failed": 0}, f"results: {manifest['results']}")
    rows = [line for line in (root / "documents/gli-31-results.md").read_text(encoding="utf-8").splitlines() if line.startswith("| 2.2.")]
    check(len(rows) == 2 and all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows), f"the page of results: {rows}")


def check_secrets(folder):
    """What is in the folder of keys, and is no public key, is nowhere in the evidence."""
    secrets = [line.encode() for path in pathlib.Path(STORE + ".keys").iterdir() if not path.name.endswith((".vkey", ".pub")) and path.is_file()
               for line in path.read_text(encoding="latin-1").split() if len(line) >= 24]
    check(len(secrets) >= 2, "no secrets to look for")
    for path in pathlib.Path(folder).rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        check(not any(secret in data for secret in secrets), f"a secret is in {path}")


def whole():
    write_results("results.json")
    said = run("evidence", STORE, "one/", "--results", "results.json", *SMALL, env=NOW)
    manifest = check_index("one")
    check(os.stat("one").st_mode & 0o777 == 0o700, "others may read it")
    check(f"{len(manifest['files']) + 1} files" in said.decode(), said.decode())
    check([manifest[name] for name in ("vectors", "raw", "outcomes", "audit")] == ["good"] * 4 and manifest["rng"] == "test", f"the manifest: {manifest}")
    check(manifest["made"] == NOW["RAFFLE_CLOCK"] and manifest["raffle"]["origin"] == RULES["origin"] and manifest["raffle"]["rehearsal"], "which raffle, and when")
    check_said("one", NOW)
    check_events("one")
    check_software("one")
    check_vectors("one")
    check_documents("one")
    check_samples("one")
    check_checkpoints("one")
    check_results("one", manifest)
    check_secrets("one")
    return len(manifest["files"])


# --- two of them ---

def differ(one, two):
    a, b = hashes(one), hashes(two)
    check(set(a) == set(b), f"{one} and {two} have other files: {set(a) ^ set(b)}")
    return {name for name in a if a[name] != b[name]}


def twice():
    """At the same time, from the same stream, nothing differs at all; else what is said to vary."""
    run("evidence", STORE, "two", "--results", "results.json", *SMALL, env=NOW)
    check(not differ("one", "two"), f"these differ: {differ('one', 'two')}")
    shutil.rmtree("two")
    random = ("--docs", str(SOURCE / "docs"), "--draws", "60000", "--results", "results.json")
    # One sample in a hundred is rejected, and then the evidence says so.
    done = subprocess.run([RAFFLE, "evidence", STORE, "three", *random], capture_output=True, check=False)
    check(done.returncode in (0, 3), f"evidence: {done.stderr}")
    manifest = check_index("three")
    rejected = "fault" in (manifest["raw"], manifest["outcomes"])
    check(rejected == (done.returncode == 3) and manifest["rng"] == "system", f"it ended with {done.returncode}: {manifest}")
    varies = {file["path"] for file in manifest["files"] if file["varies"]} | {"manifest.json", "SHA256SUMS"}
    found = differ("one", "three")
    check(found <= varies, f"these differ, and are not said to: {found - varies}")
    check({"rng/raw.bin", "rng/outcomes.bin", "rng/raw.bin.json", "reports/sales.json", "manifest.json"} <= found, f"what differs: {found}")
    check(not {name for name in varies if not name.startswith(("rng/", "reports/", "raffle/status", "manifest", "SHA"))}, f"what varies: {varies}")
    shutil.rmtree("three")


def installed():
    """The documents as they are installed are those of the source tree."""
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", os.path.abspath("dest")], check=True)
    docs = next(pathlib.Path("dest").rglob("share/doc/libraffle"))
    run("evidence", STORE, "five", *SMALL, "--docs", docs, status=2, says="--docs")
    run("evidence", STORE, "five", *SMALL[2:], "--docs", f"{docs}/", "--results", "results.json", env=NOW)
    manifest = check_index("five")
    check(manifest["sbom"] == ["documents/libraffle.cdx.json"], f"the SBOM: {manifest['sbom']}")
    os.unlink("five/documents/libraffle.cdx.json")
    check(differ("one", "five") == {"manifest.json", "SHA256SUMS"}, f"installed documents differ: {differ('one', 'five')}")
    shutil.rmtree("five")
    shutil.rmtree("dest")


# --- what it ends with, and what is refused ---

def nothing_left(before):
    check({path.name for path in pathlib.Path(".").iterdir()} == before, f"something is left: {sorted({path.name for path in pathlib.Path('.').iterdir()} ^ before)}")


def faults():
    """A fault is evidence: the folder is there."""
    other = (pathlib.Path("one") / "checkpoints/unit-1.vkey").read_text(encoding="utf-8").strip()
    run("evidence", STORE, "fault", *SMALL, "--key", other, status=3, says="found a fault")
    check(check_index("fault")["audit"] == "fault", "the manifest does not say that the audit failed")
    shutil.rmtree("fault")
    write_results("failed.json", tests={"a/b": "failed"}, of={"library": "0" * 64, "command": "0" * 64})
    said = json.loads(run("evidence", STORE, "fault", *SMALL, "--results", "failed.json", "--json", status=3))
    check(said["fault"] and said["folder"] == "fault", f"--json: {said}")
    check(check_index("fault")["results"] == {"of_this_build": False, "clauses": 2, "passed": 0, "failed": 1}, "results of another build")
    shutil.rmtree("fault")


def refusals():
    pathlib.Path("file").write_text("kept", encoding="utf-8")
    os.mkdir("empty")
    os.symlink("nowhere", "link")
    bad = {"not.json": "{", "format.json": '{"format":2}', "clauses.json": '{"format":1,"tests":{"a":"passed"},"clauses":[{}]}',
           "tests.json": '{"format":1,"tests":{"a":"perhaps"},"clauses":[{}]}', "none.json": '{"format":1,"tests":{},"clauses":[]}', "twice.json": '{"format":1,"format":1}'}
    for name, text in bad.items():
        pathlib.Path(name).write_text(text, encoding="utf-8")
    os.makedirs("strange/spec")
    for name in ("gli-31.md", "rng.md", "a\nb.md"):
        (pathlib.Path("strange") / name).write_text("x", encoding="utf-8")
    before = {path.name for path in pathlib.Path(".").iterdir()}
    for taken in ("file", "empty", "empty/", "link", "one"):
        run("evidence", STORE, taken, *SMALL, status=1, says="is there already")
    for name in bad:
        run("evidence", STORE, "out", *SMALL, "--results", name, status=1, says="is no results")
    docs = SMALL[2:]
    run("evidence", STORE, "out", *SMALL, "--results", "nowhere", status=1, says="nowhere")
    run("evidence", STORE, "out", *docs, "--docs", "empty", status=1, says="the documents are not in empty")
    run("evidence", STORE, "out", *docs, "--docs", "strange", status=1, says="no list of files can hold")
    run("evidence", "none.raffle", "out", *SMALL, status=1, says="none.raffle")
    run("evidence", STORE, "no/where/out", *SMALL, status=1, says="No such file")
    run("evidence", STORE, "", *SMALL, status=2, says="FOLDER")
    run("evidence", STORE, "out", *SMALL[:4], "--draws", "10", status=1, says="too small")
    run("evidence", STORE, "out", *SMALL[:4], "--draws", "0", status=2, says="--draws")
    run("evidence", STORE, "out", "--docs", SMALL[1], "--rng", "nothing:", status=1, says="nothing")
    run("evidence", STORE, "out", *SMALL, "--keys", "file:empty", status=1, says="report")
    nothing_left(before)
    check(pathlib.Path("file").read_text(encoding="utf-8") == "kept" and os.readlink("link") == "nowhere", "what was there was touched")
    run("evidence", STORE, "out", *SMALL, "--keys", "")
    check(column("out", "voids", "validation") == [None], "a validation number without keys")
    check(column("one", "voids", "validation") != [None], "no validation number with them")
    shutil.rmtree("out")


def full_disk():
    """A file may not grow beyond a megabyte: the sample fails, and nothing is left."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    before = {path.name for path in pathlib.Path(".").iterdir()}
    run("evidence", STORE, "out", *SMALL, status=1, says="File too large", preexec_fn=limit)
    nothing_left(before)


def killed():
    """Killed at any moment: either the whole folder is there, or none of that name; the next run is not in its way."""
    for wait in (0.05, 0.4, 1.2):
        process = subprocess.Popen([RAFFLE, "evidence", STORE, "killed", *SMALL], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(wait)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if pathlib.Path("killed").exists():
            check_index("killed")
            shutil.rmtree("killed")
    run("evidence", STORE, "killed", *SMALL)
    check_index("killed")
    for path in pathlib.Path(".").glob("killed*"):
        shutil.rmtree(path)


def main():
    make()
    files = whole()
    twice()
    installed()
    faults()
    refusals()
    full_disk()
    killed()
    print(f"{files} files, {len(codes())} codes of events")


main()
