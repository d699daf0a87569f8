// SPDX-License-Identifier: Apache-2.0

package raffle_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"raffle.example/raffle"
)

// A raffle from its rules to its last claim, and all that can be asked of it.

func TestNight(t *testing.T) {
	f := create(t, onePrize)
	must(t, raffle.RulesCheck(rules(onePrize)))
	fails(t, raffle.RulesCheck([]byte("{}")), raffle.ErrInvalid, "origin")
	info, err := f.Describe()
	must(t, err)
	equal(t, info.Origin, "raffle.example/go")
	equal(t, info.Units, 2)
	equal(t, info.Opens, time.Date(2026, 11, 15, 1, 0, 0, 0, time.UTC))
	var tiers []string
	for tier, err := range f.Tiers() {
		must(t, err)
		tiers = append(tiers, tier.Name)
	}
	equal(t, strings.Join(tiers, " "), "one ten")
	for operation, err := range f.Operations() {
		must(t, err)
		if operation.Name == "sell" && !operation.May(raffle.Seller) || operation.May(0) {
			t.Fatal(operation)
		}
	}
	u := f.unit(1)
	tickets, err := u.Sell(background, seller, raffle.Sale{Order: "order-1", Tier: "ten", Buyer: "b"}, raffle.Sale{Order: "order-1", Tier: "one"})
	must(t, err)
	equal(t, tickets[0].Order, "order-1")
	equal(t, tickets[1].First, 11)
	again, err := u.Sell(background, seller, raffle.Sale{Order: "order-1", Tier: "ten", Buyer: "b"}, raffle.Sale{Order: "order-1", Tier: "one"})
	must(t, err)
	equal(t, again[0].Flags&raffle.TicketReplayed, raffle.TicketReplayed)
	equal(t, again[0].Serial, tickets[0].Serial)
	f.sell(20, "one")
	number, err := raffle.NumberFormat(1, 11)
	must(t, err)
	equal(t, number, "1-0000011")
	unit, n, err := raffle.NumberParse(number)
	must(t, err)
	equal(t, unit, 1)
	equal(t, n, 11)
	byNumber, err := f.TicketByNumber(number)
	must(t, err)
	equal(t, byNumber.Serial, tickets[1].Serial)
	of, err := f.OrderTickets("order-1")
	must(t, err)
	equal(t, len(of), 2)
	validation, err := u.Validation(tickets[0].Serial)
	must(t, err)
	byValidation, err := f.TicketByValidation(validation)
	must(t, err)
	equal(t, byValidation.Serial, tickets[0].Serial)
	must(t, f.Void(supervisor, 1, tickets[1].Serial, "refund"))
	void, err := f.TicketGet(1, tickets[1].Serial)
	must(t, err)
	equal(t, void.Flags&raffle.TicketVoid, raffle.TicketVoid)
	local, err := f.LocalTime(tickets[0].At)
	must(t, err)
	if !strings.HasPrefix(local, "2026-11-15T02:00:00") {
		t.Fatal(local)
	}
	must(t, u.Close(supervisor))
	closing, err := f.UnitCloseReceipt(1)
	must(t, err)
	one, err := f.UnitDescribe(1)
	must(t, err)
	closed, err := raffle.UnitCloseVerify(closing, one.Key)
	must(t, err)
	equal(t, closed.Tickets, 22)
	must(t, f.Cash(supervisor, 1, "cash", 12000, "ann", "in a bag"))
	balance, err := f.CashBalance(1, "")
	must(t, err)
	equal(t, balance.Difference, 12000-(2000+20*500))
	_, err = f.SealLatest(raffle.SealFinal)
	fails(t, err, raffle.ErrNotSealed, "seal")
	seal := f.seal()
	equal(t, seal.Numbers, 31)
	latest, err := f.SealLatest(raffle.SealFinal)
	must(t, err)
	equal(t, latest.Index, seal.Index)
	prize, err := f.PrizeByName("first")
	must(t, err)
	equal(t, prize.Value, 6000)
	equal(t, prize.Waits, true)
	pick := f.draw("first")
	validation, err = f.unit(pick.Unit).Validation(pick.Serial)
	must(t, err)
	now, promoted, err := f.WinnerVerify(boss, "first", 1, validation)
	must(t, err)
	equal(t, now.State, raffle.PlaceVerified)
	equal(t, promoted, 0)
	must(t, f.WinnerOfficial(boss, "first", 1))
	fails(t, f.ClaimWait(boss, "first", 1, validation), raffle.ErrSequence, "papers")
	fails(t, f.ClaimPapers(boss, supervisor, "first", 1, validation, "id"), raffle.ErrSequence, "papers")
	must(t, f.Claim(boss, supervisor, "first", 1, validation))
	places := 0
	for place, err := range f.Picks("first") {
		must(t, err)
		equal(t, place.Place, uint32(places+1))
		places++
	}
	equal(t, places, 2)
	_, err = f.Forfeit(boss, &supervisor, "first", 1, "late")
	fails(t, err, raffle.ErrSequence, "claimed")
	receipt, err := f.Receipt(pick.Unit, pick.Serial)
	must(t, err)
	said, err := raffle.ReceiptVerify(receipt, info.ControlKey)
	must(t, err)
	equal(t, said.Proves, raffle.ReceiptDrum)
	equal(t, said.Serial, pick.Serial)
	var written bytes.Buffer
	must(t, f.WriteReceipt(&written, pick.Unit, pick.Serial))
	equal(t, written.Len() > 0, true)
	receipt[len(receipt)/2] ^= 1
	if _, err := raffle.ReceiptVerify(receipt, info.ControlKey); err == nil {
		t.Fatal("an altered receipt is good")
	}
	equal(t, f.audit().Draws, 1)
}

