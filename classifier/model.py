"""The model: a dump goes in, labels, probabilities and spans come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from .bit_forest import BitForest
from .correction import AGAIN, Correction
from .decoder import Decoder, Preset, find_headline
from .explain import Contribution, contributions
from .features import FEATURE_NAMES, batches, extract
from .kinds import Kinds
from .page import Page, read_page
from .phrases import PUSH, Phrases, moved
from .result import PageResult, line_labels
from .scoring import SECOND_NAMES, Scores, second_blocks
from .site_memory import Site, SiteMemory
from .stacking import headline_chance
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
    first, second, headline : Trees
        Node tables of the three forests.
    wording : ndarray of float32, shape (2**bits,)
        Weights of the hashed words.
    kinds : Kinds
        Weights of the hashed words for the kinds of pages.
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
    phrases : Phrases or None
        A user's phrases, weighed in before the decoder.
    correction : Correction or None
        What the labelled pages of a user's sites taught, weighed in before the decoder.
    """

    first: Trees
    second: Trees
    headline: Trees
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
    def _forests(self) -> tuple[BitForest, BitForest, BitForest]:
        return BitForest(self.first), BitForest(self.second), BitForest(self.headline)

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
        return self._classify_pages([read_page(dump)], [_site(site)])[0]

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
                yield from self._classify_dumps(chunk)
            return
        from joblib import Parallel, delayed

        run = Parallel(n_jobs=n_jobs, return_as="generator")
        for results in run(delayed(_classify_apart)(self, chunk) for chunk in chunks):
            yield from (replace(result, _model=self) for result in results)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the evaluators out; they are made anew where the model is used."""
        return {key: value for key, value in self.__dict__.items() if key != "_forests"}

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
        first, second, headline = self._forests
        taught = self.correction.shifts(batch) if self.correction else None
        blocks = second_blocks(batch, first, self.wording, self.kinds, taught)
        content = np.interp(second.scores(*blocks), self.knots[0], self.knots[1])
        top = headline_chance(batch, headline.scores(*blocks))
        if taught is not None:
            content = moved(content, AGAIN * taught)
            top = moved(top, np.minimum(taught, 0))
        if self.phrases:
            lines = [line for page in pages for line in page]
            shift = self.phrases.shifts(lines)[batch.text.physical]
            content, top = moved(content, shift), moved(top, np.minimum(shift, 0))
        return Scores(batch, blocks, content, top)

    def explain(self, page: Page, line_index: int) -> list[Contribution]:
        """Return what :meth:`PageResult.explain` returns."""
        scores = self.scores([page.lines])
        place = np.flatnonzero(scores.batch.text.physical == line_index)
        if not len(place):
            return []
        column = int(place[0])
        found = contributions(
            (self.second, scores.second[:, column], SECOND_NAMES),
            (self.first, scores.batch.matrix[:, column], FEATURE_NAMES),
        )
        if self.correction:
            found += self.correction.contributions(scores.batch, column)
        if self.phrases:
            found += self.phrases.contributions(page.lines[line_index])
        return sorted(found, key=lambda item: -abs(item.push))

    def _classify_dumps(self, dumps: Sequence[_Dump]) -> list[PageResult]:
        return self._classify_pages([read_page(dump) for dump, _ in dumps], [s for _, s in dumps])

    def _classify_pages(
        self, pages: Sequence[Page], sites: Sequence[Site | None]
    ) -> list[PageResult]:
        lines = [page.lines for page in pages]
        results = []
        for group in batches(lines):
            known = [sites[index] for index in group]
            scores = self.scores([lines[index] for index in group], known if any(known) else None)
            bounds = scores.batch.text.page_start.tolist()
            for place, index in enumerate(group):
                results.append(self._decode(pages[index], scores, place, bounds))
        return results

    def _decode(self, page: Page, scores: Scores, place: int, bounds: list[int]) -> PageResult:
        own = slice(bounds[place], bounds[place + 1])
        text = scores.batch.text
        solid = (text.physical[own] - text.physical_start[place]).tolist()
        chance = scores.content[own]
        content = self.decoder.labels(chance, scores.batch.words[own], self.min_probability)
        top = find_headline(scores.headline[own], content, self.headline_threshold)
        if top is not None:
            content[top] = True
        probabilities = np.full(len(page.lines), np.nan)
        probabilities[solid] = chance
        labels = line_labels(content, solid, len(page.lines))
        headline = None if top is None else solid[top]
        return PageResult(page, tuple(labels), probabilities, headline, self)


def _site(known: SiteMemory | Site | None) -> Site | None:
    return known.site() if isinstance(known, SiteMemory) else known


def _classify_apart(model: Model, dumps: Sequence[_Dump]) -> list[PageResult]:
    """Classify in another process; the model stays where it is."""
    return [replace(result, _model=None) for result in model._classify_dumps(dumps)]
