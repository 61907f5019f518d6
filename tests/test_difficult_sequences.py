"""Difficult files of people who classify, tag and model language: each kind of fault as a property.

docs/difficult-sequences.md names the test of every case.
"""

import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.datasets import load, read_table
from recurra.errors import InputError
from recurra.frames import PanelFrame, TextFrame
from recurra.pipelines import LanguagePipeline, TextEncoder, derive_tokens


def run(*arguments):
    return CliRunner().invoke(app, [str(part) for part in arguments])


def refuses(make, *words):
    with pytest.raises(InputError) as caught:
        make()
    for word in words:
        assert word in str(caught.value), str(caught.value)


def told(frame, *words):
    notes = " ".join(frame.notes)
    for word in words:
        assert word in notes, notes


# Identifiers are names


IDS = st.lists(
    st.one_of(
        st.from_regex(r"0{0,3}[1-9][0-9]{0,3}", fullmatch=True),
        st.from_regex(r"[1-9][0-9]{19,24}", fullmatch=True),
        st.from_regex(r"[1-9]e[0-9]", fullmatch=True),
        st.sampled_from(["1.0", "1", "01", "1.50", "NA", "nan", "-0", "+7", "0x1F", "1_000", "inf", "1,5"]),
    ),
    min_size=2,
    max_size=6,
    unique=True,
)


@settings(max_examples=40, deadline=None)
@given(IDS)
def test_ids_are_read_and_returned_as_written(tmp_path_factory, ids):
    path = tmp_path_factory.mktemp("ids") / "f.csv"
    rows = [{"id": name, "x": i + step / 10, "kind": "ab"[i % 2]} for i, name in enumerate(ids) for step in range(3)]
    pd.DataFrame(rows).to_csv(path, index=False)
    frame = load(path, id="id", label="kind")
    assert frame.names.tolist() == ids
    assert [len(sequence) for sequence in frame.values] == [3] * len(ids)


def test_predictions_carry_the_ids_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ids = ["7", "07", "007", "1e0", "20230101123456789000", "20230101123456789001", "000", "1.0"]
    rows = [(name, i % 2 + step / 10, "ab"[i % 2]) for i, name in enumerate(ids) for step in range(4)]
    pd.DataFrame(rows, columns=["id", "x", "kind"]).to_csv("f.csv", index=False)
    assert run("fit", "f.csv", "--id", "id", "--label", "kind", "--family", "majority", "--export", "m").exit_code == 0
    printed = run("predict", "m", "f.csv").stdout
    assert [line.split(",")[0] for line in printed.splitlines()[1:]] == ids


# Nothing is lost before the mean is taken off


def waves(offset, classes=3, n=45, steps=30):
    random = np.random.default_rng(0)
    label = np.arange(n) % classes
    time = np.arange(steps)
    signal = np.sin(time * (0.3 + 0.4 * label[:, None]) + random.uniform(0, 6, (n, 1)))
    return signal[:, :, None] + offset, label


@pytest.mark.parametrize("offset", [1.7e9, -6.78e9, 5.4e6])
def test_an_offset_changes_no_prediction_of_a_panel(tmp_path, offset):
    plain, label = waves(0.0)
    moved, _ = waves(offset)
    answers = []
    for name, values in (("plain", plain), ("moved", moved)):
        fitted = recurra.fit(PanelFrame.from_arrays(values, label), family="linear", max_epochs=3)
        path = recurra.save_model(fitted.predictor, tmp_path / name, fitted.frame)
        for predictor in (fitted.predictor, recurra.load_model(path)):
            answers.append(predictor.predict(list(values)).filter(like="probability").to_numpy())
    for other in answers[1:]:
        np.testing.assert_allclose(other, answers[0], atol=1e-4)


def test_an_offset_changes_no_score_and_no_order_of_models():
    results = []
    for offset in (0.0, 1e9):
        values, label = waves(offset)
        frame = PanelFrame.from_arrays(values, label)
        results.append(
            recurra.compare(frame, families=["linear"], baselines=["majority", "logistic_flattened"], folds=1, seeds=1,
                            max_epochs=5)
        )  # fmt: skip
    first, second = ([(r["model"], round(r["error"], 6)) for r in result.summary_rows] for result in results)
    assert first == second


def test_an_offset_of_the_tagged_values_and_of_the_predicted_value_is_only_an_offset():
    values, label = waves(0.0)
    tags = [np.where(sequence[:, 0] > 0, "up", "down").tolist() for sequence in values]
    for offset in (0.0, 1e9):
        frame = PanelFrame.from_arrays(values + offset, tags, task="tagging")
        found = recurra.fit(frame, family="logistic_window").predictor.predict(list(values + offset))["tags"].tolist()
        if offset == 0.0:
            expected = found
    assert found == expected
    dose = np.sin(np.arange(len(label)))
    for family in ("linear", "ridge_flattened", "mean"):
        own = {"max_epochs": 3} if family == "linear" else {}
        answers = [
            recurra.fit(PanelFrame.from_arrays(values, dose + offset, task="regression"), family=family, **own)
            .predictor.predict(list(values))["value"]
            .to_numpy()
            for offset in (0.0, 1e9)
        ]
        np.testing.assert_allclose(answers[1] - 1e9, answers[0], atol=1e-4)


