"""What Prometheus reads: TensorFlow Serving's metrics under its own names, and ours with version and signature.

TensorFlow Serving's names begin with a colon and its page has no HELP lines; dashboards and alerts rely on the text, so
it is written here. Ours are made with Prometheus' client.

Source: tensorflow_serving/util/prometheus_exporter.cc, tensorflow_serving/servables/tensorflow/util.cc.
"""

from __future__ import annotations

import bisect
import platform
import threading
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import prometheus_client

from .. import __version__
from .served_model import ServedModel, Signature

# 33 buckets from 10 microseconds, each 1.8 times the one before.
_BUCKETS = [10 * 1.8**i for i in range(33)]
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
# Names of models that nobody serves come from clients; beyond so many they are counted together.
_MOST_NAMES = 1000
_LONGEST_NAME, _OTHER = 200, "(other)"
_PREFIX = ":tensorflow:serving:"
_LABELS = ("model", "version", "signature")

Labels = tuple[tuple[str, str], ...]


class _Histogram:
    def __init__(self) -> None:
        self.counts, self.sum = [0] * (len(_BUCKETS) + 1), 0.0

    def add(self, value: float) -> None:
        self.counts[bisect.bisect_left(_BUCKETS, value)] += 1
        self.sum += value


class Metrics:
    """Counters and histograms of one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[Labels, int] = defaultdict(int)
        self._latencies: dict[str, dict[Labels, _Histogram]] = {
            "request_latency": defaultdict(_Histogram),
            "runtime_latency": defaultdict(_Histogram),
        }
        self._names: set[str] = set()
        prometheus_client.disable_created_metrics()
        self.registry = registry = prometheus_client.CollectorRegistry()

        def counter(name: str, help: str, labels: tuple[str, ...]) -> prometheus_client.Counter:
            return prometheus_client.Counter(f"recurra_{name}", help, labels, registry=registry)

        def histogram(name: str, help: str, buckets: tuple[float, ...]) -> prometheus_client.Histogram:
            return prometheus_client.Histogram(f"recurra_{name}", help, _LABELS, buckets=buckets, registry=registry)

        self.answers = counter("requests", "Requests by outcome.", (*_LABELS, "entrypoint", "code"))
        self.model_seconds = histogram("model_seconds", "Time of a call of the graph.", _SECONDS)
        self.batch_rows = histogram("batch_rows", "Rows that went through the graph together.", _ROWS)
        self.nan_inputs = counter("input_nan", "NaN among the input's numbers.", (*_LABELS, "input"))
        self.outside = counter(
            "input_outside_training_range", "Numbers outside what training saw.", (*_LABELS, "input")
        )
        self.waiting = prometheus_client.Gauge("recurra_requests_waiting", "Requests under way.", registry=registry)
        self.build = prometheus_client.Gauge(
            "recurra_build_info", "Always 1.", ("version", "tensorflow", "python"), registry=registry
        )
        import tensorflow as tf

        self.build.labels(__version__, tf.__version__, platform.python_version()).set(1)

    def known(self, model: str) -> str:
        """A model's name, or what it is counted under when clients have made up too many."""
        with self._lock:
            if model not in self._names and (len(self._names) >= _MOST_NAMES or len(model) > _LONGEST_NAME):
                return _OTHER
            self._names.add(model)
            return model

    def count(self, model: str, status: str) -> None:
        """A request of a model and the name of its status."""
        with self._lock:
            self._requests[(("model_name", model), ("status", status))] += 1

    def request(self, model: str, api: str, entrypoint: str, seconds: float) -> None:
        """Time of a request that was answered."""
        self._observe("request_latency", (("model_name", model), ("API", api), ("entrypoint", entrypoint)), seconds)

    def runtime(self, model: str, api: str, seconds: float) -> None:
        """Time of a call of TensorFlow."""
        self._observe("runtime_latency", (("model_name", model), ("API", api), ("runtime", "TF1")), seconds)

    def _observe(self, name: str, labels: Labels, seconds: float) -> None:
        with self._lock:
            self._latencies[name][labels].add(seconds * 1e6)

    def look_at(self, model: ServedModel, signature: Signature, inputs: Mapping[str, np.ndarray]) -> list[str]:
        """Count NaN, and numbers outside the training data's range.

        Returns:
            A sentence for each input with numbers outside.
        """
        warnings = []
        for name, array in inputs.items():
            if array.dtype.kind != "f" or not array.size:
                continue
            if (count := int(np.count_nonzero(np.isnan(array)))) > 0:
                self.nan_inputs.labels(model.name, model.version, signature.name, name).inc(count)
            if name in model.ranges and (outside := _outside(array, *model.ranges[name])):
                self.outside.labels(model.name, model.version, signature.name, name).inc(outside)
                warnings.append(
                    f"{outside} of {array.size} numbers of {name} are outside the range of the training data"
                )
        return warnings

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        with self._lock:
            lines = [f"# TYPE {_PREFIX}request_count counter"]
            lines += [f"{_PREFIX}request_count{{{_text(labels)}}} {n}" for labels, n in self._requests.items()]
            for name, histograms in self._latencies.items():
                lines += _lines(_PREFIX + name, histograms)
        return "\n".join(lines).encode() + b"\n" + prometheus_client.generate_latest(self.registry)


def _outside(array: np.ndarray, low: np.ndarray, high: np.ndarray) -> int:
    if array.ndim and low.size not in (1, array.shape[-1]):
        return 0
    return int(np.count_nonzero((array < low) | (array > high)))


def _lines(name: str, histograms: Mapping[Labels, _Histogram]) -> list[str]:
    lines = [f"# TYPE {name} histogram"]
    for labels, histogram in histograms.items():
        text, total = _text(labels), 0
        limits = [f"{limit:.6g}" for limit in _BUCKETS] + ["+Inf"]
        for limit, count in zip(limits, histogram.counts, strict=True):
            total += count
            lines.append(f'{name}_bucket{{{text},le="{limit}"}} {total}')
        lines.append(f"{name}_sum{{{text}}} {histogram.sum:.6g}")
        lines.append(f"{name}_count{{{text}}} {total}")
    return lines


def _text(labels: Labels) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
