#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A whole raffle in PostgreSQL through the command, on a server that this starts: sold, imported, voided, sealed, drawn, audited, published; its views;
two raffles in one database; and the roles of examples/postgres/grants.sql, which the server holds to what they may do.

    RAFFLE=build/src/cli/raffle python3 tests/integration/postgres.py
"""
import json
import os
import pathlib
import subprocess
import sys

import views

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SERVER = SOURCE / "tests/servers/postgres.py"
SECOND = "raffle.example/second"
checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit(f"FAILED: {sentence}")
    checks += 1


def raffle(*arguments, status=0, says=""):
    done = subprocess.run([os.environ["RAFFLE"], *arguments], capture_output=True, text=True, check=False)
    check(done.returncode == status, f"{arguments} ends with {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    check(says in done.stdout + done.stderr, f"{arguments} does not say {says!r}: {done.stdout}{done.stderr}")
    return done.stdout


def run_sql(user, *arguments):
    return subprocess.run(["psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", uri(user), *arguments], capture_output=True, text=True, check=False)


def sql(text, user="raffle"):
    done = run_sql(user, "-c", text)
    check(done.returncode == 0, f"{text}: {done.stderr}")
    return done.stdout.splitlines()


def uri(user, origin=""):
    server = os.environ["RAFFLE_POSTGRES"]
    return server.replace("//raffle@", f"//{user}@").rsplit("/", 1)[0] + "/gala" + (f"#{origin}" if origin else "")


def night(store):
    """The raffle of views.py, and what a person asks of it."""
    views.STORE = store
    views.make()
    said = json.loads(raffle("audit", store, "--json"))["verdict"]
    check(said["integrity"] and said["completeness"], f"the audit finds fault: {said}")
    raffle("sell", store, "--tier", "ten", "--order", "order-7", "--by", "ann:seller", says="sold before")
    raffle("order", store, "order-9", "--by", "ann:seller", says="void")
    raffle("publish", store, "published")
    raffle("audit", "published")
    raffle("receipt", store, "--ticket", "1/1", "--out", "receipt")
    key = json.loads(raffle("status", store, "--json"))["raffle"]["control_key"]
    raffle("verify", "receipt", "published/control/checkpoint", "--key", key)


def as_json(value):
    """The views give keys in hexadecimal."""
    return value.hex() if isinstance(value, bytes) else value


def check_views():
    entries = []
    for line in sql("SELECT row_to_json(e) FROM raffle.entry AS e ORDER BY log, idx"):
        row = json.loads(line)
        check(json.loads(row["leaf"])["t"] == row["type"], f"the view entry: {row}")
        entries.append({**row, "json": json.loads(row["leaf"])})
    rows = views.expected(entries)
    for view, columns in views.columns_in_page().items():
        found = sorted((json.loads(line) for line in sql(f"SELECT row_to_json(v) FROM raffle.{view} AS v")), key=repr)
        wanted = sorted(({"raffle": 1, **{c: as_json(row.get(c)) for c in columns}} for row in rows[view]), key=repr)
        check(wanted and found == wanted, f"the view {view}: {found[:3]} and not {wanted[:3]}")


def second_raffle():
    rules = {**views.RULES, "origin": SECOND, "prizes": [{"name": "car"}]}
    pathlib.Path("second.json").write_text(json.dumps(rules), encoding="utf-8")
    boss = ("--by", "boss:manager")
    raffle("create", uri("raffle"), "--rules", "second.json", *boss, status=1, says="holds the raffle raffle.example/views")
    os.environ["RAFFLE_KEYS"] = "file:keys-second"
    raffle("create", uri("raffle", SECOND), "--rules", "second.json", *boss)
    raffle("status", uri("raffle"), status=1, says="raffle.example/views, " + SECOND)


def keys_read():
    """How often the index of keys was asked, and how many entries of it were read for that."""
    return [int(number) for number in sql("SELECT idx_scan, idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'key_pkey'")[0].split("|")]


def reads():
    """A session that begins with empty tables, which are never analyzed here, still finds each key by its index when there are many."""
    store = uri("raffle", "raffle.example/reads")
    pathlib.Path("reads.json").write_text(json.dumps({**views.RULES, "origin": "raffle.example/reads"}), encoding="utf-8")
    lines = ["kind,at,unit,order,tier,count,payment,buyer,channel,reason,by"]
    for i in range(1500):
        lines += [f"sale,,1,many-{i},ten,1,,,web,,ann:seller", f"void,,,many-{i},,,,,,refund,sue:supervisor"]
    pathlib.Path("reads.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.environ["RAFFLE_KEYS"] = "file:keys-reads"
    raffle("create", store, "--rules", "reads.json", "--by", "boss:manager")
    scans, entries = keys_read()
    raffle("import", store, "reads.csv", "--by", "boss:manager")
    more_scans, more_entries = keys_read()
    check(more_scans - scans >= 1500 and more_entries - entries < 10 * (more_scans - scans), f"{more_entries - entries} entries were read in {more_scans - scans} scans")


def refused(user, *statements):
    for text in statements:
        done = run_sql(user, "-c", text)
        check(done.returncode != 0 and ("permission denied" in done.stderr or "must be owner" in done.stderr), f"{user} may {text}: {done.stdout}{done.stderr}")


def roles():
    done = run_sql("raffle", "-f", str(SOURCE / "examples/postgres/grants.sql"))
    check(done.returncode == 0, f"grants.sql: {done.stderr}")
    for user, role in (("till", "raffle_seller"), ("looker", "raffle_auditor"), ("clerk", "raffle_eraser")):
        sql(f"CREATE ROLE {user} LOGIN IN ROLE {role}")
    till, looker = uri("till", SECOND), uri("looker", SECOND)
    before = sql("SELECT md5(string_agg(r::text, '' ORDER BY r)) FROM raffle.record AS r WHERE raffle = 1")
    sell = ("--tier", "ten", "--by", "ann:seller")
    raffle("sell", till, "--unit", "1", "--order", "a", "--count", "3", *sell)
    raffle("sell", till, "--unit", "2", "--order", "b", *sell)
    raffle("sell", looker, "--unit", "1", "--order", "c", *sell, status=1, says="permission denied")
    raffle("void", till, "--order", "b", "--reason", "refund", "--by", "sue:supervisor")
    refused("till", "UPDATE raffle.record SET leaf = '{}'", "UPDATE raffle.record SET private = NULL", "DELETE FROM raffle.record",
            "TRUNCATE raffle.record", "UPDATE raffle.key SET idx = 0", "DELETE FROM raffle.key", "DELETE FROM raffle.log",
            "UPDATE raffle.node SET hash = ''", "DELETE FROM raffle.node", "DELETE FROM raffle.note", "UPDATE raffle.raffle SET origin = 'x'",
            "INSERT INTO raffle.raffle VALUES (9, 'x')", "UPDATE raffle.meta SET value = '2'", "CREATE TABLE raffle.more (a int)",
            "UPDATE raffle.log SET log = 9", "ALTER TABLE raffle.record ADD COLUMN a int", "DROP TABLE raffle.record")
    refused("looker", "INSERT INTO raffle.record VALUES (2, 1, 99, '{}')", "UPDATE raffle.log SET size = 0", "DELETE FROM raffle.record")
    refused("clerk", "UPDATE raffle.record SET leaf = '{}'", "INSERT INTO raffle.record VALUES (2, 1, 99, '{}')", "DELETE FROM raffle.record")
    boss = ("--by", "boss:manager")
    raffle("seal", till, *boss)
    raffle("ack", till, *boss)
    raffle("draw", till, "car", "--rng", "test:seed=03", *boss)
    raffle("audit", looker)
    sql("UPDATE raffle.record SET private = NULL WHERE raffle = 2 AND log = 1 AND idx = 1", "clerk")
    raffle("audit", looker)
    after = sql("SELECT md5(string_agg(r::text, '' ORDER BY r)) FROM raffle.record AS r WHERE raffle = 1")
    check(before == after, "the first raffle is not as it was")


def main():
    if "RAFFLE_POSTGRES" not in os.environ:
        os.execv(sys.executable, [sys.executable, str(SERVER), "run", "--", sys.executable, __file__])
    os.environ["RAFFLE_KEYS"] = "file:keys"
    subprocess.run(["psql", "-X", "-q", os.environ["RAFFLE_POSTGRES"], "-c", "CREATE DATABASE gala"], check=True)
    night(uri("raffle"))
    check_views()
    second_raffle()
    roles()
    reads()
    print(f"{checks} checks")


if __name__ == "__main__":
    main()