# Scripts without spaces


CLAUSES = {
    "Chinese": ["这个酒店很好满意", "早餐服务喜欢漂亮", "房间太小不干净"],
    "Japanese": ["このホテルはとても良い", "朝食がおいしかったです", "部屋は狭くて汚い"],
    "Thai": ["โรงแรมนี้ดีมาก", "อาหารเช้าอร่อยมาก", "ห้องเล็กและสกปรก"],
    "Khmer": ["សណ្ឋាគារនេះល្អណាស់", "អាហារពេលព្រឹកឆ្ងាញ់", "បន្ទប់តូចនិងកខ្វក់"],
    "Burmese": ["ဒီဟိုတယ်ကအရမ်းကောင်းတယ်", "မနက်စာအရမ်းအရသာရှိတယ်", "အခန်းကသေးပြီးညစ်ပတ်တယ်"],
    "Lao": ["ໂຮງແຮມນີ້ດີຫຼາຍ", "ອາຫານເຊົ້າແຊບຫຼາຍ", "ຫ້ອງນ້ອຍແລະເປື້ອນ"],
    "Tibetan": ["མགྲོན་ཁང་འདི་ཧ་ཅང་ཡག་པོ་འདུག", "ཞོགས་ཇ་ཞིམ་པོ་འདུག", "ཁང་པ་ཆུང་ཆུང་འདུག"],
}


@pytest.mark.parametrize("script", CLAUSES)
@pytest.mark.parametrize("between", ["", " ", "\n", "。\n", " Wifi "])
def test_a_script_without_spaces_is_cut_into_characters_whatever_stands_between_clauses(script, between):
    tokens, note = derive_tokens([between.join(CLAUSES[script])] * 20)
    assert tokens == "char"
    assert "tokens: char" in note


@pytest.mark.parametrize(
    "text",
    [
        "the room was small",
        "여행은 정말 즐거웠습니다",
        "комната была маленькой",
        "الغرفة كانت صغيرة",
        "कमरा छोटा था",
        "it's 好",
    ],
)
def test_scripts_with_spaces_are_cut_into_words(text):
    assert derive_tokens([text] * 20)[0] == "word"


def test_what_is_too_long_for_words_is_cut_into_characters():
    tokens, note = derive_tokens(["ACGTACGTTAGCATCGATCGATCGATCG GATCGATTACGATCGATCGATCGATTT"] * 9)
    assert (tokens, "characters stand between spaces" in note) == ("char", True)


def test_a_vocabulary_that_knows_too_little_says_what_to_do(tmp_path):
    texts = [f"w{i} v{i} u{i} same" for i in range(50)]
    encoder = TextEncoder(tokens="word").fit(texts, source="x")
    assert any("knows only 25.0 %" in note and "`min_count` to 1" in note for note in encoder.notes)
    assert not any(
        "knows only" in note for note in TextEncoder(tokens="word", min_count=1).fit(texts, source="x").notes
    )
    assert not any("knows only" in note for note in TextEncoder(tokens="char").fit(texts, source="x").notes)
    (tmp_path / "x.txt").write_text("\n".join(texts), encoding="utf-8")
    frame = load(tmp_path / "x.txt", task="language-model")
    assert any("`tokens` to char" in note for note in LanguagePipeline(tokens="word").fit(frame).notes)


# The terminal writes what the model wrote


ODD = [":joy: :100: build:runner:1.6", "\treturn x", "[bold]a[/bold] [/b]", "$5 & $10_{", "a\x0bb", "x\u2028y"]


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("writer")
    rows = [{"text": ODD[i % 6], "kind": [":x:", "[b]"][i % 2]} for i in range(60)]
    (folder / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    fitted = recurra.fit(
        str(folder / "x.jsonl"), task="language-model", tokens="char", label="kind", text="text", family="bigram"
    )
    return fitted, recurra.save_model(fitted.predictor, folder / "m", fitted.frame)


@pytest.mark.parametrize("prompt", ODD)
def test_generated_text_is_written_byte_for_byte(writer, prompt):
    fitted, path = writer
    options = ["--label", ":x:", "--length", 15, "--seed", 3, "--show", 0]
    done = run("generate", path, "--prompt", prompt, *options)
    assert done.exit_code == 0, done.output
    expected = recurra.TextGenerator(fitted.predictor).generate(prompt, label=":x:", length=15, seed=3)
    assert done.stdout == expected + "\n"


def test_names_in_messages_are_the_users_own(writer, tmp_path, monkeypatch):
    _, path = writer
    done = run("generate", path, "--label", ":smile:")
    assert "one of :x:, [b]; received ':smile:'" in str(done.exception)
    monkeypatch.chdir(tmp_path)
    refuses(lambda: load(":joy:[/b].csv"), ":joy:[/b].csv")
    done = run("compare", ":joy:[/b].csv")
    assert isinstance(done.exception, InputError)


# Seeds


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30, 1.5, True, "7", None])
def test_a_seed_out_of_range_is_refused_in_a_sentence(writer, seed):
    fitted, _ = writer
    refuses(lambda: recurra.fit("ar2", family="naive", seed=seed), "`seed` must be a whole number from 0 to 4294967295")
    refuses(lambda: recurra.TextGenerator(fitted.predictor).generate("a", label=":x:", seed=seed), "`seed` must be")


