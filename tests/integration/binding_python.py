#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python binding, built against a fresh install of the library: its tests, its types, its examples as programs; and its source distribution, which builds with nothing but itself.

    RAFFLE_BUILD=build RAFFLE_SOURCE=. RAFFLE_PYTHON=python3 python3 tests/integration/binding_python.py

The last line is "N passed, N failed". RAFFLE_PYTHON needs pytest, hypothesis, mypy, types-cffi, apsw, build, meson-python and cffi.
"""
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

SOURCE = pathlib.Path(os.environ["RAFFLE_SOURCE"]).resolve()
sys.path.insert(0, str(SOURCE / "tests" / "servers"))

import surroundings

BUILD = pathlib.Path(os.environ["RAFFLE_BUILD"]).resolve()
PARENT = os.environ["RAFFLE_PYTHON"]
BINDING = SOURCE / "bindings" / "python"
EXAMPLES = SOURCE / "examples" / "python"
HERE = pathlib.Path.cwd()
DEST = HERE / "dest" / "usr"
RULES = {
    "origin": "raffle.example/shop", "name": "Shop", "organisation": "Club", "currency": "CAD", "rehearsal": True, "rng": ["test", "host:two"],
    "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"},
    "tiers": [{"name": "one", "count": 1, "price": 500}, {"name": "twenty", "count": 20, "price": 1000}],
    "prizes": [{"name": "first", "title": "Half of the pot", "share": 5000, "alternates": 1}, {"name": "second"}],
}
passed = failed = 0


def check(good, sentence):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {sentence}", flush=True)


def environment(**more):
    parent = pathlib.Path(subprocess.run([PARENT, "-c", "import sys; print(sys.prefix)"], check=True, capture_output=True, text=True).stdout.strip())
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PATH": f"{parent / 'bin'}:{os.environ['PATH']}", **more}


def run(*arguments, status=0, says="", env=None, **how):
    """A program, which must end as it should; what it printed."""
    done = subprocess.run([str(argument) for argument in arguments], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)
    good = done.returncode == status and says in done.stdout
    check(good, f"{' '.join(map(str, arguments))} ends with {done.returncode}, not {status}, or does not say {says!r}:\n{done.stdout}")
    return done.stdout


def must(*arguments, **how):
    """A program without which nothing goes on."""
    before = failed
    said = run(*arguments, **how)
    if failed > before:
        finish()
    return said


def finish():
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def tree(folder):
    return {str(path) for path in folder.rglob("*")}


# --- how it is built ---

def make_venv(name):
    """An environment of its own that sees the parent's packages."""
    must(PARENT, "-m", "venv", "--without-pip", HERE / name)
    site = next((HERE / name / "lib").glob("python*")) / "site-packages"
    packages = subprocess.run([PARENT, "-c", "import sysconfig; print(sysconfig.get_path('platlib'))"], check=True, capture_output=True, text=True).stdout
    (site / "parent.pth").write_text(packages)
    return HERE / name / "bin" / "python"


def install(python, what, env, *settings):
    must(PARENT, "-m", "pip", "--python", python, "install", "--quiet", "--no-build-isolation", "--no-deps", "--no-cache-dir", *settings, what, env=env)


def install_library():
    must("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", env={**os.environ, "DESTDIR": str(HERE / "dest")})
    found = DEST / "lib" / "pkgconfig" / "libraffle.pc"
    found.write_text(re.sub("^prefix=.*$", f"prefix={DEST}", found.read_text(), flags=re.MULTILINE))


# --- its tests and types ---

