"""Digests by the minute, by webhook and by real mail. The program is killed just
before one is due and started again after it: each minute is told once."""

import datetime
import time

from mail import PASSWORD, USER, MailServer
from services import Service, simple
from webhooks import Receiver

PLAN = """
service = "calm"
url     = "{url}"

[windows]
first-day = {{ length = "{length}s", every = "1s" }}

[[channel]]
name   = "hook"
type   = "webhook"
group-wait = "0s"
group-interval = "0s"
url    = "{hook}"
secret = "{secret}"

[[channel]]
name     = "mail"
type     = "email"
group-wait = "0s"
group-interval = "0s"
from     = "bakewatch@example.test"
to       = "team@example.test"
smtp     = "smtp://{user}@127.0.0.1:{port}"
password = {{ file = "{password}" }}
ca-file  = "{ca}"

[[digest]]
name = "minutely"
cron = "* * * * *"
"""

MINUTE_SECONDS = 60


def play(bench) -> None:
    hooks, mails = Receiver(bench), MailServer(bench)
    service = Service(bench, simple())
    password = bench.write("password", PASSWORD + "\n")
    if until_the_minute() < 15:
        pause_until_the_minute(+1)  # it has to be up before the first is due
    # To the first minute, the next, and some seconds.
    length = MINUTE_SECONDS + until_the_minute() + 12
    config = bench.write("bakewatch.toml", PLAN.format(
        url=service.url, length=int(length), hook=hooks.url, secret=hooks.secret, user=USER,
        port=mails.starttls_port, password=password, ca=mails.ca))
    arguments = ["run", "-c", config, "--release", "v1", "--state-dir", bench.folder / "state",
                 "--report-dir", bench.folder / "reports"]
    run = bench.bakewatch("first", *arguments)
    bench.until("passes its smoke tests", lambda: "3 passed" in run.printed(), 20, run.printed)
    first = pause_until_the_minute(-1.5)
    run.kill()
    pause_until_the_minute(+2, first)
    run = bench.bakewatch("second", *arguments)
    bench.until("tells what was due while it was dead", lambda: len(digests(hooks)) == 1, 20,
                run.printed)
    bench.until("tells the next when it is due", lambda: len(digests(hooks)) == 2,
                MINUTE_SECONDS + 20, run.printed)
    bench.until("ends with the window", lambda: run.exit() is not None, 60, run.printed)
    check(bench, hooks, mails)


def check(bench, hooks, mails) -> None:
    told = [one.data["digest"] for one in digests(hooks)]
    due = [digest["due"] for digest in told]
    wanted = [due[0] + 1000 * MINUTE_SECONDS * number for number in range(len(due))]
    bench.check("tells each minute once, in order", due == wanted and len(due) == 2, due)
    late = [digest["late_by"] / 1000 for digest in told]
    bench.check("says that the first is late", 2 <= late[0] <= 15 and late[1] < 2, late)
    bench.check("misses none", all("missed" not in digest for digest in told), told)
    bench.check("calls it what it is", [one.data["status"] for one in digests(hooks)][1] == "quiet",
                [one.data["text"] for one in digests(hooks)])
    letters = [one for one in mails.letters("team@example.test") if "[DIGEST]" in one["subject"]]
    bench.check("mails the same", len(letters) == 2, [one["subject"] for one in letters])
    for letter in letters:
        both = [letter.get_body((kind,)).get_content() for kind in ("plain", "html")]
        bench.check("writes text and HTML", all("minutely" in part for part in both), both[0])
    bench.say(f"due {due}, late by {late} s; {letters[-1]['subject'] if letters else ''}")


def digests(hooks: Receiver) -> list:
    return [one for one in hooks.taken() if one.type == "release.digest"]


def until_the_minute() -> float:
    return MINUTE_SECONDS - datetime.datetime.now().timestamp() % MINUTE_SECONDS


def pause_until_the_minute(offset: float, minute: float | None = None) -> float:
    """The script's own pace: to so long after the next full minute (or `minute`)."""
    minute = minute or time.time() + until_the_minute()
    time.sleep(max(0.0, minute + offset - time.time()))
    return minute
