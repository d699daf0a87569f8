#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A whole small raffle through the command, with good input and bad: exit statuses, and what is printed.
#
#     tests/integration/cli.sh COMMAND
#
# COMMAND (or RAFFLE) is the path of the command raffle.
set -euo pipefail

command=$(realpath "${1:-${RAFFLE:?which command?}}")
tests=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
start=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset RAFFLE_ACTOR RAFFLE_KEYS RAFFLE_CLOCK
export LC_ALL=C.UTF-8

checks=0
seller=ann:seller
supervisor=sue:supervisor
boss=boss:manager

die() {
    echo "FAILED: $*" >&2
    echo "--- stdout" >&2
    head -c 4000 out >&2
    echo "--- stderr" >&2
    head -c 4000 err >&2
    exit 1
}

# run STATUS ARGUMENT…: the command ends with this status. Its output is in the files `out` and `err`.
run() {
    local expected=$1 status=0
    shift
    "$command" "$@" >out 2>err || status=$?
    [ "$status" -eq "$expected" ] || die "raffle $*: status $status, not $expected"
    checks=$((checks + 1))
}

# says WORDS…: each stands in what the last command printed.
says() {
    local words
    for words in "$@"; do
        grep -qF -e "$words" out err || die "\"$words\" is not said"
        checks=$((checks + 1))
    done
}

silent_about() {
    local words
    for words in "$@"; do
        if grep -qF -e "$words" out err; then
            die "\"$words\" is said"
        fi
        checks=$((checks + 1))
    done
}

# json PATH: a value of the JSON in `out`: json tickets.0.validation
json() {
    python3 - "$1" <<'END'
import json, sys

value = json.load(open("out"))
for step in sys.argv[1].split("."):
    value = len(value) if step == "#" else value[int(step)] if isinstance(value, list) else value[step]
print({True: "true", False: "false", None: "null"}.get(value, value) if not isinstance(value, int) or isinstance(value, bool) else value)
END
}

# is VALUE PATH
is() {
    local value
    value=$(json "$2") || die "no $2"
    [ "$value" = "$1" ] || die "$2 is $value, not $1"
    checks=$((checks + 1))
}

at() {
    export RAFFLE_CLOCK=$1
}

rules() {
    cat <<'END'
{
  "origin": "raffle.example/cli-test",
  "name": "Fête 50/50",
  "organisation": "Northside Minor Hockey Foundation",
  "licence": "AB-2026-0417",
  "currency": "CAD",
  "digits": 2,
  "rehearsal": true,
  "sales": {"opens": "2026-11-15T01:00:00.000Z", "closes": "2026-11-15T05:00:00.000Z"},
  "zone": [{"from": "2026-11-01T09:00:00.000Z", "offset": -420}],
  "tiers": [{"name": "1-for-5", "count": 1, "price": 500}, {"name": "10-for-20", "count": 10, "price": 2000}],
  "units": [{"name": "web"}, {"name": "till"}],
  "prizes": [
    {"name": "early-bird", "seal": "early", "winners": 1, "alternates": 1, "amount": 25000},
    {"name": "main", "title": "Half of the pot", "seal": "final", "winners": 2, "alternates": 2, "share": 5000, "one_win": "none"},
    {"name": "last", "seal": "final", "winners": 1, "alternates": 0}
  ],
  "rng": ["test", "system"]
}
END
}

header=kind,at,unit,order,tier,count,payment,buyer,channel,reason,by

# --- the command itself ---

usage() {
    run 2
    run 0 --help
    says "usage: raffle" "verify-winner" "Exit status"
    run 0 --version
    says "raffle 0." "library 0."
    run 2 nonsense
    says 'no command "nonsense"'
    run 2 unit
    run 2 nonsense --json
    is RAFFLE_MISUSE error.rc
    run 2 status
    says "status needs 1 argument" "usage: raffle status STORE"
    run 2 status a b
    run 2 status a --nothing
    says "no option --nothing"
    run 2 sell a --tier
    says "--tier needs a value"
    run 1 status nowhere.raffle
    says "raffle: "
    run 1 status nowhere.raffle --json
    is 0 error.detail
    RAFFLE_CLOCK=yesterday run 2 status nowhere.raffle
    says "RAFFLE_CLOCK is no time"
}

