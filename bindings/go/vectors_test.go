// SPDX-License-Identifier: Apache-2.0

package raffle_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"raffle.example/raffle"
)

// The vectors that are published with the library, through the binding; and fuzz targets that begin from them.

func vectors(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../tests/vectors/*.json")
	must(t, err)
	if len(files) < 15 {
		t.Fatalf("%d files of vectors", len(files))
	}
	return files
}

func TestVectors(t *testing.T) {
	ran := 0
	for _, file := range vectors(t) {
		text, err := os.ReadFile(file)
		must(t, err)
		passed, failed, err := raffle.Vectors(text)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		equal(t, failed, 0)
		if passed == 0 {
			t.Errorf("%s: no case", file)
		}
		ran++
	}
	_, _, err := raffle.Vectors([]byte("{}"))
	fails(t, err, raffle.ErrInvalid, "")
	equal(t, ran > 10, true)
}

// seeds are the strings of a file of vectors.
func seeds(f *testing.F, file string) {
	text, err := os.ReadFile("../../tests/vectors/" + file)
	must(f, err)
	var root any
	must(f, json.Unmarshal(text, &root))
	var walk func(any)
	walk = func(at any) {
		switch is := at.(type) {
		case string:
			if len(is) < 1<<14 {
				f.Add([]byte(is))
			}
		case []any:
			for _, one := range is {
				walk(one)
			}
		case map[string]any:
			for _, one := range is {
				walk(one)
			}
		}
	}
	walk(root)
}

// The raffle of receipt.json, whose key its receipts and checkpoints are held to: under any other nothing would be looked at.
const (
	fuzzOrigin  = "raffle.example/receipts"
	fuzzKey     = fuzzOrigin + "+9fa73968+AU+siNbGQWbsfnYfj2do4HqFiR3f/eTdPGz/S7gUlriO"
	strangerKey = "raffle.example/other+bf21df98+AU0RtycqkyTLz/YfDMIfOeTx7S8L7+5S05sFVdiv7QC1"
)

// goodReceipts are those of receipt.json under fuzzKey.
func goodReceipts(t testing.TB) [][]byte {
	t.Helper()
	text, err := os.ReadFile("../../tests/vectors/receipt.json")
	must(t, err)
	var file struct {
		Cases []struct {
			Valid   bool
			Key     string `json:"control_key"`
			Receipt string
		}
	}
	must(t, json.Unmarshal(text, &file))
	var good [][]byte
	for _, one := range file.Cases {
		if one.Valid && one.Key == fuzzKey {
			good = append(good, []byte(one.Receipt))
		}
	}
	if len(good) < 5 {
		t.Fatalf("%d good receipts", len(good))
	}
	return good
}

func FuzzReceiptVerify(f *testing.F) {
	for _, receipt := range goodReceipts(f) {
		_, err := raffle.ReceiptVerify(receipt, fuzzKey)
		must(f, err)
		f.Add(receipt)
	}
	f.Fuzz(func(t *testing.T, receipt []byte) {
		before := bytes.Clone(receipt)
		info, err := raffle.ReceiptVerify(receipt, fuzzKey)
		if err == nil {
			equal(t, info.Origin, fuzzOrigin)
			again, err := raffle.ReceiptVerify(receipt, fuzzKey)
			equal(t, err == nil && again == info, true)
		} else {
			equal(t, info, raffle.ReceiptInfo{})
		}
		if _, err = raffle.ReceiptVerify(receipt, strangerKey); err == nil {
			t.Error("a receipt under a stranger's key is good")
		}
		equal(t, bytes.Equal(before, receipt), true)
	})
}

func FuzzCheckpointVerify(f *testing.F) {
	notes := regexp.MustCompile(`(?m)^` + fuzzOrigin + `\n\d+\n.+\n\n(?:— .+\n)+`)
	good := ""
	for _, receipt := range goodReceipts(f) {
		for _, note := range notes.FindAllString(string(receipt), -1) {
			_, err := raffle.CheckpointVerify(note, fuzzKey)
			must(f, err)
			f.Add([]byte(note))
			good = note
		}
	}
	f.Add([]byte(fuzzKey))
	f.Fuzz(func(t *testing.T, text []byte) {
		info, err := raffle.CheckpointVerify(string(text), fuzzKey)
		if err == nil {
			equal(t, info.Origin, fuzzOrigin)
			equal(t, bytes.HasPrefix(text, fmt.Appendf(nil, "%s\n%d\n", fuzzOrigin, info.Size)), true)
		}
		if _, err = raffle.CheckpointVerify(good, string(text)); err == nil {
			equal(t, string(text), fuzzKey)
		}
	})
}

func FuzzNumberParse(f *testing.F) {
	f.Add([]byte("1-0000001"))
	seeds(f, "validation.json")
	f.Fuzz(func(t *testing.T, printed []byte) {
		unit, number, err := raffle.NumberParse(string(printed))
		if err != nil {
			return
		}
		again, err := raffle.NumberFormat(unit, number)
		must(t, err)
		u, n, err := raffle.NumberParse(again)
		must(t, err)
		equal(t, u == unit && n == number, true)
	})
}

func FuzzRulesCheck(f *testing.F) {
	f.Add(rules(onePrize))
	seeds(f, "fold.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		_ = raffle.RulesCheck(text)
		_, _, _ = raffle.BeaconParse(text)
	})
}

func TestTimestampVectors(t *testing.T) {
	text, err := os.ReadFile("../../tests/vectors/timestamp.json")
	must(t, err)
	var file struct {
		Cases []struct {
			Name, Kind, Data, Response, Authority, Authorities, Error string
			At                                                        int64
			Valid                                                     bool
		}
	}
	must(t, json.Unmarshal(text, &file))
	good := 0
	for _, one := range file.Cases {
		if one.Kind != "response" {
			continue
		}
		response, err := hex.DecodeString(one.Response)
		must(t, err)
		stamp, err := raffle.TimestampVerify([]byte(one.Data), response, one.Authorities)
		if !one.Valid {
			var e *raffle.Error
			equal(t, errors.As(err, &e) && e.RC.Name() == one.Error, true)
			continue
		}
		must(t, err)
		equal(t, stamp, raffle.Timestamp{Trusted: one.Authorities != "", At: time.UnixMilli(one.At).UTC(), Authority: one.Authority})
		good++
	}
	equal(t, good > 1, true)
}