func TestRefusedDrawsAndRedraws(t *testing.T) {
	f := create(t, `[{"name": "first", "amount": 1001, "winners": 2}, {"name": "again", "redraw_of": "first"}, {"name": "ace", "share": 1000, "ace": 2}]`)
	f.sell(9, "one")
	_, err := f.DrawBegin(boss, "first", nil)
	fails(t, err, raffle.ErrNotSealed, "seal")
	f.seal()
	_, err = f.DrawPending()
	fails(t, err, raffle.ErrNotFound, "intent")
	d, err := f.DrawBegin(boss, "first", nil)
	must(t, err)
	note, err := d.Checkpoint()
	must(t, err)
	if !strings.HasPrefix(note, "raffle.example/go\n") {
		t.Fatal(note)
	}
	pending, err := f.DrawPending()
	must(t, err)
	equal(t, pending.Prize, "first")
	must(t, f.DrawAbort(boss, supervisor, "rehearsal"))
	d.Free()
	d.Free()
	d, err = f.DrawBegin(boss, "first", nil)
	must(t, err)
	described, err := d.Describe()
	must(t, err)
	equal(t, described.Attempt, 2)
	d.Free()
	d, err = f.DrawResume(boss, nil)
	must(t, err)
	must(t, d.Finish(background, f.rng(), nil))
	d.Free()
	_, err = f.DrawBegin(boss, "again", &raffle.DrawOptions{Reason: "unclaimed", Ok: &supervisor})
	fails(t, err, raffle.ErrSequence, "without a winner")
	_, err = f.Forfeit(boss, &supervisor, "first", 1, "unclaimed")
	must(t, err)
	prize, err := f.PrizeAt(1)
	must(t, err)
	equal(t, prize.RedrawOf, "first")
	equal(t, prize.Waits, true)
	equal(t, prize.Value, 500)
	_, err = f.DrawBegin(boss, "again", nil)
	fails(t, err, raffle.ErrInvalid, "reason")
	d, err = f.DrawBegin(boss, "again", &raffle.DrawOptions{Reason: "unclaimed", Ok: &supervisor})
	must(t, err)
	must(t, d.Finish(background, f.rng(), nil))
	d.Free()
	pick := f.draw("ace")
	validation, err := f.unit(pick.Unit).Validation(pick.Serial)
	must(t, err)
	_, _, err = f.WinnerVerify(boss, "ace", 1, validation)
	must(t, err)
	must(t, f.WinnerOfficial(boss, "ace", 1))
	_, err = f.WinnerPick(boss, supervisor, "ace", 1, 1, raffle.AceMissed)
	must(t, err)
	names := ""
	for prize, err := range f.Prizes() {
		must(t, err)
		names += prize.Name + " "
	}
	equal(t, names, "first again ace ")
	f.audit()
}

