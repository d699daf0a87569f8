#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong between a raffle and its PostgreSQL: peers that vanish at every message, answers that never come, conflicts at every statement, a full
disk, servers that crash, a standby that lost the tail, and many writers. Nothing acknowledged is lost, nothing is sold twice, no audit finds fault.
And what a raffle asks of Aurora DSQL, statement by statement. RAFFLE_ONLY may name some of the functions in SCENARIOS."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

SOURCE = os.environ["RAFFLE_SOURCE"]
sys.path[:0] = [os.path.join(SOURCE, "tests", part) for part in ("servers", "integration")]
import smoke_python as host  # noqa: E402: the calls
from postgres import Postgres  # noqa: E402
from postgres_proxy import Fault, Proxy  # noqa: E402
from smoke_python import call, ffi, get, lib, make, new  # noqa: E402

RULES = {
    "origin": "raffle.example/faults", "name": "Faults", "organisation": "Club", "currency": "CAD", "rehearsal": True,
    "sales": {"opens": "2026-09-01T00:00:00.000Z", "closes": "2026-12-31T00:00:00.000Z"},
    "tiers": [{"name": "one", "count": 1, "price": 500}], "rng": ["test"], "units": [{"name": "web"}, {"name": "gate"}],
    "prizes": [{"name": "first", "share": 5000}],
}
BOSS, ANN = host.actor("boss", lib.RAFFLE_MANAGER), host.actor("ann", lib.RAFFLE_SELLER)
REFUSED = {lib.RAFFLE_IO, lib.RAFFLE_BUSY, lib.RAFFLE_TIMEOUT, lib.RAFFLE_UNKNOWN}  # try again
checks = 0


def check(good, sentence):
    global checks
    if not good:
        raise AssertionError(sentence)
    checks += 1


def code_of(function, *args):
    try:
        function(*args)
    except host.Failure as no:
        return no.rc
    return lib.RAFFLE_OK


def wait_until(holds, otherwise):
    until = time.monotonic() + 60
    while not holds():
        check(time.monotonic() < until, otherwise)
        time.sleep(0.02)


def name_of(rc):
    return ffi.string(lib.raffle_rc_name(rc)).decode()


# --- a host that knows the password ---

class Host(host.Host):
    """All handles of all processes have one clock; the password comes from here alone."""

    since, asked_for = time.monotonic(), 0

    def __init__(self, password, timeout_ms=0):
        self.password = password.encode()
        super().__init__()
        self.table.timeout_ms = timeout_ms

    def clock(self, ms, err):
        ms[0] = host.NOON + int(1000 * (time.monotonic() - Host.since))

    def secret(self, what, out, cap, length, err):
        if not ffi.string(what).startswith(b"password:postgresql://"):
            raise host.Failure(lib.RAFFLE_NOT_FOUND, "no such secret")
        Host.asked_for += 1
        ffi.memmove(out, self.password, len(self.password))
        length[0] = len(self.password)


class Open:
    """A raffle, and its first unit, by the library."""

    def __init__(self, uri, password, create=False, timeout_ms=0, unit=1):
        self.host = Host(password, timeout_ms)
        keys, rules = b"file:keys", json.dumps(RULES).encode()
        self.raffle = (make("raffle", "raffle_create", uri.encode(), keys, self.host.table, rules, len(rules), BOSS) if create
                       else make("raffle", "raffle_open", uri.encode(), keys, self.host.table))
        self.unit = make("raffle_unit", "raffle_unit_open", self.raffle, unit)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for handle in (self.unit, self.raffle):
            ffi.release(handle)

    def sell(self, order, timeout_ms=10000):
        sales, tickets = host.cart((order, "one"))
        host.kept.clear()
        call("raffle_unit_sell", self.unit, ANN, sales, 1, timeout_ms, tickets)
        return tickets[0].unit, tickets[0].serial


