# SPDX-License-Identifier: Apache-2.0
"""Witnesses: parties of their own who cosign checkpoints. The library builds what is sent and judges what comes back; sending it is the host's."""
from dataclasses import dataclass
from typing import Iterator, Optional

from ._border import LATEST, Document, call, document, text_out
from ._handles import Handle
from ._native import ffi, lib
from ._structs import Struct
from .draw import each


@dataclass(frozen=True)
class Witness(Struct):
    """A witness of the rules.

    C: raffle_witness_init
    """

    _c = "raffle_witness"
    name: str
    """In the rules."""
    vkey: str
    """Its public key, for cosignatures."""
    url: str
    """Without a last '/'; "": the rules give none."""


class Witnesses(Handle):
    """The calls of a raffle on its witnesses."""

    def witness_at(self, i: int) -> Witness:
        """The witness at `i`, from 0 on, in the rules' order.

        C: raffle_witness_at
        """
        out = Witness._new()
        call(lib.raffle_witness_at, self._get(), i, out)
        return Witness._read(out)

    def witnesses(self) -> Iterator[Witness]:
        """The witnesses of the rules."""
        return each(self.witness_at)

    def witness_policy(self) -> str:
        """The rules' policy, lines of C2SP tlog-policy. `NotFound`: the rules ask no witnesses.

        C: raffle_witness_policy
        """
        return text_out(lib.raffle_witness_policy, self._get(), cap=4096).decode()

    def witness_request(self, log: int, size: int, old_size: int = 0) -> bytes:
        """What asks a witness to cosign the checkpoint that is kept for `size`, given that the last one it cosigned is over `old_size` records: the body to POST to
        its address with "/add-checkpoint" behind it.

        C: raffle_witness_request
        """
        return text_out(lib.raffle_witness_request, self._get(), log, size, old_size, cap=lib.RAFFLE_WITNESS_REQUEST_SIZE)

    def witness_answer(self, i: int, log: int, size: int, status: int, body: Document) -> Optional[int]:
        """Judges the answer of the witness at `i`: its HTTP status and body. None: its cosignatures were verified and are kept. A number: the last that it cosigned
        is over so many records; build the request anew with it, a few times at most. `History`, `Signature`, `NotFound`, `Busy`, `Invalid`, `Limit`, `Io`.

        C: raffle_witness_answer
        """
        data, length = document(body, "body")
        again = ffi.new("uint64_t *")
        call(lib.raffle_witness_answer, self._get(), i, log, size, status, data, length, again)
        return None if again[0] == LATEST else int(again[0])

    def checkpoint_cosign(self, log: int, size: int, lines: Document) -> None:
        """Adds cosignatures that came another way: signature lines for the checkpoint that is kept for `size`.

        C: raffle_checkpoint_cosign
        """
        data, length = document(lines, "lines")
        call(lib.raffle_checkpoint_cosign, self._get(), log, size, data, length)

    def checkpoint_quorum(self, log: int, size: int) -> bool:
        """Whether the kept checkpoint carries the cosignatures of the rules' quorum, whatever their times.

        C: raffle_checkpoint_quorum
        """
        reached = ffi.new("int32_t *")
        call(lib.raffle_checkpoint_quorum, self._get(), log, size, reached)
        return bool(reached[0])
