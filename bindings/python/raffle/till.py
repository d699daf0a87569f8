# SPDX-License-Identifier: Apache-2.0
"""Tills elsewhere (GLI-31 3.4, 6.1.4): a sales unit that keeps its log in a store of its own, sells without any link within its quota, and uploads later."""
from dataclasses import dataclass
from typing import NamedTuple, Optional, Union

from ._border import Document, call, document, path, string, string_out, text
from ._handles import Handle
from ._native import ffi, lib
from ._structs import Struct
from ._writers import Writer, writing
from .actor import Actor, actor
from .host import Host, Lent
from .keys import Keys


class Application(NamedTuple):
    """What a till asks to be enrolled with; both are public."""

    key: str
    """Its public key as a vkey, and …"""
    proof: str
    """… the proof that it has it."""


@dataclass(frozen=True)
class UploadInfo(Struct):
    """What became of an upload.

    C: raffle_upload_info_init
    """

    _c = "raffle_upload_info"
    unit: int
    records: int
    """In the upload."""
    taken: int
    """Of those, that were new here."""
    size: int
    """Of the unit's log: all that was ever uploaded."""
    numbers: int
    """Draw numbers sold, in all."""
    twice: int
    """Orders, in all, that another unit, or the unit before, sold under the same order key."""
    control_size: int
    """Of the control log at the till when it exported: what unit_news() begins at."""
    closed: bool
    """The unit's log has come to its end."""
    excepted: bool
    """A final seal was made without these: they are kept, and never drawn."""


def unit_apply(keys: Union[str, Keys], origin: str, unit: int, host: Optional[Host] = None) -> Application:
    """At the till: makes the key of unit `unit` of the raffle `origin`, or takes the one that is there.

    C: raffle_unit_apply, raffle_unit_apply_with
    """
    key, proof = ffi.new("char[]", lib.RAFFLE_VKEY_SIZE), ffi.new("char[]", lib.RAFFLE_PROOF_SIZE)
    if isinstance(keys, Keys):
        call(lib.raffle_unit_apply_with, keys._get(), text(origin, "origin"), unit, key, proof)
    else:
        with Lent(host) as lent:
            call(lib.raffle_unit_apply, path(keys, "keys"), lent, text(origin, "origin"), unit, key, proof)
    return Application(string(key), string(proof))


class Tills(Handle):
    """The calls of a raffle on tills elsewhere, and those of a till on what it hears."""

    def unit_kit(self, unit: int, write: Writer) -> None:
        """Writes the unit's kit: K_u, with which its validation numbers are made, and the control log. Secret; may be written again.

        C: raffle_unit_kit
        """
        writing(lib.raffle_unit_kit, self._get(), unit, write=write)

    def unit_challenge(self, unit: int) -> str:
        """A line, which says what the raffle has of the unit and is signed so that it is known again. Fresh for an hour.

        C: raffle_unit_challenge
        """
        return string_out(lib.raffle_unit_challenge, self._get(), unit, cap=lib.RAFFLE_CHALLENGE_SIZE)

    def unit_upload(self, by: Actor, upload: Document) -> UploadInfo:
        """Takes an upload: it is verified and folded whole ahead of its first row. The same one again changes nothing; one that was cut off goes on where it ended.

        C: raffle_unit_upload
        """
        data, length = document(upload, "upload")
        info = UploadInfo._new()
        call(lib.raffle_unit_upload, self._get(), actor(by), data, length, info)
        return UploadInfo._read(info)

    def unit_news(self, unit: int, start: int, write: Writer) -> None:
        """Writes the control log from record `start` on, with its checkpoint, for a till that knows what is before.

        C: raffle_unit_news
        """
        writing(lib.raffle_unit_news, self._get(), unit, start, write=write)

    def unit_update(self, news: Document) -> None:
        """At the till: takes what the control log has become.

        C: raffle_unit_update
        """
        data, length = document(news, "news")
        call(lib.raffle_unit_update, self._get(), data, length)
