"""PDF: the text of its pages, in their order, without the lines that stand at the edge of every page.

pypdf is Python through and through, so a hostile file can waste time and memory and nothing else, and both are bounded where it
runs. What has no text (pictures of pages, a password) is told apart and refused with the next step.
"""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from typing import Any, Final

from cli.reading.readings import MAX_TEXT, Reading, day, joined, no_text, one_line, too_large
from protocol.errors import BatosError

MAX_PAGES: Final = 10_000
_REPEATED: Final = 0.6
"""The share of the pages that have a line at their edge from which on it is no text."""
_ENOUGH_PAGES: Final = 4
_HYPHEN: Final = re.compile(r"(?<=[^\W\d_])[-\u00ad]\n(?=[^\W\d_])")
_NUMBERS: Final = re.compile(r"\d+")


def read(data: bytes, _name: str) -> Reading:
    """The text of a PDF; BAD_DOCUMENT where it has a password or only pictures."""
    import pypdf  # noqa: PLC0415 - only a PDF needs it
    from pypdf.errors import DependencyError, PyPdfError  # noqa: PLC0415

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        document = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if document.is_encrypted and not document.decrypt(""):
            raise no_text(
                "it has a password", "Take it away, as with qpdf --decrypt --password=… IN OUT, and remember OUT."
            )
        count = len(document.pages)
    except DependencyError as error:
        raise _encrypted() from error
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise no_text(
            f"it is a damaged PDF: {error}", "Have it repaired, as with qpdf IN OUT, and remember OUT."
        ) from error
    if count > MAX_PAGES:
        raise too_large(f"it has {count} pages, the limit is {MAX_PAGES}", "Split it, as with qpdf --split-pages.")
    pages, unread = _pages(document, count)
    text = joined([_HYPHEN.sub("", page) for page in _without_edges(pages)])
    empty = sum(not page.strip() for page in pages)
    if not text:
        raise no_text(
            "its pages are pictures, and hold no text" if count else "it has no pages",
            "Have the text read first, as with ocrmypdf IN OUT, and remember OUT.",
        )
    notes = [f"{empty} of its {count} pages hold no text"] if empty else []
    notes += [f"{unread} of its {count} pages are damaged"] if unread else []
    return Reading(text=text, format="pdf", notes=notes, **_facts(document))


def _pages(document: Any, count: int) -> tuple[list[str], int]:
    """The text of each page, and how many could not be read."""
    from pypdf.errors import DependencyError  # noqa: PLC0415 - only a PDF needs it

    pages, size, unread = [], 0, 0
    for number in range(count):
        try:
            page = document.pages[number].extract_text() or ""
        except MemoryError:
            raise
        except DependencyError as error:
            if document.is_encrypted:
                raise _encrypted() from error
            page, unread = "", unread + 1
        except Exception:  # noqa: BLE001 - one bad page is no reason to lose the others
            page, unread = "", unread + 1
        page = page.replace("\0", "").encode("utf-8", "ignore").decode()
        size += len(page)
        if size > MAX_TEXT:
            raise too_large("it becomes more text than a file may hold", "Split it, as with qpdf --split-pages.")
        pages.append(page)
    return pages, unread


def _encrypted() -> BatosError:
    """The refusal of AES, which pypdf leaves to another library: nobody needs a password to take it away."""
    return no_text("it is encrypted", "Take that away, as with qpdf --decrypt IN OUT, and remember OUT.")


def _without_edges(pages: list[str]) -> list[str]:
    """The pages without a first or last line that most of them have, whatever number stands in it."""
    lines = [[line for line in page.split("\n") if line.strip()] for page in pages]
    filled = [page for page in lines if page]
    if len(filled) < _ENOUGH_PAGES:
        return pages
    edges = {
        edge: Counter(_NUMBERS.sub("#", page[edge]).strip() for page in filled).most_common(1)[0] for edge in (0, -1)
    }
    cut = []
    for page in lines:
        left = page
        for edge, (line, times) in edges.items():
            if left and times >= _REPEATED * len(filled) and _NUMBERS.sub("#", left[edge]).strip() == line:
                left = left[1:] if edge == 0 else left[:-1]
        cut.append("\n".join(left))
    return cut


def _facts(document: Any) -> dict[str, Any]:
    """What the file says of itself; nothing where that is damaged."""
    try:
        said = document.metadata
        made = said.creation_date if said is not None else None
    except Exception:  # noqa: BLE001 - a date can be anything
        return {}
    if said is None:
        return {}
    return {
        "title": one_line(said.title),
        "author": one_line(said.author),
        "date": day(made.isoformat()) if made is not None else "",
    }
