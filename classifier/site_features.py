"""Facts of a line within its site: how many of the site's other pages carry it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .counting import Rows, log_count
from .hashing import UInts
from .page_features import running_sums, window
from .site_memory import Site
from .tokens import Text

__all__ = ["SITE_FEATURES", "site_rows"]

_NEAR = 3
SITE_FEATURES: dict[str, str] = {
    "site_pages": "log of 1 + other pages of the site in its memory; 0 without a memory",
    "site_share": "share of them that have the line's letters too; -1 without a memory",
    "site_around": "mean of `site_share` over the line and the three lines on each side",
}
"""Name and meaning of each feature of a site's memory."""


def site_rows(text: Text, letters: UInts, sites: Sequence[Site | None] | None) -> Rows:
    """Return the features named in `SITE_FEATURES`.

    Parameters
    ----------
    text : Text
    letters : ndarray of uint64, shape (n_lines,)
    sites : sequence of Site or None, optional
        The site of each page, where there is a memory of it.

    Returns
    -------
    dict of str to ndarray, shape (n_lines,)
    """
    known, around = np.zeros(text.n_lines), np.full(text.n_lines, -1.0)
    share = np.full(text.n_lines, -1.0)
    for page, site in enumerate(sites or []):
        own = slice(*text.page_start[page : page + 2].tolist())
        counts, pages = (None, 0) if site is None else site.memory.known(letters[own], site.name)
        if counts is not None and pages > 0:
            known[own] = log_count(pages)
            share[own] = np.where(counts >= 0, np.minimum(counts / pages, 1.0), -1.0)
    if sites is not None:
        around = window(running_sums(share[None]), text, -_NEAR, _NEAR)[0]
    return {"site_pages": known, "site_share": share, "site_around": around}
