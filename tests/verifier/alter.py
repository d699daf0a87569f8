# SPDX-License-Identifier: Apache-2.0
"""Alterations of a forgery (forge.py): each takes it, alters it, and returns what is to be given to its write(), or None."""
import copy

import forge


def late(kind, alter, at=0, log=0):
    """Alters the record of this type that is number `at` of its log, after all that follows was derived for it."""
    def make(forgery):
        wanted = forgery.find(kind, at, log)
        return {"late": lambda record, index, number: alter(record.value) if record is wanted else None}
    return make


def early(kind, alter, at=0, log=0):
    """Alters the record before: what follows from it is derived."""
    def make(forgery):
        alter(forgery.find(kind, at, log).value)
    return make


def set_to(**members):
    return lambda value: value.update(members)


def add_to(**members):
    def alter(value):
        for name, more in members.items():
            value[name] += more
    return alter


def without(name):
    return lambda value: value.pop(name)


def remove(kind, at=0, log=0):
    def make(forgery):
        forgery.logs[log].remove(forgery.find(kind, at, log))
    return make


def insert(record, after, at=0, log=0):
    """A record after another one, with what every leaf has."""
    def make(forgery):
        before = forgery.find(after, at, log)
        value = {"at": before["at"], "by": "manager", "p": "0" * 64, **record}
        forgery.logs[log].insert(forgery.logs[log].index(before) + 1, forge.Record(value))
    return make


def twice(kind, at=0, log=0):
    def make(forgery):
        record = forgery.find(kind, at, log)
        forgery.logs[log].insert(forgery.logs[log].index(record) + 1, copy.copy(record))
    return make


def in_earnest(forgery):
    forgery.rules().update(rehearsal=False, rng=["system"])
    for record in forgery.logs[0]:
        if "provider" in record.value:
            record["provider"] = "system"