class World:
    """The server, the proxy before it, and the databases."""

    def __init__(self, server, proxy):
        self.server, self.proxy, self.made = server, proxy, 0

    def direct(self, database):
        return self.server.uri_of(database=database)

    def through(self, database):
        return self.server.uri_of(database=database, port=self.proxy.port)

    def open(self, database, **how):
        return Open(self.through(database), self.server.password, **how)

    def database(self):
        self.made += 1
        self.server.psql(f"CREATE DATABASE faults{self.made}")
        return f"faults{self.made}"

    def raffle(self, orders=()):
        """A database with a raffle in it."""
        name = self.database()
        with Open(self.direct(name), self.server.password, create=True) as r:
            for order in orders:
                r.sell(order)
        return name

    def rows(self, database, query):
        return self.server.psql(query, database=database).splitlines()

    def sold(self, database):
        """Order keys as they stand in the records, each as often as it is sold."""
        return sorted(self.rows(database, "SELECT private::jsonb ->> 'order' FROM raffle.record WHERE leaf::jsonb ->> 't' = 'sale'"))

    def audit(self, database, rest=""):
        uri = self.server.local_uri_of(database=database) + rest
        h = Host(self.server.password)
        options = new("raffle_audit_options")
        options.threads = 1  # with more, the library's own threads connect, and ask for the password
        report = make("raffle_audit", "raffle_audit_run", uri.encode(), h.table, options)
        verdict = get("raffle_verdict", "raffle_audit_verdict", report)
        faults = [ffi.string(get("raffle_fault", "raffle_audit_fault_at", report, i).message).decode() for i in range(verdict.faults)]
        ffi.release(report)
        check(verdict.passed and not faults, f"the audit finds fault: {faults}")

    def settle(self, database, orders, rest=""):
        """Each of these orders is sold once, and nothing else is."""
        sold = self.sold(database)
        lost, more = sorted(set(orders) - set(sold))[:9], sorted(set(sold) - set(orders))[:9]
        check(sold == sorted(orders), f"sold are {len(sold)} orders, not {len(orders)}: not {lost}, but {more}")
        self.audit(database, rest)


# --- a peer that vanishes ---

def sell_with(w, r, order, fault):
    """Sells with a fault, and once more without: what was acknowledged stands. The first call's status, and whether the fault happened."""
    told = []
    w.proxy.plan(fault)
    rc = code_of(lambda: told.append(r.sell(order)))
    fired = w.proxy.fired > 0
    w.proxy.plan(None)
    ticket = r.sell(order)
    check(not told or told[0] == ticket, f"{fault}: {told} was acknowledged, and {ticket} is sold")
    return rc, fired


def sale_cut(w, what, of, cold):
    """At each message of a sale in turn, until one passes untouched; each that did not is repeated with the same order key."""
    database, orders, fired = w.raffle(), [], True
    with w.open(database) as r:
        while fired:
            orders.append(f"{what}-{len(orders)}")
            if cold:
                w.proxy.cut()
                w.proxy.wait()
            rc, fired = sell_with(w, r, orders[-1], Fault(what, of, len(orders)))
            check(rc == lib.RAFFLE_OK or rc in REFUSED, f"{what} at {of} {len(orders)}: {name_of(rc)}")
    check(len(orders) > (60 if cold else 15), f"{what} at {of}: {len(orders)} messages")
    w.settle(database, orders)


def vanishing_peer(w):
    for of in ("front", "back"):
        for what in ("cut before", "cut after"):
            sale_cut(w, what, of, cold=False)
    sale_cut(w, "cut before", "front", cold=True)


def answer_held_back(w):
    """The server, or what is before it, falls silent: the call ends in time, and says what it knows."""
    database = w.raffle()
    with w.open(database, timeout_ms=1000) as r:
        for of in ("statement", "commit"):
            w.proxy.plan(Fault("stall", of))
            rc = code_of(r.sell, of, 1000)
            check(w.proxy.fired == 1 and rc in (lib.RAFFLE_TIMEOUT, lib.RAFFLE_UNKNOWN), f"{of} that is never answered: {name_of(rc)}")
            check(rc == lib.RAFFLE_UNKNOWN or of == "statement", "nothing was written, says a sale whose COMMIT was sent")
            w.proxy.plan(None)
            w.proxy.release()
            r.sell(of)
    w.settle(database, ["statement", "commit"])


