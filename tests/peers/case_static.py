"""The static binary in an empty root, as in the image, under the system call
filter of the units. Played only when it is named: it needs root and a binary
that is linked statically (scripts/static)."""

import json
import os
import shutil
import subprocess
import sys

from harness import HERE
from mail import PASSWORD, USER, MailServer
from services import Service, simple

NOBODY = 65532

PLAN = """
service = "chat-agent"
url     = "http://localhost:{port}"

[windows]
day = {{ length = "30s", every = "1s" }}

[rules]
for        = "3s"
recover    = "3s"
range      = "20s"
min-events = 5

[[channel]]
name     = "on-call"
type     = "email"
group-wait = "0s"
group-interval = "0s"
from     = "bakewatch@example.test"
to       = ["oncall@example.test"]
smtp     = "smtps://{user}@localhost:{tls_port}"
password = {{ file = "/password" }}
"""


def play(bench) -> None:
    mails, service = MailServer(bench), Service(bench, simple())
    root = empty_root(bench, mails, service.port)
    confined = [sys.executable, HERE / "confined.py", "--root", root, "/usr/bin/bakewatch"]
    env = {"STATE_DIRECTORY": "/var/lib/bakewatch", "NO_COLOR": "1"}
    told = lambda *words: subprocess.run(  # noqa: E731
        [*confined, *words], capture_output=True, text=True, env={**os.environ, **env})

    dead = told("status", "--check")
    bench.check("is not healthy before it runs", dead.returncode == 4, dead)
    run = bench.start("bakewatch", [*confined, "run", "-c", "/bakewatch.toml", "--release", "v1"],
                      **env)
    detail = run.printed
    bench.until("passes the smoke tests", lambda: "3 passed" in run.printed(), 20, detail)
    bench.until("scrapes", lambda: service.asked["/metrics"] > 3, 20, detail)
    alive = told("status", "--check")
    bench.check("is healthy while it runs", alive.returncode == 0, alive)

    service.down()
    letters = lambda: " ".join(  # noqa: E731
        letter["subject"] for letter in mails.letters("oncall@example.test"))
    bench.until("mails over TLS, by the bundle of authorities",
                lambda: "ServiceDown" in letters(), 20, detail)
    service.up()
    bench.until("ends with its window", lambda: run.exit() is not None, 60, detail)
    bench.check("exits by its verdict", run.exit() in (0, 1, 3), run.printed())
    bench.check("mails the summary", "day" in letters(), letters())
    folder = root / "var/lib/bakewatch/reports/chat-agent/v1"
    page = folder / "day.html"
    bench.check("draws a chart", page.is_file() and "<svg" in page.read_text(), list(root.rglob("*")))
    bench.check("writes its verdict", json.loads((folder / "day.json").read_text())["verdict"])
    dead = told("status", "--check")
    bench.check("is not healthy once it has ended", dead.returncode == 4, dead)


def empty_root(bench, mails, port: int):
    root = bench.folder / "root"
    for folder in ["usr/bin", "etc/ssl/certs", "var/lib/bakewatch"]:
        (root / folder).mkdir(parents=True)
    shutil.copy2(bench.binary, root / "usr/bin/bakewatch")
    shutil.copy(mails.ca, root / "etc/ssl/certs/ca-certificates.crt")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    (root / "password").write_text(PASSWORD + "\n")
    plan = PLAN.format(port=port, user=USER, tls_port=mails.tls_port)
    (root / "bakewatch.toml").write_text(plan)
    os.chown(root / "var/lib/bakewatch", NOBODY, NOBODY)
    return root
