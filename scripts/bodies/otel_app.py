"""A FastAPI service measured by OpenTelemetry. Whether it prints the stable
names or the old ones is OTEL_SEMCONV_STABILITY_OPT_IN's to say."""

import asyncio

from fastapi import FastAPI, HTTPException, Response
from opentelemetry import metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.system_metrics import SystemMetricsInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

resource = Resource({"service.name": "shop", "service.version": "1.2.3"})
metrics.set_meter_provider(MeterProvider([PrometheusMetricReader()], resource))
SystemMetricsInstrumentor(
    config={"process.memory.usage": None, "process.cpu.time": ["user", "system"]}
).instrument()
app = FastAPI()


@app.get("/health")
def health():
    return {"status": "healthy"}


@app.get("/items/{id}")
def item(id: int):
    return {"id": id}


@app.get("/slow")
async def slow():
    await asyncio.sleep(1.2)
    return {}


@app.get("/broken")
def broken():
    raise HTTPException(status_code=500)


@app.get("/metrics")
def exposition():
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


FastAPIInstrumentor.instrument_app(app)
