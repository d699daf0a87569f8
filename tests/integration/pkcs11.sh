#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Randomness from a token of SoftHSM, by module-path, by the modules that p11-kit is configured with, and by a module's name there; and a small raffle
# whose keys are in a token.
#
#     tests/integration/pkcs11.sh COMMAND
#
# COMMAND (or RAFFLE) is the path of the command raffle; RAFFLE_BUILD is the folder where it was built.
set -euo pipefail

command=$(realpath "${1:-${RAFFLE:?which command?}}")
build=$(realpath "${RAFFLE_BUILD:-$(dirname "$command")/../..}")
data=$(dirname "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")")/examples/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset RAFFLE_ACTOR RAFFLE_KEYS RAFFLE_CLOCK
export LC_ALL=C.UTF-8

checks=0
pin=user:s3cret
module=$(dpkg -L libsofthsm2 | grep -m 1 '/libsofthsm2.so$')

die() {
    echo "FAILED: $*" >&2
    echo "--- stdout" >&2
    head -c 4000 out >&2
    echo "--- stderr" >&2
    head -c 4000 err >&2
    exit 1
}

# run STATUS ARGUMENT…: the command ends with this status, and says no PIN. Its output is in the files `out` and `err`.
run() {
    local expected=$1 status=0
    shift
    "$command" "$@" >out 2>err || status=$?
    [ "$status" -eq "$expected" ] || die "raffle $*: status $status, not $expected"
    ! grep -qF s3cret out err || die "the PIN is said"
    checks=$((checks + 1))
}

says() {
    local words
    for words in "$@"; do
        grep -qF -e "$words" err || die "\"$words\" is not said"
        checks=$((checks + 1))
    done
}

# sample URI: 48 bytes, which differ each time.
sample() {
    run 0 rng sample --rng "$1" --bytes 48
    grep -qxE '[0-9a-f]{64}' out || die "no bytes"
    ! grep -qxFf out seen || die "the same bytes again"
    cat out >>seen
}

refused() {
    local uri=$1
    shift
    run 1 rng sample --rng "$uri" --bytes 48
    [ ! -s out ] || die "bytes in spite of a failure"
    says "$@"
}

token() {
    softhsm2-util --init-token --free --label "$1" --pin "$pin" --so-pin so-s3cret >/dev/null
}

mkdir tokens
export SOFTHSM2_CONF=$work/softhsm2.conf
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$work" >softhsm2.conf
: >seen
printf '%s\n' "$pin" >pin
chmod 0600 pin

refused "pkcs11:token=gala?module-path=$module&pin-value=$pin" '"gala"' 'no token matches'
token "gala night"
token twin
token twin
serial=$(softhsm2-util --show-slots | sed -n 's/^ *Serial number: *//p' | head -n 1)

# --- by module-path ---

gala="pkcs11:token=gala%20night?module-path=$module"
sample "$gala&pin-value=$pin"
sample "$gala&pin-source=file:$work/pin"
sample "$gala&pin-source=$work/pin"
run 0 rng sample --rng "$gala&pin-value=$pin" --range 49 --picks 6 --draws 100
[ "$(wc -l <out)" -eq 100 ] || die "not 100 draws"
run 0 rng sample --rng "$gala&pin-value=$pin" --bytes 1000000 --format binary --out sample.bin
[ "$(gzip -c sample.bin | wc -c)" -gt 999000 ] || die "what came is no noise"

# --- by p11-kit's configuration: Debian's package adds SoftHSM there ---

sample "pkcs11:token=gala%20night?pin-value=$pin"
sample "pkcs11:token=gala%20night?module-name=softhsm2&pin-value=$pin"
sample "pkcs11:serial=$serial?pin-value=$pin"

# --- what is refused ---

refused "$gala" '"gala night"' 'demands a login'
refused "$gala&pin-value=not-the-s3cret" '"gala night"' C_Login CKR_PIN_INCORRECT
refused "$gala&pin-value=s" '"gala night"' C_Login CKR_PIN_
refused "pkcs11:token=twin?module-path=$module&pin-value=$pin" '2 tokens' '"twin"'
refused "pkcs11:token=twin?pin-value=$pin" '2 tokens' '"twin"'
refused "pkcs11:token=none?module-path=$module&pin-value=$pin" '"none"' '"gala night"'
refused "pkcs11:slot-id=0?module-path=$module&pin-value=$pin" slot-id
refused "pkcs11:token=gala%20night?module-path=$module&pin-value=$pin&pin-source=/s3cret" pin-value pin-source
refused "pkcs11:token=gala%20night?module-path=/no/such.so&pin-value=$pin" /no/such.so
refused "pkcs11:token=gala%20night?module-name=nothing&pin-value=$pin" nothing
chmod 0644 pin
refused "$gala&pin-source=$work/pin" pin-source others
SOFTHSM2_CONF=$work/nothing refused "$gala&pin-value=$pin" C_Initialize CKR_GENERAL_ERROR
sample "$gala&pin-value=$pin"

