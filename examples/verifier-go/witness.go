// SPDX-License-Identifier: Apache-2.0

package main

// The witnesses that a raffle's rules name (C2SP tlog-policy, docs/spec/draw.md), and their cosignatures (C2SP tlog-cosignature v1), which x/mod does not know.

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

const (
	cosignatureType = 4
	mostNames       = 32
)

// address is http:// or https://, a host and a path, without a user, a query or a fragment.
var address = regexp.MustCompile(`^https?://[^/:?#@\\"<>\x00-\x20\x7f-\x{10ffff}][^?#@\\"<>\x00-\x20\x7f-\x{10ffff}]*$`)

// cosigner is a note.Verifier of one witness.
type cosigner struct {
	name string // in the policy
	key  string // name of its key, in notes
	id   uint32
	raw  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.key }
func (c *cosigner) KeyHash() uint32 { return c.id }

// Verify takes `u64be(time) || signature` over the time and the whole text.
func (c *cosigner) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(sig)
	if time > 1<<63-1 {
		return false
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)
	return ed25519.Verify(c.raw, []byte(message), sig[8:])
}

func cosignerOf(name, vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("%.80q is no verifier key", vkey)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != cosignatureType || parts[0] == "" {
		return nil, fmt.Errorf("%.80q is no witness's key", vkey)
	}
	sum := sha256.Sum256([]byte(parts[0] + "\n" + string(key)))
	c := &cosigner{name, parts[0], binary.BigEndian.Uint32(sum[:]), ed25519.PublicKey(key[1:])}
	if parts[1] != fmt.Sprintf("%08x", c.id) {
		return nil, fmt.Errorf("%.80q has another id than its key", vkey)
	}
	return c, nil
}

// group is a name, and how many of its members must count. A witness is a group of itself.
type group struct {
	needed  int
	members []string
}

// policy is what the rules say of witnesses; nil when they say "none".
type policy struct {
	witnesses []*cosigner // in their order
	groups    map[string]group
	parents   map[string]bool // that are a member already
	quorum    string
}

func policyOf(rules *object) (*policy, error) {
	lines, ok := rules.members["witnesses"].([]any)
	if !ok {
		if rules.text("witnesses") != "none" {
			return nil, errors.New("`witnesses` is neither \"none\" nor lines")
		}
		return nil, nil
	}
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i], _ = line.(string)
	}
	return readPolicy(texts)
}

func readPolicy(lines []string) (*policy, error) {
	p := &policy{groups: map[string]group{}, parents: map[string]bool{}}
	for _, line := range lines {
		if err := p.take(strings.Split(line, " ")); err != nil {
			return nil, fmt.Errorf("the witnesses' line %.80q: %v", line, err)
		}
	}
	if p.quorum == "" {
		return nil, errors.New("the witnesses have no quorum")
	}
	return p, nil
}

func (p *policy) take(words []string) error {
	switch {
	case words[0] == "witness" && (len(words) == 3 || len(words) == 4 && len(words[3]) <= 255 && address.MatchString(words[3])):
		return p.takeWitness(words[1], words[2])
	case words[0] == "group" && len(words) >= 4:
		return p.takeGroup(words[1], words[2], words[3:])
	case words[0] == "quorum" && len(words) == 2 && p.quorum == "":
		if _, ok := p.groups[words[1]]; !ok {
			return errors.New("an unknown name")
		}
		p.quorum = words[1]
		return nil
	}
	return errors.New("not a line of a policy")
}

func (p *policy) define(name string, g group) error {
	if _, known := p.groups[name]; known || name == "" || name == "none" || len(name) > 64 || strings.IndexFunc(name, unicode.IsControl) >= 0 {
		return errors.New("a name that is none, or is known already")
	}
	p.groups[name] = g
	return nil
}

func (p *policy) takeWitness(name, vkey string) error {
	c, err := cosignerOf(name, vkey)
	if err != nil {
		return err
	}
	for _, other := range p.witnesses {
		if string(other.raw) == string(c.raw) {
			return errors.New("one key for two witnesses")
		}
	}
	if p.witnesses = append(p.witnesses, c); len(p.witnesses) > mostNames {
		return errors.New("too many witnesses")
	}
	return p.define(name, group{})
}

func (p *policy) takeGroup(name, count string, members []string) error {
	for _, member := range members {
		if _, known := p.groups[member]; !known || p.parents[member] {
			return fmt.Errorf("%.80q is unknown, or a member already", member)
		}
		p.parents[member] = true
	}
	if len(p.groups)-len(p.witnesses) == mostNames {
		return errors.New("too many groups")
	}
	needed := len(members)
	if count == "any" {
		needed = 1
	} else if count != "all" {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || n > len(members) || strconv.Itoa(n) != count {
			return fmt.Errorf("%.20q of %d members", count, len(members))
		}
		needed = n
	}
	return p.define(name, group{needed, members})
}

// verifiers are those of the log and of the witnesses.
func (p *policy) verifiers(key note.Verifier) note.Verifiers {
	list := []note.Verifier{key}
	if p != nil {
		for _, c := range p.witnesses {
			list = append(list, c)
		}
	}
	return note.VerifierList(list...)
}

// reached says whether the verified signatures of a note are a quorum.
func (p *policy) reached(sigs []note.Signature) bool {
	if p == nil {
		return true
	}
	return p.counts(p.quorum, p.cosigned(sigs))
}

// cosigned are those whose signatures are among these, at a time above 0.
func (p *policy) cosigned(sigs []note.Signature) map[string]bool {
	found := map[string]bool{}
	for _, sig := range sigs {
		body, err := base64.StdEncoding.DecodeString(sig.Base64)
		if i := p.order(sig); i >= 0 && err == nil && binary.BigEndian.Uint64(body[4:]) > 0 {
			found[p.witnesses[i].name] = true
		}
	}
	return found
}

func (p *policy) counts(name string, witnesses map[string]bool) bool {
	n := 0
	for _, member := range p.groups[name].members {
		if p.counts(member, witnesses) {
			n++
		}
	}
	return witnesses[name] || p.groups[name].needed > 0 && n >= p.groups[name].needed
}

// order is the place of a signature among the policy's witnesses, -1 for one that is none of theirs.
func (p *policy) order(sig note.Signature) int {
	if p != nil {
		for i, c := range p.witnesses {
			if sig.Name == c.key && sig.Hash == c.id {
				return i
			}
		}
	}
	return -1
}
