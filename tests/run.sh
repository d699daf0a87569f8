#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that is checked before a change goes in, on a fresh Debian 12, as root or with sudo: `bash tests/run.sh`.
# Stops at the first failure. The last line is "N passed, N failed": test cases of all runs, and one for each other check.
# RAFFLE_TEST_DIR says where to build (build-test/); RAFFLE_JOBS, with how many processes (as many as there are processors).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=$PWD
work=${RAFFLE_TEST_DIR:-$root/build-test}
jobs=${RAFFLE_JOBS:-$(nproc)}
passed=0
failed=0
current=start

PACKAGES=(build-essential clang clang-tidy clang-format llvm libclang-rt-14-dev meson ninja-build pkg-config
    libsodium-dev libssl-dev libsqlite3-dev libjansson-dev libcurl4-openssl-dev libmbedtls-dev zlib1g-dev libp11-kit-dev softhsm2 opensc openssl check
    git python3 python3-cffi python3-dev python3-jsonschema python3-venv golang-go sqlite3 dieharder
    libpq-dev postgresql-15 libqrencode-dev zbar-tools librsvg2-bin chromium chromium-driver spin mandoc)
TOOLS=(git gcc g++ clang clang++ clang-tidy clang-format llvm-symbolizer meson ninja pkg-config nm python3 go sqlite3 dieharder openssl softhsm2-util pkcs11-tool zbarimg rsvg-convert chromium chromedriver spin mandoc)
MODULES=(libsodium libcrypto sqlite3 jansson libcurl check p11-kit-1 libpq libqrencode)
PYPI=(numpy scipy html5lib "cyclonedx-python-lib[json-validation]" pytest hypothesis mypy types-cffi apsw build meson-python cffi) # for what RAFFLE_PYTHON runs

# --- the frame: steps, and the count at the end ---

finish() {
    local status=$?
    if [ "$status" -ne 0 ]; then
        [ "$failed" -gt 0 ] || failed=1
        echo "FAILED: $current"
    fi
    echo "$passed passed, $failed failed"
}
trap finish EXIT

# step TITLE COMMAND…: a failure ends the run.
step() {
    current=$1
    shift
    local since=$SECONDS
    printf '\n== %s\n' "$current"
    "$@"
    echo "== $current: done, $((SECONDS - since)) s"
}

# check TITLE COMMAND…: a step that counts as one case, and is noted for the matrix.
check() {
    step "$@"
    passed=$((passed + 1))
    echo "$1" >>"$work/checks"
}

# --- what is needed ---

missing_tools() {
    local name
    for name in "${TOOLS[@]}"; do
        command -v "$name" >/dev/null || echo "$name"
    done
    for name in "${MODULES[@]}"; do
        pkg-config --exists "$name" 2>/dev/null || echo "$name"
    done
    [ -e /usr/include/mbedtls/hmac_drbg.h ] || echo libmbedtls-dev
    pkg-config --exists zlib 2>/dev/null || echo zlib1g-dev # which sqlite3.pc asks for, for static hosts
    [ -x /usr/lib/postgresql/15/bin/initdb ] || echo postgresql-15
    python3 -c "import cffi" 2>/dev/null || echo python3-cffi
    python3 -c "import jsonschema" 2>/dev/null || echo python3-jsonschema
    python3 -c "import ensurepip" 2>/dev/null || echo python3-venv
    [ -e "$(python3 -c "import sysconfig; print(sysconfig.get_path('include'))")/Python.h" ] || echo python3-dev
    echo 'int main(void) { return 0; }' | clang -fsanitize=address,undefined -x c -o /dev/null - 2>/dev/null || echo libclang-rt-14-dev
}

install_packages() {
    if [ -z "$(missing_tools)" ]; then
        echo "everything is installed"
        return
    fi
    local sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -q
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${PACKAGES[@]}"
    local missing
    missing=$(missing_tools)
    [ -z "$missing" ] || { echo "still missing: $missing"; return 1; }
}

# Python packages that Debian has not, or has older: in a folder of their own.
install_python() {
    local list=$work/venv/installed
    if [ "$(cat "$list" 2>/dev/null)" = "${PYPI[*]}" ]; then
        echo "everything is installed"
        return
    fi
    python3 -m venv "$work/venv"
    "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${PYPI[@]}"
    echo "${PYPI[*]}" >"$list"
}

# --- the code's looks ---

c_files() {
    find "$@" -name '*.[ch]' -print0 | sort -z
}

