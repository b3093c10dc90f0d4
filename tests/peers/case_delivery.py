"""The courses of `courses.py` with bakewatch itself: restarts, refusals, a silence
and bad recipients, with real processes, signals, receivers and a real mail
server. `tests/it/cases.rs` has the same on a virtual clock."""

import json
import sqlite3
import subprocess

from courses import COURSES, HOLD_SECONDS, RULE, TO, Course, Outcome, Side, play as play_course
from courses import together
from mail import PASSWORD, REFUSED, USER, MailServer

PLAN = """
service = "shaky"
url     = "{url}"

[windows]
first-day = {{ length = "{length}", every = "1s" }}

[rules]
for     = "{hold}s"
recover = "{recover}s"
range   = "20s"

[[rule]]
name = "TargetSilent"
off  = true

[[rule]]
name = "ReplicasMissing"
off  = true

[[channel]]
name   = "hook"
type   = "webhook"
group-wait = "0s"
group-interval = "0s"
url    = "{hook}"
secret = "{secret}"
"""

MAIL = """
[[channel]]
name     = "mail"
type     = "email"
group-wait = "0s"
group-interval = "0s"
from     = "bakewatch@example.test"
to       = {to}
smtp     = "smtp://{user}@127.0.0.1:{port}"
password = {{ file = "{password}" }}
ca-file  = "{ca}"
"""

# What a turn of the loop and a busy machine may add to a wait.
SLACK_SECONDS = 0.9


class Ours(Side):
    """bakewatch over a service; one folder a case."""

    starts = 0
    # What is configured beyond the plan; it goes on with the channel.
    more = ""

    def start(self) -> None:
        if not self.starts:
            self.config = self.bench.write(f"{self.case}/bakewatch.toml", self.plan())
        self.starts += 1
        folder = self.bench.folder / self.case
        self.process = self.bench.bakewatch(
            f"{self.case}-{self.starts}", "run", "-c", self.config, "--release", "v1",
            "--state-dir", folder / "state", "--report-dir", folder / "reports")

    def plan(self) -> str:
        # With mails the report at the window's end is looked at, too.
        length, recover, more = "35s" if self.mails else "5m", HOLD_SECONDS, self.more
        if self.mails:
            password = self.bench.write(f"{self.case}/password", PASSWORD + "\n")
            more += MAIL.format(to=json.dumps(TO), user=USER, port=self.mails.starttls_port,
                               password=password, ca=self.mails.ca)
        plan = PLAN.format(url=self.service.url, hook=self.hooks.url, secret=self.hooks.secret,
                           hold=HOLD_SECONDS, recover=recover, length=length)
        return plan + more

    def kill(self) -> None:
        self.process.kill()

    def stop(self) -> None:
        self.process.stop()

    def silence(self, seconds: int) -> None:
        told = self.orders("silence", "add", f"alertname={RULE}", "--for", f"{seconds}s",
                           "--comment", "by hand")
        self.check("takes a silence", told.returncode == 0, told.stdout + told.stderr)

    def orders(self, *words: str) -> subprocess.CompletedProcess:
        """A command to the running process."""
        return subprocess.run(
            [self.bench.binary, *words, "--state-dir", self.bench.folder / self.case / "state"],
            capture_output=True, text=True)

    def until(self, what: str, condition, seconds: float | None = None):
        return self.bench.until(f"{self.case}: {what}", condition, seconds or self.patience,
                                self.process.printed)

    def check(self, what: str, holds, detail="") -> None:
        self.bench.check(f"{self.case}: {what}", holds, detail)

    def is_up(self) -> bool:
        # Not before its suite is through: that would fail, and be told.
        return ('"healthy"' in " ".join(self.bodies("health"))
                and " steps: " in self.process.printed())

    def goes_on(self) -> bool:
        return bool(self.bodies("resumed"))

    def has_receipt(self) -> bool:
        return any('"accepted"' in body or '"partly"' in body for body in self.bodies("receipt"))

    def bodies(self, kind: str) -> list[str]:
        """The stored facts of a kind, in order."""
        found = []
        for store in (self.bench.folder / self.case / "state").glob("*.db"):
            with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as base:
                try:
                    rows = base.execute("SELECT body FROM facts WHERE kind = ? ORDER BY seq",
                                        [kind])
                    found += [body for (body,) in rows]
                except sqlite3.OperationalError:
                    return []  # not made yet
        return found


