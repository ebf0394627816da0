"""HTML as Markdown, without what stands around the text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.reading import webpages
from protocol.errors import BatosError

PAGE = """<!doctype html><html><head><title>The &amp; page</title><meta name=author content="Ann  Lee">
<meta property="article:published_time" content="2024-03-05T10:00:00Z"><style>x{}</style></head><body>
<header>Site name</header><nav><a>Home</a></nav><div class="cookie-banner">We use cookies</div>
<main><h1>Title  of it</h1><p>First <b>para</b>graph<br>second line.</p><ul><li>one</li><li><p>two</p></li></ul>
<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2|3</td></tr></table><pre>def f():
    return 1</pre><script>alert("script")</script><div>loose<p>inner</p>tail</div><p hidden>hidden</p></main>
<aside>Aside</aside><footer>Imprint</footer></body></html>"""


def text(source):
    return webpages.page(source).text


def test_a_page_is_markdown_without_its_frame():
    found = webpages.read(PAGE.encode(), "a.html")
    assert found.text.split("\n\n") == [
        "# Title of it",
        "First paragraph\nsecond line.",
        "- one\n- two",
        "| a | b |\n| --- | --- |\n| 1 | 2\\|3 |",
        "```\ndef f():\n    return 1\n```",
        "loose",
        "inner",
        "tail",
    ]
    assert (found.title, found.author, found.date) == ("The & page", "Ann Lee", "2024-03-05T10:00:00")


@pytest.mark.parametrize(
    "source",
    [
        "<html><body><script>x()</script><div id=root></div><noscript>Enable it</noscript></body></html>",
        "<html></html>",
        "",
        "<p> &nbsp; </p>",
    ],
)
def test_a_page_that_is_all_script_has_no_text(source):
    with pytest.raises(BatosError, match="script") as caught:
        text(source)
    assert (caught.value.code, bool(caught.value.hint)) == ("BAD_DOCUMENT", True)


def test_menus_are_dropped_by_their_links_and_lists_with_links_are_kept():
    menu = "<ul>" + "".join(f"<li><a href={n}>Part {n}</a></li>" for n in range(9)) + "</ul>"
    kept = "<ul><li>See <a>this</a> for the whole story of it</li><li>and more of <a>that</a></li></ul>"
    assert text(f"<body>{menu}<p>Words.</p>{kept}</body>") == (
        "Words.\n\n- See this for the whole story of it\n- and more of that"
    )
    assert "- Part 3" in text(f"<body>{menu}</body>"), "a page that is nothing else is its links"


def test_a_link_to_its_own_heading_is_no_text():
    assert text('<h2><a href="#x">§</a>Part</h2><p>See <a>that</a>.</p>') == "## Part\n\nSee that."


def test_a_page_about_articles_has_them_all():
    assert text("<article><p>One.</p></article><article><p>Two.</p></article>") == "One.\n\nTwo."


def test_a_table_that_only_places_is_text():
    assert text("<table><tr><td><p>One.</p></td></tr><tr><td><p>Two.</p></td></tr></table>") == "One.\n\nTwo."


@pytest.mark.parametrize(
    ("head", "charset"), [('<meta charset="iso-8859-1">', "latin-1"), ("", "latin-1"), ("", "utf-8"), ("", "utf-16")]
)
def test_the_encoding_is_that_which_is_declared_or_found(head, charset):
    assert webpages.read(f"<html>{head}<p>Grüße aus Köln, schöne Straße</p>".encode(charset), "").text == (
        "Grüße aus Köln, schöne Straße"
    )


def test_a_page_may_be_nested_deep():
    assert text("<div>" * 3000 + "deep" + "</div>" * 3000) == "deep"


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(["<p>", "</p>", "<ul>", "<li>", "<table>", "<td>", "<h2>", "<pre>", "<br>", "word", "</div>"])
    )
)
def test_whatever_is_written_every_word_that_is_shown_is_read(pieces):
    source = " ".join(pieces)
    count = pieces.count("word")
    if count:
        assert text(source).count("word") == count
