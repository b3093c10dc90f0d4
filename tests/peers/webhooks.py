"""A receiver of webhooks that records each try, checks its signature with the
reference implementation of Standard Webhooks, and fails when told to."""

import base64
import http.server
import json
import os
import threading
import time
from dataclasses import dataclass, field

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


@dataclass
class Try:
    """One request to the receiver."""

    id: str
    body: dict
    raw: bytes
    signed: bool
    answered: int
    at: float = field(default_factory=time.monotonic)

    @property
    def type(self) -> str:
        return self.body.get("type", "")

    @property
    def data(self) -> dict:
        return self.body.get("data", {})

    def alerts(self) -> list:
        """What it tells of; what comes from an Alertmanager, in our words."""
        if "groupKey" not in self.body:
            return self.data.get("alerts", [])
        return [{"rule": alert["labels"]["alertname"], "status": alert["status"],
                 "fired_at": alert["startsAt"], "told_before": True}
                for alert in self.body["alerts"]]


class Receiver:
    """Listens on a loopback port until the bench closes."""

    def __init__(self, bench):
        self.secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        self.tries: list[Try] = []
        # What to answer next: a function of the number of the request.
        self.answer = lambda number: 200
        # Called with a try before it is answered, and when the answer has left.
        self.arrived = lambda one: None
        self.answered = lambda one: None
        # Headers that go with an answer, by its status.
        self.headers: dict[int, dict[str, str]] = {}
        # Set: an answer that is on its way waits until it is cleared.
        self.holds = threading.Event()
        self._lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                receiver._take(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        bench.at_end(self._server.shutdown)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def _take(self, request) -> None:
        raw = request.rfile.read(int(request.headers.get("content-length", 0)))
        try:
            Webhook(self.secret).verify(raw, dict(request.headers.items()))
            signed = True
        except WebhookVerificationError:
            signed = False
        with self._lock:
            status = self.answer(len(self.tries))
            one = Try(request.headers.get("webhook-id", ""), json.loads(raw), raw, signed, status)
            self.tries.append(one)
        self.arrived(one)
        while self.holds.is_set():
            time.sleep(0.05)
        request.send_response(status)
        for name, value in self.headers.get(status, {}).items():
            request.send_header(name, value)
        request.send_header("content-length", "0")
        request.end_headers()
        self.answered(one)

    def taken(self) -> list[Try]:
        """The tries that were answered with success."""
        with self._lock:
            return [one for one in self.tries if one.answered < 300]

    def alerts(self, rule: str, status: str, service: str | None = None) -> list[Try]:
        """The letters that tell of this rule in this status."""

        def tells(one: Try) -> bool:
            return any(
                alert["rule"] == rule and alert["status"] == status for alert in one.alerts()
            )

        return [one for one in self.taken() if tells(one) and of(one, service)]

    def summaries(self, service: str | None = None) -> list[Try]:
        return [one for one in self.taken() if one.type == "release.summary" and of(one, service)]


def of(one: Try, service: str | None) -> bool:
    """Whether a letter is about this service."""
    return service is None or one.data.get("release", {}).get("service") == service
