"""One version of a SavedModel, loaded for serving: signatures, and the quickest call of its graph.

The graph is loaded into a session, as TensorFlow Serving does. A session callable with named feeds and fetches takes a
tenth of the time of a signature function, and checks no shapes; no Python of the model's author runs.
One window through an LSTM is quicker than its SavedModel is elsewhere: `compiled_loops.py`.

Source: tensorflow_serving/servables/tensorflow/predict_util.cc, tensorflow/cc/saved_model/util.cc.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from .compiled_loops import load
from .stateful import changes_state
from .status import ServingError, code_of_number, invalid

DEFAULT = "serving_default"
Arrays = Mapping[str, np.ndarray]
Shape = tuple[int | None, ...]

_INFO = Path("assets.extra") / "recurra.json"
_WARMUP = Path("assets.extra") / "tf_serving_warmup_requests"
_log = logging.getLogger("recurra.serving")


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of a signature.

    Attributes:
        name: by which clients call it.
        tensor: its name in the graph.
        dtype: of TensorFlow.
        shape: None for an axis of any size; None for any rank.
    """

    name: str
    tensor: str
    dtype: tf.DType
    shape: Shape | None

    @classmethod
    def of(cls, name: str, info: Any) -> TensorInfo:
        """From a signature's ``TensorInfo``."""
        shape = tf.TensorShape(info.tensor_shape)
        axes = None if shape.rank is None else tuple(shape.as_list())
        return cls(name, info.name, tf.as_dtype(info.dtype), axes)

    @property
    def type_name(self) -> str:
        """As TensorFlow Serving calls a type: float, int64, string."""
        return type_name(self.dtype)

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.name}: {self.type_name} of any shape"
        return f"{self.name}: {self.type_name} [{', '.join('-1' if n is None else str(n) for n in self.shape)}]"


@dataclass(frozen=True)
class Signature:
    """What can be asked of a model: named inputs in, named outputs out.

    Attributes:
        name: of the signature.
        inputs: by name, in alphabetical order.
        outputs: by name, in alphabetical order.
        defaults: values of inputs that may be left out.
    """

    name: str
    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]
    defaults: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, definition: Any) -> Signature:
        """From a ``SignatureDef``."""
        return cls(
            name,
            {key: TensorInfo.of(key, definition.inputs[key]) for key in sorted(definition.inputs)},
            {key: TensorInfo.of(key, definition.outputs[key]) for key in sorted(definition.outputs)},
            {key: tf.make_ndarray(value) for key, value in definition.defaults.items()},
        )

    def __str__(self) -> str:
        return "; ".join(map(str, self.inputs.values())) or "no inputs"


def type_name(dtype: tf.DType) -> str:
    """TensorFlow's own name of a type, in C++: float for float32."""
    return {"float32": "float", "float64": "double", "float16": "half"}.get(dtype.name, dtype.name)


