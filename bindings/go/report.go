// SPDX-License-Identifier: Apache-2.0

package raffle

// Reports (GLI-31 2.8.1), each with the checkpoints that prove it.

/*
#include <raffle/raffle.h>
*/
import "C"

import (
	"context"
	"io"
	"iter"
	"time"
	"unsafe"
)

// ReportFormat is what a report is written as.
type ReportFormat int32

// The formats of reports.
const (
	ReportText ReportFormat = C.RAFFLE_REPORT_TEXT
	ReportCSV  ReportFormat = C.RAFFLE_REPORT_CSV  // RFC 4180
	ReportJSON ReportFormat = C.RAFFLE_REPORT_JSON // the one that ReportVerify takes
	ReportHTML ReportFormat = C.RAFFLE_REPORT_HTML // a page that prints on A4 and Letter
)

// ReportName is the name of report i, from 0 on: "drawing"; "" beyond the last.
//
// C: raffle_report_name
func ReportName(i uint32) string { return C.GoString(C.raffle_report_name(C.uint32_t(i))) }

// ReportTitle is its title, "Raffle Drawing Report".
//
// C: raffle_report_title
func ReportTitle(i uint32) string { return C.GoString(C.raffle_report_title(C.uint32_t(i))) }

// ReportSource is where it is asked for.
//
// C: raffle_report_source
func ReportSource(i uint32) string { return C.GoString(C.raffle_report_source(C.uint32_t(i))) }

// Reports walks over the names and titles of all reports.
func Reports() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := uint32(0); ReportName(i) != "" && yield(ReportName(i), ReportTitle(i)); i++ {
		}
	}
}

// ReportOptions say what a report is of.
//
// C: raffle_report_options_init
type ReportOptions struct {
	Format   ReportFormat
	Name     string    // one of ReportName
	Maker    string    // who makes it, for its head; optional
	From     time.Time // records from this time on; zero: from the first
	To       time.Time // records before this time; zero: to the last
	Unit     uint32    // of this sales unit alone; 0: of all
	Progress Progress  // called now and then
}

// ReportWrite makes a report of the raffle as it is now; selling may go on.
//
// C: raffle_report_write
func (r *Raffle) ReportWrite(ctx context.Context, to io.Writer, options ReportOptions) error {
	var a args
	var c C.raffle_report_options
	C.raffle_report_options_init(&c, C.sizeof_raffle_report_options)
	c.format, c.from, c.to, c.unit = C.int32_t(options.Format), ms(options.From), ms(options.To), C.uint32_t(options.Unit)
	a.fixed("name", c.name[:], options.Name)
	a.fixed("maker", c.maker[:], options.Maker)
	c.progress, c.progress_ctx = progressFunction, newCtx(&progressing{ctx, options.Progress})
	defer freeCtx(c.progress_ctx)
	return toWriter(ctx, to, func(w unsafe.Pointer) error {
		return r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
			return C.raffle_report_write(p, &c, writeFunction, w, e)
		})
	})
}

// ReportInfo is what a report that was verified is.
//
// C: raffle_report_info_init
type ReportInfo struct {
	Unit         uint32
	Name         string
	From, To     time.Time // as in the options
	Made         time.Time
	ControlSize  uint64 // records of the control log that it was computed from, …
	Records      uint64 // … and of all logs
	Rows         uint64
	PrivateCells uint64 // that could not be compared: their private part, or the keys, are not here
	Notes        uint32 // signed checkpoints in it, which the logs' keys signed and the records bear out
}

// ReportVerify makes a report in JSON again, from the records that its checkpoints name, and compares it byte for byte while it is read.
//
// C: raffle_report_verify
func (r *Raffle) ReportVerify(ctx context.Context, from io.Reader) (ReportInfo, error) {
	if from == nil {
		return ReportInfo{}, &Error{RC: ErrMisuse, Message: "the reader is nil"}
	}
	if err := ended(ctx); err != nil {
		return ReportInfo{}, err
	}
	var a args
	var c C.raffle_report_info
	C.raffle_report_info_init(&c, C.sizeof_raffle_report_info)
	reader := newCtx(&reading{ctx, from})
	defer freeCtx(reader)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc {
		return C.raffle_report_verify(p, readFunction, reader, &c, e)
	})
	if err != nil {
		return ReportInfo{}, err
	}
	return ReportInfo{
		Unit: uint32(c.unit), Name: text(c.name[:]), From: at(c.from), To: at(c.to), Made: at(c.made), ControlSize: uint64(c.control_size),
		Records: uint64(c.records), Rows: uint64(c.rows), PrivateCells: uint64(c.private_cells), Notes: uint32(c.notes),
	}, nil
}
