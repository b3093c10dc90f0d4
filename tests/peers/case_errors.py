"""The assistant of the checklist, measured by OpenTelemetry: 4 % of its
requests fail and 2 % take 30 s, of which its histogram only shows that they
took more than 10 s."""

import json

from services import Service, otel_assistant
from webhooks import Receiver

PLAN = """
service = "assistant"
url     = "{url}"

[windows]
first-day = {{ length = "40s", every = "1s" }}

[rules]
for        = "3s"
recover    = "3s"
range      = "20s"
min-events = 10

[[channel]]
name   = "hook"
type   = "webhook"
group-wait = "0s"
group-interval = "0s"
url    = "{hook}"
secret = "{secret}"
"""


def play(bench) -> None:
    hooks = Receiver(bench)
    service = Service(bench, otel_assistant(50, slow_ratio=0.02, error_ratio=0.04))
    plan = PLAN.format(url=service.url, hook=hooks.url, secret=hooks.secret)
    config = bench.write("bakewatch.toml", plan)
    run = bench.bakewatch(
        "bakewatch", "run", "-c", config, "--release", "v1.2.3", "--until", "first-day",
        "--state-dir", bench.folder / "state", "--report-dir", bench.folder / "reports",
    )
    detail = run.printed

    bench.until("knows the assistant's metrics",
                lambda: "seed-ai-assistant" in run.printed(), 15, detail)
    bench.until("tells a p99 above 10 s from a histogram that ends at 10 s",
                lambda: hooks.alerts("HighLatency", "firing"), 30, detail)
    bench.until("warns of 4 % errors",
                lambda: hooks.alerts("ElevatedErrors", "firing"), 30, detail)
    bench.until("ends with the window", lambda: run.exit() is not None, 90, detail)

    bench.check("does not call 4 % errors critical",
                not hooks.alerts("HighErrorRate", "firing"))
    bench.check("signs every letter", all(one.signed for one in hooks.tries))
    bench.check("exits 1: a critical alert fires at the close", run.exit() == 1, run.exit())
    report = bench.folder / "reports" / "assistant" / "v1.2.3" / "first-day.json"
    if bench.check("writes the summary", report.is_file(), run.printed()):
        summary = json.loads(report.read_text())
        bench.check("calls the release failed", summary["verdict"] == "failed", summary["verdict"])
        ratio = signal(summary, "error_ratio")
        bench.check("counts 4 % errors over the window",
                    ratio is not None and abs(ratio - 0.04) < 0.005, ratio)


def signal(summary: dict, name: str):
    """A signal's overall value in a summary."""
    found = [one["overall"] for one in summary["signals"] if one["name"] == name]
    return found[0] if found else None
