"""Requests drawn from the API's schema: no answer of 500 or more, and none outside the schema."""

import asyncio
import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)

from llamaclassify import Configuration, Rule
from llamaclassify.testing import ClassifyServer

CONTRACT = json.loads((Path(__file__).parent.parent / "openapi.json").read_text())
# The contract calls the v1 jobs' file ids UUIDs, and everywhere else gives files ids such as "dfl-…".
del CONTRACT["components"]["schemas"]["FileClassificationV1"]["properties"]["file_id"]["format"]
SCHEMA = schemathesis.openapi.from_dict(CONTRACT)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    ignored_auth,
]
RULES = [Rule("invoice", "contains an invoice number")]


class Known:
    """Ids that are there, made anew when they are asked for."""

    def __init__(self, server):
        self.server = server

    def __call__(self, name):
        return asyncio.run(self._make(name))

    async def _make(self, name):
        async with self.server.session() as session:
            if name == "config_id":
                return (await session.configurations.create("known", Configuration(RULES))).id
            file = await session.files.upload(("invoice.pdf", b"x"))
            if name == "job_id":
                return (await session.create(file.id, rules=RULES)).id
            if name == "classify_job_id":
                return (await session.classifier_jobs.create([file.id], rules=RULES)).id
            return file.id


@pytest.fixture(scope="module")
def server():
    with ClassifyServer() as running:
        yield running


@pytest.fixture(scope="module")
def known(server):
    return Known(server)


def send(case, server):
    headers = {"Authorization": f"Bearer {server.api_key}"}
    case.call_and_validate(base_url=server.url, headers=headers, checks=CHECKS)


def fuzzed(examples):
    """Draw the same requests each time: what fails for one of us fails for all."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@SCHEMA.parametrize()
@seed(20261124)
@fuzzed(100)
def test_anything_that_may_be_asked(case, server):
    send(case, server)


@SCHEMA.parametrize()
@seed(20261125)
@fuzzed(50)
@pytest.mark.filterwarnings("ignore:the v1 classifier jobs:DeprecationWarning")
def test_about_what_is_there(case, server, known):
    case.query = {name: value for name, value in (case.query or {}).items() if name != "project_id"}
    for name in case.path_parameters or {}:
        case.path_parameters[name] = known(name)
    if isinstance(case.body, dict):
        if isinstance(case.body.get("file_input"), str):
            case.body["file_input"] = known("file_id")
        if isinstance(case.body.get("configuration_id"), str):
            # With a configuration beside it, every create would be refused.
            case.body |= {"configuration_id": known("config_id"), "configuration": None}
        if isinstance(case.body.get("file_ids"), list):
            case.body["file_ids"] = [known("file_id")]
    send(case, server)