func TestCommittedDraw(t *testing.T) {
	f := create(t, `[{"name": "first", "seed": "committed", "beacon_delay": 60}], "beacon": "quicknet"`)
	f.sell(9, "one")
	f.seal()
	seed, commitment, evidence, err := f.rng().Seed(background)
	must(t, err)
	kept, err := raffle.SeedCommitment(seed)
	must(t, err)
	equal(t, kept, commitment)
	d, err := f.DrawBegin(boss, "first", &raffle.DrawOptions{Rng: f.rng(), Commitment: commitment, Evidence: evidence})
	must(t, err)
	defer d.Free()
	info, err := d.Describe()
	must(t, err)
	equal(t, info.Round, raffle.BeaconRound(info.At.Add(time.Minute)))
	equal(t, info.RoundAt, raffle.BeaconTime(info.Round))
	equal(t, raffle.BeaconTime(0).IsZero(), true)
	finish := raffle.FinishOptions{Round: info.Round, Seed: seed}
	finish.Beacon[0] = 7
	finish.Verify = func(uint64, [raffle.BeaconSize]byte) error { return raffle.ErrSignature }
	f.clock.set("2026-11-15T02:10:00Z")
	fails(t, d.Finish(background, nil, &finish), raffle.ErrSignature, "")
	asked := uint64(0)
	finish.Verify = func(round uint64, value [raffle.BeaconSize]byte) error {
		asked = round + uint64(value[0])
		return nil
	}
	must(t, d.Finish(background, nil, &finish))
	equal(t, asked, info.Round+7)
	verified := false
	a, err := raffle.AuditRun(background, f.store, nil, &raffle.AuditOptions{Threads: 1, Beacon: func(uint64, [raffle.BeaconSize]byte) error { verified = true; return nil }})
	must(t, err)
	defer a.Free()
	draw, err := a.DrawAt(0)
	must(t, err)
	equal(t, verified && draw.BeaconVerified && draw.Committed, true)
	_, _, err = raffle.BeaconParse([]byte("{}"))
	fails(t, err, raffle.ErrInvalid, "round")
}

func TestDrum(t *testing.T) {
	f := create(t, `[{"name": "quilt", "draw": "drum", "winners": 1}]`)
	tickets := f.sell(3, "one")
	must(t, f.Void(supervisor, 1, tickets[2].Serial, "refund"))
	must(t, f.Print(supervisor, 1, 1, 3))
	must(t, f.Reprint(supervisor, boss, 1, 1, 1, "smudged"))
	must(t, f.TicketReprint(supervisor, boss, 1, tickets[0].Serial, "lost"))
	var seen []raffle.Counterfoil
	for foil, err := range f.Counterfoils(1, 1, 0) {
		must(t, err)
		seen = append(seen, foil)
	}
	equal(t, len(seen), 3)
	equal(t, seen[0].Flags, raffle.CounterfoilPrinted|raffle.CounterfoilReprinted)
	equal(t, seen[2].Flags&raffle.CounterfoilVoid, raffle.CounterfoilVoid)
	for _, err := range f.Counterfoils(1, 9, 0) {
		fails(t, err, raffle.ErrNotFound, "")
	}
	f.seal()
	d, err := f.DrawBegin(boss, "quilt", nil)
	must(t, err)
	defer d.Free()
	call, err := d.Call(1, 3)
	must(t, err)
	equal(t, call.Outcome, raffle.CallVoid)
	call, err = d.Call(1, 2)
	must(t, err)
	equal(t, call.Outcome, raffle.CallTaken)
	equal(t, call.Place, 1)
	must(t, d.Finish(background, nil, nil))
	f.audit()
}

