// SPDX-License-Identifier: Apache-2.0

//go:build raffle_servers

package raffle_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"raffle.example/raffle"
)

// A night on a database server, with keys and randomness of a token and of a key management service, which RAFFLE_POSTGRES, RAFFLE_TOKEN and RAFFLE_KMS name.

func openRng(t *testing.T, uri string) *raffle.Rng {
	t.Helper()
	rng, err := raffle.RngOpen(uri, nil)
	must(t, err)
	t.Cleanup(rng.Free)
	return rng
}

// createElsewhere makes a raffle on the server, whose rules name these providers.
func createElsewhere(t *testing.T, name, keys, prizes string, rngs ...*raffle.Rng) (*raffle.Raffle, string) {
	t.Helper()
	store := os.Getenv("RAFFLE_POSTGRES") + "#raffle.example/" + name
	var names []string
	for _, rng := range rngs {
		names = append(names, fmt.Sprintf("%q", rng.Name()))
	}
	text := strings.NewReplacer("raffle.example/go", "raffle.example/"+name, `"test", "host:coin"`, strings.Join(names, ", ")).Replace(string(rules(prizes)))
	clock := newClock()
	r, err := raffle.Create(store, keys, &raffle.Host{Clock: clock.now}, []byte(text), boss)
	must(t, err)
	t.Cleanup(r.Free)
	return r, store
}

func TestServersNight(t *testing.T) {
	token, service := openRng(t, os.Getenv("RAFFLE_TOKEN")), openRng(t, os.Getenv("RAFFLE_KMS"))
	r, store := createElsewhere(t, "elsewhere", os.Getenv("RAFFLE_TOKEN"), `[{"name": "first", "share": 5000, "alternates": 1}, {"name": "second"}]`, token, service)
	u, err := r.UnitOpen(1)
	must(t, err)
	defer u.Free()
	var all sync.WaitGroup
	for i := range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for j := range 100 {
				order := raffle.Sale{Order: fmt.Sprintf("%d-%d", i, j/2), Tier: "one"} // each is sent twice
				if _, err := u.Sell(background, seller, order); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
	must(t, r.Void(supervisor, 1, 7, "refund"))
	seal, err := r.Seal(boss, nil, raffle.SealFinal)
	must(t, err)
	equal(t, seal.Tickets, 200)
	must(t, r.VoidsAck(boss, seal.Index))
	drawElsewhere(t, r, "first", token)
	drawElsewhere(t, r, "second", service)
	info, err := r.Describe()
	must(t, err)
	published := filepath.Join(t.TempDir(), "published")
	_, err = r.Publish(background, published, nil)
	must(t, err)
	for _, place := range []string{store, published} {
		verdict, err := raffle.AuditStore(place, nil, info.ControlKey)
		must(t, err)
		equal(t, verdict.Passed, true)
	}
}

func drawElsewhere(t *testing.T, r *raffle.Raffle, prize string, rng *raffle.Rng) {
	t.Helper()
	d, err := r.DrawBegin(boss, prize, &raffle.DrawOptions{Rng: rng})
	must(t, err)
	defer d.Free()
	must(t, d.Finish(background, rng, nil))
	_, err = r.PickAt(prize, 1)
	must(t, err)
}

func TestServersRefused(t *testing.T) {
	folder := t.TempDir()
	pin := filepath.Join(folder, "pin")
	must(t, os.WriteFile(pin, []byte("not-the-s3cret"), 0o600))
	uri, _, _ := strings.Cut(os.Getenv("RAFFLE_TOKEN"), "pin-source=")
	_, err := raffle.RngOpen(uri+"pin-source="+pin, nil)
	fails(t, err, raffle.ErrRNG, "CKR_PIN_INCORRECT")
	if strings.Contains(err.Error(), "s3cret") {
		t.Fatal(err)
	}
	_, err = raffle.Create("postgresql://nobody@127.0.0.1:1/nothing#raffle.example/refused", "file:"+filepath.Join(folder, "keys"), nil, rules(onePrize), boss)
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Fatal(err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another")
	service := openRng(t, os.Getenv("RAFFLE_KMS"))
	r, _ := createElsewhere(t, "refused", "file:"+filepath.Join(folder, "keys"), onePrize, service)
	u, err := r.UnitOpen(1)
	must(t, err)
	defer u.Free()
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "one"})
	must(t, err)
	seal, err := r.Seal(boss, nil, raffle.SealFinal)
	must(t, err)
	must(t, r.VoidsAck(boss, seal.Index))
	_, err = r.DrawBegin(boss, "first", &raffle.DrawOptions{Rng: service})
	fails(t, err, raffle.ErrRNG, "InvalidSignature")
	_, err = r.DrawPending()
	fails(t, err, raffle.ErrNotFound, "")
}
