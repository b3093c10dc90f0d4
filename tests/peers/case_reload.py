"""The file of a running watch is read anew in the middle of an alert, by SIGHUP:
with an error of syntax, with other words, with another bound, with a longer
hold. Nothing is lost or told twice, and the service is asked all the while."""

import signal
import time

from case_delivery import Ours
from courses import pause
from services import JSON, simple

# Each reading differs from the one before in one thing alone.
RULE = """
[[rule]]
name    = "ServiceDown"
summary = "{summary}"
below   = {below}
for     = "{hold}"
"""
READINGS = [
    ("is renamed", {"summary": "Nobody answers"}, "plan-changed"),
    ("has another bound", {"below": 0.5}, "plan-changed"),
    ("is held longer", {"hold": "30s"}, "plan-changed"),
]

# One look that is late, on a machine that does much else.
GAP_SECONDS_MAX = 3.0


class Ill:
    """The usual service; ill it answers still, so that it can count."""

    def __init__(self):
        self.usual, self.is_ill, self.asked = simple(), False, []

    def __call__(self, method, path, body):
        if path == "/health":
            self.asked.append(time.monotonic())
            if self.is_ill:
                return 503, JSON, '{"status":"unhealthy"}'
        return self.usual(method, path, body)

    def gap(self) -> float:
        """The longest time in which nobody asked."""
        times = [*self.asked, time.monotonic()]
        return max(late - early for early, late in zip(times, times[1:]))


class Reloaded(Ours):
    def answers(self) -> Ill:
        self.ill, self.words = Ill(), {"summary": "Down", "below": 1, "hold": "2s"}
        return self.ill

    def plan(self) -> str:
        return super().plan() + RULE.format(**self.words)

    def reads(self, what: str, text: str, kind: str) -> None:
        """Has the file read anew, and sees that nobody notices but the log."""
        before, told = len(self.bodies(kind)), len(self.hooks.tries)
        asked = len(self.ill.asked)
        self.config.write_text(text)
        self.process.popen.send_signal(signal.SIGHUP)
        self.until(f"{what}: is read", lambda: len(self.bodies(kind)) > before)
        self.until(f"{what}: asks on", lambda: len(self.ill.asked) > asked + 4)
        new = [one.body for one in self.hooks.tries[told:]]
        self.check(f"{what}: nothing is told for it", not new, new)
        self.check(f"{what}: it still fires", "alert ServiceDown: firing" in self.status(),
                   self.status())

    def status(self) -> str:
        return self.orders("status").stdout


def play(bench) -> None:
    side = Reloaded(bench, "reload")
    side.start()
    side.until("is healthy", side.is_up)
    side.ill.is_ill = True
    side.until("tells the fire", lambda: side.told("firing"))
    side.until("has the receipt", side.has_receipt)

    side.reads("an error of syntax", side.plan() + '\n[[rule\nname = "', "reload-failed")
    side.check("says where it is", "bakewatch.toml:" in side.status(), side.status())
    for what, words, kind in READINGS:
        side.words.update(words)
        side.reads(f"the alert {what}", side.plan(), kind)

    side.ill.is_ill = False
    side.until("tells the resolve", lambda: side.told("resolved"))
    # Longer than any hold: a state that was lost would fire anew.
    pause(4)
    ids = [one.id for one in side.hooks.tries]
    side.check("tells the fire once and the resolve once", len(ids) == len(set(ids)) == 2,
               [one.body for one in side.hooks.tries])
    alert = side.told("resolved")[0].alerts()[0]
    side.check("in the words of the day", "Nobody answers" in str(side.told("resolved")[0].body),
               side.told("resolved")[0].body)
    side.check("tells the end of the same alert",
               alert["fired_at"] == side.told("firing")[0].alerts()[0]["fired_at"], alert)
    side.check("never stopped to ask", side.ill.gap() <= GAP_SECONDS_MAX, side.ill.gap())
    side.stop()
