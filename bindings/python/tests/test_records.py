# SPDX-License-Identifier: Apache-2.0
"""What is read of a raffle: logs and proofs, receipts, reports, events, money, audits, what is published, time stamps, backups, mirrors, witnesses."""
import base64
import contextlib
import datetime
import hashlib
import io
import json
import pathlib
import sqlite3
import subprocess
import sys
import time
from typing import Any, List

import pytest

import raffle
from raffle import Assurance, Audit, EventSeverity, FaultKind, Raffle, ReceiptProves, ReportFormat, Role, Rng, Sale, Second, Store, Unit
from support import NOON, SOURCE, People, draw_one, make_rules, seal_and_ack

sys.path.insert(0, str(SOURCE / "examples" / "witness"))
import witness as program  # noqa: E402


# --- the raffle ---

def test_described(gala: Raffle, till: Unit, people: People) -> None:
    till.sell(people.ann, Sale("twenty"))
    info = gala.describe()
    assert (info.origin, info.currency, info.digits, info.rehearsal, info.units, info.pot, info.numbers) == ("raffle.example/gala", "CAD", 2, True, 1, 1000, 20)
    assert info.opens == datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc) and len(info.rules_hash) == 32 and info.control_key.startswith("raffle.example/gala+")
    assert [(tier.name, tier.count, tier.price) for tier in gala.tiers()] == [("one", 1, 500), ("twenty", 20, 1000)]
    assert gala.local_time(NOON) == "2026-09-21T12:00:00.000+00:00"
    void = next(operation for operation in gala.operations() if operation.name == "void")
    assert Role.SUPERVISOR in void.allowed and Role.SELLER not in void.allowed and void.second is Second.NEVER and void.what
    assert gala.operation_at(0).name <= gala.operation_at(1).name
    with pytest.raises(raffle.NotFound):
        gala.operation_at(1000)


def test_rules(tmp_path: pathlib.Path, people: People) -> None:
    raffle.rules_check(make_rules())
    raffle.rules_check(json.dumps(make_rules()))
    with pytest.raises(raffle.Limit, match="winners"):
        raffle.rules_check(make_rules(prizes=[{"name": "x", "winners": 0}]))
    with pytest.raises(raffle.Invalid):
        Raffle.create(tmp_path / "x.raffle", b"\xff\x00", people.boss)
    with pytest.raises(raffle.NotRaffle):
        (tmp_path / "text").write_text("no raffle at all, but a text" * 100)
        Raffle.open(tmp_path / "text")


def test_opened_without_keys(tmp_path: pathlib.Path, gala: Raffle, people: People) -> None:
    class Full(raffle.Host):
        verify_full = no_threads = True
        timeout_ms = 5000

    with Raffle.open(tmp_path / "gala.raffle", keys="", host=Full()) as reader, reader.unit_open(1) as unit:
        assert reader.describe().origin == "raffle.example/gala"
        with pytest.raises(raffle.errors.Key):
            unit.sell(people.ann, Sale("one"))


# --- logs ---

def test_logs(gala: Raffle, till: Unit, people: People) -> None:
    till.sell(people.ann, [Sale("one", buyer="b")] * 9)
    records = list(gala.records(1))
    assert [record.index for record in records] == list(range(10)) and [record.json()["t"] for record in records] == ["unit.start"] + ["sale"] * 9
    assert json.loads(records[1].private or b"")["buyer"] == "b" and "buyer" not in repr(records[1])
    root, size = gala.root(1)
    assert size == 10 and gala.root(1, 10) == (root, 10) and gala.root(1, 4)[0] != root
    with gala.cursor_open(1, 9) as cursor:
        assert cursor.next().index == 9
        with pytest.raises(raffle.NotFound):
            cursor.next()
        till.sell(people.ann, Sale("one"))
        assert [record.index for record in cursor] == [10] and list(cursor) == []
    leaf = raffle.leaf_hash(records[3].leaf)
    assert leaf == hashlib.sha256(b"\0" + records[3].leaf).digest()
    proof = gala.inclusion(1, 3, 10)
    raffle.inclusion_verify(3, 10, leaf, proof, root)
    with pytest.raises(raffle.Proof):
        raffle.inclusion_verify(4, 10, leaf, proof, root)
    raffle.consistency_verify(4, 10, gala.root(1, 4)[0], root, gala.consistency(1, 4, 10))
    with pytest.raises(raffle.Proof):
        raffle.consistency_verify(5, 10, gala.root(1, 4)[0], root, gala.consistency(1, 4, 10))
    note = gala.checkpoint(1)
    info = raffle.checkpoint_verify(note, gala.unit_describe(1).key)
    assert (info.log, info.size, info.root, info.origin) == (1, 11, gala.root(1)[0], "raffle.example/gala") and gala.checkpoint_get(1) == gala.checkpoint_get(1, 11) == note
    with pytest.raises(raffle.Signature):
        signature = note.split()[-1]
        altered = bytearray(base64.b64decode(signature))
        altered[40] ^= 1
        raffle.checkpoint_verify(note.replace(signature, base64.b64encode(altered).decode()), gala.unit_describe(1).key)
    with pytest.raises(raffle.NotFound):
        gala.checkpoint_get(1, 7)


