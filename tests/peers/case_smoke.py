"""A suite with a step of every kind: its results are read by programs that
others read them with, JUnit by junitparser, TAP 14 by tap-parser, the page by
a validator of HTML."""

import json
import subprocess

from harness import TAP_PARSER
from junitparser import JUnitXml
from services import Service

PLAN = """
service = "shop"
url     = "{url}"

[[smoke]]
name    = "removes the order"
request = {{ method = "DELETE", path = "/orders/{{{{id}}}}" }}
expect  = ["status == 200"]
cleanup = true

[[smoke]]
name    = "orders"
request = {{ method = "POST", path = "/orders", json = {{ item = "tea <&> \\"milk\\"" }} }}
expect  = ["status == 201"]
capture = {{ id = "json $.id" }}

[[smoke]]
name    = "comes up # slowly"
request = {{ path = "/flaky" }}
expect  = ["status == 200"]
retry   = {{ deadline = "10s", interval = "1s" }}

[[smoke]]
name    = "is fast"
request = {{ path = "/orders/{{{{id}}}}" }}
expect  = ["json $.id == \\"no such\\""]
must    = false
retry   = {{ deadline = "0s" }}

[[smoke]]
name    = "is let in"
request = {{ path = "/admin" }}
expect  = ["status == 200"]
halt-if = ["status == 403"]

[[smoke]]
name    = "is never asked"
request = {{ path = "/never" }}
expect  = ["status == 200"]
"""

STEPS = ["is healthy", "is ready", "answers a question", "orders", "comes up # slowly",
         "is fast", "is let in", "is never asked", "removes the order"]


def shop(flaky: list):
    def answer(method: str, path: str, _body: bytes):
        if path == "/flaky" and not flaky:
            flaky.append(True)
            return 503, "text/plain", "starting]]>\x01"
        if path == "/admin":
            return 403, "text/html", "<h1>no</h1>"
        status = 201 if (method, path) == ("POST", "/orders") else 200
        return status, "application/json", '{"status": "healthy", "id": "a-1"}'
    return answer


def play(bench) -> None:
    service = Service(bench, shop([]))
    config = bench.write("smoke.toml", PLAN.format(url=service.url))
    files = {kind: bench.folder / f"smoke.{kind}"
             for kind in ["junit", "tap", "json", "html", "gitlab"]}
    summary = bench.folder / "summary.md"
    outputs = [f"--output={kind}={file}" for kind, file in files.items()]
    command = [bench.binary, "smoke", "-c", config, *outputs, "--output=github", "--output=text"]
    run = bench.start("smoke", command, NO_COLOR="1", GITHUB_STEP_SUMMARY=str(summary))
    bench.until("ends", lambda: run.exit() is not None, 60, run.printed)
    bench.check("exits 1: it was halted", run.exit() == 1, run.printed())
    bench.check("cleans up all the same", service.asked["/orders/a-1"] == 2, service.asked)
    bench.check("asks nothing after the halt", service.asked["/never"] == 0, service.asked)
    lines = run.printed().splitlines()
    bench.check("annotates the line of the halt",
                any(line.startswith("::error file=") and "halt-if status == 403" in line
                    for line in lines), run.printed())
    bench.check("adds to the job's summary", "is let in" in summary.read_text(), run.printed())
    junit(bench, files["junit"])
    tap(bench, files["tap"])
    bench.check_html("writes a page that is valid HTML", files["html"])
    steps = json.loads(files["json"].read_text())["runs"][0]["steps"]
    bench.check("writes every step as JSON", [one["name"] for one in steps] == STEPS, steps)
    found = json.loads(files["gitlab"].read_text())
    keys = {"description", "check_name", "fingerprint", "severity", "location"}
    bench.check("writes findings that GitLab takes",
                found and all(set(one) == keys for one in found)
                and len({one["fingerprint"] for one in found}) == len(found), found)


def junit(bench, file) -> None:
    """As junitparser reads it."""
    suite = next(iter(JUnitXml.fromfile(str(file))))
    cases = {case.name: case for case in suite}
    bench.check("is JUnit with every step in order", list(cases) == STEPS, list(cases))
    counted = (suite.tests, suite.failures, suite.skipped, suite.errors)
    bench.check("is JUnit that counts as it was", counted == (9, 2, 1, 0), counted)
    failed = [name for name, case in cases.items() if case.is_failure]
    bench.check("is JUnit that fails what failed", failed == ["is fast", "is let in"], failed)
    skipped = [name for name, case in cases.items() if case.is_skipped]
    bench.check("is JUnit that skips what was skipped", skipped == ["is never asked"], skipped)
    flaky = cases["comes up # slowly"]
    kinds = [child.tag for child in flaky._elem]
    bench.check("is JUnit that passes what is flaky, and says so",
                flaky.is_passed and "flakyFailure" in kinds, kinds)


def tap(bench, file) -> None:
    """As tap-parser reads it, and complains about whatever is no TAP."""
    command = ["node", "-e", READ_TAP, str(TAP_PARSER), str(file)]
    told = subprocess.run(command, capture_output=True, text=True)
    if not bench.check("is read by a parser of TAP", told.returncode == 0, told.stderr):
        return
    read = json.loads(told.stdout)
    bench.check("is TAP in its strict form", read["extra"] == [] and read["plan"] == 9, read)
    names = [one["name"] for one in read["tests"]]
    bench.check("is TAP with every step in order", names == STEPS, names)
    failed = [one["name"] for one in read["tests"]
              if not one["ok"] and not one["todo"] and not one["skip"]]
    bench.check("is TAP that fails what failed", failed == ["is fast", "is let in"], failed)
    slow = read["tests"][4]
    bench.check("is TAP whose diagnostics are read",
                slow["ok"] and slow["diag"]["attempts"] == 2
                and slow["diag"]["misses"][0]["expected"] == "200", slow)


READ_TAP = """
const { createRequire } = require("node:module");
const { Parser } = createRequire(process.argv[1] + "/")("tap-parser");
const text = require("node:fs").readFileSync(process.argv[2], "utf8");
const read = { plan: 0, tests: [], extra: [] };
const parser = new Parser({ strict: true }, () => {});
parser.on("plan", plan => { read.plan = plan.end; });
parser.on("extra", text => read.extra.push(text));
parser.on("assert", one => read.tests.push({
    ok: one.ok, name: one.name, skip: !!one.skip, todo: !!one.todo, diag: one.diag,
}));
parser.end(text);
console.log(JSON.stringify(read));
"""
