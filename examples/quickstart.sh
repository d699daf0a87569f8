#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A hockey night's 50/50 from nothing: builds the command, replays 20,000 orders, draws four prizes, audits it all.
#
#     bash examples/quickstart.sh [--no-install] [FOLDER]
#
# Installs the packages that the build needs (Debian 12; as root or with sudo), unless --no-install is given. Builds, and keeps
# the night's raffle, in FOLDER, build-quickstart/ by default.
set -euo pipefail

install=yes
if [ "${1:-}" = --no-install ]; then
    install=no
    shift
fi
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:-$source/build-quickstart}
data=$source/examples/data
boss=boss:manager

say() {
    printf '\n# %s\n' "$*"
}

install_packages() {
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -q
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends build-essential meson \
        ninja-build pkg-config libsodium-dev libssl-dev libsqlite3-dev libjansson-dev python3
}

build() {
    if [ ! -e "$folder/build/build.ninja" ]; then
        meson setup "$folder/build" "$source" -Dcli=enabled -Dtests=disabled -Dexamples=disabled >"$folder/setup.log"
    fi
    ninja -C "$folder/build" >"$folder/build.log" || { tail -n 30 "$folder/build.log"; return 1; }
}

# raffle ARGUMENT…: shows the command as one would type it, and runs it.
raffle() {
    printf '$ raffle %s\n' "$*"
    "$folder/build/src/cli/raffle" "$@"
}

# verifier ARGUMENT…: the second implementation (examples/verifier), shown and run likewise.
verifier() {
    printf '$ python3 examples/verifier/verify.py %s\n' "$*"
    python3 "$source/examples/verifier/verify.py" "$@"
}

# at TIME COMMAND…: the night is replayed, so that its clock is ours to set.
at() {
    local time=$1
    shift
    RAFFLE_CLOCK=$time "$@"
}

# The lines of the day's sales before a time, and those from it on.
split_sales() {
    awk -F, -v t="$1" 'NR == 1 || $2 < t' "$data/sales.csv" >early.csv
    awk -F, -v t="$1" 'NR == 1 || $2 >= t' "$data/sales.csv" >late.csv
}

# field NAME: the first value of this name in JSON on standard input.
field() {
    python3 -c '
import json, sys

def find(value, name):
    if isinstance(value, dict):
        if name in value:
            return value[name]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            found = find(each, name)
            if found is not None:
                return found
    return None

print(find(json.load(sys.stdin), sys.argv[1]))' "$1"
}

# The winner comes to the desk with the ticket: its validation number is compared, and the result becomes official.
confirm() {
    local prize=$1 number validation
    number=$("$folder/build/src/cli/raffle" status night.raffle --prize "$prize" --json | field number)
    validation=$("$folder/build/src/cli/raffle" ticket night.raffle --number "$number" --json | field validation)
    echo "the holder of $number shows $validation"
    raffle verify-winner night.raffle "$prize" --validation - --by "$boss" <<<"$validation"
    raffle official night.raffle "$prize" --by "$boss"
}

main() {
    mkdir -p "$folder"
    [ "$install" = no ] || install_packages
    say "building in $folder"
    build
    cd "$folder"
    rm -rf night.raffle night.raffle-* night.raffle.* early.csv late.csv public 1-42.receipt
    split_sales 2026-11-15T03:00:00.000Z

    say "18:00, doors: the rules are frozen"
    at 2026-11-15T00:59:00.000Z raffle create night.raffle --rules "$data/rules.json" --by "$boss"
    raffle import night.raffle early.csv --replay --by "$boss"

    say "20:00, the early bird: what was sold so far is sealed, and selling goes on"
    export RAFFLE_CLOCK=2026-11-15T03:00:00.000Z
    raffle seal night.raffle --early --by "$boss"
    raffle ack night.raffle --early --by "$boss"
    raffle draw night.raffle early-bird --rng system: --by "$boss"
    unset RAFFLE_CLOCK
    raffle import night.raffle late.csv --replay --by "$boss"

    say "22:00, sales are closed and sealed, their voids acknowledged, and the prizes drawn"
    export RAFFLE_CLOCK=2026-11-15T05:00:00.000Z
    raffle seal night.raffle --by "$boss"
    raffle ack night.raffle --by "$boss"
    local prize
    for prize in fifty-fifty second third; do
        raffle draw night.raffle "$prize" --rng system: --by "$boss"
    done

    say "22:10, the winner of the 50/50 is at the desk"
    export RAFFLE_CLOCK=2026-11-15T05:10:00.000Z
    confirm fifty-fifty
    unset RAFFLE_CLOCK

    say "the pot, the winners, and the audit, which trusts none of this"
    raffle status night.raffle
    raffle audit night.raffle

    say "proof for everybody: the raffle is published, a buyer's receipt verified, and all of it audited again by a program that shares no code with the library"
    local key
    key=$("$folder/build/src/cli/raffle" status night.raffle --json | field control_key)
    raffle publish night.raffle public
    raffle receipt night.raffle --ticket 1/42 --out 1-42.receipt
    raffle verify 1-42.receipt --key "$key"
    verifier public --key "$key"

    cat <<END

Look further, in $folder:
    PATH=$folder/build/src/cli:\$PATH
    raffle show night.raffle control --private     the control log, record by record
    raffle show night.raffle 1 --follow            a unit's log
    raffle ticket night.raffle --number 1-0000001  a ticket, as it is printed
    raffle audit public                            what is published, audited as anybody can
    raffle selfcheck                               which build this is
    sqlite3 night.raffle 'SELECT * FROM draw'      the same records, in SQL
END
}

main
