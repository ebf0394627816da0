"""The pages for people are true: what they name exists, and what exists is on them.

Looked at are the files, links, modules, commands, settings, `make` targets and error codes that a page names; whether the
sentences between them are right, no test can say.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import msgspec
import pytest

from cli.commands import batos
from cli.pages import commands
from protocol.errors import CODES
from protocol.home import Settings

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("protocol", "bus", "world", "actors", "cli", "ops", "bench", "experts")
PAGES = sorted(
    [*(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")), *(ROOT / "docs").rglob("*.md")]
)
PROSE = [page for page in PAGES if page.name != "rules.md"]
"""The page of the rules is method source for the most part, and judged by a test of its own."""
COMMANDS = dict(commands())
CODE = re.compile(r"`([^`\n]+)`")
IN_A_HOME = {"batos.toml", "bus.sock", "world.fs"}
"""Files of a home that are named like ours."""
MADE_UP = re.compile(r"NAME|NNNN|…|[\s<>{}$=|,:]")


def name(page):
    return str(page.relative_to(ROOT))


def spans(page):
    """The code within lines, not that in blocks."""
    return CODE.findall(re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE))


def exists(path):
    return any(ROOT.glob(path)) if "*" in path else (ROOT / path).exists()


def is_file(span):
    """Whether `span` looks like a path of this repository."""
    if MADE_UP.search(span) or span in IN_A_HOME or span.startswith(("/", "-", ".", "~")):
        return False
    first, slash, _ = span.partition("/")
    return (bool(slash) and (ROOT / first).is_dir()) or span.endswith((".py", ".md", ".jsonl", ".conf"))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_is_named_exists(page):
    named = {span for span in spans(page) if is_file(span)}
    # A page of `docs` may call its neighbours by their names, and a module may go without its ending.
    places = ["{}", "{}.py", *(["docs/{}"] if page.parent.name == "docs" else [])]
    assert sorted(span for span in named if not any(exists(place.format(span)) for place in places)) == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page):
    lost = []
    for target in re.findall(
        r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    ):
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        if target.startswith("https://"):
            continue
        if not other.exists() or (anchor and anchor not in anchors(other)):
            lost.append(target)
    assert lost == []


def anchors(page):
    titles = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PROSE, ids=name)
def test_every_module_that_is_named_exists(page):
    text = page.read_text()
    named = set(re.findall(r"python -m ([\w.]+)", text)) | {
        span for span in spans(page) if re.fullmatch(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+", span)
    }
    lost = [module for module in named if module.split(".")[0] in PACKAGES and module not in IN_A_HOME]
    assert [module for module in lost if "NAME" not in module and not is_module(module)] == []


def is_module(dotted):
    """Whether `dotted` is a module, a package, or a name in a module."""
    parts = dotted.split(".")
    for end in (len(parts), len(parts) - 1):
        place = ROOT.joinpath(*parts[:end])
        if place.with_suffix(".py").exists() or (end == len(parts) and place.is_dir()):
            return end == len(parts) or parts[-1] in place.with_suffix(".py").read_text()
    return False


@pytest.mark.parametrize("page", PROSE, ids=name)
def test_every_command_that_is_shown_is_one(page):
    shown = [span for span in spans(page) if span.startswith("batos ")]
    shown += re.findall(r"^ +\$ \.venv/bin/(batos .*)$", page.read_text(), flags=re.MULTILINE)
    wrong = [line for line in shown if not is_command(line)]
    assert wrong == []


def is_command(line):
    """Whether the command exists and has the options that `line` gives it. Its words may be placeholders."""
    words = shlex.split(line)[1:]
    command = batos
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        if words[0] in {"COMMAND", "…"}:
            return True
        if words[0] not in command.commands:
            return False
        command = command.commands[words.pop(0)]
    known = {option for parameter in [*command.params, *batos.params] for option in parameter.opts} | {"--help"}
    return {option for word in words for option in re.findall(r"(?<![\w-])--[a-z-]+", word)} <= known


def test_the_commands_of_the_readme_are_understood():
    """Each command of a session in the README is read as the command reads it, up to where it would begin to work."""
    shown = re.findall(r"^ +\$ \.venv/bin/batos (.*)$", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert len(shown) > 5
    for line in shown:
        command, words, context = batos, shlex.split(line), click.Context(batos)
        while isinstance(command, click.Group):
            found, command, words = command.resolve_command(context, words)
            context = click.Context(command, info_name=found)
        command.make_context(command.name, words)  # a usage error raises


def test_every_command_is_in_the_readme():
    table = [
        line for line in (ROOT / "README.md").read_text().splitlines() if "batos " in line or line.startswith("| `")
    ]
    text = "\n".join(table)
    lost = [full for full, command in COMMANDS.items() if not isinstance(command, click.Group) and not row(full, text)]
    assert lost == []


def row(full, text):
    """Whether a line names the command in full, or the last word of it behind its group."""
    *before, last = full.split()
    group = " ".join(before)
    return any(
        full in line or (group in line and re.search(rf"`{last}\b", line)) for line in text.splitlines() if "`" in line
    )


def documented():
    """Every `section.key` in the TOML that a page shows, and the blocks themselves."""
    found, blocks = set(), []
    for page in PROSE:
        text = page.read_text()
        fenced = re.findall(r"^```toml\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
        indented = re.findall(r"^(?: {4}\[[a-z]+\]\n(?: {4}.*\n|\n)*)", text, flags=re.MULTILINE)
        for block in [*fenced, *indented]:
            if "[mcp_servers" in block:
                continue  # another program's
            blocks.append(block)
            section = ""
            for line in block.splitlines():
                if header := re.match(r" *\[(\w+)\]", line):
                    section = header[1]
                elif key := re.match(r" *(\w+) *=", line):
                    found.add(f"{section}.{key[1]}")
    return found, blocks


def test_every_setting_is_documented_and_every_documented_one_exists():
    settings = {
        f"{section.name}.{field.name}"
        for section in msgspec.structs.fields(Settings)
        for field in msgspec.structs.fields(section.type)
    }
    found, blocks = documented()
    assert (settings - found, found - settings) == (set(), set())
    for block in blocks:
        msgspec.toml.decode(block, type=Settings)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_target_of_make_exists(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {found for span in spans(page) for found in re.findall(r"^make ([a-z-]+)", span)}
    named |= set(re.findall(r"^ {4}make ([a-z-]+)", page.read_text(), flags=re.MULTILINE))
    assert named - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_error_code_that_is_named_exists(page):
    assert set(re.findall(r"\b(?:BAD|UNKNOWN|NOT|NO)_[A-Z_]+\b", page.read_text())) - set(CODES) == set()


def test_the_glossary_is_alphabetical_and_says_where_each_thing_lives():
    entries = re.findall(
        r"^\*\*(.+?)\*\*: (.+?)(?=\n\n|\Z)", (ROOT / "docs" / "glossary.md").read_text(), re.DOTALL | re.MULTILINE
    )
    words = [word.lower() for word, _ in entries]
    assert words == sorted(words)
    assert len(words) == len(set(words))
    assert [word for word, meaning in entries if not re.search(r"\[`[^`]+`\]$", meaning.strip())] == []


def test_every_decision_is_in_the_index_under_its_title():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    pages = sorted(folder.glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text()
        number, title = re.match(r"# (\d{4}): (.+)\n", text).groups()
        assert page.name.startswith(number)
        assert f"| [{number}]({page.name}) | {title} |" in index
        assert all(f"**{part}**" in text for part in ("Chosen.", "What else there was.", "What would change our mind."))


def test_every_room_is_in_the_architecture():
    table = [line for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines() if line.startswith("| `")]
    for line in table:
        for place in re.findall(r"`([\w/]+/)`", line.split("|")[1]):
            rooms = {path.parent.name for path in (ROOT / place).glob("*/*.py")} - {"orchestrator", "storage"}
            assert [room for room in rooms if f"`{room}/`" not in line and f"{place}{room}" not in line] == [], place
    assert {line.split("`")[1].split("/")[0] for line in table} >= {*PACKAGES} - {"experts"}
