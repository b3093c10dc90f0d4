"""What is asked besides HTTP: a gRPC server of the protocol's own library, a
TLS server of OpenSSL with a certificate that ends in two days, and a port that
is closed and opened again."""

import json
import socket
import ssl
import subprocess
import threading
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from harness import free_port
from services import Service, simple
from webhooks import Receiver

PLAN = """
service = "assistant"
url     = "{url}"

[windows]
first-day = {{ length = "45s", every = "1s" }}

[rules]
for     = "2s"
recover = "2s"
range   = "10s"

[[check]]
name = "cache"
tcp  = "127.0.0.1:{tcp}"

[[check]]
name    = "certificate"
tls     = "localhost:{tls}"
ca-file = "{folder}/ca.pem"
expect  = ["tls version >= 1.2", "tls issuer contains \\"Peer CA\\""]

[[check]]
name = "models"
grpc = {{ address = "127.0.0.1:{grpc}", service = "chat" }}
must = false

[[channel]]
name   = "hook"
type   = "webhook"
group-wait = "0s"
group-interval = "0s"
url    = "{hook}"
secret = "{secret}"
"""


def play(bench) -> None:
    hooks = Receiver(bench)
    service = Service(bench, simple())
    cache = Port(bench)
    models = Models(bench)
    tls = tls_server(bench)
    plan = PLAN.format(url=service.url, hook=hooks.url, secret=hooks.secret, tcp=cache.port,
                       tls=tls, grpc=models.port, folder=bench.folder)
    config = bench.write("bakewatch.toml", plan)
    run = bench.bakewatch(
        "bakewatch", "run", "-c", config, "--release", "v1.2.3", "--until", "first-day",
        "--state-dir", bench.folder / "state", "--report-dir", bench.folder / "reports",
    )
    detail = run.printed

    bench.until("tells of a certificate that ends in two days",
                lambda: hooks.alerts("CertificateNearlyExpired", "firing"), 20, detail)
    bench.check("finds nothing else wrong", not hooks.alerts("CheckFailing", "firing"), detail())
    cache.close()
    models.say(health_pb2.HealthCheckResponse.NOT_SERVING)
    bench.until("tells that a port is closed",
                lambda: hooks.alerts("CheckFailing", "firing"), 15, detail)
    bench.until("tells that a gRPC server does not serve",
                lambda: hooks.alerts("OptionalCheckFailing", "firing"), 15, detail)
    cache.open()
    models.say(health_pb2.HealthCheckResponse.SERVING)
    bench.until("tells that the port is open again",
                lambda: hooks.alerts("CheckFailing", "resolved"), 15, detail)
    bench.until("tells that the gRPC server serves again",
                lambda: hooks.alerts("OptionalCheckFailing", "resolved"), 15, detail)
    bench.until("ends with the window", lambda: run.exit() is not None, 60, detail)
    bench.check("exits 1: the certificate is still about to end", run.exit() == 1, run.exit())

    report = bench.folder / "reports" / "assistant" / "v1.2.3" / "first-day.json"
    if not bench.check("writes the summary", report.is_file(), run.printed()):
        return
    checks = {check["name"]: check for check in json.loads(report.read_text())["checks"]}
    passes = {name: check["passes"] for name, check in checks.items()}
    bench.check("shows each check as it was at the end",
                passes == {"cache": True, "certificate": True, "models": True}, passes)
    leaf = checks["certificate"]["tls"]["chain"][0]
    bench.check("shows whose certificate it is",
                (leaf["subject"], leaf["issuer"]) == ("CN=localhost", "CN=Peer CA"), leaf)
    page = report.with_suffix(".html").read_text()
    bench.check("shows them on the page", "Checks beyond HTTP" in page and "1 day left" in page)


class Port:
    """A port that accepts and says nothing."""

    def __init__(self, bench):
        self.port = free_port()
        self._listener = None
        self.open()
        bench.at_end(self.close)

    def open(self) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(64)
        threading.Thread(target=self._serve, args=[self._listener], daemon=True).start()

    def close(self) -> None:
        if self._listener is not None:
            # Also whoever waits in accept() has to let it go.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    @staticmethod
    def _serve(listener) -> None:
        while True:
            try:
                listener.accept()[0].close()
            except OSError:
                return


class Models:
    """The health service of grpcio."""

    def __init__(self, bench):
        self._servicer = health.HealthServicer()
        server = grpc.server(futures.ThreadPoolExecutor(2))
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)
        self.port = server.add_insecure_port("127.0.0.1:0")
        self.say(health_pb2.HealthCheckResponse.SERVING)
        server.start()
        bench.at_end(lambda: server.stop(None))

    def say(self, status) -> None:
        self._servicer.set("chat", status)


def tls_server(bench) -> int:
    """A server for `localhost`, its certificate good for two days."""
    ca, key, leaf = (bench.folder / name for name in ("ca.pem", "key.pem", "leaf.pem"))
    ca_key, request = bench.folder / "ca-key.pem", bench.folder / "request.pem"
    extensions = bench.write("extensions", "subjectAltName=DNS:localhost\n")
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
    for command in (
        [*new, "-x509", "-days", "30", "-subj", "/CN=Peer CA", "-keyout", ca_key, "-out", ca],
        [*new, "-subj", "/CN=localhost", "-keyout", key, "-out", request],
        ["openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-days", "2",
         "-extfile", extensions, "-out", leaf],
    ):
        subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=shake, args=[client], daemon=True).start()

    def shake(client) -> None:
        try:
            with context.wrap_socket(client, server_side=True) as session:
                session.recv(1)
        except OSError:
            pass

    threading.Thread(target=serve, daemon=True).start()
    bench.at_end(listener.close)
    return listener.getsockname()[1]
