"""What developers and CI run: ``nox`` for everything, ``nox -s tests`` for one session."""

from __future__ import annotations

import shutil

import nox
from nox.command import CommandFailed
from nox.virtualenv import UV

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.error_on_external_run = True
nox.options.sessions = ["lint", "types", "docs", "tests", "peers", "fuzz", "ray"]

# Its blocks are of both clients.
VENDORS_PAGE = "tests/test_docs.py::test_its_blocks_run[docs/moving-from-the-vendors-client.md]"
GROUPS = nox.project.load_toml("pyproject.toml")


def _install(session: nox.Session, *groups: str, package: bool = True) -> None:
    wanted = nox.project.dependency_groups(GROUPS, *groups)
    # Built and installed anew each time: what is tested is the package, not the checkout.
    session.install(*wanted, *([".[all]"] if package else []))


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting and spelling."""
    _install(session, "lint", package=False)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")


@nox.session
def types(session: nox.Session) -> None:
    """Complete and consistent types, as the package's users see them too."""
    _install(session, "types", "test")
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "llamaclassify", "--ignoreexternal")


@nox.session
def tests(session: nox.Session) -> None:
    """The test suite, against the installed package; warnings are errors."""
    _install(session, "test", "examples")
    session.run("pytest", *session.posargs)


@nox.session
@nox.parametrize(
    ("client", "flows"),
    [
        ("2.19.0", ["tests/peers/test_today.py", VENDORS_PAGE]),
        ("2.4.1", ["tests/peers/test_v1.py"]),  # the last that had v1's helpers
    ],
    ids=["today", "v1"],
)
def peers(session: nox.Session, client: str, flows: list[str]) -> None:
    """The vendor's own clients, unchanged, against the embedded server."""
    _install(session, "test")
    session.install(f"llama-cloud=={client}")
    session.run("pytest", *flows, *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Requests drawn from the API's schema against the embedded server; the same ones each time."""
    _install(session, "test")
    session.install("schemathesis==4.32.5")
    session.run("pytest", "tests/fuzz", *session.posargs)


@nox.session
def ray(session: nox.Session) -> None:
    """Datasets on a Ray cluster of this machine; skipped, saying so, where its wheels do not come in time."""
    _install(session, "test")
    wheels = GROUPS["project"]["optional-dependencies"]["ray"]
    within = ["timeout", "120"] if shutil.which("timeout") else []
    try:
        session.run_install(*within, UV, "pip", "install", "--only-binary", "ray", *wheels, external=True)
    except CommandFailed:
        session.skip(f"{wheels} could not be installed within two minutes: NOT TESTED")
    session.run("pytest", "tests/cluster", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation's site with llms.txt, in docs/_build/html; warnings are errors."""
    _install(session, "docs")
    session.run("sphinx-build", "-n", "-W", "--keep-going", "-q", "docs", "docs/_build/html")


@nox.session
def pictures(session: nox.Session) -> None:
    """The pictures of README and documentation, in docs/_static; needs Chromium."""
    session.install(".[all]")
    session.run("python", "docs/pictures.py")


@nox.session
def evaluate(session: nox.Session) -> None:
    """How good the engine is, on types that its weights were not fitted on; writes docs/engine.md's table."""
    _install(session, "test")
    session.run("python", "-m", "tests.evaluation.evaluate", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks against the vendor's SDK and code by hand; writes docs/benchmarks.md."""
    session.install(".[local,otel]", "llama-cloud[aiohttp]==2.19.0")
    session.run("python", "tests/bench", *session.posargs)
