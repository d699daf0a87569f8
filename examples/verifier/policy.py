# SPDX-License-Identifier: Apache-2.0
"""Which witnesses must have cosigned an intent's checkpoint, and which have: C2SP tlog-policy in the rules, tlog-cosignature v1 in the
note (docs/spec/draw.md, "Witnesses")."""
import re

import ed25519
import note
from canonical_json import Malformed
from records import text

WITNESSES_MAX = GROUPS_MAX = 32
LINE_MAX, LINES_BYTES_MAX = 4200, 32768
NAME_MAX = 64
URL = re.compile(r"""https?://(?![/:])[^\x00-\x20\x7f-\U0010ffff?#@\\"<>]+""")
URL_MAX = 255


class Policy:
    def __init__(self, lines):
        self.witnesses, self.groups, self.quorum = {}, {}, None
        self.free = set()  # names that are in no group yet
        if not isinstance(lines, list):
            raise Malformed("the witnesses are no lines")
        for line in lines:
            text(LINE_MAX)(line)
            words = line.split(" ")
            {"witness": self._witness, "group": self._group, "quorum": self._quorum}.get(words[0], self._unknown)(words)
        if sum(len(line.encode("utf-8")) + 1 for line in lines) > LINES_BYTES_MAX:
            raise Malformed("the witnesses are too long")
        if self.quorum is None or len(self.witnesses) > WITNESSES_MAX or len(self.groups) > GROUPS_MAX:
            raise Malformed(f"a policy has one quorum, at most {WITNESSES_MAX} witnesses and {GROUPS_MAX} groups")

    def _unknown(self, words):
        raise Malformed(f"{words[0]!r} begins no line of a policy")

    def _define(self, name):
        if not 1 <= len(name.encode("utf-8")) <= NAME_MAX or name == "none" or name in self.witnesses or name in self.groups:
            raise Malformed(f"{name!r} is no name, or is defined already")
        self.free.add(name)

    def _witness(self, words):
        if len(words) not in (3, 4) or (len(words) == 4 and not (URL.fullmatch(words[3]) and len(words[3]) <= URL_MAX)):
            raise Malformed("a witness has a name, a key and perhaps an address")
        self._define(words[1])
        vkey = note.parse_vkey(words[2])
        if vkey.type != note.COSIGNATURE or any(vkey.key == other.key for other in self.witnesses.values()):
            raise Malformed(f"the key of {words[1]} is not of type 04, or another witness has it")
        self.witnesses[words[1]] = vkey

    def _group(self, words):
        members = words[3:]
        if not members or not set(members) <= self.free or len(set(members)) != len(members):
            raise Malformed("a group has members, each defined before and in no other group")
        if not re.fullmatch("all|any|[1-9][0-9]?", words[2]):
            raise Malformed("a group needs all, any or a number of its members")
        needed = {"all": len(members), "any": 1}.get(words[2]) or int(words[2])
        if needed > len(members):
            raise Malformed("a group needs more members than it has")
        self._define(words[1])
        self.free -= set(members)
        self.groups[words[1]] = (needed, members)

    def _quorum(self, words):
        if len(words) != 2 or self.quorum is not None or words[1] not in {**self.witnesses, **self.groups}:
            raise Malformed("there is one quorum, of a name that is defined before")
        self.quorum = words[1]

    def cosigned(self, signed, before=2**63):
        """The names of the witnesses whose right cosignatures the note carries, of a time before this one, in seconds. One that is wrong
        makes the whole note wrong."""
        names = set()
        for signature in signed.signatures:
            name = next((n for n, v in self.witnesses.items() if (v.name, v.key_id) == (signature.name, signature.key_id)), None)
            if name is None:
                continue
            time = int.from_bytes(signature.data[:8], "big")
            message = f"cosignature/v1\ntime {time}\n".encode() + signed.text
            if len(signature.data) != 72 or time >= 2**63 or not ed25519.verify(self.witnesses[name].key, message, signature.data[8:]):
                raise Malformed(f"the cosignature of {name} is wrong")
            if 0 < time < before:  # 0: the time was left out
                names.add(name)
        return names

    def is_reached(self, names, of=None):
        """Whether these witnesses are a quorum."""
        of = of or self.quorum
        if of in self.witnesses:
            return of in names
        needed, members = self.groups[of]
        return sum(self.is_reached(names, member) for member in members) >= needed
