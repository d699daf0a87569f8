# SPDX-License-Identifier: Apache-2.0
"""Time stamps of RFC 3161 on published checkpoints: what a third party says was there, and when. The requests' transport is the host's."""
import datetime
from dataclasses import dataclass
from typing import Optional, Tuple

from ._border import Document, StrPath, call, document, optional_text, path
from ._native import ffi, lib
from ._structs import Struct


@dataclass(frozen=True)
class Timestamp(Struct):
    """What a good time stamp says.

    C: raffle_timestamp_init
    """

    _c = "raffle_timestamp"
    trusted: bool
    """The signer's certificate leads to one of the caller's authorities."""
    at: datetime.datetime
    """The authority's time."""
    authority: str
    """The common name of the signer's certificate, or ""; cut to fit."""


def timestamp_query(data: Document) -> bytes:
    """The query (TimeStampReq, DER) for data: their SHA-256, and the wish for the signer's certificate. To be sent as application/timestamp-query.

    C: raffle_timestamp_query
    """
    content, length = document(data, "data")
    query, n = ffi.new("uint8_t[]", lib.RAFFLE_TIMESTAMP_QUERY_MAX), ffi.new("size_t *")
    call(lib.raffle_timestamp_query, content, length, query, lib.RAFFLE_TIMESTAMP_QUERY_MAX, n)
    return bytes(ffi.buffer(query, n[0]))


def timestamp_verify(data: Document, response: Document, authorities: Optional[str] = None) -> Timestamp:
    """Verifies a response (TimeStampResp, DER) over exactly these data, offline. authorities: the certificates that are trusted, PEM; without them `trusted` is
    False, for anybody can make a certificate.

    C: raffle_timestamp_verify
    """
    content, length = document(data, "data")
    answer, size = document(response, "response")
    out = Timestamp._new()
    call(lib.raffle_timestamp_verify, content, length, ffi.cast("uint8_t *", answer), size, optional_text(authorities, "authorities"), out)
    return Timestamp._read(out)


def timestamp_begin(folder: StrPath) -> Tuple[int, bytes]:
    """Keeps a copy of the control log's checkpoint as it is published now, and gives its size and the query for it.

    C: raffle_timestamp_begin
    """
    size, query, n = ffi.new("uint64_t *"), ffi.new("uint8_t[]", lib.RAFFLE_TIMESTAMP_QUERY_MAX), ffi.new("size_t *")
    call(lib.raffle_timestamp_begin, path(folder, "folder"), size, query, lib.RAFFLE_TIMESTAMP_QUERY_MAX, n)
    return int(size[0]), bytes(ffi.buffer(query, n[0]))


def timestamp_finish(folder: StrPath, size: int, response: Document, authorities: Optional[str] = None) -> Timestamp:
    """Verifies the response to that query, and publishes it.

    C: raffle_timestamp_finish
    """
    answer, length = document(response, "response")
    out = Timestamp._new()
    call(lib.raffle_timestamp_finish, path(folder, "folder"), size, ffi.cast("uint8_t *", answer), length, optional_text(authorities, "authorities"), out)
    return Timestamp._read(out)
