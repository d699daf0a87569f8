#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Go binding, built against a fresh install of the library: its looks, its tests (with the race detector, under the address and leak sanitizers, over the static library, beside servers), its fuzz
targets, its benchmark, and its examples as programs.

    RAFFLE_BUILD=build RAFFLE_SOURCE=. RAFFLE=build/src/cli/raffle python3 tests/integration/binding_go.py

The last line is "N passed, N failed". Where the `go` in PATH is older than the binding needs, it fetches a newer one from the module proxy, as `go` itself would, and holds it to its checksum.
"""
import http.client
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import time

SOURCE = pathlib.Path(os.environ["RAFFLE_SOURCE"]).resolve()
sys.path.insert(0, str(SOURCE / "tests" / "servers"))

import surroundings

BUILD = pathlib.Path(os.environ["RAFFLE_BUILD"]).resolve()
RAFFLE = os.environ["RAFFLE"]
BINDING, EXAMPLES = SOURCE / "bindings" / "go", SOURCE / "examples" / "go"
HERE = pathlib.Path.cwd()
DEST = HERE / "dest" / "usr"
NEEDED = (1, 24)
TOOLCHAIN = "v0.0.1-go1.24.4.linux-"
SUMS = {"amd64": "h1:nm4Il5pypT+vEB1UPY4e+r1p/0HoRr/2jjj+dwb8KhA="}  # other machines bring a Go of their own
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
    return good


def finish():
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def run(*arguments, status=0, says="", **how):
    """A program, which must end as it should; what it printed."""
    done = subprocess.run([str(argument) for argument in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)
    check((done.returncode == status or (status is None and done.returncode != 0)) and says in done.stdout,
          f"{' '.join(map(str, arguments))} ends with {done.returncode}, not {status}, or does not say {says!r}:\n{done.stdout[-3000:]}")
    return done.stdout


def must(*arguments, **how):
    before = failed
    said = run(*arguments, **how)
    if failed > before:
        finish()
    return said


# --- what is needed ---

def environment(**more):
    flags = {"PKG_CONFIG_PATH": DEST / "lib" / "pkgconfig", "LD_LIBRARY_PATH": DEST / "lib", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off",
             "GOTOOLCHAIN": "local", "CGO_ENABLED": "1",
             "CGO_LDFLAGS": f"-O2 -g -L{DEST / 'lib'}"}  # Go's cache does not know what pkg-config says: without this it links the library of an earlier run in another folder
    inherited = {name: value for name, value in os.environ.items() if name not in ("GOROOT", "PKG_CONFIG_SYSROOT_DIR")}  # which may be another Go's, and another library's
    return {**inherited, **{name: str(value) for name, value in flags.items()}, **more}


def fetch_go(old):
    """The toolchain as a module: `go mod download` verifies it against the checksum database, where one is set; this script, against the sums above."""
    machine = {"x86_64": "amd64"}.get(platform.machine())
    if not check(machine in SUMS, f"the Go of this machine is older than {NEEDED}, and it is none of {list(SUMS)}"):
        finish()
    said = must(old, "mod", "download", "-json", "golang.org/toolchain@" + TOOLCHAIN + machine, cwd=HERE, env={**os.environ, "GOFLAGS": "-modcacherw"})
    got = json.loads(said[said.index("{"):])
    if not check(got["Sum"] == SUMS[machine], f"the toolchain has the sum {got['Sum']}"):
        finish()
    root = pathlib.Path(got["Dir"])
    for folder in ("bin", "pkg/tool"):
        for path in (root / folder).rglob("*"):
            path.chmod(0o755)
    return str(root / "bin" / "go")


def find_go():
    version = re.search(r"go(\d+)\.(\d+)", subprocess.run(["go", "version"], check=True, capture_output=True, text=True).stdout)
    return "go" if tuple(map(int, version.groups())) >= NEEDED else fetch_go("go")


def install_library():
    """Into a folder of its own, with a pkg-config file that says so."""
    must("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", env={**os.environ, "DESTDIR": str(HERE / "dest")})
    page = DEST / "lib" / "pkgconfig" / "libraffle.pc"
    page.write_text(re.sub(r"^prefix=.*", f"prefix={DEST}", page.read_text(encoding="utf-8"), flags=re.M), encoding="utf-8")


# --- the binding ---

def count_tests(said):
    """What `go test -v` says, a line a test."""
    global passed, failed
    passed += len(re.findall(r"^--- PASS", said, re.M))
    failed += len(re.findall(r"^--- FAIL", said, re.M))


def looks(go):
    gofmt = go[:-2] + "gofmt" if "/" in go else "gofmt"
    for folder in (BINDING, EXAMPLES):
        check(run(gofmt, "-l", ".", cwd=folder) == "", f"gofmt would change files in {folder}")
        run(go, "vet", "-tags", "raffle_servers", "./...", cwd=folder, env=environment())
    run(go, "build", ".", cwd=BINDING, env=environment(CGO_ENABLED="0"), status=None, says="set_CGO_ENABLED_to_1")


def tests(go):
    count_tests(run(go, "test", "-count=1", "-v", "./...", cwd=BINDING, env=environment()))
    run(go, "test", "-count=1", "-race", ".", cwd=BINDING, env=environment(), says="ok")
    run(go, "test", "-count=1", "-asan", ".", cwd=BINDING, env=environment(CC="gcc"), says="ok")
    run(go, "test", "-count=1", "-tags", "raffle_static", "-run", "TestNight|Example|TestSelf", ".", cwd=BINDING, env=environment(LD_LIBRARY_PATH="/nonexistent"), says="ok")


def servers(go):
    """Under the race detector: a night on a database server, with a token and a key management service."""
    with surroundings.surroundings(HERE / "surroundings") as found:
        count_tests(run(go, "test", "-count=1", "-v", "-race", "-tags", "raffle_servers", "-run", "TestServers", ".", cwd=BINDING, env=environment(**found), says="--- PASS"))


def fuzz(go):
    program = HERE / "fuzz.test"
    must(go, "test", "-c", "-fuzz", "Fuzz", "-o", program, ".", cwd=BINDING, env=environment())
    for target in re.findall(r"^func (Fuzz\w+)", (BINDING / "vectors_test.go").read_text(encoding="utf-8"), re.M):
        run(program, "-test.run", "^$", "-test.fuzz", f"^{target}$", "-test.fuzztime", "3s", "-test.fuzzcachedir", HERE / "fuzz", cwd=BINDING, env=environment(), says="PASS")


def bench(go):
    said = run(go, "run", "./bench", "-sales", "20000", cwd=BINDING, env=environment(), says="a million calls")
    print(said, end="")


# --- the examples ---

def asked_at_the_end(server, address, path, body):
    """The status of a request half of which is there when the server is told to end; 0 when it is not answered."""
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:5].encode())
    time.sleep(0.5)
    server.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    try:
        connection.send(body[5:].encode())
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def program(go, name):
    must(go, "build", "-o", HERE / name, "./" + name, cwd=EXAMPLES, env=environment())
    return HERE / name


def create(store):
    pathlib.Path("rules.json").write_text(json.dumps(RULES), encoding="utf-8")
    run(RAFFLE, "create", store, "--rules", "rules.json", "--by", "boss:manager")


def ask(address, method, path, body=None):
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request(method, path, body)
    answer = connection.getresponse()
    said = answer.status, json.loads(answer.read())
    connection.close()
    return said


def shop(go):
    create("shop.raffle")
    with subprocess.Popen([program(go, "shop"), "shop.raffle"], stdout=subprocess.PIPE, text=True, env=environment()) as server:
        try:
            address = server.stdout.readline().strip().removeprefix("http://")
            cart = json.dumps({"tiers": ["twenty", "one"], "buyer": "b-7"})
            first, again = ask(address, "POST", "/orders/cart-1", cart), ask(address, "POST", "/orders/cart-1", cart)
            check(first[0] == 201 and again[0] == 200 and first[1] == again[1], f"a cart that is sent again: {first}, {again}")
            check(ask(address, "GET", "/orders/cart-1") == (200, first[1]), "an order is found again")
            check(ask(address, "POST", "/orders/cart-1", json.dumps({"tiers": ["one"]}))[0] == 409, "another cart under the same key")
            check(ask(address, "POST", "/orders/cart-2", json.dumps({"tiers": ["none"]}))[0] == 404, "a tier that there is not")
            check(ask(address, "POST", "/orders/cart-2", "{")[0] == 400, "no JSON")
            check(ask(address, "GET", "/pot") == (200, {"pot": 1500, "currency": "CAD", "tickets": 2}), "the pot")
            check(asked_at_the_end(server, address, "/orders/cart-3", cart) == 201, "a sale that is under way when the shop is told to end")
            check(server.wait(timeout=20) == 0, "the shop does not end well")
        finally:
            server.kill()
    run(RAFFLE, "audit", "shop.raffle", says="tickets sold          4")


def till(go):
    create("office.raffle")
    command = program(go, "till")
    key = run(command, "apply", "file:till.keys", "raffle.example/shop", "2", env=environment()).strip()
    check(run(command, "enrol", "office.raffle", "tent", key, "proof.txt", env=environment()).strip() == "2", "the till is unit 2")
    run(command, "install", "till.raffle", "file:till.keys", "kit.bin", env=environment())
    os.rename("office.raffle", "away.raffle")  # no link
    sold = run(command, "sell", "till.raffle", "file:till.keys", "2", "twenty", "3", env=environment()).split()
    check(sold == ["2-0000001", "2-0000021", "2-0000041"], f"the till sold {sold}")
    os.rename("away.raffle", "office.raffle")
    challenge = run(command, "ask", "office.raffle", "2", env=environment()).strip()
    run(command, "export", "till.raffle", "file:till.keys", "2", challenge, env=environment())
    run(command, "upload", "office.raffle", "upload.bin", env=environment(), says="60 draw numbers")
    run(command, "update", "till.raffle", "file:till.keys", "news.bin", env=environment())
    run(RAFFLE, "audit", "office.raffle", says="draw numbers         60")


def night(go):
    os.mkdir("leave")
    command = program(go, "night")
    said = run(command, "-rng", "test:seed=05", "-by", "boss", "shop.raffle", "leave", env=environment(), says="first, place 2: 1-")
    check("second, place 1: 1-" in said and "</html>" in pathlib.Path("leave/drawing.html").read_text(encoding="utf-8"), f"the night: {said}")
    run(command, "-rng", "test:seed=05", "-by", "boss", "shop.raffle", "leave", env=environment(), says="first, place 1: 1-")
    run(RAFFLE, "audit", "leave/published")


def provider(go):
    create("two.raffle")
    for _ in range(5):
        run(RAFFLE, "sell", "two.raffle", "--tier", "one", "--by", "ann:seller")
    run(RAFFLE, "seal", "two.raffle", "--by", "boss:manager")
    run(RAFFLE, "ack", "two.raffle", "--by", "boss:manager")
    command = program(go, "provider")
    run(command, "-by", "boss", "two.raffle", "first", "false", env=environment(), status=1, says="false")
    run(RAFFLE, "status", "two.raffle", says="waiting")
    run(command, "-by", "boss", "two.raffle", "first", sys.executable, "-c", "import os, sys; sys.stdout.buffer.write(os.urandom(int(sys.argv[-1])))", env=environment(),
        says="place 1: 1-")
    run(RAFFLE, "audit", "two.raffle")


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def main():
    before = tree(BINDING), tree(EXAMPLES)
    install_library()
    go = find_go()
    looks(go)
    tests(go)
    servers(go)
    fuzz(go)
    bench(go)
    for example in (shop, till, night, provider):
        example(go)
    check((tree(BINDING), tree(EXAMPLES)) == before, "files were left in the source")
    finish()


if __name__ == "__main__":
    main()
