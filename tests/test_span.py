from dataclasses import FrozenInstanceError
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.span import BOILERPLATE, CONTENT, Label, Span, labels_of, spans_of

label: st.SearchStrategy[Label] = st.sampled_from([CONTENT, BOILERPLATE])


def test_neighbours_with_the_same_label_are_one_span() -> None:
    labels: list[Label] = [BOILERPLATE, BOILERPLATE, CONTENT, CONTENT, CONTENT, BOILERPLATE]
    assert spans_of(labels) == [
        Span("boilerplate", 0, 2),
        Span("content", 2, 5),
        Span("boilerplate", 5, 6),
    ]


def test_no_lines_have_no_spans() -> None:
    assert spans_of([]) == []


@given(st.lists(label))
def test_spans_partition_the_lines_into_maximal_runs(labels: list[Label]) -> None:
    spans = spans_of(labels)
    edges = [0, *(span.stop for span in spans)]
    assert [span.start for span in spans] == edges[:-1]
    assert edges[-1] == len(labels)
    assert all(len(span) > 0 for span in spans)
    assert all(a.label != b.label for a, b in pairwise(spans))
    assert labels_of(spans) == labels


def test_an_unknown_label_is_named_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"line 1: expected the label 'content' .*found 'CONTENT'"):
        spans_of(["content", "CONTENT"])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "spans",
    [
        [Span("content", 1, 2)],
        [Span("content", 0, 2), Span("boilerplate", 1, 3)],
        [Span("content", 0, 2), Span("boilerplate", 3, 4)],
        [Span("content", 0, -1)],
    ],
    ids=["late start", "overlap", "gap", "backwards"],
)
def test_spans_that_do_not_partition_are_refused(spans: list[Span]) -> None:
    with pytest.raises(ValueError, match="expected a span that begins at line"):
        labels_of(spans)


def test_a_span_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Span("content", 0, 1).stop = 2  # type: ignore[misc]
