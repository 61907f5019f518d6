"""LanguagePipeline: text → tokens and back, in Python and in the graph; streams of a long text, and lines."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import InputError
from recurra.frames import CorpusFrame, Targets, TextFrame
from recurra.frames.targets import objects
from recurra.pipelines import LanguagePipeline, StreamBatches, TextRange, corpus_fold
from recurra.spec import END, FIRST_WORD, UNKNOWN

AWKWARD = " \n\n\n\t\r\x0b\x0c\x1c\x00\x01\x85\xa0\u2028'Ii中😀\ue000"
TEXTS = st.text(st.one_of(st.sampled_from(AWKWARD + "abc"), st.characters()), max_size=30)
SONG = "the cat sat.\n\nthe dog ran, it's the cat's dog.\n\n" * 30


def corpus():
    return CorpusFrame.from_text(SONG)


def named():
    """Lines of two classes: names that end in a, and names that end in o."""
    names = [first + middle + end for first in "bdfg" for middle in ("ar", "il", "on") for end in "ao"] * 2
    targets = Targets("classification", "kind", objects([name[-1].upper() for name in names]))
    return TextFrame(objects(names), targets, source="names.csv")


PIPELINES = {
    name: LanguagePipeline(tokens=tokens, min_count=1).fit(frame)
    for name, tokens, frame in (
        ("word", "word", corpus()),
        ("char", "char", corpus()),
        ("space", "space", corpus()),
        ("lines", "word", named()),
        ("letters", "char", named()),
    )
}
GRAPHS = {
    name: tf.function(p.prompts_in_graph, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    for name, p in PIPELINES.items()
}


# Text → ids → text


@pytest.mark.parametrize("name", PIPELINES)
@settings(max_examples=60)
@given(texts=st.lists(TEXTS, max_size=3))
def test_a_prompt_is_read_as_the_exported_model_reads_it(name, texts):
    raw = tf.constant([text.encode("utf-8", "replace") for text in texts], tf.string)
    assert GRAPHS[name](raw).to_list() == [PIPELINES[name].prompt(text).tolist() for text in texts]


def ids_of(pipeline, *words):
    return [END if word is None else FIRST_WORD + pipeline.vocabulary_.words.index(word) for word in words]


def test_paragraphs_end_in_words_and_lines_end_between_spaces():
    word, space = PIPELINES["word"], PIPELINES["space"]
    assert word.ids("the\ncat\n \n\n dog").tolist() == ids_of(word, "the", "cat", None, "dog", None)
    assert word.prompt("the\ncat\n \n\n dog\n").tolist() == ids_of(word, None, "the", "cat", None, "dog")
    assert space.ids("the cat\n\nsat.").tolist() == ids_of(space, "the", "cat", None, "sat.", None)
    assert space.prompt("").tolist() == word.prompt(" \n ").tolist() == [END]
    assert PIPELINES["char"].prompt("a\nt").tolist() == ids_of(PIPELINES["char"], None, "a", "\n", "t")
    assert PIPELINES["lines"].prompt("bara\n\nbilo").tolist() == ids_of(PIPELINES["lines"], None, "bara", "bilo")


def test_a_prompt_reads_as_the_text_does_up_to_its_end():
    for name in ("word", "space"):
        ids = PIPELINES[name].ids(SONG)
        prompt = PIPELINES[name].prompt(SONG)
        assert prompt.tolist() == [END, *ids[:-1]]


@given(st.text(st.sampled_from(sorted(set(SONG))), max_size=40))
def test_characters_come_back_as_they_were(text):
    pipeline = PIPELINES["char"]
    assert pipeline.text(pipeline.ids(text)) == text


def test_words_come_back_readable():
    pipeline = PIPELINES["word"]
    text = "the dog ran, it's the cat's dog.\nthe cat"
    assert pipeline.text(pipeline.ids(text.replace("\n", "\n\n"))) == text + "\n"
    assert pipeline.text([UNKNOWN, FIRST_WORD]) == "? " + pipeline.vocabulary_.words[0]


@given(TEXTS, TEXTS)
def test_only_the_training_text_is_learnt_from(validation, test):
    train = "the cat sat.\n\nthe dog ran. the"
    parts = [(train, "a cat", "b dog"), (train, validation + "x", test + "y")]
    configs = []
    for tokens in ("word", "char"):
        for first, second, third in parts:
            frame = CorpusFrame(first + second + third, (len(first), len(first) + len(second)))
            configs.append(LanguagePipeline(tokens=tokens).fit(frame, corpus_fold(frame).train).to_config())
    assert configs[0] == configs[1]
    assert configs[2] == configs[3]


def test_only_training_lines_are_learnt_from():
    frame = named()
    other = replace(frame, texts=objects([*frame.texts[:40], *["zzz qqq"] * 8]))
    configs = [LanguagePipeline(tokens="char").fit(f, np.arange(40)).to_config() for f in (frame, other)]
    assert configs[0] == configs[1]
    assert "z" not in configs[0]["words"]


def test_a_language_pipeline_is_kept_as_json():
    for pipeline in PIPELINES.values():
        again = LanguagePipeline.from_config(pipeline.to_config())
        assert again.to_config() == pipeline.to_config()
        assert again.spec == pipeline.spec
        assert again.prompt(SONG).tolist() == pipeline.prompt(SONG).tolist()


def test_what_a_language_pipeline_refuses():
    with pytest.raises(InputError, match="`tokens` must be one of word, char, space; received 'letters'"):
        LanguagePipeline(tokens="letters")
    with pytest.raises(InputError, match="`bptt_steps` must be at least 1"):
        LanguagePipeline(bptt_steps=0)
    frame = CorpusFrame("  \n\x00 abc", (4, 5))
    with pytest.raises(InputError, match="hold no token at all"):
        LanguagePipeline().fit(frame, corpus_fold(frame).train)


# Streams


@settings(max_examples=40)
@given(st.integers(1, 200), st.integers(1, 9), st.integers(1, 12))
def test_a_stream_predicts_every_token_once_in_the_order_of_the_text(n, places, steps):
    ids = np.arange(FIRST_WORD, FIRST_WORD + n, dtype=np.int32)
    stream = StreamBatches(ids, places, steps)
    read = [
        ({k: v.numpy() for k, v in inputs.items()}, target.numpy(), weight.numpy())
        for inputs, target, weight in stream.dataset(batch_size=places)
    ]
    assert len(read) * places == len(stream)
    assert stream.order(places).tolist() == list(range(len(stream)))
    before = np.stack([inputs["tokens"] for inputs, *_ in read])  # (chunks, places, steps)
    after, weight = np.stack([t for _, t, _ in read]), np.stack([w for *_, w in read])
    assert before.shape == after.shape == weight.shape == (len(read), places, steps)
    assert sorted(after[weight > 0].tolist()) == ids.tolist()  # every token once
    assert stream.in_order(after).tolist() == ids.tolist()  # batches join to the text
    assert stream.in_order(before).tolist() == [END, *ids[:-1]]
    assert stream.in_order(weight).tolist() == [1] * n
    starts = [inputs["start"].tolist() for inputs, *_ in read]
    assert starts == [[1.0] * places] + [[0.0] * places] * (len(read) - 1)
    # a row goes on where it stopped in the batch before
    for row in range(places):
        joined = after[:, row].ravel()[weight[:, row].ravel() > 0]
        assert (np.diff(joined) == 1).all()


@settings(max_examples=20)
@given(n=st.integers(8, 90), steps=st.integers(1, 6), epoch=st.integers(0, 3))
def test_a_training_stream_goes_round_and_resumes_at_any_epoch(n, steps, epoch):
    stream = StreamBatches(np.arange(FIRST_WORD, FIRST_WORD + n, dtype=np.int32), 2, 4)

    def read(first_epoch, count):
        data = stream.dataset(batch_size=2, seed=0, first_epoch=first_epoch, steps=steps).take(count)
        return [(inputs["tokens"].numpy().tolist(), inputs["start"].numpy().tolist()) for inputs, *_ in data]

    run = read(0, 4 * steps)
    assert read(epoch, (4 - epoch) * steps) == run[epoch * steps :]
    one_pass = read(0, stream.n_batches)
    assert run == [one_pass[i % stream.n_batches] for i in range(4 * steps)]


def test_a_short_text_is_read_in_fewer_places():
    pipeline = LanguagePipeline(tokens="char", bptt_steps=10, parallel_streams=20).fit(corpus())
    encoded = pipeline.encode(corpus())
    assert pipeline.batches(encoded, TextRange(0, 1000)).batch_size == 20
    assert pipeline.batches(encoded, TextRange(0, 59)).batch_size == 5
    assert pipeline.batches(encoded, TextRange(0, 3)).batch_size == 1
    with pytest.raises(ValueError, match=r"`batch_size` must be 20, as the text was cut\. Received: 3"):
        pipeline.batches(encoded, TextRange(0, 1000)).dataset(batch_size=3)


# Lines


def test_a_line_has_an_end_before_it_and_one_behind():
    frame = TextFrame(objects(["ab", "", "b"]), None)
    pipeline = LanguagePipeline(tokens="char").fit(frame)
    [(inputs, target, weight)] = [
        ({k: v.numpy().tolist() for k, v in i.items()}, t.numpy().tolist(), w.numpy().tolist())
        for i, t, w in pipeline.batches(pipeline.encode(frame), np.arange(3)).dataset(batch_size=4)
    ]
    b, a = 3, 4  # b comes twice
    assert inputs["tokens"] == [[END, 0, 0], [END, b, 0], [END, a, b], [END, b, 0]]
    assert target == [[END, 0, 0], [b, END, 0], [a, b, END], [b, END, 0]]
    assert weight == [[1, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 0]]  # the last one only fills the batch
    assert inputs["start"] == [1] * 4
    assert pipeline.spec.inputs.conditions == 0


def test_lines_carry_their_class():
    frame = named()
    pipeline = LanguagePipeline(tokens="char").fit(frame, np.arange(40))
    assert pipeline.conditions_ == ["A", "O"]
    [(inputs, *_)] = pipeline.batches(pipeline.encode(frame), np.array([1, 0])).dataset(batch_size=2)
    assert inputs["condition"].numpy().tolist() == [1, 0]
    unknown = replace(frame, targets=Targets("classification", "kind", objects([*frame.targets.values[:-1], "X"])))
    with pytest.raises(InputError, match=r"^names\.csv: class 'X' has no training line"):
        pipeline.encode(unknown)


def test_of_a_very_long_line_the_first_tokens_are_read_and_that_is_said():
    frame = TextFrame(objects(["ab"] * 9 + ["x" * 1_000_000]), None)
    pipeline = LanguagePipeline(tokens="char").fit(frame)
    assert pipeline.notes[-1] == "1 training text has more than 1,024 characters: the first 1,024 are read"
    assert pipeline.batches(pipeline.encode(frame), np.arange(10)).sequences.lengths.tolist() == [3] * 9 + [1025]
    assert pipeline.widths_[-1] == 1025
