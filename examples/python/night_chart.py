#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# %% [markdown]
# # A night in cells
#
# Sells a rehearsal's night minute by minute, draws it, and plots its sales. The cells run one by one where the editor knows `# %%`, or all at once:
#
#     python3 night_chart.py FOLDER

# %% The raffle, with a clock that we set
import collections
import datetime
import pathlib
import random
import sys

import raffle

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
opens = datetime.datetime(2026, 11, 15, 1, 0, tzinfo=datetime.timezone.utc)


class Clock(raffle.Host):
    replayed_clock = True
    now = opens

    def clock(self) -> datetime.datetime:
        return self.now


clock = Clock()
ann, boss = raffle.Actor("ann", raffle.Role.SELLER), raffle.Actor("boss", raffle.Role.MANAGER)
rules = {
    "origin": "raffle.example/night-chart", "name": "Night in cells", "organisation": "Northside Minor Hockey", "currency": "CAD", "rehearsal": True, "rng": ["test"],
    "sales": {"opens": "2026-11-15T01:00:00.000Z", "closes": "2026-11-15T04:00:00.000Z"},
    "tiers": [{"name": "3-for-5", "count": 3, "price": 500}, {"name": "15-for-10", "count": 15, "price": 1000}, {"name": "60-for-20", "count": 60, "price": 2000}],
    "prizes": [{"name": "fifty-fifty", "title": "Half of the pot", "share": 5000, "alternates": 2}],
}
night = raffle.Raffle.create(folder / "night_chart.raffle", rules, boss, host=clock)
till = night.unit_open(1)

# %% Three hours of sales, the most of them in the intermissions
chance = random.Random(7)
for minute in range(180):
    clock.now = opens + datetime.timedelta(minutes=minute)
    orders = chance.randint(2, 8) + 40 * (45 <= minute < 63 or 110 <= minute < 128)
    tiers = chance.choices([tier.name for tier in night.tiers()], [5, 3, 2], k=orders)
    till.sell_columns(ann, orders, tier=tiers, order=[f"{minute}-{i}" for i in range(orders)])
print(f"{night.describe().tickets:,} tickets, pot {night.describe().pot / 100:,.2f} CAD")

# %% The draw
clock.now = opens + datetime.timedelta(hours=3)
seal = night.seal(boss, raffle.SealKind.FINAL)
night.voids_ack(boss, seal.index)
with raffle.Rng.open("test:seed=07") as rng, night.draw_begin(boss, "fifty-fifty") as draw:
    draw.finish(rng)
for pick in night.picks("fifty-fifty"):
    print(f"place {pick.place}: {raffle.number_format(pick.unit, pick.number)}")

# %% Money a minute, from the log's own records
taken: "collections.Counter[int]" = collections.Counter()
for record in night.records(1):
    sale = record.json()
    if sale["t"] == "sale":
        at = datetime.datetime.strptime(sale["at"], "%Y-%m-%dT%H:%M:%S.%f%z")
        taken[(at - opens) // datetime.timedelta(minutes=1)] += sale["price"]

# %% The chart: an SVG by hand, bars for each minute and a line for all that was taken so far
WIDTH, HEIGHT, LEFT, BOTTOM = 760, 300, 60, 40
most, whole = max(taken.values()), sum(taken.values())


def x(minute: float) -> float:
    return LEFT + minute * (WIDTH - LEFT - 60) / 180


def y(part: float) -> float:
    return HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - 30)


bars = "".join(f'<rect x="{x(m):.1f}" y="{y(v / most):.1f}" width="{x(1) - x(0) - 0.5:.1f}" height="{y(0) - y(v / most):.1f}"/>' for m, v in sorted(taken.items()))
line, so_far = "", 0
for minute in range(180):
    so_far += taken[minute]
    line += f"{x(minute + 1):.1f},{y(so_far / whole):.1f} "
hours = "".join(f'<text x="{x(m):.0f}" y="{HEIGHT - 20}" text-anchor="middle">{(opens + datetime.timedelta(minutes=m)):%H:%M}</text>' for m in range(0, 181, 30))
(folder / "night_chart.svg").write_text(f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<title>Sales of the night: {whole / 100:,.2f} CAD</title>
<text x="{LEFT}" y="16">CAD a minute (bars, at most {most / 100:,.2f}) and in all (line, {whole / 100:,.2f}); UTC</text>
<g fill="#7a9cc6">{bars}</g>
<polyline fill="none" stroke="#b5482a" stroke-width="2" points="{line}"/>
<line x1="{LEFT}" y1="{y(0)}" x2="{x(180)}" y2="{y(0)}" stroke="black"/>
{hours}
</svg>
""", encoding="utf-8")
till.free()
night.free()
