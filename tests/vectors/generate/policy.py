#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes policy.json beside this folder: C2SP tlog-policy as rules have it, and quorums over notes, with tests/reference/policy_reference.py."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "reference"))
import base  # noqa: E402
from policy_reference import Policy  # noqa: E402
from raffle_reference import Log, Witness  # noqa: E402

W = [Witness(name, 1000 + i) for i, name in enumerate("abcdef")]
LINE = {w.name: f"witness {w.name} {w.vkey}" for w in W}
THREE = [LINE["a"], LINE["b"], LINE["c"]]


def accepts(lines):
    try:
        Policy(lines)
    except ValueError:
        return False
    return True


def read(name, lines, valid=True, error="RAFFLE_INVALID"):
    assert accepts(lines) == valid, name
    case = {"name": "policy: " + name, "kind": "policy", "valid": valid, "policy": "".join(line + "\n" for line in lines)}
    return case if valid else {**case, "error": error}


def policies():
    yield read("one witness", [LINE["a"], "quorum a"])
    yield read("two of three", THREE + ["group g 2 a b c", "quorum g"])
    yield read("all", THREE + ["group g all a b c", "quorum g"])
    yield read("any", THREE + ["group g any a b c", "quorum g"])
    yield read("groups of groups", THREE + [LINE["d"], "group g any a b", "group h all c d", "group i 2 g h", "quorum i"])
    yield read("the quorum before the groups", [LINE["a"], "quorum a", LINE["b"], "group g any a b"])
    yield read("a witness of no group", THREE + ["group g all a b", "quorum g"])
    yield read("an address", [LINE["a"] + " https://witness.example/a", "quorum a"])
    yield read("an address with a port", [LINE["a"] + " http://127.0.0.1:8080", "quorum a"])
    yield read("a name in UTF-8", [f"witness é {W[0].vkey}", "quorum é"])
    yield read("a name of 64 bytes", [f"witness {'n' * 64} {W[0].vkey}", "quorum " + "n" * 64])
    many = [Witness(f"m{i}") for i in range(33)]
    lines = [f"witness m{i} {w.vkey}" for i, w in enumerate(many)]
    yield read("32 witnesses", lines[:32] + ["quorum m0"])
    yield read("33 witnesses", lines + ["quorum m0"], False, "RAFFLE_LIMIT")
    groups = [f"group g{i} any m{i}" for i in range(32)]
    yield read("32 groups", lines[:32] + groups + ["quorum g0"])
    yield read("33 groups", lines[:32] + groups + ["group last any g0", "quorum last"], False, "RAFFLE_LIMIT")
    for name, lines in {
        "nothing": [], "no quorum": [LINE["a"]], "quorum none": [LINE["a"], "quorum none"], "two quorums": [LINE["a"], "quorum a", "quorum a"],
        "a quorum that is not there": [LINE["a"], "quorum b"], "a quorum before its name": ["quorum a", LINE["a"]], "a quorum of two": THREE + ["quorum a b"],
        "a group before its members": ["group g any a", LINE["a"], "quorum g"], "a group in itself": [LINE["a"], "group g any g", "quorum g"],
        "a group of nobody": [LINE["a"], "group g any", "quorum a"], "none of two": THREE + ["group g 0 a b", "quorum g"],
        "three of two": THREE + ["group g 3 a b", "quorum g"], "a number with a zero in front": THREE + ["group g 02 a b", "quorum g"],
        "a number with a plus": THREE + ["group g +2 a b", "quorum g"], "most of two": THREE + ["group g most a b", "quorum g"],
        "a member twice": THREE + ["group g 2 a a", "quorum g"], "a member of two groups": THREE + ["group g any a b", "group h any a c", "quorum g"],
        "a name twice": [LINE["a"], f"witness a {W[1].vkey}", "quorum a"], "a group with a witness's name": THREE + ["group a any b", "quorum a"],
        "the name none": [f"witness none {W[0].vkey}", "quorum none"], "a name of 65 bytes": [f"witness {'n' * 65} {W[0].vkey}", "quorum " + "n" * 65],
        "a key twice": [LINE["a"], f"witness b {base.vkey('witness.example/b', 4, W[0].key)}", "quorum a"],
        "a log's key": [f"witness a {base.vkey('witness.example/a', 1, W[0].key)}", "quorum a"],
        "an id that is not the key's": [LINE["a"].replace("+", "+0", 1).replace("+0" + W[0].vkey.split("+")[1], "+00000000"), "quorum a"],
        "no key": ["witness a", "quorum a"], "two spaces": [LINE["a"].replace("witness a", "witness  a"), "quorum a"],
        "a space at the end": [LINE["a"] + " ", "quorum a"], "a tab": [LINE["a"].replace("witness a", "witness\ta"), "quorum a"],
        "a comment": ["# witnesses", LINE["a"], "quorum a"], "an empty line": [LINE["a"], "", "quorum a"], "a log": [LINE["a"], f"log {W[0].vkey}", "quorum a"],
        "an address of another kind": [LINE["a"] + " ftp://witness.example", "quorum a"], "an address without a host": [LINE["a"] + " https://", "quorum a"],
        "an address with a query": [LINE["a"] + " https://witness.example/?a", "quorum a"],
        "an address with a user": [LINE["a"] + " https://u@witness.example", "quorum a"],
        "an address that is too long": [LINE["a"] + " https://" + "w" * 250, "quorum a"], "two addresses": [LINE["a"] + " https://a https://b", "quorum a"],
    }.items():
        yield read(name, lines, False)


