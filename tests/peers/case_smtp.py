"""Mail by a real server that is hard to please: implicit TLS and STARTTLS, both
with AUTH; recipients that it puts off (greylisting) or refuses; a time in which
it is dead, also in the middle of a mail. Each mail comes once, and is read field
by field by Python's `email`."""

import datetime
import email.message
import json
import re

from case_delivery import Ours
from case_mail import read_png
from courses import RULE, together
from mail import GREY, PASSWORD, REFUSED, USER, MailServer

CHANNEL = """
[[channel]]
name     = "{name}"
type     = "email"
group-wait = "0s"
group-interval = "0s"
from     = "Bake Watch <bakewatch@example.test>"
to       = [{to}]
smtp     = "{scheme}://{user}@127.0.0.1:{port}"
password = {{ file = "{password}" }}
ca-file  = "{ca}"
"""

PROMPT = ["tls@example.test", "prompt@example.test"]
EVERYBODY = [*PROMPT, *GREY]
CHANNELS = [
    ("implicit", "smtps", [PROMPT[0], REFUSED]),
    ("starttls", "smtp", [PROMPT[1], GREY[0]]),
    # Nobody else takes it either: the letter is written anew.
    ("alone", "smtp", [GREY[1]]),
]

KINDS = {"FIRING": "firing", "RESOLVED": "resolved"}


class Posted(Ours):
    """bakewatch with three ways to one mail server."""

    def __init__(self, bench, case: str):
        super().__init__(bench, case)
        self.post = MailServer(bench, f"mail-{case}")

    def plan(self) -> str:
        password = self.bench.write(f"{self.case}/password", PASSWORD + "\n")
        ports = {"smtps": self.post.tls_port, "smtp": self.post.starttls_port}
        return super().plan() + "".join(
            CHANNEL.format(name=name, scheme=scheme, port=ports[scheme], user=USER,
                           to=", ".join(f'"{one}"' for one in to), password=password,
                           ca=self.post.ca)
            for name, scheme, to in CHANNELS)

    def letters(self, to: str, kind: str) -> list[email.message.EmailMessage]:
        return [one for one in self.post.letters(to)
                if one["subject"].startswith(f"[{kind} ") and RULE in one["subject"]]

    def has(self, kind: str, count: int, whom=EVERYBODY) -> None:
        """Each of them has so many letters of this kind."""
        for to in whom:
            self.until(f"{kind} number {count} comes to {to}",
                       lambda to=to: len(self.letters(to, kind)) >= count, 60)

    def counts(self, kind: str) -> dict[str, int]:
        return {to: len(self.letters(to, kind)) for to in EVERYBODY}

    def keys(self) -> set[str]:
        """Of every mail that left."""
        sent = [json.loads(body) for body in self.bodies("sent")]
        return {one["key"] for one in sent if one["channel"] != "hook"}

    def failures(self, channel: str) -> int:
        """How often the channel could not be reached."""
        return sum(f'"{channel}"' in body and "onnection refused" in body
                   for body in self.bodies("receipt"))


def play(bench) -> None:
    together(bench, [lambda: hard_to_please(bench), lambda: dead_for_a_while(bench),
                     lambda: over_while_dead(bench), lambda: dead_before_the_answer(bench)])


def hard_to_please(bench) -> None:
    side = Posted(bench, "post")
    side.post.greylists(True)
    side.start()
    side.burns()
    side.has("FIRING", 1, PROMPT)
    for to in GREY:
        side.until(f"{to} is asked for twice", lambda to=to: side.post.deferrals(to) >= 2)
        side.check(f"{to} has nothing yet", not side.letters(to, "FIRING"))
    side.post.greylists(False)
    side.has("FIRING", 1)
    side.service.up()
    side.has("RESOLVED", 1)
    every_once(side)
    side.stop()
    for to in EVERYBODY:
        for kind in KINDS:
            for letter in side.letters(to, kind):
                field_by_field(side, to, kind, letter)
    threads(side)
    envelopes(side)


def burns_while_dead(bench, case: str) -> Posted:
    """It fires after the mail server died, and each channel has tried in vain."""
    side = Posted(bench, case)
    side.start()
    side.until("is healthy", side.is_up)
    side.post.stop()
    side.service.down()
    side.until("tells the fire elsewhere", lambda: side.told("firing"))
    for channel, _, _ in CHANNELS:
        side.until(f"{channel} is tried while the server is dead",
                   lambda channel=channel: side.failures(channel) >= 2)
    return side


def dead_for_a_while(bench) -> None:
    side = burns_while_dead(bench, "away")
    side.post.start()
    side.has("FIRING", 1)
    side.service.up()
    side.has("RESOLVED", 1)
    every_once(side)
    side.stop()


def every_once(side: Posted) -> None:
    for kind in KINDS:
        counts = side.counts(kind)
        side.check(f"has {kind} come once to each", set(counts.values()) == {1}, counts)
    ids = [[one["message-id"] for kind in KINDS for one in side.letters(to, kind)]
           for to in EVERYBODY]
    side.check("gives each letter a name of its own", all(len(set(of)) == len(of) for of in ids),
               ids)
    side.check("put off, it is the same letter", ids[1] == ids[2], ids)