def test_the_largest_seed_is_a_seed(writer):
    fitted, path = writer
    assert recurra.TextGenerator(fitted.predictor).generate("a", label=":x:", seed=2**32 - 1)
    assert run("generate", path, "--label", ":x:", "--seed", 2**32 - 1, "--samples", 2, "--length", 3).exit_code == 0


# Forms of targets


def sequences(n=12, steps=5, channels=2):
    return np.random.default_rng(0).normal(size=(n, steps, channels))


def one_hot(n=12, classes=3):
    return np.eye(classes)[np.arange(n) % classes]


@pytest.mark.parametrize("dtype", [float, int, bool])
def test_one_hot_rows_are_classes(tmp_path, dtype):
    frame = PanelFrame.from_arrays(sequences(), one_hot().astype(dtype))
    assert (frame.task, frame.targets.values.tolist()) == ("classification", [0, 1, 2] * 4)
    told(frame, "one-hot: its 3 columns are taken as classes 0 to 2")
    np.savez(tmp_path / "x.npz", X=sequences(), y=one_hot().astype(dtype))
    assert load(tmp_path / "x.npz").task == "classification"


def test_one_hot_rows_as_long_as_the_sequences_are_not_silently_tags():
    values = sequences(steps=3)
    refuses(lambda: PanelFrame.from_arrays(values, one_hot()), "one-hot, or tags", "y.argmax(axis=1)", "`task`")
    assert PanelFrame.from_arrays(values, one_hot().astype(int), task="tagging").task == "tagging"
    frame = PanelFrame.from_arrays(values, one_hot(), task="classification")
    assert frame.targets.values.tolist() == [0, 1, 2] * 4


def test_several_labels_are_named_and_refused():
    many = (sequences(12, 1, 3)[:, 0] > 0).astype(int)
    many[0] = [1, 1, 0]
    refuses(lambda: PanelFrame.from_arrays(sequences(), many), "several labels", "y[:, 0]")
    refuses(
        lambda: PanelFrame.from_arrays(sequences(), [["a", "b"], ["a"]] * 6, task="classification"), "several targets"
    )
    table = pd.DataFrame({"text": ["a b", "c d"] * 6, "label": [["sauce", "cheese"], ["sauce"]] * 6})
    refuses(lambda: TextFrame.from_table(table, label="label"), "several labels", "one column of 0 and 1")
    table = pd.DataFrame({"text": ["a b", "c d"] * 6, "toxic": [0, 1] * 6, "insult": [1, 0] * 6})
    refuses(
        lambda: TextFrame.from_table(table, label="toxic,insult"), "names 2 columns", "one at a time, such as 'toxic'"
    )
    refuses(lambda: TextFrame.from_table(table, label=["toxic", "insult"]), "names 2 columns")
    single = pd.DataFrame({"text": ["a b", "c d"] * 6, "label": [["x"], ["y"]] * 6})
    assert TextFrame.from_table(single, label="label").targets.values.tolist() == ["x", "y"] * 6
    genres = pd.DataFrame({"text": list("abcdef"), "label": ["a|b", "b|c", "a", "a|c", "b", "c"]})
    told(TextFrame.from_table(genres, label="label"), "look like several labels each")


def test_bytes_are_read_as_texts(tmp_path):
    np.savez(tmp_path / "x.npz", X=sequences(), y=np.array([b"cat", b"dog"] * 6))
    assert load(tmp_path / "x.npz").targets.values.tolist() == ["cat", "dog"] * 6
    table = pd.DataFrame({"text": [b"caf\xc3\xa9", "b"] * 4, "label": [b"x", b"y"] * 4})
    frame = TextFrame.from_table(table, label="label")
    assert (frame.texts[0], frame.targets.values.tolist()) == ("café", ["x", "y"] * 4)
    told_column = np.arange(12)[:, None]
    assert PanelFrame.from_arrays(sequences(), told_column % 3).task == "classification"


# Layouts


def test_a_table_of_words_is_read_word_by_word(tmp_path):
    path = tmp_path / "ner.csv"
    path.write_text(
        "Sentence #,Word,POS,Tag\nSentence: 1,EU,NNP,B-ORG\n,rejects,VBZ,O\n,1990,CD,O\nSentence: 2,NA,NN,O\n"
        ",null,NN,O\n",
        encoding="utf-8",
    )
    frame = load(path, id="Sentence #", tags="Tag")
    assert frame.texts.tolist() == [["EU", "rejects", "1990"], ["NA", "null"]]
    assert frame.targets.values.tolist() == [["B-ORG", "O", "O"], ["O", "O"]]
    assert frame.names.tolist() == ["Sentence: 1", "Sentence: 2"]
    told(frame, "3 empty cells of 'Sentence #' go on with the text of the cell above", "ignored: 'POS'")
    path.write_text("s,word,n,tag\n1,EU,1,B\n1,x,2,O\n2,y,3,O\n2,z,4,O\n", encoding="utf-8")
    assert load(path, id="s", tags="tag").texts.tolist() == [["EU", "x"], ["y", "z"]]
    path.write_text("s,device,n,tag\n1,EU,1,B\n1,x,2,O\n2,y,3,O\n2,z,4,O\n", encoding="utf-8")
    told(load(path, id="s", tags="tag"), "the steps are the numbers in 'n' alone, NOT the words in 'device'")
    refuses(lambda: load(path, id="s", tags="tag", text="word"), "no column is called 'word'")


