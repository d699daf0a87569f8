// SPDX-License-Identifier: Apache-2.0

// A verifier of a raffle's logs and receipts over golang.org/x/mod/sumdb, which others wrote. It shares no code with libraffle.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

const usage = `usage: verifier folder [-key VKEY] [-old CHECKPOINT] FOLDER
       verifier receipt -key VKEY RECEIPT ...
       verifier batch <LIST

folder   verifies what raffle publish wrote: every signature, tile, record and root, the seals and their sums, the manifest
receipt  verifies receipts by the control key alone
batch    reads lines "folder VKEY FOLDER" or "receipt VKEY FILE", a VKEY of "-" being none, and prints one verdict a line

Draws are not replayed, the rules not judged, time stamps and beacons not verified: raffle audit, and examples/verifier/, do that.
Exit status: 0 good, 1 could not be read, 2 usage, 3 not good.
`

const (
	exitGood   = 0
	exitUnread = 1
	exitUsage  = 2
	exitBad    = 3
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, in io.Reader, out, err io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(err, usage)
		return exitUsage
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(err)
	flags.Usage = func() { fmt.Fprint(err, usage) }
	key := flags.String("key", "", "the control key")
	old := flags.String("old", "", "an older checkpoint")
	if flags.Parse(args[1:]) != nil {
		return exitUsage
	}
	switch {
	case args[0] == "folder" && flags.NArg() == 1:
		return runFolder(flags.Arg(0), *key, *old, out, err)
	case args[0] == "receipt" && flags.NArg() > 0 && *key != "":
		return runReceipts(flags.Args(), *key, out, err)
	case args[0] == "batch" && flags.NArg() == 0:
		return runBatch(in, out, err)
	}
	fmt.Fprint(err, usage)
	return exitUsage
}

func runFolder(folder, key, old string, out, errs io.Writer) int {
	var kept []byte
	if _, err := os.Stat(folder); err != nil {
		fmt.Fprintln(errs, "verifier:", err)
		return exitUnread
	}
	if old != "" {
		text, err := os.ReadFile(old)
		if err != nil {
			fmt.Fprintln(errs, "verifier:", err)
			return exitUnread
		}
		kept = append([]byte{}, text...)
	}
	v := checkFolder(os.DirFS(folder), key, kept)
	v.print(out)
	fmt.Fprintln(out, "not done    draws are not replayed, the rules not judged, time stamps not verified")
	return v.conclude(out)
}

func runReceipts(names []string, key string, out, errs io.Writer) int {
	status := exitGood
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintln(errs, "verifier:", err)
			return exitUnread
		}
		fmt.Fprintln(out, name)
		v := checkReceipt(text, key)
		v.print(out)
		if v.conclude(out) != exitGood {
			status = exitBad
		}
	}
	return status
}

// runBatch verifies many in one process: one line of input, one of output.
func runBatch(in io.Reader, out, errs io.Writer) int {
	status := exitGood
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		words := strings.SplitN(lines.Text(), " ", 3)
		if len(words) != 3 {
			fmt.Fprint(errs, usage)
			return exitUsage
		}
		v, err := batchOne(words[0], strings.TrimPrefix(words[1], "-"), words[2])
		if err != nil {
			fmt.Fprintln(errs, "verifier:", err)
			return exitUnread
		}
		if len(v.faults) > 0 {
			status = exitBad
			fmt.Fprintf(out, "FAILED %s: %s\n", words[2], v.faults[0])
		} else {
			fmt.Fprintf(out, "good %s\n", words[2])
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(errs, "verifier:", err)
		return exitUnread
	}
	return status
}

func batchOne(kind, key, name string) (*verdict, error) {
	if kind == "folder" {
		_, err := os.Stat(name)
		return checkFolder(os.DirFS(name), key, nil), err
	}
	if kind != "receipt" {
		return nil, fmt.Errorf("%.40q is neither folder nor receipt", kind)
	}
	text, err := os.ReadFile(name)
	return checkReceipt(text, key), err
}

func (v *verdict) print(out io.Writer) {
	for _, line := range v.lines {
		fmt.Fprintln(out, line)
	}
	for _, fault := range v.faults {
		fmt.Fprintln(out, "fault       "+fault)
	}
}

func (v *verdict) conclude(out io.Writer) int {
	if len(v.faults) > 0 {
		fmt.Fprintln(out, "verdict     FAILED")
		return exitBad
	}
	fmt.Fprintln(out, "verdict     good")
	return exitGood
}
