"""Seven cases in which a well-known alert manager loses a letter, sends one
twice, or serves nobody, with real processes, signals, receivers and a real mail
server. `tests/it/cases.rs` has the same on a virtual clock, and the table."""

import json
import sqlite3
import time

from mail import PASSWORD, REFUSED, USER, MailServer
from services import Service, simple
from webhooks import Receiver

PLAN = """
service = "shaky"
url     = "{url}"

[windows]
first-day = {{ length = "{length}", every = "1s" }}

[rules]
for     = "2s"
recover = "{recover}"
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
to       = ["a@example.test", "{refused}", "b@example.test"]
smtp     = "smtp://{user}@127.0.0.1:{port}"
password = {{ file = "{password}" }}
ca-file  = "{ca}"
"""

# What a turn of the loop and a busy machine may add to a wait.
SLACK_SECONDS = 0.9


class Watched:
    """A service, a receiver, and bakewatch over them; one folder a case."""

    def __init__(self, bench, case: str, recover="2s", length="5m", more=""):
        self.bench, self.case, self.starts = bench, case, 0
        self.hooks, self.service = Receiver(bench), Service(bench, simple())
        plan = PLAN.format(url=self.service.url, hook=self.hooks.url, secret=self.hooks.secret,
                           recover=recover, length=length)
        self.config = bench.write(f"{case}/bakewatch.toml", plan + more)
        self.start()

    def start(self) -> None:
        self.starts += 1
        folder = self.bench.folder / self.case
        self.process = self.bench.bakewatch(
            f"{self.case}-{self.starts}", "run", "-c", self.config, "--release", "v1",
            "--state-dir", folder / "state", "--report-dir", folder / "reports")

    def until(self, what: str, condition, seconds: float = 40):
        return self.bench.until(f"{self.case}: {what}", condition, seconds, self.process.printed)

    def check(self, what: str, holds, detail="") -> None:
        self.bench.check(f"{self.case}: {what}", holds, detail)

    def is_up(self) -> bool:
        return '"healthy"' in " ".join(self.bodies("health"))

    def bodies(self, kind: str) -> list[str]:
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

    def told(self, status: str) -> list:
        return self.hooks.alerts("ServiceDown", status)

    def receipts(self) -> int:
        return sum('"accepted"' in body or '"partly"' in body for body in self.bodies("receipt"))

    def burn(self) -> None:
        """From healthy to a fire that was told, with its receipt on disk."""
        self.until("is healthy", self.is_up)
        self.service.down()
        self.until("tells the fire", lambda: self.told("firing"))
        self.until("has the receipt", self.receipts)

    def end(self, column: str) -> str:
        """What the receiver holds, as a row of the table."""
        ids = [one.id for one in self.hooks.taken() if one.alerts()]
        words = [f"{alert['status']}{'' if alert['told_before'] or alert['flips'] == 1 else '+fire'}"
                 for one in self.hooks.taken() for alert in one.alerts()]
        self.check("tells nothing twice", len(ids) == len(set(ids)), ids)
        self.check("tells the end once", words.count("resolved") + words.count("resolved+fire") == 1,
                   words)
        self.process.stop()
        row = f"{self.case:2} {', '.join(words):24} {column}"
        self.bench.say(f"row  {row}")
        return row


def play(bench) -> None:
    rows = [
        killed_while_it_burns(bench), killed_and_over(bench), stopped_and_over(bench),
        throttled(bench), failing(bench), over_before_the_retry(bench), killed_in_flight(bench),
        one_of_three_refused(bench),
    ]
    for row in rows:
        bench.say(f"     {row}")


def killed_while_it_burns(bench) -> str:
    watched = Watched(bench, "A")
    watched.burn()
    watched.process.kill()
    watched.start()
    watched.until("goes on", lambda: watched.bodies("resumed"))
    # Longer than the hold: a state that was lost would fire anew.
    pause(6)
    watched.check("does not tell the fire again", len(watched.told("firing")) == 1)
    watched.service.up()
    watched.until("tells the resolve", lambda: watched.told("resolved"))
    return watched.end("fire, SIGKILL, restart, burning still")


def over_while_away(bench, name: str, leave, words: str) -> str:
    """It burns, bakewatch goes, the service is well again, bakewatch comes back."""
    watched = Watched(bench, name)
    watched.burn()
    leave(watched.process)
    watched.service.up()
    watched.start()
    watched.until("tells the resolve", lambda: watched.told("resolved"))
    return watched.end(words)


def killed_and_over(bench) -> str:
    return over_while_away(bench, "B", lambda one: one.kill(), "fire, SIGKILL, restart, calm")


def stopped_and_over(bench) -> str:
    return over_while_away(bench, "C", lambda one: one.stop(), "fire, SIGTERM, restart, calm")


def throttled(bench) -> str:
    watched = Watched(bench, "D")
    watched.hooks.headers[429] = {"Retry-After": "1"}
    waited = retried(watched, 429)
    watched.check("obeys Retry-After: 1 within 2 s", 1.0 <= waited <= 2.0, waited)
    return watched.end(f"429 with Retry-After: 1, retried after {waited:.2f} s")


