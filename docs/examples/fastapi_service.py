"""A web service on FastAPI that says what a document is.

pip install llamaclassify fastapi uvicorn python-multipart

    python fastapi_service.py
    curl -F document=@a.pdf http://127.0.0.1:8000/documents
    curl -F documents=@a.pdf -F documents=@b.pdf http://127.0.0.1:8000/batches

It reads LLAMA_CLOUD_API_KEY and LLAMA_CLOUD_BASE_URL; `llamaclassify serve` prints both for a try on this
machine.
"""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import anyio
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, UploadFile
from fastapi.responses import JSONResponse

from llamaclassify import (
    Batch,
    ClassifySession,
    JobFailedError,
    JobTimeoutError,
    LlamaClassifyError,
    PollPolicy,
    Result,
    Rule,
)

RULES = [
    Rule("invoice", "contains an invoice number, line items, and a total amount"),
    Rule("receipt", "shows that a purchase has been paid"),
]
WITHIN = PollPolicy(timeout=60)  # a client that waits wants an answer or an error


@dataclass
class Background:
    """A batch that runs on after its request was answered."""

    batch: Batch
    results: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None

    async def run(self) -> None:
        try:
            async with self.batch as outcomes:
                async for outcome in outcomes:
                    name, _ = outcome.document
                    found = shown(outcome.result) if outcome.ok else {"error": str(outcome.error)}
                    self.results.append({"document": name} | found)
        except LlamaClassifyError as error:  # the key was refused, say: the service itself goes on
            self.error = str(error)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Open one session for the whole service; end what is in the background before it is closed."""
    async with ClassifySession() as session, anyio.create_task_group() as tasks:
        yield {"session": session, "tasks": tasks, "batches": {}}
        tasks.cancel_scope.cancel()


app = FastAPI(lifespan=lifespan)


def session_of(request: Request) -> ClassifySession:
    return request.state.session


Session = Annotated[ClassifySession, Depends(session_of)]


@asynccontextmanager
async def until_client_leaves(request: Request) -> AsyncIterator[None]:
    """Cancel the block when the client hangs up: FastAPI itself would let it run on."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    with anyio.CancelScope() as scope:
        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()


@app.post("/documents")
async def classify(request: Request, session: Session, document: UploadFile) -> dict[str, Any]:
    content = (document.filename or "document", await document.read())
    async with until_client_leaves(request):
        job = await session.create_and_wait(content, rules=RULES, poll=WITHIN, on_cancel="cancel")
        return shown(job.result)
    raise HTTPException(499, "the client has left")  # nobody reads it; proxies log it so


@app.post("/batches", status_code=202)
async def start_batch(request: Request, session: Session, documents: list[UploadFile]) -> dict[str, Any]:
    contents = [(document.filename or "document", await document.read()) for document in documents]
    batch_id = str(uuid.uuid4())
    background = Background(session.classify_many(contents, rules=RULES))
    request.state.batches[batch_id] = background
    request.state.tasks.start_soon(background.run)
    return {"id": batch_id}


@app.get("/batches/{batch_id}")
async def show_batch(request: Request, batch_id: str) -> dict[str, Any]:
    background = request.state.batches.get(batch_id)
    if background is None:
        raise HTTPException(404)
    progress = background.batch.progress
    return {
        "done": progress.done,
        "total": progress.total,
        "error": background.error,
        "results": background.results,
    }


@app.exception_handler(LlamaClassifyError)
async def explain(request: Request, error: LlamaClassifyError) -> JSONResponse:
    match error:
        case JobFailedError():  # the document cannot be read: nothing is wrong with the service
            return JSONResponse({"detail": str(error)}, 422)
        case JobTimeoutError():
            return JSONResponse({"detail": "not classified in time", "job_id": error.job_id}, 504)
        case _:
            return JSONResponse({"detail": "the classification service did not answer as it should"}, 502)


def shown(result: Result) -> dict[str, Any]:
    return {"type": result.type, "confidence": result.confidence, "reasoning": result.reasoning}


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")))