def doubtful_commit(w):
    """A failure in place of COMMIT's answer; with XX000 Aurora DSQL says that it does not know whether it has committed."""
    database, orders = w.raffle(), []
    with w.open(database) as r:
        for state in ("XX000", "08006", "57P01", "40003", "58030"):
            for committed in (True, False):
                orders.append(f"{state}-{committed}")
                rc, fired = sell_with(w, r, orders[-1], Fault("error", "commit", state=state, committed=committed, cut=state == "57P01"))
                check(fired and rc == lib.RAFFLE_OK, f"{orders[-1]}: {name_of(rc)}")  # looked for, and sold when it was not there
    w.settle(database, orders)


def disk_full(w):
    """At each statement of a sale: it says so, sells nothing, and the next sale goes on."""
    database, orders, seen, fired = w.raffle(), [], set(), True
    with w.open(database) as r:
        while fired:
            orders.append(f"full-{len(orders)}")
            w.proxy.plan(Fault("error", "statement", len(orders), "53100"))
            rc = code_of(r.sell, orders[-1])
            fired = w.proxy.fired > 0
            w.proxy.plan(None)
            seen.add(rc)
            check(rc == lib.RAFFLE_OK or w.sold(database) == sorted(orders[:-1]), f"{name_of(rc)}, and it is sold")
            r.sell(orders[-1])
    check(len(orders) > 5, f"{len(orders)} statements")
    check(lib.RAFFLE_FULL in seen and seen <= {lib.RAFFLE_FULL, lib.RAFFLE_OK}, f"a full disk gives {[name_of(rc) for rc in seen]}")
    w.settle(database, orders)


def failing_statements(w):
    """Other failures at each statement of a sale: what the server says of itself, as docs/spec/store-postgres.md has it, or a sale."""
    database, orders = w.raffle(), []
    with w.open(database) as r:
        for state, rc_of in (("57P01", lib.RAFFLE_IO), ("XX000", lib.RAFFLE_IO), ("57014", lib.RAFFLE_TIMEOUT), ("53200", lib.RAFFLE_NOMEM),
                             ("25006", lib.RAFFLE_READONLY), ("42501", lib.RAFFLE_READONLY)):
            at, fired = 0, True
            while fired:
                at += 1
                orders.append(f"{state}-{at}")
                rc, fired = sell_with(w, r, orders[-1], Fault("error", "statement", at, state, cut=state == "57P01"))
                check(rc in (lib.RAFFLE_OK, rc_of), f"{state} at statement {at}: {name_of(rc)}")
    w.settle(database, orders)


# --- a server that crashes, and one that comes back with less ---

def restarts(w):
    """Between sales nobody notices; while some are under way, whoever was refused asks again."""
    database = w.raffle()
    done, failed, stop = [], [], threading.Event()

    def till(name, r):
        with r:
            while not stop.is_set() and not failed:
                order = f"{name}-{len(done)}"
                rc = code_of(r.sell, order)
                while rc in REFUSED:
                    time.sleep(0.01)
                    rc = code_of(r.sell, order)
                (done if rc == lib.RAFFLE_OK else failed).append(order)

    with w.open(database) as r:
        r.sell("before")
        w.server.restart("immediate")
        check(code_of(r.sell, "between") == lib.RAFFLE_OK, "a restart between two sales is noticed")
    tills = [threading.Thread(target=till, args=(name, w.open(database))) for name in ("a", "b")]
    for thread in tills:
        thread.start()
    for mode in ("immediate", "fast"):
        some = len(done) + 20
        wait_until(lambda some=some: len(done) >= some or failed, "the tills sell no more")
        w.server.restart(mode)
    some = len(done) + 20
    wait_until(lambda: len(done) >= some or failed, "the tills do not come back")
    stop.set()
    for thread in tills:
        thread.join()
    check(not failed, f"refused for good: {failed}")
    w.settle(database, ["before", "between", *done])


