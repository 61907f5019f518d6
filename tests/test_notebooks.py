"""The notebooks run from top to bottom, offline, and show what they say: outputs and figures are stored."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))
# The quickest one runs with every `make test`.
QUICK = "5_serve_and_stream.ipynb"


def figures(notebook):
    return sum("image/png" in output.get("data", {}) for cell in code(notebook) for output in cell["outputs"])


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks_and_each_is_named_in_the_readme():
    assert len(NAMES) >= 5
    assert QUICK in NAMES
    readme = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"notebooks/{name}" not in readme] == []


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_stored_without_errors_noise_or_places(name):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    nbformat.validate(notebook)
    assert [cell["execution_count"] for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))
    assert figures(notebook) >= 1
    for cell in code(notebook):
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr", output["text"]
            assert not re.search(r"/(home|root|tmp|work)/", str(output.get("text", "")))
    assert (FOLDER / name).stat().st_size < 700_000
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == QUICK else [pytest.mark.slow]) for name in NAMES]
)
def test_a_notebook_runs_and_draws_as_many_figures(name, tmp_path):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    stored = figures(notebook)
    client = NotebookClient(notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute()  # raises where a cell fails
    assert figures(notebook) == stored
