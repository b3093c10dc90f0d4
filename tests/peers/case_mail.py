"""A mail about an alert, as a real mail server took it, read field by field by
Python's `email` package: its parts, its picture, its table, its headers, its
addresses beyond ASCII."""

import re
import struct
import zlib

from mail import PASSWORD, REFUSED, USER, MailServer
from services import EXPOSITION, Service, simple

PLAN = """
service = "chat-agent"
url     = "{url}"

[windows]
first-day = {{ length = "5m", every = "1s" }}

[rules]
for     = "4s"
recover = "2s"
range   = "10s"

[[rule]]
name     = "QueueBacklog"
query    = "sum(queue_depth)"
above    = 100
for      = "4s"
severity = "critical"
summary  = "The queue grows"
runbook  = "https://runbooks.example.com/queue"

[[channel]]
name     = "mail"
type     = "email"
from     = "Bake Watch <bakewatch@example.test>"
to       = ["Bereitschaft für Nächte <oncall@example.test>", "jürgen@example.test",
            "desk@bücher.example", "{refused}"]
smtp     = "smtp://{user}@127.0.0.1:{port}"
password = {{ file = "{password}" }}
ca-file  = "{ca}"
group-wait = "0s"
group-interval = "0s"
"""


class Queue:
    """The usual service, with a queue that fills when it is told to."""

    def __init__(self):
        self.depth, self.usual = 7, simple()

    def __call__(self, method, path, body):
        if path == "/metrics":
            status, _, text = self.usual(method, path, body)
            return status, EXPOSITION, f"{text}\n# TYPE queue_depth gauge\nqueue_depth {self.depth}\n"
        return self.usual(method, path, body)


def play(bench) -> None:
    mails, queue = MailServer(bench), Queue()
    service = Service(bench, queue)
    password = bench.write("password", PASSWORD + "\n")
    config = bench.write("bakewatch.toml", PLAN.format(
        url=service.url, refused=REFUSED, user=USER, port=mails.starttls_port, password=password,
        ca=mails.ca))
    run = bench.bakewatch(
        "bakewatch", "run", "-c", config, "--release", "v1.2.3",
        "--state-dir", bench.folder / "state", "--report-dir", bench.folder / "reports",
    )
    bench.until("scrapes a few times", lambda: service.asked["/metrics"] > 14, 60, run.printed)
    queue.depth = 480

    def told(to: str, word: str) -> list:
        return [one for one in mails.letters(to)
                if word in one["subject"] and "QueueBacklog" in one["subject"]]

    oncall = "oncall@example.test"
    fire = bench.until("mails the fire", lambda: told(oncall, "FIRING"), 60, run.printed)[0]
    queue.depth = 3
    resolve = bench.until("mails the resolve", lambda: told(oncall, "RESOLVED"), 60,
                          run.printed)[0]
    for to in ["jürgen@example.test", "desk@xn--bcher-kva.example"]:
        bench.until(f"reaches {to}", lambda to=to: told(to, "FIRING"), 30, run.printed)
    run.stop()
    headers(bench, fire, resolve)
    structure(bench, fire)
    addresses(bench, fire)
    accepted = [line for line in mails.log() if " <= " in line]
    bench.check("gives the server an envelope with the sender's bare address",
                all(" <= bakewatch@example.test " in line for line in accepted), accepted[:2])


def headers(bench, fire, resolve) -> None:
    wanted = {
        "subject": "[FIRING critical] chat-agent v1.2.3: QueueBacklog",
        "auto-submitted": "auto-generated", "x-auto-response-suppress": "All",
        "list-id": "<v1-2-3.chat-agent.bakewatch.invalid>",
        "x-bakewatch-severity": "critical", "x-bakewatch-status": "firing",
        "x-bakewatch-release": "chat-agent v1.2.3",
        "x-bakewatch-incident": "chat-agent/QueueBacklog", "mime-version": "1.0",
    }
    found = {name: fire[name] for name in wanted}
    bench.check("says by its headers what it is", found == wanted, found)
    bench.check("bears a name of its own at the sender's domain",
                re.fullmatch(r"<bw-[0-9a-f]{32}@example\.test>", fire["message-id"])
                and fire["message-id"] != resolve["message-id"], fire["message-id"])
    bench.check("keeps both in one thread, under a root that no mail bears",
                fire["in-reply-to"] == resolve["in-reply-to"] == fire["references"]
                and fire["in-reply-to"].endswith("@bakewatch.invalid>"), fire["in-reply-to"])
    bench.check("has a date", fire["date"].datetime is not None, fire["date"])


def structure(bench, fire) -> None:
    kinds = [part.get_content_type() for part in fire.walk()]
    bench.check("is made as mail programs want it", kinds == [
        "multipart/related", "multipart/alternative", "text/plain", "text/html", "image/png",
    ], kinds)
    text = fire.get_body(("plain",)).get_content()
    page = fire.get_body(("html",)).get_content()
    [picture] = [part for part in fire.walk() if part.get_content_type() == "image/png"]
    cid = picture["content-id"].strip("<>")
    bench.check("shows its picture in the page", f'src="cid:{cid}"' in page, cid)
    bench.check("as a part of it, not as an attachment",
                picture.get_content_disposition() == "inline", picture["content-disposition"])
    width, height, dots = read_png(picture.get_content())
    bench.check("draws something", (width, height) == (1200, 320) and len(set(dots)) >= 4,
                (width, height, set(dots)))
    clock = r"\d\d:\d\d(?::\d\d)?"
    rows = re.findall(rf"^  ({clock}\S{clock})  (\S.*)$", text, re.M)
    bench.check("has the same numbers beside it as a table", len(rows) >= 3
                and any(value == "480" for _, value in rows), rows)
    bench.check("in the page, too", all(f">{when}<" in page and f">{value}<" in page
                                        for when, value in rows), rows)
    lines = bytes(fire).split(b"\n")
    bench.check("keeps lines short", max(map(len, lines)) <= 998, max(map(len, lines)))


def addresses(bench, fire) -> None:
    sender = fire["from"].addresses[0]
    bench.check("names its sender", (sender.display_name, sender.addr_spec)
                == ("Bake Watch", "bakewatch@example.test"), str(fire["from"]))
    # RFC 6532: in UTF-8 as it is, which the package keeps as bytes.
    plain = lambda text: text.encode("utf-8", "surrogateescape").decode()  # noqa: E731
    to = [(one.display_name, plain(one.addr_spec)) for one in fire["to"].addresses]
    bench.check("names its recipients, beyond ASCII too", to == [
        ("Bereitschaft für Nächte", "oncall@example.test"), ("", "jürgen@example.test"),
        ("", "desk@xn--bcher-kva.example"), ("", REFUSED),
    ], to)


def read_png(data: bytes) -> tuple[int, int, bytes]:
    """A picture with a palette, one byte a dot, each check sum held."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        [crc] = struct.unpack(">I", data[at + 8 + length:at + 12 + length])
        assert crc == zlib.crc32(kind + body), kind
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (8, 3)
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    raw, rows, before = zlib.decompress(packed), b"", bytes(width)
    for y in range(height):
        row = raw[y * (width + 1):(y + 1) * (width + 1)]
        assert row[0] in (0, 2), "none, or the difference to the row above"
        dots = row[1:] if row[0] == 0 else bytes((a + b) % 256 for a, b in zip(row[1:], before))
        rows, before = rows + dots, dots
    return width, height, rows
