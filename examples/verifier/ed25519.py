# SPDX-License-Identifier: Apache-2.0
"""Verifies Ed25519 signatures (RFC 8032 5.1.7), strictly: S below the group's order, points in their one encoding, none of small order.

The equation is the one without the cofactor: S B = R + k A, compared as bytes of R. Written to be read beside the RFC; plain integers, and
nothing in constant time, since all that a verifier sees is public. It signs nothing.
"""
import functools
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)

NEUTRAL = (0, 1, 1, 0)  # a point (x, y) is (X, Y, Z, T), where x = X / Z, y = Y / Z, x y = T / Z: RFC 8032 5.1.4


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(n, p):
    result = NEUTRAL
    for bit in f"{n:b}":
        result = add(result, result)
        if bit == "1":
            result = add(result, p)
    return result


def negate(p):
    return (-p[0] % P, p[1], p[2], -p[3] % P)


def is_neutral(p):
    return p[0] % P == 0 and (p[1] - p[2]) % P == 0


def decode(data):
    """The point of 32 bytes, RFC 8032 5.1.3; None when they are none, or not the one encoding of it."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * SQRT_MINUS_1 % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def encode(p):
    inverse = pow(p[2], -1, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def has_small_order(p):
    return is_neutral(multiply(8, p))


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


@functools.lru_cache(maxsize=1024)
def verify(public_key, message, signature):
    """Whether the signature is the key's over the message."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    a, r, s = decode(public_key), decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L or has_small_order(a) or has_small_order(r):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % L
    return encode(add(multiply(s, BASE), multiply(k, negate(a)))) == signature[:32]
