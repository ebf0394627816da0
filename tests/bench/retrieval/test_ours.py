"""How passages are searched and what becomes of their scores."""

from __future__ import annotations

import numpy as np
import pytest

from bench.retrieval.ours import best_of, ours, ranks_fused

TEXTS = ["The dough rises.", "The oven is hot.", "A relay clicks.", "Yeast lives."]
VECTORS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.8, 0.6, 0]], np.float32)


def test_words_and_meaning_find_and_what_has_neither_is_not_found():
    search = ours(TEXTS, VECTORS, np.array([0, 0, 1, 2]))
    scores = search("dough", np.array([1, 0, 0], np.float32))
    assert scores.argsort()[::-1][:2].tolist() == [0, 3]
    assert scores[2] == -np.inf


def test_a_document_has_its_best_passages_score():
    assert best_of(np.array([1.0, 3.0, 2.0]), np.array([0, 0, 2]), 3).tolist() == [3.0, -np.inf, 2.0]


def test_ranks_are_fused_by_their_reciprocals():
    fused = ranks_fused([np.array([3.0, 2.0, 1.0]), np.array([0.1, 0.3, 0.2])])
    assert fused.tolist() == pytest.approx([1 / 61 + 1 / 63, 1 / 62 + 1 / 61, 1 / 63 + 1 / 62])
