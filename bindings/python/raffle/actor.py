# SPDX-License-Identifier: Apache-2.0
"""Who does it: an id and a role."""
from typing import Any, Optional, Union

from ._border import NULL, call, string, text
from ._native import ffi, lib
from ._structs import Number


class Role(Number):
    """Who may do what is frozen in the rules as a list of roles for each operation."""

    SELLER = lib.RAFFLE_SELLER
    SUPERVISOR = lib.RAFFLE_SUPERVISOR
    MANAGER = lib.RAFFLE_MANAGER
    """GLI's event manager."""
    ADMINISTRATOR = lib.RAFFLE_ADMINISTRATOR
    AUDITOR = lib.RAFFLE_AUDITOR
    SYSTEM = lib.RAFFLE_SYSTEM
    """A machine that sells without an attendant: a web shop, a kiosk, an importer."""


def role_name(role: int) -> Optional[str]:
    """"seller" … "system"; None for another number.

    C: raffle_role_name
    """
    name = lib.raffle_role_name(role)
    return None if name == NULL else string(name)


def role_parse(name: str) -> Optional[Role]:
    """The other way round; None for another word.

    C: raffle_role_parse
    """
    role = lib.raffle_role_parse(text(name, "role"))
    return Role(role) if role else None


class Actor:
    """Who did it. The library records it and checks the role against the rules; that the person is who they say is for the host to check (GLI-31 5.2.2).
    The id is private and can be erased; the role is public. It never changes, and may be shared between threads.

    C: raffle_actor_init
    """

    __slots__ = ("_ptr", "id", "role")

    _ptr: Any
    id: str
    role: Role

    def __init__(self, id: str, role: Union[Role, str]) -> None:
        known = role_parse(role) if isinstance(role, str) else Role(role)
        if known is None:
            raise ValueError(f"there is no role {role!r}")
        pointer = ffi.new("raffle_actor *")
        call(lib.raffle_actor_init, pointer, ffi.sizeof("raffle_actor"), text(id, "id"), known)
        for name, value in (("_ptr", pointer), ("id", id), ("role", known)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an Actor does not change: {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Actor) and (self.id, self.role) == (other.id, other.role)

    def __hash__(self) -> int:
        return hash((self.id, self.role))

    def __repr__(self) -> str:
        return f"Actor({self.id!r}, {role_name(self.role)!r})"

    def __reduce__(self) -> Any:
        return Actor, (self.id, self.role)


def actor(value: Actor, what: str = "by") -> Any:
    """As C takes it."""
    if not isinstance(value, Actor):
        raise TypeError(f"{what} is an Actor, not {type(value).__name__}")
    return value._ptr


def optional_actor(value: Optional[Actor], what: str = "ok") -> Any:
    return NULL if value is None else actor(value, what)
