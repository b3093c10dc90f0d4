"""A site's Alertmanager, a real one, as it is told of alerts: shown by `amtool`,
held alive by repetitions, ended when they end; and what an Alertmanager tells a
webhook, told by bakewatch, beside the same by the real one."""

import json
import subprocess
import time

from alertmanager import Alertmanager
from case_forms import Sink
from harness import free_port
from services import Service, simple

PLAN = """
service = "chat-agent"
url     = "{url}"

[windows]
first-day = {{ length = "5m", every = "1s" }}

[rules]
for     = "2s"
recover = "2s"

[[channel]]
name = "site"
type = "alertmanager"
url  = ["{alertmanager}", "http://127.0.0.1:{nobody}"]

[[channel]]
name = "bridge"
type = "alertmanager-webhook"
url  = "{sink}/ours"
"""

ALERTMANAGER = """
route:
  receiver: hook
  group_by: [service]
  group_wait: 1s
  group_interval: 1s
receivers:
  - name: hook
    webhook_configs: [{{url: "{sink}/theirs"}}]
"""


class Site(Alertmanager):
    """The site's one. Started anew on the same port, it has forgotten every alert."""

    def __init__(self, bench, sink: Sink):
        super().__init__(bench, "alertmanager", ALERTMANAGER.format(sink=sink.url))
        self.restart()

    def restart(self) -> None:
        self.start(f"alerts-{self.starts}")

    def alerts(self, *filters: str) -> list:
        done = subprocess.run(
            ["amtool", f"--alertmanager.url={self.url}", "alert", "query", "-o", "json", *filters],
            capture_output=True, text=True,
        )
        return json.loads(done.stdout) if done.returncode == 0 else []


def play(bench) -> None:
    sink, service = Sink(bench), Service(bench, simple())
    real = Site(bench, sink)
    config = bench.write("bakewatch.toml", PLAN.format(
        url=service.url, alertmanager=real.url, nobody=free_port(), sink=sink.url))
    run = bench.bakewatch(
        "bakewatch", "run", "-c", config, "--release", "v1.2.3",
        "--state-dir", bench.folder / "state", "--report-dir", bench.folder / "reports",
    )
    bench.until("has tried the suite", lambda: " steps: " in run.printed(), 60, run.printed)
    service.down()
    down = "alertname=ServiceDown"
    alert = bench.until("shows the alert in a real Alertmanager", lambda: real.alerts(down), 60,
                        run.printed)[0]
    labels, annotations = alert["labels"], alert["annotations"]
    bench.check("bears its labels", (labels["service"], labels["severity"])
                == ("chat-agent", "critical"), labels)
    bench.check("says the release and what is wrong",
                annotations["release"] == "v1.2.3" and annotations["summary"], annotations)
    lasts = lasts_for(alert)
    bench.check("burns for four minutes after each telling", 150 <= lasts <= 250, lasts)
    bench.check("says which replica is not reached", "replica 2 of 2" in run.printed(),
                run.printed()[-600:])

    real.process.kill()
    real.restart()
    again = bench.until("tells an Alertmanager that has forgotten all within a minute or so",
                        lambda: real.alerts(down), 100, run.printed)
    bench.check("tells it as the same alert", (again[0]["labels"], again[0]["startsAt"])
                == (labels, alert["startsAt"]), again)

    service.up()
    bench.until("ends it", lambda: not real.alerts(down), 60, run.printed)
    told = lambda who: [json.loads(one.body) for one in sink.taken.get(who, [])]  # noqa: E731

    def ended(who: str) -> list:
        return [one for one in told(who) for alert in one["alerts"]
                if alert["status"] == "resolved" and alert["labels"]["alertname"] == "ServiceDown"]

    bench.until("has its end told by the real one, too", lambda: ended("theirs"), 60)
    ours, theirs = told("ours"), told("theirs")
    fields = set().union(*(one.keys() for one in theirs))
    bench.check("tells a receiver of webhooks every field that the real one does",
                all(fields <= one.keys() for one in ours), fields)
    shapes = {type(theirs[0]["alerts"][0][key]) for key in ("labels", "annotations")}
    of_alert = set(theirs[0]["alerts"][0])
    bench.check("and every field of an alert",
                all(of_alert <= set(alert) for one in ours for alert in one["alerts"])
                and shapes == {dict}, of_alert)
    prints = lambda all: {alert["fingerprint"] for one in all  # noqa: E731
                          for alert in one["alerts"]
                          if alert["labels"]["alertname"] == "ServiceDown"}
    bench.check("under the fingerprint that the real one has", prints(ours) == prints(theirs),
                (prints(ours), prints(theirs)))
    bench.check("the last of it is resolved", ended("ours"), ours[-1])
    run.stop()


def lasts_for(alert: dict) -> float:
    """From now until it is taken for over."""
    stamp = alert["endsAt"].split(".")[0].rstrip("Z")
    return time.mktime(time.strptime(stamp, "%Y-%m-%dT%H:%M:%S")) - time.timezone - time.time()
