# SPDX-License-Identifier: Apache-2.0
"""Selling, from objects and from columns; finding, voiding, erasing; what becomes of lines that fail."""
import array
import datetime
import pathlib
import pickle
import uuid
from typing import Any, Callable, Dict, List, Type

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import raffle
from support import NOON, Clock, People, make_rules
from raffle import Raffle, Sale, Ticket, Tickets, Unit


def test_tickets_are_a_sequence(till: Unit, people: People) -> None:
    tickets = till.sell(people.ann, (Sale("one", f"o-{i}") for i in range(5)))
    assert isinstance(tickets, Tickets) and len(tickets) == 5 and isinstance(tickets[0], Ticket)
    assert tickets[-1] == tickets[4] == list(tickets)[4] and [t.serial for t in tickets[1:3]] == [2, 3]
    assert list(tickets.column("serial")) == [1, 2, 3, 4, 5] and list(tickets.column("price")) == [500] * 5
    assert tickets[2].numbers == ["1-0000003"] and tickets[2].at is not None and tickets[2].at.tzinfo is not None
    assert not tickets[0].replayed and not tickets[0].void and not tickets[0].reprinted
    with pytest.raises(IndexError):
        tickets[5]
    with pytest.raises(ValueError, match="order"):
        tickets.column("order")


def test_one_sale(till: Unit, people: People) -> None:
    tickets = till.sell(people.ann, Sale("twenty"))
    assert len(tickets) == 1 and tickets[0].count == 20 and tickets[0].order


def test_an_order_is_sold_once(gala: Raffle, till: Unit, people: People) -> None:
    first = till.sell(people.ann, [Sale("one", "web-1", payment="p", buyer="b", channel="web")] * 2)
    again = till.sell(people.ann, [Sale("one", "web-1", payment="p", buyer="b", channel="web")] * 2)
    assert [t.serial for t in again] == [t.serial for t in first] and all(t.replayed for t in again)
    with pytest.raises(raffle.Mismatch) as caught:
        till.sell(people.ann, Sale("twenty", "web-1"))
    assert caught.value.tickets is not None and caught.value.tickets[0].rc == raffle.Mismatch.rc
    assert [t.serial for t in gala.order_tickets("web-1")] == [1, 2]
    till.sell(people.ann, [Sale("one", "many")] * 20)
    assert len(gala.order_tickets("many")) == 20
    with pytest.raises(raffle.NotFound):
        gala.order_tickets("no-such-order")


def test_lines_that_fail_and_lines_that_stand(gala: Raffle, till: Unit, people: People) -> None:
    with pytest.raises(raffle.NotFound, match="no-such-tier") as caught:
        till.sell(people.ann, [Sale("one", "a"), Sale("no-such-tier", "b"), Sale("one", "c")])
    tickets = caught.value.tickets
    assert caught.value.detail == 2 and tickets is not None
    assert list(tickets.column("rc")) == [0, raffle.NotFound.rc, 0] and tickets[1].order == "b" and tickets[1].at is None
    assert gala.order_tickets("c")[0].serial == tickets[2].serial
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and list(again.tickets) == list(tickets)
    assert gala.describe().tickets == 2


def test_found_again(gala: Raffle, till: Unit, people: People) -> None:
    ticket = till.sell(people.ann, Sale("twenty", "o"))[0]
    assert gala.ticket_get(1, ticket.serial) == gala.ticket_by_number("1-0000007") == gala.ticket_by_validation(till.validation(ticket.serial).lower()) == ticket
    assert list(gala.tickets(1)) == [ticket]
    gala.void(people.sue, 1, ticket.serial, "refund")
    assert gala.ticket_get(1, ticket.serial).void
    with pytest.raises(raffle.Voided):
        gala.void(people.sue, 1, ticket.serial, "refund")
    with pytest.raises(raffle.NotFound):
        gala.ticket_get(1, 99)
    with pytest.raises(raffle.Invalid):
        gala.ticket_by_validation("000J3-SPE42-90ZF8-9PKAV-XMQWP")


def test_erased(gala: Raffle, till: Unit, people: People) -> None:
    till.sell(people.ann, Sale("one", "o", buyer="b"))
    gala.ticket_erase(people.boss, 1, 1)
    assert gala.ticket_get(1, 1).order == ""
    assert [record.private for record in gala.records(1)][1] is None
    with pytest.raises(raffle.Erased):
        gala.order_tickets("o")