# Every command that the overview lists explains itself.
help() {
    local words
    "$command" --help | sed -n 's/^  \([a-z][a-z-]*\( [a-z]*\)\{0,1\}\)  .*/\1/p' >names
    [ "$(wc -l <names)" -ge 26 ] || die "the overview lists $(wc -l <names) commands"
    while read -r -a words; do
        run 0 "${words[@]}" --help
        says "usage: raffle ${words[*]}" "example:" "--by ID:ROLE"
    done <names
}

# --- the raffle ---

create() {
    at 2026-11-15T00:59:00.000Z
    rules >rules.json
    sed 's/"winners": 2/"winers": 2/' rules.json >bad.json
    run 1 create gala.raffle --rules bad.json --by $boss
    says "winers"
    [ ! -e gala.raffle ] || die "bad rules left a store"
    echo '{' >cut.json
    run 1 create gala.raffle --rules cut.json --by $boss
    run 1 create gala.raffle --rules none.json --by $boss
    says "none.json"
    run 2 create gala.raffle --by $boss
    says "--rules FILE is missing"
    run 2 create gala.raffle --rules rules.json
    says "--by ID:ROLE"
    run 2 create gala.raffle --rules rules.json --by boss
    says "ID:ROLE"
    run 2 create gala.raffle --rules rules.json --by boss:king
    says '"king" is no role'
    run 1 create gala.raffle --rules rules.json --by $seller --json
    is RAFFLE_ROLE error.rc
    run 0 create gala.raffle --rules rules.json --by $boss --json
    is raffle.example/cli-test origin
    is 2 units
    run 1 create gala.raffle --rules rules.json --by $boss --json
    is RAFFLE_EXISTS error.rc
    run 0 status gala.raffle
    says "Fête 50/50" "REHEARSAL" "10-for-20" "till"
    run 0 show gala.raffle control 0 1 --json
    is raffle.open leaf.t
    is 0 index
}

units() {
    run 0 unit enrol gala.raffle --name kiosk --quota 5 --by $boss --json
    is 3 unit
    run 1 unit enrol gala.raffle --name kiosk --by $boss
    run 1 sell gala.raffle --unit 3 --tier 1-for-5 --order k-0 --by $seller
    run 0 unit enable gala.raffle 3 --by $boss
    run 1 unit enable gala.raffle 3 --by $seller --json
    is RAFFLE_ROLE error.rc
    run 1 unit enable gala.raffle 9 --by $boss
    run 2 unit enable gala.raffle three --by $boss
    run 0 unit quota gala.raffle 3 1 --by $boss
    run 0 unit enrol gala.raffle --name spare --by $boss
    run 0 unit unenrol gala.raffle 4 --by $boss
}

sell() {
    at 2026-11-15T00:59:30.000Z
    run 1 sell gala.raffle --tier 1-for-5 --order early --by $seller --json
    is RAFFLE_WINDOW error.rc
    at 2026-11-15T01:10:00.000Z
    run 0 sell gala.raffle --tier 10-for-20 --order web-1 --count 2 --buyer b-1 --payment p-1 --channel web --by $seller --json
    is 2 tickets.#
    is 1-0000011 tickets.1.numbers.0
    is 10 tickets.1.numbers.#
    is 2000 tickets.0.price
    is 2026-11-15T01:10:00.000Z tickets.0.at
    is false tickets.0.replayed
    validation=$(json tickets.0.validation)
    run 0 sell gala.raffle --tier 10-for-20 --order web-1 --count 2 --buyer b-1 --payment p-1 --channel web --by $seller
    says "sold before" "$validation" "1-0000001 to 1-0000010" "20.00 CAD" "2026-11-14 18:10:00-07:00"
    run 1 sell gala.raffle --tier 1-for-5 --order web-1 --by $seller --json
    is RAFFLE_MISMATCH error.rc
    run 1 sell gala.raffle --tier 2-for-5 --order web-2 --by $seller
    silent_about "line 1"
    says '"2-for-5"'
    run 1 sell gala.raffle --unit 9 --tier 1-for-5 --order web-2 --by $seller
    run 1 sell gala.raffle --tier 1-for-5 --order web-2 --by cleo:auditor --json
    is RAFFLE_ROLE error.rc
    run 2 sell gala.raffle --tier 1-for-5 --order web-2
    says "RAFFLE_ACTOR"
    RAFFLE_ACTOR=$seller run 0 sell gala.raffle --unit 3 --tier 1-for-5 --order k-1
    run 1 sell gala.raffle --unit 3 --tier 1-for-5 --order k-2 --by $seller --json
    is RAFFLE_QUOTA error.rc
    run 2 sell gala.raffle --tier 1-for-5 --order web-2 --count 0 --by $seller
    run 2 sell gala.raffle --tier 1-for-5 --count 2 --by $seller
    run 2 sell gala.raffle --tier 1-for-5 --order "$(printf '%065d' 1)" --by $seller
    timeout 60 "$command" show gala.raffle 2 0 2 --follow >followed &
    run 0 sell gala.raffle --unit 2 --tier 1-for-5 --by $seller
    says "order "
    wait $! || die "--follow did not see the sale"
    grep -q '"t":"sale"' followed || die "--follow did not print the sale"
}