CONLL = "-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.txt", CONLL),
        ("c.tsv", "EU\tB-ORG\nrejects\tO\n\nPeter\tB-PER\n"),
        ("c.conll", "EU B-ORG\nrejects O\n\n\n\nPeter B-PER"),
        ("pos.txt", "word\ttag\nEU\tB-ORG\nrejects\tO\n\nPeter\tB-PER\n"),
        ("c.bio", CONLL.replace("\n", "\r\n")),
        ("c.conllu", "# id\n1\tEU\t_\tB-ORG" + "\t_" * 6 + "\n2-3\tx" + "\t_" * 8 + "\n2\trejects\t_\tO" + "\t_" * 6
         + "\n\n1\tPeter\t_\tB-PER" + "\t_" * 6 + "\n"),
    ],
)  # fmt: skip
def test_conll_is_read_whatever_its_ending(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    frame = load(tmp_path / name)
    assert frame.texts.tolist() == [["EU", "rejects"], ["Peter"]]
    assert frame.targets.values.tolist() == [["B-ORG", "O"], ["B-PER"]]


def test_words_with_parts_of_speech_are_conll_and_texts_with_labels_are_not(tmp_path):
    (tmp_path / "pos.txt").write_text("The DT\ncat NN\nsat VB\n\nA DT\ndog NN\nran VB\n\n" * 3, encoding="utf-8")
    assert load(tmp_path / "pos.txt").texts[1] == ["A", "dog", "ran"]
    (tmp_path / "t.tsv").write_text("text\tlabel\na b c\tx\n\nd e f\ty\n\ng h\tx\n", encoding="utf-8")
    assert load(tmp_path / "t.tsv", label="label").targets.values.tolist() == ["x", "y", "x"]


def test_words_a_row_without_their_sentences_are_refused():
    table = pd.DataFrame({"word": ["a", "b"] * 6, "tag": ["X", "O"] * 6})
    refuses(lambda: TextFrame.from_table(table, text="word", tags="tag"), "holds one word", "`id`", ".conll")


def test_conll_with_a_short_line_names_it(tmp_path):
    (tmp_path / "c.conll").write_text("EU B-ORG\nrejects\n", encoding="utf-8")
    refuses(lambda: load(tmp_path / "c.conll"), "line 2 has 1 columns where 2 were expected")


def wide(n=20, steps=12):
    values = sequences(n, steps, 1)[:, :, 0]
    return values, pd.DataFrame(values, columns=[f"T{i}" for i in range(1, steps + 1)]).assign(
        Target=["a", "b"] * (n // 2)
    )


def test_a_sequence_per_row_is_read_by_the_numbers_of_its_columns(tmp_path):
    values, table = wide()
    table.to_csv(tmp_path / "w.csv", index=False)
    table[sorted(table.columns)].to_csv(tmp_path / "sorted.csv", index=False)  # T1, T10, T11, ...
    for name in ("w.csv", "sorted.csv"):
        frame = load(tmp_path / name, label="Target")
        np.testing.assert_allclose(np.stack(frame.values)[:, :, 0], values)
        told(frame, "a row is read as one sequence of 12 steps")
    features = pd.DataFrame({"age": [1.0, 2] * 9, "height": [2.0, 3] * 9, "kind": ["u", "v"] * 9})
    refuses(lambda: TextFrame.from_table(features, label="kind"), "call the columns of its steps t0, t1", "`id`")
    refuses(lambda: load(tmp_path / "w.csv"), "'T1' to 'T12' look like the steps", "`label`", "'Target'")
    two = pd.DataFrame({f"{c}_{i}": values[:, i] + (c == "z") for i in range(6) for c in "xz"}).assign(
        kind=["u", "v"] * 10
    )
    frame = PanelFrame.from_table(two, label="kind")
    assert (frame.channels, frame.values[0].shape) == (("x", "z"), (6, 2))


@pytest.mark.parametrize(
    "text",
    [
        "ham\tOk lar joking wif u\nspam\tFree entry in 2 a wkly comp\nham\tU dun say so early\nham\tNah I dont think\n",
        '"0","1467810369","Mon Apr 06 2009","NO_QUERY","u","a b c d e f"\n' * 3,
        '3,"Wall St. Bears Claw Back Into the Black","Short sellers are seeing green again today"\n' * 3,
    ],
)
def test_a_first_line_of_values_asks_for_a_header(tmp_path, text):
    path = tmp_path / ("x.tsv" if "\t" in text else "x.csv")
    path.write_text(text, encoding="utf-8")
    refuses(lambda: load(path, text="text", label="label"), "the first line holds values", "add a header")


@pytest.mark.parametrize(
    "text",
    [
        "text,label\na b,x\nc d,y\ne f,x\n",
        "How did you like the room,answer\nIt was very nice indeed yes,1\nNo not at all my friend,2\n".replace(
            "room", "room?"
        ),
        "date,2019,2020\n2019-01-01,1,2\n2019-01-02,2019,4\n",
        "0,1,2,3\n0.5,1,2,1\n0.25,1,2,0\n",
        "y,0.1,0.5,0.9\n1,2,3,4\n5,6,7,8\n",
    ],
)
def test_a_header_is_a_header(tmp_path, text):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    assert len(read_table(tmp_path / "x.csv")) == text.count("\n") - 1


def test_files_put_one_after_another_keep_one_header(tmp_path):
    (tmp_path / "x.csv").write_text("text,n\na b,1\ntext,n\nc d,2\n", encoding="utf-8")
    table = read_table(tmp_path / "x.csv")
    assert table["n"].tolist() == [1, 2]
    assert "1 line repeats the header" in table.attrs["notes"][0]


@pytest.mark.parametrize("between", ["\t", "  ", ","])
@pytest.mark.parametrize("ending", [".tsv", ".txt"])
def test_ucr_text_is_read_without_a_header(tmp_path, between, ending):
    if ending == ".tsv" and between != "\t":
        pytest.skip("a .tsv has tabs")
    lines = [
        (between if between == "  " else "") + between.join([f"{i % 2 + 1}.0000e+00", "0.5", "-1.5e-01", f"{i}"])
        for i in range(6)
    ]
    (tmp_path / f"x{ending}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    frame = load(tmp_path / f"x{ending}")
    assert frame.targets.values.tolist() == [1, 2] * 3
    assert frame.values[3][:, 0].tolist() == [0.5, -0.15, 3.0]


def test_arff_and_ts_with_time_stamps_are_read(tmp_path):
    (tmp_path / "x.arff").write_text(
        "@relation r\n"
        + "".join(f"@attribute att{i} numeric\n" for i in range(6))
        + "@attribute target {a,'b c'}\n@data\n"
        "1,2,3,4,5,6,a\n2,?,4,5,6,7,'b c'\n1,2,3,4,5,7,a\n2,3,4,5,6,8,'b c'\n",
        encoding="utf-8",
    )
    frame = load(tmp_path / "x.arff", label="target")
    assert (frame.values[0][:, 0].tolist(), frame.targets.values[1]) == ([1, 2, 3, 4, 5, 6], "b c")
    (tmp_path / "r.arff").write_text("@relation r\n@attribute bag relational\n@end bag\n@data\n1\n", encoding="utf-8")
    refuses(lambda: load(tmp_path / "r.arff", label="x"), "which is not read", ".ts")
    header = "@timeStamps true\n@classLabel true a b\n@data\n"
    (tmp_path / "x.ts").write_text(
        header + "(0,1.5),(1,2.5):(0,?),(1,1):a\n(2009-01-01 10:00:00,3),(2009-01-01 11:00:00,4):(0,5),(1,6):b\n",
        encoding="utf-8",
    )
    frame = load(tmp_path / "x.ts")
    assert [values[:, 0].tolist() for values in frame.values] == [[1.5, 2.5], [3, 4]]
    (tmp_path / "gap.ts").write_text(header + "(0,1),(1,2),(5,3):a\n", encoding="utf-8")
    refuses(lambda: load(tmp_path / "gap.ts"), "do not rise in equal steps")


def test_texts_without_a_time_are_never_silently_forecast(tmp_path):
    path = tmp_path / "x.csv"
    pd.DataFrame({"review text": ["it was a nice stay"] * 9, "stars": [1, 2, 3] * 3}).to_csv(path, index=False)
    refuses(lambda: load(path), "'review text' holds texts", "`label`", "`value`", "'stars'")
    refuses(lambda: load(path, id="stars"), "'review text' holds texts")
    assert load(path, task="forecast").targets == ("stars",)
    assert load(path, label="stars").task == "classification"
    pd.DataFrame({"text": ["a", "b", "c"], "label": ["x", "y", "x"]}).to_csv(path, index=False)
    refuses(lambda: load(path), "'text' holds texts", "'label'")
    pd.DataFrame({"city": ["Rome", "Oslo", "Bonn"] * 9, "y": range(27)}).to_csv(path, index=False)
    assert load(path).targets == ("y",)


@pytest.mark.parametrize("role", ["tags", "label", "value"])
@pytest.mark.parametrize("inputs", ["tokens", "text", "values"])
def test_a_test_set_does_not_switch_off_the_search_for_targets(tmp_path, role, inputs):
    cells = {"tokens": [["a", "b"], ["c", "d"]], "text": ["a b", "c d"], "values": [[1, 2], [3, 4]]}[inputs]
    targets = {"tags": [["x", "y"], ["y", "x"]], "label": ["x", "y"], "value": [1.5, 2.5]}[role]
    if (inputs, role) == ("text", "tags"):
        targets = ["x y", "y x"]
    rows = [{inputs: cell, role: target, "part": "train"} for cell, target in zip(cells * 3, targets * 3, strict=True)]
    rows[4]["part"] = rows[5]["part"] = "test"

    def write(name, part):
        (tmp_path / name).write_text("".join(json.dumps(r) + "\n" for r in part), encoding="utf-8")

    write("train.jsonl", rows[:4])
    write("test.jsonl", rows[4:])
    write("all.jsonl", rows)
    for frame in (
        load(tmp_path / "train.jsonl", test=tmp_path / "test.jsonl"),
        load(tmp_path / "all.jsonl", split="part"),
    ):
        assert (frame.targets.role, int(frame.is_test.sum())) == (role, 2)


# Line ends


ODD_ENDS = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("odd", ODD_ENDS)
def test_only_line_ends_end_a_line(tmp_path, end, odd):
    rows = [f"{'ab'[i % 2]}\t{chr(34) * (i % 3 == 0)}some{odd}words {i}" for i in range(9)]
    (tmp_path / "x.tsv").write_text(end.join(["label\ttext", *rows, ""]), encoding="utf-8", newline="")
    frame = load(tmp_path / "x.tsv", label="label")
    assert frame.texts.tolist() == [row.split("\t")[1] for row in rows]
    told(frame, "its quotation marks are read as part of the texts")
    (tmp_path / "x.ts").write_text(
        end.join(["@classLabel true", "@data", f"1,2:a{odd}a", "3,4:b", ""]), encoding="utf-8", newline=""
    )
    assert load(tmp_path / "x.ts").targets.values.tolist() == [f"a{odd}a", "b"]


# Lists written out in a CSV


def test_lists_written_out_are_lists_and_predictions_can_be_read_back(tmp_path):
    tokens, tags = [["a b", "c"], ["d"]] * 4, [["X", "O,P"], ["X"]] * 4
    for name, write in (("json", json.dumps), ("python", repr)):
        table = pd.DataFrame({"tokens": [write(x) for x in tokens], "tags": [write(x) for x in tags]})
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        frame = load(tmp_path / f"{name}.csv")
        assert (frame.texts.tolist(), frame.targets.values.tolist()) == (tokens, tags)
    fitted = recurra.fit(frame, family="most_frequent_tag")
    path = recurra.save_model(fitted.predictor, tmp_path / "m", frame)
    printed = pd.read_csv(io.StringIO(run("predict", path, tmp_path / "json.csv").stdout))
    assert [json.loads(cell) for cell in printed["tags"]] == tags
    refuses(
        lambda: TextFrame.from_table(pd.DataFrame({"tokens": ["['a' 'b']"] * 2, "tags": ["X", "X"]}), tags="tags"),
        "holds 1 tags",
    )


# Lengths


def test_test_sequences_longer_than_what_is_read_are_noted(tmp_path):
    rows = [{"values": [float(i % 2)] * (4 + 3 * (i > 9)), "label": "ab"[i % 2]} for i in range(12)]
    for name, part in (("train.jsonl", rows[:10]), ("test.jsonl", rows[10:])):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in part), encoding="utf-8")
    result = recurra.compare(
        tmp_path / "train.jsonl",
        test=tmp_path / "test.jsonl",
        families=["linear"],
        baselines=["majority"],
        seeds=1,
        max_epochs=1,
    )
    assert any("2 of 2 test sequences have more than 4 steps: the first 4 are read" in note for note in result.notes)
    fitted = recurra.fit(tmp_path / "train.jsonl", family="majority")
    assert any("more than 4 steps" in note for note in fitted.predictor.read(str(tmp_path / "test.jsonl")).notes)


# Settings that would do nothing


@pytest.mark.parametrize(
    ("frame", "setting"),
    [
        ("tags", {"sequence_length": 3}),
        ("tags", {"keep": "last"}),
        ("tags", {"loss": "mse"}),
        ("tags", {"tokens": "char"}),
        ("panel", {"tokens": "char"}),
        ("panel", {"vocabulary_size": 10}),
        ("panel", {"vectors": "x.txt"}),
        ("texts", {"missing": "ffill"}),
        ("texts", {"loss": "mse"}),
        ("values", {"balanced": True}),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(frame, setting):
    frames = {
        "tags": TextFrame.from_records([{"tokens": ["a", "b"], "tags": ["X", "O"]}] * 9, tags="tags"),
        "panel": PanelFrame.from_arrays(sequences(), [0, 1] * 6),
        "texts": TextFrame.from_records([{"text": f"a b {i}", "label": "xy"[i % 2]} for i in range(12)], label="label"),
        "values": TextFrame.from_records([{"text": f"a b {i}", "v": i / 7} for i in range(12)], value="v"),
    }
    (name,) = setting
    refuses(lambda: recurra.fit(frames[frame], family="linear", **setting), f"`{name}` does not apply to")


# Smaller faults


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gru:units=32+units=64", ("`units` twice", "32 and 64")),
        ("dense:", ("NAME=VALUE",)),
        ("gru:units=0", ("`units` of gru for classification must be", "received 0")),
    ],
)
def test_a_variant_says_what_it_is(name, words):
    frame = PanelFrame.from_arrays(sequences(), [0, 1] * 6)
    refuses(lambda: recurra.fit(frame, family=name), *words)


def test_the_memory_task_is_an_argument_and_is_called_one():
    message = str(run("memory", "recal").exception)
    assert "the memory task must be one of recall, order, adding, copy" in message


def test_the_average_of_a_recall_sequence_says_nothing_about_its_first_token():
    from recurra.datasets.synthetic_sequences import recall

    table = recall(9, train=4000, test=0)
    ones = table["tokens"].map(lambda tokens: tokens.count("1"))
    assert set(ones) <= set(range(1, 10))
    shares = table["label"].groupby(ones).mean()
    counts = ones.value_counts()
    assert all(abs(share - 0.5) < 4 * 0.5 / np.sqrt(counts[n]) for n, share in shares.items())
    assert (table["tokens"].str[0].astype(int) == table["label"]).all()


@pytest.mark.parametrize("damage", ["recurra.json", "saved_model.pb", "variables"])
def test_a_damaged_model_is_named_when_it_is_loaded(writer, tmp_path, damage):
    import shutil

    _, path = writer
    copy = tmp_path / "1"
    shutil.copytree(path, copy)
    if damage == "recurra.json":
        (copy / "assets.extra" / damage).write_text('{"schema": ', encoding="utf-8")
    elif damage == "saved_model.pb":
        (copy / damage).write_bytes(b"\x00damaged")
    else:
        for file in (copy / damage).iterdir():
            file.write_bytes(b"")
    refuses(lambda: recurra.load_model(copy), "damaged", "export")


def test_what_a_killed_save_leaves_goes_with_the_next(writer, tmp_path):
    from recurra.predictor.persistence import _here

    fitted, _ = writer
    stray = tmp_path / f"learnt-{_here()}-999999999-abc"
    stray.mkdir()
    (tmp_path / "learnt-other_machine-1-abc").mkdir()
    fitted.predictor.save(tmp_path)
    fitted.predictor.save(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("learnt-"))
    assert len(left) == 2
    assert stray.name not in left


def test_a_terminal_without_the_signs_still_gets_a_table(tmp_path):
    import os
    import subprocess
    import sys

    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", "from recurra.cli import main; main()", "datasets"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_a_command_with_spaces_in_its_paths_is_printed_as_a_shell_reads_it(tmp_path, monkeypatch):
    import shlex

    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"text": ["a b", "c d"] * 6, "label": ["x", "y"] * 6}).to_csv("my file.csv", index=False)
    done = run("fit", "my file.csv", "--label", "label", "--family", "majority", "--export", "my model")
    command = shlex.split(done.stdout.split("predict with it: ")[1])
    assert command == ["recurra", "predict", "my model", "my file.csv"]
    assert run(*command[1:]).exit_code == 0


