// SPDX-License-Identifier: Apache-2.0

package main

// Canonical JSON, the profile libraffle-rec-1 (docs/spec/records.md): what is read is written again, and must be the same bytes.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

const (
	maxInt   = 1<<53 - 1
	maxDepth = 16
)

var (
	memberName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	integer    = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,15})$`)
)

// object is a JSON object that was read from canonical bytes. Its methods keep the first member that is not as it must be.
type object struct {
	members map[string]any
	err     error
}

func parseObject(text []byte) (*object, error) {
	value, err := parseValue(text)
	if err != nil {
		return nil, err
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("no JSON object")
	}
	return &object{members: members}, nil
}

func parseValue(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, fmt.Errorf("no JSON: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more follows the JSON")
	}
	again, err := canonical(nil, value, 0)
	if err == nil && !bytes.Equal(again, text) {
		err = errors.New("not canonical JSON")
	}
	return value, err
}

// canonical writes a value that lies in `depth` others.
func canonical(out []byte, value any, depth int) ([]byte, error) {
	switch v := value.(type) {
	case bool:
		return strconv.AppendBool(out, v), nil
	case string:
		return canonicalString(out, v), nil
	case json.Number:
		return canonicalInt(out, v)
	}
	if depth == maxDepth {
		return nil, errors.New("JSON nested more than 16 deep")
	}
	switch v := value.(type) {
	case []any:
		return canonicalArray(out, v, depth)
	case map[string]any:
		return canonicalObject(out, v, depth)
	}
	return nil, fmt.Errorf("JSON holds a %T", value)
}

func canonicalInt(out []byte, n json.Number) ([]byte, error) {
	i, err := n.Int64()
	if err != nil || !integer.MatchString(n.String()) || i > maxInt || i < -maxInt {
		return nil, fmt.Errorf("%.40q is no integer of this profile", n.String())
	}
	return append(out, n...), nil
}

func canonicalArray(out []byte, values []any, depth int) ([]byte, error) {
	var err error
	out = append(out, '[')
	for i, value := range values {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = canonical(out, value, depth+1); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func canonicalObject(out []byte, members map[string]any, depth int) ([]byte, error) {
	names := make([]string, 0, len(members))
	for name := range members {
		if !memberName.MatchString(name) {
			return nil, fmt.Errorf("%.40q is no name of a member", name)
		}
		names = append(names, name)
	}
	sort.Strings(names)
	var err error
	out = append(out, '{')
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(canonicalString(out, name), ':')
		if out, err = canonical(out, members[name], depth+1); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

const short = "btn\x00fr" // for U+0008 to U+000D

func canonicalString(out []byte, s string) []byte {
	out = append(out, '"')
	for _, r := range []byte(s) {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', r)
		case r >= 8 && r <= 13 && r != 11:
			out = append(out, '\\', short[r-8])
		case r < 0x20:
			out = append(out, fmt.Sprintf(`\u%04x`, r)...)
		default:
			out = append(out, r)
		}
	}
	return append(out, '"')
}

// --- members ---

func (o *object) fail(name, kind string) {
	if o.err == nil {
		o.err = fmt.Errorf("`%s` is no %s", name, kind)
	}
}

func (o *object) has(name string) bool {
	_, ok := o.members[name]
	return ok
}

func (o *object) text(name string) string {
	s, ok := o.members[name].(string)
	if !ok {
		o.fail(name, "text")
	}
	return s
}

func (o *object) int(name string) int64 {
	n, _ := o.members[name].(json.Number)
	i, err := n.Int64()
	if err != nil || i < 0 {
		o.fail(name, "int")
		return 0
	}
	return i
}

func (o *object) flag(name string) bool {
	b, ok := o.members[name].(bool)
	if !ok {
		o.fail(name, "bool")
	}
	return b
}

func (o *object) object(name string) *object {
	members, ok := o.members[name].(map[string]any)
	if !ok {
		o.fail(name, "object")
	}
	return &object{members: members}
}

// quoted is a string as canonical JSON.
func quoted(s string) string {
	return string(canonicalString(nil, s))
}

func join(parts []string) string {
	return "[" + strings.Join(parts, ",") + "]"
}
