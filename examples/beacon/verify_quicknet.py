#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies a round of drand's quicknet, in Python's standard library alone.

    python3 examples/beacon/verify_quicknet.py ROUND SIGNATURE_HEX

Exit status 0 if the signature is the group's for that round, 1 with the reason if it is not, 2 if it could not be checked.
"""
import sys

try:
    import bls12_381
    import quicknet
except Exception as error:  # pylint: disable=broad-except  # else Python would exit with 1, which accuses the signature
    print(f"nothing can be checked: {error!r}", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(quicknet.main(bls12_381.verify))
