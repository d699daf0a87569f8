#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The drill (GLI-31 5.7): a night is backed up while it is sold from, moved from SQLite to PostgreSQL and back, restored after a loss with and without the
anchor; backups are cut off and restores killed at any moment; a mirror follows and takes over. What comes back is audited, here and by the second implementations afterwards.

    RAFFLE=build/src/cli/raffle python3 tests/integration/backup.py
"""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))
from postgres import Postgres  # noqa: E402

DATA = pathlib.Path(os.environ["RAFFLE_SOURCE"]) / "examples/data"
BOSS, KEYS = ("--by", "boss:manager"), ("--keys", "file:night.raffle.keys")
EARLY, NOW, LATE = "2026-11-15T00:59:00.000Z", "2026-11-15T04:59:58.000Z", "2026-11-15T06:00:00.000Z"
KILLS = 12
checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit(f"FAILED: {sentence}")
    checks += 1


def raffle(*arguments, status=0, says="", at=None):
    environment = dict(os.environ, **({"RAFFLE_CLOCK": at} if at else {}))
    done = subprocess.run([os.environ["RAFFLE"], *arguments], capture_output=True, text=True, check=False, env=environment)
    check(done.returncode == status, f"{arguments} ends with {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    check(says in done.stdout + done.stderr, f"{arguments} does not say {says!r}: {done.stdout}{done.stderr}")
    return done.stdout


def status(store):
    return json.loads(raffle("status", store, "--json"))


def restore(file, store, *more, **expect):
    return raffle("restore", file, store, *KEYS, *BOSS, *more, **expect)


def anchored(uri, anchor):
    return f"{uri}{'&' if '?' in uri else '?'}anchor=file:{os.getcwd()}/{anchor}"


def lose(store):
    for end in ("", "-wal", "-shm"):
        pathlib.Path(store + end).unlink(missing_ok=True)


def make_night():
    raffle("create", "night.raffle", "--rules", str(DATA / "rules.json"), *BOSS, at=EARLY)
    with open(DATA / "sales.csv", encoding="utf-8") as sales, open("early.csv", "w", encoding="utf-8") as early:
        early.writelines(line for i, line in enumerate(sales) if i < 4000)
    raffle("import", "night.raffle", "early.csv", "--replay", *BOSS)
    bird = pathlib.Path("early.csv").read_text(encoding="utf-8").splitlines()[-1].split(",")[1]
    raffle("seal", "night.raffle", "--early", *BOSS, at=bird)
    raffle("ack", "night.raffle", "--early", *BOSS, at=bird)
    raffle("draw", "night.raffle", "early-bird", "--rng", "system:", *BOSS, at=bird)


def while_it_sells():
    """What was committed when the backup was begun is in it, and what is in it is whole."""
    importing = subprocess.Popen([os.environ["RAFFLE"], "import", "night.raffle", str(DATA / "sales.csv"), "--replay", *BOSS],
                                 stdout=subprocess.DEVNULL)
    sizes = []
    while importing.poll() is None:
        name = f"live-{len(sizes)}.backup"
        before = sum(unit["size"] for unit in status("night.raffle")["units"])
        raffle("backup", "night.raffle", "--out", name)
        records = json.loads(raffle("restore", name, "--check", "--json"))["records"]
        check(records >= before, f"{name} holds {records} records, and {before} were there before it")
        sizes.append(records)
    check(importing.returncode == 0, "the import goes on beside the backups")
    check(len(sizes) > 1 and sizes == sorted(sizes), f"backups grow: {sizes}")
    restore("live-1.backup", "live.raffle", at=NOW)
    raffle("audit", "live.raffle")
    return len(sizes)


def same(a, b):
    """Two stores that hold the same records, but for what a restoring writes."""
    size = status(a)["raffle"]["control_size"]
    for log in ["control"] + [str(unit["unit"]) for unit in status(a)["units"]]:
        count = [str(size)] if log == "control" else []
        records = [raffle("show", store, log, "0", *count) for store in (a, b)]
        check(records[0] == records[1], f"log {log} of {a} and {b} is the same")


def moved(server):
    """SQLite, PostgreSQL, SQLite: with the anchor, nothing is disabled on the way."""
    uri = anchored(server.uri_of(database="moved", password=True), "moved-anchor")
    raffle("backup", "night.raffle", "--out", "night.backup")
    check(os.stat("night.backup").st_mode & 0o777 == 0o600, "a backup is its owner's alone")
    raffle("backup", "night.raffle", "--out", "night.backup", status=1, says="exists")
    shutil.copy("night.raffle", "kept.raffle")
    shutil.copy("night.raffle-anchor", "moved-anchor")
    restore("night.backup", uri)
    same("kept.raffle", uri)
    check(all(unit["state"] == "enabled" for unit in status(uri)["units"]), "the anchor says that nothing was lost")
    raffle("sell", uri, "--tier", "3-for-5", "--order", "moved-1", *KEYS, "--by", "ann:seller")
    raffle("backup", uri, *KEYS, "--out", "moved.backup")
    raffle("audit", uri)
    restore("moved.backup", anchored("sqlite:back.raffle", "moved-anchor"))
    raffle("sell", uri, "--tier", "3-for-5", *KEYS, "--by", "ann:seller", status=1, says="behind what was seen of it")
    first = raffle("order", "back.raffle", "moved-1", *KEYS)
    check("3-for-5" in first, "an order that was sold on the way is known")
    shutil.copy("moved-anchor", "back.raffle-anchor")
    raffle("seal", "back.raffle", *KEYS, *BOSS, at=LATE)
    raffle("ack", "back.raffle", *KEYS, *BOSS, at=LATE)
    raffle("draw", "back.raffle", "fifty-fifty", "--rng", "system:", *KEYS, *BOSS, at=LATE)
    raffle("audit", "back.raffle")


def cut_off():
    """A backup whose process is killed, here by the limit of a file's size, has no name of one."""
    most = os.stat("night.backup").st_size // 2
    dead = subprocess.run([os.environ["RAFFLE"], "backup", "night.raffle", "--out", "cut.backup"], check=False, stderr=subprocess.DEVNULL,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
    check(dead.returncode == -signal.SIGXFSZ, f"the backup ends by the limit, not with {dead.returncode}")
    check(not os.path.exists("cut.backup") and os.stat("cut.backup.part").st_size == most, "what was cut off is a part")
    raffle("restore", "cut.backup.part", "--check", status=3, says="cut off")
    raffle("backup", "night.raffle", "--out", "cut.backup", status=1, says="cut.backup.part is there")
    os.remove("cut.backup.part")
    raffle("backup", "night.raffle", "--out", "cut.backup")
    check(not os.path.exists("cut.backup.part"), "a backup that is whole leaves no part")


def lost_with_its_anchor():
    """The whole machine: a backup from elsewhere, and nobody who can say what was sold after it."""
    restore("night.backup", "elsewhere.raffle")
    check(not any(unit["state"] == "enabled" for unit in status("elsewhere.raffle")["units"]), "nobody sells before somebody looked")
    raffle("sell", "elsewhere.raffle", "--tier", "3-for-5", *KEYS, "--by", "ann:seller", status=1, says="not enabled")
    restore("night.backup", "elsewhere.raffle", status=1, says="holds the raffle")
    raffle("audit", "elsewhere.raffle")


def lost_after_the_backup():
    """The anchor saw more: of a unit, which ends where it was; of the control log, which is not put back."""
    raffle("sell", "night.raffle", "--unit", "1", "--tier", "3-for-5", "--order", "late-1", "--by", "ann:seller")
    lose("night.raffle")
    raffle("create", "night.raffle", "--rules", str(DATA / "rules.json"), *KEYS, *BOSS, at=EARLY, status=1, says="put back")
    lose("night.raffle")
    restore("night.backup", "night.raffle")
    units = status("night.raffle")["units"]
    check([unit["state"] == "enabled" for unit in units] == [False, True, True], "the unit that sold since is disabled")
    raffle("unit", "enable", "night.raffle", "1", *KEYS, *BOSS)
    raffle("sell", "night.raffle", "--unit", "1", "--tier", "3-for-5", *KEYS, "--by", "ann:seller", status=1, says="behind what was seen of it")
    raffle("sell", "night.raffle", "--unit", "2", "--tier", "3-for-5", *KEYS, "--by", "ann:seller")
    lose("night.raffle")
    restore("night.backup", "night.raffle", status=1, says="it is not put back")
    raffle("status", "night.raffle", status=1)
    lose("night.raffle")


def killed(server):
    """Killed at any moment, a restore leaves a store in which nothing opens, or all of it; and done again, all of it."""
    server.psql("CREATE DATABASE timed")
    return killed_in("sqlite:timed.raffle", lambda i: f"sqlite:killed-{i}.part") + killed_in(
        server.uri_of(database="timed", password=True), lambda i: new_database(server, f"killed_{i}"))


def new_database(server, name):
    server.psql(f"CREATE DATABASE {name}")
    return server.uri_of(database=name, password=True)


def killed_in(timed, name):
    began = time.monotonic()
    restore("night.backup", timed)
    took = time.monotonic() - began
    opened = 0
    for i in range(KILLS):
        store = name(i)
        running = subprocess.Popen([os.environ["RAFFLE"], "restore", "night.backup", store, *KEYS, *BOSS],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            running.wait(took * (i + 1) / KILLS)
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            running.wait()
        done = subprocess.run([os.environ["RAFFLE"], "status", store], capture_output=True, text=True, check=False)
        check(done.returncode in (0, 1), f"{store}: {done.stderr}")
        if done.returncode == 0:
            opened += 1
        else:
            restore("night.backup", store)
        raffle("audit", store)
    return opened


def mirrored(server):
    """A mirror in another kind of store follows a raffle until that is lost, and takes over where its anchor says that it has all."""
    uri = server.uri_of(database="mirror", password=True)
    restore("moved.backup", "live2.raffle")
    for unit in ("1", "2", "3"):
        raffle("unit", "enable", "live2.raffle", unit, *KEYS, *BOSS)
    raffle("backup", "live2.raffle", *KEYS, "--out", "live2.backup")
    raffle("restore", "live2.backup", uri, "--mirror", *KEYS)
    following = subprocess.Popen([os.environ["RAFFLE"], "mirror", "live2.raffle", uri, *KEYS, "--every", "20"],
                                 stdout=subprocess.PIPE, text=True)
    following.stdout.readline()
    for i in range(20):
        raffle("sell", "live2.raffle", "--unit", str(i % 3 + 1), "--tier", "15-for-10", "--order", f"m-{i}", *KEYS, "--by", "ann:seller")
    wanted, copied = 20, 0
    while copied < wanted:
        copied += int(following.stdout.readline().split(",")[0].split()[1])
    following.send_signal(signal.SIGTERM)
    check(following.wait() == 0, "a mirror ends when it is told to")
    same("live2.raffle", uri)
    lose("live2.raffle")
    taken = anchored(uri, "live2.raffle-anchor")
    again = raffle("sell", taken, "--unit", "2", "--tier", "15-for-10", "--order", "m-1", *KEYS, "--by", "ann:seller")
    check("sold before" in again or "2/" in again, f"the mirror knows what was sold: {again}")
    raffle("sell", taken, "--unit", "2", "--tier", "15-for-10", "--order", "m-new", *KEYS, "--by", "ann:seller")
    raffle("seal", taken, *KEYS, *BOSS, at=LATE)
    raffle("audit", taken)


def main():
    make_night()
    live = while_it_sells()
    os.environ["RAFFLE_CLOCK"] = NOW
    with Postgres() as server:
        server.psql("CREATE DATABASE moved")
        server.psql("CREATE DATABASE mirror")
        moved(server)
        cut_off()
        lost_with_its_anchor()
        opened = killed(server)
        mirrored(server)
    lost_after_the_backup()
    for part in pathlib.Path(".").glob("killed-*"):
        part.unlink()
    print(f"{checks} checks: {live} backups beside an import, {opened} of {2 * KILLS} restores ended before they were killed")


if __name__ == "__main__":
    main()
