"""Clean WET files with datatrove: ``python datatrove_pipeline.py WET_FOLDER OUT [TASKS]``."""

import sys

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import WarcReader
from datatrove.pipeline.writers import JsonlWriter

from classifier.datatrove import LineBoilerplateFilter


def pipeline(source: str, out: str) -> list:
    """Return the steps: read WET records, keep their content lines, write both halves."""
    removed = JsonlWriter(f"{out}/removed", "${rank}.jsonl.gz")
    return [
        WarcReader(source, glob_pattern="*.wet.gz"),
        LineBoilerplateFilter(preset="balanced", exclusion_writer=removed),
        JsonlWriter(f"{out}/clean", "${rank}.jsonl.gz"),
    ]


if __name__ == "__main__":
    source, out, tasks = sys.argv[1], sys.argv[2], int((*sys.argv, "2")[3])
    LocalPipelineExecutor(pipeline(source, out), tasks=tasks, logging_dir=f"{out}/logs").run()
