"""Trials on real engines: Dask and Ray on this machine, a worker killed in the middle, the same bits everywhere."""

import site
import socket
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from recurra.comparison.engines import engine
from recurra.errors import InputError

DESK = Path(__file__).with_name("engine_desk.py")
TIMES = ["train_seconds", "predict_ms"]


# What is said where an engine cannot be had


@pytest.fixture
def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize(
    ("backend", "scheduler", "jobs", "message"),
    [
        ("spark", None, None, "`backend` must be one of loky, dask, ray; received 'spark'"),
        (None, "tcp://a:1", None, "received tcp://a:1 without `backend`"),
        ("loky", "tcp://a:1", None, "received tcp://a:1 without `backend`"),
        ("dask", "tcp://a:1", 2, "`jobs` does not apply with `scheduler`"),
        ("loky", None, 0, "`jobs` must be 1 or more"),
        ("dask", "somewhere", None, "`scheduler` must be an address such as tcp://.*received 'somewhere'"),
        ("ray", "tcp://a:port", None, "`scheduler` must be an address"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(backend, scheduler, jobs, message):
    with pytest.raises(InputError, match=message), engine(backend, scheduler, jobs):
        pass


@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_a_scheduler_that_does_not_answer_is_one_sentence(backend, closed_port):
    where = f"tcp://127.0.0.1:{closed_port}"
    with pytest.raises(InputError, match=f"no scheduler answers at {where}"), engine(backend, where, None):
        pass


@pytest.mark.parametrize(("backend", "module"), [("dask", "distributed"), ("ray", "ray")])
def test_an_engine_that_is_not_installed_is_named_with_its_extra(backend, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"pip install 'recurra\[{backend}\]'"), engine(backend, None, 2):
        pass


def test_another_version_on_a_worker_is_refused():
    from recurra.comparison.engines import _check_version

    _check_version("the worker at a", "numpy", __import__("numpy").__version__)
    with pytest.raises(InputError, match=r"the worker at a has numpy 1\.0, this machine numpy 2"):
        _check_version("the worker at a", "numpy", "1.0")
    with pytest.raises(InputError, match="the worker at a has no numpy"):
        _check_version("the worker at a", "numpy", ModuleNotFoundError("numpy"))


# Real ones


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An interpreter with Dask and Ray: this one, or one in a virtual environment on top of it."""
    if find_spec("distributed") and find_spec("ray"):
        return sys.executable
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    own = folder / "bin" / "python"
    [packages] = (folder / "lib").glob("python*/site-packages")
    (packages / "below.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    pip = [own, "-m", "pip", "install", "--quiet", "distributed", "ray"]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        pytest.skip(f"Dask and Ray cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
    return str(own)


def trials(python, folder, *arguments):
    """The trials of the small comparison on an engine, without their times."""
    file = folder / "trials.pkl"
    command = [python, "-P", str(DESK), arguments[0], str(file), *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return pd.read_pickle(file).drop(columns=TIMES)


@pytest.fixture(scope="module")
def alone(python, tmp_path_factory):
    return trials(python, tmp_path_factory.mktemp("alone"), "alone")


@pytest.mark.slow
@pytest.mark.parametrize(
    "how", [["loky"], ["dask"], ["ray"], ["dask", "kill"], ["ray", "kill"], ["python"]], ids=" ".join
)
def test_the_same_bits_on_every_engine_and_with_a_killed_worker(python, alone, tmp_path, how):
    pd.testing.assert_frame_equal(trials(python, tmp_path, *how), alone, check_exact=True)
