"""Messages in the forms of chats and of CloudEvents, as the built program sends
them, read by their vendors' own packages."""

import http.server
import json
import subprocess
import threading
from dataclasses import dataclass

from slack_sdk.models.blocks import Block

from harness import NODE_MODULES, Broken, free_port

PLAN = """
service = "chat-agent"
url     = "http://127.0.0.1:{port}"
settle  = "1s"

[[channel]]
name = "slack"
type = "slack"
group-wait = "0s"
group-interval = "0s"
url  = "{sink}/slack"

[[channel]]
name = "teams"
type = "teams"
group-wait = "0s"
group-interval = "0s"
url  = "{sink}/teams"

[[channel]]
name = "discord"
type = "discord"
group-wait = "0s"
group-interval = "0s"
url  = "{sink}/discord"

[[channel]]
name  = "ntfy"
type  = "ntfy"
group-wait = "0s"
group-interval = "0s"
url   = "{sink}/ntfy"
topic = "on-call"
token = "tk_t0p"

[[channel]]
name  = "events"
type  = "cloudevents"
group-wait = "0s"
group-interval = "0s"
url   = "{sink}/events"
"""

READ_EVENT = """
const { HTTP } = require(process.argv[1] + "/cloudevents");
const { headers, body } = JSON.parse(require("node:fs").readFileSync(process.argv[2], "utf8"));
const event = HTTP.toEvent({ headers, body });
event.validate();
console.log(JSON.stringify([event.id, event.type, event.source, typeof event.data]));
"""

READ_CARD = """
globalThis.self = globalThis; // it is made for browsers
const cards = require(process.argv[1] + "/adaptivecards/dist/adaptivecards.js");
const { body } = JSON.parse(require("node:fs").readFileSync(process.argv[2], "utf8"));
const [attachment] = JSON.parse(body).attachments;
const context = new cards.SerializationContext();
const card = new cards.AdaptiveCard();
card.parse(attachment.content, context);
const said = [];
for (let i = 0; i < context.eventCount; i++) said.push(context.getEventAt(i).message);
for (const event of card.validateProperties().validationEvents) said.push(event.message);
console.log(JSON.stringify([card.getItemCount(), said]));
"""


@dataclass
class Post:
    """One request as it came."""

    headers: dict
    body: str


class Sink:
    """Takes whatever is posted, by its path; Slack wants to hear `ok`."""

    def __init__(self, bench):
        self.taken: dict[str, list[Post]] = {}
        lock, sink = threading.Lock(), self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                with lock:
                    sink.taken.setdefault(self.path.strip("/"), []).append(Post(headers, raw))
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        bench.at_end(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}"


def play(bench) -> None:
    sink = Sink(bench)
    config = bench.write("bakewatch.toml", PLAN.format(port=free_port(), sink=sink.url))
    run = bench.bakewatch(
        "bakewatch", "run", "-c", config, "--release", "v1.2.3", "--until", "smoke",
        "--state-dir", bench.folder / "state", "--report-dir", bench.folder / "reports",
    )
    forms = ["slack", "teams", "discord", "ntfy", "events"]
    bench.until("tells a failed smoke suite in every form",
                lambda: all(form in sink.taken for form in forms), 60, run.printed)
    bench.until("ends", lambda: run.exit() is not None, 60, run.printed)
    first = {form: sink.taken[form][0] for form in forms}
    bodies = {form: json.loads(post.body) for form, post in first.items()}

    blocks = Block.parse_all(bodies["slack"]["blocks"])
    for block in blocks:
        block.validate_json()
    bench.check("makes blocks that Slack's own package takes", len(blocks) >= 3, blocks)
    shown, said = node(bench, READ_CARD, first["teams"])
    bench.check("makes a card that Microsoft's own package reads without a word",
                shown >= 3 and said == [], said)
    event, kind, source, data = node(bench, READ_EVENT, first["events"])
    bench.check("makes an event that the CloudEvents package takes",
                (kind, source, data) == ("bakewatch.release.smoke_failed",
                                         "/bakewatch/chat-agent/v1.2.3", "object")
                and event.startswith("bw-"), (event, kind, source, data))
    bench.check("mentions nobody on Discord",
                bodies["discord"]["allowed_mentions"] == {"parse": []}, bodies["discord"])
    bench.check("publishes to its topic with its token",
                bodies["ntfy"]["topic"] == "on-call"
                and first["ntfy"].headers["authorization"] == "Bearer tk_t0p", first["ntfy"])
    bench.check("shows a token nowhere", "tk_t0p" not in run.printed(), run.printed())


def node(bench, program: str, post: Post):
    """What a program of Node's says of a request."""
    file = bench.write("post.json", json.dumps({"headers": post.headers, "body": post.body}))
    command = ["node", "-e", program, str(NODE_MODULES), str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Broken(done.stderr[-400:])
    return json.loads(done.stdout)
