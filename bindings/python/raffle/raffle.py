# SPDX-License-Identifier: Apache-2.0
"""A raffle as a whole: made from rules, opened, described, backed up. The calls on its tickets, units, draws, logs are in the modules of these names."""
import datetime
import json
from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Optional, Union

from ._border import Document, StrPath, call, document, ms_of, optional_text, path, string_out, text
from ._handles import given, optional_handle
from ._native import lib
from ._structs import Struct
from ._writers import Writer, writing
from .actor import Actor, actor, optional_actor
from .cash import Cash
from .counterfoil import Counterfoils
from .draw import Draws, each
from .errors import NotFound
from .event import Events
from .host import Host, Lent
from .keys import Keys
from .log import Logs
from .publish import Publishing
from .receipt import Receipts
from .report import Reports
from .role import Operations
from .sale import Sales, Ticket
from .seal import Seals
from .store import Store
from .till import Tills
from .unit import UnitInfo, Units
from .witness import Witnesses

Rules = Union[Document, Mapping[str, Any]]
"""JSON, as docs/guide/rules.md says, or what `json.dumps` makes it of."""
StoreLike = Union[StrPath, Store]
KeysLike = Union[str, Keys]


@dataclass(frozen=True)
class Info(Struct):
    """What a raffle is, and how it stands.

    C: raffle_info_init
    """

    _c = "raffle_info"
    rehearsal: bool
    origin: str
    name: str
    organisation: str
    licence: str
    currency: str
    """ISO 4217."""
    digits: int
    """Of its minor unit: 2 for CAD."""
    opens: datetime.datetime
    """The sales window."""
    closes: datetime.datetime
    rules_hash: bytes
    """Leaf hash of raffle.open, printed on every ticket."""
    control_key: str
    """The control log's public key as a vkey."""
    control_size: int
    """Records in the control log."""
    units: int
    tiers: int
    prizes: int
    halted: bool
    """A log of this handle was found damaged."""
    tickets: int
    """Sold, void ones included; a sum over all units as of now, like what follows."""
    numbers: int
    """Draw numbers sold, void ones included."""
    voids: int
    """Tickets that are void."""
    gross: int
    """Money taken, void tickets included, in minor units."""
    void_gross: int
    pot: int
    """gross - void_gross."""
    closed: bool
    """The final seal is there."""
    drawing: bool
    """An intent is open."""
    place: str
    """Where it takes place; "": the rules name none."""
    witnesses: int
    """That the rules ask."""
    till: int
    """The unit whose till this is: its keys alone are here; 0: none."""
    series: str
    """That the raffle is one of; "": the rules name none."""
    series_number: int
    """Which one of them; 0: none."""
    buyer_tickets: int
    """The most tickets of one buyer; 0: no limit."""


@dataclass(frozen=True)
class Tier(Struct):
    """A price tier: `count` draw numbers for `price`.

    C: raffle_tier_init
    """

    _c = "raffle_tier"
    count: int
    price: int
    name: str


@dataclass(frozen=True)
class BackupInfo(Struct):
    """What a backup holds.

    C: raffle_backup_info_init
    """

    _c = "raffle_backup_info"
    units: int
    control: int
    """Records of the control log."""
    records: int
    """Of all logs."""
    keys: int
    """Rows of keys."""
    origin: str
    key: str
    """The control key, which signed it."""


@dataclass(frozen=True)
class MirrorInfo(Struct):
    """What a mirror got.

    C: raffle_mirror_info_init
    """

    _c = "raffle_mirror_info"
    units: int
    """Of whose logs it has all that was there."""
    copied: int
    """Records, by this call."""
    records: int
    """Of all its logs now."""


def rules_text(rules: Rules) -> Document:
    return json.dumps(rules, ensure_ascii=False) if isinstance(rules, Mapping) else rules


def with_handles(store: StoreLike, keys: Optional[KeysLike], host: Optional[Host]) -> bool:
    """Whether a call is to be the one that takes handles."""
    if not isinstance(store, Store):
        if isinstance(keys, Keys):
            raise TypeError("keys is a Keys, and store no Store: give both as handles, or both by their names")
        return False
    if keys is not None and not isinstance(keys, Keys):
        raise TypeError("store is a Store, and keys no Keys: give both as handles, or both by their names")
    return True