def pytest(python, env, *arguments):
    global passed, failed
    done = subprocess.run([python, "-m", "pytest", "-q", "-c", BINDING / "pyproject.toml", f"--rootdir={BINDING}", f"--basetemp={HERE / 'pytest'}", *arguments],
                          env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", done.stdout.strip().splitlines()[-1])}
    good, bad = counts.get("passed", 0), counts.get("failed", 0) + counts.get("error", 0) + counts.get("skipped", 0)
    passed, failed = passed + good, failed + bad
    print(f"pytest: {good} passed, {bad} failed", flush=True)
    check(done.returncode == 0 and good > 0 and bad == 0, f"pytest ends with {done.returncode}\n{done.stdout}")


def types(python, env):
    run(python, "-m", "mypy", "--strict", "--no-error-summary", f"--cache-dir={HERE / 'mypy'}", BINDING / "raffle", env=env)
    run(python, "-m", "mypy", "--strict", "--no-error-summary", f"--cache-dir={HERE / 'mypy-examples'}", f"--python-executable={python}",
        *sorted(EXAMPLES.glob("*.py")), BINDING / "bench" / "bench.py", env=env)


def bench(python, env):
    said = run(python, BINDING / "bench" / "bench.py", env={**env, "RAFFLE_BENCH_BATCHES": "3", "RAFFLE_BENCH_CALLS": "20000"}, says="of C")
    leaked = re.search(r"(-?[\d,]+) bytes more by tracemalloc", said)
    check(leaked and int(leaked[1].replace(",", "")) < 4096, f"20,000 calls leave something behind: {said}")


# --- its source distribution ---

def source_distribution(env):
    """Builds by itself: the library is in it."""
    must(PARENT, "-m", "build", "--sdist", "--no-isolation", "--outdir", HERE / "dist", BINDING, env=env)
    sdist = next((HERE / "dist").glob("*.tar.gz"))
    python = make_venv("bundled")
    install(python, sdist, {name: value for name, value in env.items() if name not in ("PKG_CONFIG_PATH", "LD_LIBRARY_PATH")}, "--config-settings=setup-args=-Doptimization=0")
    alone = environment(RAFFLE_SOURCE=str(SOURCE))
    pytest(python, alone, *(BINDING / "tests" / f"test_{name}.py" for name in ("night", "command", "version", "store")))
    run(python, "-m", "raffle", "--version", says="library", env=alone)


# --- its examples ---

def create(python, env, name):
    pathlib.Path("rules.json").write_text(json.dumps(RULES))
    must(python, "-c", "import raffle, pathlib, sys; raffle.Raffle.create(sys.argv[1], pathlib.Path('rules.json').read_bytes(), raffle.Actor('boss', 'manager')).free()", name, env=env)


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, json.dumps(body) if body is not None else None)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text if answer.getheader("Content-Type").startswith("text/plain") else json.loads(text)


