# SPDX-License-Identifier: Apache-2.0
"""The frozen rules in raffle.open (docs/spec/records.md and docs/guide/rules.md): that they are complete, within their bounds and in their
frozen form, and what else is asked of them."""
import re

from canonical_json import INT_MAX, Malformed, encode
from policy import Policy
from records import A_WORD, ROLES, boolean, check_members, integer, json_object, milliseconds, one_of, pattern, text, time

BYTES_MAX = 60000
MONEY_MAX = 10**12
NUMBER_MAX = 1000000  # draw numbers of a ticket
PLACES_MAX = 100000
OPERATIONS = ("ack", "approve", "claim", "clock", "close", "draw", "erase", "event", "forfeit", "seal", "sell", "units", "verify", "void")
# Of those that came later: missing in the rules while they are the default.
LATER = {"cash": ["supervisor", "manager"], "print": ["seller", "supervisor", "manager", "system"], "reprint": ["supervisor", "manager"],
         "restore": ["manager", "administrator"]}
ORIGIN = re.compile(r"[a-z0-9.-]+(/[a-z0-9._-]+)*")


def origin(value):
    if not isinstance(value, str) or not ORIGIN.fullmatch(value) or len(value) > 200 or "unit" in value.split("/"):
        raise Malformed(f"{value!r} is no origin")


def true(value):
    if value is not True:
        raise Malformed(f"{value!r} is not true")


def array(low, high, kind):
    def check(value):
        if not isinstance(value, list) or not low <= len(value) <= high:
            raise Malformed(f"no array of {low} to {high}")
        for inner in value:
            kind(inner)
    return check


def members(required, optional=None):
    def check(value):
        json_object(value)
        check_members(value, required, optional or {})
    return check


def in_order(value):
    """Roles, each at most once, in the order of the kind's list."""
    array(1, len(ROLES), one_of(*ROLES))(value)
    if value != [role for role in ROLES if role in value]:
        raise Malformed("the roles are not in their order")


def witnesses(value):
    if value != "none":
        Policy(value)


TIER = members({"count": integer(1, NUMBER_MAX), "name": A_WORD, "price": integer(0, MONEY_MAX)})
PRIZE = members({
    "alternates": integer(0, PLACES_MAX), "beacon_delay": integer(0, 604800), "claim_days": integer(0, 3650), "name": A_WORD,
    "one_win": one_of("none", "number", "ticket"), "seal": one_of("early", "final"), "seed": one_of("random", "committed"),
    "tiers": array(1, 64, A_WORD), "title": text(64), "winners": integer(1, PLACES_MAX),
}, {
    "above": one_of("keep", "carry", "next"), "ace": integer(1, 54), "must_go": true, "amount": integer(0, MONEY_MAX), "cap": integer(0, MONEY_MAX), "carry": integer(0, MONEY_MAX),
    "carry_from": origin, "draw": one_of("drum"), "minimum": integer(0, MONEY_MAX), "papers_above": integer(0, MONEY_MAX), "pot": one_of("all", "entered"), "redraw_of": A_WORD, "round": one_of("down", "up", "nearest"),
    "round_to": integer(1, MONEY_MAX), "share": integer(0, 10000), "start": integer(0, MONEY_MAX),
})
RULES = members({
    "beacon": one_of("none", "quicknet"), "currency": pattern("[A-Z]{3}", "no currency"), "digits": integer(0, 4), "name": text(64),
    "organisation": text(64), "origin": origin, "prizes": array(1, 256, PRIZE), "rehearsal": boolean, "rng": array(0, 8, text(64)),
    "roles": members({operation: in_order for operation in OPERATIONS}, {operation: in_order for operation in LATER}),
    "sales": members({"closes": time, "opens": time, "order_tickets": integer(1, 1000)}, {"buyer_tickets": integer(1, 1000000)}), "tiers": array(1, 64, TIER),
    "units": array(0, 256, members({"name": text(64), "quota": integer(0, INT_MAX)})), "witnesses": witnesses,
    "zone": array(0, 16, members({"from": time, "offset": integer(-1080, 1080)})),
}, {
    "keep_years": integer(3, 100), "licence": text(64), "place": text(64), "series": members({"name": text(64), "number": integer(1, 1000000)}),
    "watch": members({"failures": integer(1, 1000), "minutes": integer(1, 10080)}),
})


def distinct(values, what):
    if len(set(values)) != len(values):
        raise Malformed(f"two {what} have one name")


def is_money(prize):
    return any(name in prize for name in ("amount", "share", "start", "carry", "minimum"))


