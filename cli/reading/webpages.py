"""HTML as Markdown: headings, paragraphs, lists, tables and code; without scripts, styles, menus, banners and footers.

selectolax (Lexbor) reads what browsers read. What is left out is said by the page itself: elements that are no text (script,
form, nav), roles and names that mean a frame (banner, cookie, breadcrumb), and blocks that are mostly links (Kohlschütter,
Fankhauser, Nejdl, "Boilerplate detection using shallow text features", 2010). The tree is walked without recursion, since a
page may be nested as deep as its author likes.
"""

from __future__ import annotations

import re
from typing import Any, Final

from cli.reading.charsets import Charset, declared, detect, marked
from cli.reading.readings import MAX_TEXT, Reading, day, joined, no_text, one_line, table, too_large

_UNSEEN: Final = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "canvas",
        "iframe",
        "object",
        "embed",
        "audio",
        "video",
        "map",
        "head",
    ]
)
_FURNITURE: Final = frozenset(
    ["nav", "aside", "form", "button", "select", "option", "input", "textarea", "dialog", "menu"]
)
_ROLES: Final = frozenset(
    ["navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alert", "menu", "menubar", "toolbar"]
)
_FRAMES: Final = re.compile(
    r"(?:^|[\s_-])(?:cookies?|consent|newsletter|breadcrumbs?|sidebar|navbar|nav|menu|footer|advert\w*|ads?|promo|share|social"
    r"|related|skip-?link|pagination|popup|modal)(?:$|[\s_-])",
    re.IGNORECASE,
)
_ANCHORS: Final = frozenset({"#", "§", "¶", "🔗"})
"""What a link to its own heading is written as."""
_HEADINGS: Final = {f"h{n}": "#" * n + " " for n in range(1, 7)}
_BLOCKS: Final = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "ol",
        "p",
        "section",
        "summary",
        "td",
        "th",
        "ul",
    ]
)
_HIDDEN: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CHARSET: Final = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w:.-]+)|^<\?xml[^>]*encoding=[\"']([\w.-]+)", re.IGNORECASE
)
_MAIN_SHARE: Final = 0.25
_LINKED: Final = 0.7
"""The share of a block's letters within links from which on it is a menu, where it has several."""
_SEVERAL: Final = 3


def read(data: bytes, _name: str) -> Reading:
    """The text of a page; BAD_DOCUMENT where it has none but what a script would make."""
    charset = _charset(data)
    if charset is None:
        raise no_text("it is no text", "Save the page again from a browser.")
    return page(data.decode(charset.name, "replace" if charset.errors == "strict" else charset.errors), charset)


def page(source: str, charset: Charset | None = None) -> Reading:
    """The text of a page's source."""
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 - only a page needs it

    tree = LexborHTMLParser(source)
    facts = _facts(tree)
    top = tree.body or tree.root
    text = "" if top is None else _Walk(_content(tree, top)).text()
    if not text and top is not None:  # a page that is all menu, a list of links
        text = _Walk(top, with_frames=True).text()
    if not text:
        raise no_text(
            "its text is made by a script, or it has none",
            "Save it from a browser once it is shown, as text or as a whole page.",
        )
    return Reading(
        text=text,
        format="html",
        encoding=charset.name if charset else "",
        certainty=charset.certainty if charset else 1.0,
        **facts,
    )


def _charset(data: bytes) -> Charset | None:
    found = marked(data)
    if found is None and (said := _CHARSET.search(data[:4096])):
        found = declared(data, (said[1] or said[2]).decode("ascii", "replace"))
    return found or detect(data)


def _facts(tree: Any) -> dict[str, Any]:
    said: dict[str, str] = {}
    for meta in tree.css("meta"):
        name = str(meta.attributes.get("property") or meta.attributes.get("name") or "").lower()
        said.setdefault(name, str(meta.attributes.get("content") or ""))
    head = tree.css_first("title")
    time = tree.css_first("time[datetime]")
    title = (head.text(deep=True) if head is not None else "") or said.get("og:title")
    dates = [said.get(name) for name in ("article:published_time", "date", "dc.date", "dcterms.date", "pubdate")]
    dates.append(time.attributes.get("datetime") if time is not None else "")
    return {
        "title": one_line(title),
        "author": one_line(said.get("author") or said.get("article:author")),
        "date": next(filter(None, map(day, dates)), ""),
    }


def _content(tree: Any, top: Any) -> Any:
    """The element that holds the page's own text, where the page says which and that is a good part of it."""
    every = len(top.text(deep=True, separator=" "))
    for selector in ("main", "[role=main]", "article"):
        found = tree.css(selector)
        if len(found) == 1 and len(found[0].text(deep=True, separator=" ")) >= _MAIN_SHARE * every:
            return found[0]
    return top


