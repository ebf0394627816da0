"""Why each rule is there, a source that it refuses, and one that does the same and passes."""

# ruff: noqa: ISC004, RUF001 - long reasons in several pieces; characters that look like others are the matter of one

from __future__ import annotations

from typing import Any, Final

EXAMPLES: Final[dict[str, tuple[str, str, str]]] = {
    "BND001": (
        "A method is a page, not a library: what is larger is an attack on the parser, or a mistake.",
        "def m(self):\n" + "    x = 1\n" * 4000,
        "def m(self):\n    x = 1\n",
    ),
    "BND002": (
        "Long lines hide things from readers, and cost parsers more than short ones.",
        "def m(self):\n    return '" + "a" * 2001 + "'\n",
        "def m(self):\n    return 'a' * 2001\n",
    ),
    "BND003": (
        "A parser goes down a level for each bracket, block or chained operator; enough of them kill the process.",
        "def m(self):\n    return " + "(" * 50 + "1" + ")" * 50 + "\n",
        "def m(self):\n    return ((1))\n",
    ),
    "BND004": (
        "Python reads `ｘ` as `x`: a name that is not in its normal form is not the name that a reader sees.",
        "def m(self):\n    return self.ｓize\n",
        "def m(self):\n    return self.größe\n",
    ),
    "BND005": (
        "Turning a literal of many digits into a number takes time quadratic in its length.",
        "def m(self):\n    return " + "9" * 401 + "\n",
        "def m(self):\n    return 10 ** 400\n",
    ),
    "BND006": (
        "Characters that reorder, hide or end text show a reader another method than the one that runs.",
        "def m(self):\n    return 'a\u202eb'\n",
        "def m(self):\n    return 'a\\u202eb'\n",
    ),
    "BND007": ("What cannot be parsed cannot be judged.", "def m(self) return 1\n", "def m(self):\n    return 1\n"),
    "BND008": (
        "A source whose judging exhausts the jail's limits is refused: what cannot be judged is not run. (Python's own"
        " parser gives up on this one.)",
        "def m(self):\n    return (" + ("not " * 400 + "\n") * 18 + "1)\n",
        "def m(self):\n    return not 1\n",
    ),
    "POL001": (
        "A method is one function. Anything beside it would run when it is loaded, for nobody.",
        "x = 1\ndef m(self):\n    return 1\n",
        "def m(self):\n    x = 1\n    return x\n",
    ),
    "POL002": (
        "Modules are the way to the machine. `math` is there without an import; all else is asked for by a message.",
        "def m(self):\n    import math\n    return math.sqrt(self.n)\n",
        "def m(self):\n    return math.sqrt(self.n)\n",
    ),
    "POL003": (
        "Objects are cloned here, not made by classes; and a class brings metaclasses and dunder methods along.",
        "def m(self):\n    class Point:\n        x = 1\n    return Point.x\n",
        "def m(self):\n    point = {'x': 1}\n    return point['x']\n",
    ),
    "POL004": (
        "A decorator runs code when the function is defined, where a reader does not look for it.",
        "def m(self):\n    @sorted\n    def f():\n        return 1\n    return f\n",
        "def m(self):\n    def f():\n        return [2, 1]\n    return sorted(f())\n",
    ),
    "POL005": (
        "A run goes from its beginning to its end or to a send. What is suspended elsewhere cannot be replayed.",
        "def m(self):\n    yield self.n\n",
        "def m(self):\n    return [self.n]\n",
    ),
    "POL006": (
        "Names stay where they are bound; state is in slots, and shared between closures in a list or dict.",
        "def m(self):\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n    up()\n    return n\n",
        "def m(self):\n    n = [0]\n    def up():\n        n[0] += 1\n    up()\n    return n[0]\n",
    ),
    "POL007": (
        "`except*` splits and rebuilds exceptions, past the guard that keeps exhaustion from handlers.",
        "def m(self):\n    try:\n        return int(self.t)\n    except* ValueError:\n        pass\n",
        "def m(self):\n    try:\n        return int(self.t)\n    except ValueError:\n        return None\n",
    ),
    "POL008": (
        "Underscore names are Python's and the world's own machinery: `__class__` leads to every class there is.",
        "def m(self):\n    return self.__class__\n",
        "def m(self):\n    return self.kind\n",
    ),
    "POL009": (
        "The signal is one statement in one form, so that it can neither be missed, faked nor taken back.",
        "def m(self):\n    self.n = 1\n    self._p_changed = 1\n",
        "def m(self):\n    self.n = 1\n    self._p_changed = True\n",
    ),
    "POL010": (
        "Of the built-in names a method has those that are plain and deterministic.",
        "def m(self):\n    return open('/etc/passwd')\n",
        "def m(self):\n    return self.read_('passwd')\n",
    ),
    "POL011": (
        "`self` is the receiver from the first line to the last: signals and changes are told by it.",
        "def m(self, other):\n    self = other\n    return self.n\n",
        "def m(self, other):\n    return other.n\n",
    ),
    "POL012": (
        "A format string's fields walk attributes and items, to anywhere.",
        "def m(self):\n    return '{0.__class__}'.format(self)\n",
        "def m(self):\n    return '{} of {n}'.format(self.a, n=self.b)\n",
    ),
    "POL013": (
        "A class pattern looks attributes up on what it is given; plain patterns do not.",
        "def m(self, a):\n    match a:\n        case int(real=y):\n            return y\n",
        "def m(self, a):\n    match a:\n        case [int(x), *_] | {'x': x}:\n            return x\n",
    ),
    "POL014": (
        "Methods come through the gate, by a message that nobody understood; never by an assignment.",
        "def m(self, f):\n    self.area_ = f\n    self._p_changed = True\n",
        "def m(self, f):\n    self.area = f\n    self._p_changed = True\n",
    ),
    "POL015": (
        "A handler's type is evaluated when something is raised: it is to be a name, of an error that may be handled.",
        "def m(self):\n    try:\n        return int(self.t)\n    except self.kind:\n        return 0\n",
        "def m(self):\n    try:\n        return int(self.t)\n    except (ValueError, SendFailed):\n        return 0\n",
    ),
    "POL016": (
        "An attribute's name is read on the page, or not at all.",
        "def m(self, name):\n    return getattr(self, name)\n",
        "def m(self):\n    return getattr(self, 'size', 0)\n",
    ),
    "POL017": (
        "These names lead to frames and code, or mean something to the transformation of the source.",
        "def m(self):\n    g = (x for x in self.items)\n    return g.gi_frame\n",
        "def m(self):\n    g = (x for x in self.items)\n    return list(g)\n",
    ),
    "POL018": (
        "What neither this policy nor RestrictedPython knows is refused, so that a new Python brings no new hole. (Before"
        " 3.12 the example is not Python at all, and breaks BND007.)",
        "def m(self):\n    type Number = int\n    return 1\n",
        "def m(self):\n    return 1\n",
    ),
    "COV001": (
        "A change that is not signalled may never be written: the object forgets. A call that may change a part of its"
        " object before it fails counts as a change, in a handler too. So does `x += y`, `x *= y` or `x |= y`, of a name"
        " or of an item, where `x` may be a list or a dict of the state and `y` may be what it takes: `x = x + y` makes a"
        " new value.",
        "def m(self, by):\n    self.n += by\n    if by:\n        return self.n\n    self._p_changed = True\n",
        "def m(self, by):\n    self.n += by\n    self._p_changed = True\n    return self.n\n",
    ),
    "COV002": (
        "Another object answers for its own state, and signals in its own method.",
        "def m(self, other):\n    other.n = 1\n",
        "def m(self, other):\n    other.become_(1)\n",
    ),
    "COV003": (
        "A class is no part of the world: what is changed there is lost with the process.",
        "def m(self):\n    type(self).n = 1\n    self._p_changed = True\n",
        "def m(self):\n    self.n = 1\n    self._p_changed = True\n",
    ),
    "COV004": (
        "Whoever resumes a suspended method decides whether it ever comes to its signal.",
        "def m(self):\n    self.n = 1\n    yield 1\n    self._p_changed = True\n",
        "def m(self):\n    self.n = 1\n    self._p_changed = True\n    return 1\n",
    ),
    "COV005": (
        "A closure that leaves the method is called when nobody signals any more.",
        "def m(self):\n    return lambda x: self.items.append(x)\n",
        "def m(self, x):\n    self.items.append(x)\n    self._p_changed = True\n",
    ),
    "COV006": (
        "What cannot be decided in bounded time is refused.",
        "def m(self):\n"
        + "".join(f"    def f{n}(x):\n        return {f'f{n - 1}(x)' if n else 'x'}\n" for n in range(10))
        + "    return f9(1)\n",
        "def m(self):\n    def f(x):\n        return x\n    return f(1)\n",
    ),
}
"""Rule -> why, refused, accepted."""

