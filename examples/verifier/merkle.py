# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of RFC 6962 2.1 over SHA-256, and the proofs of RFC 9162 2.1.3 and 2.1.4."""
import hashlib

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows leaf by leaf. Of it only the roots of its complete subtrees are kept, largest first: at most one a bit of the size."""

    def __init__(self):
        self.size = 0
        self.subtrees = []

    def append(self, hashed):
        """Adds a leaf's hash. As in counting, each bit of the size that carries joins two subtrees."""
        carry = self.size
        while carry & 1:
            hashed = node_hash(self.subtrees.pop(), hashed)
            carry >>= 1
        self.subtrees.append(hashed)
        self.size += 1

    def root(self):
        if not self.subtrees:
            return EMPTY_ROOT
        root = self.subtrees[-1]
        for left in reversed(self.subtrees[:-1]):
            root = node_hash(left, root)
        return root


def root_of(hashes):
    tree = Tree()
    for hashed in hashes:
        tree.append(hashed)
    return tree.root()


def included(hashed, index, size, proof, root):
    """Whether the proof shows that the leaf with this hash is leaf `index` of the tree: RFC 9162 2.1.3.2."""
    if not 0 <= index < size:
        return False
    node, last = index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            hashed = node_hash(sibling, hashed)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and hashed == root


def consistent(old_size, old_root, size, root, proof):
    """Whether the proof shows that the first `old_size` leaves of the tree are those of the old one: RFC 9162 2.1.4.2."""
    if old_size > size or (old_size == 0 and old_root != EMPTY_ROOT):
        return False
    if old_size == size:
        return not proof and old_root == root
    if old_size == 0:
        return not proof
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not path:
        return False
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old, new = path[0], path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node != 0:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == root
