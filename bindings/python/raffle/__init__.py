# SPDX-License-Identifier: Apache-2.0
"""Electronic raffles after GLI-31, in a log that anyone can replay: libraffle for Python.

Names are those of the C library: `raffle_unit_sell` is `Unit.sell`, `struct raffle_seal_info` is `SealInfo`, RAFFLE_NOT_FOUND is `NotFound`. Money is an `int` in minor
units, a time a `datetime` with a time zone. Every handle has `free()` and is a context manager. Three exceptions have the names of other things and are found in
`raffle.errors` alone: `Host`, `Role`, `Rng`.
"""
from . import errors
from ._writers import Progress, Reader, Writer
from .actor import Actor, Role, role_name, role_parse
from .audit import Assurance, Audit, AuditDraw, Fault, FaultKind, Verdict, audit_store
from .beacon import BeaconVerify, beacon_parse, beacon_round, beacon_time
from .cash import CashInfo
from .counterfoil import Counterfoil
from .draw import Ace, Call, CallOutcome, Draw, DrawInfo, Pick, PlaceState, Prize, PrizeState
from .errors import (
    Approval, ArgumentsError, Away, Busy, Clock, Closed, Corrupt, Disabled, DrawOpen, Drawn, Empty, Erased, Error, Exists, Expired, Forked, Full,
    Halted, History, IntegrityError, Invalid, Io, Key, Limit, Mismatch, Misuse, NetworkFs, Newer, Nomem, NotAcked, NotFound, NotRaffle, NotSealed,
    Papers, Proof, Quorum, Quota, RandomnessError, Readonly, Rehearsal, RngNotPinned, RngSeed, RngUnhealthy, Sequence, Signature, StateDiffers,
    StateError, SurroundingsError, Timeout, TooSmall, Unknown, Unreconciled, Unsupported, Voided, Window, rc_name, rc_text,
)
from .event import EventCode, EventHit, EventSeverity, Found, event_code_get, event_codes, event_severity_name
from .host import Host, LogLevel
from .keys import Keys, KeysTable
from .log import CheckpointInfo, Cursor, Record, checkpoint_verify, consistency_verify, inclusion_verify, leaf_hash
from .publish import PublishInfo
from .raffle import BackupInfo, Info, MirrorInfo, Raffle, Tier, backup_verify, rules_check
from .receipt import ReceiptInfo, ReceiptProves, receipt_verify
from .report import Report, ReportFormat, ReportInfo, reports
from .rng import Rng, RngTable, Seed, seed_commitment
from .role import Operation, Second
from .sale import Sale, Ticket, Tickets, number_format, number_parse
from .seal import SealInfo, SealKind
from .store import Fill, Store, StoreBatch, StoreHead, StoreKey, StoreTable
from .till import Application, UploadInfo, unit_apply
from .timestamp import Timestamp, timestamp_begin, timestamp_finish, timestamp_query, timestamp_verify
from .unit import Unit, UnitCloseInfo, UnitInfo, unit_close_verify
from .version import build, manifest_verify, self_hash, self_verify, vectors, version
from .witness import Witness

__version__ = version()

__all__ = [
    "Ace", "Actor", "Application", "Approval", "ArgumentsError", "Assurance", "Audit", "AuditDraw", "Away", "BackupInfo", "BeaconVerify", "Busy",
    "Call", "CallOutcome", "CashInfo", "CheckpointInfo", "Clock", "Closed", "Corrupt", "Counterfoil", "Cursor", "Disabled", "Draw", "DrawInfo",
    "DrawOpen", "Drawn", "Empty", "Erased", "Error", "EventCode", "EventHit", "EventSeverity", "Exists", "Expired", "Fault", "FaultKind", "Fill",
    "Forked", "Found", "Full", "Halted", "History", "Host", "Info", "IntegrityError", "Invalid", "Io", "Key", "Keys", "KeysTable", "Limit",
    "LogLevel", "MirrorInfo", "Mismatch", "Misuse", "NetworkFs", "Newer", "Nomem", "NotAcked", "NotFound", "NotRaffle", "NotSealed", "Operation",
    "Papers", "Pick", "PlaceState", "Prize", "PrizeState", "Progress", "Proof", "PublishInfo", "Quorum", "Quota", "Raffle", "RandomnessError",
    "Reader", "Readonly", "ReceiptInfo", "ReceiptProves", "Record", "Rehearsal", "Report", "ReportFormat", "ReportInfo", "Rng", "RngNotPinned",
    "RngSeed", "RngTable", "RngUnhealthy", "Role", "Sale", "SealInfo", "SealKind", "Second", "Seed", "Sequence", "Signature", "StateDiffers",
    "StateError", "Store", "StoreBatch", "StoreHead", "StoreKey", "StoreTable", "SurroundingsError", "Ticket", "Tickets", "Tier", "Timeout",
    "Timestamp", "TooSmall", "Unit", "UnitCloseInfo", "UnitInfo", "Unknown", "Unreconciled", "Unsupported", "UploadInfo", "Verdict", "Voided",
    "Window", "Witness", "Writer", "audit_store", "backup_verify", "beacon_parse", "beacon_round", "beacon_time", "build", "checkpoint_verify",
    "consistency_verify", "errors", "event_code_get", "event_codes", "event_severity_name", "inclusion_verify", "leaf_hash", "manifest_verify",
    "number_format", "number_parse", "rc_name", "rc_text", "receipt_verify", "reports", "role_name", "role_parse", "rules_check",
    "seed_commitment", "self_hash", "self_verify", "timestamp_begin", "timestamp_finish", "timestamp_query", "timestamp_verify", "unit_apply",
    "unit_close_verify", "vectors", "version",
]
