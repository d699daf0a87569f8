#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes hmac_drbg.json: NIST's CAVS 14.3 vectors for HMAC_DRBG, all SHA-256 groups, and cases that must be rejected.

    hmac_drbg.py EVPRAND VEC > hmac_drbg.json     EVPRAND: OpenSSL 3.0, test/recipes/30-test_evp_data/evprand.txt
                                                  VEC: Botan 2.19, src/tests/data/rng/hmac_drbg.vec
    hmac_drbg.py EVPRAND VEC --compare FOLDER     compares with mbedTLS 2.28 instead: FOLDER holds
                                                  test_suite_hmac_drbg.{no_reseed,nopr,pr}.data

OpenSSL's file has the groups without reseed and with prediction resistance (and those without reseed again under the title of
those with reseed); Botan's has those with reseed, where the nonce and the personalisation are appended to the entropy input,
and the additional input of the reseed to the reseed's.
"""
import json
import re
import sys

FIELDS = {"Entropy": "entropy", "Nonce": "nonce", "PersonalisationString": "personalisation",
          "EntropyPredictionResistanceA": "pr_entropy_1", "EntropyPredictionResistanceB": "pr_entropy_2",
          "AdditionalInputA": "additional_1", "AdditionalInputB": "additional_2", "Output": "output"}
TITLES = ("no reseed", "reseed", "prediction resistance")


def read_openssl(path):
    with open(path, encoding="utf-8") as file:
        blocks = re.split(r"\n\s*\n", file.read())
    seen = set()
    for block in blocks:
        if "RAND = HMAC-DRBG\n" not in block or "\nDigest = SHA-256\n" not in block or block in seen:
            continue
        seen.add(block)
        title = "prediction resistance" if "PredictionResistance = 1" in block else "no reseed"
        for i in range(15):
            found = dict(re.findall(rf"^(\w+)\.{i} = ([0-9a-fA-F]+)$", block, re.M))
            yield title, {FIELDS[name]: value.lower() for name, value in found.items()}


def split(case, names, text, sizes):
    for name, size in zip(names, sizes):
        part, text = text[:2 * size], text[2 * size:]
        if part:
            case[name] = part.lower()
    if text:
        raise SystemExit(f"{len(text) // 2} bytes more than {names}")


def read_botan(path):
    with open(path, encoding="utf-8") as file:
        section = file.read().split("[SHA-256]\n")[1].split("\n[")[0]
    for block in section.strip().split("\n\n"):
        found = dict(re.findall(r"^(\w+) = (\w+)$", block, re.M))
        case = {}
        split(case, ("entropy", "nonce", "personalisation"), found["EntropyInput"], (32, 16, 32))
        split(case, ("reseed_entropy", "reseed_additional"), found["EntropyInputReseed"], (32, 32))
        split(case, ("additional_1",), found.get("AdditionalInput1", ""), (32,))
        split(case, ("additional_2",), found.get("AdditionalInput2", ""), (32,))
        case["output"] = found["Out"].lower()
        yield "reseed", case


def named(cases):
    count = {}
    for title, case in cases:
        count[title] = count.get(title, 0) + 1
        yield {"name": f"{title} {count[title]}", "valid": True, **case}


def flip(text, at):
    byte = int(text[2 * at:2 * at + 2], 16) ^ 1
    return text[:2 * at] + f"{byte:02x}" + text[2 * at + 2:]


def rejects(cases):
    """Mutates one thing of the fullest case of each kind. `error`: the call must fail with it; else the output must differ."""
    for title in TITLES:
        full = [case for case in cases if case["name"].startswith(title + " ") and len(case) > 7][-1]
        for name in [name for name in full if name not in ("name", "valid")]:
            yield dict(full, name=f"{title}: first byte of {name} changed", valid=False, **{name: flip(full[name], 0)})
            last = len(full[name]) // 2 - 1
            yield dict(full, name=f"{title}: last byte of {name} changed", valid=False, **{name: flip(full[name], last)})
        yield dict(full, name=f"{title}: additional inputs exchanged", valid=False,
                   additional_1=full["additional_2"], additional_2=full["additional_1"])
        left_out = {name: value for name, value in full.items() if name != "personalisation"}
        yield dict(left_out, name=f"{title}: personalisation left out", valid=False)
        for name, length in (("entropy", 31), ("entropy", 0), ("nonce", 15), ("nonce", 0), ("reseed_entropy", 31),
                             ("pr_entropy_1", 31), ("pr_entropy_2", 31)):
            if name in full:
                yield dict(full, name=f"{title}: {length} bytes of {name}", valid=False, error="RAFFLE_INVALID",
                           **{name: full[name][:2 * length]})
        yield dict({name: value for name, value in full.items() if name != "output"}, valid=False, length=65537,
                   name=f"{title}: a request of 65537 bytes", error="RAFFLE_INVALID", output="")


def compare(cases, folder):
    """mbedTLS keeps fewer cases, and concatenates entropy input, nonce and what reseeds take."""
    theirs = set()
    for suite in ("no_reseed", "nopr", "pr"):
        with open(f"{folder}/test_suite_hmac_drbg.{suite}.data", encoding="ascii") as file:
            for line in re.findall(r":MBEDTLS_MD_SHA256:(.*)", file.read()):
                values = re.findall(r'"([0-9a-f]*)"', line)
                theirs.add((values[0], values[-1]))
    extra = ("reseed_entropy", "pr_entropy_1", "pr_entropy_2")
    ours = {(case["entropy"] + case["nonce"] + "".join(case.get(name, "") for name in extra), case["output"])
            for case in cases}
    print(f"{len(ours)} here, {len(theirs)} there, {len(ours & theirs)} in both")
    return 0 if theirs <= ours else 1


def main():
    cases = list(named([*read_openssl(sys.argv[1]), *read_botan(sys.argv[2])]))
    if len(sys.argv) == 5 and sys.argv[3] == "--compare":
        return compare(cases, sys.argv[4])
    cases += list(rejects(cases))
    lines = ",\n".join(json.dumps(case) for case in cases)
    source = ("NIST CAVS 14.3 HMAC_DRBG, all SHA-256 groups, as in OpenSSL 3.0.22 (no reseed, prediction resistance) and "
              "Botan 2.19.3 (reseed); rejects and conversion by tests/vectors/generate/hmac_drbg.py")
    print('{"format": "libraffle-vectors-1", "algorithm": "hmac_drbg",')
    print(f'"source": "{source}",\n"cases": [\n{lines}\n]}}')
    return 0


if __name__ == "__main__":
    sys.exit(main())
