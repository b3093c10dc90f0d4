"""Courses of events in which a well-known alert manager loses a letter, sends
one twice, or serves nobody. Each is written once, and played on a *side*: a
watcher of a service, real, with a real receiver. `case_delivery.py` has ours,
`alertmanager.py` the other; `benches/beside-alertmanager` plays both."""

import threading
import time
from dataclasses import dataclass
from typing import Callable, NamedTuple

from harness import POLL_SECONDS
from mail import REFUSED
from services import Service, simple
from webhooks import Receiver

# The alert of all courses, and how long it is broken or calm before it counts.
RULE, HOLD_SECONDS = "ServiceDown", 2
GOOD = ["a@example.test", "b@example.test"]
TO = [GOOD[0], REFUSED, GOOD[1]]
# Longer than the hold and than the other side's group interval: in it a state
# that was lost would be told anew.
QUIET_SECONDS = 8
# Longer than it takes until what is over is known to be.
CALM_SECONDS = HOLD_SECONDS + 2
# Longer than the end of an alert is repeated to an Alertmanager, and its group's
# interval after that: a silence of twenty minutes in those of Prometheus.
SILENCE_SECONDS = 42
# Longer than whatever is told takes to be told.
PATIENCE_SECONDS = 40


class Side:
    """Who watches the service; its own state stays over a restart."""

    # How long a course waits for what may never come.
    patience = PATIENCE_SECONDS
    # Set by the course that wants one, before the start.
    mails = None

    def __init__(self, bench, case: str):
        self.bench, self.case = bench, case
        self.hooks, self.service = Receiver(bench), Service(bench, self.answers())

    def answers(self) -> Callable:
        """What the service says."""
        return simple()

    def start(self) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def silence(self, seconds: int) -> None:
        """Of the alert, from now on."""
        raise NotImplementedError

    def is_up(self) -> bool:
        """Whether it has seen the service healthy."""
        raise NotImplementedError

    def goes_on(self) -> bool:
        """Whether it is itself again after a restart."""
        raise NotImplementedError

    def has_receipt(self) -> bool:
        """Whether it knows that a letter was taken."""
        raise NotImplementedError

    def until(self, what: str, condition, seconds: float | None = None):
        """The condition's value, or None when it did not come about."""
        deadline = time.monotonic() + (seconds or self.patience)
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(POLL_SECONDS)
        self.bench.say(f"{self.case}: not seen: {what}")
        return None

    def told(self, status: str) -> list:
        return self.hooks.alerts(RULE, status)

    def breaks(self) -> None:
        self.until("is healthy", self.is_up)
        self.service.down()

    def burns(self) -> None:
        """From healthy to a fire that was told, with its receipt."""
        self.breaks()
        self.until("tells the fire", lambda: self.told("firing"))
        self.until("has the receipt", self.has_receipt)

    def resolves(self, seconds: float | None = None) -> float | None:
        """Waits until the end was told; how long that took."""
        began = time.monotonic()
        told = self.until("tells the resolve", lambda: self.told("resolved"), seconds)
        return told[0].at - began if told else None

    def mailed(self, status: str) -> list:
        """The letters in this status that each good recipient has, all of them."""
        letters = [[one for one in self.mails.letters(to) if f"[{status}" in one["subject"]]
                   for to in GOOD]
        return sum(letters, []) if all(letters) else []


def killed_while_it_burns(side: Side) -> None:
    side.burns()
    side.kill()
    side.start()
    side.until("goes on", side.goes_on)
    pause(QUIET_SECONDS)
    side.service.up()
    side.resolves()


def over_while_away(side: Side, leave: Callable[[], None]) -> float | None:
    """It burns, the watcher goes, the service is well again, the watcher comes back."""
    side.burns()
    leave()
    side.service.up()
    pause(CALM_SECONDS)
    side.start()
    return side.resolves()


def killed_and_over(side: Side) -> float | None:
    return over_while_away(side, side.kill)


def stopped_and_over(side: Side) -> float | None:
    return over_while_away(side, side.stop)


def throttled(side: Side) -> float | None:
    side.hooks.headers[429] = {"Retry-After": "1"}
    return retried(side, 429)


def failing(side: Side) -> float | None:
    return retried(side, 500)


def retried(side: Side, status: int) -> float | None:
    """The fire is refused once; how long until the next try."""
    side.hooks.answer = lambda number: status if number == 0 else 200
    side.breaks()
    told = side.until("tells the fire", lambda: side.told("firing"))
    waited = told[0].at - side.hooks.tries[0].at if told else None
    side.service.up()
    side.resolves()
    return waited


def over_before_the_retry(side: Side) -> float | None:
    side.hooks.headers[429] = {"Retry-After": "8"}
    side.hooks.answer = lambda number: 429 if number == 0 else 200
    side.breaks()
    side.until("tries to tell the fire", lambda: side.hooks.tries)
    side.service.up()
    return side.resolves()


def over_in_a_silence(side: Side) -> float | None:
    side.burns()
    began = time.monotonic()
    side.silence(SILENCE_SECONDS)
    side.service.up()
    waited = side.resolves(SILENCE_SECONDS + 10)
    # Nothing more comes when the silence is over.
    pause(began + SILENCE_SECONDS + 3 - time.monotonic())
    return waited


