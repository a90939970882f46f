from __future__ import annotations

import numpy as np

from classifier import Model
from classifier.bit_forest import BitForest
from classifier.network import DOUBT, SHARE
from classifier.page import read_page
from classifier.scoring import Blend, headline_chance
from classifier.stacking import probability
from tests.test_shipped import cases


def test_the_second_stage_looks_for_the_headline_where_the_first_one_finds_it_likely(
    shipped: Model,
) -> None:
    pages = [read_page(page.text).lines for page in cases("wild", "synthetic", "negative")]
    scores = shipped.scores(pages)
    *blind, (first, *_) = scores.blocks
    everywhere = probability(0.6 * BitForest(shipped.headline).scores(*blind) + 0.4 * first)
    likely = first > -6.0
    assert 0.02 < likely.mean() < 0.3
    np.testing.assert_allclose(scores.headline, np.where(likely, everywhere, 0.0), atol=1e-6)
    assert everywhere[~likely].max() < 0.1


def test_a_network_is_asked_of_the_lines_that_the_forest_doubts(shipped: Model) -> None:
    network = shipped.second_network
    assert network is not None
    blocks = shipped.scores([read_page(page.text).lines for page in cases("wild")]).blocks
    alone, together = (
        Blend(shipped.second, x).scores(*blocks) for x in (None, shipped.second_network)
    )
    doubted = np.abs(alone) < DOUBT
    assert 0.2 < doubted.mean() < 0.9
    mean = (1 - SHARE) * alone + SHARE * network.scores(*blocks)
    np.testing.assert_allclose(together, np.where(doubted, mean, alone), atol=1e-9)


def test_no_line_need_be_likely(shipped: Model) -> None:
    *blind, first = (block[:, :3] for block in shipped.scores([["a", "b", "c"]]).blocks)
    nowhere = np.full_like(first, -8.0)
    assert headline_chance((*blind, nowhere), BitForest(shipped.headline)).tolist() == [0, 0, 0]
