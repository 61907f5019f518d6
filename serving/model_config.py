"""Which models and versions are served: a folder of models, or TensorFlow Serving's ``ModelServerConfig``.

Source: tensorflow_serving/sources/storage_path/file_system_storage_path_source.cc,
tensorflow_serving/model_servers/server_core.cc.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from ..errors import InputError
from .status import Code, ServingError, invalid

# Which of the versions that are there are wanted.
Policy = Callable[[list[int]], set[int]]

_GREATEST = 2**63 - 1
_PLATFORM = "tensorflow"
_log = logging.getLogger("recurra.serving")


@dataclass(frozen=True)
class ModelConfig:
    """A model to be served.

    Attributes:
        name: by which clients call it.
        base_path: folder with its versions.
        policy: which versions are served.
        labels: names of versions.
    """

    name: str
    base_path: Path
    policy: Policy = field(default_factory=lambda: latest(1))
    labels: dict[str, int] = field(default_factory=dict)

    def wanted(self, broken: Collection[int] = ()) -> dict[int, Path]:
        """The folder of each version that should be served now, were there no broken ones."""
        there = version_folders(self.base_path)
        return {version: there[version] for version in self.policy(sorted(there.keys() - set(broken)))}


def latest(count: int) -> Policy:
    """The newest versions."""
    return lambda versions: set(versions[-count:])


def version_folders(base: Path) -> dict[int, Path]:
    """Folders whose name is an int64, leading zeros allowed; of two names for one version the last in order."""
    found = {}
    for child in _folders_inside(base):
        if re.fullmatch(r"\d+", child.name, re.ASCII) and (version := int(child.name)) <= _GREATEST:
            found[version] = child
    return found


def models_in(folder: Path) -> dict[str, ModelConfig]:
    """Every folder that holds versions; a folder that is a model itself is the only one."""
    if version_folders(folder):
        return {folder.resolve().name: ModelConfig(folder.resolve().name, folder)}
    named = [child for child in _folders_inside(folder) if not child.name.startswith(".") and version_folders(child)]
    return {child.name: ModelConfig(child.name, child) for child in named}


def _folders_inside(base: Path) -> list[Path]:
    """Folders in `base`; a link that leads out of it is passed over, so that nobody serves what was not meant to be."""
    try:
        children = sorted(base.iterdir())
    except OSError:
        return []
    root = base.resolve()
    inside = []
    for child in children:
        if not child.is_dir():
            continue
        if child.is_symlink() and root not in child.resolve().parents:
            _log.debug("%s leads out of %s and is not served", child, base)
            continue
        inside.append(child)
    return inside


def read_config(file: Path) -> dict[str, ModelConfig]:
    """Read a ``ModelServerConfig`` in proto text.

    Raises:
        InputError: if there is no such file, or it is not such a text.
    """
    try:
        text = file.read_text(encoding="utf-8")
        parsed = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
        return from_proto(parsed)
    except OSError as error:
        raise InputError(f"cannot read `model_config` {file}: {error.strerror}; give an existing file") from error
    except (UnicodeDecodeError, text_format.ParseError) as error:
        raise InputError(f"`model_config` {file} is not a ModelServerConfig in proto text: {error}") from error
    except ServingError as error:
        raise InputError(f"`model_config` {file}: {error.message}") from error


def from_proto(config: Any) -> dict[str, ModelConfig]:
    """The models of a ``ModelServerConfig``.

    Raises:
        ServingError: INVALID_ARGUMENT or FAILED_PRECONDITION, as TensorFlow Serving refuses it.
    """
    if config.WhichOneof("config") != "model_config_list":
        raise invalid(
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently "
            "supported"
        )
    models: dict[str, ModelConfig] = {}
    for entry in config.model_config_list.config:
        if entry.name in models:
            raise invalid(f"Illegal to list model {entry.name} multiple times in config list")
        models[entry.name] = _model(entry)
    return models


def _model(entry: Any) -> ModelConfig:
    if not entry.name:
        raise invalid("A model in the config list has no name")
    platform = entry.model_platform or (_PLATFORM if entry.model_type in (0, 1) else "other")
    if platform != _PLATFORM:
        raise ServingError(
            Code.FAILED_PRECONDITION, f"PlatformConfigMap has no entry for platform {entry.model_platform}"
        )
    base = Path(entry.base_path)
    if not base.is_absolute():
        raise invalid(f"Expected model {entry.name} to have an absolute path or URI; got base_path()={entry.base_path}")
    return ModelConfig(entry.name, base, _policy(entry.model_version_policy), dict(entry.version_labels))


def _policy(proto: Any) -> Policy:
    choice = proto.WhichOneof("policy_choice")
    if choice == "all":
        return set
    if choice == "specific":
        named = set(proto.specific.versions)
        if not named:
            raise invalid("A specific version policy must name at least one version")
        return lambda versions: named & set(versions)
    return latest(proto.latest.num_versions or 1 if choice == "latest" else 1)


def missing_labels(models: Iterable[ModelConfig], available: Callable[[str], set[int]]) -> list[ServingError]:
    """One error for every label whose version is not being served."""
    return [
        ServingError(
            Code.FAILED_PRECONDITION,
            f"Request to assign label to version {version} of model {model.name}, which is not currently available for "
            "inference",
        )
        for model in models
        for version in model.labels.values()
        if version not in available(model.name)
    ]
