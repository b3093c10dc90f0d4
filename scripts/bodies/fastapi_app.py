"""A FastAPI service measured by prometheus-fastapi-instrumentator."""

import asyncio

from fastapi import FastAPI, HTTPException
from prometheus_fastapi_instrumentator import Instrumentator

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


Instrumentator().instrument(app).expose(app)