def play(bench) -> None:
    rows: dict[str, str] = {}
    together(bench, [lambda course=course: rows.update({course.name: one(bench, course)})
                     for course in COURSES])
    for course in COURSES:
        bench.say(f"row  {rows.get(course.name, course.name + ' broke')}")


def one(bench, course: Course) -> str:
    """Plays a course, and holds it against what telling has to stand."""
    side = Ours(bench, course.name)
    if course.name == "G":
        side.mails = MailServer(bench)
    outcome = play_course(course, side)
    side.check("loses nothing and tells nothing twice", not outcome.complaints(),
               (outcome.complaints(), outcome))
    doubled = 1 if course.name == "K" else 0
    side.check(f"tells {doubled or 'nothing'} again", outcome.doubled == doubled, outcome)
    MORE.get(course.name, lambda *_: None)(side, outcome)
    return f"{course.name:2} {', '.join(outcome.told):24} {course.what}; {outcome.clock()}"


def retried_soon(side: Ours, outcome: Outcome) -> None:
    waited = outcome.seconds
    side.check("tries again soon", 0.9 <= waited <= 1.0 + SLACK_SECONDS, waited)


def merged(side: Ours, _: Outcome) -> None:
    bodies = [one.body for one in side.hooks.taken()]
    side.check("says that both were",
               len(bodies) == 1 and "fired and ended" in bodies[0]["data"]["text"], bodies)


def silenced(side: Ours, _: Outcome) -> None:
    side.check("stores the silence", side.bodies("silenced"), side.process.printed())


def same_bytes(side: Ours, _: Outcome) -> None:
    first, second = side.told("firing")
    side.check("sends the same bytes under the same id",
               (first.id, first.raw) == (second.id, second.raw), [first.id, second.id])
    side.check("doubles nothing else", len(side.hooks.tries) == 3,
               [one.id for one in side.hooks.tries])


def reported(side: Ours, _: Outcome) -> None:
    """Beyond the course: the rest of the watch, its spool and its report."""
    side.start()
    side.until("ends with the window", lambda: side.process.exit() is not None, 90)
    check_spool(side, side.mails)
    report = json.loads((side.bench.folder / "G/reports/shaky/v1/first-day.json").read_text())
    trouble = {one["channel"]: one["trouble"] for one in report["deliveries"]}
    side.check("shows in the report whom it does not reach",
               f"does not reach {REFUSED}: 550" in trouble["mail"], trouble)
    log = "".join(path.read_text() for path in side.bench.folder.glob("G-*.err"))
    side.check("says so in the log", f"refused for {REFUSED}: 550" in log, log[-600:])
    notices = [one for one in side.hooks.taken() if REFUSED in str(one.data.get("notices"))]
    side.check("tells the other channel once", len(notices) == 1, len(notices))


MORE = {"D2": retried_soon, "E": merged, "F": silenced, "G": reported, "K": same_bytes}


def check_spool(side: Ours, mails: MailServer) -> None:
    ids = {to: [one["message-id"] for one in mails.letters(to)]
           for to in ["a@example.test", "b@example.test", REFUSED]}
    kinds = [one["subject"].split("]")[0] for one in mails.letters("a@example.test")]
    side.bench.say(f"spool: {kinds}; " + ", ".join(f"{to} {len(all)}" for to, all in ids.items()))
    good = ids["a@example.test"]
    side.check("mails each good recipient each letter once",
                  good and len(set(good)) == len(good) and ids["b@example.test"] == good, ids)
    side.check("mails the refused one nothing", not ids[REFUSED], ids)
    # One RCPT a letter: the refusal is for good, and no try follows it.
    log, refusals = mails.log(), mails.refusals()
    side.check("asks for the refused one once a letter", refusals == len(good),
                  f"{refusals} refusals, {len(good)} letters")
    authenticated = [line for line in log if " <= " in line]
    side.check("goes by STARTTLS and AUTH",
                  authenticated and all(" X=TLS" in line and f":{USER}" in line
                                        for line in authenticated), authenticated)

