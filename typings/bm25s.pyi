# What the benchmark of searching uses of bm25s, which has no types of its own.
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

class BM25:
    vocab_dict: dict[str, int]
    def index(self, corpus: Any, show_progress: bool = ...) -> None: ...
    def get_scores(self, query_tokens: Sequence[str]) -> NDArray[np.float32]: ...

def tokenize(texts: list[str], *, stemmer: Any = ..., return_ids: bool = ..., show_progress: bool = ...) -> Any: ...
