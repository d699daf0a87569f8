// SPDX-License-Identifier: Apache-2.0

package main

// The project's vectors (docs/guide/vectors.md) against this verifier and x/mod. RAFFLE_VECTORS is the folder tests/vectors.

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// vector is a case of any file.
type vector map[string]any

func (v vector) text(t *testing.T, name string) string {
	s, ok := v[name].(string)
	if !ok && v["valid"] == true {
		t.Fatalf("%v: no text `%s`", v["name"], name)
	}
	return s
}

// number is an integer, or one in a text.
func (v vector) number(t *testing.T, name string) int64 {
	n, err := strconv.ParseInt(fmt.Sprint(v[name]), 10, 64)
	if err != nil && v["valid"] == true {
		t.Fatalf("%v: `%s`: %v", v["name"], name, err)
	}
	return n
}

func (v vector) bytes(t *testing.T, name string) []byte {
	data, err := hex.DecodeString(v.text(t, name))
	if err != nil {
		t.Fatalf("%v: `%s`: %v", v["name"], name, err)
	}
	return data
}

// textOrHex is a text, or bytes that are none.
func (v vector) textOrHex(t *testing.T, text, hex string) []byte {
	if s, ok := v[text].(string); ok {
		return []byte(s)
	}
	return v.bytes(t, hex)
}

func (v vector) hash(t *testing.T, name string) (h tlog.Hash) {
	copy(h[:], v.bytes(t, name))
	return h
}

func (v vector) list(t *testing.T, name string) [][]byte {
	values, ok := v[name].([]any)
	if !ok {
		t.Fatalf("%v: no list `%s`", v["name"], name)
	}
	list := make([][]byte, len(values))
	for i, value := range values {
		data, err := hex.DecodeString(value.(string))
		if err != nil {
			t.Fatal(err)
		}
		list[i] = data
	}
	return list
}

func (v vector) hashes(t *testing.T) []tlog.Hash {
	list := v.list(t, "proof")
	hashes := make([]tlog.Hash, len(list))
	for i, data := range list {
		copy(hashes[i][:], data)
	}
	return hashes
}

// --- what a case claims ---

func same(good bool) error {
	if !good {
		return errors.New("not the same")
	}
	return nil
}

func checkMerkle(t *testing.T, v vector) error {
	switch v["kind"] {
	case "root":
		return same(rootOf(v.list(t, "leaves")) == v.hash(t, "root"))
	case "inclusion":
		return tlog.CheckRecord(v.hashes(t), v.number(t, "size"), v.hash(t, "root"), v.number(t, "index"), v.hash(t, "leaf_hash"))
	}
	proof, old, size := v.hashes(t), v.number(t, "old_size"), v.number(t, "size")
	if old == 0 { // tlog has no answer: docs/spec/logs.md
		return same(len(proof) == 0 && v.hash(t, "old_root") == emptyRoot && (size > 0 || v.hash(t, "root") == emptyRoot))
	}
	return tlog.CheckTree(proof, size, v.hash(t, "root"), old, v.hash(t, "old_root"))
}

func checkTileVector(t *testing.T, v vector) error {
	switch v["kind"] {
	case "path":
		tile := tlog.Tile{H: tileHeight, L: int(v.number(t, "level")), N: v.number(t, "index")}
		width := v.number(t, "size")>>uint(tile.L*tileHeight) - tile.N<<tileHeight
		if width > tileWidth {
			width = tileWidth
		}
		if width != v.number(t, "width") || width <= 0 {
			return errors.New("another width")
		}
		if tile.W = int(width); v["entries"] == true {
			tile.L = -1
		}
		return same(tilePath(tile) == v.text(t, "path"))
	case "bundle":
		return checkBundleVector(v.bytes(t, "bundle"), v.list(t, "list"))
	}
	return checkTileHashes(t, v)
}

func checkBundleVector(data []byte, list [][]byte) error {
	if len(list) > tileWidth {
		return errors.New("too many")
	}
	for _, entry := range list {
		leaf, rest, err := cutEntry(data)
		if err != nil || !bytes.Equal(leaf, entry) {
			return errors.New("another entry")
		}
		data = rest
	}
	return same(len(data) == 0)
}

// checkTileHashes has x/mod build the tile from stored hashes.
func checkTileHashes(t *testing.T, v vector) error {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			found[i] = stored[x]
		}
		return found, nil
	})
	size, level := v.number(t, "size"), int(v.number(t, "level"))
	for i := int64(0); i < size; i++ {
		hashes, err := tlog.StoredHashes(i, []byte(fmt.Sprintf("entry %d", i)), reader)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	tile := tlog.Tile{H: tileHeight, L: level, N: v.number(t, "index"), W: int(v.number(t, "width"))}
	if size>>uint(level*tileHeight)-tile.N<<tileHeight != int64(tile.W) && tile.W != tileWidth || level > 0 && size>>uint(level*tileHeight) == 0 {
		return errors.New("no such tile")
	}
	data, err := tlog.ReadTileData(tile, reader)
	if err != nil {
		return err
	}
	last := data[len(data)-tlog.HashSize:]
	return same(bytes.Equal(last, v.bytes(t, "last")) && sha256Of(data) == v.hash(t, "sha256"))
}