find_tickets() {
    run 0 ticket gala.raffle --order web-1 --json
    is 2 tickets.#
    is "Northside Minor Hockey Foundation" tickets.0.organisation
    is AB-2026-0417 tickets.0.licence
    is web tickets.0.unit_name
    run 0 ticket gala.raffle --number 1-0000007
    says "ticket             1/1" "$validation" "Fête 50/50" "20.00 CAD"
    run 0 ticket gala.raffle --ticket 1/1
    says "1-0000001 to 1-0000010"
    run 0 ticket gala.raffle --validation - <<<"$(tr A-Z- a-z' ' <<<"$validation")"
    says "ticket             1/1"
    run 2 ticket gala.raffle --validation "$validation"
    silent_about "$validation"
    run 1 ticket gala.raffle --validation - <<<"${validation%?}${validation: -2:1}$"
    silent_about "${validation%??}"
    run 1 ticket gala.raffle --validation - </dev/null
    run 2 ticket gala.raffle
    says "one of --order"
    run 2 ticket gala.raffle --order web-1 --ticket 1/1
    run 2 ticket gala.raffle --ticket 1-1
    run 2 ticket gala.raffle --ticket 1/
    run 1 ticket gala.raffle --ticket 1/99
    run 1 ticket gala.raffle --number 1-0000099
    run 1 ticket gala.raffle --number 1/7
    run 1 order gala.raffle nobody --json
    is RAFFLE_NOT_FOUND error.rc
    run 0 order gala.raffle k-1
    says "3-0000001"
}

void() {
    run 0 void gala.raffle --ticket 1/2 --reason refund --by $supervisor
    says "ticket 1/2 is void"
    run 1 void gala.raffle --ticket 1/2 --reason refund --by $supervisor --json
    is RAFFLE_VOIDED error.rc
    run 1 void gala.raffle --ticket 1/1 --reason refund --by $seller --json
    is RAFFLE_ROLE error.rc
    run 1 void gala.raffle --ticket 1/1 --reason boredom --by $supervisor
    says "boredom"
    run 2 void gala.raffle --ticket 1/1 --by $supervisor
    run 0 order gala.raffle web-1 --json
    is false tickets.0.void
    is true tickets.1.void
}

# --- the import ---

good_sales() {
    echo $header
    echo 'sale,2026-11-15T01:20:00.000Z,1,i-1,1-for-5,1,"pay,1",b-1,web,,'
    echo 'sale,2026-11-15T01:20:01.000Z,2,i-2,10-for-20,3,,,till,,tom:seller'
    echo 'sale,2026-11-15T01:20:02.000Z,1,i-1,1-for-5,1,"pay,1",b-1,web,,'
    echo 'sale,2026-11-15T01:20:03.000Z,1,i-3,1-for-5,2,,"b ""3""",web,,shop:system'
    echo 'void,2026-11-15T01:21:00.000Z,,i-2,,,,,,refund,sue:supervisor'
    echo 'sale,2026-11-15T01:21:00.000Z,2,i-4,1-for-5,1,,,till,,tom:seller'
}

