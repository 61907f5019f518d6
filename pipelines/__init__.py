"""Pipelines: frames → ``tf.data``. Everything learnt here is learnt from training rows only.

They promise that nothing after a window's last input time reaches its inputs. They know no model and read no file.
"""

from .defaults import derive_tokens, derive_window
from .fold import Fold, RowRange, TextRange
from .language import EncodedCorpus, EncodedLines, LanguagePipeline, corpus_fold
from .protocol import Batches, Pipeline, RawInputs, Tensors
from .ragged import Ragged
from .rolling_origin import MAX_VALIDATION_WINDOWS, rolling_origin, single_split
from .sequence_batches import SequenceBatches
from .sequence_encoder import SequenceEncoder
from .sequences import EncodedSequences, SequencePipeline
from .series import EncodedSeries, SeriesPipeline
from .shuffled_batches import ShuffledBatches
from .stratified import dealt_parts, stratified_folds, stratified_sample, stratified_split
from .stream_batches import StreamBatches
from .target_encoders import ClassEncoder, TagEncoder, ValueEncoder
from .text_encoder import TextEncoder
from .window_batches import WindowBatches
from .windows import Windows, window_table

__all__ = [
    "MAX_VALIDATION_WINDOWS",
    "Batches",
    "ClassEncoder",
    "EncodedCorpus",
    "EncodedLines",
    "EncodedSequences",
    "EncodedSeries",
    "Fold",
    "LanguagePipeline",
    "Pipeline",
    "Ragged",
    "RawInputs",
    "RowRange",
    "SequenceBatches",
    "SequenceEncoder",
    "SequencePipeline",
    "SeriesPipeline",
    "ShuffledBatches",
    "StreamBatches",
    "TagEncoder",
    "Tensors",
    "TextEncoder",
    "TextRange",
    "ValueEncoder",
    "WindowBatches",
    "Windows",
    "corpus_fold",
    "dealt_parts",
    "derive_tokens",
    "derive_window",
    "rolling_origin",
    "single_split",
    "stratified_folds",
    "stratified_sample",
    "stratified_split",
    "window_table",
]
