"""A step of datatrove's pipelines that keeps the content lines of documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from .model import Model
from .model_file import load_model
from .records import site_of
from .result import PageResult
from .site_memory import Site, SiteMemory
from .span import BOILERPLATE, CONTENT

try:
    from datatrove.io import open_file
    from datatrove.pipeline.base import PipelineStep
    from datatrove.utils.batching import batched
except ImportError as error:
    raise ImportError(
        "the step for datatrove needs datatrove; install it with pip install 'linesift[datatrove]'"
    ) from error

__all__ = ["LineBoilerplateFilter", "site_of_document"]


def site_of_document(document: Any) -> str | None:
    """Return the registrable domain of a document's ``metadata["url"]``, if it has one."""
    url = document.metadata.get("url")
    return site_of(url) if isinstance(url, str) else None


def _sites(batch: Sequence[Any], memory: SiteMemory | None) -> list[Site | None] | None:
    if memory is None:
        return None
    names = [site_of_document(document) for document in batch]
    return [memory.site(name) if name else None for name in names]


class LineBoilerplateFilter(PipelineStep):  # type: ignore[misc]
    """Rewrite the text of each document to its content lines.

    A document's metadata gets ``linesift_lines`` and ``linesift_content_lines``, counts of lines
    that are not blank, and ``linesift_content_share``, the share of characters that is kept. The
    statistics of the step count the same, and the documents without any content, which are dropped.

    Parameters
    ----------
    model : str or Path, optional
        A model directory; the shipped model where none is given. Each task loads it once.
    preset : {"precision", "balanced", "recall"}, optional
    min_probability : float, optional
        A fixed threshold, in place of one for each page.
    body : bool
        Leave the headline out.
    keep_empty : bool
        Hand on documents without content too.
    batch_size : int
        Documents that are scored together.
    exclusion_writer : DiskWriter, optional
        Is given a document of the same id with the lines that were removed.
    memory : str, optional
        A saved site memory, as evidence on the documents with a ``metadata["url"]``; see
        :mod:`classifier.datatrove_memory`.

    Examples
    --------
    >>> from datatrove.data import Document
    >>> text = "The bridge will stay shut, the board said on Friday."
    >>> (document,) = LineBoilerplateFilter()([Document(text=text, id="a")])
    >>> document.metadata["linesift_content_lines"]
    1
    """

    name = "Linesift"
    type = "🔻 - FILTER"

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        preset: str | None = None,
        min_probability: float | None = None,
        body: bool = False,
        keep_empty: bool = False,
        batch_size: int = 64,
        exclusion_writer: Any = None,
        memory: str | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.preset = preset
        self.min_probability = min_probability
        self.body = body
        self.keep_empty = keep_empty
        self.batch_size = batch_size
        self.exclusion_writer = exclusion_writer
        self.memory = memory

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Yield the documents of a task, rewritten, in order."""
        model, memory = self._load(), self._load_memory()
        with self.exclusion_writer or nullcontext() as writer:
            for batch in batched(data, self.batch_size):
                with self.track_time("batch"):
                    texts = [document.text for document in batch]
                    pages = list(model.classify_many(texts, _sites(batch, memory)))
                for document, page in zip(batch, pages, strict=True):
                    removed = self._rewrite(document, page)
                    if writer and removed:
                        writer.write(replace(document, text=removed), rank)
                    if document.text or self.keep_empty:
                        self.stat_update("forwarded")
                        self.update_doc_stats(document)
                        yield document
                    else:
                        self.stat_update("dropped", "dropped_no_content")

    def _load(self) -> Model:
        model = load_model(self.model)
        if self.preset is not None:
            model = model.with_preset(self.preset)
        if self.min_probability is not None:
            model = model.with_min_probability(self.min_probability)
        return model

    def _load_memory(self) -> SiteMemory | None:
        if self.memory is None:
            return None
        with open_file(self.memory, "rb") as file:
            return SiteMemory.from_bytes(file.read())

    def _rewrite(self, document: Any, page: PageResult) -> str:
        """Put the content into a document; return what is left out."""
        solid = [
            (line, label)
            for line, label in zip(page.lines, page.labels, strict=True)
            if line and not line.isspace()
        ]
        kept = sum(len(line) for line, label in solid if label == CONTENT)
        size = sum(len(line) for line, _ in solid)
        count = sum(label == CONTENT for _, label in solid)
        document.text = page.body if self.body else page.content
        document.metadata["linesift_lines"] = len(solid)
        document.metadata["linesift_content_lines"] = count
        document.metadata["linesift_content_share"] = round(kept / size, 4) if size else 0.0
        self.stat_update("total")
        self.stat_update("lines", value=len(solid))
        self.stat_update("content_lines", value=count)
        self.stat_update("chars_removed", value=size - kept)
        return "\n".join(line for line, label in solid if label == BOILERPLATE)