# Line by line: what is wrong with it, and the line.
bad_sales() {
    cat <<'END'
kind is "gift"	gift,2026-11-15T01:30:00.000Z,1,x-1,1-for-5,1,,,,,
at is "now"	sale,now,1,x-1,1-for-5,1,,,,,
at is ""	sale,,1,x-1,1-for-5,1,,,,,
unit is "0"	sale,2026-11-15T01:30:00.000Z,0,x-1,1-for-5,1,,,,,
unit is ""	sale,2026-11-15T01:30:00.000Z,,x-1,1-for-5,1,,,,,
unit 77	sale,2026-11-15T01:30:00.000Z,77,x-1,1-for-5,1,,,,,
order is empty	sale,2026-11-15T01:30:00.000Z,1,,1-for-5,1,,,,,
tier is empty	sale,2026-11-15T01:30:00.000Z,1,x-1,,1,,,,,
"9-for-9"	sale,2026-11-15T01:30:00.000Z,1,x-1,9-for-9,1,,,,,
count is "0"	sale,2026-11-15T01:30:00.000Z,1,x-1,1-for-5,0,,,,,
count is "1001"	sale,2026-11-15T01:30:00.000Z,1,x-1,1-for-5,1001,,,,,
count is "-1"	sale,2026-11-15T01:30:00.000Z,1,x-1,1-for-5,-1,,,,,
reason is "refund"	sale,2026-11-15T01:30:00.000Z,1,x-1,1-for-5,1,,,,refund,
"king" is no role	sale,2026-11-15T01:30:00.000Z,1,x-1,1-for-5,1,,,,,ann:king
no actor	sale,2026-11-15T01:30:00.000Z,1,x-1,1-for-5,1,,,,,ann
may not sell	sale,2026-11-15T01:30:00.000Z,1,x-1,1-for-5,1,,,,,cleo:auditor
other content	sale,2026-11-15T01:30:00.000Z,1,i-1,10-for-20,1,,,,,
channel	sale,2026-11-15T01:30:00.000Z,1,x-1,1-for-5,1,,,Not A Word,,
draw numbers left	sale,2026-11-15T01:30:00.000Z,3,x-1,1-for-5,1,,,,,
10 columns	sale,2026-11-15T01:30:00.000Z,1,x-1,1-for-5,1,,,,
more than 11 columns	sale,2026-11-15T01:30:00.000Z,1,x-1,1-for-5,1,,,,,,
not closed	sale,2026-11-15T01:30:00.000Z,1,"x-1,1-for-5,1,,,,,
a quote in a field	sale,2026-11-15T01:30:00.000Z,1,x"1,1-for-5,1,,,,,
follows the closing quote	sale,2026-11-15T01:30:00.000Z,1,"x"1,1-for-5,1,,,,,
before the newest one of unit	sale,2026-11-15T01:01:00.000Z,1,x-1,1-for-5,1,,,,,
tier is "1-for-5"	void,2026-11-15T01:30:00.000Z,,i-1,1-for-5,,,,,refund,sue:supervisor
count is "1"	void,2026-11-15T01:30:00.000Z,,i-1,,1,,,,refund,sue:supervisor
reason is empty	void,2026-11-15T01:30:00.000Z,,i-1,,,,,,,sue:supervisor
"boredom"	void,2026-11-15T01:30:00.000Z,,i-1,,,,,,boredom,sue:supervisor
may not void	void,2026-11-15T01:30:00.000Z,,i-1,,,,,,refund,tom:seller
another unit	void,2026-11-15T01:30:00.000Z,2,i-1,,,,,,refund,sue:supervisor
order	void,2026-11-15T01:30:00.000Z,,nobody,,,,,,refund,sue:supervisor
END
}

import() {
    unset RAFFLE_CLOCK
    good_sales >sales.csv
    run 2 import gala.raffle sales.csv --replay
    run 2 import gala.raffle sales.csv --replay --from noon --by $seller
    run 1 import gala.raffle none.csv --replay --by $seller
    run 0 import gala.raffle sales.csv --replay --until 2026-11-15T01:20:01.000Z --by $seller --json
    is 1 import.lines
    is 1 import.sold
    run 0 import gala.raffle sales.csv --replay --from 2026-11-15T01:20:01.000Z --by $seller --json
    is 5 import.lines
    is 3 import.sold
    is 6 import.tickets
    is 1 import.replayed
    is 1 import.voids
    is 0 import.bad
    sed 's/$/\r/' sales.csv >crlf.csv
    run 0 import gala.raffle crlf.csv --replay --by $seller --json
    is 0 import.sold
    is 6 import.replayed
    run 0 order gala.raffle i-2 --json
    is true tickets.2.void
    is 2026-11-15T01:20:01.000Z tickets.0.at
    run 0 order gala.raffle i-3 --json
    is 2 tickets.#
}

