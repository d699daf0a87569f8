// SPDX-License-Identifier: Apache-2.0

package main

// Altered folders and receipts, in memory: each byte in turn, each file cut, longer, missing or another's. RAFFLE_FOLDER is a good, small one, RAFFLE_KEY its
// control key, RAFFLE_RECEIPTS a folder of good receipts.

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

const mostBytes = 256 * 1024

func wanted(t *testing.T, name string) string {
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set", name)
	}
	return value
}

func load(t *testing.T) fstest.MapFS {
	folder, total := fstest.MapFS{}, 0
	root := os.DirFS(wanted(t, "RAFFLE_FOLDER"))
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		folder[name] = &fstest.MapFile{Data: data}
		total += len(data)
		return err
	})
	if err != nil || total == 0 || total > mostBytes {
		t.Fatalf("%d bytes: %v", total, err)
	}
	return folder
}

// with is a copy in which one file is another; without data it is gone.
func with(folder fstest.MapFS, name string, data []byte) fstest.MapFS {
	changed := fstest.MapFS{}
	for each, file := range folder {
		changed[each] = file
	}
	delete(changed, name)
	if data != nil {
		changed[name] = &fstest.MapFile{Data: data}
	}
	return changed
}

func flipped(data []byte, at int, mask byte) []byte {
	changed := append([]byte{}, data...)
	changed[at] ^= mask
	return changed
}

// A case is what must be refused, and what was done to it.
type altered struct {
	what  string
	check func() *verdict
}

// refuseAll runs cases on all processors, and returns how many there were.
func refuseAll(t *testing.T, produce func(chan<- altered)) int {
	cases, wait, count := make(chan altered, 64), sync.WaitGroup{}, 0
	var lock sync.Mutex
	for i := 0; i < runtime.NumCPU(); i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for c := range cases {
				v := c.check()
				lock.Lock()
				count++
				if len(v.faults) == 0 {
					t.Errorf("%s is taken for good", c.what)
				}
				lock.Unlock()
			}
		}()
	}
	produce(cases)
	close(cases)
	wait.Wait()
	return count
}

// --- folders ---

func TestGoodFolder(t *testing.T) {
	folder, key := load(t), wanted(t, "RAFFLE_KEY")
	for _, pinned := range []string{key, ""} {
		if v := checkFolder(folder, pinned, folder["control/checkpoint"].Data); len(v.faults) > 0 {
			t.Errorf("a good folder: %v", v.faults)
		}
	}
	other := "raffle.example/other+14bccbd9+AedtLE29apUHi5Cj3BzLAPYh76+UapSYAnufi0I92mK8"
	if v := checkFolder(folder, other, nil); len(v.faults) == 0 {
		t.Error("another key is taken")
	}
}

func TestEachByteOfAFolder(t *testing.T) {
	folder, key := load(t), wanted(t, "RAFFLE_KEY")
	count := refuseAll(t, func(cases chan<- altered) {
		for name, file := range folder {
			for at := range file.Data {
				changed := with(folder, name, flipped(file.Data, at, 1<<(at%8)))
				cases <- altered{fmt.Sprintf("%s with byte %d altered", name, at), func() *verdict { return checkFolder(changed, key, nil) }}
			}
		}
	})
	fmt.Println(count, "altered bytes of a folder refused")
}

func TestFilesOfAFolder(t *testing.T) {
	folder, key := load(t), wanted(t, "RAFFLE_KEY")
	count := refuseAll(t, func(cases chan<- altered) {
		for name, file := range folder {
			data := file.Data
			lines := strings.ReplaceAll(string(data), "\n", "\r\n")
			for what, text := range map[string][]byte{
				"missing": nil, "empty": {}, "cut": data[:len(data)-1], "a byte longer": append(append([]byte{}, data...), '\n'),
				"twice": append(append([]byte{}, data...), data...), "with other line ends": []byte(lines + "\r"),
			} {
				changed := with(folder, name, text)
				cases <- altered{name + " " + what, func() *verdict { return checkFolder(changed, key, nil) }}
			}
			for other, file := range folder {
				if other != name && string(file.Data) != string(data) {
					changed := with(folder, name, file.Data)
					cases <- altered{name + " replaced by " + other, func() *verdict { return checkFolder(changed, key, nil) }}
				}
			}
		}
	})
	fmt.Println(count, "altered files of a folder refused")
}

func TestSignatures(t *testing.T) {
	folder, key := load(t), wanted(t, "RAFFLE_KEY")
	note := string(folder["control/checkpoint"].Data)
	at := strings.LastIndex(strings.TrimSuffix(note, "\n"), "\n") + 1
	line := note[at:]
	for what, text := range map[string]string{
		"the signature twice": note + line, "no signature": note[:at], "a blank line more": note[:at] + "\n" + line,
		"spaces at the end": strings.TrimSuffix(note, "\n") + " \n", "an extension line": strings.Replace(note, "\n\n", "\nextension\n\n", 1),
	} {
		if v := checkFolder(with(folder, "control/checkpoint", []byte(text)), key, nil); len(v.faults) == 0 {
			t.Errorf("%s is taken for good", what)
		}
	}
	unknown := note + "— witness.example/w1 IDJKvgAAAABlU/EA4psL2w6kvHjunCR6iRRvgW1vfNjzqReh15E9Y4oTdcW44LvHXlaXBM0A6gx3875GPmcFYk9HqMNrS9Qlp5auBA==\n"
	if v := checkFolder(with(folder, "control/checkpoint", []byte(unknown)), key, nil); len(v.faults) > 0 {
		t.Errorf("a cosignature of an unknown witness: %v", v.faults)
	}
}

// --- receipts ---

func receipts(t *testing.T) map[string][]byte {
	names, err := filepath.Glob(filepath.Join(wanted(t, "RAFFLE_RECEIPTS"), "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no receipts: %v", err)
	}
	found := map[string][]byte{}
	for _, name := range names {
		if found[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func TestReceipts(t *testing.T) {
	key := wanted(t, "RAFFLE_KEY")
	count := refuseAll(t, func(cases chan<- altered) {
		for name, text := range receipts(t) {
			if v := checkReceipt(text, key); len(v.faults) > 0 {
				t.Errorf("%s: %v", name, v.faults)
			}
			for at := range text {
				changed, cut := flipped(text, at, 1<<(at%8)), text[:at]
				cases <- altered{fmt.Sprintf("%s with byte %d altered", name, at), func() *verdict { return checkReceipt(changed, key) }}
				cases <- altered{fmt.Sprintf("%s cut at byte %d", name, at), func() *verdict { return checkReceipt(cut, key) }}
			}
			longer := append(append([]byte{}, text...), '\n')
			cases <- altered{name + " with a line more", func() *verdict { return checkReceipt(longer, key) }}
		}
	})
	fmt.Println(count, "altered receipts refused")
}
