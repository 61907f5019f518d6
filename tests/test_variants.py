"""Variants: a family with settings of its own, compared like any other."""

import numpy as np
import pytest

import recurra
from recurra.errors import InputError
from recurra.frames import TextFrame

TINY = {"max_epochs": 2, "seeds": 1, "folds": 1}


@pytest.fixture(scope="module")
def tagged():
    """Tags that are the token before: with a window of one nothing can be known, with two all of it."""
    random = np.random.default_rng(0)
    tokens = [random.choice(["a", "b"], size=n).tolist() for n in random.integers(4, 9, size=60)]
    records = [{"tokens": t, "tags": ["-", *t[:-1]]} for t in tokens]
    return TextFrame.from_records(records, tags="tags")


def test_variants_of_one_family_are_compared(tagged, tmp_path):
    names = ["dense:window=1", "dense:window=2+units=16+learning_rate=0.03"]
    result = recurra.compare(
        tagged, families=names, baselines=["majority_tag"], **(TINY | {"max_epochs": 40}), out=tmp_path, refit=True
    )
    assert set(result.summary.index) == {*names, "majority_tag"}
    assert result.summary.loc[names[1], "tag_error_rate"] < 0.05 < result.summary.loc[names[0], "tag_error_rate"]
    assert result.refits[0].training["window"] == 2
    assert result.provenance()["metrics"]["tag_error_rate"] == result.summary.loc[names[1], "tag_error_rate"]
    kept = sorted(path.name for path in (tmp_path / "trials").glob("dense*.json"))
    assert len(kept) == 2
    assert not any(":" in name for name in kept)
    assert result.verdict["worth_it"] is None  # nothing that carries a state took part
    rows = {row["model"]: row["config"] for row in result.to_dict()["trials"]}
    assert rows[names[0]]["window"] == 1


@pytest.mark.parametrize(
    ("families", "words"),
    [
        (["dense:windw=1"], "has no setting `windw`"),
        (["dense:window=0"], "`window` of dense for tagging must be a whole number of at least 1; received 0"),
        (
            ["dence:window=1"],
            "`families` must be some of linear, dense, tcn, simple_rnn, gru, lstm, min_gru, min_lstm; received 'dence'",
        ),
        (["dense:window=1", "dense:window=1"], "`families` must name each model once"),
    ],
)
def test_a_wrong_variant_is_named(tagged, families, words):
    with pytest.raises(InputError) as caught:
        recurra.compare(tagged, families=families, **TINY)
    assert words in str(caught.value)