def test_tickets_that_were_altered(tmp_path: pathlib.Path, gala: Raffle, till: Unit, people: People) -> None:
    """A sale whose record says that it is something else is not passed over."""
    till.sell(people.ann, [Sale("one")] * 5)
    assert [ticket.serial for ticket in gala.tickets(1)] == [1, 2, 3, 4, 5]
    for leaf in ('{"t":"x"}', "{", '{"t":"unit.start"}'):
        with contextlib.closing(sqlite3.connect(tmp_path / "gala.raffle")) as database, database:
            assert database.execute("UPDATE record SET leaf = ? WHERE id = ?", (leaf, (1 << 40) + 3)).rowcount == 1
        with pytest.raises(raffle.Corrupt):
            list(gala.tickets(1))


def test_receipts(gala: Raffle, till: Unit, people: People, tmp_path: pathlib.Path) -> None:
    till.sell(people.ann, [Sale("twenty")] * 3)
    key = gala.describe().control_key
    promise = gala.receipt(1, 1)
    told = raffle.receipt_verify(promise, key)
    assert (told.proves, told.serial, told.count, told.tier, told.seal_at) == (ReceiptProves.PROMISE, 1, 20, "twenty", None)
    gala.void(people.sue, 1, 2, "refund")
    seal_and_ack(gala, people)
    drum, void = raffle.receipt_verify(gala.receipt(1, 1).encode(), key), raffle.receipt_verify(gala.receipt(1, 2), key)
    assert drum.proves is ReceiptProves.DRUM and void.proves is ReceiptProves.VOID and drum.seal_at is not None
    with pytest.raises(raffle.Error):
        raffle.receipt_verify(promise.replace("\nindex ", "\nindex 9", 1), key)
    with Audit.run(tmp_path / "gala.raffle", control_key=key, receipts={"mine": promise, "yours": gala.receipt(1, 3).encode()}) as audit:
        assert (audit.verdict().receipts, audit.verdict().receipts_kept, audit.verdict().passed) == (2, 2, True)
    with Audit.run(tmp_path / "gala.raffle", receipts=[("bad", "no receipt")]) as audit:
        assert not audit.verdict().passed and audit.fault_at(0).code == "receipt" and "bad" in audit.fault_at(0).message
    with pytest.raises(ZeroDivisionError):
        Audit.run(tmp_path / "gala.raffle", receipts=((str(1 // 0), "") for _ in range(1)))


# --- reports, events, money ---

def test_reports(gala: Raffle, till: Unit, people: People) -> None:
    till.sell(people.ann, [Sale("one")] * 5)
    draw_one(gala, people)
    names = [report.name for report in raffle.reports()]
    assert len(names) >= 7 and "sales" in names and all(report.title and report.source for report in raffle.reports())
    for format in ReportFormat:
        file = io.BytesIO()
        gala.report_write("drawing", file, format=format, maker="the club")
        assert b"the club" in file.getvalue()
    file = io.BytesIO()
    gala.report_write("sales", file, format=ReportFormat.JSON, unit=0, from_=NOON - datetime.timedelta(days=3650))
    info = gala.report_verify(io.BytesIO(file.getvalue()))
    assert info == gala.report_verify(file.getvalue()) and info.name == "sales" and info.rows and info.to is None
    with pytest.raises(raffle.Mismatch) as caught:
        gala.report_verify(file.getvalue().replace(b'"gross":2500', b'"gross":2600'))
    assert caught.value.detail > 0
    stop = EOFError("gone")

    class Gone:
        def read(self, size: int) -> bytes:
            raise stop

    with pytest.raises(EOFError) as caught_eof:
        gala.report_verify(Gone())
    assert caught_eof.value is stop
    for nonsense in ("text", b"x" * 100000000, None):
        class Odd:
            def read(self, size: int) -> Any:
                return nonsense
        with pytest.raises((TypeError, ValueError)):
            gala.report_verify(Odd())


def test_events(gala: Raffle, people: People) -> None:
    codes = list(raffle.event_codes())
    assert raffle.event_code_get(0) == codes[0] and any(code.by_host and code.severity == EventSeverity.ALARM for code in codes) and any(code.by_library for code in codes)
    assert [raffle.event_severity_name(i) for i in (1, 2, 3, 9)] == ["info", "warning", "alarm", None]
    gala.event(people.boss, 1, "printer.paper-out", "printer", "in hall A")
    for i in range(5):
        gala.event(people.boss, 0, "x.custom", text=str(i))
    begin = gala.event_write(people.boss, "remote.begin", login="root", from_="10.0.0.1", text="update")
    gala.event_write(people.boss, "remote.end", begin=begin, text="done")
    gala.event_write(people.boss, "data.altered", component="shop", element="price", old_value="1", new_value="2", text="typo", ok=people.deputy)
    with pytest.raises(raffle.Approval):
        gala.event_write(people.boss, "data.altered", component="shop", element="price", old_value="1", text="typo")
    found = gala.event_find(code="data.altered").events[0]
    assert (found.element, found.old_value, found.new_value, found.actor, found.approver, found.by, found.ok) == ("price", "1", "2", "boss", "deputy", Role.MANAGER, Role.MANAGER)
    assert gala.event_find(code="remote.begin").events[0].from_ == "10.0.0.1" and gala.event_find(code="remote.end").events[0].begin == begin
    paper = gala.event_find(log=1, code="printer.paper-out").events
    assert [(event.log, event.component, event.text) for event in paper] == [(1, "printer", "in hall A")] and paper[0].severity == EventSeverity.WARNING
    first = gala.event_find(code="x.custom", limit=2)
    assert first.more and [event.text for event in first.events] == ["0", "1"]
    rest = gala.event_find(code="x.custom", after=first.events[-1])
    assert not rest.more and [event.text for event in rest.events] == ["2", "3", "4"]
    assert [event.text for event in gala.event_find(code="x.custom", newest=True, limit=1).events] == ["4"]
    assert gala.event_find(from_=paper[0].at, to=paper[0].at + datetime.timedelta(hours=1), component="printer").events == paper
    seen: List[int] = []

    def take(event: raffle.EventHit) -> None:
        seen.append(gala.describe().control_size)
        if len(seen) == 2:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        gala.event_each(take)
    assert len(seen) == 2 and gala.event_reindex() == 0
    with pytest.raises(raffle.NotFound):
        gala.event_find(code="no.such")


def test_cash(gala: Raffle, till: Unit, people: People) -> None:
    till.sell(people.ann, [Sale("one")] * 4)
    gala.cash(people.sue, 1, "cash", 1900, "ann", "a note of 5 is missing")
    balance = gala.cash_balance(1)
    assert (balance.gross, balance.counted, balance.difference, balance.tickets) == (2000, 1900, -100, 4) and gala.cash_balance(1, "ann") == balance
    with pytest.raises(raffle.Invalid):
        gala.cash(people.sue, 1, "cash", -1)
    with pytest.raises(raffle.Invalid):
        gala.cash(people.sue, 1, "cash", 2**53)


# --- audits, what is published, time stamps ---

def test_audit(tmp_path: pathlib.Path, gala: Raffle, till: Unit, people: People) -> None:
    path, key = tmp_path / "gala.raffle", gala.describe().control_key
    till.sell(people.ann, [Sale("one")] * 50)
    draw_one(gala, people)
    told: List[Any] = []
    with Audit.run(path, control_key=key, threads=1, progress=lambda done, total: told.append((done, total))) as audit:
        verdict = audit.verdict()
        assert (verdict.passed, verdict.key_pinned, verdict.tickets, verdict.draws, verdict.currency, verdict.stamped_at) == (True, True, 50, 1, "CAD", None)
        assert list(audit.faults()) == [] and [draw.assurance for draw in audit.draws()] == [Assurance.OPERATOR]
        with pytest.raises(raffle.NotFound):
            audit.fault_at(0)
    with Store.open(path) as store, Audit.run(store) as audit:
        assert audit.verdict().records == verdict.records and not audit.verdict().key_pinned
    for receipts in ({"a": 5}, [("a", [1, 2])]):
        with pytest.raises(TypeError):
            Audit.run(path, receipts=receipts)
    other = raffle.audit_store(path, gala.unit_describe(1).key)
    assert not other.passed and other.integrity > 0
    with Audit.run(path, control_key=gala.unit_describe(1).key) as audit:
        assert FaultKind.INTEGRITY in {fault.kind for fault in audit.faults()}
    with pytest.raises(raffle.Error):
        Audit.run(path, threads=65)


def openssl(folder: pathlib.Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)


def test_published_and_stamped(tmp_path: pathlib.Path, gala: Raffle, till: Unit, people: People) -> None:
    till.sell(people.ann, [Sale("one")] * 50)
    draw_one(gala, people)
    info = gala.publish(tmp_path / "public")
    assert info.logs == 2 and info.records == info.added > 50 and info.files and info.bytes and not gala.publish(tmp_path / "public").added
    with pytest.raises(raffle.Mismatch):
        gala.publish(tmp_path / "public", hashes=True)
    gala.publish(tmp_path / "hashes", hashes=True)
    assert raffle.audit_store(tmp_path / "hashes").withheld and raffle.audit_store(tmp_path / "public").tickets == 50
    with Store.open(f"folder:{tmp_path}/public") as store, Raffle.open(store) as copy:
        assert copy.describe().tickets == 50
        with pytest.raises(raffle.Unsupported):
            copy.event_find()

    size, query = raffle.timestamp_begin(tmp_path / "public")
    checkpoint = (tmp_path / "public/control/checkpoint").read_bytes()
    assert len(raffle.timestamp_query(checkpoint)) <= 128 and size == gala.describe().control_size
    (tmp_path / "query").write_bytes(query)
    (tmp_path / "tsa.cnf").write_text("[tsa]\ndefault_tsa = it\n[it]\nserial = ./serial\ncrypto_device = builtin\nsigner_digest = sha256\n"
                                      "default_policy = 1.2.3.4.1\ndigests = sha256\ness_cert_id_alg = sha256\n")
    (tmp_path / "purpose").write_text("extendedKeyUsage=critical,timeStamping\n")
    openssl(tmp_path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=Authority",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    openssl(tmp_path, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Stamps")
    openssl(tmp_path, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-out", "tsa.pem", "-extfile", "purpose")
    openssl(tmp_path, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "response")
    response, authorities = (tmp_path / "response").read_bytes(), (tmp_path / "ca.pem").read_text()
    stamp = raffle.timestamp_finish(tmp_path / "public", size, response, authorities)
    assert stamp.trusted and stamp.authority == "Stamps" and abs(stamp.at - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=5)
    assert raffle.timestamp_verify(checkpoint, response).at == stamp.at and not raffle.timestamp_verify(checkpoint, response).trusted
    with pytest.raises(raffle.Mismatch):
        raffle.timestamp_verify(b"other", response, authorities)
    with pytest.raises(raffle.Invalid):
        raffle.timestamp_verify(checkpoint, b"no response")
    with Audit.run(tmp_path / "public", authorities=authorities) as audit:
        assert (audit.verdict().timestamps, audit.verdict().timestamps_trusted, audit.verdict().stamped_at) == (1, 1, stamp.at)


# --- backups ---

def test_backup_restore_mirror(tmp_path: pathlib.Path, gala: Raffle, till: Unit, people: People) -> None:
    till.sell(people.ann, [Sale("one")] * 20)
    backup, keys = tmp_path / "gala.backup", f"file:{tmp_path}/gala.raffle.keys"
    with open(backup, "wb") as file:
        gala.backup(file)
    info = raffle.backup_verify(backup, gala.describe().control_key)
    assert (info.units, info.origin) == (1, "raffle.example/gala") and info.records > 20
    with pytest.raises(raffle.errors.Key):
        raffle.backup_verify(backup, gala.unit_describe(1).key)
    with Raffle.restore(backup, tmp_path / "mirror.raffle", keys=keys) as mirror:
        till.sell(people.ann, [Sale("one")] * 5)
        done = gala.mirror(mirror)
        assert done.copied == 5 and mirror.describe().tickets == 25
    with Store.open(f"sqlite:{tmp_path}/again.raffle?create=1") as store, raffle.Keys.open(keys) as held:
        with Raffle.restore(backup, store, people.boss, keys=held) as again:
            assert again.describe().tickets == 20 and not again.unit_describe(1).enabled
        with pytest.raises(raffle.Exists):
            Raffle.restore(backup, store, people.boss, keys=held)
    backup.write_bytes(backup.read_bytes()[:-100])
    with pytest.raises(raffle.IntegrityError):
        raffle.backup_verify(backup)


# --- randomness ---

def test_rng() -> None:
    with Rng.open("test:seed=07") as rng, Rng.open("test:seed=07") as same:
        assert rng.name == "test" and rng.fill(100) == same.fill(100) and rng.fill(0) == b""
        assert list(rng.pick(49, 6)) == list(same.pick(49, 6)) and len(set(rng.pick(49, 49))) == 49
        assert len(rng.collect(10, 3, 100)) == 300 and len(rng.collect(2, 50, 2, replace=True, one_seed=True)) == 100
        rng.test()
        seed = rng.seed()
        assert len(seed.seed) == 48 and raffle.seed_commitment(seed.seed) == seed.commitment and seed.evidence == ""
    with Rng.open("system:") as rng:
        assert rng.fill(32) != rng.fill(32)


# --- witnesses ---

def test_witnesses(tmp_path: pathlib.Path, people: People) -> None:
    """By the example's witness, in this process."""
    name, seed = program.make_key(str(tmp_path / "w.key"), "w.example/raffles")
    key = program.vkey(name, 4, program.ed25519.public_key(seed))
    rules = make_rules(witnesses=[f"witness w0 {key} http://127.0.0.1:1/", "quorum w0"])
    with Raffle.create(tmp_path / "r.raffle", rules, people.boss) as r, r.unit_open(1) as till:
        till.sell(people.ann, [Sale("one")] * 3)
        assert [(w.name, w.url) for w in r.witnesses()] == [("w0", "http://127.0.0.1:1")] and r.witness_at(0).vkey == key and "quorum w0" in r.witness_policy()
        seal_and_ack(r, people)
        with r.draw_begin(people.boss, "first") as draw, Rng.open("test:seed=03") as rng:
            size = draw.describe().intent + 1
            with pytest.raises(raffle.Quorum):
                draw.finish(rng)
            assert not r.checkpoint_quorum(0, size)
            witness = program.Witness(name, seed, dict([program.read_vkey(r.describe().control_key)]), str(tmp_path / "w.db"), time.time)
            with pytest.raises(raffle.Invalid):
                r.witness_request(0, size, size + 1)
            body = r.witness_request(0, size)
            assert body.startswith(b"old 0\n")
            assert r.witness_answer(0, 0, size, 409, f"{size - 1}\n") == size - 1
            with pytest.raises(raffle.Io):
                r.witness_answer(0, 0, size, 500, b"")
            with pytest.raises(raffle.Signature):
                r.checkpoint_cosign(0, size, f"\u2014 {name} {base64.b64encode(bytes(76)).decode()}\n")
            lines = witness.add_checkpoint(body.decode())
            assert r.witness_answer(0, 0, size, 200, lines) is None
            assert r.checkpoint_quorum(0, size)
            r.checkpoint_cosign(0, size, lines)
            draw.finish(rng)
    with Raffle.create(tmp_path / "none.raffle", make_rules(), people.boss) as r, pytest.raises(raffle.NotFound):
        r.witness_policy()
