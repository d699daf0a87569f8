// SPDX-License-Identifier: Apache-2.0

package main

// A log in a published folder: its checkpoint, its hash tiles and its entry bundles (docs/spec/logs.md, publishing.md), over golang.org/x/mod/sumdb.

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	maxNote    = 16384
	maxLines   = 64 // of signatures
	maxEntry   = 65535
	maxRecords = 1 << 40
)

// --- keys and checkpoints ---

// verifierOf is the key of a log: Ed25519, in the one way to write it.
func verifierOf(vkey, name string) (note.Verifier, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("%.80q is no verifier key: %v", vkey, err)
	}
	parts := strings.SplitN(vkey, "+", 3)
	key, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 1 || parts[1] != fmt.Sprintf("%08x", v.KeyHash()) {
		return nil, fmt.Errorf("%.80q is no Ed25519 verifier key", vkey)
	}
	if v.Name() != name {
		return nil, fmt.Errorf("the key is named %q, and not %q", v.Name(), name)
	}
	return v, nil
}

// A checkpoint is a tree that its log's key signed.
type checkpoint struct {
	origin string
	tree   tlog.Tree
	sigs   []note.Signature // that were verified
	others int              // that were not
}

// openNote verifies a note by a log's key and by witnesses'. Lines of other signers count for nothing (C2SP signed-note).
func openNote(text []byte, key note.Verifier, witnesses *policy) (*note.Note, error) {
	if len(text) > maxNote {
		return nil, fmt.Errorf("a note of %d bytes", len(text))
	}
	n, err := note.Open(text, witnesses.verifiers(key))
	if err != nil {
		return nil, err
	}
	if !signedBy(n, key) {
		return nil, fmt.Errorf("no signature of %s+%08x", key.Name(), key.KeyHash())
	}
	return n, checkSignatures(text, n)
}

func signedBy(n *note.Note, key note.Verifier) bool {
	for _, sig := range n.Sigs {
		if sig.Name == key.Name() && sig.Hash == key.KeyHash() {
			return true
		}
	}
	return false
}

// openCheckpoint verifies a log's checkpoint by its key.
func openCheckpoint(text []byte, key note.Verifier, witnesses *policy) (*checkpoint, error) {
	n, err := openNote(text, key, witnesses)
	if err != nil {
		return nil, err
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return nil, err
	}
	if c.tree.N > maxRecords {
		return nil, fmt.Errorf("a checkpoint of %d records; a log has at most %d", c.tree.N, int64(maxRecords))
	}
	if c.origin != key.Name() {
		return nil, fmt.Errorf("a checkpoint of %q, and not of %q", c.origin, key.Name())
	}
	c.sigs, c.others = n.Sigs, len(n.UnverifiedSigs)
	return c, nil
}

// checkSignatures: each line once, each in canonical base64. x/mod passes over a second line of the same signer, and over spare bits.
func checkSignatures(text []byte, n *note.Note) error {
	sigs := append(append([]note.Signature{}, n.Sigs...), n.UnverifiedSigs...)
	seen := map[string]bool{}
	for _, sig := range sigs {
		id := fmt.Sprintf("%s+%08x", sig.Name, sig.Hash)
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return fmt.Errorf("the signature of %s is no canonical base64", id)
		}
		if seen[id] {
			return fmt.Errorf("two signatures of %s", id)
		}
		seen[id] = true
	}
	if lines := bytes.Count(text[len(n.Text)+1:], []byte("\n")); lines != len(sigs) || lines > maxLines {
		return fmt.Errorf("%d lines of signatures, and %d signatures", lines, len(sigs))
	}
	return nil
}

// Three lines, no extension (C2SP tlog-checkpoint).
func parseCheckpoint(text string) (*checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return nil, errors.New("a checkpoint that has not three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return nil, fmt.Errorf("%.40q is no size of a log", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return nil, fmt.Errorf("%.80q is no root", lines[2])
	}
	c := &checkpoint{origin: lines[0], tree: tlog.Tree{N: size}}
	copy(c.tree.Hash[:], root)
	if size == 0 && c.tree.Hash != emptyRoot {
		return nil, errors.New("a checkpoint of nothing with another root than SHA-256 of nothing")
	}
	return c, nil
}

// --- files ---

// files is a folder, and what of it was checked.
type files struct {
	fs.FS
	checked map[string]bool
}

func newFiles(folder fs.FS) *files {
	return &files{folder, map[string]bool{}}
}

// read takes a whole file of at most `limit` bytes.
func (f *files) read(name string, limit int) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > int64(limit) {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", name, info.Size(), limit)
	}
	data, err := fs.ReadFile(f.FS, name)
	if err == nil && len(data) > limit {
		err = fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	f.checked[name] = true
	return data, err
}

// --- tiles ---

// tilePath is x/mod's path in C2SP's layout: without the height, and with entries instead of data.
func tilePath(t tlog.Tile) string {
	parts := strings.Split(t.Path(), "/")
	if parts[2] == "data" {
		parts[2] = "entries"
	}
	return path.Join(append(parts[:1], parts[2:]...)...)
}

