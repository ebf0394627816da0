"""Gate 2, policy: the language that a method may be written in, as a subclass of RestrictedPython's transformer.

Two passes over one tree. `_Checker` reads the page and names what is refused, with stable rule ids. `_Transformer`
then rewrites what is left for the runtime (`actors.guardian.runtime.run`), and refuses by itself every kind of node that
neither RestrictedPython nor this file knows, so that a new Python version brings no new hole:

    x = a.b           x = _getattr_(a, "b")
    a.b = x           _write_(a).b = x             (`del`, `+=`, loop and tuple targets alike)
    self._p_changed = True    _signal_()
    a += b, c[i] += b    a = _add_(a, b), and so for an item: a text never extends a list
    c["k"] *= b       c["k"] = _multiply_(c["k"], b)    what a record names is never a list repeated
    a % b, f"{b}"     a % _shown_(b), f"{_shown_(b)}"    no text may show an address
    except E: …       except E: _guard_(); …       exhaustion never reaches a handler, nor a `finally`
    case int(x):      case _type_int(x):           whatever `int` is locally

Items and iteration stay plain Python: only lists, dicts, tuples, sets, strings and bytes have any. Annotations say
nothing at run time and are dropped.
"""

# ruff: noqa: N802, N815 - the names of ast.NodeVisitor's methods

from __future__ import annotations

import ast
import warnings
from collections import deque
from types import CodeType
from typing import Any, Final

from RestrictedPython.transformer import INSPECT_ATTRIBUTES, RestrictingNodeTransformer

from actors.guardian import builtin_names
from actors.guardian.policy import bounds, forms, rewriting
from protocol import names
from protocol.messages import Violation

RULES: Final[dict[str, str]] = {
    "POL001": "a method's source is exactly one function, `def name(self, ...)`",
    "POL002": "no imports",
    "POL003": "no classes",
    "POL004": "no decorators",
    "POL005": "no async, no await, no yield",
    "POL006": "no global and nonlocal names",
    "POL007": "no except*",
    "POL008": "a name that begins with an underscore",
    "POL009": "_p_changed stands only in the statement `self._p_changed = True`",
    "POL010": "a name that a method does not have",
    "POL011": "self cannot be bound to something else",
    "POL012": "format only as a call on a string literal with plain fields",
    "POL013": "only plain patterns: literals, names, sequences, mappings, built-in types",
    "POL014": "a selector cannot be assigned: a name with a final underscore is a message",
    "POL015": "except names built-in exceptions or SendFailed, nothing else",
    "POL016": "getattr and hasattr only as a call with a literal name",
    "POL017": "a reserved name",
    "POL018": "a form of Python that methods do not have",
}

_RESERVED: Final = frozenset({"print", "printed", "builtins", "breakpoint"})
_FORMATS: Final = frozenset({"format", "format_map"})
_LITERALS: Final = (ast.Constant, ast.UnaryOp, ast.USub, ast.Load)
_PATTERN_TYPES: Final = builtin_names.TYPES - {"range", "slice"}
_FORBIDDEN: Final[dict[type[ast.AST], str]] = {
    ast.Import: "POL002",
    ast.ImportFrom: "POL002",
    ast.ClassDef: "POL003",
    ast.AsyncFunctionDef: "POL005",
    ast.AsyncFor: "POL005",
    ast.AsyncWith: "POL005",
    ast.Await: "POL005",
    ast.Yield: "POL005",
    ast.YieldFrom: "POL005",
    ast.Global: "POL006",
    ast.Nonlocal: "POL006",
    ast.TryStar: "POL007",
}


def check(module: ast.Module, *, kernel: bool) -> list[Violation]:
    """The violations of the policy in `module`, in the order of lines. (The tree is not changed.)"""
    checker = _Checker(kernel=kernel)
    checker.check(module)
    return sorted(set(checker.violations.values()), key=lambda violation: (violation.line, violation.rule))


