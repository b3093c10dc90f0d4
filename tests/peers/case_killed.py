"""The program is killed with each kind of letter underway, and with its answer:
the fire, the resolve, the summary. None is lost; what comes twice has the same
bytes and the same id, and comes twice at most. (`case_reminders.py` has the
reminder, `case_sigkill.py` moments of chance.)"""

import time

from case_delivery import Ours
from courses import together
from harness import POLL_SECONDS
from webhooks import Try

# Longer than the alert, from beginning to end.
LENGTH = "25s"
PATIENCE_SECONDS = 90

KINDS = ["fire", "resolve", "summary"]
MOMENTS = ["underway", "answered"]


def kind_of(one: Try) -> str | None:
    if one.type == "release.summary":
        return "summary"
    status = {alert["status"] for alert in one.alerts()}
    return "fire" if "firing" in status else "resolve" if "resolved" in status else None


class Killed(Ours):
    """Killed once, by its receiver, at the first letter of this kind."""

    def __init__(self, bench, kind: str, moment: str):
        super().__init__(bench, f"{kind}-{moment}")
        self.kind, self.was_killed = kind, False
        if moment == "underway":
            self.hooks.arrived = self._kill
        else:
            self.hooks.answered = self._kill

    def plan(self) -> str:
        return super().plan().replace('length = "5m"', f'length = "{LENGTH}"')

    def _kill(self, one: Try) -> None:
        if kind_of(one) == self.kind and not self.was_killed:
            self.was_killed = True
            self.kill()

    def lives(self) -> None:
        """Through an alert to the window's end, started again when killed."""
        self.start()
        self.until("is healthy", self.is_up)
        self.service.down()
        deadline, is_down, starts = time.monotonic() + PATIENCE_SECONDS, True, 1
        while time.monotonic() < deadline:
            if is_down and self.of("fire"):
                self.service.up()
                is_down = False
            if self.process.exit() is not None:
                if not self.was_killed or starts == 2:
                    return
                self.start()
                starts += 1
            time.sleep(POLL_SECONDS)
        self.check("ends with the window", False, self.process.printed())

    def of(self, kind: str) -> list[Try]:
        return [one for one in self.hooks.tries if kind_of(one) == kind]


def play(bench) -> None:
    together(bench, [lambda kind=kind, moment=moment: one(bench, kind, moment)
                     for kind in KINDS for moment in MOMENTS])


def one(bench, kind: str, moment: str) -> None:
    side = Killed(bench, kind, moment)
    side.lives()
    side.check("is killed", side.was_killed)
    words = [(kind_of(one), one.id) for one in side.hooks.tries]
    for each in KINDS:
        tries = side.of(each)
        # With the answer: whether the receipt was stored is open.
        allowed = {1} if each != kind else {2} if moment == "underway" else {1, 2}
        side.check(f"sends the {each} as often as it must", len(tries) in allowed, words)
        side.check(f"sends the {each} in the same bytes under one id",
                   len({(one.id, one.raw) for one in tries}) == 1, words)
