# SPDX-License-Identifier: Apache-2.0
"""HMAC_DRBG with SHA-256, as a draw uses it: NIST SP 800-90A Rev. 1 10.1.2, without reseeding and additional input."""
import hashlib
import hmac


class HmacDrbg:
    def __init__(self, entropy, nonce, personalisation):
        self.key, self.value = bytes(32), b"\x01" * 32
        self._update(entropy + nonce + personalisation)

    def _mac(self, data):
        return hmac.new(self.key, data, hashlib.sha256).digest()

    def _update(self, data):
        """10.1.2.2; the second round is left out when there is no data."""
        for separator in (b"\x00", b"\x01") if data else (b"\x00",):
            self.key = self._mac(self.value + separator + data)
            self.value = self._mac(self.value)

    def generate(self, size):
        """10.1.2.5."""
        out = b""
        while len(out) < size:
            self.value = self._mac(self.value)
            out += self.value
        self._update(b"")
        return out[:size]
