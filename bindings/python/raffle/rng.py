# SPDX-License-Identifier: Apache-2.0
"""Providers of randomness: the library's, by URI, and the host's own; and the selection that a draw uses."""
import abc
import array
import threading
from typing import Any, List, Optional, Tuple, Union

from ._border import Buffer, array_size, call, fixed, integer, string, text
from ._callbacks import callback, drop, notice, owner_of
from ._handles import Handle, check_table
from ._native import ffi, lib
from .errors import Invalid, Misuse
from .host import Host, Lent


class RngTable(abc.ABC):
    """A provider of the host's. Its methods may be called from any thread.

    C: raffle_rng_table_init
    """

    @abc.abstractmethod
    def fill(self, length: int, timeout_ms: int) -> Union[bytes, Tuple[bytes, str]]:
        """Exactly `length` random bytes, at most 1,024; or with them up to 64 characters of printable ASCII by which the provider's own records know this call.
        A short fill is a failure. What comes is tested: a handle's first call is for 1,024 bytes that are thrown away."""

    def free(self) -> None:
        """Called once, when the last user of the handle is gone."""


here = threading.local()


def filling() -> List[RngTable]:
    """The providers whose `fill` this thread is inside of."""
    if not hasattr(here, "tables"):
        here.tables = []
    tables: List[RngTable] = here.tables
    return tables


@callback("rng_table_fill", locked=True, owner=owner_of)
def fill(table: RngTable, out: Any, length: int, filled: Any, evidence: Any, timeout_ms: int, err: Any) -> None:
    filling().append(table)
    try:
        answer = table.fill(length, timeout_ms)
    finally:
        filling().pop()
    data, known = answer if isinstance(answer, tuple) else (answer, "")
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"fill gave {type(data).__name__}, not bytes")
    if len(data) > length:
        raise ValueError(f"fill gave {len(data)} bytes where {length} were asked for")
    note = text(known, "evidence")
    if len(note) >= lib.RAFFLE_NAME_SIZE:
        raise ValueError(f"the evidence has {len(note)} bytes, and {lib.RAFFLE_NAME_SIZE - 1} may be")
    ffi.memmove(out, data, len(data))
    ffi.memmove(evidence, note + b"\0", len(note) + 1)
    filled[0] = len(data)


@notice("rng_table_free")
def free(ctx: Any) -> None:
    table: Optional[RngTable] = drop(ctx)
    if table is not None:
        table.free()


class Seed:
    """The seed of a committed draw, which the host keeps secret and does not lose, and the commitment to it, which goes into the intent."""

    __slots__ = ("commitment", "evidence", "seed")

    def __init__(self, seed: bytes, commitment: bytes, evidence: str) -> None:
        self.seed = seed
        self.commitment = commitment
        self.evidence = evidence
        """By what the provider's own records know the call, or ""."""

    def __repr__(self) -> str:
        return f"Seed(commitment={self.commitment.hex()})"


class Rng(Handle):
    """A provider of randomness. Every byte goes through health tests; one that failed stays failed: `RngUnhealthy`. Any thread.

    C: raffle_rng_free
    """

    _c = "raffle_rng"
    _guarded = False  # a provider may ask another one
    _table: Optional[RngTable] = None

    def _get(self) -> Any:
        if self._table is not None and self._table in filling():
            raise Misuse("a provider may not ask itself")
        return super()._get()

    @classmethod
    def open(cls, uri: str, host: Optional[Host] = None) -> "Rng":
        """A provider by URI: `system:`, `kms:?region=REGION`, `pkcs11:…`, `test:seed=HEX` (rehearsals only).

        C: raffle_rng_open
        """
        with Lent(host) as lent:
            return cls._make(lib.raffle_rng_open, text(uri, "uri"), lent)

    @classmethod
    def new(cls, name: str, table: RngTable) -> "Rng":
        """A provider of the host's, under a name that the rules pin: "host:" and a word.

        C: raffle_rng_new
        """
        check_table(table, RngTable)
        made = cls._over(table, ("fill", "free"), text(name, "name"))
        made._table = table
        return made

    @property
    def name(self) -> str:
        """The name by which rules pin it: "system", "kms:ca-central-1", "host:cloud".

        C: raffle_rng_name
        """
        pointer = self._get()  # until the string is copied, whoever frees it meanwhile
        return string(lib.raffle_rng_name(pointer))

    def fill(self, length: int, timeout_ms: int = 10000) -> bytes:
        """Exactly `length` raw bytes.

        C: raffle_rng_fill
        """
        out = ffi.new("uint8_t[]", array_size(length, "length"))
        call(lib.raffle_rng_fill, self._get(), out, length, timeout_ms)
        return bytes(ffi.buffer(out))

    def pick(self, range: int, picks: int, timeout_ms: int = 10000) -> "array.array[int]":
        """`picks` of the numbers 0 … `range` - 1, in order, without replacement, chosen as a draw chooses them.

        C: raffle_rng_pick
        """
        out = numbers(range, picks, 1, False)
        call(lib.raffle_rng_pick, self._get(), range, pointer(out), picks, timeout_ms)
        return out

    def collect(self, range: int, picks: int, draws: int, *, replace: bool = False, one_seed: bool = False, timeout_ms: int = 10000) -> "array.array[int]":
        """Many draws at once, for a lab's collection: `draws` times `picks` numbers, one draw after the other. replace: a number may come again in the same
        draw. one_seed: one seed for all draws of the call.

        C: raffle_rng_collect
        """
        flags = lib.RAFFLE_COLLECT_REPLACE * bool(replace) | lib.RAFFLE_COLLECT_ONE_SEED * bool(one_seed)
        out = numbers(range, picks, draws, replace)
        call(lib.raffle_rng_collect, self._get(), flags, range, picks, pointer(out), draws, timeout_ms)
        return out

    def seed(self, timeout_ms: int = 10000) -> Seed:
        """The seed of a committed draw.

        C: raffle_rng_seed
        """
        seed, commitment = ffi.new("uint8_t[48]"), ffi.new("uint8_t[32]")
        evidence = ffi.new("char[]", lib.RAFFLE_NAME_SIZE)
        call(lib.raffle_rng_seed, self._get(), seed, commitment, evidence, timeout_ms)
        made = Seed(bytes(ffi.buffer(seed)), bytes(ffi.buffer(commitment)), string(evidence))
        ffi.memmove(seed, bytes(48), 48)
        return made

    def test(self, timeout_ms: int = 10000) -> None:
        """The start-up test now: asks for 1,024 bytes, tests them and throws them away.

        C: raffle_rng_test
        """
        call(lib.raffle_rng_test, self._get(), timeout_ms)


def numbers(range: int, picks: int, draws: int, replace: bool) -> "array.array[int]":
    """Room for them. More than there can be are refused here: the memory for them could end the process."""
    n = array_size(picks, "picks") * array_size(draws, "draws")
    if picks > integer(range, "range") and not replace:
        raise Invalid(f"{picks} of {range} numbers cannot be picked without replacement")
    if n >= 2**60:
        raise OverflowError(f"{n} numbers are too many")
    return array.array("Q", [0]) * n


def pointer(values: "array.array[int]") -> Any:
    return ffi.from_buffer("uint64_t[]", values) if values else ffi.new("uint64_t[1]")


def seed_commitment(seed: Buffer) -> bytes:
    """The commitment to a seed that was kept.

    C: raffle_seed_commitment
    """
    out = ffi.new("uint8_t[32]")
    call(lib.raffle_seed_commitment, fixed(seed, 48, "seed"), out)
    return bytes(ffi.buffer(out))