class ServedModel:
    """A version of a model, ready to be called from any thread.

    Args:
        path: the version's folder, with ``saved_model.pb`` in it.
        name: of the model.
        version: its number.
        check_shapes: refuse inputs whose shape the signature does not allow; None for models that recurra exported.

    Raises:
        Exception: whatever TensorFlow raises if the folder holds no whole SavedModel.
    """

    def __init__(self, path: Path, name: str, version: int, *, check_shapes: bool | None = None) -> None:
        self.path, self.name, self.version = path, name, version
        self._graph = tf.Graph()
        with self._graph.as_default():
            self._session = tf.compat.v1.Session(graph=self._graph)
            try:
                self.meta_graph = load(self._session, str(path))
            except BaseException:
                self._session.close()
                raise
        self.signatures = {
            name: Signature.of(name, definition)
            for name, definition in self.meta_graph.signature_def.items()
            if name != "__saved_model_init_op"
        }
        self.card = _read_card(path)
        self.check_shapes = bool(self.card) if check_shapes is None else check_shapes
        self._callables: dict[tuple[str, tuple[str, ...], int], Callable[..., list[np.ndarray]]] = {}
        self._lock = threading.Lock()

    def call(
        self,
        signature: Signature,
        inputs: Arrays,
        outputs: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> dict[str, np.ndarray]:
        """Run a signature.

        Args:
            signature: one of :attr:`signatures`.
            inputs: by name, checked by :meth:`checked`.
            outputs: names of those wanted; by default all.
            timeout: seconds after which TensorFlow gives up.

        Raises:
            ServingError: with TensorFlow's code and message.
        """
        names = tuple(signature.outputs) if outputs is None else tuple(outputs)
        run = self._callable(signature, names, _milliseconds(timeout))
        try:
            values = run(*[inputs[name] for name in signature.inputs])
        except tf.errors.OpError as error:
            raise ServingError(code_of_number(error.error_code), error.message) from error
        return dict(zip(names, values, strict=True))

    def checked(self, signature: Signature, inputs: Arrays) -> dict[str, np.ndarray]:
        """Inputs under the names and of the types that a signature wants, defaults filled in.

        Raises:
            ServingError: INVALID_ARGUMENT with TensorFlow Serving's text.
        """
        _check_names(signature, inputs)
        complete = {}
        for index, (name, info) in enumerate(signature.inputs.items()):
            value = inputs[name] if name in inputs else signature.defaults[name]
            if value.dtype != info.dtype.as_numpy_dtype:
                given = type_name(tf.as_dtype(value.dtype))
                raise invalid(f"Expects arg[{index}] to be {info.type_name} but {given} is provided")
            if self.check_shapes and not _fits(value.shape, info.shape):
                raise invalid(
                    f"Expects input {name} to have shape {_axes(info.shape or ())} but {_axes(value.shape)} is provided"
                )
            complete[name] = value
        return complete

    def changes_state(self, signature: Signature) -> bool:
        """Whether a call may leave the model otherwise than it was, or draws random numbers."""
        return changes_state(self.meta_graph.graph_def, [info.tensor for info in signature.outputs.values()])

    @cached_property
    def ranges(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Least and greatest value of each input's last axis in the training data, by the input's name."""
        return {
            name: (np.array(found["min"], "float64"), np.array(found["max"], "float64"))
            for name, found in self.card.get("ranges", {}).items()
        }

    def warmup_requests(self) -> Iterable[bytes]:
        """Serialised ``PredictionLog`` records that the exporter left; at most a thousand, as in TensorFlow Serving."""
        file = self.path / _WARMUP
        return tf.compat.v1.io.tf_record_iterator(str(file)) if file.exists() else ()

    def close(self) -> None:
        """Give its memory back; nobody may be calling it any more."""
        self._callables.clear()
        self._session.close()

    def _callable(self, signature: Signature, names: tuple[str, ...], timeout: int) -> Callable[..., list[np.ndarray]]:
        key = (signature.name, names, timeout)
        if (known := self._callables.get(key)) is not None:
            return known
        options = _callable_options(signature, names, timeout)
        with self._lock:
            if key not in self._callables:
                self._callables[key] = self._session._make_callable_from_options(options)
        return self._callables[key]

    def __repr__(self) -> str:
        return f"{self.name} version {self.version}"


def _callable_options(signature: Signature, names: tuple[str, ...], timeout: int) -> Any:
    from tensorflow.core.protobuf import config_pb2

    return config_pb2.CallableOptions(
        feed=[info.tensor for info in signature.inputs.values()],
        fetch=[signature.outputs[name].tensor for name in names],
        run_options=config_pb2.RunOptions(timeout_in_ms=timeout),
    )


def _milliseconds(timeout: float | None) -> int:
    """A time limit, rounded up to a power of two: each one is a callable of its own."""
    return 0 if timeout is None else 1 << max(int(timeout * 1000) - 1, 0).bit_length()


def _check_names(signature: Signature, inputs: Arrays) -> None:
    given, wanted = set(inputs), set(signature.inputs)
    if len(given) > len(wanted) or (len(given) < len(wanted) and not signature.defaults):
        raise invalid(
            f"input size does not match signature: {len(given)}!={len(wanted)} len({_set(given)}) != "
            f"len({_set(wanted)}). Sent extra: {_set(given - wanted)}. Missing but required: {_set(wanted - given)}."
        )
    if missing := sorted(wanted - given - set(signature.defaults)):
        raise invalid(
            f"Signature input alias: {missing[0]}(feed name: {signature.inputs[missing[0]].tensor}) not found in "
            f"request and no default value provided. Inputs expected to be in the request {_set(given)}, or default "
            f"input alias set: {','.join(sorted(signature.defaults))}"
        )
    if given - wanted:
        raise invalid(
            f"Inputs contains invalid name. Used request inputs: {','.join(sorted(given & wanted))}, request input: "
            f"{','.join(sorted(given))}"
        )


def _set(names: Iterable[str]) -> str:
    return f"{{{','.join(sorted(names))}}}"


def _axes(shape: Shape) -> str:
    return f"[{','.join('-1' if n is None else str(n) for n in shape)}]"


def _fits(shape: tuple[int, ...], wanted: Shape | None) -> bool:
    if wanted is None:
        return True
    return len(shape) == len(wanted) and all(w is None or n == w for n, w in zip(shape, wanted, strict=True))


def _read_card(path: Path) -> dict[str, Any]:
    """What an export of recurra says of itself; empty for other models."""
    try:
        card = json.loads((path / _INFO).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _log.warning("%s is not readable: %s", path / _INFO, error)
        return {}
    return card if isinstance(card, dict) else {}