# What was right stays right


def test_a_ts_header_that_is_not_true_and_cases_of_nothing(tmp_path):
    path = tmp_path / "x.ts"
    path.write_text(
        "@equalLength true\n@classLabel true a b\n@data\n1,2,3:a\n1,?:b\n?,?:a\n4,5,6,7:b\n", encoding="utf-8"
    )
    frame = load(path)
    assert [len(sequence) for sequence in frame.values] == [3, 2, 2, 4]
    told(frame, "3 of 11 values are missing")
    model = recurra.fit(frame, family="logistic_flattened").predictor
    assert len(model.predict(str(path))) == 4


def test_the_shape_of_an_array_is_told(tmp_path):
    np.savez(tmp_path / "x.npz", X=np.zeros((6, 2, 50)) + np.arange(6)[:, None, None], y=[0, 1] * 3)
    told(load(tmp_path / "x.npz"), "'X' is read as 6 sequences of 2 steps with 50 channels")


def test_classes_and_texts_that_look_missing_or_like_markup_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = ["NA", "None", "null", "nan", "a,b", 'say "x"', "two\nlines", "[/b]", "$5 & $10_{", "été/冬"]
    table = pd.DataFrame({"text": odd * 4, "label": odd * 4})
    table.to_csv("x.csv", index=False)
    frame = load("x.csv", label="label")
    assert (frame.texts.tolist(), frame.targets.values.tolist()) == (odd * 4, odd * 4)
    done = run("fit", "x.csv", "--label", "label", "--family", "majority", "--export", "m")
    assert done.exit_code == 0, done.output
    printed = pd.read_csv(io.StringIO(run("predict", "m", "x.csv").stdout), keep_default_na=False)
    assert sorted(name.removeprefix("probability_") for name in printed.columns[2:]) == sorted(odd)


