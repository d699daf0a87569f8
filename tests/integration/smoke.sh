#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# That the C API can be bound: a raffle from Python (cffi) and one from Go (cgo), each over a store of its own.
#
#     tests/integration/smoke.sh BUILD
#
# BUILD (or RAFFLE_BUILD) is meson's build folder, or a prefix into which libraffle was installed.
set -euo pipefail

build=$(realpath "${1:-${RAFFLE_BUILD:?which build?}}")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

library=
for folder in "$build" "$build/src" "$build/lib" "$build"/lib/*; do
    [ ! -e "$folder/libraffle.so" ] || library=$folder
done
[ -n "$library" ] || { echo "there is no libraffle.so in $build, its src or its lib"; exit 1; }

echo "Python: $("${PYTHON:-python3}" "$here/smoke_python.py" "$build")"

export LD_LIBRARY_PATH=$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export CGO_CFLAGS="-O1 -g -I$here/../../include -I$build/include" CGO_LDFLAGS="-L$library ${CGO_LDFLAGS-}"
export CGO_ENABLED=1 GO111MODULE=on GOFLAGS= GOPROXY=off GOTOOLCHAIN=local GOWORK=off
(cd "$here/smoke_go" && go vet . && go build -o "$work/smoke" .)
echo "Go: $("$work/smoke")"
