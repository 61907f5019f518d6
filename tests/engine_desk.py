"""A small comparison on an engine, run by another Python that has it; see test_engines.py.

python engine_desk.py ENGINE TRIALS [kill]: the trials' table goes to TRIALS. ENGINE is a backend;
alone, in this process; or python, Dask as a caller of the package sets it up. `kill` kills a worker in the middle.
"""

import sys

import joblib
import numpy as np
import pandas as pd
import psutil

import recurra
from recurra.comparison.engines import engine
from recurra.frames import SeriesFrame

_WORKERS = {"dask": "spawn_main", "ray": "ray::PoolActor"}  # in their command lines


def compare(**more):
    """Two families with a recurrent one, two folds, two seeds: some seconds of training."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"y": np.sin(np.arange(120) * 0.5) + 0.1 * random.normal(size=120)})
    frame = SeriesFrame.from_table(table, time="none", target="y")
    small = {"horizon": 3, "lookback": 6, "season": 1, "folds": 2, "seeds": 2, "max_epochs": 2, "config": {"units": 4}}
    return recurra.compare(frame, families=["dense", "gru"], baselines=["naive"], progress=False, **small, **more)


def busiest_worker(backend):
    """The worker process that has computed most."""
    found = []
    for child in psutil.Process().children(recursive=True):
        if _WORKERS[backend] in " ".join(child.cmdline()):
            found.append(child)
    return max(found, key=lambda process: process.cpu_times().user)


def main(backend, trials, *how):
    killed = []

    def kill_once(progress):
        if progress.finished and how == ("kill",) and not killed:
            killed.append(busiest_worker(backend))
            killed[0].kill()

    alone = backend == "alone"
    with engine(None if alone else backend, None, 1 if alone else 2) as n_jobs:
        result = compare(n_jobs=n_jobs, on_progress=kill_once)
    if how == ("kill",):
        assert killed
    result.trials.to_pickle(trials)
    print(f"{result.notes}")


def from_python(trials):
    """Dask as a caller of the package sets it up, with two threads in each worker."""
    from distributed import Client

    with (
        Client(n_workers=1, threads_per_worker=2, dashboard_address=None) as client,
        joblib.parallel_config("dask", client=client),
    ):
        compare().trials.to_pickle(trials)


if __name__ == "__main__":
    from_python(sys.argv[2]) if sys.argv[1] == "python" else main(*sys.argv[1:])
