"""Telling short texts apart by what they share with examples: what of them is looked at, and what learns from it."""

from collections.abc import Callable

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_union


def features(normal: Callable[[str], str] = str.lower) -> FeatureUnion:
    """What of a text is looked at: its words, and the parts of them.

    Args:
        normal: Makes texts that should count as the same alike.
    """
    words = TfidfVectorizer(preprocessor=normal, ngram_range=(1, 2), sublinear_tf=True)
    parts = TfidfVectorizer(preprocessor=normal, analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
    return make_union(words, parts)


def regression() -> LogisticRegression:
    """What learns how likely each kind of text is."""
    # This solver works in one thread; the default one keeps every core busy for seconds when others need them.
    # A larger C is surer of itself. In cross-validation of the support requests 100 made 1% more right decisions than
    # 30, and started the wrong workflow 18 times instead of 13: asking once too often does less harm. Of the tasks,
    # 30 is as sure as it is right.
    return LogisticRegression(C=30, solver="sag", max_iter=2000, random_state=0)
