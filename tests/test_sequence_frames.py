"""Frames of sequences: texts, tokens, panels and corpora; targets, splits, the rules for bad input."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import InputError
from recurra.frames import CorpusFrame, PanelFrame, Targets, TextFrame, data_hash
from recurra.frames.targets import objects


def texts(**columns):
    return pd.DataFrame({"text": ["one", "two", "three", "four"], **columns})


def refused(make, *args, words, **roles):
    """The message of the error that making a frame raises; it must hold all the words."""
    with pytest.raises(InputError) as caught:
        make(*args, source="mine.csv", **roles)
    for word in words:
        assert word in str(caught.value), str(caught.value)
    assert not re.search(r"--\w|\.$|\n|  ", str(caught.value)), str(caught.value)


def noted(frame, *words):
    notes = " ".join(frame.notes)
    for word in words:
        assert word in notes, notes
    assert not any(note.endswith(".") or note[0].isupper() for note in frame.notes), notes


def targets(frame):
    return frame.targets.values.tolist()


# Texts


def test_the_text_column_is_found_by_its_name_or_as_the_only_one():
    table = texts(label=["a", "b", "a", "b"], n=[1, 2, 3, 4])
    frame = TextFrame.from_table(table, label="label")
    assert (frame.roles["text"], frame.kind, frame.task, len(frame)) == ("text", "text", "classification", 4)
    assert frame.input_roles == {"text": "text"}
    noted(frame, "ignored: 'n'")
    other = table.rename(columns={"text": "phrase"})
    frame = TextFrame.from_table(other, label="label")
    assert frame.inputs.tolist() == ["one", "two", "three", "four"]
    noted(frame, "'phrase', the only one")
    refused(TextFrame.from_table, other.assign(name="x"), label="label", words=("'phrase', 'name'", "`text`"))
    refused(TextFrame.from_table, other[["n"]], words=("mine.csv: ", "no column of texts", "'n'"))
    refused(TextFrame.from_table, other, text="phrases", words=("'phrases'", "did you mean 'phrase'?"))
    refused(TextFrame.from_table, other, text="n", words=("'n'", "no texts", "`text`"))
    refused(TextFrame.from_table, other, text="phrase", label="phrase", words=("two roles", "'phrase'"))
    refused(TextFrame.from_table, other, text="phrase", label="n", value="n", words=("`label` 'n' and `value` 'n'",))


def test_texts_alone_have_no_targets():
    frame = TextFrame.from_table(texts())
    assert (frame.targets, frame.task, frame.is_test, frame.notes) == (None, None, None, ())
    assert frame.take([2, 0]).texts.tolist() == ["three", "one"]


@pytest.mark.parametrize(
    ("labels", "expected", "note"),
    [
        ([1, 2, 1, 2], [1, 2, 1, 2], None),
        (["01", "2", "01", "2"], ["01", "2", "01", "2"], None),
        ([1, 2, 1, None], [1, 2, 1], "1 of 4 rows has no 'y'"),
        (pd.array([1, None, 2, 1], dtype="Int64"), [1, 2, 1], "1 of 4 rows"),
        (pd.Categorical(["u", "v", "u", "v"]), ["u", "v", "u", "v"], None),
        (["u", " ", "v", ""], ["u", "v"], "2 of 4 rows have no 'y'"),
        ([True, False, True, False], ["True", "False", "True", "False"], "of type bool: they are taken as text"),
        ([1.5, 2.5, 1.5, 2.5], ["1.5", "2.5", "1.5", "2.5"], "of type float"),
        ([1, "a", 1, "a"], ["1", "a", "1", "a"], "of type int and str"),
        (["Yes", "yes ", "Yes", "yes "], ["Yes", "yes ", "Yes", "yes "], "differ only in case or spaces"),
        (["u", "u", "u", "v"], ["u", "u", "u", "v"], "not balanced: 3 of 'u', 1 of 'v'"),
        (["u", "u", "w", "v"], ["u", "u", "w", "v"], "only one example, which are kept but hard to learn: 'w', 'v'"),
    ],
)
def test_labels_stay_as_the_user_wrote_them(labels, expected, note):
    frame = TextFrame.from_table(texts(y=labels), label="y")
    assert targets(frame) == expected
    assert {type(label) for label in targets(frame)} <= {str, int}
    noted(frame, *([] if note is None else [note]))


def test_labels_that_leave_nothing_to_learn_are_refused():
    refused(TextFrame.from_table, texts(y="a"), label="y", words=("'y'", "only one label, 'a'", "at least two"))
    refused(TextFrame.from_table, texts(y=None), label="y", words=("'y'", "holds no labels"))
    refused(TextFrame.from_table, texts(y=[["a"], "b", "b", "a"]), label="y", words=("a list in row 0", "`tags`"))
    many = pd.DataFrame({"text": list("abcdefghij"), "y": range(10)})
    refused(TextFrame.from_table, many, label="y", words=("a different label in each of 10 rows", "`value`"))


def test_values_are_numbers_and_missing_ones_are_left_out():
    frame = TextFrame.from_table(texts(y=["1.5", "?", "2", "3"]), value="y")
    assert (frame.task, targets(frame)) == ("regression", [1.5, 2.0, 3.0])
    noted(frame, "1 of 4 rows has no 'y'")
    noted(TextFrame.from_table(texts(y=1), value="y"), "constant (1)")
    refused(TextFrame.from_table, texts(y=["1", "2", "x", "3"]), value="y", words=("'y'", "'x'", "row 2"))
    refused(TextFrame.from_table, texts(y=np.nan), value="y", words=("'y'", "holds no numbers"))


def test_doubtful_texts_are_kept_and_counted():
    table = pd.DataFrame({"text": ["", None, "a\0b", "half \ud800", "🤷🏽‍♀️", 7]}, dtype=object)
    frame = TextFrame.from_table(table, text="text")
    assert frame.texts.tolist() == ["", "", "a\0b", "half \ufffd", "🤷🏽‍♀️", "7"]
    noted(frame, "2 of 6 texts in 'text' are empty or missing", "NUL", "surrogates", "1 cell of 'text' is not a text")
    refused(TextFrame.from_table, pd.DataFrame({"text": ["", ""]}), text="text", words=("holds no text",))
    refused(TextFrame.from_table, pd.DataFrame({"text": []}), text="text", words=("no rows",))


def test_a_held_out_test_set_by_table_or_by_column():
    train, test = texts(y=["a", "b", "a", "b"]), texts(y=["a", "c", "b", None])
    frame = TextFrame.from_table(train, label="y", test=test)
    assert frame.is_test.tolist() == [False] * 4 + [True] * 3
    noted(frame, "3 of 3 texts of the held-out test set are in the training set too", "not in the training set ('c')")
    noted(frame, "1 test row has")
    both = train.assign(part=["train", "Validation", "TEST", "test"])
    frame = TextFrame.from_table(both, label="y", split="part")
    assert frame.is_test.tolist() == [False, False, True, True]
    noted(frame, "1 row marked as validation in 'part' is used for training")
    assert frame.take([3, 0]).is_test.tolist() == [True, False]
    refused(TextFrame.from_table, both, split="part", test=test, words=("given twice", "`split`"))
    refused(TextFrame.from_table, both.assign(part="later"), split="part", words=("'later' in row 0", "train"))
    refused(TextFrame.from_table, both.assign(part="test"), split="part", words=("every row as test",))
    refused(
        TextFrame.from_table, train, label="y", test=test[["text"]], words=("the held-out test set of mine.csv", "'y'")
    )
    refused(
        TextFrame.from_table,
        train,
        label="y",
        test=test.assign(y=None),
        words=("no rows of the held-out test set have a 'y'",),
    )
    lone = train.assign(y=["a", None, None, None])
    refused(TextFrame.from_table, lone, label="y", test=train, words=("only one label, 'a'", "all 1 labelled rows"))
    noted(TextFrame.from_table(both.assign(part="train"), split="part"), "marks no row as test")


def test_repeated_texts_are_counted_but_empty_ones_are_no_repetition():
    noted(
        TextFrame.from_table(pd.DataFrame({"text": ["a", "a", "", "", "b"]})),
        "1 of 3 texts repeats an earlier one: all",
    )
    assert TextFrame.from_table(texts()).notes == ()


# Tokens and tags


def test_tokens_and_tags():
    records = [{"tokens": ["the", "cat"], "tags": ["D", "N"]}, {"tokens": ["cats"], "tags": ["N"]}]
    frame = TextFrame.from_records(records, tags="tags")
    assert (frame.kind, frame.task, targets(frame)) == ("tokens", "tagging", [["D", "N"], ["N"]])
    assert frame.texts.tolist() == [["the", "cat"], ["cats"]]
    by_text = pd.DataFrame({"text": ["the cat", "cats", ""], "tags": ["D N", "N", ""]})
    same = TextFrame.from_table(by_text, tags="tags")
    assert (same.texts.tolist(), targets(same)) == (frame.texts.tolist(), targets(frame))
    noted(same, "cut into tokens at their spaces", "1 of 3 rows has no 'tags'")
    whole = TextFrame.from_records([{"tokens": [0, 1], "tags": [0, 1]}, {"tokens": [1], "tags": [1.0]}], tags="tags")
    assert (whole.texts.tolist(), targets(whole)) == ([["0", "1"], ["1"]], [[0, 1], [1]])
    labelled = TextFrame.from_records(
        [{"tokens": ["a"], "y": "u"}, {"tokens": ["b"], "y": "v"}], text="tokens", label="y"
    )
    assert (labelled.kind, labelled.task) == ("tokens", "classification")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"tokens": ["a", "b"], "tags": ["N"]}, ("1 tags in row 1", "2 were expected")),
        ({"tokens": ["a"], "tags": ["N", "N"]}, ("2 tags in row 1", "1 were expected")),
        ({"tokens": ["a"], "tags": [None]}, ("None as tag 1 in row 1",)),
        ({"tokens": ["a"], "tags": [float("nan")]}, ("nan as tag 1 in row 1",)),
        ({"tokens": ["a"], "tags": 3}, ("holds 3 in row 1", "`label`")),
        ({"tokens": [["a"]], "tags": ["N"]}, ("['a'] among the tokens in row 1",)),
        ({"tokens": 3, "tags": ["N"]}, ("holds 3 in row 1", "list of tokens")),
    ],
)
def test_tags_that_do_not_fit_are_refused(record, words):
    good = {"tokens": ["a", "b"], "tags": ["N", "V"]}
    refused(TextFrame.from_records, [good, record], tags="tags", words=words)


# Panels


def steps():
    """Three sequences of two, one and two steps, mixed up."""
    return pd.DataFrame(
        {
            "who": ["b", "a", "b", "c", "c"],
            "step": [1, 0, 0, 0, 1],
            "x": [2.0, 3.0, 1.0, 4.0, np.nan],
            "z": [20, 30, 10, 40, 50],
            "kind": ["u", "v", None, "u", "u"],
            "dose": [0.5, 0.2, 0.5, 0.1, 0.1],
        }
    )


def test_a_long_table_is_cut_into_sequences_in_the_order_of_time():
    frame = PanelFrame.from_table(steps(), id="who", label="kind", channels=["x", "z"])
    assert [sequence.tolist() for sequence in frame.inputs[:2]] == [[[1.0, 10.0], [2.0, 20.0]], [[3.0, 30.0]]]
    assert (frame.channels, targets(frame), frame.kind) == (("x", "z"), ["u", "v", "u"], "values")
    assert frame.names.tolist() == ["b", "a", "c"]
    assert frame.input_roles == {"id": "who", "time": "step", "channels": ["x", "z"]}
    noted(frame, "sorted by column 'step'", "they are sorted", "1 of 10 values is missing", "ignored: 'dose'")
    as_found = PanelFrame.from_table(steps(), id="who", time="none", channels=["x"])
    assert as_found.inputs[0].tolist() == [[2.0], [1.0]]
    again = PanelFrame.from_table(steps()[["who", "step", "x", "z"]], **frame.input_roles)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(again.inputs, frame.inputs, strict=True))
    valued = PanelFrame.from_table(steps(), id="who", value="dose", channels=["x"])
    assert targets(valued) == [0.5, 0.2, 0.1]
    tagged = PanelFrame.from_table(steps(), id="who", tags="z", channels=["x"])
    assert targets(tagged) == [[10, 20], [30], [40, 50]]
    assert PanelFrame.from_table(steps(), id="who").channels == ("x", "z", "dose")


@pytest.mark.parametrize(
    ("change", "roles", "words"),
    [
        (
            {"kind": list("uvvuu")},
            {"label": "kind"},
            ("'kind' changes inside sequence 'b'", "row 0", "row 2", "`tags`"),
        ),
        ({"kind": list("uvuuu")}, {"tags": "kind", "time": "x"}, ("'x' is empty in row 4",)),
        ({}, {"tags": "kind"}, ("'kind' is empty in row 2", "every step")),
        ({"step": 0}, {"label": "kind"}, ("'step'", "duplicated in one sequence", "row 0", "row 2")),
        ({"who": ["b", None, "b", "c", "c"]}, {}, ("'who' is empty in row 1",)),
        ({"x": ["1", "2", "y", "3", "4"]}, {}, ("'x'", "'y'", "row 2")),
        ({}, {"label": "who"}, ("'who'", "two roles")),
        ({}, {"label": "sort"}, ("no column is called 'sort'",)),
        ({}, {"channels": ["x", "q"]}, ("no column is called 'q'",)),
        ({}, {"values": "x"}, ("`id` 'who'", "`values` 'x'")),
        ({"part": ["train", "test", "test", "train", "train"]}, {"split": "part"}, ("'part' changes inside", "'b'")),
    ],
)
def test_long_tables_that_do_not_fit_are_refused(change, roles, words):
    refused(PanelFrame.from_table, steps().assign(**change), id="who", words=words, **roles)


def test_the_same_id_in_both_tables_is_two_sequences():
    frame = PanelFrame.from_table(steps(), id="who", label="kind", test=steps(), channels=["x"])
    assert frame.is_test.tolist() == [False] * 3 + [True] * 3
    noted(frame, "3 values of 'who' are in both", "3 of 3 sequences of the held-out test set are in the training set")


def test_lists_of_values():
    table = pd.DataFrame({"values": [[1, None, 3], [4], []], "y": ["u", "v", "u"]})
    frame = PanelFrame.from_table(table, label="y")
    np.testing.assert_array_equal(frame.inputs[0], [[1.0], [np.nan], [3.0]])
    assert (len(frame), frame.channels) == (2, ("values",))
    noted(frame, "1 of 3 sequences has no steps: it is left out")
    assert [len(sequence) for sequence in PanelFrame.from_table(table).inputs] == [3, 1, 0]
    wide = pd.DataFrame({"values": [[[1, 2], [3, 4]], [[5, 6]]], "tags": [[0, 1], [1]]})
    frame = PanelFrame.from_table(wide, tags="tags")
    assert (frame.channels, targets(frame)) == (("c0", "c1"), [[0, 1], [1]])
    refused(
        PanelFrame.from_table, wide.assign(tags=[[0, 1], [1, 1]]), tags="tags", words=("2 tags in row 1", "1 steps")
    )
    refused(PanelFrame.from_table, wide, values="signal", words=("'signal'", "`id`"))
    refused(PanelFrame.from_table, wide, time="tags", words=("`time`", "`id`"))
    for cells, words in [
        ([[1, 2], "x"], ("the sequence in row 1", "'x'")),
        ([[1, 2], ["x"]], ("the sequence in row 1", "'x' at step 0")),
        ([[1, 2], ["1"]], ("the sequence in row 1", "'1' at step 0")),
        ([[1, 2], [[1, 2]]], ("the sequence in row 1", "2 channels where 1")),
        ([[1, 2], [1, [2]]], ("the sequence in row 1", "step 1")),
        ([[[1, 2], [3]], [1]], ("the sequence in row 0", "1 values at step 1 where 2")),
        ([[1, 2], [float("inf")]], ("the sequence in row 1", "infinite", "step 0")),
        ([[[[1]]], [1]], ("the sequence in row 0", "3 dimensions")),
        ([[], []], ("no sequence has any values",)),
    ]:
        refused(PanelFrame.from_table, pd.DataFrame({"values": cells}), words=words)


def test_arrays():
    frame = PanelFrame.from_arrays([[1.0, 2.0], [3.0]], ["up", "down"])
    assert [sequence.shape for sequence in frame.inputs] == [(2, 1), (1, 1)]
    cube = np.arange(24.0).reshape(4, 3, 2)
    assert PanelFrame.from_arrays(cube).inputs[3].tolist() == cube[3].tolist()
    for given_targets, task, expected in [
        ([0, 1, 0, 1], "classification", [0, 1, 0, 1]),
        (np.array(["a", "b", "a", "b"]), "classification", ["a", "b", "a", "b"]),
        ([0.5, 1.0, 2.0, 3.0], "regression", [0.5, 1.0, 2.0, 3.0]),
        (np.array([[0, 1, 1]] * 4), "tagging", [[0, 1, 1]] * 4),
        ([1.0, 2.0, 1.0, np.nan], "regression", [1.0, 2.0, 1.0]),
        (Targets("classification", "who", objects(["x", "y", "x", "y"])), "classification", ["x", "y", "x", "y"]),
    ]:
        made = PanelFrame.from_arrays(cube, given_targets)
        assert (made.task, targets(made)) == (task, expected)
    assert PanelFrame.from_arrays(cube, [1, 2, 3, 4], task="regression").task == "regression"
    kept = PanelFrame.from_arrays(cube, [0, 1, 0, 1], is_test=[False, False, True, True]).take([3, 1])
    assert (kept.is_test.tolist(), targets(kept), kept.inputs[0][0, 0]) == ([True, False], [1, 1], 18.0)
    for arguments, words in [
        ((cube, [0, 1]), ("4 sequences but 2 targets",)),
        ((cube, [[0, 2]] * 4), ("2 tags", "sequence 0", "3 tags were expected")),
        (([[1.0], [[1.0, 2.0]]],), (": sequence 1 has", "2 channels where 1")),
        ((cube, [None] * 4), ("holds no targets",)),
    ]:
        refused(PanelFrame.from_arrays, *arguments, words=words)
    refused(PanelFrame.from_arrays, cube, channels=["a"], words=("1 names were given where 2",))


# Corpora


def test_a_corpus_is_cut_behind_a_line_or_a_space():
    frame = CorpusFrame.from_text("ab cd\n" * 100)
    assert frame.cuts is None
    assert all(split.startswith("ab") and split.endswith("\n") for split in frame.splits)
    assert "".join(frame.splits) == frame.text
    assert [round(len(split) / len(frame), 2) for split in frame.splits] == [0.81, 0.1, 0.09]
    assert CorpusFrame.from_text("x" * 100).bounds == (80, 90)
    assert CorpusFrame.from_text("x" * 100, (50, 70)).splits == ("x" * 50, "x" * 20, "x" * 30)
    with pytest.raises(ValueError, match="`cuts` must rise"):
        CorpusFrame.from_text("x" * 100, (50, 100))
    refused(CorpusFrame.from_text, " \n", words=("mine.csv: ", "empty"))
    refused(CorpusFrame.from_text, "short", words=("5 characters", "at least 20"))
    noted(CorpusFrame.from_text("half \ud800 " * 10), "surrogates")


# Descriptions


def test_frames_are_described_in_one_line():
    table = texts(y=["a", "b", "a", "b"], n=[1, 2, 3, 4], part=["train", "train", "train", "test"])
    assert repr(TextFrame.from_table(table[["text"]])) == "TextFrame('table': 4 texts, no targets)"
    frame = TextFrame.from_table(table, label="y", source="t.csv")
    assert repr(frame) == "TextFrame('t.csv': 4 texts, label 'y' (2 classes))"
    frame = TextFrame.from_table(table, value="n", split="part")
    assert repr(frame) == "TextFrame('table': 4 texts (1 held out), value 'n')"
    panel = PanelFrame.from_arrays(np.ones((2, 3, 2)), [[0, 1, 2], [2, 1, 0]])
    assert repr(panel) == "PanelFrame('arrays': 2 sequences of 2 channels, tags 'y' (3 classes))"
    corpus = CorpusFrame.from_text("x" * 1000, (800, 900))
    assert repr(corpus) == "CorpusFrame('text': 1,000 characters, split 800, 100, 100)"


def test_an_unknown_task_is_a_value_error():
    with pytest.raises(ValueError, match=r"`task` must be one of .*Received: task='guess'"):
        PanelFrame.from_arrays(np.ones((2, 3)), [0, 1], task="guess")
    with pytest.raises(ValueError, match=r"`task` must be one of .*Received: task='guess'"):
        Targets("guess", "y", np.ones(2))


# Hashes


def test_the_hash_names_the_content():
    table = texts(y=["a", "b", "a", "b"])
    frame = TextFrame.from_table(table, label="y")
    assert data_hash(frame) == data_hash(TextFrame.from_table(table, label="y", source="elsewhere"))
    panel = PanelFrame.from_arrays([[1.0, np.nan], [3.0]], ["up", "down"])
    assert data_hash(panel) == data_hash(PanelFrame.from_arrays([[1.0, np.nan], [3.0]], ["up", "down"]))
    others = [
        frame,
        TextFrame.from_table(table),
        TextFrame.from_table(table.assign(y=[1, 2, 1, 2]), label="y"),
        TextFrame.from_table(table.assign(y=["1", "2", "1", "2"]), label="y"),
        TextFrame.from_table(table.assign(text=["onet", "wo", "three", "four"]), label="y"),
        replace(frame, is_test=np.array([False, False, True, True])),
        TextFrame.from_records([{"tokens": ["one"]}, {"tokens": ["two"]}], text="tokens"),
        TextFrame.from_records([{"tokens": ["one", "two"]}, {"tokens": []}], text="tokens"),
        panel,
        PanelFrame.from_arrays([[1.0, 2.0], [3.0]], ["up", "down"]),
        PanelFrame.from_arrays([[1.0], [np.nan, 3.0]], ["up", "down"]),
        CorpusFrame.from_text("x" * 30),
        CorpusFrame.from_text("x" * 30, (10, 20)),
    ]
    assert len({data_hash(other) for other in others}) == len(others)


@given(
    lengths=st.lists(st.integers(1, 5), min_size=2, max_size=8),
    order=st.randoms(use_true_random=False),
)
def test_a_long_table_gives_the_sequences_whatever_the_order_of_its_rows(lengths, order):
    rows = [(who, step, who + step / 10, who % 2) for who, length in enumerate(lengths) for step in range(length)]
    expected = [[who + step / 10 for step in range(length)] for who, length in enumerate(lengths)]
    order.shuffle(rows)
    frame = PanelFrame.from_table(pd.DataFrame(rows, columns=["id", "time", "x", "y"]), id="id", label="y")
    found = {sequence[0, 0]: sequence[:, 0].tolist() for sequence in frame.inputs}
    assert [found[first[0]] for first in expected] == expected
    assert all(label == sequence[0, 0] % 2 for label, sequence in zip(targets(frame), frame.inputs, strict=True))


# Groups: what belongs together


def test_a_column_of_groups_is_read_in_every_form_of_table():
    texts = pd.DataFrame({"text": ["a b", "c", "d"], "film": ["07", "7", "07"], "label": ["x", "y", "x"]})
    frame = TextFrame.from_table(texts, label="label", group="film")
    assert frame.groups.tolist() == [0, 1, 0]
    assert frame.roles["group"] == "film"
    assert "group" not in frame.input_roles
    assert any("3 texts belong to 2 groups of 'film'" in note for note in frame.notes)
    assert frame.take([1, 2]).groups.tolist() == [1, 0]
    steps = pd.DataFrame({"id": [1, 1, 2, 3], "v": [1.0, 2, 3, 4], "who": ["p", "p", "q", None], "label": [*"aabb"]})
    assert PanelFrame.from_table(steps, id="id", label="label", group="who").groups.tolist() == [0, 1, 2]
    wide = pd.DataFrame({f"t{i}": [1.0 * i, 2.0] for i in range(6)} | {"label": ["a", "b"], "machine": [4, 4]})
    assert PanelFrame.from_table(wide, label="label", group="machine").groups.tolist() == [0, 0]
    lists = pd.DataFrame({"values": [[1.0], [2.0, 3.0]], "label": ["a", "b"], "machine": [4, 5]})
    assert PanelFrame.from_table(lists, values="values", label="label", group="machine").groups.tolist() == [0, 1]
    words = pd.DataFrame({"s": [1, 1, 2], "word": [*"abc"], "tags": [*"xyx"], "doc": [*"ddd"]})
    assert TextFrame.from_table(words, id="s", text="word", tags="tags", group="doc").groups.tolist() == [0, 0]
    arrays = PanelFrame.from_arrays([[1.0], [2.0], [3.0]], ["u", "v", "u"], groups=["p", None, "p"])
    assert arrays.groups.tolist() == [0, 1, 0]


def test_a_sequence_of_two_groups_is_refused():
    steps = pd.DataFrame({"id": [1, 1, 2], "v": [1.0, 2, 3], "who": ["p", "q", "q"], "label": [*"aab"]})
    with pytest.raises(InputError, match=r"column 'who' changes inside sequence 1, from 'p' .* correct the rows$"):
        PanelFrame.from_table(steps, id="id", label="label", group="who")


def test_groups_count_for_the_hash_and_are_compared_with_the_test_set():
    table = pd.DataFrame({"text": [*"abcdef"], "film": [1, 1, 2, 2, 3, 1], "label": [*"xyxyxy"]})
    plain, own = (TextFrame.from_table(table, label="label", group=group) for group in (None, "film"))
    assert data_hash(plain) != data_hash(own)
    held = TextFrame.from_table(table[:4], label="label", group="film", test=table[4:])
    assert any("1 of 2 texts of the held-out test set belong to groups of 'film'" in note for note in held.notes)
