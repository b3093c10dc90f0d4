"""Sources of metrics: a real Prometheus (3 and Debian's) and Debian's
VictoriaMetrics are asked instead of scraping. A rule breaks, fires and resolves
by what they answer; and one world gives the same alerts at the same instants
whether it is scraped here or asked of a Prometheus that has the same samples."""

import json
import math
import shutil
import subprocess
import time
import urllib.request

import case_promql
from harness import Broken, free_port, listens
from services import EXPOSITION, JSON, Service
from webhooks import Receiver

RELATIVE = 1e-9

PLAN = """
service = "asked"
url     = "{url}"
metrics = "main"

[targets]
ready = false

[source.main]
type     = "prometheus"
url      = "{source}"
selector = '{{job="chat"}}'
params   = {{ nocache = "1" }}
auth     = {{ bearer = {{ file = "{token}" }} }}

[[smoke]]
name = "answers a question"
request = {{ path = "/health" }}
expect = ["status == 200"]

[windows]
first-day = {{ length = "100s", every = "1s" }}

[rules]
for        = "2s"
recover    = "2s"
range      = "10s"
min-events = 5

[[channel]]
name   = "hook"
type   = "webhook"
group-wait = "0s"
group-interval = "0s"
url    = "{hook}"
secret = "{secret}"
"""

SCRAPES = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - {{job_name: chat, static_configs: [{{targets: ["127.0.0.1:{good}"]}}]}}
  - {{job_name: other, static_configs: [{{targets: ["127.0.0.1:{other}"]}}]}}
