"""The count of n-grams that nets for texts are compared with."""

import math

import pytest
from ngrams import ngram_perplexity

from lamina.datasets import Text
from lamina.experiment.config import load_config
from lamina.experiment.load_run import load_run
from lamina.experiment.outcome import read_outcome
from lamina.experiment.run import run


def test_by_hand():
    # "aab": a 2, b 1 of three; behind a one a and one b. Of "ab" p(a) and p(b | a):
    a, b = (2 + 2 / 3) / 5, (1 + 2 / 3) / 5
    expected = [a, (1 + 2 * b) / 4]
    found = ngram_perplexity([0, 0, 1], [0, 1], 2, 3)
    assert found == pytest.approx(math.exp(-sum(map(math.log, expected)) / 2), rel=1e-12)
    assert ngram_perplexity([0, 0, 1], [0, 1], 2, 3, 1) == pytest.approx(1 / expected[1])


def test_a_token_has_probabilities_that_add_up():
    train = [0, 1, 2, 0, 1, 1, 0, 2, 2, 1]
    for order in (1, 2, 3):
        inverse = [ngram_perplexity(train, [0, 1, w], order, 5, 2) for w in range(5)]
        assert sum(1 / p for p in inverse) == pytest.approx(1.0)


@pytest.mark.slow
def test_nets_know_more_than_counting_and_attention_more_than_a_carried_state(tmp_path):
    data = Text("configs/lamina.txt", length=64, validation_share=0.1)
    train, other = (
        [*X.ravel().tolist(), int(t[-1, -1])] for X, t in (data.train[:], data.validation[:])
    )
    counted = min(ngram_perplexity(train, other, order, data.n_words) for order in (4, 5, 6))
    found, sizes = {}, {}
    for name in ("text_lstm", "text_gpt"):
        run(load_config(f"configs/{name}.yaml"), name, tmp_path / name, quiet=True)
        found[name] = read_outcome(tmp_path / name).figures["validation_perplexity"]
        net, _ = load_run(tmp_path / name)
        sizes[name] = sum(param.data.size for param in net.parameters().values())
    assert found["text_gpt"] < found["text_lstm"] < counted
    assert sizes["text_gpt"] <= 1.01 * sizes["text_lstm"]


@pytest.mark.slow
def test_the_figure_that_stands_in_the_configuration():
    data = Text("configs/lamina.txt", length=8, predict="last", validation_share=0.1)
    train, test = ([*X[0].tolist(), *t.tolist()] for X, t in (data.train[:], data.test[:]))
    assert ngram_perplexity(train, test, 5, data.n_words, 8) == pytest.approx(5.28, abs=0.01)
