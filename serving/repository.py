"""Versions come and go while requests are answered: load, warm up, swap, unload.

One thread looks at the folders and loads; requests only read. A version that is being called is closed after its last
call.

Source: tensorflow_serving/core/availability_preserving_policy.cc, tensorflow_serving/core/basic_manager.cc,
tensorflow_serving/model_servers/get_model_status_impl.cc.
"""

from __future__ import annotations

import ctypes
import difflib
import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from .model_config import ModelConfig, missing_labels
from .served_model import ServedModel
from .status import Code, ServingError, code_of_number, invalid, not_found

# Loads and warms up a version; raises if that fails.
Loader = Callable[[str, int, Path], ServedModel]

START, LOADING, AVAILABLE, UNLOADING, END = "START", "LOADING", "AVAILABLE", "UNLOADING", "END"
# A version that cannot be loaded is tried again when its files change, and this often anyway, ever more seldom.
_RETRIES = 5
_log = logging.getLogger("recurra.serving")


@dataclass(eq=False)
class Version:
    """A version of a model and what became of it."""

    number: int
    path: Path
    state: str = START
    error: ServingError | None = None
    served: ServedModel | None = None
    calls: int = 0
    attempts: int = 0
    next_attempt: float = 0.0
    files: object = None


class Repository:
    """All models and versions.

    Args:
        find: gives the models to be served; asked again at every look.
        load: loads and warms up a version.
        keep_labels: allow labels of versions that are not served.
    """

    def __init__(self, find: Callable[[], dict[str, ModelConfig]], load: Loader, *, keep_labels: bool = False) -> None:
        self._find, self._load, self._keep_labels = find, load, keep_labels
        self._configs: dict[str, ModelConfig] = {}
        self._versions: dict[str, dict[int, Version]] = {}
        self._lock = threading.RLock()  # of the dictionaries and counts; never held while a model is loaded
        self._looking = threading.Lock()
        self.settled = threading.Event()

    # What requests ask

    @contextmanager
    def lease(self, name: str, version: int | None = None, label: str | None = None) -> Iterator[ServedModel]:
        """A version that stays loaded in the block.

        Raises:
            ServingError: NOT_FOUND if it is not served; INVALID_ARGUMENT for an unknown label.
        """
        found = self._take(name, version, label)
        try:
            yield found.served  # type: ignore[misc]  # an available version is loaded
        finally:
            with self._lock:
                found.calls -= 1

    def _take(self, name: str, version: int | None, label: str | None) -> Version:
        with self._lock:
            if label is not None:
                version = self._version_of_label(name, label)
            there = self._available(name)
            number = version if version is not None else max(there, default=None)
            if number is None or number not in there:
                asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
                raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {asked}", self._known(name))
            found = there[number]
            found.calls += 1
            return found

    def _version_of_label(self, name: str, label: str) -> int:
        config = self._configs.get(name)
        if config is None or label not in config.labels:
            error = invalid(f"Unrecognized servable version label: {label}")
            labels = ", ".join(sorted(config.labels)) if config else ""
            error.hint = f"labels of {name}: {labels}" if labels else f"{name} has no labels"
            raise error
        return config.labels[label]

    def _known(self, name: str) -> str:
        """What there is in place of what was asked for."""
        if name in self._versions:
            numbers = ", ".join(map(str, sorted(self._available(name)))) or "none"
            return f"versions of {name} that are served: {numbers}"
        names = sorted(self._versions)
        close = difflib.get_close_matches(name, names, n=1)
        return (f"did you mean {close[0]}? " if close else "") + f"models: {', '.join(names[:20]) or 'none'}"

    def _available(self, name: str) -> dict[int, Version]:
        versions = self._versions.get(name, {})
        return {number: version for number, version in versions.items() if version.state == AVAILABLE}

    def available(self, name: str) -> set[int]:
        """Numbers of the versions that answer."""
        with self._lock:
            return set(self._available(name))

    def status(self, name: str, version: int | None = None) -> list[Version]:
        """Versions and their states, newest first.

        Raises:
            ServingError: NOT_FOUND.
        """
        with self._lock:
            versions = self._versions.get(name, {})
            if version is not None:
                if version not in versions:
                    raise not_found(f"Could not find version {version} of model {name}")
                return [versions[version]]
            if not versions:
                raise not_found(f"Could not find any versions of model {name}")
            return [versions[number] for number in sorted(versions, reverse=True)]

    def names(self) -> list[str]:
        """Names of all models that there are or were."""
        with self._lock:
            return sorted(self._versions)

    def labels(self, name: str) -> dict[str, int]:
        """Labels of a model's versions."""
        with self._lock:
            return dict(self._configs[name].labels) if name in self._configs else {}

    @property
    def ready(self) -> bool:
        """Whether the first look is over and something can be asked; one broken model does not take the others down."""
        with self._lock:
            return self.settled.is_set() and any(self._available(name) for name in self._versions)

    # What the thread does

    def look(self) -> None:
        """Load what has come, unload what has gone."""
        with self._looking:
            configs = self._find()
            with self._lock:
                self._configs = configs if self.settled.is_set() or self._keep_labels else _without_labels(configs)
            for name in sorted({*configs, *self._versions}):
                self._settle(name, configs.get(name))
            if not self.settled.is_set():
                self._settle_labels(configs)
                self.settled.set()

    def replace(self, configs: dict[str, ModelConfig]) -> None:
        """Serve other models from now on; return when they are loaded.

        Raises:
            ServingError: FAILED_PRECONDITION for a label of a version that is not served; UNKNOWN if a model has no
                version that could be loaded.
        """
        if not self._keep_labels:
            for error in missing_labels(configs.values(), self.available):
                raise error
        self._find = lambda: configs
        self.look()
        if failed := [name for name in configs if not self.available(name)]:
            raise ServingError(Code.UNKNOWN, f"Some models did not become available: {{{', '.join(failed)}, }}")

    def run(self, poll_seconds: float, stop: threading.Event) -> None:
        """Look at the folders until told to stop; a poll of 0 seconds looks once."""
        while not stop.is_set():
            try:
                self.look()
            except Exception:
                _log.exception("looking at the folders failed")
            if stop.wait(poll_seconds or None):
                return

    def _settle_labels(self, configs: dict[str, ModelConfig]) -> None:
        """At the start, labels wait for the first versions."""
        with self._lock:
            self._configs = configs
        if not self._keep_labels:
            for error in missing_labels(configs.values(), self.available):
                _log.error("%s", error.message)

    def _settle(self, name: str, config: ModelConfig | None) -> None:
        """New versions first; an old one goes when one that is wanted answers, or when its folder is gone.

        Where none can be loaded and none answers, for example after a restart, the versions before take their place.
        """
        wanted = {} if config is None else config.wanted()
        self._load_due(name, wanted)
        available = self.available(name)
        if config is not None and wanted and not available & set(wanted):
            if not available:
                self._load_due(name, config.wanted(self._broken(name)))
            return
        for number in sorted(available - set(wanted)):
            self._unload(name, self._versions[name][number])

    def _load_due(self, name: str, wanted: dict[int, Path]) -> None:
        with self._lock:
            versions = self._versions.setdefault(name, {}) if wanted else self._versions.get(name, {})
            for number, path in wanted.items():
                known = versions.get(number)
                if known is None or (known.state == END and known.error is None):
                    versions[number] = Version(number, path)
        for number in sorted(wanted, reverse=True):
            if self._is_due(version := versions[number]):
                self._try(name, version)

    def _broken(self, name: str) -> set[int]:
        versions = self._versions.get(name, {}).values()
        return {version.number for version in versions if version.state == END and version.error is not None}

    def _is_due(self, version: Version) -> bool:
        if version.state == START:
            return True
        if version.state != END or version.error is None:
            return False
        if _fingerprint(version.path) != version.files:
            version.attempts = 0
            return True
        return version.attempts <= _RETRIES and time.monotonic() >= version.next_attempt

    def _try(self, name: str, version: Version) -> None:
        version.state, version.error = LOADING, None
        version.files = _fingerprint(version.path)
        started = time.monotonic()
        try:
            served = self._load(name, version.number, version.path)
        except Exception as error:
            version.attempts += 1
            version.next_attempt = time.monotonic() + 2.0**version.attempts
            version.error, version.state = _as_status(error), END
            _log.error("%s version %d cannot be loaded: %s", name, version.number, version.error.message)
            return
        with self._lock:
            version.served, version.state = served, AVAILABLE
        _log.info("%s version %d is served after %.2f s", name, version.number, time.monotonic() - started)

    def _unload(self, name: str, version: Version) -> None:
        with self._lock:
            version.state = UNLOADING
        threading.Thread(target=self._close, args=(name, version), daemon=True).start()

    def _close(self, name: str, version: Version) -> None:
        """Wait for the last call; then give the memory back, which the C library would keep."""
        while version.calls:
            time.sleep(0.01)
        served, version.served = version.served, None
        if served is not None:
            served.close()
        del served
        gc.collect()
        _give_memory_back()
        version.state = END
        _log.info("%s version %d is unloaded", name, version.number)


def _without_labels(configs: dict[str, ModelConfig]) -> dict[str, ModelConfig]:
    return {name: replace(config, labels={}) for name, config in configs.items()}


def _fingerprint(path: Path) -> object:
    """Names, sizes and times of a version's files, to see that something has changed."""
    try:
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return [(str(file), status.st_size, status.st_mtime_ns) for file in files if (status := file.stat())]
    except OSError:
        return None


def _as_status(error: Exception) -> ServingError:
    if isinstance(error, ServingError):
        return error
    number = getattr(error, "error_code", None)
    if isinstance(number, int):
        return ServingError(code_of_number(number), str(getattr(error, "message", error)))
    code = Code.NOT_FOUND if isinstance(error, OSError) else Code.UNKNOWN
    return ServingError(code, f"{error}" or type(error).__name__)


def _give_memory_back() -> None:
    with suppress(OSError, AttributeError):  # where there is no glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)