def test_columns(gala: Raffle, till: Unit, people: People) -> None:
    keys = [str(uuid.uuid4()) for _ in range(1000)]
    by_list = till.sell_columns(people.ann, 1000, tier="one", order=keys, channel="web")
    assert [t.order for t in by_list] == keys
    for joined in ("\n".join(keys).encode(), bytearray("\n".join(keys).encode() + b"\n"), memoryview("\n".join(keys).encode())):
        again = till.sell_columns(people.ann, 1000, tier=["one"] * 1000, order=joined)
        assert again.column("serial") == by_list.column("serial") and again[0].replayed
    assert gala.describe().tickets == 1000
    assert len(till.sell_columns(people.ann, 3, tier=b"one\ntwenty\none")) == 3


def test_replayed_times(tmp_path: pathlib.Path, people: People, clock: Clock) -> None:
    with Raffle.create(tmp_path / "r.raffle", make_rules(), people.boss, host=clock) as r, r.unit_open(1) as till:
        at = [NOON + datetime.timedelta(minutes=i) for i in range(1, 4)]
        assert [t.at for t in till.sell(people.ann, [Sale("one", at=one) for one in at])] == at
        clock.now = NOON + datetime.timedelta(minutes=20)
        later = array.array("q", [int(one.timestamp() * 1000) + 600000 for one in at])
        assert list(till.sell_columns(people.ann, 3, tier="one", at=later).column("at")) == list(later)
        clock.now = hour = NOON + datetime.timedelta(hours=1)
        assert till.sell_columns(people.ann, 2, tier="one", at=[None, hour + datetime.timedelta(seconds=1)])[1].at == hour + datetime.timedelta(seconds=1)


@pytest.mark.parametrize("columns, kind", [
    (dict(tier="one", order=["a"]), ValueError),
    (dict(tier="one", order=b"a"), raffle.Invalid),
    (dict(tier="one", order=b"a\nb\nc"), raffle.Invalid),
    (dict(tier="one", order=["a", "b\0c"]), raffle.Invalid),
    (dict(tier="one", order=b"a\nb\0"), raffle.Invalid),
    (dict(tier="one", order=["a", "b" * 72]), raffle.Invalid),
    (dict(tier="x" * 40), raffle.Invalid),
    (dict(tier="on\0e"), ValueError),
    (dict(tier="one", order=["a", "\ud800"]), UnicodeEncodeError),
    (dict(tier="one", order=["a", 7]), TypeError),
    (dict(tier="one", order=7), TypeError),
    (dict(tier=None), TypeError),
    (dict(tier="one", at=b"12345678"), ValueError),
    (dict(tier="one", at=array.array("d", [0, 0])), TypeError),
    (dict(tier="one", at=[datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc), None]), ValueError),
    (dict(tier="one", at=[NOON, "now"]), TypeError),
    (dict(tier="one", at=[NOON, NOON.replace(tzinfo=None)]), ValueError),
    (dict(tier="one", at=array.array("q", [2**63 - 1, 0])), raffle.Error),
])
def test_bad_columns(idle: Unit, people: People, columns: Dict[str, Any], kind: Type[BaseException]) -> None:
    with pytest.raises(kind):
        idle.sell_columns(people.ann, 2, **columns)


@pytest.mark.parametrize("n", [0, -1, 10001, 2**70])
def test_bad_counts(idle: Unit, people: People, n: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        idle.sell_columns(people.ann, n, tier="one")
    with pytest.raises(ValueError):
        idle.sell(people.ann, [])


TEXTS = st.lists(st.text(max_size=70), min_size=1, max_size=20)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_any_column_is_what_any_object_is(till: Unit, people: People, buyers: List[str]) -> None:
    """Objects, a list and, where no value has a line feed, a buffer give the same tickets or the same failure."""
    def outcome(sell: Callable[[], Tickets]) -> object:
        try:
            return [t.rc for t in sell()]
        except UnicodeEncodeError as no:
            return type(no)
        except raffle.Error as no:
            return type(no), no.detail
    n = len(buyers)
    objects = outcome(lambda: till.sell(people.ann, [Sale("one", buyer=buyer) for buyer in buyers]))
    columns = outcome(lambda: till.sell_columns(people.ann, n, tier="one", buyer=buyers))
    assert objects == columns
    if "\n" not in "".join(buyers) and buyers[-1] and objects is not UnicodeEncodeError:
        assert outcome(lambda: till.sell_columns(people.ann, n, tier="one", buyer="\n".join(buyers).encode("utf-8"))) == objects


@given(st.integers(1, 65535), st.integers(1, 2**40 - 1))
def test_numbers_go_and_come_back(unit: int, number: int) -> None:
    assert raffle.number_parse(raffle.number_format(unit, number)) == (unit, number)
