// SPDX-License-Identifier: Apache-2.0

package main

// A published folder (docs/spec/publishing.md): its manifest, its logs, and what is in it beside them.

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const maxManifest = 64 << 20

// verdict is what was found; no fault is a good verdict.
type verdict struct {
	lines  []string
	faults []string
}

func (v *verdict) say(format string, values ...any) {
	v.lines = append(v.lines, fmt.Sprintf(format, values...))
}

// fault adds an error, and says whether there was one.
func (v *verdict) fault(what string, err error) bool {
	if err != nil {
		v.faults = append(v.faults, fmt.Sprintf("%s: %v", what, err))
	}
	return err != nil
}

// A raffle is a folder under verification.
type raffle struct {
	verdict
	files   *files
	control *control
	logs    map[string]*treeLog // by origin
	keys    map[string]note.Verifier
	entries bool // of the units, too
}

// checkFolder verifies a whole folder. Without a pinned key it takes the one that the control log names for itself.
func checkFolder(folder fs.FS, vkey string, old []byte) *verdict {
	r := &raffle{files: newFiles(folder), control: &control{}, logs: map[string]*treeLog{}, keys: map[string]note.Verifier{}}
	manifest, err := r.readManifest()
	if r.fault("manifest.json", err) {
		return &r.verdict
	}
	if r.checkControl(vkey) {
		r.fault("manifest.json", r.compareManifest(manifest))
		for _, u := range r.control.units {
			r.fault(u.origin, r.checkUnit(u))
		}
		r.fault("an older checkpoint", r.checkOld(old))
		r.checkRest()
	}
	return &r.verdict
}

// --- the manifest ---

// readManifest takes from it only whether units have entry bundles; all of it is made again from the control log.
func (r *raffle) readManifest() ([]byte, error) {
	text, err := r.files.read("manifest.json", maxManifest)
	if err != nil {
		return nil, err
	}
	o, err := parseObject(text)
	if err != nil {
		return nil, err
	}
	switch o.text("entries") {
	case "all":
		r.entries = true
	case "control":
	default:
		return nil, errors.New("`entries` is neither \"all\" nor \"control\"")
	}
	return text, nil
}

func (r *raffle) compareManifest(text []byte) error {
	entries := "control"
	if r.entries {
		entries = "all"
	}
	logs := []string{manifestLog(r.control.vkey, r.control.origin, "control")}
	for _, u := range r.control.units {
		logs = append(logs, manifestLog(u.vkey, u.origin, fmt.Sprintf("unit/%d", u.number)))
	}
	again := fmt.Sprintf(`{"entries":%s,"format":1,"logs":%s,"origin":%s}`, quoted(entries), join(logs), quoted(r.control.origin))
	if !bytes.Equal(text, []byte(again)) {
		return errors.New("it is not what the control log says")
	}
	return nil
}

func manifestLog(vkey, name, folder string) string {
	return fmt.Sprintf(`{"key":%s,"name":%s,"path":%s}`, quoted(vkey), quoted(name), quoted(folder))
}

// --- the control log ---

// namedKey is the key in the folder's first record, for nobody gave one.
func (r *raffle) namedKey(size int64) (string, error) {
	first := tlog.Tile{H: tileHeight, L: -1, N: 0, W: tileWidth}
	if size < tileWidth {
		first.W = int(size)
	}
	bundle, err := r.files.read(path.Join("control", tilePath(first)), tileWidth*(maxEntry+2))
	if err != nil {
		return "", err
	}
	leaf, _, err := cutEntry(bundle)
	if err != nil {
		return "", err
	}
	var c control
	err = c.take(0, leaf)
	return c.vkey, err
}

func (r *raffle) checkControl(vkey string) bool {
	text, err := r.files.read("control/checkpoint", maxNote)
	if r.fault("control/checkpoint", err) {
		return false
	}
	if vkey == "" {
		if vkey, err = r.unsignedKey(text); r.fault("the control key", err) {
			return false
		}
		r.say("key         %s (the log names it for itself: compare it with one that you trust)", vkey)
	} else {
		r.say("key         %s (given)", vkey)
	}
	key, err := verifierOf(vkey, strings.SplitN(vkey, "+", 2)[0])
	if r.fault("the control key", err) {
		return false
	}
	c, err := openCheckpoint(text, key, nil)
	if r.fault("control/checkpoint", err) {
		return false
	}
	log := r.addLog("control", c, key)
	if r.fault("control", log.checkTiles(r.control.take)) {
		return false
	}
	if c.tree.N == 0 || r.control.vkey != vkey {
		r.fault("control/0", errors.New("`raffle.open` names another key than the checkpoint's"))
		return false
	}
	r.fault("control/checkpoint", r.checkWitnesses(text, key))
	r.fault("control", r.checkNotes(log))
	for _, s := range r.control.seals {
		r.say("seal        record %d, %s: %d units, %d tickets of %d numbers for %d; void %d, %d, %d", s.index, s.kind, s.units,
			s.totals.tickets, s.totals.numbers, s.totals.gross, s.totals.voids, s.totals.voidNumbers, s.totals.voidGross)
	}
	return true
}

