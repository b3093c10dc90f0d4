"""The checklist's service in small: a FastAPI app that is instrumented as its
users instrument it. Started as `uvicorn fastapi_app:app`."""

from fastapi import FastAPI, HTTPException
from prometheus_fastapi_instrumentator import Instrumentator

app = FastAPI()
Instrumentator().instrument(app).expose(app)


@app.get("/health")
def health():
    return {"status": "healthy", "components": [{"name": "model", "status": "healthy"}]}


@app.get("/health/ready")
def ready():
    return {"status": "ready"}


@app.post("/api/chat")
def chat(question: dict):
    return {"success": True, "response": f"You said: {question.get('message', '')}"}


@app.get("/items/{item}")
def one_item(item: int):
    if item < 0:
        raise HTTPException(404)
    return {"item": item}
