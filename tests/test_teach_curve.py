"""The picture and the table of how much labelled pages teach."""

from __future__ import annotations

from xml.dom.minidom import parseString

from training.teach_curve import plot, table

CURVE = {"a.example": [0.8, 0.85, 0.9, 1.0], "b.example": [0.6, 0.75, 0.8, 1.0]}


def test_the_picture_has_a_line_for_each_site_and_one_for_their_mean() -> None:
    lines = parseString(plot(CURVE, [1, 3])).getElementsByTagName("polyline")
    drawn = [[pair.split(",") for pair in x.getAttribute("points").split()] for x in lines]
    assert [len(points) for points in drawn] == [3, 3, 3]
    heights = [[float(y) for _, y in points] for points in drawn]
    assert all(abs((a + b) / 2 - mean) < 0.11 for a, b, mean in zip(*heights, strict=True))
    assert heights[0] == sorted(heights[0], reverse=True)  # more is higher up


def test_the_table_ends_with_the_mean_and_the_others() -> None:
    *_, mean, others = table(CURVE, [0.0, 0.001], [1, 3]).splitlines()
    assert mean == "| mean of 2 sites | 0.700 | 0.800 | 0.850 | 1.000 |"
    assert others == "| pages of other sites, at most |  | 0.0000 | 0.0010 |  |"
