# SPDX-License-Identifier: Apache-2.0
"""What the makers of records share: a raffle for them, its times, and chance that errs now and then."""
import datetime
import hashlib
import random

import forge
import records

OPENS = records.milliseconds("2023-09-15T09:00:00.000Z")
CLOSES = OPENS + 90 * 60000
DAY = 86400000
NO_HASH = "0" * 64
MAKERS = [forge.Key(f"maker.example/{name}", hashlib.sha256(name.encode()).digest()).vkey for name in ("a", "b", 'c"\\')]
MAKERS.append(forge.Witness("maker.example/d", hashlib.sha256(b"d").digest()).vkey)  # a key for something else
QUOTED = 'host:a"b\\c'  # a text that a record escapes
EXTREMES = (-1, 0, 1, 65535, 65536, 2**40 - 1, 2**40, 2**53 - 2, 2**53 - 1)


def moment(ms):
    when = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def rules(prizes, buyer_tickets=None, **more):
    """As `raffle create` takes them."""
    return {"origin": "raffle.example/fold", "name": "Fold", "organisation": "Society", "currency": "CAD", "rehearsal": True, "rng": ["test", "system", QUOTED],
            "sales": {"opens": moment(OPENS), "closes": moment(CLOSES), **({"buyer_tickets": buyer_tickets} if buyer_tickets else {})}, "keep_years": 3,
            "tiers": [{"name": "one", "count": 1, "price": 300}, {"name": "ten", "count": 10, "price": 2000}], "prizes": prizes, **more}


class Chance(random.Random):
    """Every choice of a run comes from its seed."""

    def often(self, chance):
        return self.random() < chance

    def near(self, value, low=0):
        """The value; seldom another one beside it."""
        return value if self.often(0.93) else max(low, value + self.choice((-1, 1, 5)))

    def weighed(self, weights):
        """One of the names, each as often as its weight says."""
        return self.choices(list(weights), list(weights.values()))[0]

    def damage(self, record):
        """Seldom a member is missing, or as large or small as can be."""
        if self.often(0.99):
            return record
        name = self.choice(sorted(set(record) - {"t"}))
        if type(record[name]) is int and self.often(0.5):
            return {**record, name: self.choice(EXTREMES)}
        return {key: value for key, value in record.items() if key != name}
