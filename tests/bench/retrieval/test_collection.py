"""What is measured of an order, by hand, and which collections can be read."""

from __future__ import annotations

import json
import math

import pytest

from bench.retrieval.collection import load, measure


def test_the_measures_are_those_of_the_field():
    gains = {"q": {"a": 3, "b": 1, "c": 1}}
    found = measure({"q": ["x", "b", "a", *"defghij", "c"]}, gains)
    assert found.ndcg == pytest.approx((1 / math.log2(3) + 3 / 2) / (3 + 1 / math.log2(3) + 1 / 2))
    assert found.recall == pytest.approx(2 / 3)
    assert found.mrr == 1 / 2
    assert measure({"q": ["a", "b", "c"]}, gains) == pytest.approx((1, 1, 1))
    assert measure({"q": ["x"]}, gains) == (0, 0, 0)


def test_a_question_without_anything_relevant_is_left_out(tmp_path):
    documents = [{"id": 1, "title": "Bread", "text": "It rises."}, {"id": 2, "text": "Tea."}]
    queries = [{"id": "1", "text": "bread"}, {"id": "2", "text": "none"}, {"id": "3", "text": "worth nothing"}]
    for name, rows in (("docs", documents), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "qrels.tsv").write_text("1\t1\t2\n3\t2\t0\n")
    found = load(tmp_path)
    assert (found.ids, found.titles, found.queries) == (["1", "2"], ["Bread", ""], {"1": "bread"})
    assert found.gains == {"1": {"1": 2}}
