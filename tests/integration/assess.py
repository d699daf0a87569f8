#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Collecting and assessing, from outside: samples that go on where they broke, and the fifteen tests against a second implementation in numpy and
scipy over the same numbers, and against dieharder over the same bytes. Everything from fixed seeds.

scipy comes from RAFFLE_PYTHON (a venv that tests/run.sh makes), or this Python; dieharder is a Debian package.
"""
import bisect
import json
import os
import pathlib
import subprocess
import sys

RAFFLE = os.environ["RAFFLE"]
checks = 0


def need(condition, sentence):
    global checks
    checks += 1
    if not condition:
        sys.exit(f"assess.py: {sentence}")


def run(status, *arguments):
    done = subprocess.run([RAFFLE, "rng", *map(str, arguments)], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    need(done.returncode == status, f"{' '.join(map(str, arguments))} ended with {done.returncode}, not {status}:\n{done.stderr.decode()}")
    return done.stdout


def assessed(status, *arguments):
    return json.loads(run(status, "assess", *arguments, "--format", "json"))


if "RAFFLE_PYTHON" in os.environ and os.path.realpath(sys.prefix) != os.path.realpath(pathlib.Path(os.environ["RAFFLE_PYTHON"]).parent.parent):
    os.execv(os.environ["RAFFLE_PYTHON"], [os.environ["RAFFLE_PYTHON"], *sys.argv])

import numpy  # noqa: E402
from scipy import special, stats  # noqa: E402

# --- collecting ---

TEST = ("--rng", "test:seed=2a")
SAMPLE = ("sample", *TEST, "--range", 1000, "--picks", 5, "--draws", 5000)


def state(path, what, done, part, size):
    pathlib.Path(f"{path}.state").write_text(json.dumps({"sample": what, "done": done, "part": part, "bytes": size}), "ascii")


def formats():
    run(0, *SAMPLE, "--out", "a.txt")
    run(0, *SAMPLE, "--format", "binary", "--out", "a.bin")
    need(not pathlib.Path("a.txt.state").exists(), "a finished collection has a state")
    text = numpy.loadtxt("a.txt", dtype=numpy.uint64)
    binary = numpy.fromfile("a.bin", dtype="<u4").reshape(-1, 5)
    need(text.shape == (5000, 5) and (text == binary).all(), "text and binary differ")
    need(run(0, *SAMPLE) == pathlib.Path("a.txt").read_bytes(), "standard output differs")
    lines = [json.loads(line) for line in run(0, *SAMPLE, "--json").splitlines()]
    need([line["draw"] for line in lines] == list(range(1, 5001)), "draws are not numbered")
    need([line["numbers"] for line in lines] == text.tolist(), "JSON differs")
    wide = run(0, "sample", *TEST, "--range", 2**32 + 1, "--draws", 10, "--format", "binary")
    need(len(wide) == 80, "numbers beyond 2^32 have no eight bytes")


def first():
    """Two collections of halves are the whole."""
    whole = pathlib.Path("a.txt").read_bytes()
    halves = run(0, *SAMPLE[:-1], 2000) + run(0, *SAMPLE[:-1], 3000, "--first", 2001)
    need(halves == whole, "the halves are not the whole")


def resumed(name, *options):
    """A collection that broke after draw 1234: what it wrote beyond its state is cut off, and the rest comes."""
    what = json.loads(broken_state(name, *options))["sample"]
    whole = parts(name, *options)
    lengths = [len(p) for p in whole]
    at = sum(lengths) * 1234 // 5000
    if "text" in what:
        joined = b"".join(whole)
        at = len(b"".join(line + b"\n" for line in joined.split(b"\n")[:1234]))
    else:
        at = 1234 * 20
    part = 0
    while at > lengths[part]:
        at -= lengths[part]
        part += 1
    names = part_names(name, len(whole), options)
    with open(names[part], "r+b") as file:
        file.truncate(at)
        file.seek(at)
        file.write(b"torn")
    for later in names[part + 1 :]:
        os.unlink(later)
    state(name, what, 1234, part + 1, at)
    run(0, *SAMPLE, *options, "--out", name)
    need([pathlib.Path(n).read_bytes() for n in names] == whole, f"{name}: what went on is not what was broken")
    need(not pathlib.Path(f"{name}.state").exists(), "a state is left")


def part_names(name, count, options):
    return [name] if "--split" not in options else [f"{name}.{i + 1:06d}" for i in range(count)]


def parts(name, *options):
    run(0, *SAMPLE, *options, "--out", name)
    found = sorted(pathlib.Path(".").glob(f"{name}.0*")) if "--split" in options else [pathlib.Path(name)]
    return [p.read_bytes() for p in found]


def broken_state(name, *options):
    """The state that a collection leaves whose provider is gone: a wrong state names the right one."""
    state(name, "another", 0, 1, 0)
    done = subprocess.run([RAFFLE, "rng", *map(str, SAMPLE), *map(str, options), "--out", name], capture_output=True, check=False)
    need(done.returncode == 1 and b"is of another sample (another)" in done.stderr, "a state of another sample is taken")
    os.unlink(f"{name}.state")
    kind = "binary" if "binary" in options else "text"
    split = options[options.index("--split") + 1] if "--split" in options else 0
    return json.dumps({"sample": f"test:seed=2a, {kind}, range 1000, picks 5, draws 5000, seed-every 1, first 1, split {split}"})


def planning():
    plan = json.loads(run(0, "sample", "--rng", "system:", "--plan", "--json"))
    need(len(plan["collections"]) == 20 and sum(c["draws"] for c in plan["collections"]) == 2701000000, "the plan has 2.70 billion draws")
    need(plan["picks"] == sum(c["draws"] * c["picks"] for c in plan["collections"]) == 31851000000, "the plan has 31.85 billion picks")
    need(plan["seconds"] > 0 and all(c["seconds"] > 0 for c in plan["collections"]), "the plan takes no time")


def collecting():
    planning()
    formats()
    first()
    resumed("b.txt", "--format", "text")
    resumed("b.bin", "--format", "binary")
    resumed("c.txt", "--format", "text", "--split", 30000)
    resumed("c.bin", "--format", "binary", "--split", 7777)
    need(max(len(p) for p in parts("c.bin", "--format", "binary", "--split", 7777)) == 7760, "parts do not end with whole draws")
    need(b"".join(parts("c.bin", "--format", "binary", "--split", 7777)) == pathlib.Path("a.bin").read_bytes(), "parts are not the whole")
    for garbage in ("", "{", "[]", '{"sample":1}', '{"sample":"x","done":-1,"part":1,"bytes":0}'):
        pathlib.Path("d.txt.state").write_text(garbage, "ascii")
        run(1, *SAMPLE, "--out", "d.txt")
    need(not pathlib.Path("d.txt").exists(), "a sample is begun beside a damaged state")
    seeded = run(0, *SAMPLE, "--seed-every", 100)
    need(seeded != run(0, *SAMPLE), "one seed for a hundred draws gives other numbers")
    need(run(0, *SAMPLE[:-1], 4900, "--seed-every", 100, "--first", 101) == b"".join(seeded.splitlines(True)[100:]), "--first with --seed-every")
    for bad in (("--first", 0), ("--seed-every", 7, "--first", 3), ("--format", "xml"), ("--split", 5), ("--format", "binary", "--json")):
        run(2, *SAMPLE, *bad)
    run(2, "sample", *TEST, "--bytes", 10, "--replace")


# --- the fifteen tests, a second time ---


def taken_together(observed, expected):
    """Neighbouring classes until each expects 10; what is left joins the last."""
    out = []
    o = e = 0.0
    for one, other in zip(observed, expected):
        o, e = o + one, e + other
        if e >= 10:
            out.append([o, e])
            o = e = 0.0
    if out:
        out[-1][0] += o
        out[-1][1] += e
    return out


def chi_square(rows, scale=1.0):
    statistic = freedom = 0.0
    for observed, expected in rows:
        classes = taken_together(observed, expected)
        if len(classes) < 2:
            continue
        statistic += sum((o - e) ** 2 / e for o, e in classes)
        freedom += len(classes) - 1
    statistic /= scale
    upper = stats.chi2.sf(statistic, freedom)
    return statistic, upper if freedom < 10 else min(1, 2 * min(upper, stats.chi2.cdf(statistic, freedom)))


def even(observed):
    return observed, [int(numpy.sum(observed)) / len(observed)] * len(observed)


def by_chance(observed, chances):
    n = int(numpy.sum(observed))
    return observed, [n * c for c in chances]


def normal(z):
    return z, 2 * stats.norm.sf(abs(z))


def joined(values, sizes, enough):
    v, m, out = 0, 1, []
    for value, size in zip(values, sizes):
        v, m = v * size + value, m * size
        if m >= enough:
            out.append((v, m))
            v, m = 0, 1
    return out


class Second:
    """Everything from the definitions in docs/guide/lab.md, without a look at the C."""

    def __init__(self, draws, n, replace):
        if draws.shape[1] == 1:
            draws = draws[: len(draws) // 8 * 8].reshape(-1, 8)
            replace = True
        self.draws, self.n, self.k, self.replace = draws, n, draws.shape[1], replace
        ranks = numpy.zeros_like(draws)
        for i in range(1, self.k):
            ranks[:, i] = 0 if replace else (draws[:, :i] < draws[:, i : i + 1]).sum(axis=1)
        self.values = (draws - ranks).astype(object)
        self.sizes = [n if replace else n - i for i in range(self.k)]
        sizes = self.sizes * len(draws)
        flat = [int(x) for x in (draws - ranks).ravel()]
        pairs = [(v, m, i % self.k) for i, (v, m) in enumerate(zip(flat, sizes)) if m > 1]
        small = []
        v, m = 0, 1
        for value, size, at in pairs:
            v, m = v * size + value, m * size
            if m >= 256:
                small.append((v, m, at))
                v, m = 0, 1
        kept = [(v, m, at) for v, m, at in small if v < m // 16 * 16]
        self.position = [min(at, 15) for _, _, at in kept]
        self.digits = {"high": numpy.array([v // (m // 16) for v, m, _ in kept]), "low": numpy.array([v % 16 for v, _, _ in kept])}
        self.eighth = {"high": self.digits["high"] >> 1, "low": self.digits["low"] & 7}
        self.bit = {"high": self.digits["high"] >> 3, "low": self.digits["low"] & 1}
        large = joined([p[0] for p in pairs], [p[1] for p in pairs], 2**28)
        self.steps = [v * 65536 // m for v, m in large]
        self.twenty = [v // (m >> 20) for v, m in large if v // (m >> 20) < 2**20]
        self.standard = numpy.array([(v - (m - 1) / 2) * (12 / (m * m - 1.0)) ** 0.5 for v, m, _ in pairs])
        self.at = numpy.array([at for _, _, at in pairs])

    def chi(self):
        k = self.k if self.replace else min(self.k, self.n // 2)
        scale = 1 if self.replace else (self.n - k) / (self.n - 1)
        numbers = self.draws[:, :k].ravel()
        width = (self.n - 1) // 16384 + 1
        cells = (self.n - 1) // width + 1
        chances = [min(width, self.n - i * width) / self.n for i in range(cells)]
        name = "numbers" if width == 1 else "numbers in cells"
        yield name, chi_square([by_chance(numpy.bincount(numbers // width, minlength=cells), chances)], scale)
        if width > 1:
            chances = [(self.n // 16384 + (i < self.n % 16384)) / self.n for i in range(16384)]
            yield "remainders by 16384", chi_square([by_chance(numpy.bincount(numbers % 16384, minlength=16384), chances)], scale)

    def frequency(self):
        for end in ("high", "low"):
            rows = [even(numpy.bincount(self.digits[end][numpy.array(self.position) == p], minlength=16)) for p in range(16)]
            yield f"{end} digits by position", chi_square(rows)
        for end, name in (("high", "high halves"), ("low", "odd and even")):
            n = len(self.bit[end])
            s = abs(2 * int(self.bit[end].sum()) - n) / n**0.5
            yield name, (s, special.erfc(s / 2**0.5))

    def gap(self):
        for end in ("high", "low"):
            hits = numpy.flatnonzero(self.eighth[end] == 0)
            gaps = numpy.minimum(numpy.diff(numpy.concatenate(([-1], hits))) - 1, 64)
            chances = [0.125 * 0.875**i for i in range(64)] + [0.875**64]
            yield f"{end} digits", chi_square([by_chance(numpy.bincount(gaps, minlength=65), chances)])

    def overlaps(self):
        shared = [
            min(64, len(set(a) & set(b)) if not self.replace else sum(x == y for x, y in zip(a, b)))
            for a, b in zip(self.draws.tolist(), self.draws[1:].tolist())
        ]
        law = stats.binom(self.k, 1 / self.n) if self.replace else stats.hypergeom(self.n, self.k, self.k)
        chances = [law.pmf(i) for i in range(64)] + [law.sf(63)]
        yield "numbers of the draw before", chi_square([by_chance(numpy.bincount(shared, minlength=65), chances)])
        for end in ("high", "low"):
            d = self.digits[end]
            triple = numpy.bincount(d[:-2] * 256 + d[1:-1] * 16 + d[2:], minlength=4096)
            pair = triple.reshape(256, 16).sum(axis=1)
            n = triple.sum()
            value = 4096 / n * (triple.astype(float) ** 2).sum() - 256 / n * (pair.astype(float) ** 2).sum()
            yield f"triples of {end} digits", (value, min(1, 2 * min(stats.chi2.sf(value, 3840), stats.chi2.cdf(value, 3840))))

    def poker(self):
        stirling = (1, 15, 25, 10, 1)
        chances = [special.poch(16 - i + 1, i) * s / 16**5 for i, s in zip(range(1, 6), stirling)]
        for end in ("high", "low"):
            d = self.digits[end]
            hands = numpy.sort(d[: len(d) // 5 * 5].reshape(-1, 5), axis=1)
            different = 1 + (numpy.diff(hands, axis=1) != 0).sum(axis=1)
            yield f"{end} digits", chi_square([by_chance(numpy.bincount(different, minlength=6)[1:], chances)])

    def coupon(self):
        def complete(t):
            """The chance that t digits have all eight: inclusion and exclusion."""
            return sum((-1) ** i * special.comb(8, i) * ((8 - i) / 8) ** t for i in range(9))

        chances = [complete(t) - complete(t - 1) for t in range(8, 72)] + [1 - complete(71)]
        for end in ("high", "low"):
            have, length, lengths = set(), 0, []
            for digit in self.eighth[end].tolist():
                have.add(digit)
                length += 1
                if len(have) == 8:
                    lengths.append(min(64, length - 8))
                    have, length = set(), 0
            yield f"{end} digits", chi_square([by_chance(numpy.bincount(lengths, minlength=65), chances)])

    def permutation(self):
        if self.replace or self.k < 5:
            values = numpy.array(self.twenty[: len(self.twenty) // 5 * 5]).reshape(-1, 5)
        else:
            values = self.draws[:, : self.k // 5 * 5].reshape(-1, 5)
        counts = {}
        for five in values.tolist():
            if len(set(five)) == 5:
                order = tuple(sorted(range(5), key=five.__getitem__))
                counts[order] = counts.get(order, 0) + 1
        n = sum(counts.values())
        value = sum((c - n / 120) ** 2 for c in counts.values()) / (n / 120) + (120 - len(counts)) * n / 120
        yield "orders of five", (value, min(1, 2 * min(stats.chi2.sf(value, 119), stats.chi2.cdf(value, 119))))

    def kolmogorov(self):
        n = len(self.steps)
        share = numpy.cumsum(numpy.bincount(self.steps, minlength=65536)) / n
        d = abs(share - numpy.arange(1, 65537) / 65536).max()
        upper = special.kolmogorov((n**0.5 + 0.12 + 0.11 / n**0.5) * d)
        yield "largest distance", (d, min(1, 2 * min(upper, 1 - upper)))

    def adjacency(self):
        if not self.replace:
            near = (numpy.diff(numpy.sort(self.draws, axis=1), axis=1) == 1).sum(axis=1)
            chances = [special.comb(self.k - 1, a, exact=True) * special.comb(self.n - self.k + 1, self.k - a, exact=True) / special.comb(self.n, self.k, exact=True) for a in range(64)]
            yield "neighbours in a draw", chi_square([by_chance(numpy.bincount(near, minlength=65), chances + [1 - sum(chances)])])
        distance = [min((b - a) % 2**20, (a - b) % 2**20) for a, b in zip(self.twenty, self.twenty[1:])]
        chances = [2.0**-20] + [2.0**i / 2**20 for i in range(1, 20)] + [2.0**-20]
        yield "distance to the value before", chi_square([by_chance(numpy.bincount([d.bit_length() for d in distance], minlength=21), chances)])

    def order(self):
        def below(border):
            if self.replace:
                return (border / self.n) ** self.k
            return special.comb(border, self.k, exact=True) / special.comb(self.n, self.k, exact=True)

        for name, most in (("largest of a draw", self.draws.max(axis=1)), ("smallest of a draw", self.n - 1 - self.draws.min(axis=1))):
            borders = [bisect.bisect_left(range(self.n), i / 32 * (1 - 1e-12), lo=1, key=below) for i in range(1, 32)]
            chances = numpy.diff([0] + [below(b) for b in borders] + [1])
            classes = numpy.searchsorted(borders, most, side="right")
            yield name, chi_square([by_chance(numpy.bincount(classes, minlength=32), chances)])

    def runs(self):
        for end, name in (("high", "high halves"), ("low", "odd and even")):
            b = self.bit[end]
            n, share = len(b), b.mean()
            runs = 1 + int((b[1:] != b[:-1]).sum())
            yield name, (runs, special.erfc(abs(runs - 2 * n * share * (1 - share)) / (2 * (2 * n) ** 0.5 * share * (1 - share))))

    def interplay(self):
        rows = self.values.reshape(-1, self.k)
        pairs = []
        for i in range(0, self.k - 1, 2):
            one, other = self.sizes[i] // 16, self.sizes[i + 1] // 16
            for a, b in rows[:, i : i + 2].tolist():
                if one and other and a < one * 16 and b < other * 16:
                    pairs.append(a // one * 16 + b // other)
        yield "pairs of places", chi_square([even(numpy.bincount(pairs, minlength=256))])
        words = ("one place", "two places", "three places", "four places", "five places", "six places", "seven places")
        for lag in range(1, min(7, self.k - 1) + 1):
            inside = self.at[lag:] >= lag
            products = (self.standard[lag:] * self.standard[:-lag])[inside]
            yield f"{words[lag - 1]} apart", normal(products.sum() / len(products) ** 0.5)

    def lags(self, names):
        for name, lag in names:
            products = self.standard[lag:] * self.standard[:-lag]
            yield name, normal(products.sum() / len(products) ** 0.5)

    def serial(self):
        yield from self.lags((f"lag {lag}", lag) for lag in range(1, 9))
        if len(set(self.at.tolist())) == self.k:
            yield from self.lags([("the draw before", self.k)])

    def subsequences(self):
        for end in ("high", "low"):
            rows = [even(numpy.bincount(self.digits[end][i::16], minlength=16)) for i in range(16)]
            yield f"every 16th {end} digit", chi_square(rows)
        yield from self.lags((f"stride {16 << i}", 16 << i) for i in range(8))

    def poisson(self):
        blocks = numpy.array(self.twenty[: len(self.twenty) // 1024 * 1024]).reshape(-1, 1024)
        repeats = [min(8, 1024 - len(set(block))) for block in blocks.tolist()]
        chances, have = [], {0: 1.0}
        for ball in range(1024):
            following = {}
            for k, p in have.items():
                taken = max(0, ball - k) / 2**20
                following[k] = following.get(k, 0) + p * (1 - taken)
                following[k + 1] = following.get(k + 1, 0) + p * taken
            have = {k: p for k, p in following.items() if p > 1e-30}
        chances = [have.get(k, 0) for k in range(8)]
        yield "repeats in blocks of 1024", chi_square([by_chance(numpy.bincount(repeats, minlength=9), chances + [1 - sum(chances)])])

    def all(self):
        tests = (self.chi, self.frequency, self.gap, self.overlaps, self.poker, self.coupon, self.permutation, self.kolmogorov)
        tests += (self.adjacency, self.order, self.runs, self.interplay, self.serial, self.subsequences, self.poisson)
        return [dict(test()) for test in tests]


def compare(name, n, picks, draws, *options):
    """Statistics to nine digits, p-values to 1e-8, except that `bits` and the largest of eight values have no second implementation."""
    shape = ("--range", n, "--picks", picks, *options)
    run(0, "sample", *TEST, *shape, "--draws", draws, "--format", "binary", "--out", name)
    seen = assessed(0, name, "--input", "binary", *shape)
    numbers = numpy.fromfile(name, dtype="<u4").astype(numpy.int64).reshape(-1, picks)
    both = 0
    for test, second in zip(seen["tests"], Second(numbers, n, "--replace" in options).all()):
        found = {part["name"]: part for part in test["parts"]}
        for part, (statistic, p) in second.items():
            if part not in found:
                need(not numpy.isfinite(statistic) or statistic == 0, f"{name}: {test['name']}: there is no {part}")
                continue
            own = found.pop(part)
            close = abs(own["statistic"] - statistic) <= 1e-7 * max(1, abs(statistic)) and abs(own["p"] - p) <= 1e-7
            need(close, f"{name}: {test['name']}: {part}: {own}, scipy {statistic} {p}")
            both += 1
        need(set(found) <= {"bits", "largest of eight values"}, f"{name}: {test['name']}: {set(found)} is not compared")
        smallest = min(part["p"] for part in test["parts"])
        need(abs(test["p"] - (1 - (1 - smallest) ** len(test["parts"]))) < 1e-9, f"{name}: {test['name']}: p of its parts")
    need(both >= 38, f"{name}: only {both} statistics were compared")
    together(seen)


def together(seen):
    """Holm, the rejections and what is said of them, from the p-values."""
    t = seen["together"]
    p = sorted(test["p"] for test in seen["tests"])
    rejected = 0
    while rejected < 15 and p[rejected] <= t["level"] / (15 - rejected):
        rejected += 1
    need(t["rejected"] == rejected, "Holm's procedure")
    need(abs(t["stream_rejections_p"] - stats.binom.sf(t["stream_rejections"] - 1, t["stream_p_values"], seen["alpha"])) < 1e-9, "the rejections")
    need(abs(t["level"] - seen["alpha"] / 3) < 1e-12, "the level of each criterion")


def second_implementation():
    compare("of49", 49, 6, 30000)
    compare("of1000", 1000, 12, 12000)
    compare("with", 5000, 7, 20000, "--replace")
    compare("single", 30000, 1, 160000)
    compare("wide", 3000000, 4, 32000, "--replace")


# --- what the command says ---


def judging():
    pathlib.Path("counter.txt").write_text("".join(f"{i % 1000}\n" for i in range(200000)), "ascii")
    seen = assessed(3, "counter.txt", "--range", 1000)
    need(not seen["passed"] and "not random" in seen["sentence"], "a counter passes")
    pathlib.Path("lcg.txt").write_bytes(b"".join(lcg(300000)))
    seen = assessed(3, "lcg.txt", "--range", 64)
    verdicts = {test["name"]: test["verdict"] for test in seen["tests"]}
    need(verdicts["runs"] == "fail" and verdicts["serial correlation"] != "refused", "the low bits of an LCG pass")
    small = subprocess.run([RAFFLE, "rng", "assess", "few.txt", "--range", "49", "--picks", "6"], capture_output=True, check=False)
    need(small.returncode == 1, "a file that is not there")
    run(0, "sample", *TEST, "--range", 49, "--picks", 6, "--draws", 50, "--out", "few.txt")
    small = subprocess.run([RAFFLE, "rng", "assess", "few.txt", "--range", "49", "--picks", "6"], capture_output=True, check=False)
    need(small.returncode == 1 and b"the sample is too small for: " in small.stderr and b"Poisson" in small.stderr, "a small sample is not refused by name")
    need(b"nan" not in small.stdout.lower() and b"inf" not in small.stdout.lower(), "a small sample gives no number")
    good = assessed(0, *TEST, "--range", 49, "--picks", 6, "--draws", 30000)
    files = assessed(0, "of49", "--input", "binary", "--range", 49, "--picks", 6)
    need(good["tests"] == files["tests"] and good["together"] == files["together"], "a provider and its file are judged differently")
    run(0, "sample", *TEST, "--range", 49, "--picks", 6, "--draws", 30000, "--out", "p", "--split", 100000)
    many = assessed(0, *sorted(map(str, pathlib.Path(".").glob("p.0*"))), "--range", 49, "--picks", 6)
    need(many["tests"] == good["tests"], "a file and its parts are judged differently")
    wide = assessed(3, "lcg.txt", "--range", 64, "--alpha", "0.05")
    need(abs(wide["together"]["level"] - 0.05 / 3) < 1e-12, "--alpha")
    page = run(0, "assess", "of49", "--input", "binary", "--range", 49, "--picks", 6, "--format", "html").decode()
    need(page.startswith("<!DOCTYPE html>") and page.count("<svg") == 3 and page.count("<tr class=") >= 38, "the page")
    need("http" not in page and "<script" not in page and "src=" not in page, "the page needs something from elsewhere")
    import xml.dom.minidom

    xml.dom.minidom.parseString(page.replace("<!DOCTYPE html>", "").replace('<meta charset="utf-8">', ""))


def lcg(n):
    x = 0
    for _ in range(n):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
        yield b"%d\n" % (x % 64)


def damaged():
    shape = ("--range", 49, "--picks", 3)
    for text, words in (
        ("1 2 3\n1 2\n", "line 2"),
        ("1 2 3\n1 2 3 4\n", "line 2 has more than 3"),
        ("1 2 49\n", "line 1: 49 is not below"),
        ("1 2 2\n", "picked twice"),
        ("1 2 -3\n", "place 3"),
        ("1 2 99999999999999999999\n", "place 3"),
        ("\n", "line 1"),
        ("1 2 x\n", "line 1"),
        ("", "nothing in the files"),
    ):
        pathlib.Path("bad.txt").write_text(text, "ascii")
        done = subprocess.run([RAFFLE, "rng", "assess", "bad.txt", *map(str, shape)], capture_output=True, check=False)
        need(done.returncode == 1 and words in done.stderr.decode(), f"{text!r}: {done.stderr.decode()}")
    pathlib.Path("bad.bin").write_bytes(bytes(13))
    run(1, "assess", "bad.bin", "--input", "binary", *shape)
    run(1, "assess", ".", *shape)
    for bad in (("x", "--range", 1), ("x",), ("--range", 5), ("x", "--range", 5, "--picks", 6), ("x", "--range", 5, "--alpha", "0"), ("x", "--range", 5, "--alpha", "nan"), ("x", "--range", 5, "--draws", 5), (*TEST, "--range", 5)):
        run(2, "assess", *bad)


# --- dieharder ---


def dieharder():
    """The provider's raw bytes, a quick subset; then bytes that are always odd, so that a failure is seen to be one."""
    run(0, "sample", *TEST, "--bytes", 64000000, "--format", "binary", "--out", "raw.bin")
    for test, times in ((0, 20), (2, 10), (15, 20), (100, 20), (101, 20)):
        need("FAILED" not in battery("raw.bin", test, times), f"dieharder -d {test} fails")
    assessed(0, "raw.bin", "--input", "binary", "--range", 2**32)
    (numpy.fromfile("raw.bin", dtype=numpy.uint8) | 1).tofile("odd.bin")
    assessed(3, "odd.bin", "--input", "binary", "--range", 2**32)
    need("FAILED" in battery("odd.bin", 100, 20), "dieharder finds nothing in bytes that are always odd")


def battery(path, test, times):
    command = ["dieharder", "-g", "201", "-f", path, "-d", str(test), "-p", str(times), "-S", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    need(any(word in done.stdout for word in ("PASSED", "WEAK", "FAILED")), f"dieharder says nothing: {done.stderr}")
    return done.stdout


collecting()
second_implementation()
judging()
damaged()
dieharder()
print(f"{checks} checks passed")