def shop(python, env):
    create(python, env, "shop.raffle")
    other = must(python, "-c", "import raffle\nboss = raffle.Actor('boss', 'manager')\nwith raffle.Raffle.open('shop.raffle') as r:\n    r.unit_enable(boss, r.unit_enrol(boss, 'box office'))\n"
                 "    with r.unit_open(2) as unit:\n        print(unit.validation(unit.sell(boss, raffle.Sale('one', 'box-office'))[0].serial))", env=env).strip()
    server = subprocess.Popen([python, EXAMPLES / "shop.py", "shop.raffle", "--port", "0"], env=env, stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        order = {"tickets": [{"tier": "twenty", "count": 2}], "payment": "pi_31", "buyer": "b-17"}
        status, first = ask(port, "PUT", "/orders/web-1", order)
        check(status == 200 and [ticket["ticket"] for ticket in first] == ["1/1", "1/2"] and len(first[0]["numbers"]) == 20, f"the shop sells {first}")
        check(ask(port, "PUT", "/orders/web-1", order) == (200, first) == ask(port, "GET", "/orders/web-1"), "the same order gives other tickets")
        order["tickets"][0]["count"] = 3
        for method, path, body, wanted in (("PUT", "/orders/web-1", order, 409), ("PUT", "/orders/web-2", {"tickets": [{"tier": "no"}]}, 404), ("PUT", "/orders/web-2", {}, 400),
                                           ("PUT", "/orders/web-2", {"tickets": []}, 400), ("PUT", "/orders/web-2", {"tickets": [{"tier": "one", "count": 10**12}]}, 400),
                                           ("PUT", "/orders/web-2", {"tickets": [{"tier": 7}]}, 400),
                                           ("PUT", "/orders/web-2", None, 400), ("GET", "/orders/web-2", None, 404), ("GET", "/else", None, 404), ("GET", "/receipts/99", None, 404),
                                           ("GET", f"/receipts/{2**64}", None, 400)):
            status, text = ask(port, method, path, body)
            check(status == wanted and text["error"], f"{method} {path} {body}: {status} {text}, not {wanted}")
        status, elsewhere = ask(port, "GET", "/orders/box-office")
        check(status == 200 and [(ticket["ticket"], ticket["validation"]) for ticket in elsewhere] == [("2/1", other)], f"an order of another unit: {elsewhere}, not {other}")
        status, receipt = ask(port, "GET", "/receipts/1")
        check(status == 200 and receipt.startswith("libraffle/receipt/v1\npromise raffle.example/shop 1/1\n"), f"the receipt is {receipt[:80]}")
        for _ in range(2):
            status, back = ask(port, "DELETE", "/orders/web-1")
            check(status == 200 and all(ticket["void"] for ticket in back), f"the order is taken back: {back}")
        check(ask(port, "PUT", "/orders/web-3", {"tickets": [{"tier": "one", "count": 5}]})[0] == 200, "the shop sells no more")
    finally:
        server.terminate()
        server.wait()


def till(python, env):
    def program(*words, **how):
        return run(python, EXAMPLES / "till.py", *words, env=env, **how)

    os.mkdir("tent")
    pathlib.Path("application").write_text(program("apply", "tent", "raffle.example/shop", "3"))
    program("office", "enrol", "shop.raffle", "tent", "100", "application", "kit", says="3")
    check(os.stat("kit").st_mode & 0o777 == 0o600, "the kit can be read by others")
    program("install", "tent", "kit")
    program("sell", "tent", "twenty", "2", says="3-0000040")
    program("sell", "tent", "no-such-tier", status=1, says="RAFFLE_NOT_FOUND")
    program("close", "tent")
    for taken in ("4 records", "0 records"):
        program("office", "challenge", "shop.raffle", "3", "challenge")
        program("export", "tent", "challenge", "upload")
        program("office", "upload", "shop.raffle", "upload", "news", says=taken)
        program("update", "tent", "news")
    program("sell", "tent", "one", status=1, says="RAFFLE_CLOSED")
    program(status=1, says="till.py apply")


def night(python, env):
    said = run(python, EXAMPLES / "draw_night.py", "shop.raffle", "--rng", "test:seed=0a", "--out", "out", env=env, says="a REHEARSAL")
    check(said.count("passed") == 2 and "winner, drawn" in said, f"the night says {said}")
    check(b"<html" in pathlib.Path("out/drawing.html").read_bytes(), "there is no page of the drawing report")
    again = run(python, EXAMPLES / "draw_night.py", "shop.raffle", "--rng", "test:seed=0b", "--out", "out", env=env)
    check([line for line in again.splitlines() if "winner" in line] == [line for line in said.splitlines() if "winner" in line], "a second run has other winners")


def provider(python, env):
    create(python, env, "two.raffle")
    must(python, "-c", "import raffle\nboss = raffle.Actor('boss', 'manager')\nwith raffle.Raffle.open('two.raffle') as r, r.unit_open(1) as till:\n"
         "    till.sell(boss, [raffle.Sale('one')] * 5)\n    r.voids_ack(boss, r.seal(boss, raffle.SealKind.FINAL).index)", env=env)
    run(python, EXAMPLES / "provider.py", "two.raffle", "first", "system:", "test:seed=05", env=env, says="place 1: draw number 1-")
    run(python, "-m", "raffle", "--version", status=1, says="no command", env=env)


def chart(python, env):
    os.mkdir("chart")
    run(python, EXAMPLES / "night_chart.py", "chart", env=env, says="place 1: ")
    drawn = xml.etree.ElementTree.parse("chart/night_chart.svg").getroot()
    check(len(drawn.findall(".//{http://www.w3.org/2000/svg}rect")) == 180, "the chart has not a bar a minute")


def readme(python, env):
    """The night of the binding's README is a program."""
    os.mkdir("readme")
    program = (BINDING / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    said = run(python, "-W", "error", "-c", program, env=env, cwd="readme", says="place 1: draw number 1-")
    check(said.endswith("audit: passed\n"), f"the README's night says {said}")


def main():
    before = tree(BINDING), tree(EXAMPLES)
    install_library()
    env = environment(PKG_CONFIG_PATH=str(DEST / "lib" / "pkgconfig"), LD_LIBRARY_PATH=str(DEST / "lib"), RAFFLE_SOURCE=str(SOURCE))
    python = make_venv("venv")
    install(python, BINDING, {**env, "CFLAGS": "-Werror"}, "--config-settings=setup-args=-Dlibraffle=system")
    pytest(python, env, "--every-call", BINDING / "tests")
    with surroundings.surroundings(HERE / "surroundings") as found:
        pytest(python, {**env, **found}, "--servers", BINDING / "tests" / "test_servers.py")
    types(python, env)
    bench(python, env)
    for example in (shop, till, night, provider, chart, readme):
        example(python, env)
    source_distribution(env)
    check((tree(BINDING), tree(EXAMPLES)) == before, f"left in the source: {sorted((tree(BINDING) | tree(EXAMPLES)) - before[0] - before[1])}")
    finish()


if __name__ == "__main__":
    main()