def test_odd_line_ends_inside_fields_a_bom_and_utf_16(tmp_path):
    texts = ["a\u2028b", "c\x85d", "e\x0bf", "g\x0ch", "i\r\nj"] * 2
    path = tmp_path / "x.csv"
    pd.DataFrame({"text": texts, "label": ["x", "y"] * 5}).to_csv(path, index=False, sep=";", encoding="utf-8-sig")
    assert load(path, label="label").texts.tolist() == texts
    path.write_text("text,label\na b,x\n", encoding="utf-16")
    refuses(lambda: load(path, label="label"), "UTF-16", "save it again as UTF-8")


def test_threads_get_the_same_answers(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    table = pd.DataFrame({"text": ["good one", "bad one", "fine day", "sad day"] * 5, "label": ["x", "y"] * 10})
    fitted = recurra.fit(TextFrame.from_table(table, label="label"), family="tfidf_logistic")
    loaded = recurra.load_model(recurra.save_model(fitted.predictor, tmp_path / "m", fitted.frame))
    expected = loaded.predict(table)
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(loaded.predict, [table] * 16):
            pd.testing.assert_frame_equal(answer, expected)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temperature": float("nan")}, "`temperature` must be"),
        ({"temperature": -1}, "`temperature` must be"),
        ({"top_k": 0}, "`top_k` must be"),
        ({"label": "none"}, "`label` must be one of"),
    ],
)
def test_odd_wishes_of_a_text_are_refused_in_a_sentence(writer, options, words):
    fitted, _ = writer
    refuses(lambda: recurra.TextGenerator(fitted.predictor).generate("a", **{"label": ":x:", **options}), words)