def over_while_dead(bench) -> None:
    side = burns_while_dead(bench, "dead")
    side.service.up()
    side.until("tells the end elsewhere", lambda: side.told("resolved"))
    side.post.start()
    side.has("RESOLVED", 1)
    side.stop()
    side.check("mails no fire that is over", not any(side.counts("FIRING").values()),
               side.counts("FIRING"))
    for to in EVERYBODY:
        letters = side.letters(to, "RESOLVED")
        words = letters[0].get_body(("plain",)).get_content()
        side.check(f"tells {to} fire and end in one mail",
                   len(letters) == 1 and "fired and resolved before it could be told" in words,
                   words[:600])


def dead_before_the_answer(bench) -> None:
    """It has the whole mail, and nobody knows whether it keeps it."""
    side = Posted(bench, "cut")
    side.post.slow(True)
    side.start()
    side.until("is healthy", side.is_up)
    side.service.down()
    side.until("hands over the text of each", lambda: side.post.underway() == len(CHANNELS))
    keys = side.keys()
    side.post.dies()
    side.check("has nothing kept", not any(side.counts("FIRING").values()), side.counts("FIRING"))
    side.post.slow(False)
    side.post.start()
    side.has("FIRING", 1)
    side.stop()
    held = [one for to in EVERYBODY for one in side.letters(to, "FIRING")]
    side.check("mails each the same letter once more", len(held) == len(EVERYBODY)
               and {one.envid for one in held} == keys == {name(one) for one in held},
               (keys, [one["message-id"] for one in held]))


def name(letter) -> str:
    """What stands before the `@` of its Message-ID."""
    return letter["message-id"].strip("<>").split("@")[0]


def field_by_field(side: Posted, to: str, kind: str, letter) -> None:
    status = KINDS[kind]
    wanted = {
        "auto-submitted": "auto-generated", "x-auto-response-suppress": "All",
        "list-id": "<v1.shaky.bakewatch.invalid>", "x-bakewatch-severity": "critical",
        "x-bakewatch-status": status, "x-bakewatch-release": "shaky v1",
        "x-bakewatch-incident": f"shaky/{RULE}", "mime-version": "1.0",
    }
    # Put off, it may have taken along what came since.
    subject = rf"\[{kind} critical\] shaky v1: {RULE}( and \d more)?"
    faults = {name: letter[name] for name, value in wanted.items() if letter[name] != value}
    [sender] = letter["from"].addresses
    named = [one.addr_spec for one in letter["to"].addresses]
    [channel] = [all for _, _, all in CHANNELS if to in all]
    age = datetime.datetime.now(datetime.UTC) - letter["date"].datetime
    text, page = (letter.get_body((form,)) for form in ("plain", "html"))
    pictures = [read_png(part.get_content())[:2] for part in letter.walk()
                if part.get_content_type() == "image/png"]
    raw = bytes(letter)
    holds = {
        "its headers": not faults and re.fullmatch(subject, letter["subject"]),
        "its sender": (sender.display_name, sender.addr_spec)
        == ("Bake Watch", "bakewatch@example.test"),
        "its recipients": named == channel,
        "its name": re.fullmatch(r"<bw-[0-9a-f]{32}@example\.test>", letter["message-id"]),
        "its envelope": letter.envid == name(letter),
        "its date": datetime.timedelta() <= age < datetime.timedelta(minutes=5),
        "its text": RULE in text.get_content() and text.get_content_charset() == "utf-8",
        "its page": RULE in page.get_content() and page.get_content_charset() == "utf-8",
        "its picture": pictures == [(1200, 320)],
        "no defects": not [part.defects for part in letter.walk() if part.defects],
        "short lines": max(map(len, raw.splitlines())) <= 998,
        "no password": PASSWORD.encode() not in raw,
    }
    missing = [name for name, is_so in holds.items() if not is_so]
    side.check(f"reads {kind} to {to} field by field", not missing,
               (missing, faults, letter.as_string()[:1200]))


def threads(side: Posted) -> None:
    """All of an incident is one thread, under a root that no mail bears."""
    for to in EVERYBODY:
        letters = [one for kind in KINDS for one in side.letters(to, kind)]
        roots = {one["references"].split()[0] for one in letters}
        side.check(f"keeps what {to} has in one thread",
                   len(roots) == 1 and not roots & {one["message-id"] for one in letters}, roots)


def envelopes(side: Posted) -> None:
    """How each came, by the server's own words."""
    taken = [line for line in side.post.log() if " <= " in line]
    side.check("comes by TLS, with a login, from the sender's address",
               taken and all(" P=esmtpsa " in line and " X=TLS1." in line and f":{USER}" in line
                             and " <= bakewatch@example.test " in line for line in taken), taken)
    for port, to in [(side.post.tls_port, PROMPT[0]), (side.post.starttls_port, PROMPT[1])]:
        for letter in side.letters(to, "FIRING"):
            id = letter["message-id"].strip("<>")
            came = [line for line in taken if f"id={id}" in line and f":{port} " in line]
            side.check(f"comes to {to} by the port of its channel", came, taken)
    refused = side.letters(REFUSED, "FIRING") + side.letters(REFUSED, "RESOLVED")
    side.check("has nothing come to the one who is refused", not refused, refused)
