"""The same pipeline on Ray: ``python datatrove_ray.py WET_FOLDER OUT [TASKS]``."""

import sys

from datatrove.executor import RayPipelineExecutor
from datatrove_pipeline import pipeline

source, out, tasks = sys.argv[1], sys.argv[2], int((*sys.argv, "2")[3])
RayPipelineExecutor(
    pipeline(source, out), tasks=tasks, cpus_per_task=1, mem_per_cpu_gb=1, logging_dir=f"{out}/logs"
).run()
