from typing import Any

class TextIndex:
    index: Any
    def index_doc(self, docid: int, text: str) -> None: ...
