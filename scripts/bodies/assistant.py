"""The instruments of the checklist's service: 2 % of requests take 30 s, 4 %
fail. Prints its exposition; there is nothing to ask it over a socket."""

import sys

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import REGISTRY, generate_latest, openmetrics

resource = Resource({"service.name": "ai-assistant"})
meter = MeterProvider([PrometheusMetricReader()], resource).get_meter("ai-assistant")
requests = meter.create_counter("ai_assistant.requests", "1")
latency = meter.create_histogram("ai_assistant.request_latency", "ms")
errors = meter.create_counter("ai_assistant.errors", "1")
tool_calls = meter.create_counter("ai_assistant.tool_calls", "1")
tool_latency = meter.create_histogram("ai_assistant.tool_latency", "ms")
usage = meter.create_histogram(
    "gen_ai.client.token.usage",
    "tokens",
    explicit_bucket_boundaries_advisory=[4**power for power in range(14)],
)
for number in range(1000):
    good = number % 25 != 0
    labels = {"success": str(good).lower(), "type": "question"}
    requests.add(1, labels)
    latency.record(30_000 if number % 50 == 1 else 200 + number % 700, labels)
    if not good:
        errors.add(1, {"error_type": "RateLimitError", "component": "process_question"})
    tool = {"tool": "d365.find_order", "success": "true"}
    tool_calls.add(1, tool)
    tool_latency.record(40 + number % 90, tool)
    model = {"gen_ai.request.model": "gpt-4o", "gen_ai.operation.name": "chat"}
    usage.record(900 + number, {"gen_ai.token.type": "input", **model})
    usage.record(120 + number % 60, {"gen_ai.token.type": "output", **model})
if sys.argv[1:] == ["openmetrics"]:
    sys.stdout.write(openmetrics.exposition.generate_latest(REGISTRY).decode())
else:
    sys.stdout.write(generate_latest(REGISTRY).decode())
