"""Clean JSON Lines with a Dask bag: ``python dask_bag.py 'IN/*.jsonl' OUT``."""

import json
import sys

import dask.bag

from classifier import load_model


def clean(records: list) -> list:
    """Clean a partition; to load the model takes little beside its pages."""
    pages = load_model().classify_many([record["text"] for record in records])
    return [record | {"text": page.content} for record, page in zip(records, pages, strict=True)]


if __name__ == "__main__":
    records = dask.bag.read_text(sys.argv[1], blocksize="16MiB").map(json.loads)
    records.map_partitions(list).map_partitions(clean).map(json.dumps).to_textfiles(sys.argv[2])
