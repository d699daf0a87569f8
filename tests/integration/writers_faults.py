#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several writers and a fault: a disk that is full, for whole commands, tills, and sellers that are running; two copies of a raffle that sell at the same
moment. (Errors in SQLite's own calls, and a seller who is killed: tests/fault. Copies one after the other: history.py.)"""

import os
import re
import shutil
import subprocess
import sys

import history
from history import check, create, host, raffle, sell, tickets
from smoke_python import Failure, ffi, lib, make

# A disk as all processes see it. It is full while the file $DISK_FULL is there, and for one process once its files have grown by $DISK_ROOM bytes: then
# nothing grows, and what has its place already can be overwritten.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static long long grown;
static int full(int fd, long long end)
{
    struct stat s;
    const char *file = getenv("DISK_FULL"), *room = getenv("DISK_ROOM");
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) || end <= s.st_size)
        return 0;
    if ((file != NULL && access(file, F_OK) == 0) || (room != NULL && grown + end - s.st_size > atoll(room)))
        return 1;
    grown += end - s.st_size;
    return 0;
}
#define NEXT(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))
#define WRITES(name) \
    ssize_t name(int fd, const void *in, size_t n, off_t at) \
    { \
        if (full(fd, (long long)at + (long long)n)) { \
            errno = ENOSPC; \
            return -1; \
        } \
        return NEXT(ssize_t, #name, int, const void *, size_t, off_t)(fd, in, n, at); \
    }
WRITES(pwrite)
WRITES(pwrite64)
ssize_t write(int fd, const void *in, size_t n)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    struct stat s;
    if (fstat(fd, &s) == 0 && (fcntl(fd, F_GETFL) & O_APPEND))
        at = s.st_size;
    if (at >= 0 && full(fd, (long long)at + (long long)n)) {
        errno = ENOSPC;
        return -1;
    }
    return NEXT(ssize_t, "write", int, const void *, size_t)(fd, in, n);
}
#define CUTS(name) \
    int name(int fd, off_t size) \
    { \
        if (full(fd, size)) { \
            errno = ENOSPC; \
            return -1; \
        } \
        return NEXT(int, #name, int, off_t)(fd, size); \
    }
CUTS(ftruncate)
CUTS(ftruncate64)
int posix_fallocate(int fd, off_t at, off_t n)
{
    return full(fd, (long long)at + n) ? ENOSPC : NEXT(int, "posix_fallocate", int, off_t, off_t)(fd, at, n);
}
int posix_fallocate64(int fd, off_t at, off_t n)
{
    return full(fd, (long long)at + n) ? ENOSPC : NEXT(int, "posix_fallocate64", int, off_t, off_t)(fd, at, n);
}
"""
FULL = os.path.abspath("disk-is-full")
NOON = 1789992000000  # history.CLOCK: one time for all processes
ORDERS = 60  # of each seller who is running
COPIED = 200  # in a copy
MYSELF = [sys.executable, os.path.abspath(__file__), os.environ["RAFFLE_BUILD"]]  # which smoke_python takes from there


def build_shim():
    with open("shim.c", "w", encoding="utf-8") as f:
        f.write(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", "shim.so", "shim.c", "-ldl"], check=True)


def on_the_disk(**more):
    return dict(os.environ, RAFFLE_CLOCK=history.CLOCK, RAFFLE_ACTOR="boss:manager", LD_PRELOAD=os.path.abspath("shim.so"), DISK_FULL=FULL, **more)


# --- one command after another, with room for so many bytes ---

def with_room(room, *command):
    return subprocess.run([history.RAFFLE, *command], env=on_the_disk(DISK_ROOM=str(room)), capture_output=True, text=True)


def until_there_is_room(store, command, done):
    """With a little more room each time; the number of times that there was too little. What `done` says of the last failure had been done all the same."""
    failures, room = 0, 0
    while True:
        ended = with_room(room, *command, "--json")
        if ended.returncode == 0:
            return failures
        said = ended.stdout + ended.stderr
        if failures > 0 and re.search(done, said):
            return failures
        check(ended.returncode == 1 and re.search("RAFFLE_(FULL|IO|UNKNOWN)", said), f"{command} with room for {room}: {ended.returncode}, {said}")
        check(len(said) < 1000 and "\n\n" not in said, f"{command} says too much: {said}")
        if store:
            raffle("audit", store)  # with room, and what it says is that nothing is wrong
        failures += 1
        room += 3000 if room < 40000 else 10000
        check(room < 4000000, f"{command} never has enough room: {said}")


def commands_on_a_full_disk():
    """The anchor, the keys and the shared memory of the write-ahead log need room, too."""
    failures = 0
    create("full.raffle")
    orders = [f"order-{i}" for i in range(4)]
    for i, order in enumerate(orders):
        failures += until_there_is_room("full.raffle", ("sell", "full.raffle", "--tier", "one", "--count", "3", "--order", order), "$^")
        check(tickets("full.raffle") == 3 * (i + 1), f"{tickets('full.raffle')} tickets after order {i}")
    for order in orders:  # sold before, with or without an answer
        raffle("sell", "full.raffle", "--tier", "one", "--count", "3", "--order", order)
    check(tickets("full.raffle") == 12, "an order was sold twice")
    for command, done in ((("unit", "enrol", "full.raffle", "--name", "second"), "RAFFLE_EXISTS"), (("seal", "full.raffle", "--early"), "$^"),
                          (("unit", "close", "full.raffle", "1"), "RAFFLE_CLOSED"), (("seal", "full.raffle"), "RAFFLE_CLOSED")):
        failures += until_there_is_room("full.raffle", command, done)
    raffle("audit", "full.raffle", says="tickets sold +12\n")
    check(failures > 20, f"only {failures} commands had too little room")
    print(f"{failures} commands had too little room")


def tills_on_a_full_disk():
    """A till is made, sells and uploads, with too little room on either side each time; all of it can be done again."""
    create("office.raffle")
    keys = ("--keys", "file:tent.keys")
    failures = until_there_is_room(None, ("unit", "apply", "raffle.example/history", "2", *keys, "--out", "tent.key"), "$^")
    failures += until_there_is_room("office.raffle", ("unit", "enrol", "office.raffle", "--name", "tent", "--quota", "50", "--key", "tent.key"), "RAFFLE_EXISTS")
    failures += until_there_is_room("office.raffle", ("unit", "enable", "office.raffle", "2"), "RAFFLE_EXISTS")
    failures += until_there_is_room("office.raffle", ("unit", "kit", "office.raffle", "2", "--out", "tent.kit"), "$^")
    failures += until_there_is_room(None, ("unit", "install", "tent.till", "tent.kit", *keys), "$^")
    for order in ("a", "b", "c"):
        failures += until_there_is_room(None, ("sell", "tent.till", "--tier", "one", "--order", order, *keys), "$^")
    failures += until_there_is_room(None, ("unit", "close", "tent.till", "2", *keys), "RAFFLE_CLOSED")
    failures += until_there_is_room("office.raffle", ("unit", "challenge", "office.raffle", "2", "--out", "tent.challenge"), "$^")
    failures += until_there_is_room(None, ("unit", "export", "tent.till", "--challenge", "tent.challenge", "--out", "tent.upload", *keys), "$^")
    failures += until_there_is_room("office.raffle", ("unit", "upload", "office.raffle", "tent.upload"), "$^")
    raffle("seal", "office.raffle")
    raffle("audit", "office.raffle", says="tickets sold +3\n")
    check(failures > 20, f"only {failures} commands for a till had too little room")
    print(f"{failures} commands for a till had too little room")


def create_on_a_full_disk():
    """A raffle is there or it is not; what is left of one that is not stands in nobody's way."""
    failures = until_created(0)
    check(failures > 5, f"only {failures} raffles could not be made")
    sell("made.raffle", "a")
    raffle("audit", "made.raffle", says="tickets sold +1\n")


def until_created(failures):
    for room in range(0, 4000000, 3000):
        ended = with_room(room, "create", "made.raffle", "--rules", "rules.json", "--json")
        if ended.returncode == 0 or (failures > 0 and "RAFFLE_EXISTS" in ended.stdout + ended.stderr):
            return failures
        check(ended.returncode == 1 and re.search("RAFFLE_(FULL|IO|UNKNOWN)", ended.stdout + ended.stderr),
              f"create with room for {room}: {ended.returncode}, {ended.stdout + ended.stderr}")
        failures += 1
    sys.exit("FAILED: a raffle is never made")


# --- sellers who are running ---

class Host(history.Host):
    def clock(self, ms, err):
        ms[0] = NOON


class Till:
    """A seller's process opens the raffle for itself."""

    def __init__(self, uri, keys):
        self.host = Host()
        self.store = make("raffle_store", "raffle_store_open", uri.encode(), ffi.NULL)
        self.keys = make("raffle_keys", "raffle_keys_open", f"file:{keys}".encode(), ffi.NULL)
        self.raffle = make("raffle", "raffle_open_with", self.store, self.keys, self.host.table)

    def unit(self, number):
        return make("raffle_unit", "raffle_unit_open", self.raffle, number)


def say(*words):
    print(*words, flush=True)


def sell_on(name, unit):
    """A process of its own: each order until it is sold, now through its unit and now through the other. Says what became of each try."""
    till = Till("sqlite:running.raffle", "running.raffle.keys")
    units = [till.unit(unit), till.unit(3 - unit)]
    for i in range(ORDERS):
        for attempt in range(1000000):
            try:
                ticket = host.sell(units[attempt % 2], history.ANN, (f"{name}-{i}", "one"))[0]
                say("sold", f"{name}-{i}", f"{ticket.unit}/{ticket.serial}")
                break
            except Failure as no:
                if no.rc not in (lib.RAFFLE_FULL, lib.RAFFLE_IO, lib.RAFFLE_UNKNOWN):
                    sys.exit(f"{name}-{i}: {no}")
                say("full", f"{name}-{i}", no.rc)
        sys.stdin.readline()  # the parent says when to go on


class Seller:
    def __init__(self, name, unit):
        self.sold, self.refusals = {}, 0
        self.process = subprocess.Popen([*MYSELF, "sell", name, str(unit)], env=on_the_disk(), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def hear(self, word):
        """The next time that it says so; others are remembered."""
        while True:
            said = self.process.stdout.readline().split()
            check(said != [], "a seller has ended")
            if said[0] == "sold":
                check(self.sold.setdefault(said[1], said[2]) == said[2] and word == "sold", f"{said}: sold on a full disk, or twice")
            self.refusals += said[0] == "full"
            if said[0] == word:
                return

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def sellers_on_a_full_disk():
    """The disk is full again and again while three processes sell; nothing else in it but who sells, then a seal. None has to be started anew."""
    create("running.raffle")
    raffle("unit", "enrol", "running.raffle", "--name", "second")
    raffle("unit", "enable", "running.raffle", "2", status=0)
    sellers = [Seller("ann", 1), Seller("ben", 1), Seller("cid", 2)]
    for i in range(ORDERS):
        for seller in sellers:
            seller.hear("sold")
        full = i % 4 == 3 and i < ORDERS - 1
        if full:
            open(FULL, "w", encoding="utf-8").close()
        for seller in sellers:
            seller.go_on()
        if full:
            for seller in sellers:
                seller.hear("full")
                seller.hear("full")  # through either unit
            check(with_room(0, "seal", "running.raffle").returncode == 1, "sealed on a full disk")
            os.unlink(FULL)
    for seller in sellers:
        check(seller.process.wait() == 0 and len(seller.sold) == ORDERS and seller.refusals > 10, "a seller ends otherwise than it should")
        for order, ticket in seller.sold.items():
            raffle("order", "running.raffle", order, says=f"{ticket}\\b") if order.endswith("7") else None
    check(tickets("running.raffle") == 3 * ORDERS, "not as many tickets as orders")
    check(len({t for s in sellers for t in s.sold.values()}) == 3 * ORDERS, "a ticket was sold to two")
    raffle("seal", "running.raffle")
    raffle("audit", "running.raffle", says=f"tickets sold +{3 * ORDERS}\n")


# --- two copies at once ---

def sell_in_a_copy(uri, keys, name):
    """Until it is refused, or COPIED are sold."""
    till = Till(uri, keys)
    unit = till.unit(1)
    say("ready")
    sys.stdin.readline()
    for i in range(COPIED):
        try:
            host.sell(unit, history.ANN, (f"{name}-{i}", "one"))
            say("sold", f"{name}-{i}")
        except Failure as no:
            say("refused", ffi.string(lib.raffle_rc_name(no.rc)).decode())
            break
    say("end")


def copies_at_once():
    """A restored backup sells beside the original under the same keys, both running, and one anchor sees both. One sale of one of them may pass: what was committed
    at the very moment when the other's was. After an answer of the other, none does."""
    late = 0
    for turn in range(8):
        mine, copy = f"mine-{turn}.raffle", f"copy-{turn}.altered"
        create(mine)
        sell(mine, "before")
        shutil.copy(mine, copy)
        names = {name: f"sqlite:{name}?anchor=file:{mine}-anchor" for name in (mine, copy)}
        children = {name: subprocess.Popen([*MYSELF, "copy", uri, mine + ".keys", name.split(".")[0]], text=True,
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE) for name, uri in names.items()}
        for child in children.values():
            check(child.stdout.readline() == "ready\n", "a copy is not opened")
        heard = {mine: [], copy: []}
        for name, child in children.items():
            child.stdin.write("\n")
            child.stdin.flush()
            if turn % 2 == 1 and name == mine:
                heard[name] = [child.stdout.readline().strip()]  # an answer comes after its anchor
        said = {name: heard[name] + child.stdout.read().split("\n")[:-1] for name, child in children.items()}
        check(all(child.wait() == 0 for child in children.values()), "a copy's seller fails")
        sold = {name: sum(1 for line in lines if line.startswith("sold")) for name, lines in said.items()}
        lost = [name for name, lines in said.items() if "refused RAFFLE_HISTORY" in lines]
        check(len(lost) == 1 and sold[lost[0]] <= 1 - turn % 2 and not any("refused" in line for name in names if name not in lost for line in said[name]),
              f"both sell on, or both stop: {sold}, {lost}")
        late += sold[lost[0]]
        kept = mine if lost == [copy] else copy
        check(sold[kept] == COPIED, f"{kept} sold {sold[kept]}")
        raffle("audit", names[kept], says=f"tickets sold +{COPIED + 1}\n")
        raffle("audit", names[lost[0]], status=3, says="anchor")
        raffle("sell", names[lost[0]], "--tier", "one", "--order", "more", "--keys", f"file:{mine}.keys", "--json", status=1, says="RAFFLE_HISTORY")
        for name in names:  # not raffles that others verify again
            os.unlink(name)
    print(f"{late} of 4 copies sold once at the moment when the other did")


def main():
    with open("rules.json", "w", encoding="utf-8") as f:
        history.json.dump(history.RULES, f)
    build_shim()
    for test in (create_on_a_full_disk, commands_on_a_full_disk, tills_on_a_full_disk, sellers_on_a_full_disk, copies_at_once):
        print(test.__name__, flush=True)
        test()
    print(f"ok: {history.checks} checks")


if __name__ == "__main__":
    if sys.argv[2:3] == ["sell"]:
        sell_on(sys.argv[3], int(sys.argv[4]))
    elif sys.argv[2:3] == ["copy"]:
        sell_in_a_copy(*sys.argv[3:6])
    else:
        main()
