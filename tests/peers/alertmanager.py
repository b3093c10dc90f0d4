"""A real Alertmanager: its process, and, as a side of the courses, one that is
fed as Prometheus feeds it: told at once of what changes, and of all again every
two seconds."""

import datetime
import json
import pathlib
import threading
import time
import urllib.request

from courses import HOLD_SECONDS, RULE, TO, Side
from harness import free_port, listens
from mail import PASSWORD, USER

# Seconds and not minutes, so that a course is short: Prometheus says what burns
# again each minute, and what is over for fifteen of them.
RESEND_SECONDS = 2
RETENTION_SECONDS = 15 * RESEND_SECONDS
LOOK_SECONDS = 0.5

CONFIG = """
route:
  receiver: all
  group_by: [alertname]
  group_wait: 1s
  group_interval: {interval}
  repeat_interval: 1h
receivers:
  - name: all
    webhook_configs: [{{url: "{hook}"}}]
{mail}
"""

MAIL = """
    email_configs:
      - to: "{to}"
        from: alertmanager@example.test
        smarthost: 127.0.0.1:{port}
        auth_username: {user}
        auth_password: {password}
        send_resolved: true
        tls_config: {{ca_file: "{ca}"}}
"""


class Alertmanager:
    """The process; started again, it has what its folder kept."""

    def __init__(self, bench, name: str, config: str, binary="prometheus-alertmanager"):
        self.bench, self.name, self.binary = bench, name, binary
        self.port, self.starts = free_port(), 0
        self.config = bench.write(f"{name}.yml", config)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, folder: str) -> None:
        self.starts += 1
        self.process = self.bench.start(f"{self.name}-{self.starts}", [
            self.binary, f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=", f"--config.file={self.config}",
            f"--storage.path={self.bench.folder / folder}",
        ])
        self.bench.until("finds an Alertmanager", lambda: listens(self.port), 30,
                         self.process.printed)


class Theirs(Side):
    """An Alertmanager over a service, by a client that looks after the service."""

    # What it does not tell, it does not tell later either.
    patience = 20

    def __init__(self, bench, case: str, binary: pathlib.Path):
        super().__init__(bench, case)
        self.binary, self.manager = binary, None
        self.seen_up, self.alert = False, None

    def start(self) -> None:
        if self.manager is None:
            self.manager = Alertmanager(self.bench, f"alertmanager-{self.case}", self._config(),
                                        self.binary)
            threading.Thread(target=self._feed, daemon=True).start()
        self.manager.start(f"alerts-{self.case}")

    def _config(self) -> str:
        mail = "" if not self.mails else MAIL.format(
            to=", ".join(TO), port=self.mails.starttls_port, user=USER, password=PASSWORD,
            ca=self.mails.ca)
        interval = "20s" if self.mails else "6s"
        return CONFIG.format(hook=self.hooks.url, interval=interval, mail=mail)

    def kill(self) -> None:
        self.manager.process.kill()

    def stop(self) -> None:
        self.manager.process.stop()

    def silence(self, seconds: int) -> None:
        matcher = {"name": "alertname", "value": RULE, "isRegex": False, "isEqual": True}
        self._post("/api/v2/silences", {
            "matchers": [matcher], "startsAt": stamp(0), "endsAt": stamp(seconds),
            "createdBy": "somebody", "comment": "by hand",
        })

    def is_up(self) -> bool:
        return self.seen_up

    def goes_on(self) -> bool:
        return bool(self._get("/-/ready"))

    def has_receipt(self) -> bool:
        """It counts a notification, and none that failed."""
        counts = {"alertmanager_notifications_total": 0.0,
                  "alertmanager_notifications_failed_total": 0.0}
        for line in self._get("/metrics").splitlines():
            name = line.split("{")[0]
            if name in counts and 'integration="webhook"' in line:
                counts[name] += float(line.split()[-1])
        told, failed = counts.values()
        return told > failed

    def _feed(self) -> None:
        """What Prometheus does with the rule: it looks, holds, and sends."""
        turned, was_up, sent = time.monotonic(), True, 0.0
        while True:
            is_up = listens(self.service.port)
            now = time.monotonic()
            if is_up != was_up:
                turned, was_up = now, is_up
            self.seen_up = self.seen_up or is_up
            changed = False
            if now - turned >= HOLD_SECONDS:
                changed = self._turn(burns=not is_up)
            is_told = self.alert and (not is_up or now - turned < RETENTION_SECONDS)
            if is_told and (changed or now - sent >= RESEND_SECONDS):
                sent = now
                self._send()
            time.sleep(LOOK_SECONDS)

    def _turn(self, burns: bool) -> bool:
        """Whether the alert begins or ends with this look."""
        is_burning = self.alert is not None and self.alert["endsAt"] is None
        if burns and not is_burning:
            self.alert = {"startsAt": stamp(0), "endsAt": None}
        elif is_burning and not burns:
            self.alert["endsAt"] = stamp(0)
        return burns != is_burning

    def _send(self) -> None:
        self._post("/api/v2/alerts", [{
            "labels": {"alertname": RULE, "severity": "critical", "service": "shaky"},
            "annotations": {"summary": "no replica is healthy"},
            "startsAt": self.alert["startsAt"],
            # What burns is said to end later than the next words about it.
            "endsAt": self.alert["endsAt"] or stamp(60),
        }])

    def _post(self, path: str, body) -> None:
        request = urllib.request.Request(
            self.manager.url + path, json.dumps(body).encode(),
            {"content-type": "application/json"})
        self._ask(request)

    def _get(self, path: str) -> str:
        return self._ask(self.manager.url + path)

    def _ask(self, request) -> str:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""  # it is down: said again with the next


def stamp(seconds: float) -> str:
    """So many seconds from now."""
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