format() {
    c_files include src tests examples fuzz bindings | xargs -0 clang-format --dry-run --Werror
}

# Not src/base/error.c, which defines what tests/tidy.h wraps; it is read without.
tidy() {
    clang-tidy --quiet -p "$work/clang" src/base/error.c
    find src -name '*.c' ! -path src/base/error.c -print0 | sort -z | xargs -0 -n 1 -P "$jobs" clang-tidy --quiet \
        -p "$work/clang" --extra-arg=-include --extra-arg="$root/tests/tidy.h" 2>&1 | sed '/^[0-9]* warnings\{0,1\} generated/d'
}

# --- builds and their tests ---

# build FOLDER OPTION…: from nothing, warnings as errors.
build() {
    local folder=$work/$1
    shift
    rm -rf "$folder"
    meson setup "$folder" "$root" --prefix=/usr --libdir=lib -Dwerror=true -Dcli=enabled -Dtests=enabled -Dexamples=enabled -Dkms=enabled -Dpostgres=enabled -Dqr=enabled "$@"
    ninja -C "$folder" -j "$jobs"
}

# run_tests FOLDER OPTION…: counts the cases, also when some fail.
run_tests() {
    local folder=$work/$1 status=0 good bad
    shift
    rm -f "$folder/meson-logs/testlog.json"
    meson test -C "$folder" --no-rebuild --print-errorlogs --num-processes "$jobs" "$@" || status=$?
    read -r good bad < <(python3 tests/count_results.py "$folder/meson-logs/testlog.json")
    passed=$((passed + good))
    failed=$((failed + bad))
    echo "$good passed, $bad failed in this run"
    [ "$status" -eq 0 ] && [ "$good" -gt 0 ]
}

run_sanitized() {
    CK_FORK=no ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
        TSAN_OPTIONS=halt_on_error=1:suppressions=$root/tests/tsan.supp run_tests "$@"
}

build_clang() {
    export CC=clang CXX=clang++
    build "$@"
    unset CC CXX
}

# Each fuzz target for ten seconds from its corpus; what it adds, and an input that stops it, stays in the build folder.
fuzz_target() {
    local name=$1 folder=$work/fuzz-$1
    rm -rf "$folder"
    mkdir -p "$folder/found"
    if ! "$work/fuzz/fuzz/fuzz_$name" -max_total_time=10 -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$folder/" "$folder/found" "fuzz/corpus/$name" >"$folder/log" 2>&1; then
        tail -n 60 "$folder/log"
        return 1
    fi
    sed -n "s/^stat::number_of_executed_units: */fuzz: $name, inputs: /p" "$folder/log"
    echo "fuzz: $name" >>"$work/checks"
}

