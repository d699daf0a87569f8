#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies a round of drand's quicknet, in Python's standard library alone.

    python3 examples/beacon/verify_quicknet.py ROUND SIGNATURE_HEX

Exit status 0 if the signature is the group's for that round, 1 with the reason if it is not, 2 if it could not be checked.
"""
import sys

import bls12_381
import quicknet

if __name__ == "__main__":
    sys.exit(quicknet.main(bls12_381.verify))
