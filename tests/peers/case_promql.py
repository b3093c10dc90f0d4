"""Random queries over random series, asked of a real Prometheus 3 and of our
evaluator: the same kinds of answers, the same labels, values within a relative
1e-9. Prometheus has the samples from a block that its own `promtool` made.

`PROMQL_SEED` and `PROMQL_QUERIES` choose others and more. `--keep` leaves what
differed in `differences.txt`."""

import collections
import http.client
import json
import math
import os
import pathlib
import random
import re
import shutil
import subprocess
import urllib.parse

from harness import Broken, free_port, listens
from promql_grammar import BASE, Grammar, END, series_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ROOT / "target/rig/peers"

QUERIES = 4000
RELATIVE = 1e-9
# Differences of numbers that are about 1000 leave so much of rounding.
ABSOLUTE = 1e-9
COMPARISON = re.compile(r"[<>=!]=?")
PLACE = re.compile(r" \(\d+:\d+\)$")
# A generator whose queries all fail would agree about everything.
ANSWERED_RATIO_MIN = 0.6


def play(bench) -> None:
    seed = int(os.environ.get("PROMQL_SEED", "1"))
    count = int(os.environ.get("PROMQL_QUERIES", str(QUERIES)))
    ours = bench.binary.parent / "examples/promqltest"
    if not ours.is_file():
        raise Broken(f"{ours} is not there: build it with `cargo build --example promqltest`")
    unpack(bench)
    chance = random.Random(seed)
    series = series_of(chance)
    grammar = Grammar(chance)
    asked = [one_query(grammar, chance) for _ in range(count)]
    port = prometheus(bench, series)
    theirs = Api(port)
    answers = answers_of(ours, series, asked)
    bench.check("answers every query", len(answers) == count, len(answers))
    tally = collections.Counter()
    differences = []
    for query, answer in zip(asked, answers):
        kind, why = compare(query["query"], answer, theirs.ask(query))
        tally[kind] += 1
        if why:
            differences.append(f"{json.dumps(query)}\n  {why}\n")
    bench.write("differences.txt", "\n".join(differences))
    shown = ", ".join(f"{number} {kind}" for kind, number in sorted(tally.items()))
    bench.say(f"seed {seed}: {shown}")
    bench.check("gives what Prometheus gives", not differences, "\n" + "\n".join(differences[:5]))
    bench.check("was asked what has an answer",
                tally["the same"] >= ANSWERED_RATIO_MIN * count, shown)


def unpack(bench) -> None:
    made = subprocess.run([ROOT / "benches/rig/peers", PEERS], capture_output=True, text=True)
    program = PEERS / "usr/bin/prometheus"
    if made.returncode != 0 or not program.is_file():
        raise Broken(f"no Prometheus could be unpacked: {made.stderr[-300:]}")
    told = subprocess.run([program, "--version"], capture_output=True, text=True)
    version = re.search(r"version (\d+)\.(\d+)", told.stdout + told.stderr)
    is_new = version and tuple(map(int, version.groups())) >= (3, 5)
    bench.check("has a Prometheus of at least 3.5 to ask", is_new, told.stdout[:80])


def prometheus(bench, series) -> int:
    """Starts a Prometheus that has these samples and no others."""
    lines = []
    for name, of_name in by_name(series):
        for labels, points in of_name:
            pairs = ",".join(f'{key}="{value}"' for key, value in labels.items())
            lines += [f"{name}{{{pairs}}} {value} {at / 1000}" for at, value in points]
    samples = bench.write("samples.txt", "\n".join([*lines, "# EOF", ""]))
    data = bench.folder / "data"
    # Debian's own will do: blocks are the same in version 2.
    promtool = shutil.which("promtool", path=f"{PEERS / 'usr/bin'}:{os.environ['PATH']}")
    if not promtool:
        raise Broken("there is no promtool: install Debian's prometheus")
    made = subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", samples, data],
        capture_output=True, text=True,
    )
    if made.returncode != 0:
        raise Broken(f"promtool made no block: {made.stderr[-500:]}")
    config = bench.write("prometheus.yml", "global: {evaluation_interval: 1m}\n")
    port = free_port()
    bench.start("prometheus", [
        PEERS / "usr/bin/prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y",
    ])
    bench.until("starts a Prometheus", lambda: listens(port) and Api(port).is_ready(), 30)
    return port


def by_name(series):
    names = collections.defaultdict(list)
    for labels, points in series:
        others = {key: value for key, value in labels.items() if key != "__name__"}
        names[labels["__name__"]].append((others, points))
    return names.items()


def one_query(grammar, chance) -> dict:
    text = grammar.query()
    at = chance.randrange(BASE, END, 1000)
    if chance.random() < 0.25:
        step = chance.choice([15_000, 30_000, 61_000])
        return {"query": text, "range": [at, at + chance.randrange(1, 20) * step, step]}
    return {"query": text, "at": at}


