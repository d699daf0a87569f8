#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A web shop's backend: sells over HTTP, an order for each key, however often it is asked.

    python3 shop.py STORE [--port 8000] [--unit 1]

    PUT /orders/KEY        {"tickets": [{"tier": "twenty", "count": 2}], "payment": "pi_31", "buyer": "b-17"}
    GET /orders/KEY        the same tickets, with their draw numbers and validation numbers
    DELETE /orders/KEY     takes them back: the payment was not captured
    GET /receipts/SERIAL   the ticket's receipt

The client makes the key, a UUIDv7, and repeats the request with it until it gets an answer: authorise the payment, PUT, capture; or DELETE. Each request is a thread, and
what threads sell at once is committed together. Python's standard library serves: put a server with TLS before it, and let nobody but the shop's front end ask.
"""
import argparse
import http.server
import itertools
import json
import re
import sys
from typing import Any, Dict, List, Tuple

import raffle

SELLER = raffle.Actor("shop", raffle.Role.SYSTEM)
VOIDER = raffle.Actor("shop", raffle.Role.SUPERVISOR)
PATH = re.compile(r"/(orders|receipts)/([A-Za-z0-9-]{1,64})")
LIMIT = 65536
LINES = 1000  # of one order, at most

# What a failure is over HTTP. All others are the server's: 500.
STATUS: List[Tuple[type, int]] = [
    (raffle.NotFound, 404), (raffle.Mismatch, 409), (raffle.Drawn, 409), (raffle.Erased, 410), (raffle.ArgumentsError, 400), (raffle.Timeout, 503), (raffle.Unknown, 503),
    (raffle.Busy, 503), (raffle.StateError, 403), (ValueError, 400), (TypeError, 400), (KeyError, 400), (OverflowError, 400),
]


class Shop:
    """What the shop does, without HTTP."""

    def __init__(self, store: str, unit: int) -> None:
        self.raffle = raffle.Raffle.open(store)
        self.number = unit
        self.unit = self.raffle.unit_open(unit)

    def sell(self, key: str, order: Any) -> List[Dict[str, Any]]:
        lines = (raffle.Sale(line["tier"], key, order.get("payment", ""), order.get("buyer", ""), "web") for line in order["tickets"] for _ in range(line.get("count", 1)))
        few = list(itertools.islice(lines, LINES + 1))  # whatever the counts say: the library refuses one line too many
        return self.shown(self.unit.sell(SELLER, few, timeout_ms=5000))

    def order(self, key: str) -> List[Dict[str, Any]]:
        return self.shown(self.raffle.order_tickets(key))

    def take_back(self, key: str) -> List[Dict[str, Any]]:
        for ticket in self.raffle.order_tickets(key):
            try:
                self.raffle.void(VOIDER, ticket.unit, ticket.serial, "payment")
            except raffle.Voided:
                pass  # by an earlier try
        return self.order(key)

    def receipt(self, serial: str) -> str:
        return self.raffle.receipt(self.number, int(serial))

    def shown(self, tickets: raffle.Tickets) -> List[Dict[str, Any]]:
        return [{
            "ticket": f"{ticket.unit}/{ticket.serial}", "tier": ticket.tier, "price": ticket.price, "numbers": ticket.numbers, "void": ticket.void,
            "at": ticket.at.isoformat() if ticket.at else None, "validation": self.validation(ticket),
        } for ticket in tickets]

    def validation(self, ticket: raffle.Ticket) -> str:
        """By the ticket's own unit: an order may have been sold at another one, where its serials are other tickets'."""
        if ticket.unit == self.number:
            return self.unit.validation(ticket.serial)
        with self.raffle.unit_open(ticket.unit) as other:
            return other.validation(ticket.serial)

    def free(self) -> None:
        self.unit.free()
        self.raffle.free()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    shop: Shop

    def do_PUT(self) -> None:
        self.answer("orders", lambda key: self.shop.sell(key, self.body()))

    def do_GET(self) -> None:
        if self.path.startswith("/receipts/"):
            self.answer("receipts", self.shop.receipt)
        else:
            self.answer("orders", self.shop.order)

    def do_DELETE(self) -> None:
        self.answer("orders", self.shop.take_back)

    def body(self) -> Any:
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 <= length <= LIMIT:
            raise ValueError(f"a request has at most {LIMIT} bytes")
        return json.loads(self.rfile.read(length))

    def answer(self, kind: str, do: Any) -> None:
        """What `do` gives for the path's last part, or why not, in the library's words."""
        match = PATH.fullmatch(self.path)
        if match is None or match[1] != kind:
            self.send(404, {"error": "there is no such address"})
            return
        try:
            done = do(match[2])
        except Exception as no:
            status = next((status for kind, status in STATUS if isinstance(no, kind)), 500)
            name = raffle.rc_name(no.rc) if isinstance(no, raffle.Error) else type(no).__name__
            self.send(status, {"error": str(no), "rc": name})
            return
        self.send(200, done)

    def send(self, status: int, value: Any) -> None:
        data = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8" if isinstance(value, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass  # keys of orders are private


def serve(shop: Shop, port: int) -> http.server.ThreadingHTTPServer:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), type("Bound", (Handler,), {"shop": shop}))
    server.daemon_threads = True
    return server


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("store")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--unit", type=int, default=1)
    given = parser.parse_args()
    shop = Shop(given.store, given.unit)
    server = serve(shop, given.port)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
    finally:
        shop.free()


if __name__ == "__main__":
    main()
