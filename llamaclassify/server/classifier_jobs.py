"""The routes of the deprecated v1 jobs, ``/api/v1/classifier/jobs``: many files, one set of rules."""

from __future__ import annotations

from aiohttp import web

from ..models import Configuration, ParsingConfiguration
from ..models_v1 import ClassifierParsingConfiguration
from ..wire.checks import classifier_job_issues
from ..wire.converter import decode
from .classify import check_files
from .http import RUNNER, STORE, ApiError, answer_text, invalid, json_object, project_of, whole_number
from .pages import ANY_SIZE, page_of_texts, place_after
from .receivers import webhooks_in
from .store.classifier_jobs import NEWEST_FIRST
from .store.database import Row
from .units import units_of

routes: web.RouteTableDef = web.RouteTableDef()
_PAGE = 100
_PAGES_READ = 5
_CODES = {"ch_sim": "zh", "ch_tra": "zh", "rs_latin": "sr", "rs_cyrillic": "sr"}
"""The languages that v1 writes in its own way, as v2 writes them."""


@routes.post("/api/v1/classifier/jobs")
async def create(request: web.Request) -> web.Response:
    """Take a job in and start on all its files."""
    project, store, runner = project_of(request), request.app[STORE], request.app[RUNNER]
    body = await json_object(request)
    if issues := list(classifier_job_issues(body)):
        raise invalid(issues, "body")
    webhooks = await webhooks_in(request, project, body)
    # A file that is named twice is classified once: results are told apart by their file.
    file_ids = list(dict.fromkeys(body["file_ids"]))
    await check_files(store, project, file_ids)
    parsing = _parsing(body.get("parsing_configuration") or {})
    rules = decode(Configuration, {"rules": body["rules"]}, request="POST /api/v1/classifier/jobs").rules
    with runner.room_for(len(file_ids)):
        job = await store.classifier_jobs.add(
            project,
            file_ids,
            Configuration(rules, parsing_configuration=_as_v2(parsing)),
            webhooks,
            rules=rules,
            mode=body.get("mode") or "FAST",
            parsing_configuration=parsing,
        )
        runner.submit(await units_of(store, job))
    return answer_text(job["body"])


@routes.get("/api/v1/classifier/jobs")
async def list_jobs(request: web.Request) -> web.Response:
    """Give a page of the project's jobs, newest first."""
    project, query = project_of(request), request.query
    size = whole_number(query, "page_size", default=_PAGE, largest=ANY_SIZE)
    after = place_after(query.get("page_token"), NEWEST_FIRST)
    part = await request.app[STORE].classifier_jobs.part(project, after=after, size=size)
    return page_of_texts((row["body"] for row in part.rows), part.last)


@routes.get("/api/v1/classifier/jobs/{classify_job_id}")
async def get(request: web.Request) -> web.Response:
    """Give one job."""
    return answer_text((await _job_of(request))["body"])


@routes.get("/api/v1/classifier/jobs/{classify_job_id}/results")
async def results(request: web.Request) -> web.Response:
    """Give what is known of the files that are done: all of them, once the job has ended."""
    found = await request.app[STORE].classifier_jobs.results(await _job_of(request))
    return page_of_texts((row["item"] for row in found), None, total_size=len(found))


async def _job_of(request: web.Request) -> Row:
    jobs = request.app[STORE].classifier_jobs
    job = await jobs.get(project_of(request), request.match_info["classify_job_id"])
    if job is None:
        raise ApiError(404, "Classify job not found")
    return job


def _parsing(given: dict[str, object]) -> ClassifierParsingConfiguration:
    """Read how to read; v1 reads five pages where nobody says which or how many."""
    if given.get("max_pages") is None and given.get("target_pages") is None:
        given = {**given, "max_pages": _PAGES_READ}
    return decode(ClassifierParsingConfiguration, given, request="POST /api/v1/classifier/jobs")


def _as_v2(parsing: ClassifierParsingConfiguration) -> ParsingConfiguration:
    """Say the same to the engine, whose pages are counted from 1."""
    pages = parsing.target_pages
    return ParsingConfiguration(
        lang=_CODES.get(parsing.lang, parsing.lang),
        max_pages=parsing.max_pages,
        target_pages=None if pages is None else ",".join(str(page + 1) for page in pages),
    )
