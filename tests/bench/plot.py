#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the curves of `scale`: plot.py FILE.json … > curves.svg. Rounds of one point count by their median; other libraries are not needed."""
import json
import math
import statistics
import sys

WIDTH, HEIGHT, LEFT, TOP, BOTTOM, GAP = 420, 300, 62, 44, 46, 30
COLOURS = ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#76b7b2"]


def read(names):
    """{store: {units: {clients: median of sales a second}}}"""
    samples = {}
    for name in names:
        with open(name, encoding="utf-8") as lines:
            for line in lines:
                p = json.loads(line)
                samples.setdefault(p["store"], {}).setdefault(p["units"], {}).setdefault(p["clients"], []).append(p["per_second"])
    return {store: {units: {clients: statistics.median(v) for clients, v in points.items()} for units, points in curves.items()} for store, curves in samples.items()}


def text(x, y, what, anchor="middle", size=12, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{more}>{what}</text>'


class Panel:
    """One store: clients across, sales a second upwards, both by logarithm."""

    def __init__(self, left, title, curves, clients, low, high):
        self.left, self.title, self.curves, self.clients, self.low, self.high = left, title, curves, clients, low, high

    def x(self, clients):
        return self.left + LEFT + math.log(clients) / math.log(max(self.clients)) * WIDTH

    def y(self, value):
        return TOP + HEIGHT - (math.log10(value) - self.low) / (self.high - self.low) * HEIGHT

    def frame(self):
        yield text(self.left + LEFT + WIDTH / 2, TOP - 22, self.title, size=15)
        yield text(self.left + LEFT + WIDTH / 2, TOP + HEIGHT + 38, "clients, each selling one order after the other")
        for clients in self.clients:
            yield f'<line x1="{self.x(clients):.1f}" y1="{TOP}" x2="{self.x(clients):.1f}" y2="{TOP + HEIGHT}" stroke="#ddd"/>'
            yield text(self.x(clients), TOP + HEIGHT + 18, clients)
        for power in range(self.low, self.high + 1):
            for step in (1, 2, 5) if power < self.high else (1,):
                value = step * 10**power
                yield f'<line x1="{self.left + LEFT}" y1="{self.y(value):.1f}" x2="{self.left + LEFT + WIDTH}" y2="{self.y(value):.1f}" stroke="#ddd"/>'
                yield text(self.left + LEFT - 6, self.y(value) + 4, f"{value:,}", "end", 11)

    def curve(self, label, points, colour, dash, row):
        path = " ".join(f"{self.x(c):.1f},{self.y(v):.1f}" for c, v in sorted(points.items()))
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
        for c, v in points.items():
            yield f'<circle cx="{self.x(c):.1f}" cy="{self.y(v):.1f}" r="3" fill="{colour}"/>'
        at = TOP + 18 + 17 * row
        yield f'<line x1="{self.left + LEFT + 10}" y1="{at - 4}" x2="{self.left + LEFT + 34}" y2="{at - 4}" stroke="{colour}" stroke-width="2"{dash}/>'
        yield text(self.left + LEFT + 40, at, label, "start")

    def draw(self):
        yield from self.frame()
        for row, (label, points) in enumerate(self.curves):
            other = not label[0].isdigit()
            yield from self.curve(label, points, "#555" if other else COLOURS[row % len(COLOURS)], ' stroke-dasharray="6 4"' if other else "", row)


def curves_of(stores, store):
    curves = [(f"{units} unit" + ("s" if units > 1 else ""), points) for units, points in sorted(stores[store].items())]
    if store == "postgresql" and "hash-chain-trigger" in stores:
        curves.append(("hash chain, trigger", stores["hash-chain-trigger"][1]))
    return curves


def main():
    stores = read(sys.argv[1:])
    titles = [(store, title) for store, title in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL")) if store in stores]
    if not titles:
        sys.exit("plot.py: no points")
    every = [v for curves in stores.values() for points in curves.values() for v in points.values()]
    clients = sorted({c for curves in stores.values() for points in curves.values() for c in points})
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    width, height = len(titles) * (LEFT + WIDTH + GAP), TOP + HEIGHT + BOTTOM
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">')
    print(f'<rect width="{width}" height="{height}" fill="white"/>')
    print(text(8, 16, "durable sales a second", "start"))
    for i, (store, title) in enumerate(titles):
        for line in Panel(i * (LEFT + WIDTH + GAP), title, curves_of(stores, store), clients, low, high).draw():
            print(line)
    print("</svg>")


main()
