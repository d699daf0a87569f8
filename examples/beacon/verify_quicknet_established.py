#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies a round of drand's quicknet by py_ecc, the Ethereum Foundation's curves in Python, on which its consensus specification runs.

    pip install py_ecc==8.0.0
    python3 examples/beacon/verify_quicknet_established.py ROUND SIGNATURE_HEX

Exit status as verify_quicknet.py, with which it shares the constants and the command line, and no arithmetic. py_ecc, because it hashes to
G1 with any tag, which libraries made for one chain's signatures do not; because it is a wheel of Python alone, which any machine installs;
and because its points and pairings can be compared with those of bls12_381.py one by one.
"""
import hashlib
import sys

import quicknet

try:
    from py_ecc.bls.g2_primitives import pubkey_to_G1, signature_to_G2, subgroup_check
    from py_ecc.bls.hash_to_curve import hash_to_G1
    from py_ecc.optimized_bls12_381 import G2, is_inf, pairing
except ImportError as error:
    print(f"py_ecc cannot be used: {error}", file=sys.stderr)
    sys.exit(quicknet.UNCHECKED)


def point(what, data, size, decode):
    """py_ecc's names say what Ethereum keeps in each group; its decoders leave the length and the subgroup to the caller."""
    if len(data) != size:
        raise ValueError(f"the {what} has {len(data)} bytes, not {size}")
    p = decode(data)
    if is_inf(p):
        raise ValueError(f"the {what} is the point at infinity")
    if not subgroup_check(p):
        raise ValueError(f"the {what} is not in the subgroup")
    return p


def verify(public_key, message, signature, dst):
    key = point("public key", public_key, 96, signature_to_G2)
    s = point("signature", signature, 48, pubkey_to_G1)
    if pairing(G2, s) != pairing(key, hash_to_G1(message, dst, hashlib.sha256)):
        raise ValueError("the signature is not the key's over this message")


if __name__ == "__main__":
    sys.exit(quicknet.main(verify))
