#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes examples/data/sales.csv: the sales of one hockey night's 50/50, invented, the same on every run.

    python3 examples/make_sales.py > examples/data/sales.csv

20,000 orders over four hours, with rushes in the intermissions; 400 of them are taken back by a void, and 300 are sent a second
time with the same key, as a till does that lost the connection, some of them at another unit.
"""
import csv
import datetime
import random
import sys

ORDERS, VOIDS, RETRIES = 20_000, 400, 300
MINUTE = 60_000
OPENS = int(datetime.datetime(2026, 11, 15, 1, tzinfo=datetime.timezone.utc).timestamp()) * 1000  # 18:00 in Edmonton
CLOSES = OPENS + 240 * MINUTE
EARLY_BIRD = OPENS + 120 * MINUTE  # no void crosses this seal: an early-bird winner's ticket could not be voided

COLUMNS = ["kind", "at", "unit", "order", "tier", "count", "payment", "buyer", "channel", "reason", "by"]

# From this minute of the night on, this many orders relative to others.
RATES = [
    (0, 0.6),  # doors open
    (30, 1.4),  # the crowd arrives
    (60, 0.5),  # first period
    (100, 4.0),  # first intermission
    (118, 0.5),  # second period
    (158, 4.5),  # second intermission
    (176, 0.7),  # third period
    (222, 2.2),  # last call
]
TIERS = [("3-for-5", 0.22), ("15-for-10", 0.41), ("60-for-20", 0.37)]
COUNTS = [(1, 0.86), (2, 0.09), (3, 0.03), (4, 0.01), (5, 0.01)]
UNITS = [(1, 0.46), (2, 0.31), (3, 0.23)]  # web, concourse-a, concourse-b
SELLERS = {1: ["shop:system"], 2: ["ann:seller", "raj:seller", "lee:seller"], 3: ["mia:seller", "tom:seller"]}
SUPERVISORS = ["sue:supervisor", "omar:supervisor"]
REASONS = [("refund", 0.5), ("payment", 0.3), ("misprint", 0.1), ("error", 0.1)]


def pick(rng, weighted):
    """One of the values, by weight. From random() alone, which gives the same in every version of Python."""
    left = rng.random() * sum(weight for _, weight in weighted)
    for value, weight in weighted:
        left -= weight
        if left < 0:
            return value
    return weighted[-1][0]


def below(rng, limit):
    return int(rng.random() * limit)


def rfc3339(ms):
    time = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def uuid7(rng, ms):
    """RFC 9562 section 5.7: the time first, so that keys come in order; then random bits."""
    tail = f"{rng.getrandbits(12):03x}", f"{0x8000 | rng.getrandbits(14):04x}", f"{rng.getrandbits(48):012x}"
    head = f"{ms:012x}"
    return f"{head[:8]}-{head[8:]}-7{tail[0]}-{tail[1]}-{tail[2]}"


def sale_times(rng):
    """When orders come: minutes by their rate, and within a minute anywhere."""
    rates = []
    for minute in range((CLOSES - OPENS) // MINUTE):
        rates.append((minute, [rate for start, rate in RATES if start <= minute][-1]))
    # The first second and the last ten are left free, for orders on their way.
    times = (OPENS + pick(rng, rates) * MINUTE + below(rng, MINUTE) for _ in range(ORDERS))
    return sorted(min(max(time, OPENS + 1000), CLOSES - 10_000) for time in times)


def payment(rng, unit):
    if unit == 1:
        return f"pi_{rng.getrandbits(64):016x}"
    return "cash" if rng.random() < 0.35 else f"card-{rng.getrandbits(40):010x}"


def buyer(rng, known):
    """An opaque tag; one in four has bought before."""
    if len(known) > 100 and rng.random() < 0.25:
        return known[below(rng, len(known))]
    known.append(f"b-{rng.getrandbits(40):010x}")
    return known[-1]


def orders(rng):
    known = []
    for time in sale_times(rng):
        unit = pick(rng, UNITS)
        yield {
            "kind": "sale",
            "at": time,
            "unit": unit,
            "order": uuid7(rng, time - 50 - below(rng, 900)),
            "tier": pick(rng, TIERS),
            "count": pick(rng, COUNTS),
            "payment": payment(rng, unit),
            "buyer": buyer(rng, known),
            "channel": "web" if unit == 1 else "till",
            "by": SELLERS[unit][below(rng, len(SELLERS[unit]))],
        }


def some(rng, sales, number):
    """So many different ones of them."""
    chosen = {}
    while len(chosen) < number:
        sale = sales[below(rng, len(sales))]
        chosen[sale["order"]] = sale
    return chosen.values()


def retry(rng, sale):
    """The same order again, seconds later; one in five at another unit. Content and key are the first one's."""
    unit = sale["unit"]
    if rng.random() < 0.2:
        unit = 1 + (unit + below(rng, 2)) % 3
    at = sale["at"] + 800 + below(rng, 9_000)
    return {**sale, "at": at, "unit": unit, "by": SELLERS[unit][below(rng, len(SELLERS[unit]))]}


def void(rng, sale):
    """Taken back within a quarter of an hour, and on the same side of the early-bird seal."""
    end = EARLY_BIRD if sale["at"] < EARLY_BIRD else CLOSES
    first, last = sale["at"] + 20_000, min(sale["at"] + 15 * MINUTE, end - 1000)
    at = first + below(rng, last - first)
    by = SUPERVISORS[below(rng, len(SUPERVISORS))]
    return {"kind": "void", "at": at, "order": sale["order"], "reason": pick(rng, REASONS), "by": by}


def night(seed):
    rng = random.Random(seed)
    sales = list(orders(rng))
    voidable = [sale for sale in sales if not EARLY_BIRD - 30_000 < sale["at"] < EARLY_BIRD and sale["at"] < CLOSES - 30_000]
    lines = sales + [retry(rng, sale) for sale in some(rng, sales, RETRIES)]
    lines += [void(rng, sale) for sale in some(rng, voidable, VOIDS)]
    return sorted(lines, key=lambda line: line["at"])  # stable: of one time, sales stand before voids


def main():
    writer = csv.DictWriter(sys.stdout, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for line in night(20261114):
        writer.writerow({**line, "at": rfc3339(line["at"])})


if __name__ == "__main__":
    main()
