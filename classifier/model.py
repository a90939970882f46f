"""The model: a dump goes in, labels, probabilities and spans come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, pairwise, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from .bit_forest import BitForest
from .correction import AGAIN, Correction
from .decoder import Decoder, Preset
from .explain import Contribution, contributions
from .features import FEATURE_NAMES, batches, extract
from .kinds import Kinds
from .network import Network
from .page import Page, read_page
from .phrases import PUSH, Phrases, moved
from .result import PageResult, line_labels, take_headlines
from .scoring import SECOND_NAMES, Blend, Scores, headline_chance, second_blocks
from .site_memory import Site, SiteMemory
from .trees import Trees
from .vocabulary import Doubles

__all__ = ["Model", "Preset"]

_READ_AHEAD = 64
_Dump = tuple[str | bytes, Site | None]


@dataclass(frozen=True, eq=False)
class Model:
    """A trained line classifier; made by ``training.fit``, loaded by ``load_model``.

    Attributes
    ----------
    first, first_headline, second, headline : Trees
        Node tables of the forests: for content and for the headline, in both stages.
    first_network, second_network : Network or None
        Networks for content, whose share of their stage's score is `classifier.network.SHARE`.
    wording, kinds : ndarray of float32, shape (2**bits,), and Kinds
        Weights of the hashed words: for content, and for the kinds of pages.
    knots : ndarray of float64, shape (2, n_knots)
        Calibration: scores of the second stage and the probabilities that they stand for.
    decoder : Decoder
    headline_threshold : float
        A headline must be more probable than this.
    presets : mapping of str to Preset
    info : mapping
        What ``model.json`` says beside: training data, versions, figures.
    min_probability : float or None
        A fixed threshold in place of the page's own.
    phrases, correction : Phrases or None, Correction or None
        A user's phrases, and what the labelled pages of a user's sites taught, before the decoder.
    """

    first: Trees
    first_headline: Trees
    second: Trees
    headline: Trees
    first_network: Network | None
    second_network: Network | None
    wording: npt.NDArray[np.float32]
    kinds: Kinds
    knots: Doubles
    decoder: Decoder
    headline_threshold: float
    presets: Mapping[str, Preset]
    info: Mapping[str, Any] = field(default_factory=dict, repr=False)
    min_probability: float | None = None
    phrases: Phrases | None = None
    correction: Correction | None = None

    @cached_property
    def _scorers(self) -> tuple[tuple[Blend, BitForest], tuple[Blend, BitForest]]:
        return (
            (Blend(self.first, self.first_network), BitForest(self.first_headline)),
            (Blend(self.second, self.second_network), BitForest(self.headline)),
        )

    def with_preset(self, name: str) -> Model:
        """Return the model at another operating point.

        Parameters
        ----------
        name : {"precision", "balanced", "recall"}

        Returns
        -------
        Model

        Raises
        ------
        ValueError
            If there is no such preset.
        """
        if name not in self.presets:
            raise ValueError(f"expected a preset out of {', '.join(self.presets)}; found {name!r}")
        return replace(self, decoder=replace(self.decoder, aim=self.presets[name].aim))

    def with_min_probability(self, probability: float) -> Model:
        """Return the model with a fixed threshold on the probability in place of the page's own.

        Parameters
        ----------
        probability : float
            Between 0 and 1.

        Returns
        -------
        Model

        Raises
        ------
        ValueError
            If the probability is not between 0 and 1.
        """
        if not 0 <= probability <= 1:
            raise ValueError(f"expected a probability from 0 to 1; found {probability!r}")
        return replace(self, min_probability=probability)

    def with_phrases(
        self, content: Sequence[str] = (), boilerplate: Sequence[str] = (), push: float = PUSH
    ) -> Model:
        """Return the model with phrases as further evidence, in place of those that it had.

        Parameters
        ----------
        content, boilerplate : sequence of str
            A line with one of them has its log odds of content moved up or down before the
            decoder, and its `content_probability` with it; see :class:`classifier.phrases.Phrases`.
        push : float
            By how much.

        Returns
        -------
        Model

        Raises
        ------
        ValueError
            If a phrase is empty, or the push not above 0 and up to 100.
        """
        return replace(self, phrases=Phrases(content, boilerplate, push))

    def classify(self, dump: str | bytes, *, site: SiteMemory | Site | None = None) -> PageResult:
        """Label the lines of one dump.

        Parameters
        ----------
        dump : str or bytes
            The text of a page. Bytes are decoded as :func:`classifier.page.read_page` says.
        site : SiteMemory or Site, optional
            What is known of other pages of its site: a memory of one site, or a site of a memory.

        Returns
        -------
        PageResult

        Raises
        ------
        TypeError
            If the dump is neither.

        Examples
        --------
        >>> from classifier import load_model
        >>> page = load_model().classify("The bridge will stay shut, the board said on Friday.")
        >>> page.labels
        ('content',)
        """
        return self._classify([(dump, _site(site))])[0]

    def classify_many(
        self,
        dumps: Iterable[str | bytes],
        sites: Iterable[SiteMemory | Site | None] | None = None,
        *,
        n_jobs: int = 1,
    ) -> Iterator[PageResult]:
        """Label many dumps; pages are put together in batches, which is faster.

        Parameters
        ----------
        dumps : iterable of str or bytes
            Taken as they come; only a few batches are held at a time.
        sites : iterable of SiteMemory, Site or None, optional
            What is known of each dump's site, as for :meth:`classify`.
        n_jobs : int
            Number of processes; -1 for one a core. The results do not depend on it.

        Yields
        ------
        PageResult
            In the order of the dumps.
        """
        known = repeat(None) if sites is None else map(_site, sites)
        pairs = zip(dumps, known, strict=sites is not None)
        chunks = iter(lambda: list(islice(pairs, _READ_AHEAD)), [])
        if n_jobs == 1:
            for chunk in chunks:
                yield from self._classify(chunk)
            return
        from joblib import Parallel, delayed

        run = Parallel(n_jobs=n_jobs, return_as="generator")
        for results in run(delayed(_classify_apart)(self, chunk) for chunk in chunks):
            yield from (replace(result, _model=self) for result in results)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the evaluators out; they are made anew where the model is used."""
        return {key: value for key, value in self.__dict__.items() if key != "_scorers"}

    def scores(
        self, pages: Sequence[Sequence[str]], sites: Sequence[Site | None] | None = None
    ) -> Scores:
        """Return the probabilities of the non-blank lines of a few pages, before decoding.

        Parameters
        ----------
        pages : sequence of sequences of str
            Physical lines of each page.
        sites : sequence of Site or None, optional
            The site of each page, where there is a memory of it.

        Returns
        -------
        Scores
        """
        batch = extract(pages, sites)
        first, (second, headline) = self._scorers
        taught = self.correction.shifts(batch) if self.correction else None
        blocks = second_blocks(batch, first, self.wording, self.kinds, taught)
        content = np.interp(second.scores(*blocks), self.knots[0], self.knots[1])
        top = headline_chance(blocks, headline)
        if taught is not None:
            content = moved(content, AGAIN * taught)
        if self.phrases:
            shift = self.phrases.shifts([x for page in pages for x in page])[batch.text.physical]
            content = moved(content, shift)
        return Scores(batch, blocks, content, top)

    def explain(self, page: Page, line_index: int) -> list[Contribution]:
        """Return what :meth:`PageResult.explain` returns."""
        scores = self.scores([page.lines])
        place = np.flatnonzero(scores.batch.text.physical == line_index)
        if not len(place):
            return []
        column = int(place[0])
        found = contributions(
            (self.second, self.second_network, scores.second[:, column], SECOND_NAMES),
            (self.first, self.first_network, scores.batch.matrix[:, column], FEATURE_NAMES),
        )
        if self.correction:
            found += self.correction.contributions(scores.batch, column)
        if self.phrases:
            found += self.phrases.contributions(page.lines[line_index])
        return sorted(found, key=lambda item: -abs(item.push))

    def _classify(self, dumps: Sequence[_Dump]) -> list[PageResult]:
        pages = [read_page(dump) for dump, _ in dumps]
        results = []
        for group in batches([page.lines for page in pages]):
            chosen, known = [pages[index] for index in group], [dumps[index][1] for index in group]
            scores = self.scores([page.lines for page in chosen], known if any(known) else None)
            results += self._decode(chosen, scores)
        return results

    def _decode(self, pages: Sequence[Page], scores: Scores) -> list[PageResult]:
        text, words = scores.batch.text, scores.batch.words
        lengths, cut = np.diff(text.page_start), self.min_probability
        content = self.decoder.labels(scores.content, words, lengths, threshold=cut)
        headlines = take_headlines(
            text, scores.headline, scores.content, content, self.headline_threshold
        )
        labels = line_labels(content, text.physical, text.physical_start)
        chance = np.full(len(labels), np.nan)
        chance[text.physical] = scores.content
        own = [slice(*bounds) for bounds in pairwise(text.physical_start.tolist())]
        return [
            PageResult(page, tuple(labels[lines]), chance[lines].copy(), top, self)
            for page, lines, top in zip(pages, own, headlines, strict=True)
        ]


def _site(known: SiteMemory | Site | None) -> Site | None:
    return known.site() if isinstance(known, SiteMemory) else known


def _classify_apart(model: Model, dumps: Sequence[_Dump]) -> list[PageResult]:
    """Classify in another process; the model stays where it is."""
    return [replace(result, _model=None) for result in model._classify(dumps)]