# All of them, as many at a time as there are jobs; each is one case.
fuzz_targets() {
    local targets=(fuzz/fuzz_*.c)
    targets=("${targets[@]#fuzz/fuzz_}")
    export -f fuzz_target
    export work
    printf '%s\n' "${targets[@]%.c}" | xargs -P "$jobs" -I{} bash -euo pipefail -c 'fuzz_target {}'
    passed=$((passed + ${#targets[@]}))
}

# A build for certification has no provider `test:`.
no_test_rng() {
    build certified -Dtests=disabled -Dtest_rng=false
    local sample=(rng sample --rng test:seed=00 --bytes 16)
    "$work/gcc/src/cli/raffle" "${sample[@]}" >/dev/null
    if "$work/certified/src/cli/raffle" "${sample[@]}" >/dev/null; then
        echo "a build without test_rng still opens test:"
        return 1
    fi
}

# --- what a host gets ---

dest=$work/dest
prefix=$dest/usr

install_all() {
    rm -rf "$dest"
    DESTDIR=$dest meson install -C "$work/gcc" --no-rebuild --quiet
    find "$dest" -type f -o -type l | sort
}

# host_flags OPTION…: what pkg-config tells a host to compile and link with, from the installed tree.
host_flags() {
    PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --define-variable=prefix="$prefix" --cflags --libs "$@" libraffle
}

# host_program NAME COMPILER_AND_FLAGS…: compiles the C example as a host would, and runs it.
host_program() {
    local folder=$work/host-$1
    shift
    rm -rf "$folder"
    mkdir -p "$folder"
    gcc -std=c11 -Wall -Wextra -Werror -o "$folder/night" examples/night.c "$@"
    LD_LIBRARY_PATH=$prefix/lib "$folder/night" "$folder/night.raffle"
}

host_shared() {
    # shellcheck disable=SC2046
    host_program shared $(host_flags)
}

# With the shared library out of sight, -lraffle is the archive.
host_static() {
    local away=$work/dest-shared
    rm -rf "$away"
    mkdir "$away"
    mv "$prefix"/lib/libraffle.so* "$away"
    # shellcheck disable=SC2046
    host_program static $(host_flags --static)
    mv "$away"/libraffle.so* "$prefix/lib"
}

# --- whole programs ---

# Each script gets the command in RAFFLE, a Python with the packages above in RAFFLE_PYTHON, and a folder of its own, which it starts in.
integration() {
    local script=$1
    shift
    local folder=$work/integration/${script##*/}
    rm -rf "$folder"
    mkdir -p "$folder"
    local run=(bash)
    [ "${script##*.}" = sh ] || run=(python3)
    (cd "$folder" && RAFFLE=$work/gcc/src/cli/raffle RAFFLE_SOURCE=$root RAFFLE_BUILD=$work/gcc RAFFLE_PYTHON=$work/venv/bin/python "${run[@]}" "$root/$script" "$@" </dev/null)
}

# integration_case SCRIPT: what it says goes into a file, and is shown when it fails. xargs stops at 255.
integration_case() {
    local log=$work/integration/${1##*/}.log since=$SECONDS
    if ! integration "$1" >"$log" 2>&1; then
        tail -n 60 "$log"
        echo "FAILED: $1"
        return 255
    fi
    echo "$1: $((SECONDS - since)) s: $(tail -n 1 "$log" | cut -c 1-150)"
    echo "$1" >>"$work/checks"
}

# All of them, as many at a time as there are jobs; each is one case, or as many as its last line says.
integration_cases() {
    local scripts=(tests/integration/*.sh tests/integration/*.py) script cases
    mkdir -p "$work/integration"
    export -f integration integration_case
    export work root
    printf '%s\n' "${scripts[@]}" | xargs -P "$jobs" -I{} bash -euo pipefail -c 'integration_case {}'
    for script in "${scripts[@]}"; do
        cases=$(tail -n 1 "$work/integration/${script##*/}.log" | sed -n 's/^\([0-9]*\) passed, 0 failed$/\1/p')
        passed=$((passed + ${cases:-1}))
    done
}

# What the scripts and the quickstart left, once more under two implementations that share no code with the library.
every_raffle() {
    local stores=("$work"/integration/*/*.raffle "$work"/quickstart/*.raffle)
    integration tests/integration/verifier_go.py "${stores[@]}"
    integration tests/integration/verifier.py "${stores[@]}"
    integration tests/integration/second_implementation.py "${stores[@]}"
}

# What docs/gli-31.md names has run. The results are for `raffle evidence --results`.
every_clause() {
    RAFFLE=$work/gcc/src/cli/raffle python3 tests/matrix/gli_31.py results --checks "$work/checks" --out "$work/gli-31-results.json" \
        "$work"/{gcc,clang,thread}/meson-logs/testlog.json
}

example_data() {
    python3 examples/make_sales.py | cmp - examples/data/sales.csv
}

main() {
    step "packages" install_packages
    step "Python packages" install_python
    rm -f "$work/checks"
    check "clang-format" format
    check "gcc: build" build gcc
    step "gcc: tests" run_tests gcc
    check "clang: build with the address and undefined-behaviour sanitizers" \
        build_clang clang -Db_sanitize=address,undefined -Db_lundef=false
    step "clang: tests under the sanitizers" run_sanitized clang
    check "clang-tidy" tidy
    check "clang: build with the thread sanitizer" build_clang thread -Db_sanitize=thread -Db_lundef=false
    step "clang: threaded tests under the thread sanitizer" run_sanitized thread --suite threads
    check "clang: build of the fuzz targets" build_clang fuzz -Dfuzz=enabled -Db_lundef=false -Dtests=disabled \
        -Dcli=disabled -Dexamples=disabled
    step "fuzz targets" fuzz_targets
    check "build without test_rng" no_test_rng
    check "install" install_all
    check "a host with the shared library" host_shared
    check "a host with the static library" host_static
    check "docs/bindings.md" python3 tests/abi/bindings.py
    check "the example's sales are what their script makes" example_data
    step "integration" integration_cases
    check "quickstart" examples/quickstart.sh --no-install "$work/quickstart"
    check "every raffle of these tests" every_raffle
    check "every clause of GLI-31: its tests ran" every_clause
    current=end
    echo
}

main "$@"