bad_import() {
    local n=1 words
    {
        echo $header
        echo 'sale,2026-11-15T01:25:00.000Z,1,g-0,1-for-5,1,,,,,'
        bad_sales | cut -f 2
        printf 'sale,2026-11-15T01:30:00.000Z,1,x-\0,1-for-5,1,,,,,\n'
        printf 'sale,2026-11-15T01:30:00.000Z,1,x-\xff,1-for-5,1,,,,,\n'
        printf 'sale,2026-11-15T01:30:00.000Z,1,x-\x1b,1-for-5,1,,,,,\n'
        printf 'sale,2026-11-15T01:30:00.000Z,1,%05000d,1-for-5,1,,,,,\n' 1
        printf 'sale,2026-11-15T01:30:00.000Z,1,%065d,1-for-5,1,,,,,\n' 1
        echo
        echo 'sale,2026-11-15T01:31:00.000Z,1,g-1,1-for-5,1,,,,,'
    } >bad.csv
    local bad=$(($(bad_sales | wc -l) + 6))
    run 1 import gala.raffle bad.csv --replay --by $seller
    while IFS=$'\t' read -r words _; do
        n=$((n + 1))
        grep "^line $((n + 1)): " err | grep -F -e "$words" >/dev/null || die "line $((n + 1)) does not say $words"
        checks=$((checks + 1))
    done < <(bad_sales)
    says "line $((n + 2)): " "control character, 0x00" "is not UTF-8" "control character, 0x1b" "4096 are the most" "65 bytes" "line is empty"
    [ "$(grep -c '^line ' err)" -eq "$bad" ] || die "not $bad bad lines"
    grep -q "orders sold *2$" out || die "the good lines did not go on"
    run 0 order gala.raffle g-1
    run 1 order gala.raffle x-1
    run 1 import gala.raffle bad.csv --replay --by $seller --json
    is $bad import.bad
    is $bad import.bad_lines.#
    is 3 import.bad_lines.0.line
    is RAFFLE_INVALID import.bad_lines.0.rc
    is 2 import.replayed
    sed 's/order/key/' sales.csv >head.csv
    run 1 import gala.raffle head.csv --replay --by $seller
    says "line 1" '"key"' '"order"'
    : >empty.csv
    run 1 import gala.raffle empty.csv --replay --by $seller
    says "empty"
}

# --- the seal, the draw, and what follows ---

early_bird() {
    at 2026-11-15T02:00:00.000Z
    run 1 draw gala.raffle early-bird --rng test:seed=00 --by $boss --json
    is RAFFLE_NOT_SEALED error.rc
    run 1 seal gala.raffle --early --by $seller --json
    is RAFFLE_ROLE error.rc
    run 0 seal gala.raffle --early --by $boss
    says "early seal"
    run 1 draw gala.raffle early-bird --rng test:seed=00 --by $boss --json
    is RAFFLE_NOT_ACKED error.rc
    run 0 ack gala.raffle --early --by $boss
    run 1 ack gala.raffle --early --by $boss
    run 1 draw gala.raffle main --rng test:seed=00 --by $boss
    run 1 draw gala.raffle nothing --rng test:seed=00 --by $boss --json
    is RAFFLE_NOT_FOUND error.rc
    run 2 draw gala.raffle early-bird --by $boss
    says "--rng URI is missing"
    run 1 draw gala.raffle early-bird --rng nonsense: --by $boss
    run 1 draw gala.raffle early-bird --rng test:seed=00 --by $seller --json
    is RAFFLE_ROLE error.rc
    run 2 draw gala.raffle early-bird --rng test:seed=00 --begin --finish --by $boss
    run 0 draw gala.raffle early-bird --rng test:seed=00 --by $boss
    says "drawn" "250.00 CAD" "alternate"
    run 1 draw gala.raffle early-bird --rng test:seed=00 --by $boss --json
    is RAFFLE_DRAWN error.rc
}

