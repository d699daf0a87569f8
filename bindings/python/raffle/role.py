# SPDX-License-Identifier: Apache-2.0
"""Who may do what: the table of operations and roles that the rules froze, and which of them take two (GLI-31 5.2.2)."""
from dataclasses import dataclass
from typing import FrozenSet, Iterator

from ._border import call
from ._handles import Handle
from ._native import lib
from ._structs import Number, Struct
from .actor import Role
from .draw import each


class Second(Number):
    """Whether an operation takes a second approver, who is another person and in one of the roles of "approve"."""

    NEVER = lib.RAFFLE_SECOND_NEVER
    SOMETIMES = lib.RAFFLE_SECOND_SOMETIMES
    """As an exception: `when` says which."""
    ALWAYS = lib.RAFFLE_SECOND_ALWAYS


@dataclass(frozen=True)
class Operation(Struct):
    """An operation of the rules.

    C: raffle_operation_init
    """

    _c = "raffle_operation"
    roles: int
    """Bit r: the role r may do it."""
    second: Second
    name: str
    """As in the rules: "void"."""
    what: str
    """Half a sentence."""
    when: str
    """It takes a second approver; "" for never and always."""

    @property
    def allowed(self) -> FrozenSet[Role]:
        """The roles that may do it."""
        return frozenset(role for role in Role if self.roles >> role & 1)


class Operations(Handle):
    """The calls of a raffle on its operations."""

    def operation_at(self, i: int) -> Operation:
        """The operation at `i`, from 0 on, in the order of their names.

        C: raffle_operation_at
        """
        out = Operation._new()
        call(lib.raffle_operation_at, self._get(), i, out)
        return Operation._read(out)

    def operations(self) -> Iterator[Operation]:
        """All of them."""
        return each(self.operation_at)
