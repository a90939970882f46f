from __future__ import annotations

import numpy as np

from training.tuning import Outcome, tune


def outcome(rng: np.random.Generator) -> Outcome:
    """Return a page of long content lines with a short line of boilerplate after each third."""
    content = np.arange(24) % 4 != 3
    score = np.where(content, 2.0, -1.0) + rng.normal(0, 0.5, 24)
    words = np.where(content, 40, 1)
    physical = np.arange(24)
    return Outcome(score, np.zeros(24), words, content.astype(np.int8), physical, None)


def test_the_decoder_does_not_swallow_short_lines_that_hardly_count_in_words() -> None:
    rng = np.random.default_rng(0)
    pages = [outcome(rng) for _ in range(40)]
    tuned = tune(pages, np.ones(40))
    for page in pages:
        labels = tuned.decoder.labels(np.interp(page.score, *tuned.knots), page.words)
        assert (labels == (page.truth == 1)).mean() > 0.95