func TestLogs(t *testing.T) {
	f := create(t, onePrize)
	f.sell(300, "one")
	count := 0
	for record, err := range f.Records(1, 0) {
		must(t, err)
		equal(t, record.Index, uint64(count))
		equal(t, json.Valid(record.Leaf) && json.Valid(record.Private), true)
		if count++; count == 5 {
			break
		}
	}
	cursor, err := f.CursorOpen(1, 7)
	must(t, err)
	record, err := cursor.Next()
	must(t, err)
	cursor.Free()
	_, err = cursor.Next()
	fails(t, err, raffle.ErrMisuse, "freed")
	root, size, err := f.Root(1, raffle.Latest)
	must(t, err)
	equal(t, size, 301)
	leaf, err := raffle.LeafHash(record.Leaf)
	must(t, err)
	proof, err := f.Inclusion(1, 7, size)
	must(t, err)
	must(t, raffle.InclusionVerify(7, size, leaf, proof, root))
	fails(t, raffle.InclusionVerify(8, size, leaf, proof, root), raffle.ErrProof, "")
	old, _, err := f.Root(1, 100)
	must(t, err)
	proof, err = f.Consistency(1, 100, size)
	must(t, err)
	must(t, raffle.ConsistencyVerify(100, size, old, root, proof))
	fails(t, raffle.ConsistencyVerify(100, size, old, old, proof), raffle.ErrProof, "")
	note, err := f.Checkpoint(1)
	must(t, err)
	kept, err := f.CheckpointGet(1, raffle.Latest)
	must(t, err)
	equal(t, kept, note)
	u, err := f.UnitDescribe(1)
	must(t, err)
	said, err := raffle.CheckpointVerify(note, u.Key)
	must(t, err)
	equal(t, said.Root, root)
	equal(t, said.Log, 1)
	equal(t, root.String()[:8], said.Root.String()[:8])
	_, err = raffle.CheckpointVerify(note, "nonsense")
	fails(t, err, raffle.ErrInvalid, "")
}

func TestUnits(t *testing.T) {
	f := create(t, onePrize)
	number, err := f.UnitEnrol(boss, raffle.UnitOptions{Name: "gate", Quota: 10})
	must(t, err)
	equal(t, number, 3)
	_, err = f.unit(3).Sell(background, seller, raffle.Sale{Tier: "one"})
	fails(t, err, raffle.ErrDisabled, "")
	must(t, f.UnitUnenrol(boss, 3))
	must(t, f.UnitDisable(boss, 2, "pause"))
	must(t, f.UnitEnable(boss, 2))
	must(t, f.UnitQuota(boss, 2, 5))
	_, err = f.unit(2).Sell(background, seller, raffle.Sale{Tier: "ten"})
	fails(t, err, raffle.ErrQuota, "5")
	disabled, err := f.UnitValidated(boss, 2, false, "wrong word")
	must(t, err)
	equal(t, disabled, false)
	_, _, err = f.UnitsWatch(boss)
	must(t, err)
	names := ""
	for unit, err := range f.Units() {
		must(t, err)
		names += unit.Name + " "
	}
	equal(t, names, "web kiosk gate ")
	_, err = f.UnitOpen(99)
	fails(t, err, raffle.ErrNotFound, "99")
}

func TestEvents(t *testing.T) {
	f := create(t, onePrize)
	for range 3 {
		must(t, f.Event(supervisor, 1, "printer.paper-out", "printer", "left one"))
	}
	index, err := f.EventWrite(supervisor, raffle.EventDetails{Code: "remote.begin", Component: "rsu", Text: "a look", Login: "ops", From: "10.0.0.1"})
	must(t, err)
	_, err = f.EventWrite(supervisor, raffle.EventDetails{Code: "remote.end", Component: "rsu", Text: "done", Begin: index})
	must(t, err)
	_, err = f.EventWrite(supervisor, raffle.EventDetails{Code: "data.altered", Component: "host", Text: "typo", Element: "name", OldValue: "a", NewValue: "b"})
	fails(t, err, raffle.ErrApproval, "")
	_, err = f.EventWrite(supervisor, raffle.EventDetails{Code: "data.altered", Component: "host", Text: "typo", Element: "name", OldValue: "a", NewValue: "b", Ok: &boss})
	must(t, err)
	hits, more, err := f.EventFind(raffle.EventQuery{Code: "printer.paper-out", Limit: 2})
	must(t, err)
	equal(t, more, true)
	equal(t, hits[0].Text, "left one")
	equal(t, raffle.EventSeverityName(hits[0].Severity) != "", true)
	all := 0
	for hit, err := range f.Events(raffle.EventQuery{Code: "printer.paper-out", Limit: 2, Newest: true}) {
		must(t, err)
		equal(t, hit.Log, 1)
		all++
	}
	equal(t, all, 3)
	control := uint32(0)
	hits, _, err = f.EventFind(raffle.EventQuery{Log: &control})
	must(t, err)
	for _, hit := range hits {
		equal(t, hit.Log, 0)
	}
	for _, err := range f.Events(raffle.EventQuery{Code: "no.such"}) {
		fails(t, err, raffle.ErrNotFound, "no.such")
	}
	added, err := f.EventReindex()
	must(t, err)
	equal(t, added, 0)
	codes := 0
	for code, err := range raffle.EventCodes() {
		must(t, err)
		equal(t, code.Code != "" && code.Severity >= raffle.EventInfo, true)
		codes++
	}
	equal(t, codes > 20, true)
	_, err = raffle.EventCodeGet(1 << 30)
	fails(t, err, raffle.ErrNotFound, "")
}

