"""Set up what runs trials, as the command line names it; in Python the caller's ``joblib.parallel_config`` does."""

from __future__ import annotations

import importlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import joblib

from ..errors import InputError

# How long a scheduler and its first worker may take to answer.
_SCHEDULER_SECONDS, _WORKER_SECONDS = 5, 15
# How long a thread of Ray's may take to see that its workers are gone, after Ctrl-C.
_THREAD_SECONDS = 3
# How often Ray starts a killed worker again, as often as Dask does.
_RETRIES = 3
# What Ray would print: a warning about its future, attempts to connect, and that it tries again to end its pool.
_QUIET_RAY = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ENABLE_AUTO_CONNECT": "0",  # after Ctrl-C a thread of its pool would start Ray anew
    "RAY_DEDUP_LOGS_SKIP_REGEX": r"Task PoolActor\.",
}
# What has to be the same everywhere for the numbers to be.
_PACKAGES = ("recurra", "tensorflow", "keras", "numpy", "pandas", "scikit-learn", "joblib", "cloudpickle")


@contextmanager
def engine(backend: str | None, scheduler: str | None, jobs: int | None) -> Iterator[int | None]:
    """Let joblib run trials on an engine as long as the context lasts.

    Args:
        backend: "loky", processes on this machine; "dask" or "ray".
        scheduler: address of a cluster that runs already; None: one is started on this machine.
        jobs: workers on this machine; of a running cluster all of them are used.

    Yields:
        ``n_jobs`` for :func:`recurra.compare`.

    Raises:
        InputError: an unknown backend, one that is not installed, a scheduler that does not answer or has no workers,
            or options that do not go together.
    """
    if backend not in (None, *_ENGINES):
        raise InputError(f"`backend` must be one of {', '.join(_ENGINES)}; received {backend!r}")
    if scheduler is not None and backend in (None, "loky"):
        raise InputError(f"`scheduler` is the address of a Dask or Ray cluster; received {scheduler} without `backend`")
    if scheduler is not None and jobs is not None:
        raise InputError("`jobs` does not apply with `scheduler`: all workers of the cluster are used; leave it out")
    if jobs == 0:
        raise InputError("`jobs` must be 1 or more, or -1 for as many as there are cores; received 0")
    if scheduler is not None:
        _check_answer(scheduler)
    with _ENGINES[backend or "loky"](scheduler, jobs) as n_jobs:
        yield n_jobs


@contextmanager
def _loky(_: str | None, jobs: int | None) -> Iterator[int | None]:
    yield jobs


@contextmanager
def _dask(scheduler: str | None, jobs: int | None) -> Iterator[int | None]:
    distributed = _imported("distributed", "dask")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with _dask_client(distributed, scheduler, jobs) as client:
        _check_workers(client, distributed)
        with joblib.parallel_config("dask", client=client):
            yield -1


def _dask_client(distributed: Any, scheduler: str | None, jobs: int | None) -> AbstractContextManager[Any]:
    if scheduler is None:
        return distributed.Client(
            n_workers=_workers(jobs), threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
        )
    try:
        return distributed.Client(scheduler, timeout=_SCHEDULER_SECONDS)
    except Exception as error:  # whatever else listens there may answer anything
        raise _no_answer(scheduler) from error


def _check_workers(client: Any, distributed: Any) -> None:
    """Refuse a cluster without workers, and one whose workers would give other numbers."""
    try:
        client.wait_for_workers(1, timeout=_WORKER_SECONDS)
    except distributed.TimeoutError as error:
        where = client.scheduler.address
        raise InputError(f"the scheduler at {where} has no workers; start some with `dask worker {where}`") from error
    for package in _PACKAGES:
        for worker, found in client.run(version, package, on_error="return").items():
            _check_version(f"the worker at {worker}", package, found)


@contextmanager
def _ray(scheduler: str | None, jobs: int | None) -> Iterator[int | None]:
    for name, value in _QUIET_RAY.items():
        os.environ.setdefault(name, value)
    ray = _imported("ray", "ray")
    if scheduler is None:
        ray.init("local", num_cpus=_workers(jobs), include_dashboard=False, log_to_driver=False, logging_level="error")
    else:
        try:
            ray.init(scheduler, log_to_driver=False, logging_level="error")
        except Exception as error:  # whatever else listens there may answer anything
            raise _no_answer(scheduler) from error
    try:
        _check_nodes(ray)
        gpus = int(ray.cluster_resources().get("GPU", 0))
        restarts = {"max_restarts": _RETRIES, "max_task_retries": _RETRIES}
        importlib.import_module("ray.util.joblib").register_ray()
        with joblib.parallel_config("ray", ray_remote_args=restarts | ({"num_gpus": 1} if gpus else {})):
            yield gpus or int(ray.cluster_resources()["CPU"])
    finally:
        for thread in threading.enumerate():  # of its pool, which would ask what is no longer there
            if type(thread).__module__.startswith("ray.util.multiprocessing"):
                thread.join(_THREAD_SECONDS)
        ray.shutdown()


def _check_nodes(ray: Any) -> None:
    """Refuse nodes that would give other numbers."""
    on_node = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    for node in ray.nodes():
        if not node["Alive"]:
            continue
        ask = ray.remote(version).options(num_cpus=0, scheduling_strategy=on_node(node["NodeID"], soft=False))
        for package, found in zip(_PACKAGES, ray.get([ask.remote(p) for p in _PACKAGES]), strict=True):
            _check_version(f"the node {node['NodeManagerAddress']}", package, found)


_ENGINES: dict[str, Callable[[str | None, int | None], AbstractContextManager[int | None]]] = {
    "loky": _loky,
    "dask": _dask,
    "ray": _ray,
}


def _workers(jobs: int | None) -> int:
    return joblib.cpu_count() if jobs in (None, -1) else jobs


def _imported(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"`backend` {extra} needs a package that is not installed; pip install 'recurra[{extra}]'"
        ) from error


def _check_version(where: str, package: str, found: object) -> None:
    if found == version(package):
        return
    has = f"{package} {found}" if isinstance(found, str) else f"no {package}"
    raise InputError(
        f"{where} has {has}, this machine {package} {version(package)}; install the same versions of recurra and what "
        "it needs everywhere, or the numbers would differ"
    )


def _check_answer(scheduler: str) -> None:
    """Refuse an address where nobody listens: the engines themselves would try for a minute."""
    address = urlsplit(scheduler if "://" in scheduler else f"tcp://{scheduler}")
    try:
        place = address.hostname, address.port
    except ValueError:
        place = None, None
    if None in place:
        raise InputError(f"`scheduler` must be an address such as tcp://10.0.0.1:8786; received {scheduler!r}")
    try:
        socket.create_connection(place, _SCHEDULER_SECONDS).close()
    except OSError as error:
        raise _no_answer(scheduler) from error


def _no_answer(scheduler: str) -> InputError:
    return InputError(
        f"no scheduler answers at {scheduler}; start one there, or give the address that it printed as `scheduler`; a "
        "Ray cluster that asks for a token also needs RAY_AUTH_MODE=token"
    )