def failing(bench) -> str:
    watched = Watched(bench, "D2")
    waited = retried(watched, 500)
    watched.check("tries again soon", 0.9 <= waited <= 1.0 + SLACK_SECONDS, waited)
    return watched.end(f"one 500, retried after {waited:.2f} s")


def retried(watched: Watched, status: int) -> float:
    """The fire is refused once; how long until the next try."""
    watched.hooks.answer = lambda number: status if number == 0 else 200
    watched.until("is healthy", watched.is_up)
    watched.service.down()
    watched.until("tells the fire", lambda: watched.told("firing"))
    first, second = [one.at for one in watched.hooks.tries[:2]]
    watched.service.up()
    watched.until("tells the resolve", lambda: watched.told("resolved"))
    return second - first


def over_before_the_retry(bench) -> str:
    watched = Watched(bench, "E", recover="1s")
    hooks = watched.hooks
    hooks.headers[429] = {"Retry-After": "8"}
    hooks.answer = lambda number: 429 if number == 0 else 200
    watched.until("is healthy", watched.is_up)
    watched.service.down()
    watched.until("tries to tell the fire", lambda: hooks.tries)
    watched.service.up()
    watched.until("tells the resolve", lambda: watched.told("resolved"))
    one = hooks.taken()[0]
    alerts = one.alerts()
    watched.check("merges fire and resolve into one letter",
                  len(hooks.taken()) == 1 and len(alerts) == 1 and not alerts[0]["told_before"],
                  [one.body for one in hooks.taken()])
    watched.check("says that both were", "fired and ended" in one.data["text"], one.data["text"])
    return watched.end("one 429, calm before the next try: one merged letter")


def killed_in_flight(bench) -> str:
    """The receiver takes the fire and the process dies before the answer."""
    watched = Watched(bench, "K")
    hooks = watched.hooks
    watched.until("is healthy", watched.is_up)
    hooks.holds.set()
    watched.service.down()
    watched.until("sends the fire", lambda: watched.told("firing"))
    watched.process.kill()
    hooks.holds.clear()
    watched.start()
    watched.until("sends it again", lambda: len(watched.told("firing")) == 2)
    first, second = watched.told("firing")
    watched.check("sends the same bytes under the same id",
                  (first.id, first.raw) == (second.id, second.raw), [first.id, second.id])
    watched.service.up()
    watched.until("tells the resolve", lambda: watched.told("resolved"))
    watched.check("doubles nothing else", len(hooks.tries) == 3, [one.id for one in hooks.tries])
    watched.process.stop()
    row = "K  firing x2 (one id), resolved SIGKILL between the request and its answer"
    bench.say(f"row  {row}")
    return row


def one_of_three_refused(bench) -> str:
    mails = MailServer(bench)
    password = bench.write("password", PASSWORD + "\n")
    more = MAIL.format(refused=REFUSED, user=USER, port=mails.starttls_port, password=password,
                       ca=mails.ca)
    watched = Watched(bench, "G", length="35s", more=more)
    watched.burn()
    for to in ["a@example.test", "b@example.test"]:
        watched.until(f"mails the fire to {to}", lambda to=to: fires(mails, to))
    watched.service.up()
    watched.until("ends with the window", lambda: watched.process.exit() is not None, 90)
    check_spool(watched, mails)
    report = json.loads((bench.folder / "G/reports/shaky/v1/first-day.json").read_text())
    trouble = {one["channel"]: one["trouble"] for one in report["deliveries"]}
    watched.check("shows in the report whom it does not reach",
                  f"does not reach {REFUSED}: 550" in trouble["mail"], trouble)
    watched.check("says so in the log", f"refused for {REFUSED}: 550" in watched.process.printed())
    notices = [one for one in watched.hooks.taken() if REFUSED in str(one.data.get("notices"))]
    watched.check("tells the other channel once", len(notices) == 1, len(notices))
    return watched.end("three recipients, one 550: the others have each mail once")


def fires(mails: MailServer, to: str) -> list:
    return [one for one in mails.letters(to) if "FIRING" in one["subject"]]


def check_spool(watched: Watched, mails: MailServer) -> None:
    ids = {to: [one["message-id"] for one in mails.letters(to)]
           for to in ["a@example.test", "b@example.test", REFUSED]}
    kinds = [one["subject"].split("]")[0] for one in mails.letters("a@example.test")]
    watched.bench.say(f"spool: {kinds}; " + ", ".join(f"{to} {len(all)}" for to, all in ids.items()))
    good = ids["a@example.test"]
    watched.check("mails each good recipient each letter once",
                  good and len(set(good)) == len(good) and ids["b@example.test"] == good, ids)
    watched.check("mails the refused one nothing", not ids[REFUSED], ids)
    log = mails.log()
    # One RCPT a letter: the refusal is for good, and no try follows it.
    refusals = sum("no such person here" in line for line in log)
    watched.check("asks for the refused one once a letter", refusals == len(good),
                  f"{refusals} refusals, {len(good)} letters")
    authenticated = [line for line in log if " <= " in line]
    watched.check("goes by STARTTLS and AUTH",
                  authenticated and all(" X=TLS" in line and f":{USER}" in line
                                        for line in authenticated), authenticated)


def pause(seconds: float) -> None:
    """In which something must not happen."""
    time.sleep(seconds)