func TestReports(t *testing.T) {
	f := create(t, onePrize)
	f.sell(5, "ten")
	f.seal()
	f.draw("first")
	names := 0
	for name, title := range raffle.Reports() {
		equal(t, title != "", true)
		for _, format := range []raffle.ReportFormat{raffle.ReportText, raffle.ReportCSV, raffle.ReportJSON, raffle.ReportHTML} {
			var out bytes.Buffer
			must(t, f.ReportWrite(background, &out, raffle.ReportOptions{Name: name, Format: format, Maker: "ann"}))
			if out.Len() == 0 {
				t.Fatal(name, format)
			}
			if format != raffle.ReportJSON {
				continue
			}
			info, err := f.ReportVerify(background, bytes.NewReader(out.Bytes()))
			must(t, err)
			equal(t, info.Name, name)
			altered := bytes.Replace(out.Bytes(), []byte(`"Society"`), []byte(`"Satiety"`), 1)
			_, err = f.ReportVerify(background, bytes.NewReader(altered))
			fails(t, err, raffle.ErrMismatch, "")
		}
		names++
	}
	equal(t, names > 7, true)
	equal(t, raffle.ReportSource(0) != "", true)
	err := f.ReportWrite(background, &bytes.Buffer{}, raffle.ReportOptions{Name: "none", Format: raffle.ReportText})
	fails(t, err, raffle.ErrNotFound, "none")
}

func TestPublishedAndAudited(t *testing.T) {
	f := create(t, onePrize)
	f.sell(300, "one")
	f.seal()
	pick := f.draw("first")
	receipt, err := f.Receipt(pick.Unit, pick.Serial)
	must(t, err)
	folder := filepath.Join(f.folder, "published")
	told := uint64(0)
	info, err := f.Publish(background, folder, &raffle.PublishOptions{Progress: func(done, total uint64) error { told = done; return nil }})
	must(t, err)
	equal(t, info.Logs, 3)
	equal(t, told > 0, true)
	query, size, err := raffle.TimestampBegin(folder)
	must(t, err)
	equal(t, len(query) > 0 && size > 0, true)
	_, err = raffle.TimestampFinish(folder, size, []byte("nonsense"), "")
	fails(t, err, raffle.ErrInvalid, "")
	asked, err := raffle.TimestampQuery([]byte("data"))
	must(t, err)
	equal(t, len(asked) > 40, true)
	_, err = raffle.TimestampVerify([]byte("data"), []byte("no"), "")
	fails(t, err, raffle.ErrInvalid, "")
	described, err := f.Describe()
	must(t, err)
	for _, where := range []string{f.store, folder} {
		given := map[string][]byte{"good": receipt, "bad": []byte("bad")}
		receipts := func() (string, []byte, error) {
			for name, text := range given {
				delete(given, name)
				return name, text, nil
			}
			return "", nil, io.EOF
		}
		a, err := raffle.AuditRun(background, where, nil, &raffle.AuditOptions{ControlKey: described.ControlKey, Receipts: receipts})
		must(t, err)
		verdict, err := a.Verdict()
		must(t, err)
		equal(t, verdict.KeyPinned, true)
		equal(t, verdict.Receipts, 2)
		equal(t, verdict.ReceiptsKept, 1)
		faults := 0
		for fault, err := range a.Faults() {
			must(t, err)
			equal(t, fault.Code, "receipt")
			equal(t, fault.Kind, raffle.FaultCompleteness)
			faults++
		}
		equal(t, faults, 1)
		_, err = a.FaultAt(1)
		fails(t, err, raffle.ErrNotFound, "")
		for draw, err := range a.Draws() {
			must(t, err)
			equal(t, draw.Assurance, raffle.AssuranceOperator)
		}
		a.Free()
	}
	store, err := raffle.StoreOpen(folder, nil)
	must(t, err)
	a, err := raffle.AuditRunWith(background, store, nil)
	must(t, err)
	a.Free()
	store.Free()
	_, err = f.WitnessAt(0)
	fails(t, err, raffle.ErrNotFound, "")
	_, err = f.WitnessPolicy()
	fails(t, err, raffle.ErrNotFound, "")
}

