"""tf.contrib.learn.preprocessing of TensorFlow 1.15: texts as rows of word numbers.

Source of every name: tf.contrib.learn.preprocessing of TensorFlow 1.15.5.
"""
from __future__ import annotations

import pickle
import re

import numpy as np

from tf1_autoencoders.tensorflow1 import contrib as _contrib

TOKENIZER_RE = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|[\'\w\-]+", re.UNICODE)


def tokenizer(iterator):
    """Yield the list of words of each text."""
    for value in iterator:
        yield TOKENIZER_RE.findall(value)


class CategoricalVocabulary:
    """Numbers of categories: 0 is the unknown one, the others count from 1 in the order in which they come.

    Args:
        unknown_token: name of the unknown category.
        support_reverse: whether `reverse` finds a category by its number.
    """

    def __init__(self, unknown_token="<UNK>", support_reverse=True):
        self._unknown_token = unknown_token
        self._mapping = {unknown_token: 0}
        self._support_reverse = support_reverse
        if support_reverse:
            self._reverse_mapping = [unknown_token]
        self._freq = {}
        self._freeze = False

    def __len__(self):
        return len(self._mapping)

    def freeze(self, freeze=True):
        """Let new categories be unknown from now on, or not."""
        self._freeze = freeze

    def get(self, category):
        """Return a category's number, which a new category gets unless the vocabulary is frozen; then 0."""
        if category not in self._mapping:
            if self._freeze:
                return 0
            self._mapping[category] = len(self._mapping)
            if self._support_reverse:
                self._reverse_mapping.append(category)
        return self._mapping[category]

    def add(self, category, count=1):
        """Count a category, `count` times, unless it is unknown."""
        number = self.get(category)
        if number > 0:
            self._freq[category] = self._freq.get(category, 0) + count

    def trim(self, min_frequency, max_frequency=-1):
        """Keep the categories counted more than min_frequency and, unless -1, less than max_frequency times.

        They are numbered anew, the most frequent first, and then by the alphabet.
        """
        ordered = sorted(sorted(self._freq.items(), key=lambda item: (isinstance(item[0], str), item[0])),
                         key=lambda item: item[1], reverse=True)
        self._mapping = {self._unknown_token: 0}
        if self._support_reverse:
            self._reverse_mapping = [self._unknown_token]
        kept = 1
        for category, frequency in ordered:
            if frequency <= min_frequency:
                break
            if max_frequency > 0 and frequency >= max_frequency:
                continue
            self._mapping[category] = kept
            kept += 1
            if self._support_reverse:
                self._reverse_mapping.append(category)
        self._freq = dict(ordered[:kept - 1])

    def reverse(self, class_id):
        """Return the category of a number.

        Raises:
            ValueError: the vocabulary was made without support_reverse.
        """
        if not self._support_reverse:
            raise ValueError("This vocabulary wasn't initialized with support_reverse to support reverse() function.")
        return self._reverse_mapping[class_id]


class VocabularyProcessor:
    """Texts as rows of word numbers, int64[max_document_length]; 0 fills up and stands for an unknown word.

    Args:
        max_document_length: words of a text that are kept.
        min_frequency: words counted less often are unknown; see CategoricalVocabulary.trim.
        vocabulary: CategoricalVocabulary; None for a new one.
        tokenizer_fn: function of an iterator of texts that yields lists of words; None for `tokenizer`.
    """

    def __init__(self, max_document_length, min_frequency=0, vocabulary=None, tokenizer_fn=None):
        self.max_document_length = max_document_length
        self.min_frequency = min_frequency
        self.vocabulary_ = vocabulary or CategoricalVocabulary()
        self._tokenizer = tokenizer_fn or tokenizer

    def fit(self, raw_documents, unused_y=None):
        """Number and count the words of texts, then freeze the vocabulary; return self."""
        for words in self._tokenizer(raw_documents):
            for word in words:
                self.vocabulary_.add(word)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(self, raw_documents, unused_y=None):
        """Fit, and return an iterator of the texts' rows."""
        self.fit(raw_documents)
        return self.transform(raw_documents)

    def transform(self, raw_documents):
        """Yield the row of each text, int64[max_document_length]."""
        for words in self._tokenizer(raw_documents):
            row = np.zeros(self.max_document_length, np.int64)
            for k, word in enumerate(words[:self.max_document_length]):
                row[k] = self.vocabulary_.get(word)
            yield row

    def reverse(self, documents):
        """Yield the words of each row, joined by spaces."""
        for row in documents:
            yield " ".join(self.vocabulary_.reverse(number) for number in row)

    def save(self, filename):
        """Write the processor to a file, for `restore`."""
        with open(filename, "wb") as file:
            file.write(pickle.dumps(self))

    @classmethod
    def restore(cls, filename):
        """Return the processor of a file that `save` wrote, here or under TensorFlow 1.

        Raises:
            ValueError: the file holds anything but a processor and its vocabulary.
        """
        with open(filename, "rb") as file:
            return _Unpickler(file).load()


class _Unpickler(pickle.Unpickler):
    """Reads a VocabularyProcessor, of this package or of TensorFlow 1; the file can make nothing else."""

    _NAMES = {"VocabularyProcessor": VocabularyProcessor, "CategoricalVocabulary": CategoricalVocabulary,
              "tokenizer": tokenizer}

    def find_class(self, module, name):
        if "contrib.learn" in module and name in self._NAMES:
            return self._NAMES[name]
        if module == "collections" and name in ("defaultdict", "OrderedDict") or (module, name) in (
                ("builtins", "int"), ("__builtin__", "int")):
            return super().find_class(module, name)
        raise ValueError(f"VocabularyProcessor.restore: the file holds {module}.{name}; expected a vocabulary only")


_REFUSED = dict.fromkeys(("ByteProcessor", "CategoricalProcessor", "setup_processor_data_feeder"),
                         "numpy.frombuffer and a dictionary do the same")
__getattr__ = _contrib.explain_missing(__name__, ("text", "categorical", "categorical_vocabulary"), _REFUSED)
