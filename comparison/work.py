"""What a worker is sent and gives back: a model on some folds, and once for all of them the data and the settings."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import joblib
import numpy as np

from ..quiet import import_quietly
from .identity import holds

import_quietly()  # a worker imports this module before any other of the package, and writes where the user reads

from .progress import ignore  # noqa: E402
from .run import Run  # noqa: E402
from .trials import Observe, Outcome  # noqa: E402

if TYPE_CHECKING:
    from ..frames import Frame
    from ..tasks import Task
    from .settings import CompareSettings

ByFold = dict[int, list[Outcome]]


@dataclass(frozen=True, eq=False)
class RunDescription:
    """What all works of a run have in common.

    Attributes:
        frame, task, settings, partner, observe: of the run, whose task has nothing left open.
        folder: where the sender keeps finished trials.
        identity: of the run, which a folder has to hold to be the sender's.
    """

    frame: Frame
    task: Task
    settings: CompareSettings
    folder: Path
    identity: dict[str, Any]
    partner: str | None = None
    observe: Observe | None = None

    def packed(self) -> np.ndarray:
        """Itself as bytes in an array (bytes,), which joblib and its engines know how to send once."""
        return np.frombuffer(cloudpickle.dumps(self), "uint8")

    def open(self) -> Run:
        """The run as a worker sees it; on a machine that does not share the sender's folder, nothing is kept."""
        opened = self.task.open(self.frame, folds=self.settings.folds, batch_size=self.settings.batch_size)
        folder = self.folder if holds(self.folder, self.identity) else None
        return Run(opened, self.settings, folder, ignore, self.partner, self.observe)


@dataclass(frozen=True)
class Work:
    """A model on some folds.

    Attributes:
        run_id: of the run that it belongs to.
        sender: the process that it comes from.
        model: a family or a baseline.
        folds: their numbers.
    """

    run_id: str
    sender: int
    model: str
    folds: tuple[int, ...]


_kept: dict[str, Run] = {}  # a worker keeps what it has compiled for the next work of the same run
_one_at_a_time = threading.Lock()


def do(work: Work, packed: Any) -> tuple[Work, ByFold, list[str]]:
    """Run what is not finished yet: outcomes by fold, and what preparing the data noted.

    A process trains one network at a time, also where its engine gives it several threads: what is compiled and the
    state of random generators are the process's.

    Args:
        work: model and folds.
        packed: a :class:`RunDescription`, as :func:`sent_once` gave it away.
    """
    with _one_at_a_time:
        if os.getpid() != work.sender:
            _settle_in()
        if work.run_id not in _kept:
            _kept.clear()
            description: RunDescription = pickle.loads(_received(packed).data)
            _kept[work.run_id] = description.open()
        run = _kept[work.run_id]
        return work, {fold: run.trials_of(work.model, fold) for fold in work.folds}, run.experiment.notes


def sent_once(packed: np.ndarray) -> Any:
    """An argument of many calls that travels once to each worker.

    loky maps it into memory. joblib would have Dask keep it on one worker only, where a kill loses it for all; and with
    Ray it would travel with every call, because joblib wraps the calls in which Ray looks for large arguments.
    """
    backend, _ = joblib.parallel.get_active_backend()
    if hasattr(backend, "client"):  # Dask's
        return backend.client.scatter(packed, broadcast=True)
    if type(backend).__module__.startswith("ray."):
        import ray

        return ray.put(packed)
    return packed


def _received(packed: Any) -> Any:
    if isinstance(packed, np.ndarray):
        return packed
    import ray

    return ray.get(packed)


def _settle_in() -> None:
    """Give TensorFlow the threads and GPUs that the engine gave this process, and Ctrl-C to the one the user sees."""
    import tensorflow as tf

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threads = threads_of_worker()
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        for gpu in tf.config.list_physical_devices("GPU"):  # those of CUDA_VISIBLE_DEVICES, which the engine sets
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError:
        return  # this worker has computed before, and has them already


def threads_of_worker() -> int:
    """Threads that the engine means this process to use: joblib, Dask and Ray say it in OMP_NUM_THREADS.

    A Dask worker with several threads has them all for the one network that it trains at a time.
    """
    said = os.environ.get("OMP_NUM_THREADS", "")
    threads = int(said) if said.isdigit() and int(said) else joblib.cpu_count()
    return max(threads, _threads_of_dask_worker())


def _threads_of_dask_worker() -> int:
    try:
        from distributed import get_worker

        return int(get_worker().state.nthreads)
    except (ImportError, ValueError):  # not installed, or this is no Dask worker
        return 1
