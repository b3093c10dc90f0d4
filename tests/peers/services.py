"""Small services of our own that can be taken down and up again on the same
port, and that count who asked for what."""

import http.server
import threading
import time
from collections import Counter

from harness import free_port


class Service:
    """Answers by a function `(method, path, body) -> (status, type, text)`."""

    def __init__(self, bench, answer):
        self.port = free_port()
        self.asked: Counter = Counter()
        self._answer = answer
        self._server = None
        self.up()
        bench.at_end(self.down)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                service._serve(self, "GET")

            def do_POST(self):
                service._serve(self, "POST")

            def do_DELETE(self):
                service._serve(self, "DELETE")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=[POLL], daemon=True).start()

    def down(self) -> None:
        """From here on connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _serve(self, request, method: str) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        self.asked[request.path] += 1
        status, kind, text = self._answer(method, request.path, body)
        request.send_response(status)
        request.send_header("content-type", kind)
        request.send_header("content-length", str(len(text.encode())))
        request.end_headers()
        request.wfile.write(text.encode())


POLL = 0.05
JSON = "application/json"
EXPOSITION = "text/plain; version=0.0.4"


def simple(requests_per_second: float = 20.0):
    """Healthy, ready, chatty, and with a counter that grows with time."""
    began = time.monotonic()

    def answer(method, path, _body):
        if path == "/health":
            return 200, JSON, '{"status":"healthy"}'
        if path == "/health/ready":
            return 200, JSON, '{"status":"ready"}'
        if path in ("/smoke", "/api/chat"):
            return 200, JSON, '{"success":true}'
        if path == "/metrics":
            count = int((time.monotonic() - began) * requests_per_second)
            lines = [
                "# TYPE http_requests_total counter",
                f'http_requests_total{{code="200",method="get"}} {count}',
                'http_requests_total{code="500",method="get"} 0',
            ]
            return 200, EXPOSITION, "\n".join(lines) + "\n"
        return 404, JSON, '{"detail":"Not Found"}'

    return answer


# The bounds of OpenTelemetry's default histogram, in milliseconds. It ends at
# 10 s: no quantile of it can ever say more.
OTEL_BOUNDS_MS = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000]


def otel_assistant(requests_per_second: float, slow_ratio: float, error_ratio: float):
    """The checklist's assistant as OpenTelemetry's exporter shows it: of each
    hundred requests some fail and some take 30 s, the others take 40 ms."""
    began = time.monotonic()

    def histogram(count: int) -> list[str]:
        name = "ai_assistant_request_latency_milliseconds"
        labels = 'success="true",type="question"'
        slow = int(count * slow_ratio)
        lines = [f"# TYPE {name} histogram"]
        for bound in OTEL_BOUNDS_MS:
            below = count - slow if bound >= 50 else 0
            lines.append(f'{name}_bucket{{{labels},le="{float(bound)}"}} {below}')
        lines.append(f'{name}_bucket{{{labels},le="+Inf"}} {count}')
        lines.append(f"{name}_count{{{labels}}} {count}")
        lines.append(f"{name}_sum{{{labels}}} {(count - slow) * 40 + slow * 30_000}.0")
        return lines

    def answer(_method, path, _body):
        if path in ("/health", "/health/ready"):
            return 200, JSON, '{"status":"healthy","components":[]}'
        if path == "/api/chat":
            return 200, JSON, '{"success":true,"response":"Hello."}'
        if path != "/metrics":
            return 404, JSON, '{"detail":"Not Found"}'
        count = int((time.monotonic() - began) * requests_per_second)
        bad = int(count * error_ratio)
        name = "ai_assistant_requests_total"
        lines = [
            f"# HELP {name} Total number of requests",
            f"# TYPE {name} counter",
            f'{name}{{success="true",type="question"}} {count - bad}',
            f'{name}{{success="false",type="question"}} {bad}',
            *histogram(count),
            'target_info{service_name="ai-assistant",service_version="1.2.3"} 1',
        ]
        return 200, EXPOSITION, "\n".join(lines) + "\n"

    return answer