TRIALS: Final[dict[str, tuple[str, dict[str, Any], str, str]]] = {
    "TRIAL_SEND": (
        "A trial performs no effect here, so what comes after a send is not known. Where the method is learned, the orchestrator "
        "goes on with that example: it performs the sends in a copy of the world that is dropped afterwards.",
        {"slots": {"n": 2}, "returns": 4},
        "def m(self):\n    return self.twice_(self.n)\n",
        "def m(self):\n    return self.n * 2\n",
    ),
    "TRIAL_RESULT": (
        "The example says what is to come back. (2 equals 2.0; True never equals 1.)",
        {"slots": {"n": 2}, "returns": 4},
        "def m(self):\n    return self.n + 1\n",
        "def m(self):\n    return self.n + 2\n",
    ),
    "TRIAL_SLOTS": (
        "The example says how the slots are left; those that it does not name must stay.",
        {"slots": {"n": 2, "k": 1}, "slots_after": {"n": 3}},
        "def m(self):\n    self.n = self.k = 3\n    self._p_changed = True\n",
        "def m(self):\n    self.n = 3\n    self._p_changed = True\n",
    ),
    "TRIAL_FAILED": (
        "It raised, ran into a limit of the jail, or broke the covenant while it ran.",
        {"slots": {"n": 0}, "returns": 0},
        "def m(self):\n    return 1 // self.n\n",
        "def m(self):\n    return 1 // self.n if self.n else 0\n",
    ),
}
"""Rule -> why, the case, refused, accepted."""