def lost_tail(w):
    """A standby that is promoted without the last sales. With an anchor that is found out: nothing is sold or signed over it. Without one it is not, and what
    is sold again is sold again: docs/spec/store-postgres.md says so."""
    database = w.raffle(["a"])
    anchored = f"{w.direct(database)}?anchor=file:{os.path.abspath('anchor')}"
    with Open(anchored, w.server.password) as r, w.server.standby() as standby:
        r.sell("b")
        lsn = w.server.psql("SELECT pg_current_wal_lsn()")
        wait_until(lambda: standby.psql(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'") == "t", "the standby does not follow")
        read_only = standby.uri_of(database=database)
        rc = code_of(Open, read_only, w.server.password)
        check(rc == lib.RAFFLE_READONLY, f"a raffle is opened for selling on a standby: {name_of(rc)}")
        standby.stop()
        r.sell("c")
        w.server.stop("immediate")
        standby.start()
        standby.promote()
        fewer = standby.uri_of(database=database)
        with Open(f"{fewer}?anchor=file:{os.path.abspath('anchor')}", w.server.password) as forked:
            rc = code_of(forked.sell, "d")
            check(rc == lib.RAFFLE_HISTORY, f"sold over a log that is behind its anchor: {name_of(rc)}")
            rc = code_of(call, "raffle_unit_close", forked.unit, BOSS)
            check(rc == lib.RAFFLE_HISTORY, f"closed a log that is behind its anchor: {name_of(rc)}")
            rc = code_of(call, "raffle_seal", forked.raffle, BOSS, ffi.NULL, lib.RAFFLE_SEAL_FINAL, new("raffle_seal_info"))
            check(rc == lib.RAFFLE_UNRECONCILED, f"sealed over a log that is behind its anchor: {name_of(rc)}")
            note, length = ffi.new("char[]", lib.RAFFLE_STORE_NOTE_MAX + 1), ffi.new("size_t *")
            rc = code_of(call, "raffle_checkpoint", forked.raffle, 1, note, len(note), length)
            check(rc == lib.RAFFLE_HISTORY, f"signed a log that is behind its anchor: {name_of(rc)}")
            ticket = get("raffle_ticket", "raffle_ticket_get", forked.raffle, 1, 2)
            check(ffi.string(ticket.order) == b"b", "what is there is not shown")
        with Open(fewer, w.server.password) as unaware:
            check(unaware.sell("d") == (1, 3), "without an anchor the number of the lost ticket is sold again")
        w.server.start()
    w.settle(database, ["a", "b", "c"])


# --- conflicts at every statement of everything ---

class Night:
    """A raffle of its own in a database that may hold others, from its making to its winner: each step writes, and may be repeated when it was refused."""

    steps = ("create", "enrol", "enable", "sell", "void", "close", "seal", "ack", "begin", "finish")

    def __init__(self, w, database, name):
        self.origin, self.rng = "raffle.example/" + name, make("raffle_rng", "raffle_rng_open", b"test:seed=07", ffi.NULL)
        self.uri, self.keys = f"{w.through(database)}#{self.origin}".encode(), f"file:keys-{name}".encode()
        self.host, self.raffle, self.unit, self.draw = Host(w.server.password), None, None, None

    def create(self):
        rules = json.dumps({**RULES, "origin": self.origin, "units": [{"name": "web"}]}).encode()
        self.raffle = make("raffle", "raffle_create", self.uri, self.keys, self.host.table, rules, len(rules), BOSS)

    def enrol(self):
        options = new("raffle_unit_options")
        options.name = b"kiosk"
        call("raffle_unit_enrol", self.raffle, BOSS, options, ffi.new("uint32_t *"))

    def enable(self):
        call("raffle_unit_enable", self.raffle, BOSS, 2)

    def sell(self):
        self.unit = self.unit or make("raffle_unit", "raffle_unit_open", self.raffle, 1)
        host.sell(self.unit, ANN, *[(f"cart-{i}", "one") for i in range(300)])  # enough for a kept node
        host.kept.clear()

    def void(self):
        call("raffle_void", self.raffle, BOSS, 1, 7, b"refund")

    def close(self):
        call("raffle_unit_close", self.unit, BOSS)

    def seal(self):
        call("raffle_seal", self.raffle, BOSS, ffi.NULL, lib.RAFFLE_SEAL_FINAL, new("raffle_seal_info"))

    def ack(self):
        call("raffle_voids_ack", self.raffle, BOSS, get("raffle_seal_info", "raffle_seal_latest", self.raffle, lib.RAFFLE_SEAL_FINAL).index)

    def begin(self):
        """An intent that was written before its checkpoint could be is taken up again."""
        try:
            self.draw = make("raffle_draw", "raffle_draw_begin", self.raffle, BOSS, b"first", ffi.NULL)
        except host.Failure as no:
            if no.rc != lib.RAFFLE_DRAW_OPEN:
                raise
            self.draw = make("raffle_draw", "raffle_draw_resume", self.raffle, BOSS, ffi.NULL)

    def finish(self):
        call("raffle_draw_finish", self.draw, self.rng, ffi.NULL, 5000)

    def run(self, proxy, at, state):
        """With a failure at the at-th statement of each step; how many steps had so many."""
        struck = 0
        for step in self.steps:
            proxy.plan(Fault("error", "statement", at, state))
            rc = code_of(getattr(self, step))
            struck += proxy.fired
            proxy.plan(None)
            check(rc in (lib.RAFFLE_OK, lib.RAFFLE_BUSY), f"{step}, {state} at statement {at}: {name_of(rc)}")
            if rc != lib.RAFFLE_OK:
                getattr(self, step)()
        for handle in (self.draw, self.unit, self.raffle, self.rng):
            ffi.release(handle)
        return struck


def conflicts(w):
    """A serialisation failure at each statement of each step in turn: it goes well all the same, or is refused and goes well the second time. Afterwards every
    raffle has the records of one that nothing disturbed."""
    database, nights = w.database(), []
    for at in range(200):
        nights.append(Night(w, database, f"night-{at}"))
        struck = nights[-1].run(w.proxy, at or 10**6, "40P01" if at % 3 == 2 else "40001")
        w.audit(database, "#" + nights[-1].origin)
        if at > 0 and struck == 0:
            break
    check(struck == 0 and at > 20, f"no step has more than {at} statements")
    like = {}
    for row in w.rows(database, "SELECT raffle, log, leaf::jsonb ->> 't', count(*) FROM raffle.record GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"):
        raffle, kind = row.split("|", 1)
        like.setdefault(raffle, []).append(kind)
    check(len(like) == len(nights), f"{len(like)} raffles, not {len(nights)}")
    for raffle, kinds in like.items():
        check(kinds == like["1"], f"raffle {raffle} has {kinds}, not {like['1']}")


def conflicts_of_tables(w):
    """The same while the tables are made."""
    database = w.database()
    for at in range(1, 100):
        w.proxy.plan(Fault("error", "statement", at))
        rc = code_of(make_tables, w, database)
        fired = w.proxy.fired
        w.proxy.plan(None)
        check(rc == lib.RAFFLE_OK or rc in REFUSED, f"statement {at}: {name_of(rc)}")
        make_tables(w, database)
        if not fired:
            break
        w.server.psql("DROP SCHEMA IF EXISTS raffle CASCADE", database=database)
    check(at > 15, f"{at} statements")
    w.open(database, create=True).close()
    w.settle(database, [])


def make_tables(w, database):
    h = Host(w.server.password)
    ffi.release(make("raffle_store", "raffle_store_open", (w.through(database) + "?create=1").encode(), h.table))


def endless_conflict(w):
    """When every try fails, the call ends in its time."""
    database = w.raffle()
    with w.open(database) as r:
        for of in ("statement", "commit"):
            w.proxy.plan(Fault("error", of, times=None))
            rc = code_of(r.sell, of, 1000)
            check(rc in (lib.RAFFLE_BUSY, lib.RAFFLE_TIMEOUT) and w.proxy.fired > 2, f"{w.proxy.fired} conflicts at each {of} give {name_of(rc)}")
            w.proxy.plan(None)
            check(of not in w.sold(database), "refused, and sold")
            r.sell(of)
    w.settle(database, ["commit", "statement"])


# --- many writers ---

WRITER = """
import json, os, random, sys
sys.path.insert(0, os.path.join(os.environ["RAFFLE_SOURCE"], "tests", "integration"))
sys.argv = sys.argv[:1]
from postgres_faults import Host, Open
Host.since, uri, word, unit, orders = json.loads(sys.stdin.readline())
random.shuffle(orders)
with Open(uri, word, unit=unit) as r:
    print("open", flush=True)
    sys.stdin.readline()
    print(json.dumps({order: r.sell(order) for order in orders}))
"""


def start_writer(w, database, unit, orders):
    """A process that waits for a line before it sells."""
    process = subprocess.Popen([sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write(json.dumps([Host.since, w.direct(database), w.server.password, unit, orders]) + "\n")
    process.stdin.flush()
    check(process.stdout.readline() == "open\n", "a writer does not begin")
    return process


def writers(w):
    """Four processes sell the same orders, two into each unit, and some of their own: each order is one sale, and everybody has the ticket of whoever was
    first."""
    database, shared = w.raffle(), [f"order-{i}" for i in range(150)]
    own = [[f"own-{n}-{i}" for i in range(20)] for n in range(4)]
    running = [start_writer(w, database, 1 + n % 2, shared + own[n]) for n in range(4)]
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    told = [json.loads(process.communicate()[0]) for process in running]
    check(all(process.returncode == 0 for process in running), "a writer failed")
    check(all(tickets[order] == told[0][order] for tickets in told for order in shared), "two writers have different tickets for an order")
    check(all(tickets[order][0] == 1 + n % 2 for n, tickets in enumerate(told) for order in own[n]), "an order is not in the unit that sold it")
    w.settle(database, shared + sum(own, []))


# --- a thief of the seller's password ---

def thief(w):
    """Who has the role of examples/postgres/grants.sql sells, and takes back or alters nothing that was sold; a head that is lowered is found out."""
    database = w.raffle(["a"])
    w.server.psql(Path(SOURCE, "examples/postgres/grants.sql").read_text(encoding="utf-8"), database=database)
    w.server.psql(f"CREATE ROLE till LOGIN PASSWORD '{w.server.password}' IN ROLE raffle_seller", database=database)
    with Open(w.server.uri_of("till", database), w.server.password) as r:
        r.sell("b")
        for sql in ("UPDATE raffle.record SET leaf = '{}'", "DELETE FROM raffle.record", "DELETE FROM raffle.key", "UPDATE raffle.key SET idx = 0",
                    "DELETE FROM raffle.log", "DELETE FROM raffle.note", "TRUNCATE raffle.record", "ALTER TABLE raffle.record ADD COLUMN a int",
                    "DROP TABLE raffle.key", "CREATE TRIGGER a BEFORE INSERT ON raffle.record EXECUTE FUNCTION suppress_redundant_updates_trigger()",
                    "DROP SCHEMA raffle CASCADE", "ALTER ROLE till SUPERUSER"):
            check(refused_by_server(w, database, sql), f"the seller's role may {sql}")
        w.settle(database, ["a", "b"])
        w.server.psql("UPDATE raffle.log SET size = size - 1, state = NULL WHERE log = 1", user="till", database=database)
        rc = code_of(r.sell, "c")
        check(rc in (lib.RAFFLE_CORRUPT, lib.RAFFLE_HISTORY), f"sold over a head that was lowered: {name_of(rc)}")
    rc = code_of(Open, w.server.uri_of("till", database), w.server.password)
    check(rc in (lib.RAFFLE_CORRUPT, lib.RAFFLE_HISTORY), f"opened over a head that was lowered: {name_of(rc)}")
    check(w.sold(database) == ["a", "b"], "what was sold is not there")


def refused_by_server(w, database, sql):
    try:
        w.server.psql(sql, user="till", database=database)
    except RuntimeError as no:
        return "permission denied" in str(no) or "must be" in str(no)
    return False


# --- Aurora DSQL's limits, as its user guide has them ---

DSQL_ROWS, DSQL_BYTES = 3000, 10 << 20
DSQL_REFUSES = re.compile(
    r"\b(SAVEPOINT|LOCK\s+TABLE|LISTEN|NOTIFY|TEMP|TEMPORARY|SEQUENCE|(BIG|SMALL)?SERIAL|IDENTITY|TRIGGER|TRUNCATE|VACUUM|FOR\s+(KEY\s+)?SHARE"
    r"|FOR\s+NO\s+KEY|COLLATE|INHERITS|PARTITION\s+(BY|OF)|TABLESPACE|EXTENSION|MATERIALIZED|RULE|POLICY|EXCLUDE|CURSOR|PREPARE\s+TRANSACTION"
    r"|ALTER\s+SYSTEM|CREATE\s+(TYPE|DATABASE|DOMAIN|INDEX|FUNCTION|PROCEDURE|TABLE\s+\S+\s+AS)|ISOLATION\s+LEVEL|pg_advisory\w*|SET|DO|COPY)\b"
    r"(?!\s*(UPDATE\b|NOTHING\b))", re.I)
DDL = re.compile(r"\s*(CREATE|ALTER|DROP|GRANT|REVOKE)\b", re.I)


def refused_by_dsql(sql):
    """Neither what stands in quotes, nor a column's name, nor the SET of an UPDATE is what it looks like."""
    text = re.sub(r"'[^']*'|\bAS\s+\w+", "", sql)
    return DSQL_REFUSES.search(re.sub(r"(?i)(\bUPDATE\s+(raffle\.\w+\s+)?)SET\b", r"\1", text))


def check_transaction(t):
    statements = [s for s in t.statements if s.sql not in ("BEGIN", "COMMIT", "ROLLBACK")]
    text = "; ".join(s.sql for s in statements)
    for s in t.statements:
        found = refused_by_dsql(s.sql)
        check(found is None, f"Aurora DSQL has no {found and found.group()}: {s.sql}")
        check("FOR UPDATE" not in s.sql or re.search(r"\braffle = \$1\S* AND \w+\.log = \S+ FOR UPDATE", s.sql), f"locks more than one row: {s.sql}")
    ddl = [s for s in statements if DDL.match(s.sql)]
    check(not ddl or len(statements) == 1, f"a transaction that makes something does more: {text}")
    check(sum(s.rows for s in t.written()) <= DSQL_ROWS, f"{sum(s.rows for s in t.written())} rows in a transaction: {text}")
    check(sum(s.size for s in statements) <= DSQL_BYTES, f"a transaction of {sum(s.size for s in statements)} bytes: {text}")


def dsql_groups(w):
    """Sales that are committed together are not more than a transaction takes; one that is more by itself is refused."""
    database = w.database()
    with Open(w.through(database) + "?dialect=dsql", w.server.password, create=True) as r:
        carts = [[(f"cart-{n}-{i}", "one") for i in range(800)] for n in range(8)]
        tills = [threading.Thread(target=lambda cart=cart: host.sell(r.unit, ANN, *cart)) for cart in carts]
        for thread in tills:
            thread.start()
        for thread in tills:
            thread.join()
        rc = code_of(host.sell, r.unit, ANN, *[(f"much-{i}", "one") for i in range(3000)])
        check(rc == lib.RAFFLE_LIMIT, f"more rows than Aurora DSQL takes give {name_of(rc)}")
        host.kept.clear()
    w.settle(database, [order for cart in carts for order, _ in cart], "?dialect=dsql")


def write_sales(path, n, units):
    lines = [f"sale,2026-09-21T12:00:{i // 200:02}.000Z,{units[i % len(units)]},{path}-{i},one,1,,,,," for i in range(n)]
    Path(path).write_text("\n".join(["kind,at,unit,order,tier,count,payment,buyer,channel,reason,by", *lines, ""]), encoding="utf-8")


def dsql_till(raffle):
    """A till elsewhere uploads more than one transaction takes."""
    raffle(f"unit apply {RULES['origin']} 4 --keys file:tent.keys --out tent.key", 12)
    raffle("unit enrol . --name tent --quota 5000 --key tent.key --hours 24 --kit tent.kit --enable", 12)
    key = json.loads(raffle("status . --json", 12))["raffle"]["control_key"]
    raffle(f"unit install tent.till tent.kit --keys file:tent.keys --key {key}", 12)
    write_sales("tent.csv", 4000, (4,))
    for command in ("import tent.till tent.csv --replay --keys file:tent.keys", "unit close tent.till 4 --keys file:tent.keys",
                    "unit challenge . 4 --out tent.challenge", "unit export tent.till --challenge tent.challenge --out tent.upload --keys file:tent.keys",
                    "unit upload . tent.upload"):
        raffle(command)


def dsql(w):
    """A whole raffle as Aurora DSQL would see it, at its isolation; on PostgreSQL, which waits where that would fail at COMMIT."""
    for sql in ("CREATE TEMP TABLE a (b int)", "SAVEPOINT a", "SELECT 1 FOR SHARE", "CREATE TABLE a (b serial)", "SET a = 1", "DO $$ $$", "TRUNCATE a"):
        check(refused_by_dsql(sql) is not None, f"the test takes {sql} for Aurora DSQL's")
    database = w.database()
    w.server.psql(f"ALTER DATABASE {database} SET default_transaction_isolation = 'repeatable read'")
    store = w.through(database) + "?dialect=dsql"
    environment = {**os.environ, "PGPASSWORD": w.server.password, "RAFFLE_ACTOR": "boss:manager"}

    def raffle(command, clock=13):
        words = [store if word == "." else word for word in command.split()]
        environment["RAFFLE_CLOCK"] = f"2026-09-21T{clock}:00:00.000Z"
        done = subprocess.run([os.environ["RAFFLE"], *words], env=environment, capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"{command} ends with {done.returncode}: {done.stdout[-1000:]}{done.stderr}")
        return done.stdout

    Path("rules.json").write_text(json.dumps(RULES), encoding="utf-8")
    write_sales("sales.csv", 7000, (1, 2))
    w.proxy.clear()
    for command in ("create . --rules rules.json --keys file:keys-dsql", "unit enrol . --name kiosk", "unit enable . 3",
                    "sell . --unit 3 --tier one --order a", "import . sales.csv --replay"):
        raffle(command, 12)
    dsql_till(raffle)
    for command in ("sell . --unit 3 --tier one --order b --count 100", "void . --order a --reason refund", "unit close . 1", "seal .", "ack .",
                    "draw . first --rng test:seed=05", "status .", "audit ."):
        raffle(command)
    check(len(w.sold(database)) == 11101, "not all is sold")
    dsql_groups(w)
    w.proxy.wait()
    for t in w.proxy.transactions:
        check_transaction(t)
    most = max(sum(s.rows for s in t.written()) for t in w.proxy.transactions)
    check(sum(t.end == "COMMIT" for t in w.proxy.transactions) > 10 and most > 1000, f"{len(w.proxy.transactions)} transactions, {most} rows")


def main():
    with Postgres() as server, Proxy(("127.0.0.1", server.port)) as proxy:
        w = World(server, proxy)
        only = os.environ.get("RAFFLE_ONLY", "").split()
        for scenario in [f for f in SCENARIOS if not only or f.__name__ in only]:
            since = time.monotonic()
            try:
                scenario(w)
            except BaseException:
                print(server.log()[-3000:], file=sys.stderr)
                print(f"FAILED in {scenario.__name__}", file=sys.stderr)
                raise
            print(f"{scenario.__name__}: {time.monotonic() - since:.1f} s")
        check(Host.asked_for > 0, "nobody asked for the password")
    print(f"{checks} checks")


SCENARIOS = [vanishing_peer, answer_held_back, doubtful_commit, disk_full, failing_statements, restarts, lost_tail, conflicts, conflicts_of_tables,
             endless_conflict, writers, thief, dsql]

if __name__ == "__main__":
    main()
