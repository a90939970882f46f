"""Clean a folder of Parquet with Ray Data: ``python ray_data.py IN OUT``."""

import sys

import ray

from classifier import load_model


class Clean:
    """Keeps the model between batches; one a worker."""

    def __init__(self) -> None:
        self.model = load_model()

    def __call__(self, batch: dict) -> dict:
        batch["text"] = [page.content for page in self.model.classify_many(batch["text"])]
        return batch


# as many workers as there is room for, beside the tasks that read and write
pages = ray.data.read_parquet(sys.argv[1]).map_batches(Clean, batch_size=256, concurrency=(1, 64))
pages.write_parquet(sys.argv[2])