def answers_of(program, series, asked) -> list:
    given = {
        "series": [{"labels": labels, "points": points} for labels, points in series],
        "queries": asked,
    }
    told = subprocess.run([program, "--ask"], input=json.dumps(given), capture_output=True,
                          text=True)
    if told.returncode != 0:
        raise Broken(f"our evaluator: {told.stderr[-500:]}")
    return [json.loads(line) for line in told.stdout.splitlines()]


class Api:
    """Prometheus's query API, over one connection."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def is_ready(self) -> bool:
        self.connection.request("GET", "/-/ready")
        answer = self.connection.getresponse()
        answer.read()
        return answer.status == 200

    def ask(self, query: dict) -> dict:
        given = {"query": query["query"]}
        if "at" in query:
            path, given["time"] = "query", query["at"] / 1000
        else:
            path = "query_range"
            start, end, step = query["range"]
            given |= {"start": start / 1000, "end": end / 1000, "step": step / 1000}
        self.connection.request("POST", f"/api/v1/{path}", urllib.parse.urlencode(given),
                                {"Content-Type": "application/x-www-form-urlencoded"})
        return json.loads(self.connection.getresponse().read())


def compare(text: str, ours: dict, theirs: dict):
    """How it came out, and what differs."""
    if theirs["status"] != "success":
        if "error" in ours or "refused" in ours:
            return "errors of both", None
        if "same labelset" in theirs["error"] and "label_" in text and ours["type"] == "matrix":
            # Later ones fail only where two are there at the same instant.
            return "refused as later versions do not", None
        return "different", f"theirs fails: {theirs['error']}\n  ours {str(ours)[:300]}"
    if ours.get("error", "").startswith("multiple matches") and COMPARISON.search(text):
        # Which series match has not depended on their values since 3.6.
        return "refused as later versions do", None
    if "error" in ours or "refused" in ours:
        return "different", f"ours fails: {ours}\n  theirs {str(theirs['data'])[:300]}"
    kind, result = theirs["data"]["resultType"], theirs["data"]["result"]
    if kind != ours["type"]:
        return "different", f"theirs is a {kind}, ours a {ours['type']}"
    expected = flat(kind, result)
    came = flat_of_ours(kind, ours["result"])
    if expected.keys() != came.keys():
        return "different", (f"only theirs {sorted(expected.keys() - came.keys())[:4]}, "
                             f"only ours {sorted(came.keys() - expected.keys())[:4]}")
    for key, value in expected.items():
        if not close(value, came[key]):
            return "different", f"{key}: theirs {value}, ours {came[key]}"
    for level in ("warnings", "infos"):
        said, told = gists(theirs.get(level, [])), gists(ours[level])
        # Of many it tells ten; of one that is said of two places, one.
        if any("annotations omitted" in one for one in said):
            continue
        without = [{PLACE.sub("", one) for one in all_of} for all_of in (said, told)]
        if without[0] != without[1] or not said <= told:
            return "different", f"theirs {level} {said}, ours {told}"
    return ("the same" if expected else "empty of both"), None


def gists(annotations: list) -> set:
    """In the words that all versions since 3.5 share: newer ones say more of
    counts that were mended, and warn of `sort` over a range; of a subquery
    Prometheus tells no place, and of a parenthesis now its own, now what is in it."""
    told = set()
    for one in annotations:
        one = re.sub(r' for metric name "[^"]*"|, (from buckets|over) .*(?= \()', "", one)
        one = re.sub(r"got ([-+]?\d[-+0-9.e]*)", lambda got: f"got {float(got[1]):.9g}", one)
        if "might not be a counter" in one or "quantile value" in one:
            one = PLACE.sub("", one)
        if "sort is ineffective" not in one:
            told.add(one)
    return told


def flat(kind: str, result) -> dict:
    if kind in ("scalar", "string"):
        return {"": number(result[1])} if kind == "scalar" else {result[1]: 0.0}
    rows = {}
    for row in result:
        labels = json.dumps(row["metric"], sort_keys=True)
        points = [row["value"]] if kind == "vector" else row["values"]
        for at, value in points:
            # An instant's stamp is the instant.
            rows[labels, 0 if kind == "vector" else round(at * 1000)] = number(value)
    return rows


def flat_of_ours(kind: str, result) -> dict:
    if kind in ("scalar", "string"):
        return {"": number(result)} if kind == "scalar" else {result: 0.0}
    rows = {}
    for labels, points in result:
        labels = json.dumps(labels, sort_keys=True)
        for at, value in ([[0, points]] if kind == "vector" else points):
            rows[labels, at] = number(value)
    return rows


def number(text: str) -> float:
    return float(text)


def close(a: float, b: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
