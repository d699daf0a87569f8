# SPDX-License-Identifier: Apache-2.0
"""Reports over a raffle's records (GLI-31 2.8.1 and others): made as a stream, and proved by the checkpoint that each of them names."""
import datetime
import itertools
from dataclasses import dataclass
from typing import Iterator, NamedTuple, Optional

from ._border import NULL, call, integer, ms_of, optional_ms_of, string
from ._handles import Handle
from ._native import ffi, lib
from ._structs import Number, Struct
from ._writers import Progress, Reader, Writer, reader, set_progress, writing
from .unit import put_text


class ReportFormat(Number):
    """What a report is written as."""

    TEXT = lib.RAFFLE_REPORT_TEXT
    CSV = lib.RAFFLE_REPORT_CSV
    """RFC 4180."""
    JSON = lib.RAFFLE_REPORT_JSON
    """The one that report_verify() takes."""
    HTML = lib.RAFFLE_REPORT_HTML
    """A page that prints on A4 and Letter."""


class Report(NamedTuple):
    """A report that there is.

    C: raffle_report_name, raffle_report_title, raffle_report_source
    """

    name: str
    title: str
    source: str
    """Where it is asked for."""


def reports() -> Iterator[Report]:
    """Which there are.

    C: raffle_report_name, raffle_report_title, raffle_report_source
    """
    for i in itertools.count():
        name = lib.raffle_report_name(i)
        if name == NULL:
            return
        yield Report(string(name), string(lib.raffle_report_title(i)), string(lib.raffle_report_source(i)))


@dataclass(frozen=True)
class ReportInfo(Struct):
    """What a report that was verified is.

    C: raffle_report_info_init
    """

    _c = "raffle_report_info"
    unit: int
    name: str
    from_: Optional[datetime.datetime]
    """As in the options."""
    to: Optional[datetime.datetime]
    made: datetime.datetime
    control_size: int
    """Records of the control log that it was computed from, …"""
    records: int
    """… and of all logs."""
    rows: int
    private_cells: int
    """That could not be compared: their private part, or the keys, are not here."""
    notes: int
    """Signed checkpoints in it, which the logs' keys signed and the records bear out."""


class Reports(Handle):
    """The calls of a raffle on reports."""

    def report_write(self, name: str, write: Writer, *, format: ReportFormat = ReportFormat.TEXT, maker: str = "", from_: Optional[datetime.datetime] = None,
                     to: Optional[datetime.datetime] = None, unit: int = 0, progress: Optional[Progress] = None) -> None:
        """Makes a report of the raffle as it is now, and hands it to `write` piece by piece; selling may go on. Records from the time `from_` on and before `to`; of
        one sales unit alone; maker: who makes it, for its head.

        C: raffle_report_write, raffle_report_options_init
        """
        options = ffi.new("raffle_report_options *")
        lib.raffle_report_options_init(options, ffi.sizeof("raffle_report_options"))
        options.format, options.unit = integer(format, "format"), integer(unit, "unit")
        put_text(options, "name", name)
        put_text(options, "maker", maker)
        setattr(options, "from", 0 if from_ is None else ms_of(from_, "from_"))
        options.to = optional_ms_of(to, "to")
        ctx = set_progress(options, "report", progress)
        writing(lib.raffle_report_write, self._get(), options, write=write)
        del ctx  # it lives as long as the call

    def report_verify(self, report: Reader) -> ReportInfo:
        """Makes a report in JSON again, from the first records of each log as its checkpoint names them, and compares it byte for byte while it is read. `Mismatch`:
        it says something else than the records; `detail` is the line.

        C: raffle_report_verify
        """
        info, ctx = ReportInfo._new(), ffi.new_handle(reader(report))
        call(lib.raffle_report_verify, self._get(), lib.raffle_py_read, ctx, info)
        return ReportInfo._read(info)
