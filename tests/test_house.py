"""The house as it stands in the tree: what no linter knows."""

from __future__ import annotations

import ast
import statistics
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("protocol", "bus", "world", "actors", "cli", "ops", "bench", "experts")
IMAGE = ROOT / "world" / "image"
SOURCES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if not path.is_relative_to(IMAGE)
)
EVERYTHING = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]
MAX_FUNCTION = 60
MAX_MODULES = 14
MODEL = {"torch", "transformers", "peft", "accelerate", "safetensors", "gguf", "llguidance"}


def name(path):
    return str(path.relative_to(ROOT))


def tree(path):
    return ast.parse(path.read_text(), str(path))


def imports(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_no_file_is_too_long():
    lengths = {name(path): len(path.read_text().splitlines()) for path in EVERYTHING}
    assert {path: length for path, length in lengths.items() if length > 400} == {}
    assert statistics.median(lengths[name(path)] for path in SOURCES) <= 150


def test_no_function_is_too_long():
    functions = {
        (name(path), node.name): node.end_lineno - node.lineno + 1
        for path in [*SOURCES, *IMAGE.rglob("*.py")]
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert {place: length for place, length in functions.items() if length > MAX_FUNCTION} == {}


def test_no_folder_is_crowded():
    modules = Counter(path.parent for path in [*SOURCES, *IMAGE.rglob("*.py")] if not path.stem.startswith("__"))
    assert {name(folder): count for folder, count in modules.items() if count > MAX_MODULES} == {}


@pytest.mark.parametrize("path", [path for path in SOURCES if path.stat().st_size], ids=name)
def test_every_file_says_what_it_is(path):
    assert ast.get_docstring(tree(path))


def test_no_file_is_a_drawer():
    drawers = {"utils", "util", "helpers", "common", "misc", "tools", "base"}
    assert [name(path) for path in SOURCES if path.stem in drawers] == []


def test_nothing_is_left_for_later():
    words = ["TO" + "DO", "FIX" + "ME", "X" + "XX"]
    found = [(name(path), word) for path in EVERYTHING for word in words if word in path.read_text()]
    assert found == []


def test_only_inference_knows_the_model_libraries():
    outside = [path for path in SOURCES if not {"inference", "bench"} & set(path.relative_to(ROOT).parts)]
    known = {(name(path), module) for path in outside for module in imports(path) if module.split(".")[0] in MODEL}
    assert known == set()


def test_only_memory_knows_the_sentence_model():
    outside = [path for path in SOURCES if not {"memory", "bench"} & set(path.relative_to(ROOT).parts)]
    known = {(name(path), module) for path in outside for module in imports(path)}
    assert {(path, module) for path, module in known if module.split(".")[0] == "sentence_transformers"} == set()


def test_the_covenant_needs_the_standard_library_alone():
    seen, queue = set(), ["actors.guardian.covenant.covenant"]
    while queue:
        module = queue.pop()
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        if module in seen or not path.exists():
            continue
        seen.add(module)
        queue.extend(imports(path))
        for needed in imports(path):
            assert needed.split(".")[0] in sys.stdlib_module_names | set(PACKAGES), (module, needed)


def test_the_tests_mirror_the_tree():
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    folders.discard(Path("slow"))  # what takes minutes, over the whole of it
    folders.discard(Path("actors/inference/conformance"))  # the same laws over all that generate
    assert [str(folder) for folder in folders if not (ROOT / folder).is_dir()] == []


ONE_CLASS = [
    "Actor",
    "Call",
    "Code",
    "Found",
    "Generator",
    "Kept",
    "Manifest",
    "Pair",
    "Place",
    "Progress",
    "Reader",
    "Row",
    "Run",
    "Settings",
    "Slots",
    "Turn",
    "Voice",
]


@pytest.mark.parametrize("word", ONE_CLASS)
def test_a_word_of_the_house_names_one_class(word):
    named = [
        path for path in SOURCES for node in tree(path).body if isinstance(node, ast.ClassDef) and node.name == word
    ]
    assert len(named) <= 1, [name(path) for path in named]