@pytest.mark.parametrize("temperature", [0, 1e-320, 1e9])
@pytest.mark.parametrize("prompt", ["", "漢 🦒 \x00", "\u2028"])
def test_any_prompt_at_any_temperature_is_continued_the_same_from_a_seed(writer, prompt, temperature):
    fitted, _ = writer
    generator = recurra.TextGenerator(fitted.predictor)
    first, again = (
        generator.generate(prompt, label=":x:", temperature=temperature, length=8, seed=1) for _ in range(2)
    )
    assert first == again
    assert first.startswith(prompt)


def test_a_channel_at_rest_or_of_nothing_leaves_the_other_to_learn_from():
    values, label = waves(0.0, classes=2, n=40)
    alone = recurra.fit(PanelFrame.from_arrays(values, label), family="logistic_flattened").predictor.predict(
        list(values)
    )
    for other in (np.full_like(values, 7.3), np.full_like(values, np.nan), np.full_like(values, 1e9 + 0.1)):
        frame = PanelFrame.from_arrays(np.concatenate([values, other], axis=2), label)
        result = recurra.fit(frame, family="logistic_flattened").predictor.predict(list(frame.values))
        assert result["label"].tolist() == alone["label"].tolist()
    assert (alone["label"] == label).mean() > 0.8


