# SPDX-License-Identifier: Apache-2.0
"""A raffle without any RNG, by the command: counterfoils, a drum draw with rejected numbers, claims, reports and the audit."""
import json
import os
import subprocess
import sys

RAFFLE = os.environ["RAFFLE"]
BOSS, CHIEF, SUE, ANN = "boss:manager", "chief:manager", "sue:supervisor", "ann:seller"
passed = 0


def check(value, what):
    global passed
    assert value, what
    passed += 1


def run(*args, by=BOSS, fails=None, stdin=None):
    answer = subprocess.run([RAFFLE, *args, "--by", by, "--json"], capture_output=True, text=True, input=stdin)
    if fails is not None:
        check(answer.returncode == 1 and json.loads(answer.stdout or answer.stderr)["error"]["rc"] == fails, f"{args}: {answer.returncode} {answer.stderr}")
        return None
    check(answer.returncode == 0, f"{args}: {answer.returncode} {answer.stderr}")
    return answer.stdout


def answer(*args, **how):
    return json.loads(run(*args, **how))


rules = {"origin": "raffle.example/drum", "name": "Drum night", "organisation": "Society", "currency": "CAD", "rehearsal": True, "place": "Northside Arena",
         "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2090-01-01T00:00:00.000Z"},
         "tiers": [{"name": "three", "count": 3, "price": 500}],
         "prizes": [{"name": "quilt", "draw": "drum", "alternates": 1}, {"name": "half", "draw": "drum", "share": 5000}]}
with open("rules.json", "w") as out:
    json.dump(rules, out)
run("create", "drum.raffle", "--rules", "rules.json")
for order in "abcd":
    run("sell", "drum.raffle", "--unit", "1", "--tier", "three", "--order", order, by=ANN)

# Ticket 1/2 is void before its counterfoils go to print, ticket 1/3 after it: three of them are to be taken out of the drum.
run("void", "drum.raffle", "--ticket", "1/2", "--reason", "refund", by=SUE)
check(answer("print", "drum.raffle", "1", "9", by=ANN) == {"unit": 1, "first": 1, "count": 9}, "the first nine")
run("void", "drum.raffle", "--ticket", "1/3", "--reason", "misprint", by=SUE)
run("print", "drum.raffle", "1", by=ANN)
run("print", "drum.raffle", "1", by=ANN, fails="RAFFLE_EMPTY")
foils = [json.loads(line) for line in run("counterfoils", "drum.raffle", "1").splitlines()]
states = [foil["state"] for foil in foils]
check(states == ["printed"] * 3 + ["void"] * 3 + ["void, in the drum"] * 3 + ["printed"] * 3, states)
out = [json.loads(line)["number"] for line in run("counterfoils", "drum.raffle", "1", "--in-drum").splitlines()]
check(out == ["1-0000007", "1-0000008", "1-0000009"], out)
run("reprint", "drum.raffle", "--number", "1-0000001", "--reason", "torn", by=SUE, fails="RAFFLE_APPROVAL")
run("reprint", "drum.raffle", "--number", "1-0000001", "--reason", "torn", "--ok", BOSS, by=SUE)
run("reprint", "drum.raffle", "--ticket", "1/4", "--reason", "lost", "--ok", BOSS, by=SUE)
for ticket, again in (("1/4", True), ("1/1", False)):
    check([one["reprinted"] for one in answer("ticket", "drum.raffle", "--ticket", ticket)["tickets"]] == [again], ticket)
    for form in ("text", "html"):
        paper = subprocess.run([RAFFLE, "ticket", "drum.raffle", "--ticket", ticket, "--format", form], capture_output=True, text=True).stdout
        check(("REPRINT: this ticket was printed before" in paper) == again and "price" in paper, f"{ticket} as {form}")
text = subprocess.run([RAFFLE, "counterfoils", "drum.raffle", "1", "--count", "1"], capture_output=True, text=True).stdout
check("Northside Arena" in text and "reprinted" in text and "5.00 CAD" in text, text)

# The draw: each number that is called is answered, and a draw goes on where it was left.
run("draw", "drum.raffle", "quilt", "--begin", fails="RAFFLE_NOT_SEALED")
run("seal", "drum.raffle")
run("ack", "drum.raffle")
begun = answer("draw", "drum.raffle", "quilt", "--begin")
check(begun["intent"]["draw_numbers"] == 12, begun)
calls = answer("draw", "drum.raffle", "quilt", "--manual", "1-0000013", "1-0000005", "1-0000002")["calls"]
check([(c["outcome"], c["place"]) for c in calls] == [("unsold", 0), ("void", 0), ("taken", 1)], calls)
run("draw", "drum.raffle", "quilt", "--manual", "1-x", fails="RAFFLE_INVALID")
check(subprocess.run([RAFFLE, "draw", "drum.raffle", "quilt", "--rng", "system:", "--by", BOSS], capture_output=True).returncode == 2, "no RNG here")
check(subprocess.run([RAFFLE, "draw", "drum.raffle", "quilt", "1-0000001", "--by", BOSS], capture_output=True).returncode == 2, "--manual is missing")
run("draw", "drum.raffle", "half", "--manual", fails="RAFFLE_DRAW_OPEN")
ended = run("draw", "drum.raffle", "quilt", "--manual", "1-0000002", "1-0000003", "1-0000011").splitlines()
check('"taken"' in "".join(ended) and '"barred"' in "".join(ended) and '"again"' in "".join(ended), ended)
run("draw", "drum.raffle", "half", "--manual", "1-0000001", "1-0000010")
status = json.loads(subprocess.run([RAFFLE, "status", "drum.raffle", "--json"], capture_output=True, text=True).stdout)
places = {prize["name"]: [(place["number"], place["state"]) for place in prize["places"]] for prize in status["prizes"]}
check(places["quilt"] == [("1-0000002", "drawn"), ("1-0000011", "alternate")], places)
check(places["half"] == [("1-0000010", "drawn")], places)  # 1/1 has won already; 1/4's alternate place does not bar it

# The winner's way, the reports, the audit.
validation = next(foil["validation"] for foil in foils if foil["number"] == "1-0000002")
run("verify-winner", "drum.raffle", "quilt", "--validation", "-", by=SUE, stdin=validation + "\n")
run("official", "drum.raffle", "quilt", by=SUE)
run("claim", "drum.raffle", "quilt", "--validation", "-", "--ok", BOSS, by=SUE, stdin=validation + "\n")
report = json.loads(subprocess.run([RAFFLE, "report", "drum.raffle", "drawing", "--format", "json"], capture_output=True, text=True, check=True).stdout)
check("claimed" in json.dumps(report) and "1-0000010" in json.dumps(report), report)
exceptions = subprocess.run([RAFFLE, "report", "drum.raffle", "exceptions", "--format", "csv"], capture_output=True, text=True, check=True).stdout
check(exceptions.count("reprint") >= 2, exceptions)
audit = subprocess.run([RAFFLE, "audit", "drum.raffle", "--json"], capture_output=True, text=True)
found = json.loads(audit.stdout)
check(audit.returncode == 0 and found["faults"] == [], audit.stdout)
check([(line["provider"], line["assurance"], line["skipped"]) for line in found["draws"]] == [("drum", "operator-trusted", 4), ("drum", "operator-trusted", 1)], found["draws"])
subprocess.run([sys.executable, os.path.join(os.environ["RAFFLE_SOURCE"], "tests", "integration", "schema.py"), "drum.raffle"], check=True)
print(f"{passed} checks passed")
