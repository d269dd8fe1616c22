"""A web service on aiohttp that says what a document is.

pip install llamaclassify

    python aiohttp_service.py
    curl --data-binary @a.pdf http://127.0.0.1:8000/documents/a.pdf
    curl -F documents=@a.pdf -F documents=@b.pdf http://127.0.0.1:8000/batches

It reads LLAMA_CLOUD_API_KEY and LLAMA_CLOUD_BASE_URL; `llamaclassify serve` prints both for a try on this
machine.
"""

import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import anyio
from aiohttp import web
from aiohttp.typedefs import Handler
from anyio.abc import TaskGroup

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


SESSION = web.AppKey("session", ClassifySession)
TASKS = web.AppKey("tasks", TaskGroup)
BATCHES = web.AppKey("batches", dict[str, Background])


async def opened(app: web.Application) -> AsyncIterator[None]:
    """Open one session for the whole service; end what is in the background before it is closed."""
    async with ClassifySession() as session, anyio.create_task_group() as tasks:
        app[SESSION], app[TASKS], app[BATCHES] = session, tasks, {}
        yield
        tasks.cancel_scope.cancel()


routes = web.RouteTableDef()


@routes.post("/documents/{name}")
async def classify(request: web.Request) -> web.Response:
    document = (request.match_info["name"], await request.read())
    # A client that hangs up cancels this handler, and with it the job: see handler_cancellation below.
    job = await request.app[SESSION].create_and_wait(document, rules=RULES, poll=WITHIN, on_cancel="cancel")
    return web.json_response(shown(job.result))


@routes.post("/batches")
async def start_batch(request: web.Request) -> web.Response:
    form = await request.post()
    documents = [(part.filename, part.file.read()) for part in form.getall("documents")]
    batch_id = str(uuid.uuid4())
    background = Background(request.app[SESSION].classify_many(documents, rules=RULES))
    request.app[BATCHES][batch_id] = background
    request.app[TASKS].start_soon(background.run)
    return web.json_response({"id": batch_id}, status=202)


@routes.get("/batches/{batch_id}")
async def show_batch(request: web.Request) -> web.Response:
    background = request.app[BATCHES].get(request.match_info["batch_id"])
    if background is None:
        raise web.HTTPNotFound
    progress = background.batch.progress
    return web.json_response(
        {
            "done": progress.done,
            "total": progress.total,
            "error": background.error,
            "results": background.results,
        }
    )


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except JobFailedError as error:  # the document cannot be read: nothing is wrong with the service
        return web.json_response({"detail": str(error)}, status=422)
    except JobTimeoutError as error:
        return web.json_response({"detail": "not classified in time", "job_id": error.job_id}, status=504)
    except LlamaClassifyError:
        detail = "the classification service did not answer as it should"
        return web.json_response({"detail": detail}, status=502)


def shown(result: Result) -> dict[str, Any]:
    return {"type": result.type, "confidence": result.confidence, "reasoning": result.reasoning}


def application() -> web.Application:
    app = web.Application(middlewares=[explain], client_max_size=512 * 1024**2)
    app.add_routes(routes)
    app.cleanup_ctx.append(opened)
    return app


if __name__ == "__main__":
    web.run_app(
        application(),
        host="127.0.0.1",
        port=int(os.environ.get("PORT", "8000")),
        handler_cancellation=True,
    )
