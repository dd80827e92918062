"""What counting says of a text: the perplexity of n-grams, which a net is to beat."""

import math
from collections import Counter, defaultdict


def ngram_perplexity(train, other, order, n_words, skipped=0):
    """Of `other`, without its first `skipped` tokens, by how often each token stands behind the
    order - 1 before it in `train`; contexts of all lengths are mixed, each with the weight that
    Witten and Bell 1991 give it: by how many different tokens have followed."""
    follow = [defaultdict(Counter) for _ in range(order)]
    for n, counts in enumerate(follow):
        for i in range(n, len(train)):
            counts[tuple(train[i - n : i])][train[i]] += 1
    summed = [{h: (sum(c.values()), len(c)) for h, c in counts.items()} for counts in follow]
    total = 0.0
    for i in range(skipped, len(other)):
        p = 1.0 / n_words
        for n in range(min(order, i + 1)):
            before = tuple(other[i - n : i])
            if before not in summed[n]:
                break
            times, kinds = summed[n][before]
            p = (follow[n][before][other[i]] + kinds * p) / (times + kinds)
        total -= math.log(p)
    return math.exp(total / (len(other) - skipped))
