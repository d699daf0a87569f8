#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes timestamp.json: time stamps by OpenSSL's own authority, of a test authority whose keys are thrown away, over a checkpoint.
set -euo pipefail
out=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")/timestamp.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >tsa.cnf <<'CNF'
[tsa]
default_tsa = it
[it]
serial = ./serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
CNF
authority() { # NAME SUBJECT: a certificate authority
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -days 36500 -subj "/CN=$2" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
}
signer() { # NAME AUTHORITY SUBJECT
    openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$3" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 36500 -out "$1.pem" \
        -extfile <(printf 'extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n') 2>/dev/null
}
stamp() { # NAME DATA SIGNER [QUERY OPTION…]
    local name=$1 data=$2 by=$3
    shift 3
    [ -e serial ] || echo 01 >serial
    openssl ts -query -data "$data" -cert -no_nonce "${@:--sha256}" -out "$name.tsq" 2>/dev/null
    openssl ts -reply -config tsa.cnf -queryfile "$name.tsq" -signer "$by.pem" -inkey "$by.key" -out "$name.tsr" 2>/dev/null
}

printf 'raffle.example/log1\n600\n6KgEr1lnie1PU5QuKUz+RNW+1McUDH8PX6UsDBIiMtY=\n\n— raffle.example/log1 jEaLg3a62T/EyZwhPUG1HP1yJnlnfBopJbjeW5WfBWBYCzs8FjZDQ6NsYw2biw7eXZxVspHV9He2WPhfdUkqeHJQuwc=\n' >checkpoint
printf 'something else\n' >other
authority ca 'Test Time Authority'
authority stranger 'Another Authority'
signer tsa ca 'Test Time Stamps'
stamp good checkpoint tsa
stamp other other tsa
stamp sha512 checkpoint tsa -sha512
# OpenSSL's authority refuses a digest that is not on its list.
openssl ts -query -data checkpoint -sha1 -cert -no_nonce -out refused.tsq 2>/dev/null
openssl ts -reply -config tsa.cnf -queryfile refused.tsq -signer tsa.pem -inkey tsa.key -out refused.tsr 2>/dev/null || true
openssl ts -verify -data checkpoint -in good.tsr -CAfile ca.pem >/dev/null 2>&1
openssl ts -verify -queryfile good.tsq -in good.tsr -CAfile ca.pem >/dev/null 2>&1

python3 - "$out" <<'PY'
import json, pathlib, re, subprocess, sys
read = lambda name: pathlib.Path(name).read_bytes()
good = read("good.tsr")
text = subprocess.run(["openssl", "ts", "-reply", "-in", "good.tsr", "-text"], capture_output=True, text=True, check=True).stdout
moment = re.search(r"Time stamp: (.*)", text)[1]
import datetime
at = datetime.datetime.strptime(moment, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=datetime.timezone.utc)
data, other = read("checkpoint").decode(), read("other").decode()
ca, stranger = read("ca.pem").decode(), read("stranger.pem").decode()
def case(name, response, valid, error=None, data=data, ca=ca, **more):
    made = {"name": name, "kind": "response", "valid": valid, "data": data, "response": response.hex(), "at": 0, "authority": "", **more}
    if ca is not None: made["authorities"] = ca
    if error: made["error"] = "RAFFLE_" + error
    return made
says = {"at": int(at.timestamp()) * 1000, "authority": "Test Time Stamps"}
swapped = bytearray(good); swapped[-1] ^= 1
cases = [
    case("good", good, True, **says),
    case("good, of no authority", good, True, ca=None, **says),
    case("of another authority", good, False, "SIGNATURE", ca=stranger),
    case("over other data", read("other.tsr"), False, "MISMATCH"),
    case("good, over other data", read("other.tsr"), True, data=other, **says),
    case("data with one byte more", good, False, "MISMATCH", data=data + "\n"),
    case("another digest", read("sha512.tsr"), False, "INVALID"),
    case("refused", read("refused.tsr"), False, "INVALID"),
    case("its last byte altered", bytes(swapped), False, "SIGNATURE"),
    case("its last byte altered, of no authority", bytes(swapped), False, "SIGNATURE", ca=None),
    case("a byte more", good + b"\0", False, "INVALID"),
    case("a byte less", good[:-1], False, "INVALID"),
    case("nothing", b"", False, "INVALID"),
    case("a query in its place", read("good.tsq"), False, "INVALID"),
]
altered = bytearray(read("good.tsq")); altered[-1] ^= 1
cases += [{"name": "a query", "kind": "query", "valid": True, "data": data, "query": read("good.tsq").hex()},
          {"name": "another query", "kind": "query", "valid": False, "data": data, "query": altered.hex()}]
json.dump({"format": "libraffle-vectors-1", "algorithm": "timestamp", "source": "openssl ts; made by generate/timestamp.sh",
           "cases": cases}, open(sys.argv[1], "w"), indent=1, ensure_ascii=False)
open(sys.argv[1], "a").write("\n")
PY
