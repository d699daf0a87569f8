#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The cut-offs in src/rng/health.h, computed again with exact fractions as SP 800-90B 4.4.1 and 4.4.2 define them, and `raffle rng health`."""
import json
import os
import re
import subprocess
from fractions import Fraction
from math import comb

HEADER = os.path.join(os.environ["RAFFLE_SOURCE"], "src/rng/health.h")
ENTROPY = 8  # bits claimed for a sample


def constant(text, name):
    return int(re.search(rf"\bRF_HEALTH_{name} = (\d+)", text).group(1))


def critical_binomial(n, p, probability):
    """The smallest k for which at most k of n trials succeed with at least this probability."""
    total = Fraction(0)
    for k in range(n + 1):
        total += comb(n, k) * p**k * (1 - p)**(n - k)
        if total >= probability:
            return k
    raise AssertionError("a distribution does not sum up to 1")


def check_cutoffs():
    with open(HEADER, encoding="utf-8") as file:
        text = file.read()
    alpha, window = constant(text, "ALPHA"), constant(text, "WINDOW")
    assert constant(text, "REPEATS") == 1 + -(-alpha // ENTROPY), "repetition count"
    expected = 1 + critical_binomial(window, Fraction(1, 2**ENTROPY), 1 - Fraction(1, 2**alpha))
    assert constant(text, "PROPORTION") == expected, f"adaptive proportion: {expected}"
    assert window == 512 and constant(text, "START_UP") >= 1024, "SP 800-90B asks for these"
    # For alpha = 2^-20 the same function must give the values of SP 800-90B's table 2.
    for entropy, published in ((1, 311), (2, 177), (4, 62), (8, 13)):
        assert 1 + critical_binomial(512, Fraction(1, 2**entropy), 1 - Fraction(1, 2**20)) == published, entropy


def raffle(*arguments):
    run = subprocess.run([os.environ["RAFFLE"], *arguments], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def check_command():
    status, out, _ = raffle("rng", "health", "--rng", "system:")
    assert status == 0 and "system" in out and "passed" in out, out
    status, out, _ = raffle("rng", "health", "--rng", "test:seed=2a", "--json")
    assert status == 0 and json.loads(out) == {"rng": "test", "bytes": 1024, "passed": True}, out
    assert raffle("rng", "health")[0] == 2
    assert raffle("rng", "health", "--rng", "nonsense:")[0] == 1


check_cutoffs()
check_command()
