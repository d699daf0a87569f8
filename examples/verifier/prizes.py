# SPDX-License-Identifier: Apache-2.0
"""What a prize is worth: docs/spec/prizes.md. Amounts are kept in ten-thousandths of a minor unit, which holds every share exactly."""
from canonical_json import INT_MAX

PART = 10000


def pot_of(rule, rules, seal):
    """Of a seal, for a prize: all that was sold, or what the tiers that the prize enters brought."""
    if rule.get("pot") != "entered":
        return seal.record["gross"] - seal.record["void_gross"]
    return sum(tier["price"] * (count["tickets"] - count["voids"]) for said in seal.run
               for tier, count in zip(rules["tiers"], said.record["tiers"]) if tier["name"] in rule["tiers"])


def worth(rule, pot, passed):
    """The value of a prize, and what is above its cap."""
    total = pot * rule["share"] if "share" in rule else rule.get("amount", 0) * PART
    total = min(total + (rule.get("start", 0) + rule.get("carry", 0) + passed) * PART, INT_MAX * PART)
    total = max(total, rule.get("minimum", 0) * PART)
    overflow = 0
    if "cap" in rule and total > rule["cap"] * PART:
        overflow, total = (total - rule["cap"] * PART) // PART, rule["cap"] * PART
    step = rule.get("round_to", 1) * PART
    up = {"down": 0, "up": step - 1, "nearest": step // 2}[rule.get("round", "down")]
    value = (total + up) // step * (step // PART)
    return (value if value <= INT_MAX else value - step // PART), overflow


def each_of(rules, seals, index):
    """What a winner of prize `index` gets; `seals`: those that the prizes were drawn from. A redraw's is that of the first draw. Prizes that pass on to it are drawn; others before
    it need not be: a redraw that nobody needs never is."""
    passed = value = 0
    prizes = rules["prizes"]
    while "redraw_of" in prizes[index]:
        index = next(i for i, rule in enumerate(prizes) if rule["name"] == prizes[index]["redraw_of"])
    start = index
    while start > 0 and prizes[start - 1].get("above") == "next":
        start -= 1
    for rule, seal in zip(prizes[start:index + 1], seals[start:]):
        value, passed = worth(rule, pot_of(rule, rules, seal), passed)
    return value // prizes[index]["winners"]
