#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a program with RAFFLE_POSTGRES, the URI of a throw-away PostgreSQL server on a Unix socket, which ends with it: with_postgres.sh PROGRAM ARG…
set -euo pipefail

bin=$(pg_config --bindir)
folder=$(mktemp -d /tmp/raffle-postgres-XXXXXX)
user=()
# PostgreSQL does not run as root.
if [ "$(id -u)" -eq 0 ]; then
    chown nobody "$folder"
    user=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups)
fi

finish() {
    local status=$?
    "${user[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
    if [ "$status" -ne 0 ]; then
        grep -E "FATAL|PANIC" "$folder/log" | tail -n 40 >&2 || true
    fi
    rm -rf "$folder"
}
trap finish EXIT

cd "$folder"
"${user[@]}" "$bin/initdb" -D data -U raffle -A trust --encoding=UTF8 --locale=C >setup 2>&1
"${user[@]}" sed -i '1i local all asked scram-sha-256' data/pg_hba.conf
"${user[@]}" "$bin/pg_ctl" -D data -l log -w start \
    -o "-c listen_addresses='' -c unix_socket_directories=$folder -c max_connections=150 -c deadlock_timeout=200ms" >>setup
cd - >/dev/null
RAFFLE_POSTGRES="postgresql://raffle@${folder//\//%2F}/postgres" "$@"
