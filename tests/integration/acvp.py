#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`raffle vectors` over ACVP sets for hmacDRBG, made of NIST's CAVS cases: with their answers, with the answers in a file of their own, in the list
that servers send, with other modes among them, and malformed in many ways."""
import copy
import json
import os
import subprocess

VECTORS = os.path.join(os.environ["RAFFLE_SOURCE"], "tests/vectors/hmac_drbg.json")
RESISTANT, RESEED = ("predResistance", "reSeed")


def group_of(case):
    return {"testType": "AFT", "derFunc": False, RESEED: "reseed_entropy" in case, RESISTANT: "pr_entropy_1" in case,
            "entropyInputLen": 4 * len(case["entropy"]), "nonceLen": 4 * len(case["nonce"]),
            "persoStringLen": 4 * len(case.get("personalisation", "")),
            "additionalInputLen": 4 * len(case.get("additional_1", "")),
            "returnedBitsLen": 4 * len(case["output"]), "mode": "SHA2-256"}


def test_of(number, case):
    def part(name):
        return case.get(name, "").upper()
    other = [{"intendedUse": "generate", "additionalInput": part(f"additional_{i}"), "entropyInput": part(f"pr_entropy_{i}")}
             for i in (1, 2)]
    if "reseed_entropy" in case:
        other.insert(0, {"intendedUse": "reSeed", "additionalInput": part("reseed_additional"),
                         "entropyInput": part("reseed_entropy")})
    return {"tcId": number, "entropyInput": part("entropy"), "nonce": part("nonce"), "persoString": part("personalisation"),
            "otherInput": other, "returnedBits": part("output")}


def whole():
    with open(VECTORS, encoding="utf-8") as file:
        cases = [case for case in json.load(file)["cases"] if case["valid"]]
    groups = {}
    for number, case in enumerate(cases, 1):
        group = group_of(case)
        groups.setdefault(json.dumps(group), (group, []))[1].append(test_of(number, case))
    groups = [{"tgId": i, **group, "tests": tests} for i, (group, tests) in enumerate(groups.values(), 1)]
    return {"vsId": 7, "algorithm": "hmacDRBG", "revision": "1.0", "isSample": False, "testGroups": groups}


def run(files, *options):
    names = []
    for name, content in files.items():
        with open(name, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content, indent=2))
        names.append(name)
    if "--expected" in options:
        names = names[:1]
    ran = subprocess.run([os.environ["RAFFLE"], "vectors", *names, *options, "--json"], capture_output=True, text=True, check=False)
    return ran.returncode, json.loads(ran.stdout) if ran.stdout else None, ran.stderr


def one(files, *options):
    status, out, err = run(files, *options)
    assert out is not None, err
    result = out["files"][0]
    return status, result["passed"], result["failed"], result.get("left_out", 0), result.get("error", {}).get("rc", "")


def separated(vectors):
    """What a server publishes as prompt.json and expectedResults.json."""
    prompt = copy.deepcopy(vectors)
    answers = {"vsId": vectors["vsId"], "testGroups": []}
    for group in prompt["testGroups"]:
        tests = [{"tcId": test["tcId"], "returnedBits": test.pop("returnedBits")} for test in group["tests"]]
        answers["testGroups"].append({"tgId": group["tgId"], "tests": tests})
    return prompt, answers


def with_change(vectors, change):
    changed = copy.deepcopy(vectors)
    change(changed)
    return changed


def find(vectors, **members):
    return next(group for group in vectors["testGroups"] if all(group[name] == value for name, value in members.items()))


def check_forms(vectors):
    count = sum(len(group["tests"]) for group in vectors["testGroups"])
    assert count == 720 and len(vectors["testGroups"]) == 12
    prompt, answers = separated(vectors)
    assert one({"a": vectors}) == (0, count, 0, 0, "")
    assert one({"a": [{"acvVersion": "1.0"}, vectors]}) == (0, count, 0, 0, "")
    assert one({"a": prompt, "b": answers}, "--expected", "b") == (0, count, 0, 0, "")
    assert one({"a": prompt, "b": [{"acvVersion": "1.0"}, answers]}, "--expected", "b") == (0, count, 0, 0, "")
    assert one({"a": prompt})[4] == "RAFFLE_INVALID"
    other = with_change(vectors, lambda v: v["testGroups"][0].update(mode="SHA-1"))
    assert one({"a": other}) == (0, count - 60, 0, 60, "")
    for group in other["testGroups"]:
        group["mode"] = "SHA2-512"
    assert one({"a": other})[4] == "RAFFLE_UNSUPPORTED"


def check_wrong_answers(vectors):
    """One digit of anything that goes in, or comes out, is noticed."""
    def flipped(text):
        return ("1" if text[0] != "1" else "2") + text[1:]
    for members in ({RESISTANT: True, "additionalInputLen": 256}, {RESEED: True, "additionalInputLen": 256}):
        index = vectors["testGroups"].index(find(vectors, **members, persoStringLen=256))
        small = with_change(vectors, lambda v: v.update(testGroups=[{**v["testGroups"][index], "tests": v["testGroups"][index]["tests"][:1]}]))
        test = small["testGroups"][0]["tests"][0]
        assert one({"a": small}) == (0, 1, 0, 0, "")
        for name in ("entropyInput", "nonce", "persoString", "returnedBits"):
            changed = copy.deepcopy(small)
            changed["testGroups"][0]["tests"][0][name] = flipped(test[name])
            assert one({"a": changed}) == (3, 0, 1, 0, "RAFFLE_MISMATCH"), name
        for i, given in enumerate(test["otherInput"]):
            for name in ("additionalInput", "entropyInput"):
                changed = copy.deepcopy(small)
                changed["testGroups"][0]["tests"][0]["otherInput"][i][name] = flipped(given[name]) if given[name] else "00"
                expected = (3, 0, 1, 0, "RAFFLE_MISMATCH") if given[name] else (1, 0, 0, 0, "RAFFLE_INVALID")
                assert one({"a": changed}) == expected, (i, name)


def check_malformed(vectors):
    small = with_change(vectors, lambda v: v.update(testGroups=[{**v["testGroups"][0], "tests": v["testGroups"][0]["tests"][:2]}]))

    def bad(change, rc="RAFFLE_INVALID"):
        changed = with_change(small, change)
        status, passed, failed, _, error = one({"a": changed})
        assert (status, passed, failed, error) == (1, 0, 0, rc), (changed, error)
    group = lambda v: v["testGroups"][0]
    test = lambda v: group(v)["tests"][1]
    for name in ("tgId", "tests", "mode", RESISTANT, "returnedBitsLen"):
        bad(lambda v: group(v).pop(name))
        bad(lambda v: group(v).update({name: None}))
        bad(lambda v: group(v).update({name: {}}))
    for name in ("tcId", "entropyInput", "nonce", "persoString", "otherInput", "returnedBits"):
        bad(lambda v: test(v).pop(name))
        bad(lambda v: test(v).update({name: -1}))
    for name in ("intendedUse", "additionalInput"):
        bad(lambda v: test(v)["otherInput"][0].pop(name))
        bad(lambda v: test(v)["otherInput"][0].update({name: 5}))
    bad(lambda v: test(v)["otherInput"].pop())
    bad(lambda v: test(v)["otherInput"].append(test(v)["otherInput"][0]))
    bad(lambda v: test(v)["otherInput"].append(dict(test(v)["otherInput"][0], intendedUse="reSeed")))
    bad(lambda v: test(v).update(nonce="0g"))
    bad(lambda v: test(v).update(nonce="0"))
    bad(lambda v: test(v).update(returnedBits=test(v)["returnedBits"][2:]))
    bad(lambda v: v.update(testGroups={}))
    bad(lambda v: v.update(testGroups=[5]))
    bad(lambda v: group(v).update(tests=[None]))
    bad(lambda v: v.update(algorithm="ctrDRBG"), "RAFFLE_UNSUPPORTED")
    bad(lambda v: v.pop("revision"), "RAFFLE_UNSUPPORTED")
    bad(lambda v: v.update(testGroups=[]), "RAFFLE_UNSUPPORTED")

    prompt, answers = separated(small)
    for change in (lambda a: a.update(vsId=8), lambda a: group(a)["tests"].pop(), lambda a: test(a).update(tcId=1),
                   lambda a: group(a).update(tgId=2), lambda a: test(a).pop("returnedBits"), lambda a: a.update(testGroups=5)):
        assert one({"a": prompt, "b": with_change(answers, change)}, "--expected", "b")[4] == "RAFFLE_INVALID"
    assert run({"a": prompt, "b": "nonsense"}, "--expected", "b")[0] == 1
    assert run({"a": prompt, "b": {}}, "--expected", "b")[0] == 1
    assert run({"a": prompt}, "--expected", "nowhere")[0] == 1
    with open(VECTORS, encoding="utf-8") as file:
        assert one({"a": file.read(), "b": answers}, "--expected", "b")[4] == "RAFFLE_INVALID"
    two = subprocess.run([os.environ["RAFFLE"], "vectors", "a", "a", "--expected", "b"], capture_output=True, check=False)
    assert two.returncode == 2


def main():
    vectors = whole()
    check_forms(vectors)
    check_wrong_answers(vectors)
    check_malformed(vectors)


main()
