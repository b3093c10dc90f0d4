"""A bot of Slack's, as the built program speaks through it, to a workspace of our
own that keeps what it is told: one message an incident, brought up to date."""

import http.server
import json
import threading

from slack_sdk.models.blocks import Block

from services import Service, simple

TOKEN = "xoxb-only-for-the-tests"

PLAN = """
service = "chat-agent"
url     = "{url}"

[windows]
first-day = {{ length = "2m", every = "1s" }}

[rules]
for     = "2s"
recover = "2s"

[[channel]]
name    = "ops"
type    = "slack"
token   = "{token}"
channel = "#ops"
url     = "{workspace}"
group-wait = "0s"
group-interval = "0s"
"""


class Workspace:
    """What Slack does with the two methods that are used."""

    def __init__(self, bench):
        self.messages: dict[str, dict] = {}
        self.wrong: list = []
        self._lock = threading.Lock()
        workspace = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                said = workspace.told(self.path, dict(self.headers), json.loads(raw))
                text = json.dumps(said).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        bench.at_end(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}/api"

    def told(self, path: str, headers: dict, body: dict) -> dict:
        headers = {name.lower(): value for name, value in headers.items()}
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return {"ok": False, "error": "invalid_auth"}
        with self._lock:
            if path == "/api/chat.postMessage":
                ts = f"1700000000.{len(self.messages):06}"
                self.messages[ts] = {"edits": 0, **body}
            elif path == "/api/chat.update":
                ts = body["ts"]
                if ts not in self.messages or body["channel"] != "C0FFEE":
                    self.wrong.append(body)
                    return {"ok": False, "error": "message_not_found"}
                edits = self.messages[ts]["edits"] + 1
                self.messages[ts] = {"edits": edits, **body}
            else:
                return {"ok": False, "error": "unknown_method"}
        return {"ok": True, "channel": "C0FFEE", "ts": ts, "message": body}

    def of(self, word: str) -> list:
        with self._lock:
            return [(ts, one) for ts, one in sorted(self.messages.items())
                    if word in one["text"] and "ServiceDown" in one["text"]]


def play(bench) -> None:
    workspace, service = Workspace(bench), Service(bench, simple())
    config = bench.write("bakewatch.toml", PLAN.format(
        url=service.url, token=TOKEN, workspace=workspace.url))
    arguments = ["run", "-c", config, "--release", "v1.2.3", "--state-dir",
                 bench.folder / "state", "--report-dir", bench.folder / "reports"]
    run = bench.bakewatch("bakewatch", *arguments)
    bench.until("has tried the suite", lambda: " steps: " in run.printed(), 60, run.printed)
    service.down()
    ts, fire = bench.until("tells the fire", lambda: workspace.of("FIRING"), 60, run.printed)[0]
    bench.check("to the channel", fire["channel"] == "#ops", fire["channel"])
    bench.until("has the receipt", lambda: "ops" in run.printed(), 30, run.printed)
    run.kill()
    again = bench.bakewatch("bakewatch-again", *arguments)
    service.up()
    ended = bench.until("tells the end, by another process",
                        lambda: len(workspace.of("RESOLVED")) == 2 and workspace.of("RESOLVED"),
                        60, again.printed)
    (first, message), (_, reply) = ended
    bench.check("brings the same message up to date", (first, message["edits"]) == (ts, 1), ended)
    bench.check("and says so in its thread", reply.get("thread_ts") == ts, reply)
    bench.check("changes nothing that is not there", not workspace.wrong, workspace.wrong)
    for _, one in sorted(workspace.messages.items()):
        for block in Block.parse_all(one.get("blocks", [])):
            block.validate_json()
    bench.check("makes blocks that Slack's own package takes", True)
    again.stop()
    stored = b"".join(path.read_bytes() for path in (bench.folder / "state").glob("*"))
    bench.check("shows and stores its token nowhere",
                TOKEN not in run.printed() + again.printed() and TOKEN.encode() not in stored)
