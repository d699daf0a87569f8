# SPDX-License-Identifier: Apache-2.0
"""What is found: faults of integrity (what is there is wrong) and of completeness (what must be there is missing)."""

INTEGRITY, COMPLETENESS = "integrity", "completeness"


class Fault(ValueError):
    """What is wrong with a record, as a stable word and a sentence."""

    def __init__(self, code, message, kind=INTEGRITY):
        super().__init__(message)
        self.code, self.kind = code, kind


class Report:
    def __init__(self):
        self.faults, self.draws = [], []

    def add(self, kind, log, index, code, message):
        self.faults.append({"kind": kind, "log": log, "index": index, "code": code, "message": str(message)})

    def fault(self, log, index, fault):
        self.add(fault.kind, log, index, fault.code, fault)

    def count(self, kind=None):
        return sum(kind in (None, one["kind"]) for one in self.faults)
