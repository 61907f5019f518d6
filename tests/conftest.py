"""Settings for all tests; nothing here is imported by the package."""

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import settings

# Read once, when TensorFlow is first imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# A first example may compile a graph, and the machines that run the tests are shared: no example is too slow.
settings.register_profile("recurra", deadline=None)
settings.load_profile("recurra")


def _beside(name):
    """A module of helpers in this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def serving_desk():
    """The module `serving_desk.py`: SavedModels and servers. It is loaded on first use, with TensorFlow."""
    return _beside("serving_desk")


@pytest.fixture(scope="session")
def chromium():
    """The module `chromium.py`: a real browser."""
    return _beside("chromium")


@pytest.fixture(scope="session")
def model_folder(serving_desk, tmp_path_factory):
    """SavedModels that are not ours."""
    return serving_desk.models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def server(serving_desk, model_folder):
    """One server for all tests that leave it as it was."""
    with serving_desk.serving(model_folder) as served:
        yield served
