"""The program is killed around a reminder: while it is on its way, before it is
due, between a refusal and the next try, and when it was taken. It is never
lost, and what comes twice has the same bytes and the same id."""

import time
from typing import Callable

from case_delivery import Ours
from courses import pause, together

# The shortest that a configuration may say.
WAIT_SECONDS = 60


class Reminded(Ours):
    more = 'reminders = ["1m"]\n'

    def reminders(self) -> list:
        """The tries of letters that are written for a reminder's sake."""
        return [one for one in self.hooks.tries
                if one.data.get("reason") == "repeat interval elapsed"]

    def reminded(self) -> list:
        return [one for one in self.reminders() if one.answered < 300]

    def burns(self) -> None:
        super().burns()
        self.fired = self.told("firing")[0].at

    def due(self, seconds: float) -> None:
        """Until so long after the reminder is due; before it, where negative."""
        pause(self.fired + WAIT_SECONDS + seconds - time.monotonic())

    def comes(self, what: str, condition: Callable):
        return self.until(what, condition, WAIT_SECONDS + 40)

    def restart(self) -> None:
        self.kill()
        self.start()


def in_flight(side: Reminded) -> int:
    """The receiver has it, and the process dies before the answer."""
    side.due(-5)
    side.hooks.holds.set()
    side.comes("sends the reminder", side.reminders)
    side.kill()
    side.hooks.holds.clear()
    side.start()
    side.comes("sends it again", lambda: len(side.reminders()) == 2)
    return 2


def before_it_is_due(side: Reminded) -> int:
    """Nobody is there when it becomes due."""
    side.due(-2)
    side.kill()
    side.due(+3)
    side.start()
    side.comes("reminds when it is back", side.reminded)
    return 1


def after_a_refusal(side: Reminded) -> int:
    side.due(-5)
    so_far = len(side.hooks.tries)
    side.hooks.answer = lambda number: 503 if number == so_far else 200
    side.comes("is refused", side.reminders)
    side.restart()
    side.comes("reminds at another try", side.reminded)
    return 1


def when_it_is_answered(side: Reminded) -> int | None:
    """Killed with the answer: whether the receipt was stored is open, and so is
    whether it is sent once more."""
    side.due(-5)
    side.hooks.answered = lambda one: side.kill() if side.process.exit() is None else None
    side.comes("is killed with it", lambda: side.process.exit() is not None)
    side.hooks.answered = lambda one: None
    side.start()
    side.until("goes on", side.goes_on)
    return None


def when_it_was_taken(side: Reminded) -> int:
    side.due(-5)
    taken = len(receipts(side))
    side.comes("has the reminder's receipt", lambda: len(receipts(side)) > taken)
    side.restart()
    side.until("goes on", side.goes_on)
    return 1


def receipts(side: Reminded) -> list[str]:
    return [body for body in side.bodies("receipt") if '"accepted"' in body]


KILLS = {"in-flight": in_flight, "before-due": before_it_is_due, "refused": after_a_refusal,
         "answered": when_it_is_answered, "taken": when_it_was_taken}


def play(bench) -> None:
    together(bench, [lambda name=name, kill=kill: one(bench, name, kill)
                     for name, kill in KILLS.items()])


def one(bench, name: str, kill: Callable[[Reminded], int | None]) -> None:
    side = Reminded(bench, name)
    side.start()
    side.burns()
    wanted = kill(side)
    # In it a reminder that was forgotten to be told would come again.
    pause(8)
    taken = side.reminded()
    words = [(one.id, round(one.at - side.fired, 1)) for one in side.reminders()]
    allowed = [1, 2] if wanted is None else [wanted]
    side.check("reminds once, and again only where nobody knows", len(taken) in allowed, words)
    side.check("sends the same bytes under the same id",
               len({(one.id, one.raw) for one in taken}) == 1, words)
    side.check("does so not before a minute", taken[0].at - side.fired >= WAIT_SECONDS - 1, words)
    side.check("tells the fire once", len(first(side)) == 1, [one.body for one in first(side)])
    side.service.up()
    side.resolves()
    ends = {one.id for one in side.told("resolved")}
    side.check("tells the end once", len(ends) == 1, ends)
    side.stop()


def first(side: Reminded) -> list:
    """What tells of the fire as something new."""
    reminders = {one.id for one in side.reminders()}
    return [one for one in side.told("firing") if one.id not in reminders]
