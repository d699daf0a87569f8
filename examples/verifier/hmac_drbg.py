# SPDX-License-Identifier: Apache-2.0
"""HMAC_DRBG with SHA-256 (SP 800-90A Rev. 1, section 10.1.2): no reseeding, no additional input."""
import hashlib
import hmac


def _mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


class HmacDrbg:
    def __init__(self, entropy, nonce, personalisation):
        self.key, self.value = bytes(32), b"\1" * 32
        self._update(entropy + nonce + personalisation)

    def _update(self, data=b""):
        for round_ in (b"\0", b"\1") if data else (b"\0",):
            self.key = _mac(self.key, self.value + round_ + data)
            self.value = _mac(self.key, self.value)

    def generate(self, size):
        out = b""
        while len(out) < size:
            self.value = _mac(self.key, self.value)
            out += self.value
        self._update()
        return out[:size]