def test_steps_that_are_not_numbers_are_refused_and_order_is_by_name():
    rows = pd.DataFrame(
        {
            "id": np.repeat(["a", "b"], 3),
            "step": [1, 10, 2] * 2,
            "x": [1, 3, 2, 4, 6, 5],
            "z": 1.0,
            "kind": list("uuuvvv"),
        }
    )
    frame = PanelFrame.from_table(rows, id="id", label="kind", channels=["x", "z"])
    other = PanelFrame.from_table(
        rows.iloc[::-1][["z", "kind", "x", "step", "id"]], id="id", label="kind", channels=["x", "z"]
    )
    assert frame.values[0][:, 0].tolist() == [1, 2, 3]
    assert other.values[1].tolist() == frame.values[0].tolist()
    rows["step"] = ["t1", "t10", "t2"] * 2
    refuses(lambda: PanelFrame.from_table(rows, id="id", label="kind"), "'t1'")
    assert PanelFrame.from_table(rows, id="id", label="kind", time="none").values[0][:, 0].tolist() == [1, 3, 2]


def test_one_class_or_an_infinite_value_is_refused_with_its_place(tmp_path):
    values = sequences()
    values[3, 2, 1] = np.inf
    np.savez(tmp_path / "x.npz", X=values, y=[0, 1] * 6)
    refuses(lambda: load(tmp_path / "x.npz"), "sequence 3", "infinite value at step 2, channel 1")
    refuses(lambda: PanelFrame.from_arrays(sequences(), [1] * 12), "only one label")


def test_several_columns_of_ids_are_joined(tmp_path):
    random = np.random.default_rng(0)
    rows = [
        {"patient": f"0{p}", "visit": v, "t": t, "x": random.normal() + 3 * (p % 2), "kind": "ab"[p % 2]}
        for p in range(10)
        for v in range(2)
        for t in range(4)
    ]
    path = tmp_path / "visits.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    frame = recurra.load(path, id="patient,visit", time="t", label="kind")
    assert frame.channels == ("x",)
    assert list(frame.names[:3]) == ["00,0", "00,1", "01,0"]
    fitted = recurra.fit(frame, family="majority")
    table = fitted.predictor.predict(path)
    assert list(table["patient,visit"]) == list(frame.names)
    in_python = recurra.load(pd.DataFrame(rows), id=["patient", "visit"], time="t", label="kind")
    assert list(in_python.names) == list(frame.names)
    with pytest.raises(InputError, match="hold commas"):
        recurra.load(
            pd.DataFrame({"a": ["x,y", "x"], "b": ["z", "y,z"], "v": 1.0, "label": "k"}), id="a,b", label="label"
        )
    with pytest.raises(InputError, match="no column is called 'vist'"):
        recurra.load(path, id="patient,vist", label="kind")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            '"good one,pos\nbad,neg\n"fine, sure",pos\nbad,neg\n',
            "lines 2 to 4 are one row of 3 fields, as a quotation mark",
        ),
        (
            'fine,pos\n"good one,pos\nbad,neg\n"fine, sure",pos\n',
            "lines 3 to 5 are one row of 3 fields, as a quotation mark",
        ),
        ('good,pos\n"good one,pos\nbad,neg\n', "the text that begins in line 3 has no end; close its quotation mark"),
        (
            '"good\none"\nbad,neg\n',
            r"lines 2 to 3 are one row of 1 field, .* or correct the row \(leave a missing cell empty",
        ),
    ],
)
def test_an_unclosed_quotation_mark_is_named(tmp_path, rows, said):
    path = tmp_path / "texts.csv"
    path.write_text("text,label\n" + rows)
    with pytest.raises(InputError, match=said):
        load(path, text="text", label="label")
