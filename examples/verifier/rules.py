# SPDX-License-Identifier: Apache-2.0
"""The frozen rules in raffle.open: their members, kinds and bounds (docs/spec/records.md, The frozen rules; docs/guide/rules.md)."""
import re

from faults import Fault
from policy import Policy
from records import ROLES, is_int, is_text, is_word, milliseconds

ORIGIN = re.compile("[a-z0-9.-]+(/[a-z0-9._-]+)*")
OPERATIONS = {"ack", "approve", "claim", "clock", "close", "draw", "erase", "event", "forfeit", "seal", "sell", "units", "verify", "void"}
AMOUNT = 10**12


def need(good, what):
    if not good:
        raise Fault("open", f"the rules' {what} is not as it must be")


def members(value, must, may, what):
    need(isinstance(value, dict) and must <= set(value) <= must | may, what)


def listed(value, low, high, what):
    need(isinstance(value, list) and low <= len(value) <= high, what)
    return value


def check_sales(sales):
    members(sales, {"opens", "closes", "order_tickets"}, set(), "sales")
    opens, closes = milliseconds(sales["opens"]), milliseconds(sales["closes"])
    need(opens is not None and closes is not None and opens < closes and is_int(sales["order_tickets"], 1, 1000), "sales")


def check_tier(tier):
    members(tier, {"name", "count", "price"}, set(), "tier")
    need(is_word(tier["name"]) and is_int(tier["count"], 1, 10**6) and is_int(tier["price"], 0, AMOUNT), "tier")


def check_prize(prize, tiers, beacon):
    members(prize, {"name", "title", "seal", "tiers", "winners", "alternates", "one_win", "claim_days", "seed", "beacon_delay"}, {"amount", "share"}, "prize")
    committed = prize["seed"] == "committed"
    need(is_word(prize["name"]) and is_text(prize["title"], 1, 64) and prize["seal"] in ("early", "final") and prize["one_win"] in ("none", "number", "ticket"), "prize")
    need(is_int(prize["winners"], 1, 10**5) and is_int(prize["alternates"], 0, 10**5) and is_int(prize["claim_days"], 0, 3650), "prize")
    need(prize["seed"] in ("random", "committed") and is_int(prize["beacon_delay"], 60 if committed else 0, 604800 if committed else 0), "prize")
    need((not committed or beacon == "quicknet") and not ("amount" in prize and "share" in prize), "prize")
    need(is_int(prize.get("amount", 0), 0, AMOUNT) and is_int(prize.get("share", 0), 0, 10000), "prize")
    entered = listed(prize["tiers"], 1, 64, "prize")
    need(entered == [name for name in tiers if name in entered], "prize")


def check_zone(zone):
    last = -1
    for entry in listed(zone, 0, 16, "zone"):
        members(entry, {"from", "offset"}, set(), "zone")
        at = milliseconds(entry["from"])
        need(at is not None and at > last and is_int(entry["offset"], -1080, 1080), "zone")
        last = at


def check_roles(roles):
    members(roles, OPERATIONS, set(), "roles")
    for allowed in roles.values():
        need(isinstance(allowed, list) and allowed == [role for role in ROLES if role in allowed], "roles")


def check_unit(unit):
    members(unit, {"name", "quota"}, set(), "unit")
    need(is_text(unit["name"], 1, 64) and is_int(unit["quota"]), "unit")


def check(rules):
    """Raises Fault for rules that no raffle can have."""
    members(rules, {"beacon", "currency", "digits", "name", "organisation", "origin", "prizes", "rehearsal", "rng", "roles", "sales", "tiers", "units", "witnesses", "zone"},
            {"licence", "place"}, "members")
    origin = rules["origin"]
    need(isinstance(origin, str) and len(origin) <= 200 and ORIGIN.fullmatch(origin) and "unit" not in origin.split("/"), "origin")
    need(all(is_text(rules[name], 1, 64) for name in ("name", "organisation", "licence", "place") if name in rules), "texts")
    need(isinstance(rules["currency"], str) and re.fullmatch("[A-Z]{3}", rules["currency"]) and is_int(rules["digits"], 0, 4), "currency")
    need(isinstance(rules["rehearsal"], bool) and rules["beacon"] in ("none", "quicknet"), "beacon")
    check_sales(rules["sales"])
    for tier in listed(rules["tiers"], 1, 64, "tiers"):
        check_tier(tier)
    tiers = [tier["name"] for tier in rules["tiers"]]
    for prize in listed(rules["prizes"], 1, 256, "prizes"):
        check_prize(prize, tiers, rules["beacon"])
    seals = [prize["seal"] for prize in rules["prizes"]]
    need(seals == sorted(seals) and sum(prize["winners"] + prize["alternates"] for prize in rules["prizes"]) <= 10**5, "prizes")
    for unit in listed(rules["units"], 0, 256, "units"):
        check_unit(unit)
    for names in (tiers, [prize["name"] for prize in rules["prizes"]], [unit["name"] for unit in rules["units"]]):
        need(len(set(names)) == len(names), "names")
    for name in listed(rules["rng"], 1, 8, "rng"):
        need(is_text(name, 1, 64) and (name != "test" or rules["rehearsal"]), "rng")
    check_roles(rules["roles"])
    check_zone(rules["zone"])
    if rules["witnesses"] != "none":
        need(all(isinstance(line, str) for line in listed(rules["witnesses"], 2, 65, "witnesses")), "witnesses")
        try:
            Policy(rules["witnesses"])
        except ValueError as error:
            raise Fault("open", str(error)) from None
