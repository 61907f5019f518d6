"""Texts, panels and their targets as numbers: cutting, batches, folds; training reads what serving reads."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import InputError
from recurra.frames import PanelFrame, Targets, TextFrame
from recurra.frames.targets import objects
from recurra.pipelines import (
    ClassEncoder,
    Ragged,
    SequenceBatches,
    SequenceEncoder,
    SequencePipeline,
    TagEncoder,
    TextEncoder,
    ValueEncoder,
    stratified_folds,
    stratified_split,
)
from recurra.pipelines.ragged import padded_lengths
from recurra.pipelines.tokens import cut_texts

NAN = np.nan
# Whatever a keyboard, a web page or a broken file can hold, the awkward signs more often.
AWKWARD = " \n\t\r\x0b\x0c\x1c\x00\x01\x7f\x85\xa0\u2028\u3000'’Iİıß中<br/>😀\u200d\ufe0f\u0301\ue000\ufffd"
TEXTS = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters()), max_size=30)


def cut(text, tokens="word"):
    raw = text if isinstance(text, bytes) else text.encode("utf-8")
    return [token.decode("utf-8") for token in cut_texts(tf.constant([raw]), tokens).to_list()[0]]


def read(batches, **how):
    """Batches as numpy."""
    return [
        ({name: x.numpy() for name, x in inputs.items()}, target.numpy(), weight.numpy())
        for inputs, target, weight in batches.dataset(**how)
    ]


# Tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's the dogs' bone, isn't it?", ["it's", "the", "dogs", "'", "bone", ",", "isn't", "it", "?"]),
        ("'quoted' o'clock ''", ["'", "quoted", "'", "o'clock", "''"]),
        ("one<br />two<BR>three", ["one", "two", "three"]),
        ("3.50€ (x2)", ["3", ".", "50", "€", "(", "x2", ")"]),
        ("Straße ÉTÉ ΣΟΦΌΣ", ["straße", "été", "σοφός"]),
        ("我喜欢, 日本語", ["我喜欢", ",", "日本語"]),
        ("ok😀👍", ["ok", "😀", "👍"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),  # marks belong to their letters
        ("a\x00b\x01c\x85d\x7fe", ["a", "b", "c", "d", "e"]),
        ("a\xa0b\u2028c\u3000d\t\n e", ["a", "b", "c", "d", "e"]),
        (b"caf\xe9 ok \xff\xfe", ["caf", "ok"]),
        ("", []),
        (" \n\x00 ", []),
    ],
)
def test_words_literally(text, words):
    assert cut(text) == words


@pytest.mark.parametrize(
    ("text", "characters"),
    [("aB c", list("aB c")), ("é😀\n\x00x", list("é😀\n\x00x")), (b"a\xffb", ["a", "\ufffd", "b"]), ("", [])],
)
def test_characters_literally(text, characters):
    assert cut(text, "char") == characters


def test_between_spaces_literally():
    assert cut("<unk> N 's  U.S.\tDon't\nend\x00. ", "space") == ["<unk>", "N", "'s", "U.S.", "Don't", "end\x00."]


@given(TEXTS)
def test_words_hold_no_space_and_no_capital_and_lose_no_letter(text):
    words = cut(text.encode("utf-8", "replace"))
    assert all(word and not any(sign.isspace() for sign in word) for word in words)
    assert all(word == word.lower() for word in words if word.isascii())
    kept = {sign for sign in "".join(words) if sign.isascii() and sign.isalnum()}
    without_breaks = text.lower().replace("<br", "")
    assert {sign for sign in without_breaks if sign.isascii() and sign.isalnum()} - set("ri") <= kept


# Reading texts


def text_frame(texts, labels=None, **more):
    targets = None if labels is None else Targets("classification", "label", objects(labels))
    return TextFrame(objects(texts), targets, **more)


KNOWN = ["It's good, I think", "bad\x00 film 😀", "中 good <br> İt", " a b\xa0c\u2028", "'good' I'm", "bad bad"]


def encoder(tokens, **how):
    texts = [text.split() for text in KNOWN] if tokens is None else KNOWN
    return TextEncoder(tokens=tokens, min_count=1, **how).fit(texts, source="test")


ENCODERS = {
    "word": encoder("word"),
    "first": encoder("word", sequence_length=3),
    "last": encoder("word", sequence_length=3, keep="last"),
    "char": encoder("char", sequence_length=9),
    "space": encoder("space"),
    "lists": encoder(None),
}
SERVED = {
    name: tf.function(one.preprocess, input_signature=[one.signature()], autograph=False)
    for name, one in ENCODERS.items()
}


@pytest.mark.parametrize("name", ENCODERS)
@settings(max_examples=60)
@given(data=st.data())
def test_training_reads_what_serving_reads(name, data):
    one = ENCODERS[name]
    token = TEXTS if name != "lists" else st.one_of(TEXTS, st.sampled_from(["good", "bad", ""]))
    texts = data.draw(st.lists(token if name != "lists" else st.lists(token, max_size=5), min_size=1, max_size=4))
    trained = one.encode(texts)
    raw = {k: tf.constant(v, tf.string) for k, v in one.raw(texts).items()}
    ids = SERVED[name](raw)["tokens"].numpy()
    assert ids.shape[1] >= 1
    for i, row in enumerate(ids):
        assert row[: trained.lengths[i]].tolist() == trained[i].tolist()
        assert not row[trained.lengths[i] :].any()
    assert (trained.flat > 0).all()  # padding is never a token


def test_an_empty_token_is_a_token_and_half_a_character_is_read():
    one = ENCODERS["lists"]
    assert one.encode([["good", "", "bad"], [""]]).lengths.tolist() == [3, 1]
    assert cut("\ud83d".encode("utf-8", "replace")) == ["?"]
    assert ENCODERS["word"].encode(["\ud83d good"]).lengths.tolist() == [2]
    assert one.encode([["\ud83d"]]).lengths.tolist() == [1]


def test_a_vocabulary_is_ranked_by_frequency_then_alphabet():
    one = TextEncoder(min_count=1).fit(["b a b c", "c a d"], source="test")
    assert one.vocabulary_.words == ["a", "b", "c", "d"]
    assert one.encode(["d a x"]).flat.tolist() == [6, 3, 1]
    assert (one.known_, len(one.vocabulary_)) == (1.0, 7)
    assert [one.vocabulary_.word(i) for i in (0, 1, 2, 3)] == ["?", "?", "?", "a"]
    rare = TextEncoder(min_count=2).fit(["b a b c", "c a d"], source="test")
    assert rare.vocabulary_.words == ["a", "b", "c"]
    assert rare.known_ == pytest.approx(6 / 7)
    few = TextEncoder(min_count=1, vocabulary_size=5).fit(["b b b c c d"], source="test")
    assert few.vocabulary_.words == ["b", "c"]
    assert few.known_ == pytest.approx(5 / 6)
    once = TextEncoder(min_count=2).fit(["a b"], source="test")  # no word comes twice: then every one is known
    assert once.vocabulary_.words == ["a", "b"]


def test_the_length_is_what_most_training_texts_need():
    texts = ["w " * n for n in range(1, 101)]
    one = TextEncoder(min_count=1).fit(texts, source="test")
    assert one.length_ == 96  # the quantile 0.95 of 1 to 100 is 95.05
    assert one.fitting_ == pytest.approx(0.96)
    assert one.notes[1] == (
        "length: 96 words; 96.0 % of the training texts fit, of longer ones the first 96 are read "
        "(set `sequence_length` or `keep` to change it)"
    )
    assert one.encode(["w " * 200]).lengths.tolist() == [96]
    assert TextEncoder(min_count=1).fit(["w " * 600] * 3, source="test").length_ == 512
    assert TextEncoder(tokens="char").fit(["w" * 2000] * 3, source="test").length_ == 1024
    assert TextEncoder(tokens="char", sequence_length=1500).fit(["w" * 2000] * 3, source="test").length_ == 1500
    whole = TextEncoder(tokens=None).fit([["w"] * 3000], source="test", truncate=False)
    assert whole.encode([["w"] * 4000]).lengths.tolist() == [4000]  # tags need every token


def test_first_or_last_tokens_are_kept():
    text = "good bad film think it's"
    ids = ENCODERS["word"].encode([text]).flat.tolist()
    assert ENCODERS["first"].encode([text]).flat.tolist() == ids[:3]
    assert ENCODERS["last"].encode([text]).flat.tolist() == ids[-3:]
    assert len(set(ids)) == 5


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"tokens": "words"}, "`tokens` must be one of word, char, space; received 'words'"),
        ({"keep": "middle"}, "`keep` must be one of first, last; received 'middle'"),
        ({"vocabulary_size": 3}, "`vocabulary_size` must be at least 4; received 3"),
        ({"sequence_length": 0}, "`sequence_length` must be at least 1; received 0"),
    ],
)
def test_what_a_text_reader_refuses(how, words):
    with pytest.raises(InputError, match=words):
        TextEncoder(**how)


def test_texts_without_any_token_are_refused():
    with pytest.raises(
        InputError, match=r"^mine\.csv: the training texts hold no token at all; check the text column$"
    ):
        TextEncoder().fit(["", " \x00"], source="mine.csv")


# Reading values


def values(*rows):
    """Sequences of one channel."""
    return [np.array(row, dtype=float)[:, None] for row in rows]


def test_values_are_scaled_and_filled_inside_each_sequence():
    one = SequenceEncoder().fit(values([1, 3], [1, 3, NAN]), source="test")
    assert (one.mean_.tolist(), one.scale_.tolist(), one.length_) == ([2.0], [1.0], 3)
    ready = one.encode(values([NAN, 1, NAN, 3], [3], [NAN, NAN], [2, NAN]))
    assert ready.lengths.tolist() == [3, 1, 2, 2]  # cut to the longest training sequence
    assert [ready[i].ravel().tolist() for i in range(4)] == [[-1, -1, -1], [1], [0, 0], [0, 0]]
    forward = SequenceEncoder(missing="ffill").fit(values([1, 3]), source="test")
    assert forward.length_ == 2
    longer = SequenceEncoder(missing="interpolate", sequence_length=4).fit(values([1, 3]), source="test")
    assert longer.encode(values([1, NAN, 3, NAN])).flat.ravel().tolist() == [-1, 0, 1, 1]
    ahead = SequenceEncoder(missing="ffill", sequence_length=4).fit(values([1, 3]), source="test")
    assert ahead.encode(values([1, NAN, 3, NAN])).flat.ravel().tolist() == [-1, -1, 1, 1]


@pytest.mark.parametrize("keep", ["first", "last"])
@settings(max_examples=40)
@given(data=st.data())
def test_padding_never_reaches_inside_and_serving_reads_the_same(keep, data):
    numbers = st.one_of(st.floats(-5, 5, width=32), st.just(NAN))
    sequences = data.draw(st.lists(st.lists(numbers, min_size=0, max_size=7), min_size=1, max_size=4))
    sequences = values(*sequences)
    one = SequenceEncoder(sequence_length=4, keep=keep).fit(values([1, 4, 2]), source="test")
    together = one.encode(sequences)
    alone = [one.encode([sequence]) for sequence in sequences]
    for i, sequence in enumerate(sequences):
        assert together[i].tolist() == alone[i].flat.tolist()
        assert len(together[i]) == min(len(sequence), 4)
        kept = sequence[:4] if keep == "first" else sequence[-4:]
        observed = np.isfinite(kept)
        np.testing.assert_allclose(together[i][observed], ((kept - one.mean_) / one.scale_)[observed], atol=1e-5)
    raw = one.raw(sequences)
    garbage = np.arange(raw["values"].shape[1]) >= raw["lengths"][:, None]
    raw["values"][garbage] = 99  # what stands behind a sequence's end is not read
    ready = one.preprocess({name: tf.constant(x) for name, x in raw.items()})
    for i, row in enumerate(ready["values"].numpy()):
        length = int(ready["lengths"][i])
        assert row[:length].tolist() == together[i].tolist()
        assert not row[length:].any()


def test_a_channel_at_rest_keeps_its_scale():
    rest = [np.array([[0.1, 5.0], [0.1, 7.0]])] * 3
    one = SequenceEncoder().fit(rest, source="test")
    assert one.scale_[0] == 1.0
    assert np.abs(one.encode([np.array([[0.3, 6.0]])]).flat).max() < 1
    nothing = SequenceEncoder().fit([np.array([[NAN, 1.0], [NAN, 2.0]])], source="test")
    assert np.isfinite(nothing.encode([np.array([[3.0, NAN]])]).flat).all()


def test_lists_are_as_good_as_arrays():
    one = SequenceEncoder().fit(values([1, 3]), source="test")
    assert one.encode([[1, 3], [[2.0]]]).flat.ravel().tolist() == [-1, 1, 0]


@pytest.mark.parametrize(
    ("sequence", "words"),
    [
        (np.zeros((2, 3)), "^sequence 1 has 3 channels where the training sequences have 1; give the same channels"),
        (np.zeros((2, 3, 1)), "sequence 1 has 3 channels where"),
        ([[1.0], [2.0, 3.0]], "^sequence 1 is not an array of numbers"),
        (["a"], "^sequence 1 is not an array of numbers"),
    ],
)
def test_a_sequence_of_another_shape_is_one_sentence(sequence, words):
    one = SequenceEncoder().fit(values([1, 3]), source="test")
    with pytest.raises(InputError, match=words):
        one.encode([np.zeros((2, 1)), sequence])


def test_missing_values_can_be_refused():
    one = SequenceEncoder(missing="error").fit(values([1, 3]), source="test")
    with pytest.raises(InputError, match="sequence 0 has no value at step 1 of channel 0; fill it, or set `missing`"):
        one.encode(values([1, NAN]))
    with pytest.raises(InputError, match="hold no step at all"):
        SequenceEncoder().fit(values([], []), source="test")


# Targets


def test_labels_keep_their_type_and_unseen_ones_are_none():
    numbers = ClassEncoder().fit([10, 9, 10], source="test", name="y")
    assert numbers.classes_ == [9, 10]
    assert numbers.encode([10, 9, 11]).tolist() == [1, 0, -1]
    words = ClassEncoder().fit(["b", "a"], source="test", name="y")
    assert words.classes_ == ["a", "b"]
    assert ClassEncoder.from_config(words.to_config()).encode(["b", "c", 1]).tolist() == [1, -1, -1]
    tags = TagEncoder().fit([["N", "V"], ["N"]], source="test", name="y")
    assert tags.encode([["V", "X"], [], ["N"]]).flat.tolist() == [1, -1, 0]
    served = numbers.serve(tf.constant([[0.0, 3.0]]))
    assert served["label"].numpy().tolist() == [b"10"]
    np.testing.assert_allclose(served["probabilities"], [[0.04743, 0.95257]], atol=1e-5)


def test_values_come_back_in_their_unit():
    prices = ValueEncoder().fit([10.0, 30.0], source="test", name="y")
    scaled = prices.encode([20.0, 40.0])
    assert scaled.tolist() == [[0.0], [2.0]]
    assert prices.outputs(tf.constant(scaled))["value"].numpy().tolist() == [20.0, 40.0]
    with pytest.raises(InputError, match=r"all have the value 0\.1 in 'y', so there is nothing to learn"):
        ValueEncoder().fit([0.1] * 3, source="test", name="y")


LABELS = st.one_of(st.integers(-99, 99), st.text(max_size=5))
TAGS = st.lists(st.lists(LABELS, max_size=6), min_size=1, max_size=6)


def again(encoder):
    """The encoder as it comes back from a file."""
    return type(encoder).from_config(json.loads(json.dumps(encoder.to_config())))


def sure(numbers, classes):
    """Outputs of a network that is sure of these class numbers."""
    return {"probabilities": np.eye(len(classes), dtype="float32")[np.array(numbers, int)]}


@given(st.lists(LABELS, min_size=2, max_size=20).filter(lambda labels: len(set(labels)) > 1))
def test_labels_come_back_as_they_were(labels):
    encoder = again(ClassEncoder().fit(labels, source="test", name="y"))
    numbers = encoder.encode(labels)
    assert numbers.tolist() == encoder.y_true(labels).tolist()
    table = encoder.table(sure(numbers, encoder.classes_), np.ones(len(labels), int))
    assert table["label"].tolist() == labels
    assert list(map(type, table["label"].tolist())) == list(map(type, labels))
    logits = tf.one_hot(numbers, len(encoder.classes_), on_value=9.0)
    assert encoder.outputs(logits)["number"].numpy().tolist() == numbers.tolist()
    served = [label.decode("utf-8") for label in encoder.serve(logits)["label"].numpy()]
    assert served == list(map(str, labels))


@given(TAGS.filter(lambda tags: len({tag for row in tags for tag in row}) > 1))
def test_tags_come_back_as_they_were(tags):
    encoder = again(TagEncoder().fit(tags, source="test", name="y"))
    lengths = np.array([len(row) for row in tags])
    numbers = np.zeros((len(tags), lengths.max() + 1), int)  # padded, as a network's outputs are
    encoded = encoder.encode(tags)
    assert encoded.lengths.tolist() == lengths.tolist()
    for i, row in enumerate(encoder.y_true(tags)):
        assert row.tolist() == encoded[i].tolist()
        numbers[i, : lengths[i]] = row
    assert encoder.table(sure(numbers, encoder.classes_), lengths)["tags"].tolist() == tags
    served = encoder.serve(tf.one_hot(numbers, len(encoder.classes_), on_value=9.0))["tags"].numpy()
    names = [[tag.decode("utf-8") for tag in row[:n]] for row, n in zip(served, lengths, strict=True)]
    assert names == [list(map(str, row)) for row in tags]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20).filter(lambda values: np.std(values) > 1e-3))
def test_values_come_back_as_they_were(values):
    encoder = again(ValueEncoder().fit(values, source="test", name="y"))
    scaled = encoder.encode(values)
    assert scaled.mean(dtype=float) == pytest.approx(0, abs=1e-5)
    assert scaled.std(dtype=float) == pytest.approx(1, rel=1e-5)
    back = {"value": encoder.outputs(tf.constant(scaled))["value"].numpy()}
    table = encoder.table(back, np.ones(len(values), int))
    close = {"rtol": 0, "atol": 1e-6 * max(map(abs, values))}
    np.testing.assert_allclose(table["value"], encoder.y_true(values), **close)
    assert encoder.y_true(values).tolist() == values


@pytest.mark.parametrize("encoder", [ClassEncoder, TagEncoder])
def test_one_class_is_nothing_to_learn(encoder):
    with pytest.raises(InputError, match=r"^mine\.csv: the training rows hold .* in 'y'"):
        encoder().fit([["a"]] * 3 if encoder is TagEncoder else ["a"] * 3, source="mine.csv", name="y")


def test_what_training_never_saw_weighs_nothing_and_rare_classes_can_weigh_more():
    frame = text_frame(["a"] * 6 + ["b"] * 2 + ["c"], ["no"] * 6 + ["yes"] * 2 + ["maybe"])
    known = np.arange(8)
    for balanced, wanted in ((False, [1, 1]), (True, [8 / 2 / 6, 8 / 2 / 2])):
        pipeline = SequencePipeline(TextEncoder(min_count=1), balanced=balanced).fit(frame, known)
        examples = pipeline.batches(pipeline.encode(frame), np.arange(9))
        np.testing.assert_allclose(examples.weight, [wanted[0]] * 6 + [wanted[1]] * 2 + [0], rtol=1e-6)
        assert examples.weight[:8].sum() == pytest.approx(8)
        assert examples.target.min() == 0
        [(_, target, weight)] = read(examples, batch_size=9)
        assert weight.shape == target.shape == (9,)


def test_a_weight_has_the_shape_of_its_target():
    frame = replace(text_frame(["a b", "c"]), targets=Targets("regression", "y", np.array([1.0, 2.0])))
    pipeline = SequencePipeline(TextEncoder(min_count=1)).fit(frame)
    [(_, target, weight)] = read(pipeline.batches(pipeline.encode(frame), np.arange(2)), batch_size=3)
    assert target.shape == weight.shape == (3, 1)
    assert weight.ravel().tolist() == [1, 1, 0]


# What is learnt is learnt from training rows

ROWS = st.lists(st.tuples(TEXTS, st.sampled_from(["x", "y", "z"])), min_size=2, max_size=6)


@settings(max_examples=25)
@given(others=ROWS)
def test_other_rows_change_nothing_that_was_learnt(others):
    texts = ["good film", "bad film, it's bad", "a film", "b"]
    frames = [
        text_frame([*texts, *more], [*"xyxy", *labels])
        for more, labels in ((["good"], ["x"]), ([t for t, _ in others], [y for _, y in others]))
    ]
    one, other = (SequencePipeline(TextEncoder(min_count=1), balanced=True).fit(f, np.arange(4)) for f in frames)
    assert one.to_config() == other.to_config()
    first, second = (p.encode(f) for p, f in zip((one, other), frames, strict=True))
    assert all(first.sequences[i].tolist() == second.sequences[i].tolist() for i in range(4))
    assert first.target[:4].tolist() == second.target[:4].tolist()


def test_other_sequences_change_nothing_that_was_learnt():
    train = values([1, 2], [3, 4, 5])
    targets = Targets("classification", "y", objects([0, 1, 0]))
    configs = []
    for last in (values([1.5]), values([1e6] * 9)):
        frame = PanelFrame([*train, *last], targets, ("x",))
        configs.append(SequencePipeline(SequenceEncoder()).fit(frame, np.arange(2)).to_config())
    assert configs[0] == configs[1]


def test_a_pipeline_is_kept_as_json():
    frame = text_frame(KNOWN, [1, 2, 1, 2, 1, 2])
    pipeline = SequencePipeline(TextEncoder(tokens="char", sequence_length=5, keep="last"), balanced=True).fit(frame)
    restored = SequencePipeline.from_config(json.loads(json.dumps(pipeline.to_config())))
    assert restored.to_config() == pipeline.to_config()
    assert restored.spec == pipeline.spec
    assert restored.encode(frame).sequences.flat.tolist() == pipeline.encode(frame).sequences.flat.tolist()
    panel = PanelFrame(values([1, 2], [3]), Targets("tagging", "y", objects([["a", "b"], ["a"]])), ("x",))
    tagged = SequencePipeline(SequenceEncoder()).fit(panel)
    assert SequencePipeline.from_config(tagged.to_config()).spec == tagged.spec


# Batches of different length


def numbered(lengths, *, widths=None, tagged=False):
    """Sequences whose ids are the number of the sequence, from 1 on, and whose target is that number."""
    lengths = np.array(lengths)
    numbers = np.arange(1, len(lengths) + 1, dtype=np.int32)
    ragged = Ragged(np.repeat(numbers, lengths), lengths)
    target = ragged.flat if tagged else numbers
    longest = max(int(lengths.max()), 1)
    widths = widths or padded_lengths(lengths, longest, batch_size=1)
    return SequenceBatches(ragged, target, np.ones(len(target), "float32"), np.arange(len(lengths)), widths, tagged)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=120), st.integers(1, 9), st.booleans())
def test_in_order_every_example_comes_once(lengths, batch_size, tagged):
    examples = numbered(lengths, tagged=tagged)
    order = examples.order(batch_size)
    batches = read(examples, batch_size=batch_size)
    assert len(order) == len(batches) * batch_size
    places = np.flatnonzero(order >= 0)
    assert sorted(order[places]) == list(range(len(lengths)))
    tokens = [row for inputs, *_ in batches for row in inputs["tokens"]]
    weights = [row for *_, weight in batches for row in weight]
    for place in range(len(order)):
        n = order[place]
        length = lengths[n] if n >= 0 else 0
        if n >= 0:
            assert tokens[place].tolist() == [n + 1] * length + [0] * (len(tokens[place]) - length)
        counted = [1.0] * length + [0.0] * (len(tokens[place]) - length) if tagged else float(n >= 0)
        assert weights[place].tolist() == counted
    for inputs, target, weight in batches:
        width = inputs["tokens"].shape[1]
        assert width in examples.widths
        assert target.shape == weight.shape == ((batch_size, width) if tagged else (batch_size,))


@settings(max_examples=10)
@given(
    n=st.integers(1, 70),
    batch_size=st.integers(1, 12),
    steps=st.integers(1, 9),
    epoch=st.integers(0, 3),
    seed=st.integers(0, 2**31 - 1),
)
def test_shuffled_batches_come_again_from_the_same_seed_and_resume_at_any_epoch(n, batch_size, steps, epoch, seed):
    examples = numbered(np.arange(n) % 7)
    batch_size = min(batch_size, n)
    total = 4 * steps

    def targets(first_epoch=0, seed=seed):
        data = examples.dataset(batch_size=batch_size, seed=seed, first_epoch=first_epoch, steps=steps)
        return [target.numpy().tolist() for _, target, _ in data.take(total - first_epoch * steps)]

    run = targets()
    assert targets() == run
    assert targets(first_epoch=epoch) == run[epoch * steps :]
    a_pass = n // batch_size
    for begin in range(0, total - a_pass + 1, a_pass):
        seen = [x for batch in run[begin : begin + a_pass] for x in batch]
        # what does not fill a batch is left out of this pass, others of the next
        assert len(set(seen)) == len(seen) == a_pass * batch_size


def test_every_pass_leaves_out_others_and_another_seed_has_another_order():
    examples = numbered([3] * 11)
    runs = {}
    for seed in (0, 1):
        data = examples.dataset(batch_size=4, seed=seed).take(2 * 40)
        runs[seed] = np.array([target.numpy() for _, target, _ in data]).reshape(40, 8)
    left_out = [set(range(1, 12)) - set(row) for row in runs[0].tolist()]
    assert set.union(*left_out) == set(range(1, 12))
    assert runs[0].tolist() != runs[1].tolist()


def test_fewer_examples_than_a_batch_fill_it_again():
    [batch] = [t.numpy().tolist() for _, t, _ in numbered([1, 2, 3]).dataset(batch_size=5, seed=0).take(1)]
    assert set(batch) == {1, 2, 3}


@given(st.lists(st.integers(0, 300), min_size=1, max_size=400), st.integers(1, 4))
def test_widths_are_few_and_hold_every_length(lengths, batch_size):
    lengths = np.array(lengths)
    longest = max(int(lengths.max()), 1)
    widths = padded_lengths(lengths, longest, batch_size=batch_size)
    assert widths == tuple(sorted(set(widths)))
    assert widths[-1] == longest
    assert len(widths) <= max(1, min(8, len(lengths) // (50 * batch_size)))
    assert all(width % 8 == 0 for width in widths[:-1])


def test_short_texts_do_not_pay_for_a_long_one():
    examples = numbered([4] * 300 + [100] * 20, widths=(8, 104))
    widths = [inputs["tokens"].shape[1] for inputs, *_ in examples.dataset(batch_size=10, seed=3).take(32)]
    assert sorted(set(widths)) == [8, 104]
    assert sum(width == 104 for width in widths) <= 3
    together = replace(examples, widths=(104,))
    assert {inputs["tokens"].shape[1] for inputs, *_ in together.dataset(batch_size=10)} == {104}


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=5), st.integers(1, 4))
def test_cutting_keeps_the_first_or_the_last_steps(rows, length):
    ragged = Ragged.of([np.array(row, dtype=np.int32) for row in rows])
    assert [ragged[i].tolist() for i in range(len(rows))] == rows
    first, last = ragged.cut(length), ragged.cut(length, keep="last")
    assert [first[i].tolist() for i in range(len(rows))] == [row[:length] for row in rows]
    assert [last[i].tolist() for i in range(len(rows))] == [row[-length:] for row in rows]


def test_texts_without_a_token_are_read_as_padding():
    frame = text_frame(["a b", "c", "", ""], ["x", "y", "x", "y"])
    pipeline = SequencePipeline(TextEncoder(min_count=1)).fit(frame)
    examples = pipeline.unlabelled(["", " "])
    [(inputs, _, weight)] = read(examples, batch_size=2)
    assert not inputs["tokens"].any()
    assert weight.tolist() == [1, 1]


# Folds


def labelled(labels, task="classification", is_test=None):
    targets = Targets(task, "y", np.array(labels, dtype=float) if task == "regression" else objects(labels))
    return TextFrame(objects([""] * len(labels)), targets, is_test=is_test)


@given(
    st.lists(st.integers(0, 4), min_size=6, max_size=80),
    st.integers(2, 3),
    st.sampled_from([0.1, 0.3, 0.8]),
    st.sampled_from(["random", "last"]),
    st.integers(0, 9),
)
def test_folds_cover_everything_once_and_every_class_has_its_proportion(labels, n_folds, share, which, seed):
    labels = [0, 0, *labels]
    frame = labelled(labels)
    folds, notes = stratified_folds(frame, n_folds=n_folds, validation_fraction=share, validation=which, seed=seed)
    labels = np.array(labels)
    singles = [i for i in range(len(labels)) if (labels == labels[i]).sum() == 1]
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted([*tested, *singles]) == list(range(len(labels)))
    assert len(notes) == bool(singles)
    for fold in folds:
        assert sorted(np.concatenate([fold.train, fold.validation, fold.test])) == list(range(len(labels)))
        assert len(fold.train)
        assert len(fold.validation)
        known = labels[np.union1d(fold.train, fold.validation)]
        if len(set(known)) < len(known):  # otherwise some class has to give its only example
            assert set(labels[fold.train]) == set(known) >= set(labels[fold.test])
    for label in set(labels.tolist()):
        counts = [(labels[fold.test] == label).sum() for fold in folds]
        assert max(counts) - min(counts) <= 1
    sizes = [len(fold.test) for fold in folds]
    assert max(sizes) - min(sizes) <= 1


def test_the_validation_set_has_every_class_in_its_proportion():
    labels = ["a"] * 500 + ["b"] * 300 + ["c"] * 200
    [fold, *_], _ = stratified_folds(labelled(labels), n_folds=2)
    got = [sum(labels[i] == label for i in fold.validation) for label in "abc"]
    np.testing.assert_allclose(got, [25, 15, 10], atol=1)
    assert len(stratified_split(labelled(labels)).validation) == 100


def test_the_last_of_each_class_can_stop_the_training():
    labels = ["a", "b"] * 20 + ["c"] * 10
    fold = stratified_split(labelled(labels), validation_fraction=0.2, validation="last")
    assert fold.validation.tolist() == [32, 33, 34, 35, 36, 37, 38, 39, 48, 49]
    assert sorted([*fold.train, *fold.validation]) == list(range(50))


@pytest.mark.parametrize("n", [4, 5, 7, 8, 13, 19, 60])
def test_values_are_folded_by_their_size(n):
    truth = np.random.default_rng(0).permutation(n).astype(float)
    folds, notes = stratified_folds(labelled(truth, "regression"), n_folds=2)
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(n))  # nobody stands alone
    assert notes == []
    means = [truth[fold.test].mean() for fold in folds]
    assert abs(means[0] - means[1]) <= max(2.0, n / 10)


def test_the_held_out_test_set_is_scored_as_it_is():
    labels = ["a", "b"] * 10 + ["c"]
    is_test = np.array([False] * 14 + [True] * 7)
    folds, notes = stratified_folds(labelled(labels, is_test=is_test), n_folds=3)
    assert [fold.test.tolist() for fold in folds] == [list(range(14, 21))]
    assert sorted([*folds[0].train, *folds[0].validation]) == list(range(14))
    assert notes == ["the held-out test set is scored, once: 7 examples; 1 of the other 14 stops the training"]
    final = stratified_split(labelled(labels, is_test=is_test))
    assert sorted([*final.train, *final.validation]) == list(range(14))
    assert len(final.test) == 0


@pytest.mark.parametrize(
    ("labels", "is_test", "words"),
    [
        (["a", "b", "a"], None, "3 examples are too few for 2 folds; give more, or fewer `folds`"),
        (list("abcdef"), None, "each of the 6 examples has a class of its own, so none can be tested"),
        (["a", "b"], np.array([False, True]), "1 examples to learn from and 1 to test on were found"),
    ],
)
def test_too_few_examples_are_one_sentence(labels, is_test, words):
    with pytest.raises(InputError, match=words):
        stratified_folds(labelled(labels, is_test=is_test), n_folds=2)


def test_the_same_seed_gives_the_same_folds():
    frame = labelled(list("aab" * 20))
    one, other = (stratified_folds(frame, seed=5)[0] for _ in range(2))
    assert all(np.array_equal(a.test, b.test) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one[0].test, stratified_folds(frame, seed=6)[0][0].test)


def test_from_a_table_to_batches():
    table = pd.DataFrame({"text": ["good film", "bad", "so good", "so bad"], "stars": [5, 1, 5, 1]})
    frame = TextFrame.from_table(table, text="text", label="stars")
    pipeline = SequencePipeline(TextEncoder(min_count=1)).fit(frame)
    [(inputs, target, weight)] = read(pipeline.batches(pipeline.encode(frame), np.arange(4)), batch_size=4)
    words = pipeline.encoder.vocabulary_.words
    assert words == ["bad", "good", "so", "film"]
    assert inputs["tokens"].tolist() == [[3, 0], [4, 6], [5, 4], [5, 3]]  # the shortest first
    assert target.tolist() == [0, 1, 1, 0]
    assert weight.tolist() == [1] * 4
