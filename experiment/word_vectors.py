"""Which words are near another one: cosines of the rows of an Embedding, and analogies."""

import numpy as np

from lamina.common.names import suggest
from lamina.common.printable import printable
from lamina.layers import Copy, Embedding, Layer
from lamina.nets import Net


class WordVectors:
    """The rows of a table (n_words, n_dims), each of length 1, and the words that they are of.

    A row of zeros is near nothing. Raises ValueError unless there is a row for each word.
    """

    def __init__(self, table, vocabulary):
        if len(table) != len(vocabulary):
            raise ValueError(f"{len(table)} vectors for {len(vocabulary)} words")
        lengths = np.linalg.norm(table, axis=1, keepdims=True)
        self.vectors = table / np.where(lengths > 0, lengths, 1)
        self.vocabulary = tuple(vocabulary)
        self._index = {word: i for i, word in enumerate(self.vocabulary)}

    def near(self, word: str, n: int = 10) -> list[tuple[str, float]]:
        """The n words of the largest cosine with this one, and that cosine."""
        return self._nearest(self[word], n, {word})

    def analogy(self, a: str, b: str, c: str, n: int = 10) -> list[tuple[str, float]]:
        """The n words nearest to b - a + c, but these three: a is to b as c is to which? (Mikolov,
        Yih and Zweig 2013)"""
        return self._nearest(self[b] - self[a] + self[c], n, {a, b, c})

    def __getitem__(self, word: str) -> np.ndarray:
        """The vector of a word, of length 1. Raises ValueError for one that was not learned."""
        if word not in self._index:
            raise ValueError(
                f"'{printable(word)}' is not among the {len(self.vocabulary)} words of the "
                f"vocabulary{suggest(word, self.vocabulary)}"
            )
        return self.vectors[self._index[word]]

    def _nearest(self, vector, n: int, but: set) -> list[tuple[str, float]]:
        if n < 1:
            raise ValueError(f"n: expects how many words to list, 1 or more; got {n}")
        cosines = self.vectors @ vector / (np.linalg.norm(vector) or 1.0)
        order = (self.vocabulary[i] for i in np.argsort(-cosines, kind="stable"))
        found = [word for word in order if word not in but][:n]
        return [(word, float(cosines[self._index[word]])) for word in found]


def vectors_of(net: Layer, dataset) -> WordVectors:
    """Those of the Embedding that reads the first input of a net that has learned a text; if none
    does, of the first one. Raises ValueError if the data have no vocabulary, or the net no
    Embedding."""
    words = getattr(dataset, "vocabulary", None) or getattr(dataset.task, "vocabulary", None)
    tables = [held for _, held in net.walk() if isinstance(held, Embedding)]
    if words is None or not tables:
        what = "an Embedding" if words is not None else "the words of a text"
        raise ValueError(f"has not learned {what}; expects a run as of words_skipgram")
    return WordVectors((_of_first_input(net) or tables[0]).W.data, words)


def _of_first_input(net: Layer) -> Embedding | None:
    """Wherever it stands in a graph: the order of its layers is free."""
    if not isinstance(net, Net):
        return None
    copies = {net.inputs[0]}
    for step in net.steps():
        if not copies.isdisjoint(step.reads):
            if isinstance(step.layer, Embedding):
                return step.layer
            if isinstance(step.layer, Net) and (found := _of_first_input(step.layer)):
                return found
            if isinstance(step.layer, Copy):
                copies |= set(step.writes)
    return None
