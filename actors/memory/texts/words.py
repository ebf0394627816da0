"""How a text becomes terms, for the index and for a question alike.

A text is cut into tokens, and each token gives its terms by its kind, whatever stands around it:

* a compound (`AB-1234-X`, `getUserById`, `192.168.0.1`) gives its parts, its neighbouring parts joined, and the whole
  joined; `plug-in` and `plugin` share the whole, and two numbers stay apart in it, so that `1.2.3` is not `123`;
* initials (`I.B.M.`) give the whole; `C++` and `C#` keep their sign beside the letter;
* a word is folded (case, compatibility forms, accents) and stemmed by its script; an umlaut is also written out
  (`Köln`, `Koeln`) and stemmed as German (`Häuser`, `Haus`);
* scripts without spaces, and Korean, whose words carry their particles, give pairs of neighbouring characters;
* a single character names, with the word before it, a thing of its own (`vitamin A`, `type 2`).

Words of grammar are terms too, once in a text. A question drops them unless it has nothing else.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

import Stemmer

STOP_WORDS: Final = frozenset(
    """
    a about above after again against all also am an and any are as at be because been before being below between both
    but by can cannot could did do does doing down during each few for from further had has have having he her here
    hers herself him himself his how i if in into is it its itself just let me might more most must my myself no nor
    not now of off on once only or other ought our ours ourselves out over own same shall she should so some such than
    that the their theirs them themselves then there these they this those through to too under until up upon us very
    was we were what when where which while who whom whose why will with would yet you your yours yourself yourselves
    d ll m re s t ve don didn doesn isn aren wasn weren won couldn shouldn wouldn hasn haven hadn
    """.split()  # noqa: SIM905 - words are easier to read as text
)
"""English words of grammar, and what remains of them before and after an apostrophe."""

IRREGULAR: Final = {
    "mice": "mouse", "lice": "louse", "geese": "goose", "feet": "foot", "teeth": "tooth", "men": "man", "women": "woman",
    "children": "child", "oxen": "ox", "dice": "die", "knives": "knife", "wives": "wife", "lives": "life",
    "leaves": "leaf", "wolves": "wolf", "halves": "half", "shelves": "shelf", "loaves": "loaf", "thieves": "thief",
    "calves": "calf", "elves": "elf", "scarves": "scarf", "hooves": "hoof", "criteria": "criterion",
    "phenomena": "phenomenon", "indices": "index", "indexes": "index", "matrices": "matrix", "vertices": "vertex",
    "appendices": "appendix", "radii": "radius", "nuclei": "nucleus", "fungi": "fungus", "cacti": "cactus",
    "bacteria": "bacterium", "analyses": "analysis", "crises": "crisis", "theses": "thesis", "hypotheses": "hypothesis",
    "axes": "axis", "wharves": "wharf", "policemen": "policeman", "firemen": "fireman",
}  # fmt: skip
"""English plurals that no stemmer of rules brings back to their singular."""

LONGEST: Final = 64
"""Characters of a term: enough for any hash, and a bound for what is no word at all."""

_KEPT: Final = 256
"""Characters of a token whose terms are kept for the next time that it comes."""

_MOST_PARTS: Final = 8
"""Parts of letters and digits in one word; what has more is a hash, and is found whole."""

_UNSPACED: Final = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1050-\u109d\u1780-\u17d3"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\u3130-\u318e\ua960-\ua97c\uac00-\ud7fb"  # Korean
    "\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # Japanese
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)


def _marks() -> str:
    r"""The marks that stand within words and are no letters to `\w`: vowels of Hindi and Arabic, loose accents."""
    blocks = (range(0x300, 0x2000), range(0x20D0, 0x2100), range(0xA66F, 0xABF0), range(0xFB1E, 0xFB1F))
    return "".join(chr(point) for block in blocks for point in block if unicodedata.category(chr(point))[0] == "M")


_LETTER: Final = rf"(?:(?![{_UNSPACED}_])\w[{_marks()}]*)"
_JOINT: Final = (
    r"(?:_+|[-\u2010\u2013.'\u2019@&\u200b\u200c]"  # within a word, visible or not
    r"|-[ \t]*\r?\n[ \t]*"  # a word that is divided at the end of its line
    r"|(?<=\d)[/:](?=\d))"  # of dates, times, ratios
)


def _tokens(letter: str) -> str:
    return rf"{letter}+(?:{_JOINT}{letter}+)*(?:\+\+|#)?"


_TOKEN: Final = re.compile(rf"([{_UNSPACED}]+|{_tokens(_LETTER)})")
_ASCII_TOKEN: Final = re.compile(f"({_tokens('[a-zA-Z0-9]')})")
"""The same for a text of ASCII, which most are, in half the time. Split at these, a text is what lies between and tokens in turn."""

_PIECES: Final = re.compile(rf"{_LETTER}+")
_FIRST_UNSPACED: Final = _UNSPACED[0]
_IS_UNSPACED: Final = re.compile(rf"[{_UNSPACED}]")
_CAPITALS: Final = re.compile(r"[A-Z]{2,}s")
"""Several of what capitals stand for, as in `PDFs`; a stemmer sees no plural in a word without vowels."""

_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\d)(?=\D)|(?<=\D)(?=\d)")
_CONTRACTED: Final = re.compile(r"['\u2019](?:s|t|d|ll|m|re|ve)$", re.IGNORECASE)
_INITIALS: Final = re.compile(r"[^\W\d_](?:\.[^\W\d_])+")
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SOFT_HYPHEN: Final = re.compile(r"\u00ad(?:[ \t]*\r?\n[ \t]*)?")

_ACCENTS: Final = re.compile(  # й is a letter of its own, of which the endings of Russian are made
    r"(?!(?<=и)\u0306)[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640\u093c\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
)
_NASALS: Final = re.compile(r"\u0901|[\u0919\u091e\u0923\u0928\u092e]\u094d(?=[\u0915-\u092d])")
"""Nasals of Hindi that are written by their letter or by a point above, as one likes (`हिन्दी`, `हिंदी`)."""

_LETTERS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ı": "i"}  # noqa: RUF001 - it is that letter
)
_WRITTEN_OUT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_DRAWN_IN: Final = re.compile(r"(?<=[^\W\daeiouqg][aou])e(?=[^\W\daeiouy])")
"""The second letter of an umlaut that is written out: whoever has no umlaut may leave it out (`Koeln`, `koln`)."""

_INVISIBLE: Final = dict.fromkeys(
    [0x34F, 0x61C, 0x180E, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
)


class Terms(NamedTuple):
    """What a passage is found by: `words` make its length; what is `beside` them are words of grammar and joined forms."""

    words: list[str]
    beside: list[str]


class _Word(NamedTuple):
    """What one token gives: its parts, what they make together, and what is of grammar in it."""

    parts: tuple[str, ...]
    joined: tuple[str, ...]
    grammar: tuple[str, ...]


def document_terms(text: str) -> Terms:
    """The terms of a text that is to be found, as often as they stand in it; words of grammar once."""
    words, joined, grammar = _read(text, single_characters=True)
    beside = joined + list(dict.fromkeys(grammar))
    return Terms(words, beside) if words else Terms(beside, [])


def query_terms(text: str) -> list[str]:
    """The terms that a question looks for, as often as they count: without words of grammar where it has others.

    Of those in capitals (`IT`) that form stays, which a text has only where they are written so. A word counts twice as much
    as a joined form, which says again what its words have said.
    """
    words, joined, grammar = _read(text, single_characters=False)
    if words:
        grammar = [term for term in grammar if term.isupper()]
    return (words * 2 if joined else words) + joined + grammar


def _read(text: str, *, single_characters: bool) -> tuple[list[str], list[str], list[str]]:
    words: list[str] = []
    joined: list[str] = []
    grammar: list[str] = []
    before = ""
    clean = _clean(text)
    pieces = (_ASCII_TOKEN if clean.isascii() else _TOKEN).split(clean)
    for at in range(1, len(pieces), 2):
        token = pieces[at]
        if token >= _FIRST_UNSPACED and _IS_UNSPACED.match(token):
            words += _pairs(token, single_characters)
            before = ""
            continue
        term, whole, word = _word(token) if len(token) <= _KEPT else _read_word(token)
        if term:
            words.append(term)
        else:
            words += word.parts
            joined += word.joined
            grammar += word.grammar
        if len(whole) == 1 and before and pieces[at - 1].isspace():
            joined.append(_stem(_join((before, whole))))
        before = whole if term or word.parts else ""
    return words, joined, grammar


def _clean(text: str) -> str:
    """The same characters for the same text: compatibility forms composed, what is not seen left out."""
    if not text.isascii():
        text = _SOFT_HYPHEN.sub("", unicodedata.normalize("NFKC", text)).translate(_INVISIBLE)
        text = unicodedata.normalize("NFC", text)
    return _THOUSANDS.sub("", text)


def _read_word(token: str) -> tuple[str, str, _Word]:
    """The one term that a token gives, where it is only one; the whole of it, folded; and all that it gives."""
    body = token.rstrip("+#")
    sign = token[len(body) :]
    if _INITIALS.fullmatch(body):
        body = body.replace(".", "")
    parts = [[piece for piece in _pieces(part) if _fold(piece)] for part in _PIECES.findall(body)]
    pieces = [piece for part in parts for piece in part]
    folded = [_fold(piece) for piece in pieces]
    whole = _join(folded)
    said: dict[str, None] = {}
    joined: dict[str, None] = {}
    grammar: dict[str, None] = {}
    for piece, plain in zip(pieces, folded, strict=True):
        if plain in STOP_WORDS:
            grammar[plain] = None
        else:
            form, *others = _forms(piece)
            said[form] = None
            joined.update(dict.fromkeys(others))
    if len(pieces) > 1 and not _CONTRACTED.search(body):
        # Neighbours joined are how a version, a date or a number begins and ends.
        together = [*map(_join, pairwise(folded)), *(_join(map(_fold, part)) for part in parts if len(part) > 1), whole]
        joined.update(dict.fromkeys(_stem(each[:LONGEST]) for each in together))
    if sign:
        joined[whole[: LONGEST - len(sign)] + sign] = None
    if whole in STOP_WORDS and len(body) > 1 and body.isupper():
        grammar[body] = None
    word = _Word(tuple(said), tuple(term for term in joined if term not in said), tuple(grammar))
    is_one = len(word.parts) == 1 and not word.joined and not word.grammar
    return word.parts[0] if is_one else "", whole, word


_word: Final = lru_cache(maxsize=1 << 16)(_read_word)


def _pieces(part: str) -> list[str]:
    """What capitals and digits divide a word into."""
    if len(part) > LONGEST:
        return [part[:LONGEST]]
    if part.isdigit() or (part.islower() and part.isalpha()):
        return [part]
    if _CAPITALS.fullmatch(part):
        return [part[:-1]]
    pieces = _HUMP.split(part)
    return pieces if len(pieces) <= _MOST_PARTS else [part]


def _join(pieces: Iterable[str]) -> str:
    """The pieces as one word, with a point where two numbers would run together."""
    joined = ""
    for piece in pieces:
        joined += f".{piece}" if joined[-1:].isdigit() and piece[:1].isdigit() else piece
    return joined


def _forms(word: str) -> list[str]:
    """The terms of one word without joints: its stem, and those of what it also stands for."""
    lower = unicodedata.normalize("NFC", word.casefold())
    plain = _fold(word)
    forms = [_stem(plain)]
    if plain in IRREGULAR:
        forms.append(_stem(IRREGULAR[plain]))
    if (drawn_in := _DRAWN_IN.sub("", plain)) != plain:
        forms.append(_stem(drawn_in))
    written_out = lower.translate(_WRITTEN_OUT)
    if written_out != lower:
        forms += [_stem(_fold(written_out)), _fold(_stemmers.german.stemWord(lower[:LONGEST]))]
    return forms


@lru_cache(maxsize=1 << 16)
def _fold(word: str) -> str:
    """Without case and accents. Marks that are vowels stay, as in Hindi; those that are optional go, as in Arabic."""
    lower = word.casefold()
    if lower.isascii():
        return lower
    parted = unicodedata.normalize("NFD", lower)
    plain = _NASALS.sub("\u0902", _ACCENTS.sub("", parted))
    return unicodedata.normalize("NFC", plain).translate(_LETTERS)


class _Stemmers(threading.local):
    """Snowball's stemmers, of which each keeps the word it works on, and so belongs to one thread."""

    def __init__(self) -> None:
        # Without words of their own kept: `_stem` does that.
        self.english, self.german, *others = (
            Stemmer.Stemmer(language, 0) for language in ("english", "german", "greek", "russian", "arabic", "hindi")
        )
        self.others = list(zip(_SCRIPTS, others, strict=True))


_SCRIPTS: Final = (("\u0370", "\u03ff"), ("\u0400", "\u04ff"), ("\u0600", "\u06ff"), ("\u0900", "\u097f"))
"""Greek, Russian, Arabic, Hindi: from the first character to the last."""

_stemmers: Final = _Stemmers()


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    short = word[:LONGEST]
    if short.isascii():
        return _stemmers.english.stemWord(short) if short.isalpha() else short
    for (first, last), stemmer in _stemmers.others:
        if first <= short[:1] <= last:
            return stemmer.stemWord(short)
    return _stemmers.english.stemWord(short) if short.isalpha() else short


def _pairs(run: str, single_characters: bool) -> list[str]:
    pairs = [first + second for first, second in pairwise(run)]
    return [*run, *pairs] if single_characters or not pairs else pairs
