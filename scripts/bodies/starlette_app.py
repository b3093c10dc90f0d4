"""A Starlette service measured by starlette-exporter."""

import asyncio

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette_exporter import PrometheusMiddleware, handle_metrics


async def fine(request):
    return JSONResponse({"status": "healthy"})


async def slow(request):
    await asyncio.sleep(1.2)
    return JSONResponse({})


async def broken(request):
    return JSONResponse({}, status_code=500)


app = Starlette(
    routes=[
        Route("/health", fine),
        Route("/items/{id}", fine),
        Route("/slow", slow),
        Route("/broken", broken),
        Route("/metrics", handle_metrics),
    ]
)
app.add_middleware(PrometheusMiddleware, app_name="shop", group_paths=True)
