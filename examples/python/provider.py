#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A provider of one's own: two that the raffle trusts only together. Their bytes are mixed by exclusive or, so that the result is as good as the better one; when one of them fails, nothing
is drawn.

    python3 provider.py STORE PRIZE URI URI

The rules pin it by its name: "rng": ["host:two"]. The evidence that a draw keeps says how often each was asked.
"""
import itertools
import sys
from typing import Tuple

import raffle

BOSS = raffle.Actor("boss", raffle.Role.MANAGER)


class Two(raffle.RngTable):
    def __init__(self, first: str, second: str) -> None:
        self.providers = [raffle.Rng.open(first), raffle.Rng.open(second)]
        self.names = "+".join(provider.name for provider in self.providers)
        self.count = itertools.count(1)

    def fill(self, length: int, timeout_ms: int) -> Tuple[bytes, str]:
        first, second = (provider.fill(length, timeout_ms) for provider in self.providers)
        return bytes(a ^ b for a, b in zip(first, second)), f"{self.names} {next(self.count)}"

    def free(self) -> None:
        for provider in self.providers:
            provider.free()


def main() -> None:
    store, prize, first, second = sys.argv[1:]
    with raffle.Raffle.open(store) as r, raffle.Rng.new("host:two", Two(first, second)) as rng:
        print(f"{rng.name}: {rng.fill(16).hex()}")
        with r.draw_begin(BOSS, prize, rng=rng) as draw:
            draw.finish(rng)
        for pick in r.picks(prize):
            print(f"place {pick.place}: draw number {raffle.number_format(pick.unit, pick.number)}")


if __name__ == "__main__":
    main()