// unsignedKey is the key that record 0 names, before anything is verified by it.
func (r *raffle) unsignedKey(checkpoint []byte) (string, error) {
	lines := strings.SplitN(string(checkpoint), "\n", 3)
	if len(lines) < 3 {
		return "", errors.New("a checkpoint without lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 {
		return "", fmt.Errorf("a checkpoint of size %.40q names no key", lines[1])
	}
	return r.namedKey(size)
}

func (r *raffle) addLog(folder string, c *checkpoint, key note.Verifier) *treeLog {
	log := newTreeLog(r.files, folder, c.tree)
	r.logs[c.origin], r.keys[c.origin] = log, key
	r.say("%-11s %d records, root %x, signed", folder, c.tree.N, c.tree.Hash[:])
	return log
}

// checkWitnesses: cosignatures of the newest checkpoint by those whom the rules name are right. A quorum is needed only in results.
func (r *raffle) checkWitnesses(text []byte, key note.Verifier) error {
	if r.control.witnesses == nil {
		return nil
	}
	c, err := openCheckpoint(text, key, r.control.witnesses)
	if err != nil {
		return err
	}
	reached := "not reached"
	if r.control.witnesses.reached(c.sigs) {
		reached = "reached"
	}
	r.say("witnesses   %d of %d cosigned the control checkpoint: quorum %s", len(c.sigs)-1, len(r.control.witnesses.witnesses), reached)
	return nil
}

// checkNotes: what results quote was signed, by the witnesses too, and is a prefix of this log.
func (r *raffle) checkNotes(log *treeLog) error {
	for _, n := range r.control.notes {
		c, err := r.checkNote(log, r.control.key, n.note, n.size, nil)
		if err == nil && !r.control.witnesses.reached(c.sigs) {
			err = errors.New("the witnesses' quorum is not reached")
		}
		if err != nil {
			return fmt.Errorf("the note of record %d: %v", n.index, err)
		}
	}
	return nil
}

// checkNote opens a quoted checkpoint, which has a certain size, sometimes a root that is quoted, too, and is a prefix of the log.
func (r *raffle) checkNote(log *treeLog, key note.Verifier, text string, size int64, root *tlog.Hash) (*checkpoint, error) {
	c, err := openCheckpoint([]byte(text), key, r.control.witnesses)
	if err != nil {
		return nil, err
	}
	if c.tree.N != size || root != nil && c.tree.Hash != *root {
		return nil, fmt.Errorf("it is signed for %d records under the root %x", c.tree.N, c.tree.Hash[:])
	}
	have, err := log.rootAt(size)
	if err == nil && have != c.tree.Hash {
		err = fmt.Errorf("the log's root at %d is %x", size, have[:])
	}
	return c, err
}

// --- units ---

func (r *raffle) checkUnit(u *unit) error {
	folder := fmt.Sprintf("unit/%d", u.number)
	text, err := r.files.read(folder+"/checkpoint", maxNote)
	if err != nil {
		return err
	}
	c, err := openCheckpoint(text, u.key, r.control.witnesses)
	if err != nil {
		return err
	}
	log := r.addLog(folder, c, u.key)
	f := newFold(u, r.control.open)
	visit := f.take
	if !r.entries {
		visit = nil
	}
	if err := log.checkTiles(visit); err != nil {
		return err
	}
	for _, s := range u.seals {
		if _, err := r.checkNote(log, u.key, s.note, s.size, &s.root); err != nil {
			return fmt.Errorf("the seal in record %d of the control log: %v", s.index, err)
		}
	}
	if err := r.checkUploads(log, u); err != nil || !r.entries {
		return err
	}
	return f.finish()
}

// checkUploads: a unit that is away signed that it had no records when it was enrolled, and then each of its uploads.
func (r *raffle) checkUploads(log *treeLog, u *unit) error {
	if u.away {
		if _, err := r.checkNote(log, u.key, u.proof, 0, nil); err != nil {
			return fmt.Errorf("the proof of its key: %v", err)
		}
	}
	for _, s := range u.uploads {
		if _, err := r.checkNote(log, u.key, s.note, s.size, &s.root); err != nil {
			return fmt.Errorf("the upload in record %d of the control log: %v", s.index, err)
		}
	}
	return nil
}

// --- beside the logs ---

// checkOld: a checkpoint that somebody kept, of any of the logs, is a prefix of what is published now.
func (r *raffle) checkOld(text []byte) error {
	if text == nil {
		return nil
	}
	origin := strings.SplitN(string(text), "\n", 2)[0]
	log := r.logs[origin]
	if log == nil {
		return fmt.Errorf("it is of %.200q, which is no log of this raffle", origin)
	}
	old, err := openCheckpoint(text, r.keys[origin], r.control.witnesses)
	if err != nil {
		return err
	}
	if err := log.extends(old.tree); err != nil {
		return err
	}
	r.say("old         %s: its %d records are a prefix of the %d now", origin, old.tree.N, log.tree.N)
	return nil
}

var (
	logFile   = regexp.MustCompile(`^(control|unit/[1-9][0-9]{0,4})/(tile/.+)$`)
	stampFile = regexp.MustCompile(`^control/timestamp/([1-9][0-9]*)/(checkpoint|token\.tsr)$`)
)

// checkRest looks at the files that no log needs: older partial tiles, checkpoints with time stamps, and what is no part of the format.
func (r *raffle) checkRest() {
	var other []string
	err := fs.WalkDir(r.files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || r.files.checked[name] {
			return err
		}
		known, err := r.checkFile(name)
		r.fault(strconv.QuoteToGraphic(name), err)
		if !known {
			other = append(other, strconv.QuoteToGraphic(name))
		}
		return nil
	})
	r.fault("the folder", err)
	if len(other) > 0 {
		r.say("not checked %d files: %s", len(other), strings.Join(first(other, 5), ", "))
	}
}