# --- in a child: the parent's handle is refused, a new one works, and the parent goes on ---

python3 - "$build/src/libraffle.so" "$gala&pin-value=$pin" <<'PYTHON' || die "fork"
import ctypes
import os
import sys

lib = ctypes.CDLL(sys.argv[1])
FORKED = 48


def opened():
    rng = ctypes.c_void_p()
    assert lib.raffle_rng_open(sys.argv[2].encode(), None, ctypes.byref(rng), None) == 0
    return rng


def fill(rng):
    out = ctypes.create_string_buffer(64)
    return lib.raffle_rng_fill(rng, out, ctypes.c_size_t(64), 1000, None), out.raw


parents = opened()
again = opened()
assert fill(parents)[0] == 0 and fill(again)[0] == 0
child = os.fork()
if child == 0:
    status = 1
    try:
        assert fill(parents)[0] == FORKED
        lib.raffle_rng_free(parents)
        mine = opened()
        rc, out = fill(mine)
        assert rc == 0 and out != bytes(64)
        lib.raffle_rng_free(mine)
        status = 0
    finally:
        os._exit(status)
assert os.waitpid(child, 0)[1] == 0
assert fill(parents)[0] == 0
lib.raffle_rng_free(again)
assert fill(parents)[0] == 0
lib.raffle_rng_free(parents)
PYTHON
checks=$((checks + 1))

# --- a raffle with its keys in a token: the pairs stay there, and what is noted of the URI has no PIN ---

keys="$gala&pin-value=$pin"
boss=boss:manager
run 0 rng health --rng "$gala&pin-value=$pin"
serial=$(sed -n 's/^pkcs11:gala night\/\([^:]*\):.*/\1/p' out) # the first one above may be another token's
sed -E 's#"rng": *\[[^]]*\]#"rng": ["pkcs11:/'"$serial"'"]#; s#"seal": *"early"#"seal": "final"#' "$data/rules.json" >rules.json
grep -qF "pkcs11:/$serial" rules.json || die "the rules do not pin the token"
RAFFLE_CLOCK=2026-11-15T00:59:00.000Z run 0 create night.raffle --rules rules.json --by $boss --keys "$keys"
! grep -qF s3cret night.raffle || die "the PIN is in the store"
pkcs11-tool --module "$module" --token-label "gala night" --login --pin "$pin" --list-objects >objects 2>/dev/null
[ "$(grep -c '^Private Key Object; EC_EDWARDS' objects)" -eq 4 ] || die "not the pairs of the control log and three units"
[ "$(grep -c 'sensitive, always sensitive, never extractable, local' objects)" -eq 4 ] || die "a key could leave the token"
grep -qxE ' *label: *raffle.example/[a-z0-9-]+ ticket' objects || die "no ticket key"
checks=$((checks + 3))
head -n 40 "$data/sales.csv" >sales.csv
run 1 import night.raffle sales.csv --replay --by $boss
says '"gala night"' 'demands a login'
run 0 import night.raffle sales.csv --replay --by $boss --keys "$keys"
RAFFLE_CLOCK=2026-11-15T05:00:00.000Z run 0 seal night.raffle --by $boss --keys "$keys"
RAFFLE_CLOCK=2026-11-15T05:01:00.000Z run 0 ack night.raffle --by $boss --keys "$keys"
run 1 draw night.raffle early-bird --rng system: --by $boss --keys "$keys"
says system
RAFFLE_CLOCK=2026-11-15T05:02:00.000Z run 0 draw night.raffle early-bird --rng "$gala&pin-value=$pin" --by $boss --keys "$keys"
run 0 show night.raffle control
for words in '"provider":"pkcs11:gala night/'"$serial"'"' '"evidence":"'"$serial"'"'; do
    grep -qF -e "$words" out || die "the result has no $words"
    checks=$((checks + 1))
done
run 0 audit night.raffle
run 0 status night.raffle

echo "$checks checks"
