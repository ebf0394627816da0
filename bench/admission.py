"""The open form: which methods that people wrote does it allow, and what does it cost to compile?

    python -m bench.admission [FILE.jsonl…] [--json]

A row is a message to be learned with its `reference` method (`bench/real.jsonl`), or a method by itself as the corpus has them
(`code`): that one becomes the answer to a message of its own name, without its docstring and its imports. A method that the
guardian refuses is not counted: no form has to allow it. For each that is not admitted stands where the form ends.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import statistics
import sys
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from llguidance import LLMatcher, LLTokenizer

from actors.guardian import gates
from bench.claims import Claim, processor, report
from bench.writing.image import cycle

FILES: Final = (Path(__file__).with_name("real.jsonl"),)
TARGET: Final = 0.95
SHOWN: Final = 60


class Written(NamedTuple):
    """A message, and the method that somebody wrote for it."""

    id: str
    message: dict[str, Any]
    source: str


class Admitted(NamedTuple):
    """How much of the method the form takes; all of it, where `ok`. `seconds` are the compiler's."""

    ok: bool
    taken: str
    seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.admission")
    parser.add_argument("files", nargs="*", type=Path, default=FILES)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    grammar, claims = cycle().open_grammar_, []
    for file in asked.files:
        rows = [written(json.loads(line)) for line in file.read_text().splitlines()]
        accepted = [row for row in rows if gates.judge(row.source).accepted]
        found = [admits(grammar(row.message), row.source) for row in accepted]
        for row, one in zip(accepted, found, strict=True):
            if not one.ok:
                rest = row.source[len(one.taken) :][:SHOWN]
                print(f"{row.id}: … {one.taken[-SHOWN:]!r} and not {rest!r}")
        admitted = sum(one.ok for one in found)
        ms = 1000 * statistics.median(one.seconds for one in found)
        print(f"{file.name}: {admitted} of {len(found)} admitted; {len(rows) - len(found)} refused by the guardian")
        claims += [
            Claim(f"admitted.{file.stem}", admitted, {"accepted": len(found)}, "methods", "95 %", admitted >= TARGET * len(found)),
            Claim(f"compiled.{file.stem}", round(ms), {}, "ms", "100 ms at the median", ms < 100),
        ]  # fmt: skip
    report("admission", claims, device=processor(), as_json=asked.json)
    return 0 if all(claim.ok for claim in claims) else 1


def written(row: dict[str, Any]) -> Written:
    """The message and the method of a row."""
    if "reference" not in row:
        return _alone(row)
    examples = [{"kwargs": {}, **example} for example in row["examples"]]
    message = {
        "selector": row["selector"], "parameters": row["parameters"], "args": examples[0]["args"], "kwargs": {},
        "slots": {**row["slots"], **examples[0]["slots"]}, "examples": examples, "intent": row["intent"],
    }  # fmt: skip
    return Written(row["id"], message, row["reference"])


def admits(grammar: str, source: str) -> Admitted:
    """Whether the form allows `source`, and what of it."""
    tokens = LLTokenizer("byte")
    began = time.process_time()
    matcher = LLMatcher(tokens, LLMatcher.grammar_from_lark(grammar), log_level=0)
    seconds = time.process_time() - began
    if matcher.is_error():
        raise ValueError(matcher.get_error())
    text = tokens.tokenize_str(source)
    taken = matcher.try_consume_tokens(text)
    ok = taken == len(text) and matcher.is_accepting()
    return Admitted(ok, tokens.decode_bytes(text[:taken]).decode(errors="replace"), seconds)


def _alone(row: dict[str, Any]) -> Written:
    """A method by itself. Its own spelling stays; only blank lines go with the docstring and the imports."""
    tree = ast.parse(row["code"])
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    selector = function.name if function.name.endswith("_") else f"{function.name}_"
    gone = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = [line for n, line in enumerate(row["code"].splitlines(), 1) if n not in gone and line.strip()]
    parameters = [argument.arg for argument in function.args.args][1:]
    lines[0] = f"def {selector}({', '.join(['self', *parameters])}):"
    slots = dict.fromkeys(re.findall(r"self\.([a-z]\w*[a-z0-9]|[a-z])\b(?!\()", row["code"]), 0)
    signals = any("self._p_changed" in line for line in lines)
    example: dict[str, Any] = {"slots": slots, "args": [], "kwargs": {}, "returns": None}
    message = {
        "selector": selector, "parameters": parameters, "args": [], "kwargs": {}, "slots": slots,
        "examples": [] if signals else [example], "intent": "",
    }  # fmt: skip
    return Written(row["id"], message, "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
