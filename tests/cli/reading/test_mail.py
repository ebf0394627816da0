"""E-mail: letters and mailboxes."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from cli.reading import mail
from protocol.errors import BatosError


def letter(plain=None, html=None, attached=(), **fields):
    made = EmailMessage()
    for name, value in {"From": "Ann <ann@x.org>", "Subject": "Grüße", **fields}.items():
        made[name] = value
    if plain is not None:
        made.set_content(plain, charset="latin-1")
    if html is not None:
        (made.set_content if plain is None else made.add_alternative)(html, subtype="html")
    for name in attached:
        made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename=name)
    return made.as_bytes()


def test_a_letter():
    data = letter("Hallo Köln\n", To="bob@x.org", Date="Mon, 04 Mar 2024 10:00:00 +0100", attached=["bill.pdf"])
    found = mail.read(data, "a.eml")
    assert found.text.split("\n\n") == [
        "# Grüße",
        "From: Ann <ann@x.org>\nTo: bob@x.org\nDate: Mon, 04 Mar 2024 10:00:00 +0100",
        "Hallo Köln",
        "Attached: bill.pdf",
    ]
    assert (found.title, found.author, found.date) == ("Grüße", "Ann <ann@x.org>", "2024-03-04T10:00:00")


def test_of_two_forms_the_plain_one_is_read():
    both = letter("Plain.", "<p>Page.</p>")
    assert mail.read(both, "").text.endswith("Plain.")
    page = letter(html="<html><style>x</style><p>Page.</p><script>x()</script></html>")
    assert mail.read(page, "").text.endswith("\n\nPage.")


def test_a_mailbox_is_its_letters():
    mark = b"From a@b Mon Mar  4 10:00:00 2024\n"
    one = b"From: a@b\nSubject: One\n\nFirst.\n>From here on.\n\n"
    two = b"From: c@d\nSubject:\n\nSecond.\n"
    found = mail.read_mailbox(mark + one + mark + two, "a.mbox")
    assert found.text.split("\n\n") == [
        "# One",
        "From: a@b",
        "First.\nFrom here on.",
        "# Without a subject",
        "From: c@d",
        "Second.",
    ]
    with pytest.raises(BatosError, match="empty"):
        mail.read_mailbox(b"\n", "")


@pytest.mark.parametrize(
    "data",
    [
        b"From: \xff\xfe\nSubject: =?x?q?=?=\nDate: never\n\nWords.",
        b"From: a\nContent-Type: text/plain; charset=nonsense\n\nWords.",
        b"From: a\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nWords.",
        b"From: a\nContent-Transfer-Encoding: base64\n\nWords.",
    ],
)
def test_a_malformed_letter_is_read_as_far_as_it_goes(data):
    assert mail.read(data, "").text


def test_many_levels_end():
    data = b"From: a\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(50)
    )
    assert "From: a" in mail.read(data + b"\nWords.", "").text


def test_a_charset_that_makes_no_unicode_harms_no_letter():
    said = mail.read(b"From: a\nSubject: x\nContent-Type: text/plain; charset=unicode_escape\n\n\\ud800 wing", "a.eml")
    assert said.text.endswith("? wing")
