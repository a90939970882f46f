"""How far the labels of :func:`training.align.align` agree with labels that a corpus has."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from training.align import Alignment, align
from training.labeled import LabeledPage
from training.metrics import keeps_headline, word_scores
from training.numbering import split_tokens

__all__ = ["Agreement", "compare", "print_agreement"]

_BINS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Agreement:
    """Counts of lines, and sums over pages.

    Attributes
    ----------
    pages : int
    lines : Counter of tuple of str
        Lines by page type, label of the corpus, label of the aligner.
    kinds : Counter of tuple of str
        Lines whose labels differ, by kind, label of the corpus, label of the aligner.
    by_confidence : Counter of tuple
        Judged lines by lower end of the confidence's bin, and whether the labels are equal.
    oracle : tuple of float
        Sums over pages of the word F1 of the ``C`` lines against the reference, of the corpus and
        of the aligner.
    seconds : float
        CPU time of the aligner.
    """

    pages: int = 0
    lines: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    by_confidence: Counter[tuple[float, bool]] = field(default_factory=Counter)
    oracle: tuple[float, float] = (0.0, 0.0)
    seconds: float = 0.0


def compare(pages: Iterable[LabeledPage]) -> Agreement:
    """Align pages that have a reference, and compare with their labels.

    Parameters
    ----------
    pages : iterable of LabeledPage
        Those without a reference are passed over.
    """
    total = Agreement()
    count, seconds, theirs, ours = 0, 0.0, 0.0, 0.0
    for page in pages:
        if page.reference is None:
            continue
        start = time.thread_time()
        found = align(page.text, page.reference, headline_in_reference=keeps_headline(page))
        seconds += time.thread_time() - start
        count += 1
        theirs += _oracle(found, page.labels, page.reference)
        ours += _oracle(found, found.labels, page.reference)
        kind = page.page_type or "-"
        total.lines.update((kind, *pair) for pair in zip(page.labels, found.labels, strict=True))
        total.kinds.update(_differences(page, found))
        for truth, label, sure in zip(page.labels, found.labels, found.confidence, strict=True):
            if truth in "CB" and label in "CB":
                low = max(edge for edge in _BINS if edge <= sure + 1e-9)
                total.by_confidence[low, truth == label] += 1
    return Agreement(count, total.lines, total.kinds, total.by_confidence, (theirs, ours), seconds)


def _oracle(found: Alignment, labels: str, reference: str) -> float:
    kept = [x for x, label in zip(found.page.lines, labels, strict=True) if label == "C"]
    return word_scores("\n".join(kept), reference)[2]


def _differences(page: LabeledPage, found: Alignment) -> Iterator[tuple[str, str, str]]:
    differ = [
        index
        for index, (truth, label) in enumerate(zip(page.labels, found.labels, strict=True))
        if truth in "CB" and truth != label
    ]
    if not differ or page.reference is None:
        return
    keys = [" ".join(split_tokens(line)) for line in found.page.lines]
    copies = Counter(keys)
    labels_of: dict[str, set[str]] = defaultdict(set)
    for key, truth, label in zip(keys, page.labels, found.labels, strict=True):
        labels_of[key] |= {truth, label}
    gold = f" {' '.join(split_tokens(page.reference))} "
    words = set(page.reference.lower().split())
    for index in differ:
        key = keys[index]
        if found.labels[index] == "?":
            kind = "headline" if index == found.headline else "not sure"
        elif key and copies[key] > 1 and labels_of[key] >= {"C", "B"}:
            every = gold.count(f" {key} ") >= copies[key]
            kind = "every copy is in the reference" if every else "which of the copies"
        else:
            kind = _kind(found.page.lines[index], key, gold, words)
        yield kind, page.labels[index], found.labels[index]


def _kind(line: str, key: str, gold: str, words: set[str]) -> str:
    """Tell how a line, `key` by its tokens, stands in the reference, `gold` by its tokens."""
    if not key:
        return "signs only"
    if f" {key} " not in gold:
        shared = any(f" {token} " in gold for token in key.split())
        return "stands in the reference in part" if shared else "no word is in the reference"
    whole = words.issuperset(line.lower().split())
    return "stands in the reference as it is" if whole else "words glued together"


def print_agreement(found: Agreement, title: str, console: Console | None = None) -> None:
    """Print the counts as tables."""
    console = console or Console()
    pages = max(found.pages, 1)
    console.print(
        f"{title}: {found.pages} pages, {1000 * found.seconds / pages:.1f} ms a page; oracle word "
        f"F1 {found.oracle[0] / pages:.4f} of its labels, {found.oracle[1] / pages:.4f} of ours"
    )
    console.print(_agreement_table(found))
    kinds = Table(title="lines whose labels differ", title_justify="left")
    for name in ("kind", "theirs", "ours", "lines"):
        kinds.add_column(name, justify="right" if name == "lines" else "left")
    for (kind, theirs, ours), count in found.kinds.most_common():
        kinds.add_row(kind, theirs, ours, str(count))
    console.print(kinds)
    sure = Table(title="agreement by confidence", title_justify="left")
    for name in ("from", "lines", "agree"):
        sure.add_column(name, justify="right")
    for low in _BINS:
        right, wrong = found.by_confidence[low, True], found.by_confidence[low, False]
        if right + wrong:
            sure.add_row(f"{low:.2f}", str(right + wrong), f"{right / (right + wrong):.4f}")
    console.print(sure)


def _agreement_table(found: Agreement) -> Table:
    table = Table(title="judged lines", title_justify="left")
    for name in ("lines", "count", "we say '?'", "agree", "agree where we judge"):
        table.add_column(name, justify="left" if name == "lines" else "right")
    kinds = sorted({kind for kind, _, _ in found.lines})
    groups = {"all": (kinds, "CB"), "content": (kinds, "C"), "boilerplate": (kinds, "B")}
    groups |= {kind: ([kind], "CB") for kind in kinds if kind != "-"}
    for name, (members, classes) in groups.items():
        cells: Counter[str] = Counter()
        for (kind, theirs, ours), count in found.lines.items():
            if kind in members and theirs in classes:
                cells["?" if ours == "?" else "same" if ours == theirs else "other"] += count
        total = cells.total()
        if total:
            judged = max(total - cells["?"], 1)
            shares = (cells["same"] / total, cells["same"] / judged)
            table.add_row(name, str(total), str(cells["?"]), *(f"{x:.5f}" for x in shares))
    return table