final() {
    at 2026-11-15T05:00:00.000Z
    run 0 seal gala.raffle --by $boss --json
    is final seal.kind
    is false seal.acknowledged
    run 1 sell gala.raffle --tier 1-for-5 --order late --by $seller --json
    is RAFFLE_CLOSED error.rc
    run 0 sell gala.raffle --tier 10-for-20 --order web-1 --count 2 --buyer b-1 --payment p-1 --by $seller
    says "sold before"
    run 0 ack gala.raffle --by $boss --json
    is true seal.acknowledged
    run 1 draw gala.raffle main --rng test:seed=00 --finish --by $boss --json
    is RAFFLE_NOT_FOUND error.rc
    run 0 draw gala.raffle main --rng test:seed=01 --begin --by $boss
    says "raffle.example/cli-test" "— raffle.example/cli-test "
    run 1 draw gala.raffle main --begin --by $boss --json
    is RAFFLE_DRAW_OPEN error.rc
    run 1 draw gala.raffle last --rng test:seed=01 --by $boss --json
    is RAFFLE_DRAW_OPEN error.rc
    run 0 draw gala.raffle main --rng test:seed=01 --by $boss
    says "resumed" "Half of the pot"
    run 0 draw gala.raffle last --rng test:seed=02 --begin --by $boss --json
    is last intent.prize
    run 0 draw gala.raffle last --rng test:seed=02 --finish --by $boss --json
    is drawn prize.state
    is 1 prize.places.#
}

# validation_of PLACE: the validation number of the ticket that holds a place of the main prize.
validation_of() {
    "$command" status gala.raffle --prize main --json >out
    "$command" ticket gala.raffle --number "$(json "prize.places.$(($1 - 1)).number")" --json >out
    json tickets.0.validation
}

# another VALIDATION: the validation number of another ticket than this one's: two places may be numbers of the same.
another() {
    local number found
    for number in $(seq -f 1-%07.0f 1 100); do
        "$command" ticket gala.raffle --number "$number" --json >out
        found=$(json tickets.0.validation)
        [ "$found" = "$1" ] || break
    done
    echo "$found"
}

winners() {
    local first second
    first=$(validation_of 1)
    second=$(another "$first")
    run 1 official gala.raffle main --by $boss --json
    is RAFFLE_SEQUENCE error.rc
    run 1 verify-winner gala.raffle main --validation - --by $boss --json <<<"$second"
    is RAFFLE_MISMATCH error.rc
    silent_about "$second"
    run 1 verify-winner gala.raffle main --validation - --by $boss --json <<<"00000-00000-00000-00000-00000"
    is RAFFLE_INVALID error.rc
    run 2 verify-winner gala.raffle main --validation "$first" --by $boss
    silent_about "$first"
    run 2 verify-winner gala.raffle main --by $boss
    run 1 verify-winner gala.raffle main --place 9 --validation - --by $boss <<<"$first"
    run 1 verify-winner gala.raffle main --validation - --by $seller <<<"$first"
    run 0 verify-winner gala.raffle main --validation - --by $supervisor <<<"$first"
    says "verified"
    run 0 official gala.raffle main --by $boss
    run 2 claim gala.raffle main --validation - --by $boss <<<"$first"
    run 1 claim gala.raffle main --validation - --by $boss --ok $boss --json <<<"$first"
    is RAFFLE_APPROVAL error.rc
    run 1 claim gala.raffle main --validation - --by $boss --ok $supervisor <<<"$second"
    run 0 claim gala.raffle main --validation - --by $boss --ok $supervisor --json <<<"$first"
    is claimed state
    run 1 forfeit gala.raffle main --place 2 --reason unclaimed --by $boss --json
    is RAFFLE_APPROVAL error.rc
    run 0 forfeit gala.raffle main --place 2 --reason unclaimed --by $boss --ok $supervisor
    says "place 3 is promoted"
}

