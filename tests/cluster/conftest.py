"""A Ray cluster of this machine, one for all tests, and the embedded server for its workers."""

import os
from pathlib import Path

import pytest
import ray
from ray.data import DataContext

from llamaclassify.testing.server import ClassifyServer

KEY = "llx-test"


@pytest.fixture(scope="session")
def cluster():
    """Two CPUs, as many as the smallest machine that the tests run on has."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # what the workers import is what is tested
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


@pytest.fixture
def server():
    """Documents are what their names say."""
    with ClassifyServer(api_key=KEY) as running:
        yield running
