"""A FastAPI app and a node exporter are watched by one process. The app is
killed and started again: by webhook and by real mail on-call hears of both,
and in the end of both windows."""

import json
import sys
import threading
import time
import urllib.error
import urllib.request

from harness import free_port, listens
from mail import PASSWORD, REFUSED, USER, MailServer
from webhooks import Receiver

COMMON = """
[windows]
first-day  = {{ length = "110s", every = "1s" }}
first-week = {{ length = "130s", every = "2s" }}

[rules]
for        = "3s"
recover    = "3s"
range      = "30s"
min-events = 5

[[channel]]
name   = "hook"
type   = "webhook"
group-wait = "0s"
group-interval = "0s"
url    = "{hook}"
secret = {{ env = "HOOK_SECRET" }}
"""

CHAT = """
service = "chat-agent"
url     = "{url}"

[[smoke]]
name    = "answers a question"
request = {{ method = "POST", path = "/api/chat", json = {{ message = "Hello, test message" }} }}
expect  = ["status == 200", "json $.success == true", "latency < 10s"]
{common}
[[channel]]
name     = "implicit-tls"
type     = "email"
group-wait = "0s"
group-interval = "0s"
from     = "bakewatch@example.test"
to       = ["oncall@example.test"]
smtp     = "smtps://{user}@127.0.0.1:{tls_port}"
password = {{ file = "{password}" }}
ca-file  = "{ca}"

[[channel]]
name     = "starttls"
type     = "email"
group-wait = "0s"
group-interval = "0s"
from     = "bakewatch@example.test"
to       = ["team@example.test", "{refused}"]
smtp     = "smtp://{user}@127.0.0.1:{starttls_port}"
password = {{ file = "{password}" }}
ca-file  = "{ca}"
"""

NODE = """
service = "node"
url     = "{url}"

[targets]
health = "/"

[[smoke]]
name    = "shows its metrics"
request = {{ path = "/metrics" }}
expect  = ["status == 200"]
{common}
"""

WINDOWS = ["first-day", "first-week"]
FORMATS = ["txt", "md", "html", "json"]


class App:
    """The FastAPI app: a process that can be killed and started again."""

    def __init__(self, bench):
        self.bench = bench
        self.port = free_port()
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "fastapi_app:app", "--host", "127.0.0.1",
                   "--port", self.port, "--log-level", "warning", "--app-dir", sys.path[0]]
        self.process = self.bench.start("fastapi", command)
        self.bench.until("finds the app", lambda: listens(self.port), 30, self.process.printed)

    def traffic(self) -> None:
        """Some twenty requests a second, for ever."""
        number = 0
        while True:
            number += 1
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/items/{number}", timeout=5)
            except (OSError, urllib.error.URLError):
                pass  # it is down: what it costs is bakewatch's to tell
            time.sleep(0.05)


def play(bench) -> None:
    hooks, mails = Receiver(bench), MailServer(bench)
    app, node = App(bench), start_node_exporter(bench)
    threading.Thread(target=app.traffic, daemon=True).start()
    write_plans(bench, hooks, mails, app.port, node)
    run = bench.start(
        "bakewatch", [
            bench.binary, "run", "-c", bench.folder / "watched", "--release", "v1",
            "--state-dir", bench.folder / "state", "--report-dir", bench.folder / "reports",
        ], HOOK_SECRET=hooks.secret, NO_COLOR="1",
    )
    detail = run.printed
    bench.until("knows the app's metrics",
                lambda: "fastapi-instrumentator" in run.printed(), 20, detail)
    bench.until("passes the smoke tests of both",
                lambda: run.printed().count("3 steps: 3 passed, 0 failed") == 2, 20, detail)
    bench.check("asks the exporter no question, since nobody said that it takes any",
                "node@v1: not tried: answers a question" in run.printed(), run.printed())

    # Down for less than a tenth of the shorter window: evidence enough remains.
    app.process.kill()
    bench.until("tells by webhook that the app is down",
                lambda: hooks.alerts("ServiceDown", "firing", "chat-agent"), 30, detail)
    app.start()
    bench.until("tells by webhook that it is up again",
                lambda: hooks.alerts("ServiceDown", "resolved", "chat-agent"), 30, detail)
    for name, to in [("implicit TLS", "oncall@example.test"), ("STARTTLS", "team@example.test")]:
        bench.until(f"tells both by mail over {name}",
                    lambda to=to: tells_both(mails.letters(to)), 30, detail)

    bench.until("ends with the last window", lambda: run.exit() is not None, 150, detail)
    bench.check("exits 0: degraded is no failure", run.exit() == 0, run.exit())
    check_letters(bench, hooks)
    for to in ["oncall@example.test", "team@example.test"]:
        check_mails(bench, mails.letters(to))
    for service, verdict in [("chat-agent", "degraded"), ("node", "healthy")]:
        check_reports(bench, service, verdict)


