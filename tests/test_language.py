"""Language models: training that carries states, what is generated, and how every token is scored."""

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import recurra
from recurra.errors import InputError
from recurra.frames import CorpusFrame, Targets, TextFrame
from recurra.frames.targets import objects
from recurra.models import CarriedState, build
from recurra.pipelines import LanguagePipeline, StreamBatches, corpus_fold
from recurra.predictor import Predictor, TextGenerator
from recurra.predictor.language_model import LanguageModelNetwork, LanguageModelSchema
from recurra.spec import END, PADDING
from recurra.tasks import LanguageModel
from recurra.tasks.language_model import network_losses
from recurra.training import FitOptions, Trainer

SONG = "the cat sat.\n\nthe dog ran, it's the cat's dog.\n\n" * 30


def corpus(text=SONG):
    return CorpusFrame.from_text(text)


def named():
    """Lines of two classes: names that end in a, and names that end in o."""
    names = [first + middle + end for first in "bdfg" for middle in ("ar", "il", "on") for end in "ao"] * 2
    targets = Targets("classification", "kind", objects([name[-1].upper() for name in names]))
    return TextFrame(objects(names), targets, source="names.csv")


# Training


class Corpus:
    """A corpus, its splits as batches, and trainers of a small network on it."""

    def __init__(self):
        self.frame, fold = corpus(), corpus_fold(corpus())
        self.pipeline = LanguagePipeline(tokens="char", bptt_steps=8, parallel_streams=4).fit(self.frame, fold.train)
        encoded = self.pipeline.encode(self.frame)
        self.pipeline.settle_batch_size(encoded, fold)
        self.train, self.validation, self.test = (
            self.pipeline.batches(encoded, selection) for selection in fold.named().values()
        )

    def trainer(self, family="dense", **options):
        options = {"max_epochs": 3, "learning_rate": 0.01} | options
        config = {"units": 4, "dropout": 0.2}
        network = lambda: build(family, self.pipeline.spec, **config)  # noqa: E731
        return Trainer(lambda: CarriedState(network(), self.train.batch_size), loss="crossentropy", **options)


def weights_of(trainer):
    return [v.numpy() for v in trainer.model.variables]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def song():
    return Corpus()


@pytest.fixture(scope="module")
def trained(song):
    """A trainer that has trained, its history, its weights and states."""
    trainer = song.trainer("simple_rnn")
    history = trainer.fit(song.train, song.validation, FitOptions(seed=0))
    return trainer, history, weights_of(trainer)


def test_a_language_model_resumed_goes_on_as_if_unbroken(song, trained, monkeypatch, tmp_path):
    monkeypatch.setattr("recurra.training.state.CHECKPOINT_SECONDS", 0.0)  # after every epoch, however short
    trainer, unbroken, weights = trained
    checkpoint = tmp_path / "state.npz"

    def interrupt(epoch, loss):
        assert loss == unbroken.losses[epoch - 1]
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.fit(song.train, song.validation, FitOptions(seed=0, checkpoint=checkpoint, on_epoch=interrupt))
    trainer.fit(song.train, song.validation, FitOptions(seed=9))  # the trainer is used for something else meanwhile
    assert not same(weights_of(trainer), weights)
    again = trainer.fit(song.train, song.validation, FitOptions(seed=0, checkpoint=checkpoint))
    assert again.losses == unbroken.losses
    assert same(weights_of(trainer), weights)


def test_validation_does_not_disturb_the_state_that_training_carries(song):
    runs = []
    for validation in (song.validation, song.test, StreamBatches(song.test.ids[::-1].copy(), 4, 8)):
        trainer = song.trainer(max_epochs=1)  # the weights are those of the one epoch, whatever its loss
        trainer.fit(song.train, validation, FitOptions(seed=0))
        runs.append(weights_of(trainer))
    assert same(runs[0], runs[1])
    assert same(runs[0], runs[2])


def test_the_carried_state_matters(song, trained):
    trainer, _, _ = trained
    carried = network_losses(trainer.model, song.test)
    forgetful, batches = [], list(song.test.dataset(batch_size=4))
    for inputs, target, _ in batches:
        fresh = {**inputs, "start": tf.ones(4)}
        logits = trainer.model(fresh, training=False)
        forgetful.append(keras.ops.sparse_categorical_crossentropy(target, logits, from_logits=True).numpy())
    forgetful = np.stack(forgetful)  # (batches, streams, steps)
    number = song.test.in_order(np.broadcast_to(np.arange(len(forgetful))[:, None, None], forgetful.shape))
    forgetful = song.test.in_order(forgetful)
    np.testing.assert_allclose(carried[number == 0], forgetful[number == 0], rtol=1e-4)  # nothing to carry yet
    assert np.abs(carried[number == 1] - forgetful[number == 1]).max() > 1e-3
    # the carried one is what the network predicts for the whole stretch in one go
    network = trainer.model.network
    states = {x.name: np.zeros((4, *x.shape[1:]), x.dtype) for x in network.inputs if "state" in x.name}
    tokens = np.concatenate([inputs["tokens"] for inputs, *_ in batches], axis=1)
    targets = np.concatenate([target for _, target, _ in batches], axis=1)
    logits = network({"tokens": tokens, **states}, training=False)["logits"]
    whole = keras.ops.sparse_categorical_crossentropy(targets, logits, from_logits=True).numpy()
    whole = whole.reshape(4, len(batches), -1).transpose(1, 0, 2)
    np.testing.assert_allclose(carried, song.test.in_order(whole), rtol=1e-4, atol=1e-5)


