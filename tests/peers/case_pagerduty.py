"""Events for PagerDuty as the built program sends them, held against the fields
and limits that its Events API v2 publishes."""

import json
import re

from case_forms import Sink
from services import Service, simple

KEY = "R0UT1NGK3YR0UT1NGK3YR0UT1NGK3Y00"

PLAN = """
service = "chat-agent"
url     = "{url}"

[windows]
first-day = {{ length = "2m", every = "1s" }}

[rules]
for     = "2s"
recover = "2s"

[[channel]]
name        = "pager"
type        = "pagerduty"
routing-key = "{key}"
url         = "{sink}"
group-wait = "0s"
group-interval = "0s"
"""


def play(bench) -> None:
    sink, service = Sink(bench), Service(bench, simple())
    config = bench.write("bakewatch.toml", PLAN.format(url=service.url, sink=sink.url, key=KEY))
    run = bench.bakewatch(
        "bakewatch", "run", "-c", config, "--release", "v1.2.3",
        "--state-dir", bench.folder / "state", "--report-dir", bench.folder / "reports",
    )
    events = lambda: [json.loads(one.body) for one in sink.taken.get("v2/enqueue", [])]  # noqa: E731
    changes = lambda: [json.loads(one.body)  # noqa: E731
                       for one in sink.taken.get("v2/change/enqueue", [])]

    def of_the_service(action: str) -> list:
        keys = {one["dedup_key"] for one in events()
                if "ServiceDown" in one.get("payload", {}).get("summary", "")}
        return [one for one in events() if one["event_action"] == action
                and one["dedup_key"] in keys]

    bench.until("tells the release as a change event", changes, 30, run.printed)
    bench.check("names it", "v1.2.3: RELEASED" in changes()[0]["payload"]["summary"], changes())
    state = bench.folder / "state"
    bench.until("is healthy", lambda: "healthy" in run.printed() or list(state.glob("*.db")), 30)
    bench.until("has tried the suite", lambda: " steps: " in run.printed(), 60, run.printed)
    service.down()
    bench.until("triggers an incident", lambda: of_the_service("trigger"), 60, run.printed)
    service.up()
    bench.until("resolves it", lambda: of_the_service("resolve"), 60, run.printed)
    run.stop()
    bench.until("ends", lambda: run.exit() is not None, 60, run.printed)

    wrong = [why for one in events() for why in wrong_in_event(one)]
    wrong += [why for one in changes() for why in wrong_in_change(one)]
    bench.check("keeps to the fields and limits that are published", not wrong, wrong)
    order = [(one["event_action"], one["dedup_key"]) for one in events()]
    key = of_the_service("trigger")[0]["dedup_key"]
    bench.check("triggers before it resolves",
                order.index(("trigger", key)) < order.index(("resolve", key)), order)
    stored = b"".join(path.read_bytes() for path in state.glob("*"))
    bench.check("shows and stores its routing key nowhere",
                KEY not in run.printed() and KEY.encode() not in stored)


def wrong_in_event(event: dict) -> list:
    wrong = []
    known = {"routing_key", "event_action", "dedup_key", "client", "client_url", "links",
             "images", "payload"}
    if set(event) - known:
        wrong.append(f"unknown fields {set(event) - known}")
    if event["routing_key"] != KEY:
        wrong.append("no routing key")
    if not 0 < len(event["dedup_key"]) <= 255:
        wrong.append(f"key {event['dedup_key']}")
    if len(json.dumps(event)) > 512_000:
        wrong.append("too large")
    if event["event_action"] == "trigger":
        payload = event["payload"]
        if payload["severity"] not in {"critical", "error", "warning", "info"}:
            wrong.append(payload["severity"])
        wrong += wrong_in_payload(payload, {"summary", "source", "severity", "timestamp",
                                            "component", "group", "class", "custom_details"})
    elif event["event_action"] != "resolve":
        wrong.append(event["event_action"])
    return wrong + wrong_in_links(event)


def wrong_in_change(event: dict) -> list:
    wrong = [] if event["routing_key"] == KEY else ["no routing key"]
    if set(event) - {"routing_key", "payload", "links", "images"}:
        wrong.append(f"unknown fields {sorted(event)}")
    known = {"summary", "timestamp", "source", "custom_details"}
    return wrong + wrong_in_payload(event["payload"], known) + wrong_in_links(event)


def wrong_in_payload(payload: dict, known: set) -> list:
    wrong = [f"unknown fields {set(payload) - known}"] if set(payload) - known else []
    if not 0 < len(payload["summary"]) <= 1024 or not payload["source"]:
        wrong.append(payload["summary"])
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", payload["timestamp"]):
        wrong.append(payload["timestamp"])
    return wrong


def wrong_in_links(event: dict) -> list:
    links = event.get("links", [])
    return [link for link in links if set(link) != {"href", "text"}
            or not re.match("https?://", link["href"])]
