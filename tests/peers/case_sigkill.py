"""The program is killed outright again and again, at seeded moments of a day and
a week that last a minute or two, while its service goes down and up and its
channel fails every third time. Nothing is lost, nothing is told twice under two
names, and the gap is admitted."""

import json
import os
import random
import sqlite3
import time

from services import Service, simple
from webhooks import Receiver

PLAN = """
service = "shaky"
url     = "{url}"

[[smoke]]
name    = "works"
request = {{ path = "/smoke" }}
expect  = ["status == 200"]

[windows]
first-day  = {{ length = "40s", every = "1s" }}
first-week = {{ length = "90s", every = "2s" }}

[rules]
for        = "2s"
recover    = "2s"
range      = "20s"
min-events = 5

[[channel]]
name   = "hook"
type   = "webhook"
group-wait = "0s"
group-interval = "0s"
url    = "{hook}"
secret = "{secret}"
"""

KILLS = 10
WINDOWS = ["first-day", "first-week"]
# Longer than the hold, the recovery and what a restart takes, together.
OUTAGE_SECONDS = 9
# The seed of the moments; another one is a good try after a change.
SEED = int(os.environ.get("PEERS_SEED", "7"))


class Daemon:
    """bakewatch, started again after each kill in the same state directory."""

    def __init__(self, bench, config):
        self.bench, self.config, self.starts = bench, config, 0
        self.start()

    def arguments(self) -> list:
        return ["run", "-c", self.config, "--release", "v1", "--until", "first-week",
                "--state-dir", self.bench.folder / "state",
                "--report-dir", self.bench.folder / "reports"]

    def start(self) -> None:
        self.starts += 1
        self.process = self.bench.bakewatch(f"bakewatch-{self.starts}", *self.arguments())


def play(bench) -> None:
    rng = random.Random(SEED)
    hooks = Receiver(bench)
    # Every third request is refused: what it told is owed anew.
    hooks.answer = lambda number: 503 if number % 3 == 1 else 200
    service = Service(bench, simple())
    config = bench.write(
        "bakewatch.toml", PLAN.format(url=service.url, hook=hooks.url, secret=hooks.secret)
    )
    daemon = Daemon(bench, config)
    bench.until("runs the smoke test at once", lambda: service.asked["/smoke"], 15,
                daemon.process.printed)
    smoked = lambda: facts(bench, "smoked")  # noqa: E731
    bench.until("stores its result", smoked, 15, daemon.process.printed)
    check_second_holder(bench, daemon)

    outages = shake(bench, daemon, service, rng)
    bench.until("ends with the windows", lambda: daemon.process.exit() is not None, 120,
                daemon.process.printed)
    bench.check("exits by the verdict", daemon.process.exit() in (0, 1, 3), daemon.process.exit())
    bench.check("does not repeat the smoke test", service.asked["/smoke"] == 1,
                service.asked["/smoke"])
    check_nothing_lost(bench, hooks, outages)
    check_nothing_doubled(bench, hooks)
    check_gap(bench)


def shake(bench, daemon: Daemon, service: Service, rng: random.Random) -> int:
    """Kills the daemon at its moments and the service at its own; returns how
    often the service was down."""
    began = time.monotonic()
    moments = sorted(rng.uniform(3, 75) for _ in range(KILLS))
    # One gap that no reader can overlook.
    long_gap = rng.randrange(KILLS)
    downs = [6.0, 50.0]
    events = [(at, "kill", number == long_gap) for number, at in enumerate(moments)]
    events += [(at, "down", False) for at in downs]
    events += [(at + OUTAGE_SECONDS, "up", False) for at in downs]
    for at, what, is_long in sorted(events):
        pause_until(began + at)
        if what == "kill":
            daemon.process.kill()
            bench.say(f"killed at {time.monotonic() - began:.2f} s")
            if is_long:
                pause_until(time.monotonic() + 4)
            daemon.start()
        elif what == "down":
            service.down()
        else:
            service.up()
    return len(downs)


def pause_until(moment: float) -> None:
    """The script's own pace, not a wait for a condition."""
    time.sleep(max(0.0, moment - time.monotonic()))


def facts(bench, kind: str) -> list[dict]:
    """The stored facts of a kind, in order."""
    found = []
    for store in (bench.folder / "state").glob("*.db"):
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as base:
            try:
                rows = base.execute("SELECT body FROM facts WHERE kind = ? ORDER BY seq", [kind])
                found += [json.loads(body) for (body,) in rows]
            except sqlite3.OperationalError:
                return []  # not made yet
    return found


def check_second_holder(bench, daemon: Daemon) -> None:
    second = bench.bakewatch("second", *daemon.arguments())
    bench.until("refuses a second holder of the state directory",
                lambda: second.exit() is not None, 15, second.printed)
    bench.check("exits 2 then", second.exit() == 2, second.exit())
    told = second.stderr.read_text()
    bench.check("names the holder", str(daemon.process.popen.pid) in told, told)


def check_nothing_lost(bench, hooks: Receiver, outages: int) -> None:
    """What the service went through, and what the store says, was told."""
    # An alert that flickers back from its recovery is the same one still.
    stored = {
        (fact["rule"], fact["phase"]["firing"]["since"])
        for fact in facts(bench, "alert")
        if "firing" in fact["phase"]
    }
    firing = told(hooks, "firing")
    ended = told(hooks, "resolved") | told(hooks, "closed")
    # Fired and over while a letter was on its way: told at once, as its end.
    known = sorted(firing | ended)
    bench.check("tells each outage", rules(known).count("ServiceDown") >= outages, known)
    bench.check("tells each alert that is in the store, and no other",
                rules(known) == rules(stored), f"stored {sorted(stored)}, told {known}")
    bench.check("tells the end of every alert it told of", firing <= ended,
                sorted(firing - ended))
    bench.check("sends both summaries", len({one.id for one in hooks.summaries()}) == 2,
                [one.id for one in hooks.summaries()])


def rules(alerts) -> list[str]:
    return sorted(rule for rule, _ in alerts)


def told(hooks: Receiver, status: str) -> set[tuple[str, str]]:
    """Rule and firing time of each alert told in this status."""
    return {
        (alert["rule"], alert["fired_at"])
        for one in hooks.taken()
        for alert in one.alerts()
        if alert["status"] == status
    }


def check_nothing_doubled(bench, hooks: Receiver) -> None:
    bodies: dict[str, set] = {}
    for one in hooks.tries:
        bodies.setdefault(one.id, set()).add(one.raw)
    bench.check("sends the same bytes under the same id",
                all(len(of) == 1 for of in bodies.values()), bodies)
    by_news: dict[tuple, set] = {}
    for one in hooks.taken():
        for alert in one.alerts():
            news = (alert["rule"], alert["fired_at"], alert["status"])
            by_news.setdefault(news, set()).add(one.id)
    doubled = {news: ids for news, ids in by_news.items() if len(ids) > 1}
    bench.check("tells nothing under two ids", not doubled, doubled)
    bench.check("was refused on the way", any(one.answered == 503 for one in hooks.tries))


def check_gap(bench) -> None:
    folder = bench.folder / "reports" / "shaky" / "v1"
    written = [(folder / f"{window}.json").is_file() for window in WINDOWS]
    if not bench.check("writes both summaries", all(written), written):
        return
    report = folder / "first-week.json"
    coverage = json.loads(report.read_text())["coverage"]
    gaps = [blind for blind in coverage["blind"] if "not running" in blind["why"]]
    bench.check("admits when nobody looked", gaps, coverage)
    bench.check("does not count the gap as seen", coverage["health_ratio"] < 1, coverage)