def compile_method(module: ast.Module, *, kernel: bool) -> CodeType | list[Violation]:
    """The code of the one function in `module` for the runtime, or the violations. `module` is used up."""
    found = check(module, kernel=kernel)
    if found:
        return found
    errors: list[str] = []
    transformer = _Transformer(errors)
    try:
        tree = transformer.visit(module)
        if errors:
            return transformer.violations
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(ast.fix_missing_locations(tree), "<method>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return [bounds.unparsed(error)]


class _Checker:
    """One reading of the page. `violations` holds one for each (rule, line)."""

    def __init__(self, *, kernel: bool) -> None:
        self._allowed = names.KERNEL_NAMES if kernel else frozenset[str]()
        self._tops: list[ast.AST] = []
        self._bound: set[str] = set()
        self._read: list[ast.Name] = []
        self.violations: dict[tuple[str, int], Violation] = {}

    def check(self, module: ast.Module) -> None:
        functions = [node for node in module.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        if len(module.body) != 1 or len(functions) != 1:
            strange = next((node for node in module.body if not isinstance(node, ast.FunctionDef)), None)
            self._add("POL001", strange or (module.body[-1] if module.body else None), "")
        for function in functions:
            if forms.receiver(function) is None:
                self._add("POL001", function, "its first parameter is self")
        self._tops = [*functions]
        self._walk(module)
        known = builtin_names.ALL | self._bound
        for name in self._read:
            if name.id not in known:
                self._add("POL010", name, repr(name.id))

    def _walk(self, module: ast.Module) -> None:
        """Each node once, from the outer to the inner, with what the nodes around it say of it.

        That is the one node in there that may stand in a form of its own (`fine`), and whether it is part of an
        annotation: that is dropped, so what it names need not exist.
        """
        todo: deque[tuple[ast.AST, ast.AST | None, bool]] = deque([(module, None, False)])
        while todo:
            node, fine, dropped = todo.popleft()
            self._node(node, fine=node is fine, dropped=dropped)
            fine = self._fine(node) or fine
            notes = forms.notes(node)
            todo.extend((child, fine, dropped or child in notes) for child in ast.iter_child_nodes(node))

    def _fine(self, node: ast.AST) -> ast.AST | None:
        """What in `node` stands in a form that is allowed here only."""
        match node:
            case ast.Assign(targets=[target]) if forms.is_signal(node):
                return target
            case ast.Call(func=function) if forms.is_plain(node):
                return function
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node in self._tops:
                return forms.receiver(node)
            case _:
                return None

    def _node(self, node: ast.AST, *, fine: bool, dropped: bool) -> None:
        rule = _FORBIDDEN.get(type(node))
        if rule is not None:
            self._add(rule, node, "")
        bound = forms.bound(node)
        if bound and node not in self._tops:
            self._bound.update(bound)
        for name in bound:
            self._binding(node, name, fine=fine)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for decorator in node.decorator_list:
                    self._add("POL004", decorator, "")
            case ast.Name():
                self._name(node, fine=fine, dropped=dropped)
            case ast.Attribute():
                self._attribute(node, fine=fine)
            case ast.keyword(arg=str(name)):
                self._underscore(node, name)
            case ast.Call():
                self._call(node)
            case ast.ExceptHandler():
                self._handler(node)
            case ast.comprehension(is_async=1):
                self._add("POL005", node.target, "")
            case ast.MatchClass() | ast.MatchValue():
                self._pattern(node)
            case _:
                pass

    def _binding(self, node: ast.AST, name: str, *, fine: bool) -> None:
        self._underscore(node, name)
        if name in _RESERVED:
            self._add("POL017", node, repr(name))
        if name == "self" and not fine:
            self._add("POL011", node, "")

    def _name(self, node: ast.Name, *, fine: bool, dropped: bool) -> None:
        if isinstance(node.ctx, ast.Load):
            self._underscore(node, node.id)
            if not node.id.startswith("_") and not dropped:
                self._read.append(node)
            if node.id in forms.ATTRIBUTE_FUNCTIONS and not fine:
                self._add("POL016", node, "")

    def _attribute(self, node: ast.Attribute, *, fine: bool) -> None:
        stores = not isinstance(node.ctx, ast.Load)
        if node.attr == names.SIGNAL:
            if not fine:
                self._add("POL009", node, "")
        elif node.attr.startswith("_") and node.attr not in self._allowed:
            self._add("POL008", node, repr(node.attr))
        elif node.attr in INSPECT_ATTRIBUTES:
            self._add("POL017", node, repr(node.attr))
        elif node.attr in _FORMATS and not fine:
            self._add("POL012", node, "")
        elif stores and names.is_selector(node.attr):
            self._add("POL014", node, repr(node.attr))

    def _call(self, node: ast.Call) -> None:
        name = forms.literal_name(node)
        if name is not None:
            if name.startswith("_") and name not in self._allowed:
                self._add("POL008", node, repr(name))
            if name in INSPECT_ATTRIBUTES | _FORMATS:
                self._add("POL017", node, repr(name))

    def _handler(self, node: ast.ExceptHandler) -> None:
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type] if node.type else []
        for kind in kinds:
            allowed = builtin_names.EXCEPTIONS | {builtin_names.SEND_FAILED}
            if not isinstance(kind, ast.Name) or kind.id not in allowed:
                self._add("POL015", kind, "")

    def _pattern(self, node: ast.MatchClass | ast.MatchValue) -> None:
        if isinstance(node, ast.MatchValue):
            plain = all(isinstance(part, _LITERALS) for part in ast.walk(node.value))
        else:
            plain = isinstance(node.cls, ast.Name) and node.cls.id in _PATTERN_TYPES
            plain = plain and len(node.patterns) <= 1 and not node.kwd_attrs
        if not plain:
            self._add("POL013", node, "")

    def _underscore(self, node: ast.AST, name: str) -> None:
        if name.startswith("_") and name != "_" and name not in self._allowed:
            self._add("POL008", node, repr(name))

    def _add(self, rule: str, node: ast.AST | None, detail: str) -> None:
        line = getattr(node, "lineno", 0)
        message = f"{RULES[rule]}: {detail}" if detail else RULES[rule]
        self.violations.setdefault((rule, line), Violation(rule=rule, line=line, message=message))


class _Transformer(RestrictingNodeTransformer):
    """The rewriting in this module's docstring; whatever it does not know, it refuses."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(errors, [], {})
        self.violations: list[Violation] = []

    def error(self, node: ast.AST, info: str) -> None:
        self.errors.append(info)
        line = getattr(node, "lineno", 0)
        self.violations.append(Violation(rule="POL018", line=line, message=f"{RULES['POL018']}: {info}"))

    def check_name(self, node: ast.AST, name: str | None, allow_magic_methods: bool = False) -> None:
        """`_Checker` has read all names, with the kernel's list; RestrictedPython knows no such list."""

    def _contents(self, node: ast.AST) -> Any:
        return self.node_contents_visit(node)

    visit_For = visit_comprehension = visit_Call = visit_Subscript = _contents
    visit_With = visit_Name = visit_Module = _contents
    visit_Match = visit_match_case = visit_MatchSingleton = visit_MatchSequence = visit_MatchMapping = _contents
    visit_MatchStar = visit_MatchAs = visit_MatchOr = visit_MatchValue = _contents

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        node.returns = None
        return self._contents(node)

    def visit_arg(self, node: ast.arg) -> Any:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is None:
            # `x: int` makes x local and does nothing else.
            return ast.copy_location(ast.Pass(), node)
        return self.visit(ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node))

    def visit_Assign(self, node: ast.Assign) -> Any:
        if forms.is_signal(node):
            return ast.copy_location(ast.Expr(rewriting.call("_signal_")), node)
        return self._contents(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        self._contents(node)
        if isinstance(node.op, ast.Mod):
            node.value = rewriting.shown(node.value)
        if isinstance(node.op, ast.Add) and isinstance(node.target, ast.Name):
            old = ast.Name(node.target.id, ast.Load())
            return ast.copy_location(
                ast.Assign(targets=[node.target], value=rewriting.call("_add_", old, node.value)), node
            )
        match node:
            case ast.AugAssign(op=ast.Add(), target=ast.Subscript(slice=index)) if not isinstance(index, ast.Slice):
                return rewriting.in_item(node, "_add_")
            case ast.AugAssign(op=ast.Mult(), target=ast.Subscript(slice=ast.Constant(value=str()))):
                return rewriting.in_item(node, "_multiply_")
        return node

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self._contents(node)
        if isinstance(node.op, ast.Mod):
            node.right = rewriting.shown(node.right)
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> Any:
        self._contents(node)
        node.value = rewriting.shown(node.value)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self._contents(node)
        if isinstance(node.ctx, ast.Load):
            return ast.copy_location(rewriting.call("_getattr_", node.value, ast.Constant(node.attr)), node)
        node.value = ast.copy_location(rewriting.call("_write_", node.value), node.value)
        return node

    def visit_Try(self, node: ast.Try) -> Any:
        self._contents(node)
        if node.finalbody:
            node.finalbody.insert(0, rewriting.guard(node.finalbody[0]))
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> Any:
        self._contents(node)
        node.body.insert(0, rewriting.guard(node.body[0]))
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> Any:
        assert isinstance(node.cls, ast.Name)
        node.cls.id = f"_type_{node.cls.id}"
        node.patterns = [self.visit(pattern) for pattern in node.patterns]
        return node
