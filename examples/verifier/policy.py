# SPDX-License-Identifier: Apache-2.0
"""Which witnesses must have cosigned: the lines of a C2SP tlog-policy in the rules (docs/spec/draw.md, Witnesses)."""
import note


class Policy:
    def __init__(self, lines):
        self.witnesses, self.groups, self.quorum = {}, {}, None
        members = set()
        for line in lines:
            kind, *words = line.split(" ")
            if kind == "witness" and len(words) in (2, 3):
                self._new(words[0])
                vkey = note.read_vkey(words[1])
                if vkey.type != note.COSIGNATURE or vkey.key in {w.key for w in self.witnesses.values()}:
                    raise ValueError(f"the key of witness {words[0]} serves another, or is none for cosignatures")
                self.witnesses[words[0]] = vkey
            elif kind == "group" and len(words) >= 3:
                self._new(words[0])
                self._group(words[0], words[1], words[2:], members)
            elif kind == "quorum" and len(words) == 1 and self.quorum is None and self._known(words[0]):
                self.quorum = words[0]
            else:
                raise ValueError(f"{line[:60]!r} is no line of a policy")
        if self.quorum is None or len(self.witnesses) > 32 or len(self.groups) > 32:
            raise ValueError("the policy has no quorum, or too many witnesses or groups")

    def _known(self, name):
        return name in self.witnesses or name in self.groups

    def _new(self, name):
        if name == "none" or self._known(name) or not 1 <= len(name.encode()) <= 64:
            raise ValueError(f"{name!r} is no new name")

    def _group(self, name, how, names, members):
        if len(set(names)) != len(names) or members & set(names) or not all(map(self._known, names)):
            raise ValueError(f"the members of group {name} are not known, or counted twice")
        members |= set(names)
        needed = len(names) if how == "all" else 1 if how == "any" else int(how) if how.isascii() and how.isdigit() and how[0] != "0" else 0
        if not 1 <= needed <= len(names):
            raise ValueError(f"group {name} asks for {how}")
        self.groups[name] = (needed, names)

    def cosigned(self, parsed, before=None):
        """The names of those whose cosignatures a note carries, with times before this one in seconds. A wrong one raises note.BadNote."""
        times = {name: parsed.cosigned(vkey) for name, vkey in self.witnesses.items()}
        return {name for name, seconds in times.items() if seconds and (before is None or seconds < before)}

    def reached(self, names):
        have = set(names)
        for name, (needed, members) in self.groups.items():  # members come before their group
            if len(have & set(members)) >= needed:
                have.add(name)
        return self.quorum in have