// A treeLog is a log's folder under a tree that was signed.
type treeLog struct {
	files  *files
	folder string
	tree   tlog.Tree
	kept   map[tlog.Tile][]byte // tiles of level 1 and up, and the newest of level 0
}

func newTreeLog(f *files, folder string, tree tlog.Tree) *treeLog {
	return &treeLog{files: f, folder: folder, tree: tree, kept: map[tlog.Tile][]byte{}}
}

func (l *treeLog) Height() int { return tileHeight }

func (l *treeLog) SaveTiles([]tlog.Tile, [][]byte) {}

func (l *treeLog) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, t := range tiles {
		tile, err := l.readTile(t)
		if err != nil {
			return nil, err
		}
		data[i] = tile
	}
	return data, nil
}

func (l *treeLog) readTile(t tlog.Tile) ([]byte, error) {
	if data, ok := l.kept[t]; ok {
		return data, nil
	}
	name := path.Join(l.folder, tilePath(t))
	data, err := l.files.read(name, tileWidth*tlog.HashSize)
	if err != nil {
		return nil, err
	}
	if len(data) != t.W*tlog.HashSize {
		return nil, fmt.Errorf("%s has %d bytes, and not %d", name, len(data), t.W*tlog.HashSize)
	}
	if t.L == 0 {
		for old := range l.kept {
			if old.L == 0 {
				delete(l.kept, old)
			}
		}
	}
	l.kept[t] = data
	return data, nil
}

func (l *treeLog) hashes() tlog.HashReader {
	return tlog.TileHashReader(l.tree, l)
}

// rootAt is the root of the first n records, proved from the tiles to be a prefix of the signed tree.
func (l *treeLog) rootAt(n int64) (tlog.Hash, error) {
	if n == 0 {
		return emptyRoot, nil
	}
	if n > l.tree.N {
		return tlog.Hash{}, fmt.Errorf("it has %d records, fewer than %d", l.tree.N, n)
	}
	return tlog.TreeHash(n, l.hashes())
}

// extends checks that an older tree is a prefix of this one, by a proof made from the tiles.
func (l *treeLog) extends(old tlog.Tree) error {
	if old.N == 0 { // tlog refuses it; parseCheckpoint fixed the root
		return nil
	}
	if old.N > l.tree.N {
		return fmt.Errorf("the older checkpoint has %d records, this log %d", old.N, l.tree.N)
	}
	proof, err := tlog.ProveTree(l.tree.N, old.N, l.hashes())
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, l.tree.N, l.tree.Hash, old.N, old.Hash)
}

// checkTiles authenticates every tile of every level, and hands each record to `visit`, which is nil when there are no bundles.
func (l *treeLog) checkTiles(visit func(index int64, leaf []byte) error) error {
	for level, n := 0, l.tree.N; n > 0; level, n = level+1, n>>tileHeight {
		for tile := int64(0); tile<<tileHeight < n; tile++ {
			width := n - tile<<tileHeight
			if width > tileWidth {
				width = tileWidth
			}
			if err := l.checkTile(level, tile, int(width), visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *treeLog) checkTile(level int, tile int64, width int, visit func(int64, []byte) error) error {
	indexes := make([]int64, width)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(level*tileHeight, tile<<tileHeight+int64(i))
	}
	hashes, err := l.hashes().ReadHashes(indexes)
	if err != nil {
		return fmt.Errorf("%s, tile %d of level %d: %v", l.folder, tile, level, err)
	}
	if level > 0 || visit == nil {
		return nil
	}
	return l.checkBundle(tile, hashes, visit)
}

func (l *treeLog) checkBundle(tile int64, hashes []tlog.Hash, visit func(int64, []byte) error) error {
	name := path.Join(l.folder, tilePath(tlog.Tile{H: tileHeight, L: -1, N: tile, W: len(hashes)}))
	data, err := l.files.read(name, len(hashes)*(maxEntry+2))
	if err != nil {
		return err
	}
	for i, hash := range hashes {
		var leaf []byte
		if leaf, data, err = cutEntry(data); err != nil {
			return fmt.Errorf("%s: %v", name, err)
		}
		if tlog.RecordHash(leaf) != hash {
			return fmt.Errorf("%s: entry %d has not its leaf hash", name, i)
		}
		if err := visit(tile<<tileHeight+int64(i), leaf); err != nil {
			return err
		}
	}
	if len(data) > 0 {
		return fmt.Errorf("%s: %d bytes follow the last entry", name, len(data))
	}
	return nil
}

func cutEntry(data []byte) (leaf, rest []byte, err error) {
	if len(data) < 2 {
		return nil, nil, errors.New("it ends within a length")
	}
	n := int(data[0])<<8 | int(data[1])
	if n == 0 || n > len(data)-2 {
		return nil, nil, errors.New("an entry is empty, or longer than the bundle")
	}
	return data[2 : 2+n], data[2+n:], nil
}