class Raffle(Cash, Counterfoils, Draws, Events, Logs, Operations, Publishing, Receipts, Reports, Sales, Seals, Tills, Units, Witnesses):
    """A raffle in a store. Any thread: a process opens a store once and shares the handle.

    C: raffle_free
    """

    _c = "raffle"

    @classmethod
    def create(cls, store: StoreLike, rules: Rules, by: Actor, *, keys: Optional[KeysLike] = None, host: Optional[Host] = None) -> "Raffle":
        """Makes a raffle in an empty or new store: its control log with the frozen rules, its keys, and its sales units. store: a path, a URI, or a Store; keys:
        "file:DIR" (by default "file:PATH.keys" beside the store), or Keys. `by` is a manager or administrator. A fault in the rules is `Invalid` or `Limit`, and the
        sentence names the field.

        C: raffle_create, raffle_create_with
        """
        data, length = document(rules_text(rules), "rules")
        with Lent(host) as lent:
            if with_handles(store, keys, host):
                assert isinstance(store, Store) and not isinstance(keys, str)
                return cls._make(lib.raffle_create_with, store._get(), given(keys, Keys, "keys")._get(), lent, data, length, actor(by))
            assert not isinstance(store, Store) and not isinstance(keys, Keys)
            return cls._make(lib.raffle_create, path(store, "store"), optional_text(keys, "keys"), lent, data, length, actor(by))

    @classmethod
    def open(cls, store: StoreLike, *, keys: Optional[KeysLike] = None, host: Optional[Host] = None) -> "Raffle":
        """Opens a raffle. keys: by default as create() noted; "": none, and with a Store None: the raffle can then be read, audited and proved, not changed.

        C: raffle_open, raffle_open_with
        """
        with Lent(host) as lent:
            if with_handles(store, keys, host):
                assert isinstance(store, Store) and not isinstance(keys, str)
                return cls._make(lib.raffle_open_with, store._get(), optional_handle(keys, Keys, "keys"), lent)
            assert not isinstance(store, Store) and not isinstance(keys, Keys)
            return cls._make(lib.raffle_open, path(store, "store"), optional_text(keys, "keys"), lent)

    @classmethod
    def unit_install(cls, store: StoreLike, kit: Document, *, keys: KeysLike, control_key: Optional[str] = None, host: Optional[Host] = None) -> "Raffle":
        """Makes a till from its kit in an empty or new store, and opens it. `keys` must hold the unit's key. control_key: the raffle's control key as a vkey, known
        from elsewhere.

        C: raffle_unit_install, raffle_unit_install_with
        """
        data, length = document(kit, "kit")
        known = optional_text(control_key, "control_key")
        with Lent(host) as lent:
            if with_handles(store, keys, host):
                assert isinstance(store, Store) and not isinstance(keys, str)
                return cls._make(lib.raffle_unit_install_with, store._get(), given(keys, Keys, "keys")._get(), lent, data, length, known)
            assert not isinstance(store, Store) and not isinstance(keys, Keys)
            return cls._make(lib.raffle_unit_install, path(store, "store"), text(keys, "keys"), lent, data, length, known)

    @classmethod
    def restore(cls, backup: StrPath, store: StoreLike, by: Optional[Actor] = None, *, keys: Optional[KeysLike] = None, host: Optional[Host] = None) -> "Raffle":
        """Puts the raffle of a backup, a file, back into a store that holds none, and opens it. `by`, in a role that may `restore`, goes on record, and units that might
        sell the same numbers twice are disabled; None: the copy is to become a mirror, and must not be sold from.

        C: raffle_restore, raffle_restore_with
        """
        with Lent(host) as lent:
            if with_handles(store, keys, host):
                assert isinstance(store, Store) and not isinstance(keys, str)
                return cls._make(lib.raffle_restore_with, path(backup, "backup"), store._get(), given(keys, Keys, "keys")._get(), lent, optional_actor(by, "by"))
            assert not isinstance(store, Store) and not isinstance(keys, Keys)
            return cls._make(lib.raffle_restore, path(backup, "backup"), path(store, "store"), optional_text(keys, "keys"), lent, optional_actor(by, "by"))

    def describe(self) -> Info:
        """What it is, and how it stands.

        C: raffle_describe
        """
        info = Info._new()
        call(lib.raffle_describe, self._get(), info)
        return Info._read(info)

    def tier_at(self, i: int) -> Tier:
        """The tier at `i`, from 0 on, in the rules' order.

        C: raffle_tier_at
        """
        out = Tier._new()
        call(lib.raffle_tier_at, self._get(), i, out)
        return Tier._read(out)

    def tiers(self) -> Iterator[Tier]:
        """The tiers of the rules."""
        return each(self.tier_at)

    def units(self) -> Iterator[UnitInfo]:
        """The units, in the order of their enrolment."""
        return each(lambda i: self.unit_describe(i + 1))

    def tickets(self, unit: int, start: int = 0) -> Iterator[Ticket]:
        """The tickets of a unit, from the serial `start` on, as they stand while they are read."""
        for record in self.records(unit, start):
            try:
                ticket = self.ticket_get(unit, record.index)  # it judges the record: one that was altered is no other record
            except NotFound as no:
                if not no._of_call:
                    raise
                continue
            yield ticket

    def local_time(self, at: datetime.datetime) -> str:
        """What `at` is as the event's local time: "2026-11-21T18:30:00.000-07:00".

        C: raffle_local_time
        """
        return string_out(lib.raffle_local_time, self._get(), ms_of(at, "at"), cap=32)

    def self_check(self, by: Actor, manifest: Document, vkey: str) -> None:
        """Whether the library's file is the one that its maker signed, and the outcome as a significant event of the raffle. After one that failed the raffle begins
        no draw until it is verified again: `Halted`.

        C: raffle_self_check
        """
        data, length = document(manifest, "manifest")
        call(lib.raffle_self_check, self._get(), actor(by), data, length, text(vkey, "vkey"))

    def backup(self, write: Writer) -> None:
        """Writes a backup while the raffle is sold and drawn from, without keys: it is as secret as the store.

        C: raffle_backup
        """
        writing(lib.raffle_backup, self._get(), write=write)

    def mirror(self, mirror: "Raffle") -> MirrorInfo:
        """Gives `mirror`, opened with the same keys over a store that restore() filled with `by` None, all records that this one has and it has not.

        C: raffle_mirror
        """
        info = MirrorInfo._new()
        call(lib.raffle_mirror, self._get(), given(mirror, Raffle, "mirror")._get(), info)
        return MirrorInfo._read(info)


def rules_check(rules: Rules) -> None:
    """Checks rules without making anything: the same faults as Raffle.create().

    C: raffle_rules_check
    """
    data, length = document(rules_text(rules), "rules")
    call(lib.raffle_rules_check, data, length)


def backup_verify(backup: StrPath, key: Optional[str] = None) -> BackupInfo:
    """Checks the backup in a file, all of it and by itself. key: the control key that must have signed.

    C: raffle_backup_verify
    """
    info = BackupInfo._new()
    call(lib.raffle_backup_verify, path(backup, "backup"), optional_text(key, "key"), info)
    return BackupInfo._read(info)
