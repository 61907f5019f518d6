"""Set up what runs trials, as the command line names it; in Python the caller's ``joblib.parallel_config`` does."""

from __future__ import annotations

import importlib
import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import joblib

from ..errors import InputError

# How long a scheduler and its first worker may take to answer.
_SCHEDULER_SECONDS, _WORKER_SECONDS = 5, 15
# How often Ray starts a killed worker again, as often as Dask does.
_RETRIES = 3
# What Ray would print: a warning about its future, attempts to connect, and that it tries again to end its pool.
_QUIET_RAY = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
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
    _check_answer("Dask", scheduler)
    try:
        return distributed.Client(scheduler, timeout=_SCHEDULER_SECONDS)
    except Exception as error:  # whatever else listens there may answer anything
        raise _no_answer("Dask", scheduler) from error


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
        ray.init(num_cpus=_workers(jobs), include_dashboard=False, log_to_driver=False, logging_level="error")
    else:
        _check_answer("Ray", scheduler)
        try:
            ray.init(scheduler, log_to_driver=False, logging_level="error")
        except Exception as error:  # whatever else listens there may answer anything
            raise _no_answer("Ray", scheduler) from error
    try:
        _check_nodes(ray)
        gpus = int(ray.cluster_resources().get("GPU", 0))
        restarts = {"max_restarts": _RETRIES, "max_task_retries": _RETRIES}
        importlib.import_module("ray.util.joblib").register_ray()
        with joblib.parallel_config("ray", ray_remote_args=restarts | ({"num_gpus": 1} if gpus else {})):
            yield gpus or int(ray.cluster_resources()["CPU"])
    finally:
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


def _check_answer(kind: str, scheduler: str) -> None:
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
        raise _no_answer(kind, scheduler) from error


def _no_answer(kind: str, scheduler: str) -> InputError:
    return InputError(
        f"no {kind} scheduler answers at {scheduler}; start one there, or give the address that it printed as "
        "`scheduler`"
    )
