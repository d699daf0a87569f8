# SPDX-License-Identifier: Apache-2.0
"""Makes raffle.open records whose rules differ from good ones in a place or two: a member that is missing, added, of another value, or of another place."""
import copy

from chance import EXTREMES

# What members of rules may be, at home and elsewhere.
VALUES = {
    "above": ("keep", "carry", "next", "x"), "ace": (0, 1, 54, 55), "alternates": (0, 99999, 100000, 100001), "amount": (0, 5, 10**12, 10**12 + 1), "beacon": ("none", "quicknet", "x"),
    "beacon_delay": (0, 59, 60, 604800, 604801), "buyer_tickets": (0, 1, 1000000, 1000001), "cap": (0, 10, 95, 200), "carry": (0, 5), "carry_from": ("raffle.example/else", "raffle.example/fold", "Not An Origin"),
    "claim_days": (0, 3650, 3651), "closes": ("2023-09-15T10:30:00.000Z", "1969-01-01T00:00:00.000Z", "2023-02-30T00:00:00.000Z"), "count": (0, 1, 1000000, 1000001),
    "currency": ("CAD", "cad", "CA", "ÇAD"), "digits": (0, 4, 5), "draw": ("drum", "x"), "failures": (0, 1, 1000, 1001), "from": ("2023-01-01T00:00:00.000Z", "2024-01-01T00:00:00.000Z"),
    "keep_years": (2, 3, 100, 101), "licence": ("", "x", "é" * 32, "é" * 33), "minimum": (0, 10, 20, 1000), "minutes": (0, 1, 10080, 10081), "must_go": (True, False), "name": ("", "one", "ten", "a-b", "-a", "A b", "x" * 32, "x" * 33, "x" * 64, "x" * 65),
    "number": (0, 1, 1000000, 1000001), "offset": (-1081, -1080, 0, 1080, 1081), "one_win": ("none", "number", "ticket", "x"), "opens": ("2023-09-15T09:00:00.000Z", "2023-09-15T10:30:00.000Z"),
    "order_tickets": (0, 1, 1000, 1001), "organisation": ("x", "a\tb", "x" * 65), "origin": ("raffle.example/fold", "raffle.example/unit/1", "x" * 201, "a//b", "A/b"), "papers_above": (0, 400),
    "place": ("x", ""), "pot": ("all", "entered", "x"), "price": (0, 10**12, 10**12 + 1), "prizes": ([],), "quota": (0, 5, 2**53 - 1), "redraw_of": ("bird", "drum", "first", "many", "none"), "rehearsal": (True, False),
    "restore": (["manager"], ["manager", "administrator"]), "cash": (["supervisor"], ["supervisor", "manager"]), "print": ([], ["seller"]), "reprint": (["manager"], ["supervisor", "manager"]),
    "rng": ([], ["test"], ["kms:ca-central-1"], ["x" * 65], ["a"] * 8, ["a"] * 9), "round": ("down", "up", "nearest", "x"), "round_to": (0, 1, 5, 100, 10**12), "seal": ("early", "final", "x"), "seed": ("random", "committed", "x"),
    "series": ({"name": "s", "number": 1}, {"name": "s"}), "share": (0, 5000, 10000, 10001), "start": (0, 5), "tiers": ([], ["ten"], ["one", "ten"], ["ten", "one"], ["one", "one"]), "title": ("x", ""),
    "units": ([], [{"name": "web", "quota": 0}], [{"name": "web", "quota": 0}] * 2), "watch": ({"failures": 3, "minutes": 60}, {"failures": 3}), "winners": (0, 1, 2, 100000, 100001), "witnesses": ("none", [], "x"),
    "zone": ([], [{"from": "2023-01-01T00:00:00.000Z", "offset": 60}], [{"from": "2023-01-01T00:00:00.000Z", "offset": 60}] * 2),
}
OF_AN_OPERATION = (["manager"], ["supervisor", "manager"], ["manager", "supervisor"], [])
ANY = (*EXTREMES, "", None, True, [], {})
ROLES = ("seller", "supervisor", "manager", "administrator", "auditor", "system", "x")


class RulesRecords:
    def __init__(self, chance, first):
        self.chance, self.first = chance, first  # a good raffle.open

    def some(self):
        record = copy.deepcopy(self.first)
        for _ in range(self.chance.choice((1, 1, 2, 2, 3))):
            self.alter(record["rules"])
        return record

    def alter(self, rules):
        chance = self.chance
        where = chance.choice(list(self.places(rules)))
        if isinstance(where, list):
            self.alter_list(where)
        elif chance.often(0.15) and where:
            del where[chance.choice(sorted(where))]
        else:
            name = chance.choice(sorted(where) if where and chance.often(0.5) else sorted(VALUES))
            values = VALUES.get(name, OF_AN_OPERATION) if chance.often(0.9) else ANY
            where[name] = copy.deepcopy(chance.choice(values))

    def alter_list(self, values):
        chance = self.chance
        if not values or chance.often(0.2):
            values.append(copy.deepcopy(chance.choice((*ROLES, *values))))
            return
        at = chance.randrange(len(values))
        if chance.often(0.3):
            del values[at]
        elif chance.often(0.5):
            values.insert(chance.randrange(len(values)), values.pop(at))
        elif not isinstance(values[at], dict):
            values[at] = chance.choice(ROLES)

    def places(self, value):
        """Every object and list of the rules."""
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            if isinstance(inner, (dict, list)):
                yield from self.places(inner)
