// SPDX-License-Identifier: Apache-2.0

package raffle_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

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

const fuzzKey = "raffle.example/go+00000000+AAAA"

func FuzzReceiptVerify(f *testing.F) {
	seeds(f, "receipt.json")
	f.Fuzz(func(t *testing.T, receipt []byte) {
		before := bytes.Clone(receipt)
		if _, err := raffle.ReceiptVerify(receipt, fuzzKey); err == nil {
			t.Error("a receipt under no key is good")
		}
		equal(t, bytes.Equal(before, receipt), true)
	})
}

func FuzzCheckpointVerify(f *testing.F) {
	seeds(f, "checkpoint.json")
	f.Fuzz(func(t *testing.T, note []byte) {
		_, _ = raffle.CheckpointVerify(string(note), string(note))
		if _, err := raffle.CheckpointVerify(string(note), fuzzKey); err == nil {
			t.Error("a checkpoint under no key is good")
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