func first(names []string, n int) []string {
	if len(names) > n {
		return append(append([]string{}, names[:n]...), "…")
	}
	return names
}

func (r *raffle) checkFile(name string) (known bool, err error) {
	if m := stampFile.FindStringSubmatch(name); m != nil {
		return m[2] == "checkpoint", r.checkStamped(name, m[1], m[2] == "checkpoint")
	}
	m := logFile.FindStringSubmatch(name)
	if m == nil {
		return false, nil
	}
	for _, log := range r.logs {
		if log.folder == m[1] {
			return log.checkOlder(m[2])
		}
	}
	return false, nil
}

// checkStamped: the checkpoint under a time stamp is this log's. Its token is for `openssl ts`.
func (r *raffle) checkStamped(name, size string, isCheckpoint bool) error {
	if !isCheckpoint {
		return nil
	}
	text, err := r.files.read(name, maxNote)
	if err != nil {
		return err
	}
	c, err := openCheckpoint(text, r.control.key, r.control.witnesses)
	if err != nil {
		return err
	}
	if strconv.FormatInt(c.tree.N, 10) != size {
		return fmt.Errorf("it is of size %d", c.tree.N)
	}
	return r.logs[r.control.origin].extends(c.tree)
}

// checkOlder: a tile that a smaller tree needed. One that lies beyond the checkpoint, of a publish under way, is not known.
func (l *treeLog) checkOlder(name string) (known bool, err error) {
	text := strings.Replace(name, "tile/entries/", "tile/data/", 1)
	t, err := tlog.ParseTilePath(strings.Replace(text, "tile/", "tile/8/", 1))
	if err != nil {
		return false, nil
	}
	level := t.L
	if level < 0 {
		level = 0
	}
	n := l.tree.N >> uint(level*tileHeight)
	if t.N<<tileHeight+int64(t.W) > n {
		return false, nil
	}
	indexes := make([]int64, t.W)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(level*tileHeight, t.N<<tileHeight+int64(i))
	}
	hashes, err := l.hashes().ReadHashes(indexes)
	if err != nil {
		return true, err
	}
	data, err := l.files.read(path.Join(l.folder, name), t.W*(maxEntry+2))
	if err != nil {
		return true, err
	}
	if t.L < 0 {
		return true, sameEntries(data, hashes)
	}
	if !bytes.Equal(data, flat(hashes)) {
		return true, errors.New("it is not the log's tile")
	}
	return true, nil
}

func flat(hashes []tlog.Hash) []byte {
	var out []byte
	for _, h := range hashes {
		out = append(out, h[:]...)
	}
	return out
}

func sameEntries(data []byte, hashes []tlog.Hash) error {
	for _, hash := range hashes {
		leaf, rest, err := cutEntry(data)
		if err != nil {
			return err
		}
		if tlog.RecordHash(leaf) != hash {
			return errors.New("an entry has not its leaf hash")
		}
		data = rest
	}
	if len(data) > 0 {
		return errors.New("more follows the last entry")
	}
	return nil
}