"""


class Chat:
    """A service whose requests fail in the share that it is told to."""

    def __init__(self, bench, share=0.0):
        self.began, self.share, self.good, self.bad = time.monotonic(), share, 0.0, 0.0
        self.service = Service(bench, self.answer)

    def count(self):
        now = time.monotonic()
        requests, self.began = 40 * (now - self.began), now
        self.bad += requests * self.share
        self.good += requests * (1 - self.share)

    def fails(self, share):
        self.count()
        self.share = share

    def answer(self, _method, path, _body):
        if path == "/health":
            return 200, JSON, '{"status":"healthy"}'
        if path != "/metrics":
            return 404, "text/plain", "not found"
        self.count()
        name = "http_requests_total"
        lines = [
            f"# TYPE {name} counter",
            f'{name}{{handler="/chat",method="POST",status="2xx"}} {int(self.good)}',
            f'{name}{{handler="/chat",method="POST",status="5xx"}} {int(self.bad)}',
            "# TYPE http_request_duration_seconds histogram",
            *(f'http_request_duration_seconds_bucket{{handler="/chat",le="{le}"}} '
              f"{int(self.good + self.bad)}" for le in ("0.1", "1.0", "+Inf")),
            f'http_request_duration_seconds_sum{{handler="/chat"}} {self.good / 20}',
            f'http_request_duration_seconds_count{{handler="/chat"}} {int(self.good + self.bad)}',
            "",
        ]
        return 200, EXPOSITION, "\n".join(lines)


def play(bench) -> None:
    case_promql.unpack(bench)
    new = case_promql.PEERS / "usr/bin/prometheus"
    old = shutil.which("prometheus")
    metrics = shutil.which("victoria-metrics")
    if not (old and metrics):
        raise Broken("install Debian's prometheus and victoria-metrics")
    world(bench, new)
    good, other = Chat(bench), Chat(bench, share=1.0)
    servers = {"prometheus-3": new, "prometheus-debian": old, "victoria-metrics": metrics}
    watches = {name: Watch(bench, name, program, good, other) for name, program in servers.items()}
    for watch in watches.values():
        watch.begins()
    good.fails(0.4)
    for watch in watches.values():
        watch.fires()
    good.fails(0.0)
    for watch in watches.values():
        watch.resolves()
    for watch in watches.values():
        watch.loses_its_server()
    asked = good.service.asked
    scraped, probed = asked["/metrics"], asked["/health"]
    bench.until("goes on to ask for health", lambda: asked["/health"] >= probed + 6, 20)
    bench.check("scrapes nothing itself", asked["/metrics"] == scraped, asked)


class Watch:
    """A daemon that asks one server, which scrapes two services."""

    def __init__(self, bench, name, program, good, other):
        self.bench, self.name, self.good = bench, name, good
        port = free_port()
        config = bench.write(f"{name}.yml", SCRAPES.format(
            good=good.service.port, other=other.service.port))
        data, here = bench.folder / f"{name}-data", f"127.0.0.1:{port}"
        flags = {
            "victoria-metrics": [f"-promscrape.config={config}", f"-storageDataPath={data}",
                                 f"-httpListenAddr={here}"],
        }.get(name, [f"--config.file={config}", f"--storage.tsdb.path={data}",
                     f"--web.listen-address={here}"])
        self.server = bench.start(name, [program, *flags])
        bench.until(f"starts {name}", lambda: listens(port), 30, self.server.printed)
        self.hooks = Receiver(bench)
        token = bench.write("token", "not looked at")
        self.plan = bench.write(f"{name}.toml", PLAN.format(
            url=good.service.url, source=f"http://{here}", token=token,
            hook=self.hooks.url, secret=self.hooks.secret))
        bench.until(f"{name} has scraped", lambda: self.has_scraped(here), 30)
        self.process = None

    def has_scraped(self, here) -> bool:
        query = "query=count(rate(http_requests_total[10s]))%20%3E=%204&nocache=1"
        try:
            with urllib.request.urlopen(f"http://{here}/api/v1/query?{query}") as answer:
                return bool(json.load(answer)["data"]["result"])
        except OSError:
            return False  # it listens before it is ready

    def check(self, *more):
        return subprocess.run([self.bench.binary, "check", "-c", self.plan, *more],
                              capture_output=True, text=True)

    def begins(self) -> None:
        said = self.check("--live").stdout
        shown = [line for line in said.splitlines() if "error_ratio" in line and "now" in line]
        self.bench.check(f"{self.name}: check --live asks it, and says what is read now",
                         "Source main answers" in said and shown, said)
        self.bench.say(f"{self.name}: {' '.join((shown or [''])[0].split())}")
        self.process = self.bench.bakewatch(
            f"bakewatch-{self.name}", "run", "-c", self.plan, "--release", "v1",
            "--state-dir", self.bench.folder / f"{self.name}-state",
            "--report-dir", self.bench.folder / f"{self.name}-reports")
        self.bench.until(f"{self.name}: finds what is there by asking",
                         lambda: "fastapi-instrumentator" in self.process.printed(), 20,
                         self.process.printed)

    def fires(self) -> None:
        self.tells("firing")

    def resolves(self) -> None:
        self.tells("resolved")
        firing = self.hooks.alerts("HighErrorRate", "firing")
        values = [alert.get("value") for one in firing for alert in one.alerts()]
        self.bench.say(f"{self.name}: told of {values}")

    def tells(self, status) -> None:
        self.bench.until(f"{self.name}: tells that HighErrorRate is {status}",
                         lambda: self.hooks.alerts("HighErrorRate", status), 40,
                         self.process.printed)

    def loses_its_server(self) -> None:
        self.server.kill()
        self.bench.until(f"{self.name}: says that its source is silent",
                         lambda: "source silent" in self.process.printed(), 20,
                         self.process.printed)


def world(bench, program) -> None:
    """The same world, scraped and asked."""
    ours = bench.binary.parent / "examples/sourced"
    if not ours.is_file():
        raise Broken(f"{ours} is not there: build it with `cargo build --example sourced`")
    samples = bench.folder / "samples.txt"
    scraped = subprocess.run([ours, "scrape", samples], capture_output=True, text=True)
    data = bench.folder / "data"
    made = subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", samples, data],
        capture_output=True, text=True)
    if scraped.returncode or made.returncode:
        raise Broken(f"no samples: {scraped.stderr[-500:]}{made.stderr[-500:]}")
    config = bench.write("blocks.yml", "global: {evaluation_interval: 1m}\n")
    port = free_port()
    bench.start("blocks", [
        program, f"--config.file={config}", f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y",
    ])
    bench.until("starts a Prometheus with the samples that were scraped",
                lambda: listens(port) and case_promql.Api(port).is_ready(), 30)
    asked = subprocess.run([ours, "ask", f"http://127.0.0.1:{port}"],
                           capture_output=True, text=True)
    bench.check("asks it through the world", asked.returncode == 0, asked.stderr[-800:])
    mine, theirs = (turns(run.stdout) for run in (scraped, asked))
    differing = [pair for pair in zip(mine, theirs) if not same(*pair)]
    bench.say(f"{len(mine)} turns of alerts when scraped, {len(theirs)} when asked, "
              f"{asked.stderr.split(chr(10))[-2]}")
    bench.check("gives the same alerts at the same instants as scraping does",
                not differing and len(mine) == len(theirs), "\n" + "\n".join(
                    f"{mine}  |  {theirs}" for mine, theirs in differing[:10]))
    fired = {line.split()[1] for line in mine if " firing " in line}
    bench.check("by several rules", fired >= {"HighErrorRate", "ElevatedErrors", "HighLatency",
                                              "Memory"}, fired)


def turns(printed) -> list[str]:
    """Changes of phase; that a firing alert grows worse is none."""
    phases: dict[str, str] = {}
    found = []
    for line in printed.splitlines():
        _, rule, phase, _ = line.split()
        if phases.get(rule) != phase:
            found.append(line)
        phases[rule] = phase
    return found


def same(mine, theirs) -> bool:
    *words, value = mine.split()
    *others, other = theirs.split()
    # What a clock does, between two looks, is told with what was read last.
    by_clock = words[2] in ("firing", "inactive")
    near = math.isclose(float(value), float(other), rel_tol=RELATIVE)
    return words == others and (by_clock or near)