def start_node_exporter(bench) -> int:
    port = free_port()
    command = ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}",
               "--log.level=error"]
    process = bench.start("node-exporter", command)
    bench.until("finds the node exporter", lambda: listens(port), 15, process.printed)
    return port


def write_plans(bench, hooks, mails, app_port: int, node_port: int) -> None:
    common = COMMON.format(hook=hooks.url)
    password = bench.write("password", PASSWORD + "\n")
    chat = CHAT.format(
        url=f"http://127.0.0.1:{app_port}", common=common, user=USER, password=password,
        refused=REFUSED, ca=mails.ca, tls_port=mails.tls_port, starttls_port=mails.starttls_port,
    )
    bench.write("watched/chat-agent.toml", chat)
    node = NODE.format(url=f"http://127.0.0.1:{node_port}", common=common)
    bench.write("watched/node.toml", node)


def tells_both(letters: list) -> bool:
    subjects = " ".join(letter["subject"] for letter in letters).lower()
    return "servicedown" in subjects and "firing" in subjects and "resolved" in subjects


def check_letters(bench, hooks: Receiver) -> None:
    bench.check("signs every webhook", all(one.signed for one in hooks.tries))
    ids = [one.id for one in hooks.taken()]
    bench.check("sends no webhook twice", len(ids) == len(set(ids)), ids)
    for service in ["chat-agent", "node"]:
        windows = [one.data.get("window") for one in hooks.summaries(service)]
        bench.check(f"sends the summaries of {service}", windows == WINDOWS, windows)
    alerts = hooks.alerts("ServiceDown", "firing", "node")
    bench.check("keeps the services apart", not alerts, alerts)


def check_mails(bench, letters: list) -> None:
    summaries = [one for one in letters if any(name in one["subject"] for name in WINDOWS)]
    bench.check("mails both summaries", len(summaries) == 2, [one["subject"] for one in letters])
    ids = [one["message-id"] for one in letters]
    bench.check("gives each mail an id of its own", len(set(ids)) == len(ids) and all(ids), ids)
    down = [one for one in letters if "ServiceDown" in one["subject"]]
    threads = [set(one["references"].split()) for one in down]
    bench.check("keeps an incident in one thread", threads and set.intersection(*threads), threads)
    for letter in letters:
        text = letter.get_body(("plain",))
        html = letter.get_body(("html",))
        whole = text is not None and html is not None and letter["auto-submitted"]
        words = text.get_content() + html.get_content() if whole else ""
        bench.check(f"writes “{letter['subject']}” as text and as HTML",
                    whole and words.count("chat-agent") >= 2 and PASSWORD not in words,
                    letter.as_string()[:600])


def check_reports(bench, service: str, verdict: str) -> None:
    folder = bench.folder / "reports" / service / "v1"
    wanted = sorted(f"{window}.{form}" for window in WINDOWS for form in FORMATS)
    seen = sorted(path.name for path in folder.glob("*"))
    if not bench.check(f"writes both summaries of {service}", seen == wanted, seen):
        return
    for window in WINDOWS:
        summary = json.loads((folder / f"{window}.json").read_text())
        bench.check_html(f"writes valid HTML of {service}, {window}", folder / f"{window}.html")
        told = f"{summary['verdict']}: {summary['reasons']}"
        bench.check(f"calls {service} {verdict} after its {window}",
                    summary["verdict"] == verdict, told)
