#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the binding costs, beside the C call in the same run: selling in batches, one call, memory.

    python bench/bench.py [sell] [call] [leak]

`sell`: batches of 1,000 into one store, durable, UUIDv7 order keys; the ways alternate batch by batch in an order of chance, and each figure is the median. "C" is raffle_unit_sell() on lines
that were filled beforehand: a C host has to fill its lines, too, so that the ratios are the least that may be said. `call`: a call by the binding, less the
same call by the extension alone. `leak`: what a million calls leave behind.
"""
import gc
import os
import pathlib
import random
import resource
import statistics
import sys
import tempfile
import time
import tracemalloc
from typing import Any, Callable, Dict, List

import raffle
from raffle import Actor, Raffle, Role, Sale
from raffle._native import ffi, lib

BATCH = 1000
BATCHES = int(os.environ.get("RAFFLE_BENCH_BATCHES", "150"))
CALLS = int(os.environ.get("RAFFLE_BENCH_CALLS", "1000000"))
RULES = {
    "origin": "raffle.example/bench", "name": "Bench", "organisation": "Bench", "currency": "CAD",
    "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"},
    "tiers": [{"name": "10-for-10", "count": 10, "price": 1000}], "prizes": [{"name": "first"}],
}
TIER = "10-for-10"
ANN = Actor("ann", Role.SELLER)


def order_keys(n: int, state: List[int]) -> List[str]:
    """UUIDv7: in the order of time."""
    keys = []
    for _ in range(n):
        state[0] += 1
        ms, rest = 1790000000000 + state[0] // 100, os.urandom(10).hex()
        keys.append(f"{ms >> 16:08x}-{ms & 0xffff:04x}-7{rest[:3]}-8{rest[3:6]}-{rest[6:18]}")
    return keys


def in_c(unit: raffle.Unit, keys: List[str]) -> Callable[[], Any]:
    sales, tickets, err = ffi.new("raffle_sale[]", BATCH), ffi.new("raffle_ticket[]", BATCH), ffi.new("raffle_error *")
    lib.raffle_sale_init(sales, ffi.sizeof("raffle_sale"))
    lib.raffle_ticket_init(tickets, ffi.sizeof("raffle_ticket"))
    lib.raffle_error_init(err, ffi.sizeof("raffle_error"))
    for i, key in enumerate(keys):
        sales[i].order, sales[i].tier = key.encode(), TIER.encode()

    def sell() -> None:
        assert lib.raffle_unit_sell(unit._get(), ANN._ptr, sales, BATCH, -1, tickets, err) == lib.RAFFLE_OK

    return sell


def by_buffer(unit: raffle.Unit, keys: List[str]) -> Callable[[], Any]:
    joined = "\n".join(keys).encode()
    return lambda: unit.sell_columns(ANN, BATCH, tier=TIER, order=joined, timeout_ms=-1)


def by_columns(unit: raffle.Unit, keys: List[str]) -> Callable[[], Any]:
    return lambda: unit.sell_columns(ANN, BATCH, tier=TIER, order=keys, timeout_ms=-1)


def by_objects(unit: raffle.Unit, keys: List[str]) -> Callable[[], Any]:
    sales = [Sale(TIER, key) for key in keys]
    return lambda: unit.sell(ANN, sales, timeout_ms=-1)


def by_objects_read(unit: raffle.Unit, keys: List[str]) -> Callable[[], Any]:
    sales = [Sale(TIER, key) for key in keys]
    return lambda: [ticket.serial for ticket in unit.sell(ANN, sales, timeout_ms=-1)]


WAYS: Dict[str, Callable[[raffle.Unit, List[str]], Callable[[], Any]]] = {
    "C": in_c, "columns, a buffer": by_buffer, "columns, lists of str": by_columns, "objects": by_objects, "objects, all tickets read": by_objects_read,
}


def bench_sell() -> None:
    print(f"selling in batches of {BATCH:,}, durable; {BATCHES} batches each, alternating; median")
    with tempfile.TemporaryDirectory(dir=".") as folder, Raffle.create(pathlib.Path(folder, "bench.raffle"), RULES, Actor("boss", Role.MANAGER)) as r:
        with r.unit_open(1) as unit:
            state, times = [0], {name: [] for name in WAYS}  # type: ignore[var-annotated]
            for _ in range(BATCHES):
                for name in random.sample(sorted(WAYS), len(WAYS)):  # so that what SQLite does now and then falls upon all
                    run = WAYS[name](unit, order_keys(BATCH, state))
                    began = time.perf_counter()
                    run()
                    times[name].append(time.perf_counter() - began)
    base = statistics.median(times["C"])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"  {name:28} {BATCH / median:10,.0f} sales a second  {base / median:5.2f} of C")


def timed(function: Callable[..., Any], *arguments: Any) -> float:
    """Seconds a call: the least of five runs."""
    n, best = 100000, float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(n):
            function(*arguments)
        best = min(best, (time.perf_counter() - began) / n)
    return best


def bench_call() -> None:
    print("one call, beside the C call alone; the least of five times 100,000")
    out, err = ffi.new("char[]", 32), ffi.new("raffle_error *")
    lib.raffle_error_init(err, ffi.sizeof("raffle_error"))
    hash = ffi.new("uint8_t[32]")
    with Rehearsal() as r:
        pointer, tier = r._get(), ffi.new("raffle_tier *")
        lib.raffle_tier_init(tier, ffi.sizeof("raffle_tier"))
        rows = [
            ("raffle_number_format", timed(raffle.number_format, 1, 42), timed(lib.raffle_number_format, 1, 42, out, err)),
            ("raffle_leaf_hash", timed(raffle.leaf_hash, b"leaf"), timed(lib.raffle_leaf_hash, b"leaf", 4, hash, err)),
            ("raffle_tier_at", timed(r.tier_at, 0), timed(lib.raffle_tier_at, pointer, 0, tier, err)),
        ]
    for name, mine, alone in rows:
        print(f"  {name:24} {mine * 1e6:5.2f} us, {alone * 1e6:5.2f} us alone: {(mine - alone) * 1e6:5.2f} us more")


class Rehearsal:
    """A raffle in a folder that is removed."""

    def __enter__(self) -> Raffle:
        self.folder = tempfile.TemporaryDirectory(dir=".")
        self.r = Raffle.create(pathlib.Path(self.folder.name, "bench.raffle"), RULES, Actor("boss", Role.MANAGER))
        return self.r

    def __exit__(self, *_: object) -> None:
        self.r.free()
        self.folder.cleanup()


class Fails(raffle.RngTable):
    """A callback that raises."""

    def fill(self, length: int, timeout_ms: int) -> bytes:
        raise LookupError("no randomness today")


def some_calls(r: Raffle, n: int) -> None:
    """Calls of every kind, ten at a time: text out, struct out, handles, failures, callbacks that raise."""
    for i in range(n // 10):
        raffle.number_parse(raffle.number_format(1, i + 1))
        raffle.leaf_hash(b"x")
        r.tier_at(0)
        r.unit_open(1).free()
        try:
            r.tier_at(99)
        except raffle.NotFound:
            pass
        try:
            raffle.number_parse("no number")
        except raffle.Invalid:
            pass
        with raffle.Rng.new("host:fails", Fails()) as rng:
            try:
                rng.fill(1)
            except LookupError:
                pass
        raffle.beacon_time(i + 1)
        raffle.rc_text(raffle.NotFound.rc)


def bench_leak() -> None:
    with Rehearsal() as r:
        some_calls(r, 20000)
        gc.collect()
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        tracemalloc.start()
        some_calls(r, 10000)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        began = time.perf_counter()
        some_calls(r, CALLS)
        took = time.perf_counter() - began
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident
    print(f"{CALLS:,} calls in {took:.1f} s (traced): {after - before:,} bytes more by tracemalloc, the process {grown:,} KiB larger at its largest")


def main() -> None:
    rows = {"sell": bench_sell, "call": bench_call, "leak": bench_leak}
    for name in sys.argv[1:] or rows:
        rows[name]()


if __name__ == "__main__":
    main()