def check_money(prize, rules):
    step, name = prize.get("round_to", 1), prize["name"]
    if not is_money(prize) and any(member in prize for member in ("above", "cap", "round", "round_to")):
        raise Malformed(f"prize {name} is no money")
    if ("pot" in prize and "share" not in prize) or ("above" in prize and "cap" not in prize):
        raise Malformed(f"prize {name} has a pot and no share, or an above and no cap")
    if "cap" in prize and prize.get("minimum", 0) > prize["cap"]:
        raise Malformed(f"the minimum of prize {name} is above its cap")
    if prize.get("cap", 0) % step or prize.get("minimum", 0) % step:
        raise Malformed(f"the minimum or the cap of prize {name} is no multiple of its round_to")
    if ("carry" in prize) != ("carry_from" in prize) or prize.get("carry_from") == rules["origin"]:
        raise Malformed(f"the carry of prize {name} comes from no other raffle")
    if ("must_go" in prize and "ace" not in prize) or ("ace" in prize and (prize["winners"] != 1 or not is_money(prize))):
        raise Malformed(f"prize {name} must go without an ace, or has one and is not money for one winner")
    following = rules["prizes"][rules["prizes"].index(prize) + 1:]
    if prize.get("above") == "next" and not (following and is_money(following[0])):
        raise Malformed(f"what is above the cap of prize {name} has nowhere to go")


def check_redraw(prize, rules):
    first = next((other for other in rules["prizes"][:rules["prizes"].index(prize)] if other["name"] == prize["redraw_of"]), None)
    if first is None:
        raise Malformed(f"prize {prize['name']} is the redraw of no earlier prize")
    if any(prize[member] != first[member] for member in ("seal", "tiers")):
        raise Malformed(f"the redraw {prize['name']} has another seal or other tiers than the first draw")
    if prize["winners"] != 1 or is_money(prize) or "ace" in prize or "ace" in first:
        raise Malformed(f"the redraw {prize['name']} has money, more than one winner, or an ace")


def check_prize(prize, rules, tiers):
    if prize["tiers"] != [tier for tier in tiers if tier in prize["tiers"]]:
        raise Malformed(f"the tiers of prize {prize['name']} are not some of the rules', in their order")
    if "amount" in prize and "share" in prize:
        raise Malformed(f"prize {prize['name']} has an amount and a share")
    check_money(prize, rules)
    if "redraw_of" in prize:
        check_redraw(prize, rules)
    committed = prize["seed"] == "committed"
    if committed and "draw" in prize:
        raise Malformed(f"prize {prize['name']} is drawn from a drum, and committed")
    if committed and rules["beacon"] == "none":
        raise Malformed(f"prize {prize['name']} is committed, and there is no beacon")
    if (prize["beacon_delay"] >= 60) != committed or (not committed and prize["beacon_delay"] != 0):
        raise Malformed(f"the beacon_delay of prize {prize['name']} does not fit its seed")


def check(rules):
    """Raises Malformed unless these are frozen rules."""
    RULES(rules)
    if len(encode(rules)) > BYTES_MAX:
        raise Malformed(f"the rules have more than {BYTES_MAX} bytes")
    if milliseconds(rules["sales"]["opens"]) >= milliseconds(rules["sales"]["closes"]):
        raise Malformed("sales close before they open")
    if not rules["rng"] and not all("draw" in prize for prize in rules["prizes"]):
        raise Malformed("no provider is named, and not every prize is drawn from a drum")
    if any(rules["roles"].get(operation) == roles for operation, roles in LATER.items()):
        raise Malformed("the roles of an operation that came later are the default, and written")
    if "test" in rules["rng"] and not rules["rehearsal"]:
        raise Malformed("the provider test is for rehearsals")
    tiers = [tier["name"] for tier in rules["tiers"]]
    distinct(tiers, "tiers")
    distinct([prize["name"] for prize in rules["prizes"]], "prizes")
    distinct([unit["name"] for unit in rules["units"]], "units")
    for prize in rules["prizes"]:
        check_prize(prize, rules, tiers)
    seals = [prize["seal"] for prize in rules["prizes"]]
    if seals != sorted(seals):
        raise Malformed("a prize of the early seal follows one of the final seal")
    if sum(prize["winners"] + prize["alternates"] for prize in rules["prizes"]) > PLACES_MAX:
        raise Malformed(f"the prizes have more than {PLACES_MAX} places")
    froms = [milliseconds(entry["from"]) for entry in rules["zone"]]
    if any(later <= earlier for earlier, later in zip(froms, froms[1:])):
        raise Malformed("the zone's entries are not in order")


def roles_of(rules, operation):
    return rules["roles"].get(operation, LATER.get(operation))


def allows_provider(rules, provider):
    """A provider that the rules name: by its whole name; or a key store by its region, a token by its label or its serial number alone."""
    return any(covers(named, provider) for named in rules["rng"])


def covers(named, provider):
    if named == provider:
        return True
    kind, colon, rest = provider.partition(":")
    first, slash, last = rest.partition("/")
    if not colon or not slash or "/" in kind or "@" in provider or kind == "host":
        return False
    return named == f"{kind}:{first}" or (kind == "pkcs11" and named == f"pkcs11:/{last}")
