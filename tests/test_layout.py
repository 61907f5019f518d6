"""The house stands: imports go down, every module has one name, the wheel holds what the tree holds."""

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = {"benchmarks", "build", "dist", "docs", "notebooks", "runs", "saved_models", "tests"}


def package_files():
    """Every Python file of the package, relative to the checkout."""
    files = [path.relative_to(ROOT) for path in ROOT.rglob("*.py")]
    return sorted(f for f in files if f.parts[0] not in OUTSIDE and not any(p.startswith(".") for p in f.parts))


def floors():
    """Room → floor, as the table in docs/design.md has them."""
    table = re.findall(r"^\| (\d) \|(.+)\|$", (ROOT / "docs" / "design.md").read_text(encoding="utf-8"), re.MULTILINE)
    return {room: int(floor) for floor, rooms in table for room in re.findall(r"`(\w+)(?:\.py|/)`", rooms)}


def room(parts):
    """The folder or file right below the root to which a module's path belongs."""
    return parts[0].removesuffix(".py")


def imported_rooms(file):
    """Rooms that a file imports, at whatever depth of the code, also for type checkers only."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = file.parts[: len(file.parts) - node.level]
            target = (*base, *(node.module or "").split(".")) if node.module else base
            # `from .. import datasets` names the room after the word "import"
            yield from [room(target)] if target else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            for name in names:
                assert name.split(".")[0] != "recurra", f"{file} names the package; imports inside it are relative"


# Floors


def test_imports_only_go_down():
    floor = floors()
    assert set(floor.values()) == {1, 2, 3, 4, 5, 6, 7, 8}
    for file in package_files():
        here = room(file.parts)
        if here == "__init__":
            continue
        for there in imported_rooms(file):
            if there == here or there.startswith("__"):
                continue
            assert {here, there} <= floor.keys(), f"{file}: docs/design.md gives no floor to {here} or {there}"
            assert floor[there] <= floor[here], f"{file} on floor {floor[here]} imports {there} on {floor[there]}"
            assert not floor[there] == floor[here] == 2, f"{file} imports {there}: rooms of floor 2 stand alone"


def test_every_module_has_one_name():
    for name in ("recurra.comparison", "recurra.frames", "recurra.predictor"):
        importlib.import_module(name)
    # pytest takes the root for a package of tests and loads its `__init__.py`, and nothing but that, a second time.
    ours = {str(ROOT / file) for file in package_files() if file != Path("__init__.py")}
    loaded = {name: module for name, module in list(sys.modules.items()) if getattr(module, "__file__", None) in ours}
    assert [name for name in loaded if name != "recurra" and not name.startswith("recurra.")] == []


def test_nothing_makes_pytest_load_the_root_as_tests():
    assert not (ROOT / "conftest.py").exists()
    assert not (ROOT / "tests" / "__init__.py").exists()


# The front door


def test_importing_recurra_is_light_and_every_public_name_resolves():
    code = (
        "import json, sys, recurra; heavy = [m for m in ('tensorflow', 'keras', 'pandas') if m in sys.modules];"
        "missing = [n for n in recurra.__all__ if getattr(recurra, n, None) is None];"
        "print(json.dumps([heavy, missing, sorted(set(recurra.__all__) - set(dir(recurra)))]))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], [], []]


def test_tensorflow_starts_without_a_word():
    code = "import recurra; recurra.list_families(); recurra.compare; import tensorflow as tf; tf.zeros(1)"
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout + done.stderr == ""


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        importlib.import_module("recurra").Nonsense  # noqa: B018  (the look-up is what is tested)


def test_a_server_loads_no_keras_and_nothing_that_trains(model_folder):
    code = (
        "import asyncio, json, pathlib, sys;"
        "from recurra.serving.command import hide_keras; hide_keras();"
        "from recurra.serving.options import ServerOptions; from recurra.serving.server import Server\n"
        "async def main():\n"
        "    server = Server(ServerOptions(pathlib.Path(sys.argv[1]), rest_port=0, grpc_port=0))\n"
        "    running = asyncio.create_task(server.run())\n"
        "    await server.service.settled(); assert server.repository.ready; server.stop(); await running\n"
        "asyncio.run(main())\n"
        "loaded = [name for name, module in sys.modules.items() if module is not None]\n"
        "ours = {name.split('.')[1] for name in loaded if name.startswith('recurra.')}\n"
        "heavy = {name.split('.')[0] for name in loaded} & {'keras', 'pandas', 'sklearn', 'matplotlib'}\n"
        "print(json.dumps([sorted(ours), sorted(heavy)]))"
    )
    command = [sys.executable, "-P", "-c", code, str(model_folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["errors", "serving", "stream_state"], []]


# The wheel


def test_every_folder_of_the_package_is_listed():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted({".".join(("recurra", *file.parent.parts)) for file in package_files()})


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory):
    """Names in a wheel built from a copy of the tree: a build leaves folders behind."""
    copy, out = tmp_path_factory.mktemp("copy") / "tree", tmp_path_factory.mktemp("wheel")
    unwanted = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__")

    def leave_out(folder, names):
        return {*unwanted(folder, names), *(OUTSIDE & set(names) if Path(folder) == ROOT else ())}

    shutil.copytree(ROOT, copy, ignore=leave_out)
    command = [sys.executable, "-P", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": ""})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    [wheel] = out.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_the_wheel_holds_what_the_tree_holds(wheel_names):
    inside = sorted(name for name in wheel_names if name.startswith("recurra/"))
    templates = (ROOT / "serving" / "page" / "templates").iterdir()
    data = ["py.typed", *(file.relative_to(ROOT).as_posix() for file in templates)]
    assert inside == sorted([f"recurra/{file.as_posix()}" for file in package_files()] + [f"recurra/{f}" for f in data])
