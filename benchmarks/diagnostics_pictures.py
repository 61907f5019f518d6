"""Draw the pictures of docs/diagnostics.md and docs/why.md: what a trained network remembers.

Run from the checkout: ``python benchmarks/diagnostics_pictures.py``; one minute. Writes docs/images/*.svg.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

import recurra
from recurra import diagnostics
from recurra.atomic import replacing
from recurra.pages import Figure

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
ROWS, LAG, LOOKBACK = 3200, 30, 40
STYLE = """svg{font:12.5px system-ui,sans-serif}text{fill:#1c1c1e}.quiet{fill:#5c5f66;font-size:11.5px}
.line{fill:none;stroke-width:2}.dashed{stroke-dasharray:5 4}.grid{stroke:#d5d8dd;stroke-width:.7}
.axis,.mark{stroke:#5c5f66}.mark{stroke-dasharray:3 3}.hover{fill:transparent}.outline{fill:none;stroke:#d5d8dd}
.l0{stroke:#0b62a4}.l1{stroke:#b34700}.l2{stroke:#00724c}.b0{fill:#0b62a4}.b1{fill:#b34700}.b2{fill:#00724c}"""


def lagged_series(lag: int = LAG, rows: int = ROWS) -> np.ndarray:
    """y[t] = 0.9 y[t - lag] + e[t] with standard normal e."""
    noise = np.random.default_rng(0).normal(size=rows + 5 * lag)
    y = noise.copy()
    for t in range(lag, len(y)):
        y[t] = 0.9 * y[t - lag] + noise[t]
    return y[5 * lag :]


def inspected() -> diagnostics.Inspection:
    """A linear model of the series, inspected on rows after those it was trained on."""
    table = pd.DataFrame({"t": np.arange(ROWS), "y": lagged_series()})
    train, new = table[: ROWS - 400], table[ROWS - 400 - LOOKBACK :]
    task = recurra.tasks.Forecast(horizon=1, lookback=LOOKBACK, season=1)
    fitted = recurra.fit(recurra.SeriesFrame.from_table(train, time="t"), family="linear", task=task, max_epochs=12)
    return diagnostics.inspect(fitted.predictor, recurra.SeriesFrame.from_table(new, time="t"))


def write(name: str, figures: list[Figure]) -> Path:
    """Figures side by side as one SVG file on white."""
    width, height = 500, 290
    pieces = []
    for i, figure in enumerate(figures):
        drawing = re.search(r"<svg .*</svg>", str(figure.svg), re.DOTALL)
        assert drawing is not None
        place = f'<svg x="{i * width}" y="20" width="480" height="250" '
        pieces.append(drawing[0].replace("<svg ", place, 1))
    size = f'viewBox="0 0 {width * len(figures)} {height}" width="{width * len(figures)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style>'
    background = '<rect width="100%" height="100%" fill="#fff"/>'
    IMAGES.mkdir(parents=True, exist_ok=True)
    with replacing(IMAGES / name) as path:
        path.write_text(f"{head}{background}{''.join(pieces)}</svg>\n", encoding="utf-8")
    return IMAGES / name


def main() -> None:
    """Draw all pictures."""
    found = inspected()
    memory = next(section for section in found.sections() if section.title == "Memory")
    print(found.memory["text"])
    print(write("memory.svg", [figure for figure in memory.figures[:2] if isinstance(figure, Figure)]))


if __name__ == "__main__":
    main()
