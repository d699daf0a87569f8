#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules' witnesses (docs/spec/draw.md, C2SP tlog-policy) in plain Python, sharing no code with the library: reading the lines, and whether those who cosigned are a
quorum. Bad lines raise ValueError."""

import base64
import hashlib
import re

MOST = 32
URL = re.compile(r'https?://[^/:?#@\\"<>\x00-\x20\x7f-][^?#@\\"<>\x00-\x20\x7f-\U0010ffff]*')


def refuse(bad, why):
    if bad:
        raise ValueError(why)


class Policy:
    def __init__(self, lines):
        self.witnesses, self.groups, self.members, self.quorum = {}, {}, set(), None
        for line in lines:
            refuse(re.search("[\x00-\x1f\x7f-\x9f]", line), "a control character")
            words = line.split(" ")
            take = {"witness": self.witness, "group": self.group, "quorum": self.name_quorum}.get(words[0])
            refuse(take is None or "" in words, "not a line of a policy")
            take(*words[1:])
        refuse(self.quorum is None, "no quorum")

    def new(self, name):
        refuse(name == "none" or len(name.encode()) > 64 or name in self.witnesses or name in self.groups, "no new name")

    def witness(self, name="", vkey="", url=None, *more):
        self.new(name)
        match = re.fullmatch(r"([^+\s]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})", vkey)
        refuse(name == "" or match is None or more or len(self.witnesses) == MOST, "no witness")
        key = base64.b64decode(match[3])
        refuse(key[0] != 4 or hashlib.sha256(match[1].encode() + b"\n" + key).digest()[:4].hex() != match[2], "no witness's key")
        refuse(key in [known for known, _ in self.witnesses.values()], "a key twice")
        refuse(url is not None and (len(url) > 255 or not URL.fullmatch(url)), "no address")
        self.witnesses[name] = (key, vkey)

    def group(self, name="", count="", *members):
        self.new(name)
        refuse(not members or len(self.groups) == MOST, "no group")
        for member in members:
            refuse(member not in self.witnesses and member not in self.groups or member in self.members, "no member")
            self.members.add(member)
        needed = {"all": len(members), "any": 1}.get(count) or (int(count) if re.fullmatch("[1-9][0-9]?", count) else 0)
        refuse(not 0 < needed <= len(members), "no number of members")
        self.groups[name] = (needed, members)

    def name_quorum(self, name="", *more):
        refuse(more or self.quorum is not None or name not in self.witnesses and name not in self.groups, "no quorum")
        self.quorum = name

    def reached(self, cosigned, name=None):
        """Whether these witnesses, by name, are a quorum."""
        name = name or self.quorum
        if name in self.witnesses:
            return name in cosigned
        needed, members = self.groups[name]
        return sum(self.reached(cosigned, member) for member in members) >= needed