# A ticket that was voided between the seal and the draw can come up; its place is then refused, which ends with 3.
refused() {
    local number
    at 2026-11-15T01:10:00.000Z
    sed 's/cli-test/cli-refused/; /early-bird/d' rules.json >refused.json
    run 0 create refused.raffle --rules refused.json --by $boss
    run 0 sell refused.raffle --tier 1-for-5 --order a --count 2 --by $seller --json
    validation=$(json tickets.0.validation)
    at 2026-11-15T05:00:00.000Z
    run 0 seal refused.raffle --by $boss
    run 0 ack refused.raffle --by $boss
    run 0 void refused.raffle --ticket 1/1 --reason payment --by $supervisor
    run 0 draw refused.raffle main --rng test:seed=00 --by $boss --json
    number=1
    [ "$(json prize.places.0.number)" = 1-0000001 ] || number=2
    run 3 verify-winner refused.raffle main --place $number --validation - --by $supervisor <<<"$validation"
    says "refused" "1-0000001" "is void"
    run 1 verify-winner refused.raffle main --place $number --validation - --by $supervisor --json <<<"$validation"
    is RAFFLE_SEQUENCE error.rc
}

events() {
    run 0 event gala.raffle printer.paper-out --component printer-1 --text "no paper" --by $seller
    run 1 event gala.raffle printer.paper-out --unit 1 --by $seller
    run 2 event gala.raffle printer.paper-out
    run 1 event gala.raffle "Not A Word" --by $seller
}

show() {
    run 0 show gala.raffle 1 0 2
    says '"t":"unit.start"' '"t":"sale"'
    silent_about '"order"'
    [ "$(wc -l <out)" -eq 2 ] || die "not two lines"
    run 0 show gala.raffle 1 1 1 --private --json
    is web-1 private.order
    is 1 index
    run 0 show gala.raffle control --json
    python3 -c 'import json; [json.loads(line) for line in open("out")]' || die "a line is no JSON"
    run 0 show gala.raffle 1 100000
    run 2 show gala.raffle units
    run 2 show gala.raffle 1 x
    run 1 show gala.raffle 9
    run 0 status gala.raffle --prize main
    says "claimed" "forfeited"
    run 1 status gala.raffle --prize nothing
    run 0 status gala.raffle --json
    is 3 prizes.#
    is true raffle.closed
    is 2 seals.#
}

# --- what needs no raffle, or trusts none ---

audit() {
    run 0 audit gala.raffle
    says "integrity: good" "completeness: good" "operator-trusted" "names for itself"
    run 0 status gala.raffle --json
    local key
    key=$(json raffle.control_key)
    run 0 audit gala.raffle --key "$key" --threads 1 --json
    is true verdict.passed
    is true verdict.key_pinned
    is 3 draws.#
    is 0 faults.#
    run 1 audit gala.raffle --key "${key%?????}AAAAA" --json
    (RAFFLE_CLOCK=2026-11-15T00:59:00.000Z && run 0 create twin.raffle --rules rules.json --by $boss --json)
    run 3 audit gala.raffle --key "$(json control_key)"
    says "integrity: FAILED"
    run 2 audit gala.raffle --threads 0
    run 1 audit nowhere.raffle
    damage
    run 3 audit damaged.raffle
    says "FAILED" "integrity"
    run 3 audit damaged.raffle --json
    is false verdict.passed
}

# A copy in which a sale costs less than it did.
damage() {
    python3 - <<'END'
import sqlite3

with sqlite3.connect("gala.raffle") as good, sqlite3.connect("damaged.raffle") as bad:
    good.backup(bad)
    changed = 0
    for (table,) in bad.execute("select name from sqlite_master where type = 'table'").fetchall():
        columns = [row[1] for row in bad.execute(f'pragma table_info("{table}")')]
        for column in columns:
            changed += bad.execute(
                f'update "{table}" set "{column}" = replace("{column}", \'"price":2000\', \'"price":1000\') '
                f'where typeof("{column}") = \'text\' and "{column}" like \'%"t":"sale"%"10-for-20"%\''
            ).rowcount
    bad.commit()
    assert changed > 0
END
}

