# SPDX-License-Identifier: Apache-2.0
"""What drand's group quicknet is, and what a verifier of its rounds is asked and answers; the check itself is the verifier's."""
import hashlib
import re
import sys

# As the group publishes it: https://api.drand.sh/52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971/info. The chain hash,
# by which the group is known, binds all the rest: see chain_hash().
CHAIN_HASH = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
PUBLIC_KEY = bytes.fromhex(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)
GROUP_HASH = bytes.fromhex("f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e")
GENESIS, PERIOD = 1692803367, 3  # in seconds: when round 1 was due, and from a round to the next
BEACON_ID = b"quicknet"

# Of its scheme, bls-unchained-g1-rfc9380.
DST = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"

GOOD, BAD, UNCHECKED = 0, 1, 2


def chain_hash():
    """As github.com/drand/drand has it, in the method Hash of its chain's Info."""
    numbers = PERIOD.to_bytes(4, "big") + GENESIS.to_bytes(8, "big")
    return hashlib.sha256(numbers + PUBLIC_KEY + GROUP_HASH + BEACON_ID).hexdigest()


def message(number):
    """What a round's signature signs: in an unchained scheme, its number alone."""
    return hashlib.sha256(number.to_bytes(8, "big")).digest()


def round_number(text):
    """A round's number, or None: decimal, from 1, in 64 bits."""
    if re.fullmatch("[1-9][0-9]{0,19}", text) and int(text) < 2**64:
        return int(text)
    return None


def check(text, number, verify):
    """Raises ValueError with the reason unless the text is the round's signature, in hexadecimal."""
    if not re.fullmatch("([0-9a-fA-F]{2})*", text):
        raise ValueError("the signature is not hexadecimal")
    verify(PUBLIC_KEY, message(number), bytes.fromhex(text), DST)


def main(verify):
    """Answers the command line by verify(key, message, signature, dst), which raises ValueError for a signature that is not good."""
    number = round_number(sys.argv[1]) if len(sys.argv) == 3 else None
    if number is None:
        print(f"usage: {sys.argv[0]} ROUND SIGNATURE_HEX", file=sys.stderr)
        return UNCHECKED
    if chain_hash() != CHAIN_HASH:
        print("the constants of quicknet are not those of its chain hash", file=sys.stderr)
        return UNCHECKED
    try:
        check(sys.argv[2], number, verify)
    except ValueError as reason:
        print(f"round {number} of quicknet: {reason}", file=sys.stderr)
        return BAD
    except Exception as error:  # pylint: disable=broad-except  # a fault of the verifier accuses nobody
        print(f"round {number} of quicknet could not be checked: {error!r}", file=sys.stderr)
        return UNCHECKED
    print(f"round {number} of quicknet: the signature is good")
    return GOOD