def quorums():
    log = Log("raffle.example/quorum", 0)
    log.leaves = [b"{}"] * 5
    plain = log.note()
    text = plain.split("\n\n")[0] + "\n"
    line = {w.name: w.line(text) for w in W}
    stranger = Witness("stranger").line(text)

    def case(name, lines, note, cosigned, valid=True, before=None, **members):
        policy = Policy(lines)
        result = {"name": "quorum: " + name, "kind": "quorum", "valid": valid, "policy": "".join(each + "\n" for each in lines), "note": note,
                  "cosigned": list(cosigned), "reached": policy.reached(set(cosigned)), **members}
        return result if before is None else {**result, "before": before}

    two = THREE + ["group g 2 a b c", "quorum g"]
    nested = THREE + [LINE["d"], "group g any a b", "group h all c d", "group i 2 g h", "quorum i"]
    for names in ("", "a", "b", "ab", "ac", "ca", "abc"):
        order = [each for each in "abc" if each in names]
        yield case(f"two of three, by {names or 'nobody'}", two, plain + "".join(line[each] for each in names), order)
    for names in ("abc", "acd", "bcd", "cd", "abcd"):
        yield case(f"groups of groups, by {names}", nested, plain + "".join(line[each] for each in names), list(names))
    yield case("a stranger's line is nothing", two, plain + line["a"] + stranger, ["a"])
    yield case("a witness of no group", THREE + ["group g all a b", "quorum g"], plain + line["a"] + line["c"], ["a", "c"])
    yield case("before a time", two, plain + line["a"] + line["b"], ["a"], before=1001)
    yield case("at that second is not before", two, plain + line["a"] + line["b"], [], before=1000)
    yield case("before a later time", two, plain + line["a"] + line["b"], ["a", "b"], before=1002)
    yield case("reached, and said to be not", two, plain + line["a"] + line["b"], ["a", "b"], False, reached=False)
    yield case("not reached, and said to be", two, plain + line["a"], ["a"], False, reached=True)
    yield case("one more than cosigned", two, plain + line["a"] + line["b"], ["a", "b", "c"], False)
    wrong = {"error": "RAFFLE_SIGNATURE"}
    flipped = base.cosign(text, W[1].seed, 1001)

    def by_b(body):
        return base.line(W[1].key_name, base.key_id(W[1].key_name, 4, W[1].key), body)

    yield case("a bit of a signature changed", two, plain + line["a"] + by_b(base.flip(flipped, 200)), ["a"], False, **wrong)
    yield case("a time that was not signed", two, plain + line["a"] + by_b(base.flip(flipped, 60)), ["a"], False, **wrong)
    yield case("over another size", two, plain + line["a"] + W[1].line(text.replace("\n5\n", "\n6\n")), ["a"], False, **wrong)
    yield case("over the first line alone", two, plain + line["a"] + W[1].line(text.split("\n")[0] + "\n"), ["a"], False, **wrong)
    yield case("a plain signature", two, plain + line["a"] + by_b(base.sign(W[1].seed, text.encode())), ["a"], False, **wrong)
    yield case("by another witness's key", two, plain + line["a"] + by_b(base.cosign(text, W[2].seed, 1001)), ["a"], False, **wrong)
    yield case("at time 0 nobody counts", two, plain + line["a"] + by_b(base.cosign(text, W[1].seed, 0)), ["a"])


def main():
    base.write("policy", "C2SP tlog-policy and tlog-cosignature v1.0.1; tests/reference/policy_reference.py", [*policies(), *quorums()])


if __name__ == "__main__":
    main()
