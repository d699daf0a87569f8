#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy on loopback before a PostgreSQL server, which breaks connections, holds answers back and gives errors where a test says so,
and records every transaction: its statements, the rows that each touched, and how it ended (PostgreSQL 15, chapter 55).

    with Proxy(("127.0.0.1", server.port)) as proxy:
        proxy.plan(Fault("cut before", at=7))                         # the 7th message of a client is not forwarded, nor any after it
        proxy.plan(Fault("error", "statement", at=2, state="40001"))  # the server fails the 2nd statement, and rolls back
"""
import dataclasses
import re
import socket
import struct
import threading
import time
from typing import Optional

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102
ANSWERED_BY = {b"P": "1", b"B": "2", b"C": "3", b"D": "describe", b"E": "execute", b"S": "Z", b"Q": "query"}
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b", re.I)


@dataclasses.dataclass
class Fault:
    """What happens at the `at`-th of what is counted from when it is planned, over all connections.

    `of`: "front", messages of clients; "back", of the server; "statement", statements that are executed; "commit", COMMITs.
    `what`: "cut before" and "cut after" it is forwarded: the client learns nothing more, the server sees an end after what it got;
    "stall": from then on all answers to everybody are held back, until release(); "error": in place of a statement's answer, with `state`,
    after which the real transaction is rolled back, or, when `committed`, was committed all the same; and when `cut`, the connection ends
    with it.
    `times`: so many from there on; None: all.
    """
    what: str
    of: str = "front"
    at: int = 1
    state: str = "40001"
    committed: bool = False
    cut: bool = False
    times: Optional[int] = 1

    def __post_init__(self):
        assert self.what != "error" or self.of in ("statement", "commit"), "an error is the answer to a statement"


@dataclasses.dataclass
class Statement:
    """`rows`: written, or selected when it locks them; `size`: bytes of its parameters."""
    sql: str
    size: int = 0
    rows: int = 0
    tag: str = ""  # as the server answered; "": it did not


@dataclasses.dataclass
class Transaction:
    """`end`: "COMMIT", "ROLLBACK", "alone" (without a BEGIN), "broken" (the connection ended before)."""
    statements: list
    end: str = "broken"
    explicit: bool = False

    def written(self):
        return [s for s in self.statements if WRITES.match(s.sql) or re.search(r"\bFOR (NO KEY )?UPDATE\b", s.sql)]


@dataclasses.dataclass
class Expected:
    """An answer that the server owes."""
    kind: str
    statement: Optional[Statement] = None
    hidden: bool = False
    cut: bool = False


def frame(kind, body):
    return kind + struct.pack("!I", 4 + len(body)) + body


def text_at(body, at):
    end = body.index(b"\0", at)
    return body[at:end].decode(), end + 1


def recv_exactly(sock, n):
    parts = []
    while n > 0:
        part = sock.recv(n)
        if not part:
            raise ConnectionError
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


def hidden_statement(sql):
    """The messages for a statement of ours, without a name."""
    return [frame(b"P", b"\0" + sql.encode() + b"\0\0\0"), frame(b"B", b"\0\0" + bytes(6)), frame(b"E", bytes(5))]


def close(sock):
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


class Connection:
    """Of one client: a thread for each direction."""

    def __init__(self, proxy, client):
        self.proxy, self.client = proxy, client
        self.server = socket.create_connection(proxy.target)
        for sock in (self.client, self.server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lock = threading.Lock()
        self.prepared, self.portals = {}, {}
        self.owed, self.gone = [], False
        self.skips = False  # after a failure the server skips what is sent, up to the end of the flight
        self.transaction = Transaction([])
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self.front, self.back)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def lose_client(self):
        self.gone = True
        close(self.client)

    # --- from the client ---

    def front(self):
        try:
            if self.start_up():
                while not self.gone:
                    head = recv_exactly(self.client, 5)
                    self.message(head[:1], recv_exactly(self.client, struct.unpack("!I", head[1:])[0] - 4))
        except (ConnectionError, OSError, ValueError):
            pass
        self.lose_client()
        try:
            self.server.shutdown(socket.SHUT_WR)  # it works off what it got, and sees the end
        except OSError:
            pass

    def start_up(self):
        while True:
            head = recv_exactly(self.client, 8)
            length, code = struct.unpack("!II", head)
            rest = recv_exactly(self.client, length - 8)
            if code in (SSL_REQUEST, GSS_REQUEST):
                self.client.sendall(b"N")
                continue
            fault = self.proxy.count("front")
            if fault and fault.what == "cut before":
                return False
            self.server.sendall(head + rest)
            return code != CANCEL_REQUEST and not (fault and fault.what == "cut after")

    def message(self, kind, body):
        statement = self.note(kind, body)
        fault = self.proxy.count("front")
        if kind == b"E" and not self.skips:
            fault = fault or self.proxy.count("statement")
        if kind == b"E" and not self.skips and statement.sql == "COMMIT":
            fault = fault or self.proxy.count("commit")
        what = fault.what if fault else ""
        if what == "cut before":
            raise ConnectionError
        if what == "stall":
            self.proxy.talks.clear()
        if what == "error":
            self.send_error(kind, body, statement, fault)
        else:
            self.send(kind, body, statement)
        if what == "cut after":
            raise ConnectionError

    def send(self, kind, body, statement=None, hidden=False):
        self.owe(kind, Expected(ANSWERED_BY.get(kind, ""), statement, hidden))
        self.server.sendall(frame(kind, body))

    def owe(self, kind, expected):
        with self.lock:
            if kind == b"S":
                self.skips = False
            if kind in ANSWERED_BY and not self.skips:
                self.owed.append(expected)

    def send_hidden(self, sql):
        for message in hidden_statement(sql):
            self.send(message[:1], message[5:], None, True)

    def send_error(self, kind, body, statement, fault):
        """The server itself fails, so that all that it says afterwards is true."""
        if fault.committed:
            self.send(kind, body, statement, True)
        elif statement.sql == "COMMIT":
            self.send_hidden("ROLLBACK")  # as after a COMMIT that failed: no transaction is left
        sql = f"DO $$ BEGIN RAISE EXCEPTION 'planned by the test' USING ERRCODE = '{fault.state}'; END $$"
        parse, bind, execute = hidden_statement(sql)
        self.send(b"P", parse[5:], None, True)
        self.send(b"B", bind[5:], None, True)
        self.owe(b"E", Expected("execute", None if fault.committed else statement, False, fault.cut))
        self.server.sendall(execute)

    # --- what the messages say ---

    def note(self, kind, body):
        """The statement that a message executes, or None."""
        if kind == b"P":
            name, at = text_at(body, 0)
            self.prepared[name] = text_at(body, at)[0]
        elif kind == b"B":
            portal, at = text_at(body, 0)
            name, at = text_at(body, at)
            self.portals[portal] = Statement(self.prepared.get(name, "?"), len(body) - at)
        elif kind == b"E":
            return self.portals.get(text_at(body, 0)[0], Statement("?"))
        elif kind == b"Q":
            return Statement(text_at(body, 0)[0])
        return None

    # --- from the server ---

    def back(self):
        try:
            while True:
                head = recv_exactly(self.server, 5)
                self.answer(head, recv_exactly(self.server, struct.unpack("!I", head[1:])[0] - 4))
        except (ConnectionError, OSError):
            pass
        self.lose_client()
        self.server.close()
        self.proxy.over(self)

    def answer(self, head, body):
        kind = head[:1].decode()
        hidden, cut = self.settle(kind, body)
        self.proxy.talks.wait()
        fault = None if hidden else self.proxy.count("back")
        what = fault.what if fault else ""
        if not hidden and not self.gone and what != "cut before":
            try:
                self.client.sendall(head + body)
            except OSError:
                self.lose_client()
        if cut or what.startswith("cut"):
            self.lose_client()

    def settle(self, kind, body):
        """Whether an answer is to a statement of ours, and whether the connection is to end with it."""
        with self.lock:
            if kind in "RKSNA" or not self.owed:
                return False, False
            first = self.owed[0]
            if kind == "E":
                return False, self.failed(first)
            if kind == "C" and first.statement is not None:
                self.put(first.statement, body[:-1].decode())
            if kind == "Z" and body == b"I":
                self.end("alone")
            if kind == "Z" or (first.kind != "query" and kind in "123TnCIs"):
                self.owed.pop(0)
            return first.hidden, False

    def failed(self, first):
        """What comes after it in its flight is never answered."""
        if first.statement is not None:
            self.put(first.statement, "")
        while self.owed and self.owed[0].kind not in ("Z", "query"):
            self.owed.pop(0)
        self.skips = not self.owed
        return first.cut

    # --- the record ---

    def put(self, statement, tag):
        statement.tag = tag
        statement.rows = int(tag.split()[-1]) if tag and tag.split()[-1].isdigit() else 0
        word = statement.sql.split(None, 1)[0].upper() if statement.sql.strip() else ""
        if word in ("COMMIT", "ROLLBACK"):
            self.end(tag or "ROLLBACK")
            return
        self.transaction.explicit |= word == "BEGIN"
        self.transaction.statements.append(dataclasses.replace(statement))

    def end(self, how):
        if self.transaction.statements:
            self.transaction.end = how
            self.proxy.transactions.append(self.transaction)
        self.transaction = Transaction([])


class Proxy:
    """`transactions`: what was recorded since clear(); `fired`: how often the fault that is planned happened; `counted`: what it counts."""

    def __init__(self, target):
        self.target = target
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.connections, self.transactions = set(), []
        self.fault, self.counted, self.fired = None, 0, 0
        self.talks = threading.Event()
        self.talks.set()

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        close(self.listener)
        self.release()
        self.cut()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                connection = Connection(self, client)
            except OSError:  # the server is down, and so are we
                close(client)
                continue
            with self.lock:
                self.connections.add(connection)
            connection.start()

    def over(self, connection):
        with connection.lock:
            connection.end("broken")
        with self.lock:
            self.connections.discard(connection)

    # --- what a test says ---

    def plan(self, fault):
        """None: no fault."""
        with self.lock:
            self.fault, self.counted, self.fired = fault, 0, 0

    def release(self):
        self.talks.set()

    def cut(self):
        """Every connection."""
        with self.lock:
            now = list(self.connections)
        for connection in now:
            connection.lose_client()

    def wait(self, seconds=30):
        """Until the server has ended every session, and with it what was under way."""
        until = time.monotonic() + seconds
        while self.connections:
            assert time.monotonic() < until, "the server does not end a session"
            time.sleep(0.002)

    def clear(self):
        self.transactions = []

    def count(self, of):
        """The fault that happens now, or None."""
        with self.lock:
            fault = self.fault
            if fault is None or fault.of != of:
                return None
            self.counted += 1
            if self.counted < fault.at or (fault.times is not None and self.counted >= fault.at + fault.times):
                return None
            self.fired += 1
            return fault