func TestWitnesses(t *testing.T) {
	const key = "witness.example/m0+276838e1+BONZldygQQBuwc0IDnuCYds8wLDAcUvTB29QYPqXkuCt" // of tests/vectors/policy.json
	f := create(t, `[{"name": "first"}], "witnesses": ["witness a `+key+` https://w.example/raffle", "quorum a"]`)
	w, err := f.WitnessAt(0)
	must(t, err)
	equal(t, w.URL, "https://w.example/raffle")
	for w, err := range f.Witnesses() {
		must(t, err)
		equal(t, w.Name, "a")
	}
	policy, err := f.WitnessPolicy()
	must(t, err)
	equal(t, strings.Contains(policy, "quorum a"), true)
	_, err = f.Checkpoint(0)
	must(t, err)
	described, err := f.Describe()
	must(t, err)
	request, err := f.WitnessRequest(0, described.ControlSize, 0)
	must(t, err)
	equal(t, bytes.HasPrefix(request, []byte("old 0\n")), true)
	again, err := f.WitnessAnswer(0, 0, described.ControlSize, 409, []byte("1\n"))
	must(t, err)
	equal(t, again, 1)
	_, err = f.WitnessAnswer(0, 0, described.ControlSize, 409+1<<32, []byte("1\n"))
	equal(t, err != nil, true)
	_, err = f.WitnessAnswer(0, 0, described.ControlSize, 200, []byte("nonsense\n"))
	if err == nil {
		t.Fatal("nonsense is a cosignature")
	}
	reached, err := f.CheckpointQuorum(0, described.ControlSize)
	must(t, err)
	equal(t, reached, false)
	fails(t, f.CheckpointCosign(0, described.ControlSize, "— a AAAA\n"), raffle.ErrSignature, "")
}

func TestTill(t *testing.T) {
	f := create(t, onePrize)
	keys := "file:" + filepath.Join(f.folder, "till.keys")
	key, proof, err := raffle.UnitApply(keys, nil, "raffle.example/go", 3)
	must(t, err)
	handle, err := raffle.KeysOpen(keys, nil)
	must(t, err)
	same, _, err := raffle.UnitApplyWith(handle, "raffle.example/go", 3)
	must(t, err)
	equal(t, same, key)
	_, err = f.UnitEnrol(boss, raffle.UnitOptions{Name: "tent", Quota: 100, Away: true, Hours: 24, Key: key, Proof: proof})
	must(t, err)
	must(t, f.UnitEnable(boss, 3))
	var kit, upload, news bytes.Buffer
	must(t, f.UnitKit(background, 3, &kit))
	till, err := raffle.UnitInstall(filepath.Join(f.folder, "till.raffle"), keys, f.host, kit.Bytes(), "")
	must(t, err)
	defer till.Free()
	second, err := raffle.StoreOpen("sqlite:"+filepath.Join(f.folder, "second.raffle")+"?create=1", nil)
	must(t, err)
	other, err := raffle.UnitInstallWith(second, handle, f.host, kit.Bytes(), "")
	must(t, err)
	other.Free()
	second.Free()
	handle.Free()
	u, err := till.UnitOpen(3)
	must(t, err)
	defer u.Free()
	_, err = u.Sell(background, seller, raffle.Sale{Tier: "ten"})
	must(t, err)
	challenge, err := f.UnitChallenge(3)
	must(t, err)
	must(t, u.Export(background, challenge, &upload))
	info, err := f.UnitUpload(boss, upload.Bytes())
	must(t, err)
	equal(t, info.Numbers, 10)
	must(t, f.UnitNews(background, 3, info.ControlSize, &news))
	must(t, till.UnitUpdate(news.Bytes()))
	upload.Bytes()[upload.Len()/2] ^= 1
	if _, err = f.UnitUpload(boss, upload.Bytes()); err == nil {
		t.Fatal("an altered upload is taken")
	}
	f.audit()
}