func checkNoteVector(t *testing.T, v vector) error {
	key, err := note.NewVerifier(v.text(t, "vkey"))
	if err != nil {
		return err
	}
	text := v.textOrHex(t, "note", "note_hex")
	_, err = openNote(text, key, nil)
	return err
}

func checkCheckpointVector(t *testing.T, v vector) error {
	c, err := parseCheckpoint(string(v.textOrHex(t, "text", "text_hex")))
	if err != nil {
		return err
	}
	return same(c.origin == v.text(t, "origin") && c.tree.N == v.number(t, "size") && c.tree.Hash == v.hash(t, "root"))
}

func checkRecordVector(t *testing.T, v vector) error {
	o, err := parseRecord([]byte(v.text(t, "text")))
	if err != nil {
		return err
	}
	return same(o.text("t") == v["type"] && tlog.RecordHash([]byte(v.text(t, "text"))) == v.hash(t, "leaf_hash"))
}

// Every reason to refuse a receipt is this verifier's, too.
func checkReceiptVector(t *testing.T, v vector) error {
	found := checkReceipt([]byte(v.text(t, "receipt")), v.text(t, "control_key"))
	if len(found.faults) > 0 {
		return errors.New(found.faults[0])
	}
	return nil
}

func checkPolicy(t *testing.T, v vector) error {
	text := v.text(t, "policy")
	p, err := readPolicy(strings.Split(strings.TrimSuffix(text, "\n"), "\n"))
	if err != nil || v["kind"] == "policy" {
		return err
	}
	var known []note.Verifier
	for _, c := range p.witnesses {
		known = append(known, c)
	}
	n, err := note.Open([]byte(v.text(t, "note")), note.VerifierList(known...))
	var sigs []note.Signature
	if unsigned := (*note.UnverifiedNoteError)(nil); err == nil {
		sigs = n.Sigs
	} else if !errors.As(err, &unsigned) {
		return err
	}
	cosigned, names := p.cosigned(sigs), v["cosigned"].([]any)
	for _, name := range names {
		if !cosigned[name.(string)] {
			return errors.New("somebody did not cosign")
		}
	}
	return same(len(names) == len(cosigned) && p.reached(sigs) == v["reached"])
}

func checkVoidRoot(t *testing.T, v vector) error {
	var serials []int64
	last := int64(0)
	for _, value := range v["serials"].([]any) {
		serial, err := strconv.ParseInt(value.(string), 10, 64)
		if err != nil || serial <= last || serial >= maxRecords {
			return errors.New("not ascending serials")
		}
		last = serial
		serials = append(serials, serial)
	}
	return same(voidRoot(serials) == v.hash(t, "root"))
}

// --- files ---

// ours says which cases are for this verifier: private parts, keys and notes of other kinds, and times of cosignatures are not.
func ours(file string, v vector) bool {
	switch file {
	case "json":
		return v["kind"] == "canonical"
	case "note":
		return v["kind"] == "note"
	case "record":
		return v["kind"] == "leaf"
	case "policy":
		return v["before"] == nil
	}
	return true
}

func checkJSON(t *testing.T, v vector) error {
	_, err := parseValue(v.textOrHex(t, "text", "hex"))
	return err
}

func TestVectors(t *testing.T) {
	folder := wanted(t, "RAFFLE_VECTORS")
	for file, check := range map[string]func(*testing.T, vector) error{
		"merkle": checkMerkle, "tile": checkTileVector, "note": checkNoteVector, "checkpoint": checkCheckpointVector, "record": checkRecordVector,
		"void_root": checkVoidRoot, "json": checkJSON, "receipt": checkReceiptVector, "policy": checkPolicy,
	} {
		text, err := os.ReadFile(filepath.Join(folder, file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var vectors struct{ Cases []vector }
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&vectors); err != nil {
			t.Fatal(err)
		}
		count := 0
		for _, v := range vectors.Cases {
			if !ours(file, v) {
				continue
			}
			if err := check(t, v); (err == nil) != (v["valid"] == true) {
				t.Errorf("%s: %v: %v", file, v["name"], err)
			}
			count++
		}
		fmt.Printf("%s: %d of %d cases\n", file, count, len(vectors.Cases))
	}
}
