"""Steps of datatrove's pipelines that make a site memory, in the shape of its deduplication.

Each task of the first step writes the counts of its documents; one task of the second adds them up;
then :class:`classifier.datatrove.LineBoilerplateFilter` reads the sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .datatrove import site_of_document  # says which extra is missing
from .page import read_page
from .site_memory import SiteMemory

from datatrove.io import get_datafolder, open_file  # isort: skip
from datatrove.pipeline.base import PipelineStep  # isort: skip
from datatrove.utils.batching import batched  # isort: skip

__all__ = ["SiteMemoryMerge", "SiteMemorySignature"]


class SiteMemorySignature(PipelineStep):  # type: ignore[misc]
    """Count the lines of each site's documents, and write the counts of each task.

    The site is the registrable domain of ``metadata["url"]``; documents without it do not count.

    Parameters
    ----------
    output_folder : DataFolderLike
        Gets a file for each task.
    max_lines : int
        Most lines that a task keeps; see :class:`classifier.site_memory.SiteMemory`.
    batch_size : int
        Documents that are read together.
    """

    name = "Linesift: lines of sites"
    type = "🫂 - DEDUPS"

    def __init__(
        self, output_folder: Any, *, max_lines: int = 50_000_000, batch_size: int = 64
    ) -> None:
        super().__init__()
        self.output_folder = get_datafolder(output_folder)
        self.max_lines = max_lines
        self.batch_size = batch_size

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Count the documents of a task, and hand them on."""
        memory = SiteMemory(max_lines=self.max_lines)
        for batch in batched(data, self.batch_size):
            with self.track_time("batch"):
                known = [(x.text, site) for x in batch if (site := site_of_document(x))]
                pages = [read_page(text).lines for text, _ in known]
                memory.add_pages(pages, [site for _, site in known])
            self.stat_update("counted", value=len(known))
            yield from batch
        with self.output_folder.open(f"{rank:05d}.mem", "wb") as file:
            file.write(memory.to_bytes())


class SiteMemoryMerge(PipelineStep):  # type: ignore[misc]
    """Add the counts of all tasks up; to be run as one task.

    Parameters
    ----------
    input_folder : DataFolderLike
        What :class:`SiteMemorySignature` wrote.
    output : str
        The file of the sum.
    max_lines : int
        Most lines that are kept.
    """

    name = "Linesift: sum of the lines of sites"
    type = "🫂 - DEDUPS"

    def __init__(self, input_folder: Any, output: str, *, max_lines: int = 50_000_000) -> None:
        super().__init__()
        self.input_folder = get_datafolder(input_folder)
        self.output = str(output)
        self.max_lines = max_lines

    def run(self, data: Any = None, rank: int = 0, world_size: int = 1) -> None:
        """Read all files, in order of their names, and write the sum."""
        if world_size != 1:
            raise ValueError(f"expected one task to add the counts up, found {world_size}")
        memory = SiteMemory(max_lines=self.max_lines)
        for name in sorted(self.input_folder.list_files(glob_pattern="*.mem")):
            with self.track_time("file"), self.input_folder.open(name, "rb") as file:
                memory.merge(SiteMemory.from_bytes(file.read()))
        self.stat_update("pages", value=memory.n_pages)
        self.stat_update("lines", value=memory.n_lines)
        with open_file(self.output, "wb") as file:
            file.write(memory.to_bytes())