def killed_in_flight(side: Side) -> float | None:
    """The receiver takes the fire, and the watcher dies before the answer."""
    side.until("is healthy", side.is_up)
    side.hooks.holds.set()
    side.service.down()
    side.until("sends the fire", lambda: side.told("firing"))
    side.kill()
    side.hooks.holds.clear()
    side.start()
    side.until("sends it again", lambda: len(side.told("firing")) == 2)
    side.service.up()
    return side.resolves()


def one_of_three_refused(side: Side) -> float | None:
    side.breaks()
    side.until("tells the fire", lambda: side.told("firing"))
    began = side.told("firing")[0].at
    served = side.until(f"mails it to {GOOD}", lambda: side.mailed("FIRING"), 45)
    waited = time.monotonic() - began if served else None
    side.attempts = side.mails.refusals(served[0]["message-id"] if served else None)
    side.service.up()
    side.resolves()
    side.until(f"mails the end to {GOOD}", lambda: side.mailed("RESOLVED"), 25)
    return waited


class Course(NamedTuple):
    name: str
    what: str
    # What its seconds are of.
    clock: str
    play: Callable[[Side], float | None]


COURSES = [
    Course("A", "fire told, SIGKILL, restart; it burns on, then ends", "",
           killed_while_it_burns),
    Course("B", "fire told, SIGKILL, over meanwhile, restart", "resolve {} after the restart",
           killed_and_over),
    Course("C", "the same with SIGTERM", "resolve {} after the restart", stopped_and_over),
    Course("D", "one 429 with `Retry-After: 1`", "next try after {}", throttled),
    Course("D2", "one 500", "next try after {}", failing),
    Course("E", "one 429, over before the next try", "told {} after it is well",
           over_before_the_retry),
    Course("F", "fire told, silenced, over, the silence ends", "resolve {} after it is well",
           over_in_a_silence),
    Course("G", "mail to three, one gives 550", "both others have it {} after the webhook",
           one_of_three_refused),
    Course("K", "SIGKILL between the request and its answer", "", killed_in_flight),
]


@dataclass
class Outcome:
    """What the receivers hold in the end."""

    course: Course
    told: list[str]
    lost: list[str]
    # How often something was told again, and how often of that not under the
    # id that it was told under before.
    doubled: int
    unknown: int
    seconds: float | None
    # Mail: how often it was tried until the good ones had it, or in all.
    attempts: int | None = None

    @classmethod
    def of(cls, course: Course, side: Side, seconds: float | None) -> "Outcome":
        tellings = by_mail(side) if side.mails else by_webhook(side)
        ids: dict[str, list] = {"fire": [], "resolve": []}
        for words, id in tellings:
            for news in words.split("+"):
                # What bears no id is told apart from everything.
                ids[news].append(id or object())
        return cls(
            course,
            told=[words.replace("+", " and ") for words, _ in tellings],
            lost=[news for news, of in ids.items() if not of],
            doubled=sum(max(0, len(of) - 1) for of in ids.values()),
            unknown=sum(max(0, len(set(of)) - 1) for of in ids.values()),
            seconds=seconds,
            attempts=getattr(side, "attempts", None),
        )

    def clock(self) -> str:
        if not self.course.clock or self.seconds is None:
            return ""
        return self.course.clock.format(f"{self.seconds:.1f} s")

    def complaints(self) -> list[str]:
        """What of it is not as it has to be."""
        told = [f"lost: {', '.join(self.lost)}"] if self.lost else []
        if self.doubled > 1 or self.unknown:
            told.append(f"told again {self.doubled} times, {self.unknown} under another id")
        name, seconds = self.course.name, self.seconds
        if name == "D" and not (seconds and 1.0 <= seconds <= 2.0):
            told.append(f"tried again after {seconds} s, wanted 1 to 2")
        if name == "E" and self.told != ["fire and resolve"]:
            told.append(f"not one letter that says both: {self.told}")
        if name == "G" and self.attempts != 1:
            told.append(f"served after {self.attempts} attempts")
        return told


def by_webhook(side: Side) -> list[tuple[str, str]]:
    def words(alert: dict) -> str:
        if alert["status"] == "firing":
            return "fire"
        return "resolve" if alert["told_before"] else "fire+resolve"

    return [(words(alert), one.id) for one in side.hooks.taken() for alert in one.alerts()
            if alert["rule"] == RULE]


def by_mail(side: Side) -> list[tuple[str, str]]:
    """What every good recipient has; more, where one has more than the other."""
    kinds = {"FIRING": "fire", "RESOLVED": "resolve"}
    held = [[(kinds[kind], one["message-id"]) for one in side.mails.letters(to)
             for kind in kinds if f"[{kind}" in one["subject"]] for to in GOOD]
    return max(held, key=len) if all(held) else []


def play(course: Course, side: Side) -> Outcome:
    side.start()
    seconds = course.play(side)
    side.stop()
    return Outcome.of(course, side, seconds)


def together(bench, plays: list[Callable[[], None]]) -> None:
    """Plays at the same time, for most of it is waiting; one that breaks is a
    failed check, and hides no other."""

    def guarded(one: Callable[[], None]) -> None:
        try:
            one()
        except Exception as error:
            bench.broke(error)

    players = [threading.Thread(target=guarded, args=[one], daemon=True) for one in plays]
    for player in players:
        player.start()
    for player in players:
        player.join()


def pause(seconds: float) -> None:
    """In which something must not happen."""
    time.sleep(max(0.0, seconds))
