"""The routes of the deprecated v1 jobs, ``/api/v1/classifier/jobs``: many files, one set of rules."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from ..models import Configuration, ParsingConfiguration
from ..models_v1 import ClassifierJob, ClassifierParsingConfiguration
from ..wire.checks import classifier_job_issues
from ..wire.converter import decode, encode
from .classify import file_in
from .http import (
    ANY_SIZE,
    RUNNER,
    ApiError,
    Place,
    answer,
    invalid,
    json_object,
    page_of,
    page_size,
    project_of,
)
from .many import FileOfJob, StoredClassifierJob

routes: web.RouteTableDef = web.RouteTableDef()
_PAGE = 100
_PAGES_READ = 5
_CODES = {"ch_sim": "zh", "ch_tra": "zh", "rs_latin": "sr", "rs_cyrillic": "sr"}
"""The languages that v1 writes in its own way, as v2 writes them."""


@routes.post("/api/v1/classifier/jobs")
async def create(request: web.Request) -> web.Response:
    """Take a job in and start on all its files."""
    project = project_of(request)
    body = await json_object(request)
    if issues := list(classifier_job_issues(body)):
        raise invalid(issues, "body")
    # A file that is named twice is classified once: results are told apart by their file.
    file_ids = [file_in(project, file_id) for file_id in dict.fromkeys(body["file_ids"])]
    parsing = _parsing(body.get("parsing_configuration") or {})
    rules = decode(Configuration, {"rules": body["rules"]}, request="POST /api/v1/classifier/jobs").rules
    stored = project.add_classifier_job(
        file_ids, rules=rules, mode=body.get("mode") or "FAST", parsing_configuration=parsing
    )
    configuration = Configuration(rules, parsing_configuration=_as_v2(parsing))
    for file_id in file_ids:
        request.app[RUNNER].submit(project, file_id, configuration, FileOfJob(stored, file_id))
    return answer(stored.job)


@routes.get("/api/v1/classifier/jobs")
async def list_jobs(request: web.Request) -> web.Response:
    """Give a page of the project's jobs, newest first."""
    jobs: Iterator[tuple[Place, ClassifierJob]] = (
        ((-stored.number,), stored.job) for stored in reversed(project_of(request).classifier_jobs.values())
    )
    size = page_size(request.query, default=_PAGE, largest=ANY_SIZE)
    return page_of(jobs, size=size, token=request.query.get("page_token"))


@routes.get("/api/v1/classifier/jobs/{classify_job_id}")
async def get(request: web.Request) -> web.Response:
    """Give one job."""
    return answer(_job_of(request).job)


@routes.get("/api/v1/classifier/jobs/{classify_job_id}/results")
async def results(request: web.Request) -> web.Response:
    """Give what is known of the files that are done: all of them, once the job has ended."""
    found = _job_of(request).found
    return web.json_response({"items": encode(found), "next_page_token": None, "total_size": len(found)})


def _job_of(request: web.Request) -> StoredClassifierJob:
    stored = project_of(request).classifier_jobs.get(request.match_info["classify_job_id"])
    if stored is None:
        raise ApiError(404, "Classify job not found")
    return stored


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
