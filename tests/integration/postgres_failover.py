#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL servers, over TLS, that restart, and that are replaced: a seller who repeats every order until it has an answer sells each once while the server is
killed and started again; a standby is read only where that was asked for; one that was promoted without the newest commits is found out by the anchor.

    RAFFLE=build/src/cli/raffle python3 tests/integration/postgres_failover.py
"""
import json
import os
import pathlib
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))
import views  # noqa: E402
from postgres import Postgres  # noqa: E402

ORDERS, RESTARTS = 60, 3
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


def anchored(uri, query=""):
    return f"{uri}{'&' if '?' in uri else '?'}anchor=file:{os.getcwd()}/anchor{query}"


def tickets(server):
    return int(server.psql("SELECT count(*) FROM raffle.ticket", database="gala"))


def sell(store, order):
    """Repeats an order until it is answered; how often that was."""
    for tries in range(1, 1000):
        done = subprocess.run([os.environ["RAFFLE"], "sell", store, "--tier", "ten", "--order", order, "--by", "ann:seller"],
                              capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return tries
    return sys.exit(f"FAILED: {order} is never sold: {done.stderr}")


def sell_all(store, tries):
    for i in range(ORDERS):
        tries.append(sell(store, f"order-{i}"))


def restarts(primary, store):
    """Each restart waits for some sales, so that it falls among them."""
    tries = []
    seller = threading.Thread(target=sell_all, args=(store, tries))
    seller.start()
    for i in range(1, RESTARTS + 1):
        while seller.is_alive() and len(tries) < i * ORDERS // (RESTARTS + 1):
            seller.join(0.005)
        primary.restart("immediate")
    seller.join()
    check(len(tries) == ORDERS, "every order is answered")
    check(tickets(primary) == ORDERS, "every order is sold once")
    raffle("audit", store)
    return sum(tries) - ORDERS


def catch_up(primary, standby):
    end = primary.psql("SELECT pg_current_wal_lsn()")
    waiter = threading.Event()
    while standby.psql(f"SELECT pg_last_wal_replay_lsn() >= '{end}'") != "t":
        waiter.wait(0.01)


def standby_that_lost_the_tail(primary, standby, store):
    copy = standby.local_uri_of(database="gala")
    catch_up(primary, standby)
    raffle("status", anchored(copy), status=1, says="is a standby")
    raffle("status", anchored(copy, "&readonly=1"))
    raffle("audit", anchored(copy, "&readonly=1"))
    standby.stop()
    for i in range(3):
        sell(store, f"late-{i}")
    primary.stop("immediate")
    standby.start()
    standby.promote()
    check(tickets(standby) == ORDERS, "the standby lost the last orders")
    raffle("sell", anchored(copy), "--tier", "ten", "--order", "new", "--by", "ann:seller", "--json", status=1, says="RAFFLE_HISTORY")
    check(tickets(standby) == ORDERS, "nothing is sold on what is left")
    standby.stop()
    primary.start()
    check(sell(store, "late-1") == 1, "the old primary sells on")
    check(tickets(primary) == ORDERS + 3, "and sold no order twice")
    raffle("audit", store)


def main():
    os.environ["RAFFLE_KEYS"] = "file:keys"
    with Postgres(tls=True) as primary:
        primary.psql("CREATE DATABASE gala")
        store = anchored(primary.uri_of(database="gala", password=True))
        pathlib.Path("rules.json").write_text(json.dumps({**views.RULES, "prizes": [{"name": "car"}]}), encoding="utf-8")
        raffle("create", store, "--rules", "rules.json", "--by", "boss:manager")
        raffle("status", store.replace(primary.password, "wrong"), status=1, says="password authentication failed")
        repeated = restarts(primary, store)
        check(primary.psql("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE NOT ssl AND client_addr IS NOT NULL") == "0",
              "everything over TCP is over TLS")
        with primary.standby() as standby:
            standby_that_lost_the_tail(primary, standby, store)
    print(f"{checks} checks; {repeated} times an order was repeated")


if __name__ == "__main__":
    main()
