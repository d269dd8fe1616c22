"""A web service whose waits are ended by webhooks, with polling as the safety net.

pip install llamaclassify

    PUBLIC_URL=https://docs.example.com WEBHOOK_SECRET=… python webhook_service.py
    curl --data-binary @a.pdf http://127.0.0.1:8000/documents/a.pdf

The classification service posts to PUBLIC_URL/hook when a job has ended; `llamaclassify serve` does so too,
on this machine. LLAMA_CLOUD_API_KEY and LLAMA_CLOUD_BASE_URL are read as ever.
"""

import os
from collections.abc import AsyncIterator

from aiohttp import web

from llamaclassify import (
    ClassifySession,
    PollPolicy,
    ResponseDecodeError,
    Rule,
    WebhookConfiguration,
    webhooks,
)

RULES = [Rule("invoice", "contains an invoice number, line items, and a total amount")]
PORT = int(os.environ.get("PORT", "8000"))
SECRET = os.environ["WEBHOOK_SECRET"]
HOOK = WebhookConfiguration(
    webhook_url=os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{PORT}") + "/hook",
    webhook_events=("classify.success", "classify.error", "classify.cancelled"),
    webhook_signing_secret=SECRET,
)
# Seldom: it finds the jobs whose delivery was lost.
SAFETY_NET = float(os.environ.get("POLL_SECONDS", "60"))
POLL = PollPolicy(initial=SAFETY_NET, maximum=SAFETY_NET, timeout=3600)
SESSION = web.AppKey("session", ClassifySession)

routes = web.RouteTableDef()


async def opened(app: web.Application) -> AsyncIterator[None]:
    async with ClassifySession(poll=POLL) as app[SESSION]:
        yield


@routes.post("/documents/{name}")
async def classify(request: web.Request) -> web.Response:
    job = await request.app[SESSION].create_and_wait(
        (request.match_info["name"], await request.read()),
        rules=RULES,
        webhook_configurations=[HOOK],
        on_cancel="cancel",
    )
    return web.json_response({"type": job.result.type, "confidence": job.result.confidence})


@routes.post("/hook")
async def hear(request: web.Request) -> web.Response:
    body = await request.read()  # as it came: the signature is over these bytes
    if not webhooks.verify(body, request.headers.get("LC-Signature"), SECRET):
        raise web.HTTPUnauthorized
    try:
        event = webhooks.parse(body, request.headers)
    except ResponseDecodeError as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    if event.job_id is not None:
        # The delivery says that it is time to look; what became of the job, the look says. So deliveries that
        # come twice, late or in another order do no harm.
        request.app[SESSION].notify(event.job_id)
    return web.Response()


if __name__ == "__main__":
    app = web.Application(client_max_size=512 * 1024**2)
    app.add_routes(routes)
    app.cleanup_ctx.append(opened)
    web.run_app(app, host="127.0.0.1", port=PORT, handler_cancellation=True)
