"""A running watch that is asked: by `bakewatch query`, by Prometheus's own
client (`promtool`), by one from PyPI, and beside a real Prometheus that scrapes
the same exporter. A reader that hangs delays neither others nor the watch."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
import urllib.parse

from harness import Broken, free_port, listens
from prometheus_api_client import PrometheusConnect

PLAN = """
service = "node"
url     = "http://127.0.0.1:{exporter}"
listen  = "127.0.0.1:{port}"

[targets]
health = false

[windows]
first-day = {{ length = "1h", every = "2s" }}

[rules]
range = "20s"

[[signal]]
name  = "booted"
query = "node_boot_time_seconds"

[[signal]]
name  = "disks"
query = "node_filesystem_size_bytes"

[[signal]]
name  = "machines"
query = "node_uname_info"

[[signal]]
name  = "asked"
query = "sum(rate(promhttp_metric_handler_requests_total[$range]))"
"""

SCRAPE = """
global: {{scrape_interval: 2s}}
scrape_configs:
  - job_name: node
    static_configs: [{{targets: ["127.0.0.1:{exporter}"]}}]
"""

# What does not move between two scrapes is the same in both, to the last digit.
SAME = [
    "up",
    "sum(up)",
    "node_boot_time_seconds",
    "node_filesystem_size_bytes",
    "node_filesystem_size_bytes{mountpoint=\"/\"} / 1024",
    "count by (fstype) (node_filesystem_size_bytes)",
    "topk(1, node_filesystem_size_bytes)",
    "label_replace(node_uname_info, \"short\", \"$1\", \"sysname\", \"(..).*\")",
    "max_over_time(node_boot_time_seconds[10s])",
    "absent(node_boot_time_seconds{mode=\"no\"})",
    "1 / 0",
    "\"text\"",
    "vector(NaN)",
]

# Wrong in the same way: status and kind of error.
WRONG = ["sum(", "nope(up)", "up + on() group_left() up[5m]", ""]

# Labels that say where a sample was taken, not what it is.
WHERE = {"instance", "job", "service", "release", "exported_release"}


def play(bench) -> None:
    exporter = exporter_of(bench)
    theirs = Api(prometheus(bench, exporter))
    ours = Api(free_port())
    config = bench.write("bakewatch.toml", PLAN.format(exporter=exporter, port=ours.port))
    state = bench.folder / "state"
    watch = bench.bakewatch(
        "watch", "run", "-c", config, "--release", "v1", "--state-dir", state
    )
    bench.until("answers over HTTP", ours.is_ready, 20, watch.printed)
    for api, name in ((ours, "the watch"), (theirs, "Prometheus")):
        # Long enough ago that a range has something to show.
        is_known = lambda: api.result("node_boot_time_seconds offset 8s")  # noqa: E731
        bench.until(f"finds the exporter's metrics in {name}", is_known, 30, watch.printed)
    check_same(bench, ours, theirs)
    check_clients(bench, ours)
    check_command(bench, state)
    check_hanging(bench, ours, state)
    check_reload(bench, watch, config, ours)
    watch.stop()
    code, _, told = asked(bench, state, "up")
    bench.check("ends with 4 where no watch runs", code == 4 and "no watch" in told, told)
    left = sorted(path.name for path in state.iterdir())
    bench.check("leaves no socket behind", "bakewatch.sock" not in left, left)


class Api:
    """Prometheus's API at a port."""

    def __init__(self, port: int):
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, **form):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = urllib.parse.urlencode(form)
        kind = {"content-type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, body, kind)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text)

    def result(self, query: str) -> list:
        return self.ask("/api/v1/query", query=query)[1].get("data", {}).get("result", [])

    def is_ready(self) -> bool:
        if not listens(self.port):
            return False
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/-/ready")
        return connection.getresponse().status == 200


def exporter_of(bench) -> int:
    program = shutil.which("prometheus-node-exporter")
    if not program:
        raise Broken("there is no exporter: install Debian's prometheus-node-exporter")
    port = free_port()
    collectors = ["filesystem", "uname", "stat", "time"]
    bench.start("exporter", [
        program, f"--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults",
        *(f"--collector.{name}" for name in collectors),
    ])
    bench.until("starts an exporter", lambda: listens(port), 15)
    return port


def prometheus(bench, exporter: int) -> int:
    program = shutil.which("prometheus")
    if not program:
        raise Broken("there is no Prometheus: install Debian's prometheus")
    config = bench.write("prometheus.yml", SCRAPE.format(exporter=exporter))
    port = free_port()
    bench.start("prometheus", [
        program, f"--config.file={config}", f"--storage.tsdb.path={bench.folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ])
    bench.until("starts a Prometheus", lambda: Api(port).is_ready(), 30)
    return port


def bare(data: dict):
    """A result without places and times."""
    if data["resultType"] in ("scalar", "string"):
        return data["resultType"], data["result"][1]
    series = [
        (sorted((k, v) for k, v in one["metric"].items() if k not in WHERE), one["value"][1])
        for one in data["result"]
    ]
    return data["resultType"], sorted(series)


def check_same(bench, ours: Api, theirs: Api) -> None:
    for query in SAME:
        (status, our), (_, their) = (api.ask("/api/v1/query", query=query) for api in (ours, theirs))
        same = status == 200 and bare(our["data"]) == bare(their["data"])
        bench.check(f"gives what Prometheus gives for {query}", same, (our, their))
    for query in WRONG:
        kinds = [
            (status, body["status"], body.get("errorType"))
            for status, body in (api.ask("/api/v1/query", query=query) for api in (ours, theirs))
        ]
        bench.check(f"refuses as Prometheus does {query!r}", kinds[0] == kinds[1], kinds)
    now = int(time.time()) - 2
    span = {"query": "node_boot_time_seconds", "start": now - 2, "end": now, "step": 1}
    answers = [api.ask("/api/v1/query_range", **span) for api in (ours, theirs)]
    values = [body["data"]["result"][0]["values"] for _, body in answers]
    bench.check("gives the same over a range, times and all", values[0] == values[1], values)
    named = [api.result("node_uname_info")[0]["metric"] for api in (ours, theirs)]
    kept = named[0]["exported_release"] == named[1]["release"] and named[0]["release"] == "v1"
    bench.check("keeps a label of the exporter's that bears the name of ours", kept, named)
    status, body = ours.ask("/api/v1/query", query="booted")
    told = status == 200 and "its query is node_boot_time_seconds" in str(body.get("warnings"))
    bench.check("says of a signal with several values how to ask for them", told, body)
    status, body = ours.ask("/api/v1/query", query="promhttp_metric_handler_requests_total")
    told = status == 422 and "sum(increase(promhttp_metric_handler_requests_total" in body["error"]
    bench.check("says what can be asked of what is kept as sums", told, body)
    rate = ours.result("sum(rate(promhttp_metric_handler_requests_total[20s]))")
    # Two scrapers, each every 2 s or faster.
    bench.check("answers from sums", rate and 0.2 < float(rate[0]["value"][1]) < 10, rate)


def check_clients(bench, api: Api) -> None:
    promtool = shutil.which("promtool")

    def tool(*arguments):
        ran = subprocess.run([promtool, *arguments], capture_output=True, text=True, timeout=60)
        return ran.returncode, ran.stdout + ran.stderr

    code, text = tool("query", "instant", api.url, "up")
    bench.check("can be asked by promtool", code == 0 and "=> 1 @" in text, text)
    code, text = tool("query", "range", "--step=1s", api.url, "healthy_replicas or up")
    bench.check("can be asked by promtool over a range", code == 0 and "@[" in text, text)
    code, text = tool("query", "series", "--match=up", api.url)
    bench.check("shows promtool its series", code == 0 and "service=\"node\"" in text, text)
    code, text = tool("query", "labels", api.url, "service")
    bench.check("shows promtool values of labels", (code, text.split()) == (0, ["node"]), text)

    client = PrometheusConnect(url=api.url)
    names = client.all_metrics()
    bench.check("lists metrics to a client", {"up", "asked", "node_uname_info"} <= set(names), names)
    now = client.get_current_metric_value("up", label_config={"service": "node"})
    bench.check("gives a client a value", now and now[0]["value"][1] == "1", now)
    labels = client.get_label_values("release")
    bench.check("gives a client a label's values", labels == ["v1"], labels)
    course = client.custom_query_range("up", *seconds_back(10), step="2")
    bench.check("gives a client a course", course and len(course[0]["values"]) >= 3, course)


def seconds_back(count: int):
    from datetime import datetime, timedelta, timezone

    now = datetime.now(timezone.utc)
    return now - timedelta(seconds=count), now


def asked(bench, state, *arguments):
    ran = subprocess.run(
        [bench.binary, "query", "--state-dir", state, *arguments],
        capture_output=True, text=True, timeout=60,
    )
    return ran.returncode, ran.stdout, ran.stderr


def check_command(bench, state) -> None:
    socket_mode = stat.S_IMODE((state / "bakewatch.sock").stat().st_mode)
    bench.check("opens a socket for its owner alone", socket_mode == 0o600, oct(socket_mode))
    code, out, err = asked(bench, state, "sum(up)")
    bench.check("answers its command", (code, out) == (0, "1\n"), (code, out, err))
    code, out, err = asked(bench, state, "up", "--start", "8s", "--step", "2s", "--output", "csv")
    lines = out.splitlines()
    is_csv = lines[0] == "time,metric,instance,release,service,value" and len(lines) >= 4
    bench.check("writes CSV", code == 0 and is_csv, (out, err))
    code, out, err = asked(bench, state, "up", "--start", "8s", "--output", "sparkline")
    bench.check("draws a line", code == 0 and re.search("▄.*min 1  max 1  last 1", out), (out, err))
    code, out, err = asked(bench, state, "up", "--output", "json")
    bench.check("gives JSON as it is", code == 0 and json.loads(out)["status"] == "success", out)
    code, out, err = asked(bench, state, "sum(nope(up))")
    is_shown = "sum(nope(up))\n      ^" in err
    bench.check("points at what is wrong, and ends with 2", code == 2 and is_shown, (code, err))
    code, out, err = asked(bench, state, "node_nothing_reads_this")
    bench.check("warns of what is not kept", code == 0 and "nothing is kept of" in err, (code, err))
    code, _, err = asked(bench, state, "up", "--service", "shop")
    bench.check("knows which services there are", code == 2 and "there is node" in err, err)


def check_hanging(bench, ours: Api, state) -> None:
    hanging = []
    for text in (b"GET /api/v1/query?query=up HTTP/1.1\r\n", b"", b"POST /api/v1/query HTTP/1.1\r\n"
                 b"host: x\r\ncontent-length: 1000000\r\n\r\nquery="):
        for _ in range(10):
            reader = socket.create_connection(("127.0.0.1", ours.port))
            reader.sendall(text)
            hanging.append(reader)
    # A large answer that nobody takes.
    reader = socket.create_connection(("127.0.0.1", ours.port))
    reader.sendall(b"GET /api/v1/query_range?query=node_filesystem_size_bytes%20or%20up&start="
                   + str(int(time.time()) - 10000).encode() + b"&end="
                   + str(int(time.time())).encode() + b"&step=1 HTTP/1.1\r\nhost: x\r\n\r\n")
    hanging.append(reader)
    began = time.monotonic()
    count = lambda: float(ours.result("count_over_time(up[1m])")[0]["value"][1])  # noqa: E731
    before = count()
    took = time.monotonic() - began
    bench.check("answers others while some hang", took < 3, f"{took:.1f} s")
    bench.until("goes on scraping while some hang", lambda: count() >= before + 2, 15)
    code, out, err = asked(bench, state, "up")
    bench.check("answers at its other door", code == 0, err)
    for reader in hanging:
        reader.close()


def check_reload(bench, watch, config, ours: Api) -> None:
    text = config.read_text()
    config.write_text(re.sub("listen .*", f'listen = "127.0.0.1:{free_port()}"', text))
    os.kill(watch.popen.pid, signal.SIGHUP)
    refused = lambda: "stays where it is; restart it" in watch.printed()  # noqa: E731
    bench.until("refuses to move its door by a reload", refused, 15, watch.printed)
    bench.check("is still where it was", ours.is_ready())
    config.write_text(text)