# Generating


@pytest.fixture(scope="module")
def predictor(song, trained):
    schema = LanguageModelSchema.of(song.pipeline, song.frame)
    return Predictor(schema, LanguageModelNetwork(song.pipeline, trained[0].model.network), "language-model")


@pytest.fixture(scope="module")
def writer(predictor):
    return TextGenerator(predictor)


@pytest.fixture(scope="module")
def names():
    """A predictor of lines of two classes."""
    return recurra.fit(
        named(),
        task="language-model",
        tokens="char",
        family="dense",
        max_epochs=30,
        batch_size=12,
        config={"units": 16},
    ).predictor


def test_the_next_tokens_are_ranked(writer):
    ranked = writer.next_tokens("the c", top=5)
    assert list(ranked) == ["token", "probability"]
    assert len(ranked) == 5
    assert ranked["probability"].is_monotonic_decreasing
    everything = writer.next_tokens("the c", top=10_000)
    assert everything["probability"].sum() == pytest.approx(1)
    # every character and the end, but neither padding nor unknown ones
    assert sorted(everything["token"]) == sorted(["<end>", *writer.pipeline.vocabulary_.words])
    pd.testing.assert_frame_equal(everything.head(5), ranked)


def test_generating_repeats_from_a_seed_and_temperature_0_is_greedy(writer):
    one = writer.generate("the ", length=12, seed=3, temperature=1.5)
    assert one == writer.generate("the ", length=12, seed=3, temperature=1.5)
    assert one.startswith("the ")
    assert len(one) <= len("the ") + 12
    assert one != writer.generate("the ", length=12, seed=4, temperature=1.5)
    greedy = writer.generate("the ", length=4, temperature=0, seed=1)
    text = "the "
    for _ in range(4):
        token = writer.next_tokens(text, top=1)["token"][0]
        text += "" if token == "<end>" else token
    assert greedy == text
    assert writer.generate("the ", length=4, temperature=1e-310, seed=7) == greedy
    assert writer.generate("the ", length=4, temperature=2.0, top_k=1, seed=7) == greedy


class Loaded:
    """Steps of a made-up network: the logits are always the same."""

    def __init__(self, logits):
        self.state_shapes = {}
        self.logits = np.array(logits, "float32")

    def __call__(self, inputs):
        return {"logits": np.broadcast_to(self.logits, (1, inputs["tokens"].shape[1], len(self.logits)))}


def generator(pipeline, step):
    schema = SimpleNamespace(pipeline=pipeline, kind="language_model")
    return TextGenerator(SimpleNamespace(model=SimpleNamespace(step=step), schema=schema))


def test_the_top_k_and_never_padding_or_unknown():
    pipeline = LanguagePipeline(tokens="char").fit(TextFrame(objects(["abcd"]), None))
    # padding and unknown would be the likeliest by far; then d, c, b, a; the end hardly ever
    writer = generator(pipeline, Loaded([50, 60, -30, 0.0, 0.1, 0.2, 0.3]))
    assert writer.next_tokens("", top=2)["token"].tolist() == ["d", "c"]
    for top_k, letters in ((1, "d"), (2, "cd"), (None, "abcd"), (99, "abcd")):
        text = writer.generate("", length=200, temperature=1.0, top_k=top_k, seed=0)
        assert (set(text), len(text)) == (set(letters), 200)
    colder = writer.generate("", length=400, temperature=0.1, seed=0)
    assert colder.count("d") > 200 > 3 * colder.count("b")


