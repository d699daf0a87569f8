# SPDX-License-Identifier: Apache-2.0
"""Keys: an Ed25519 key for each log, and the ticket key; in a folder, in a token, or with the host."""
import abc
from typing import Any, Optional

from ._border import path, string
from ._callbacks import callback, drop, notice, owner_of
from ._handles import Handle, check_table
from ._native import ffi, lib
from .errors import NotFound
from .host import Host, Lent


class KeysTable(abc.ABC):
    """A holder of keys of the host's. Keys are asked for by name: "control", "unit-1", "unit-2", …. `origin` is the raffle's. Methods may be called from any
    thread; `sign` inside of the store's transaction.

    C: raffle_keys_table_init
    """

    @abc.abstractmethod
    def make(self, origin: str, name: str) -> None:
        """Makes a key that does not exist, durably; `Exists` when it does, which is then left as it is. Also of the name "ticket"."""

    @abc.abstractmethod
    def public_key(self, origin: str, name: str) -> Optional[bytes]:
        """The Ed25519 public key, 32 bytes; None when there is no such key."""

    @abc.abstractmethod
    def sign(self, origin: str, name: str, message: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes (RFC 8032, pure)."""

    @abc.abstractmethod
    def ticket_key(self, origin: str) -> Optional[bytes]:
        """The ticket key, 32 bytes."""

    def unit_ticket_key(self, origin: str, unit: int) -> Optional[bytes]:
        """At a till elsewhere: the ticket key of its unit; None when there is none."""
        return None

    def unit_ticket_key_keep(self, origin: str, unit: int, key: bytes) -> None:
        """Keeps it, durably; `Exists` when there is one, which is then left as it is."""
        raise NotImplementedError

    def free(self) -> None:
        """Called once, when the last user of the handle is gone."""


def hand_out(value: Optional[bytes], size: int, out: Any, what: str) -> None:
    if value is None:
        raise NotFound(f"there is no {what}")
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{what} is bytes, not {type(value).__name__}")
    if len(value) != size:
        raise ValueError(f"{what} has {len(value)} bytes, not {size}")
    ffi.memmove(out, value, size)


@callback("keys_table_make", locked=True, owner=owner_of)
def make(table: KeysTable, origin: Any, name: Any, err: Any) -> None:
    table.make(string(origin), string(name))


@callback("keys_table_public_key", locked=True, owner=owner_of)
def public_key(table: KeysTable, origin: Any, name: Any, out: Any, err: Any) -> None:
    hand_out(table.public_key(string(origin), string(name)), 32, out, "public key")


@callback("keys_table_sign", locked=True, owner=owner_of)
def sign(table: KeysTable, origin: Any, name: Any, message: Any, length: int, out: Any, err: Any) -> None:
    hand_out(table.sign(string(origin), string(name), bytes(ffi.buffer(message, length))), 64, out, "signature")


@callback("keys_table_ticket_key", locked=True, owner=owner_of)
def ticket_key(table: KeysTable, origin: Any, out: Any, err: Any) -> None:
    hand_out(table.ticket_key(string(origin)), 32, out, "ticket key")


@callback("keys_table_unit_ticket_key", locked=True, owner=owner_of)
def unit_ticket_key(table: KeysTable, origin: Any, unit: int, out: Any, err: Any) -> None:
    hand_out(table.unit_ticket_key(string(origin), unit), 32, out, "ticket key of the unit")


@callback("keys_table_unit_ticket_key_keep", locked=True, owner=owner_of)
def unit_ticket_key_keep(table: KeysTable, origin: Any, unit: int, key: Any, err: Any) -> None:
    table.unit_ticket_key_keep(string(origin), unit, bytes(ffi.buffer(key, 32)))


@notice("keys_table_free")
def free(ctx: Any) -> None:
    table: Optional[KeysTable] = drop(ctx)
    if table is not None:
        table.free()


class Keys(Handle):
    """Keys. Any thread.

    C: raffle_keys_free
    """

    _c = "raffle_keys"

    @classmethod
    def open(cls, uri: str, host: Optional[Host] = None) -> "Keys":
        """Keys by URI: `file:DIR`, a folder that only its owner may enter and that need not exist; `pkcs11:…`, a token.

        C: raffle_keys_open
        """
        with Lent(host) as lent:
            return cls._make(lib.raffle_keys_open, path(uri, "uri"), lent)

    @classmethod
    def new(cls, table: KeysTable) -> "Keys":
        """Keys that the host holds.

        C: raffle_keys_new
        """
        check_table(table, KeysTable)
        own = type(table).unit_ticket_key is not KeysTable.unit_ticket_key
        return cls._over(table, ("make", "public_key", "sign", "ticket_key", "free", *(("unit_ticket_key", "unit_ticket_key_keep") if own else ())))