class _Walk:
    """One way through a tree, in the order of the text: blocks come together from what stands between their edges."""

    def __init__(self, top: Any, *, with_frames: bool = False) -> None:
        self._top = top
        self._with_frames = with_frames
        self._blocks: list[str] = []
        self._line: list[str] = []
        self._prefix = ""
        self._count = 0

    def text(self) -> str:
        node, is_entering = self._top, True
        while node is not None:
            child = self._enter(node) if is_entering else None
            if child is not None:
                node = child
                continue
            if is_entering or node.tag:
                self._leave(node)
            if node.mem_id == self._top.mem_id:
                break
            following = node.next
            node, is_entering = (following, True) if following is not None else (node.parent, False)
        self._end()
        return joined(self._blocks)

    def _enter(self, node: Any) -> Any:
        """Take what is to be taken at a node; the child to go on with."""
        tag = node.tag
        if tag == "-text":
            self._take(node.text_content or "")
            return None
        if tag.startswith("-") or (node.mem_id != self._top.mem_id and self._is_left_out(node)):
            return None
        if tag == "br":
            self._line.append("\n")
        elif tag in {"pre", "table"}:
            made = _code(node) if tag == "pre" else _rows(node)
            if made is not None:
                self._end()
                self._take_block(made)
                return None
            self._end()
        elif tag in _HEADINGS or tag in _BLOCKS or tag == "tr":
            self._end()
            self._prefix = _HEADINGS.get(tag, "- " if tag == "li" else self._prefix if tag == "p" else "")
        return node.child

    def _is_left_out(self, node: Any) -> bool:
        return _is_unseen(node) or (not self._with_frames and _is_frame(node))

    def _leave(self, node: Any) -> None:
        if node.tag in _HEADINGS or node.tag in _BLOCKS or node.tag in {"tr", "table"}:
            self._end()
            self._prefix = ""

    def _take(self, text: str) -> None:
        self._line.append(re.sub(r"\s+", " ", text))

    def _end(self) -> None:
        lines = [re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(self._line).split("\n")]
        self._line = []
        said = "\n".join(line for line in lines if line)
        if not said:
            return
        prefix, self._prefix = self._prefix, ""
        if prefix.startswith("#"):
            said = said.replace("\n", " ")
        if prefix == "- " and self._blocks and self._blocks[-1].startswith("- "):
            self._blocks[-1] += f"\n{prefix}{said}"
            self._count += len(said)
        else:
            self._take_block(prefix + said)

    def _take_block(self, text: str) -> None:
        self._blocks.append(text)
        self._count += len(text)
        if self._count > MAX_TEXT:
            raise too_large("it becomes more text than a file may hold", "Split it.")


def _is_unseen(node: Any) -> bool:
    """Whether nobody reads what stands in an element."""
    said = node.attributes
    return (
        node.tag in _UNSEEN
        or "hidden" in said
        or said.get("aria-hidden") == "true"
        or _HIDDEN.search(said.get("style") or "") is not None
    )


def _is_frame(node: Any) -> bool:
    """Whether an element stands around the page's text and is none of it."""
    tag, said = node.tag, node.attributes
    if tag in _FURNITURE or said.get("role") in _ROLES:
        return True
    if tag == "a":
        return node.text(deep=True).strip() in _ANCHORS
    if tag in {"header", "footer"}:
        return node.parent is not None and node.parent.tag == "body"
    if tag not in {"div", "section", "ul", "ol", "p", "span", "table"}:
        return False
    named = f"{said.get('class') or ''} {said.get('id') or ''}"
    return bool(named.strip() and _FRAMES.search(named)) or _is_linked(node)


def _is_linked(node: Any) -> bool:
    """Whether a list is a menu: mostly links, several of them, each of a few words."""
    if node.tag not in {"ul", "ol"}:
        return False
    links = node.css("a")
    if len(links) < _SEVERAL:
        return False
    linked = [len(" ".join(link.text(deep=True).split())) for link in links]
    every = len(" ".join(node.text(deep=True).split()))
    return sum(linked) >= _LINKED * every and sum(linked) / len(linked) < 40


def _code(node: Any) -> str | None:
    text = node.text(deep=True).strip("\n")
    fence = "~~~" if "```" in text else "```"
    return f"{fence}\n{text}\n{fence}" if text.strip() else ""


def _rows(node: Any) -> str | None:
    """A table of data in Markdown; None for one that only places what stands in it."""
    if node.css_first("table table") is not None or node.attributes.get("role") == "presentation":
        return None
    found = [
        [" ".join(cell.text(deep=True, separator=" ").split()) for cell in line.css("td, th")]
        for line in node.css("tr")
    ]
    filled = [cells for cells in found if any(cells)]
    if not filled or max(map(len, filled)) < 2 or max(len(cell) for cells in filled for cell in cells) > 1000:
        return None
    return table(filled)
