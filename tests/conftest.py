"""Fixtures shared by the tests."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier import Model, load_model
from classifier.batch import run_batch
from classifier.model_file import save_model
from tests.batches import job, write_crawl
from training.fit import fit
from training.records import LabeledPage
from training.stages import Recipe

# Tests started in the background ignore interrupts, and so would the commands that they interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

CHROME = ["Home", "Sign in", "Share", "Most read", "Privacy policy", "© 2025 Somebody"]
TOPICS = [
    "bridge",
    "harbour",
    "engine",
    "garden",
    "violin",
    "glacier",
    "bakery",
    "railway",
    "novel",
    "election",
]


def small_recipe(**changes: int) -> Recipe:
    """Return a recipe that trains in a second."""
    forest = {"bags": 1, "emphasis": 1.0, "misses": 1.0, "max_iter": 8, "max_leaf_nodes": 8,
              "min_samples_leaf": 5}  # fmt: skip
    forests = dict.fromkeys(
        ("first", "first_headline", "second", "second_alone", "headline"), forest
    )
    network = {"units": (8, 4), "epochs": 2, "steps": 300, "rate": 0.01, "hidden": 0.1}
    networks = dict.fromkeys(("first_network", "second_network"), network)
    small = {"folds": 2, "word_bits": 8, **forests, **networks}
    return Recipe(**{**small, **changes})  # type: ignore[arg-type]


def invented_pages(count: int = 12) -> list[LabeledPage]:
    """Return simple pages of several sites, each with a headline."""
    rng = np.random.default_rng(0)
    pages = []
    for number in range(count):
        topic = TOPICS[number % len(TOPICS)]
        prose = [
            f"The {topic} was {word} again, and nobody who saw the {topic} that day was surprised."
            for word in rng.permutation(["open", "lost", "old", "loud", "late", "new"])[:4]
        ]
        lines = [*CHROME[:3], f"A {topic} for everyone", *prose, "", *CHROME[3:]]
        labels = "BBBCCCCC.BBB"
        page = LabeledPage(f"invented/{number}", "\n".join(lines), labels, f"s{number % 4}.example")
        pages.append(replace(page, language="en", page_type="article", headline_line=3))
    return pages


@pytest.fixture(scope="session")
def pages() -> Sequence[LabeledPage]:
    return invented_pages()


@pytest.fixture(scope="session")
def small_model(pages: Sequence[LabeledPage]) -> Model:
    """A model trained on invented pages."""
    return fit(pages, small_recipe())


@pytest.fixture(scope="session")
def networked(pages: Sequence[LabeledPage]) -> Model:
    """The same with networks."""
    return fit(pages, small_recipe(enough=0))


@pytest.fixture(scope="session")
def shipped() -> Model:
    """The model that comes with the library."""
    return load_model()


@pytest.fixture(scope="session")
def crawl(tmp_path_factory: pytest.TempPathFactory, pages: Sequence[LabeledPage]) -> Path:
    """A folder with sources of many records, some of them broken."""
    folder = tmp_path_factory.mktemp("crawl")
    write_crawl(folder, [page.text for page in pages])
    return folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory, small_model: Model) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_model(small_model, folder)
    return folder


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, crawl: Path, small_model: Model) -> Path:
    """The output of a run that nothing stopped."""
    out = tmp_path_factory.mktemp("whole") / "out"
    run_batch(small_model, job(crawl, out))
    return out