def test_words_are_joined_to_the_prompt():
    frame = corpus("cat sat .\n\n" * 40)
    pipeline = LanguagePipeline(tokens="word").fit(frame)
    assert pipeline.vocabulary_.words == [".", "cat", "sat"]
    for likeliest, wanted in ((3, "a cat."), (4, "a cat cat"), (2, "a cat\n")):
        writer = generator(pipeline, Loaded([9.0 * (i == likeliest) for i in range(6)]))
        assert writer.generate("a cat", length=1, temperature=0) == wanted


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"temperature": -0.1}, "`temperature` must be a number of at least 0; received -0.1"),
        ({"temperature": float("nan")}, "`temperature` must be a number of at least 0; received nan"),
        ({"temperature": float("inf")}, "`temperature` must be"),
        ({"top_k": 0}, "`top_k` must be at least 1; received 0"),
        ({"label": "A"}, "the model was trained without classes, so `label` 'A' does not apply to it"),
    ],
)
def test_what_a_generator_refuses(writer, how, words):
    with pytest.raises(InputError, match=words):
        writer.generate("a", length=1, **how)


def test_a_class_is_required_and_heeded(names):
    names = TextGenerator(names)
    with pytest.raises(InputError, match="`label` must be one of A, O; received None"):
        names.generate("ba")
    with pytest.raises(InputError, match="`label` must be one of A, O; received 'X'"):
        names.next_tokens("ba", label="X")
    endings = {}
    for kind in "AO":
        ranked = names.next_tokens("bar", label=kind, top=2).set_index("token")["probability"]
        endings[kind] = ranked.idxmax()
    assert endings == {"A": "a", "O": "o"}
    line = names.generate("", label="A", temperature=0, length=50)
    assert len(line) < 50  # a line ends by itself


def test_a_long_prompt_is_read_in_pieces_as_token_by_token(writer, monkeypatch):
    text = SONG[:130]
    one = writer.next_tokens(text, top=9)
    monkeypatch.setattr("recurra.predictor.text_generator._TOKENS_AT_ONCE", 30)
    pieces = writer.next_tokens(text, top=9)
    assert pieces["token"].tolist() == one["token"].tolist()
    np.testing.assert_allclose(pieces["probability"], one["probability"], rtol=1e-4)


def test_a_language_model_is_saved_and_loaded(predictor, names, tmp_path):
    predictor.save(tmp_path / "song")
    again, writer = TextGenerator(Predictor.load(tmp_path / "song")), TextGenerator(predictor)
    pd.testing.assert_frame_equal(again.next_tokens("the c"), writer.next_tokens("the c"), check_exact=True)
    assert again.generate("the ", length=10, seed=1) == writer.generate("the ", length=10, seed=1)
    names.save(tmp_path / "names")
    again, writer = TextGenerator(Predictor.load(tmp_path / "names")), TextGenerator(names)
    assert again.generate("", label="O", seed=2) == writer.generate("", label="O", seed=2)


# The task


def test_a_text_without_a_test_set_is_one_sentence():
    frame = CorpusFrame.from_text("it was the best of times   ", (15, 24))
    with pytest.raises(InputError, match="the test text holds no word token at all; give a longer text"):
        LanguageModel(tokens="word").open(frame).prepare(0)


def test_the_batch_size_is_the_number_of_streams_or_lines():
    data = LanguageModel(tokens="char", bptt_steps=5).open(corpus(), batch_size=3).prepare(0)
    assert {batches.batch_size for batches in (data.train, data.validation, data.test)} == {3}
    lines = LanguageModel(tokens="char").open(named(), folds=2, batch_size=4).prepare(0)
    sizes = {batches.batch_size for batches in (lines.train, lines.validation, lines.test)}
    assert sizes == {min(4, len(lines.fold.validation))}


def test_every_token_of_the_test_set_is_scored_in_its_place():
    frame = named()
    frame = replace(frame, texts=objects(name * (1 + i % 3) for i, name in enumerate(frame.texts)))
    data = LanguageModel(tokens="char").open(frame, folds=2).prepare(0)
    trainer = Trainer(lambda: data.build("dense", {"units": 4}), loss="crossentropy", max_epochs=1)
    trainer.fit(data.train, data.validation, FitOptions(seed=0))
    evaluation, test = data.network(trainer.model).evaluate(), data.fold.test
    lengths = np.array([len(frame.texts[i]) + 1 for i in test])
    assert len(evaluation.losses) == len(test)
    assert evaluation.metrics["cross_entropy"] == pytest.approx((evaluation.losses * lengths).sum() / lengths.sum())
    # by hand, line by line
    network, numbers = trainer.model.network, data.pipeline.condition_numbers(frame)
    for place in (0, len(test) - 1):
        row = test[place]
        ids = data.pipeline.ids(frame.texts[row])
        states = {x.name: np.zeros((1, *x.shape[1:]), x.dtype) for x in network.inputs if "state" in x.name}
        inputs = {"tokens": np.array([[END, *ids]]), "condition": numbers[[row]], **states}
        logits = network(inputs, training=False)["logits"]
        loss = keras.ops.sparse_categorical_crossentropy(np.array([[*ids, END]]), logits, from_logits=True)
        assert float(np.mean(loss)) == pytest.approx(evaluation.losses[place], rel=1e-4)
    assert PADDING == 0
