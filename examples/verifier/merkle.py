# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of RFC 6962, section 2.1, and the verifier of inclusion proofs of RFC 9162, section 2.1.3.2."""
import hashlib

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root(hashes):
    """The root over leaf hashes, or over the roots of complete subtrees of one size."""
    stack = []  # (height, root) of complete subtrees, the largest first
    for one in hashes:
        height = 0
        while stack and stack[-1][0] == height:
            one = node_hash(stack.pop()[1], one)
            height += 1
        stack.append((height, one))
    if not stack:
        return EMPTY
    result = stack.pop()[1]
    while stack:
        result = node_hash(stack.pop()[1], result)
    return result


def included(index, size, hashed, proof, wanted):
    """Whether the leaf with this hash is at `index` of the tree of `size` leaves whose root is `wanted`; with exactly as many hashes as it takes."""
    if not 0 <= index < size:
        return False
    fn, sn, value = index, size - 1, hashed
    for one in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            value = node_hash(one, value)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node_hash(value, one)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and value == wanted