func TestBackup(t *testing.T) {
	f := create(t, onePrize)
	f.sell(50, "one")
	path := filepath.Join(f.folder, "backup")
	file, err := os.Create(path)
	must(t, err)
	must(t, f.Backup(background, file))
	must(t, file.Close())
	described, err := f.Describe()
	must(t, err)
	info, err := raffle.BackupVerify(path, described.ControlKey)
	must(t, err)
	equal(t, info.Origin, "raffle.example/go")
	keys := "file:" + f.store + ".keys"
	mirror, err := raffle.Restore(path, filepath.Join(f.folder, "mirror.raffle"), keys, f.host, nil)
	must(t, err)
	defer mirror.Free()
	f.sell(50, "one")
	got, err := f.Mirror(mirror)
	must(t, err)
	equal(t, got.Copied, 50)
	kept, err := raffle.KeysOpen(keys, nil)
	must(t, err)
	store, err := raffle.StoreOpen("sqlite:"+filepath.Join(f.folder, "again.raffle")+"?create=1", nil)
	must(t, err)
	again, err := raffle.RestoreWith(path, store, kept, f.host, &boss)
	must(t, err)
	store.Free()
	kept.Free()
	now, err := again.Describe()
	must(t, err)
	equal(t, now.Tickets, 50)
	again.Free()
	_, err = raffle.Restore(path, filepath.Join(f.folder, "no.raffle"), keys, f.host, &seller)
	fails(t, err, raffle.ErrRole, "")
}

func TestErased(t *testing.T) {
	f := create(t, onePrize)
	tickets := f.sell(2, "one")
	must(t, f.TicketErase(admin, 1, tickets[0].Serial))
	for record, err := range f.Records(1, tickets[0].Serial) {
		must(t, err)
		equal(t, record.Private == nil, record.Index == tickets[0].Serial)
	}
}

func TestSelf(t *testing.T) {
	path, hash, err := raffle.SelfHash()
	must(t, err)
	equal(t, path != "" && hash != raffle.Hash{}, true)
	equal(t, raffle.Version() != "" && json.Valid([]byte(raffle.Build())), true)
	f := create(t, onePrize)
	key, err := f.Describe()
	must(t, err)
	fails(t, raffle.SelfVerify([]byte("no manifest"), key.ControlKey), raffle.ErrInvalid, "")
	fails(t, raffle.ManifestVerify([]byte("no manifest"), key.ControlKey, "libraffle.so", hash), raffle.ErrInvalid, "")
	if f.SelfCheck(boss, []byte("no manifest"), key.ControlKey) == nil {
		t.Fatal("no manifest is one")
	}
	equal(t, raffle.RoleParse("seller"), raffle.Seller)
	equal(t, raffle.RoleParse("\x00"), 0)
	equal(t, raffle.Seller.String(), "seller")
	equal(t, raffle.ErrWindow.Name(), "RAFFLE_WINDOW")
}

// A sequence may be walked over again, after its end and after a break.
func TestSequencesAgain(t *testing.T) {
	f := create(t, onePrize)
	f.sell(3, "one")
	for range 4 {
		must(t, f.Event(supervisor, 0, "x.door", "", ""))
	}
	foils, events := f.Counterfoils(1, 2, 0), f.Events(raffle.EventQuery{Code: "x.door", Limit: 1})
	for _, stop := range []int{9, 1, 9} {
		seen := 0
		for foil, err := range foils {
			must(t, err)
			equal(t, foil.Number, uint64(2+seen))
			if seen++; seen == stop {
				break
			}
		}
		equal(t, seen, min(stop, 2))
		seen = 0
		for _, err := range events {
			must(t, err)
			if seen++; seen == stop {
				break
			}
		}
		equal(t, seen, min(stop, 4))
	}
}