selfcheck() {
    run 0 selfcheck
    says "library" "command" "libraffle-rec-1"
    run 0 selfcheck --json
    printf '%s  %s\n' "$(json library.sha256)" "lib/$(basename "$(json library.file)")" >manifest
    printf '%s *%s\n' "$(json command.sha256)" "bin/$(basename "$(json command.file)")" >>manifest
    [ "$(json command.sha256)" = "$(sha256sum "$command" | cut -d ' ' -f 1)" ] || die "another SHA-256 of the command"
    run 0 selfcheck --manifest manifest
    says "as in the manifest"
    sed 's/^./x/' manifest >other
    run 1 selfcheck --manifest other
    sed 's/^\(.\)\(.\)/\2\1/; s/^00/11/; s/^\(.\)\1/01/' manifest >other
    run 3 selfcheck --manifest other --json
    is false passed
    : >none
    run 3 selfcheck --manifest none
    says "NOT IN THE MANIFEST"
    run 1 selfcheck --manifest nowhere
}

rng() {
    run 0 rng sample --rng test:seed=00 --bytes 40
    [ "$(tr -d '\n' <out | wc -c)" -eq 80 ] || die "not 40 bytes"
    cp out first
    run 0 rng sample --rng test:seed=00 --bytes 40 --format binary --out sample.bin
    [ "$(od -An -v -tx1 sample.bin | tr -d ' \n')" = "$(tr -d '\n' <first)" ] || die "--format binary gives other bytes"
    run 0 rng sample --rng system: --range 49 --picks 6 --draws 100
    awk '{ delete seen; for (i = 1; i <= NF; i++) if ($i < 0 || $i > 48 || seen[$i]++) exit 1; if (NF != 6) exit 1 }' out || die "no draw of 6 of 49"
    [ "$(wc -l <out)" -eq 100 ] || die "not 100 draws"
    run 0 rng sample --rng test:seed=00 --range 10 --picks 10 --draws 2 --format binary --out sample.bin
    [ "$(wc -c <sample.bin)" -eq 80 ] || die "not 20 numbers"
    run 0 rng sample --rng test:seed=00 --range 1 --json
    is 0 numbers.0
    run 2 rng sample --rng test:seed=00
    run 2 rng sample --rng test:seed=00 --bytes 1 --range 2
    run 2 rng sample --rng test:seed=00 --range 5 --picks 6
    run 2 rng sample --bytes 5
    run 1 rng sample --rng nonsense: --bytes 5
    run 0 rng health --rng system: --json
    is true passed
    run 2 rng health
    run 1 rng sample --rng test:seed=00 --bytes 5 --out /nowhere/at/all
}

vectors() {
    local folder=$tests/vectors
    run 0 vectors "$folder"/*.json
    says " 0 failed"
    run 1 vectors rules.json
    sed 's/"digest": "e3b0/"digest": "e3b1/' "$folder/sha256.json" >wrong.json
    run 3 vectors "$folder/hmac_sha256.json" wrong.json
    says " 1 failed" "empty"
    run 3 vectors wrong.json --json
    is 1 failed
    is RAFFLE_MISMATCH files.0.error.rc
    run 1 vectors nowhere.json
}

# A till without an attendant cannot be told anything: --json everywhere, RAFFLE_KEYS, and keys that are elsewhere.
keys() {
    unset RAFFLE_CLOCK
    at 2026-11-15T00:59:00.000Z
    sed 's/cli-test/cli-keys/' rules.json >keys.json
    RAFFLE_KEYS=file:elsewhere run 0 create keys.raffle --rules keys.json --by $boss
    [ -d elsewhere ] || die "the keys are not where RAFFLE_KEYS says"
    at 2026-11-15T01:10:00.000Z
    run 0 sell keys.raffle --tier 1-for-5 --order a --by $seller
    mv elsewhere moved
    run 1 sell keys.raffle --tier 1-for-5 --order b --by $seller --json
    is RAFFLE_KEY error.rc
    run 0 status keys.raffle
    run 0 show keys.raffle control
    run 0 sell keys.raffle --tier 1-for-5 --order b --by $seller --keys file:moved
    run 1 sell keys.raffle --tier 1-for-5 --order c --by $seller --keys file:gala.raffle.keys
}

validation=
for part in usage help create units sell find_tickets void import bad_import early_bird final winners refused events show audit selfcheck rng vectors keys; do
    "$part"
done
# Under tests/run.sh the raffles stay, for those who verify them.
[ -z "${RAFFLE_BUILD-}" ] || cp -r gala.raffle* refused.raffle* "$start"
echo "$checks checks passed"
