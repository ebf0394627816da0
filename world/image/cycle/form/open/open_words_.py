def open_words_(self):
    """The words that the open form knows: Python's own, those that no local may be, builtins, errors, methods, `math`."""
    words = 'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda'
    refused = 'self math print printed builtins breakpoint getattr hasattr eval exec setattr delattr globals locals super object open input vars dir'
    callables = 'abs all any bin bool bytes chr dict divmod enumerate filter float format frozenset hex int isinstance iter len list map max min'
    reads = 'capitalize casefold center copy count difference endswith expandtabs find get index intersection isalnum isalpha isascii isdecimal'
    reads += ' isdigit isdisjoint isidentifier islower isnumeric isspace issubset issuperset istitle isupper items join keys ljust lower lstrip'
    reads += ' partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase'
    changes = 'add append clear difference_update discard extend insert intersection_update pop popitem remove reverse setdefault sort update'
    maths = 'acos asin atan atan2 ceil comb copysign cos degrees dist exp fabs factorial floor fmod fsum gcd hypot isclose isfinite isinf isnan'
    errors = 'ValueError KeyError IndexError TypeError ZeroDivisionError LookupError ArithmeticError RuntimeError OverflowError AttributeError'
    return {
        'python': (words + ' nonlocal not or pass raise return try while with yield').split(),
        'refused': (
            refused + ' id hash compile property staticmethod classmethod complex bytearray memoryview Counter defaultdict deque'
        ).split(),
        'builtins': (callables + ' next oct ord pow range repr reversed round set slice sorted str sum tuple type zip').split(),
        'reads': (reads + ' symmetric_difference title translate union upper values zfill is_integer bit_length').split(),
        'changes': changes.split(),
        'maths': (maths + ' isqrt lcm log log10 log2 modf perm pow prod radians sin sqrt tan trunc').split(),
        'errors': (errors + ' NotImplementedError Exception').split(),
    }
