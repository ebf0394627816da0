"""The simple statements of the grammar of random methods (`bench.oracle.methods`): what changes state, and what aliases it.

`x`, `y`, `w` are lists or parts of the state, `d` and `h` dicts; `put`, `mk`, `keep` and `many` are closures that every method begins with.
"""

from __future__ import annotations

from typing import Final

CHANGES: Final = tuple(
    """
self.n = 2
self.n += 1
self.n: int = 3
self.fresh = a
self.items.append(a)
self.items = x
self.items = [x, y]
self.items += [a]
self.items[0] = a
self.items[:1] = [a, a]
self.items[0:2:1] = b
del self.items[:1]
del self.items[-1]
del self.n
self.rows[0][0] = a
self.rows[-1] += [a]
self.rows.append(x)
self.table['k'] = x
self.table['k'].append(a)
self.table['k'] += [1]
self.table['m']['z'][0] = a
self.table.setdefault('q', []).append(1)
self.table.get('k', []).append(2)
self.table.update(k=x)
self.table |= {'w': a}
self.table.pop('k', None)
self.m, self.n = 1, 2
self.n, *self.items = [1, 2, a]
[self.n, x] = [x, a]
x, self.n = a, 5
self.n = self.o = a
x.append(3)
y.append(4)
x += [5]
y *= 2
x[:] = [len(y)]
x[0] = a
y[0].append(6)
del x[:1]
x.sort(key=str)
x.extend(i for i in b)
(x if a else y).append(8)
(x or y).append(8)
a and self.items.append(9)
a or x.clear()
(w := self.items).append(a)
(x := [self.items])[0].append(a)
[z.append(7) for z in [x, y] if a]
[self.items.append(z) for z in b]
{k: v.append(1) for k, v in [('k', x)]}
list(map(x.append, [1]))
list(x.append(i) for i in b)
any(self.items.append(i) for i in b)
sorted(b, key=lambda i: x.append(i) or i)
max(b, key=lambda i: self.items.append(i) or i)
put(6)
[put(z) for z in (1, 2)]
f = put; f(2)
push = x.append; push(1)
push = self.items.append; push(1)
list.append(x, 2)
dict.update(self.table, j=1)
next(iter([x])).append(1)
sum([[x], [y]], [])[0].append(2)
min([x], key=len).append(3)
dict(k=x)['k'].append(4)
dict([('k', x)])['k'].append(4)
w = {}; w.update([('k', x)]); w['k'].append(5)
w = {}; w.update(k=x); w['k'].append(5)
w = []; w.extend([x, y]); w[0].append(5)
w = list((x, y)); w[0].append(5)
w = [1]; w[0:1] = [x]; w[0].append(6)
w = {}; w['k'], w['j'] = x, y; w['k'].append(7)
w = [x]; w2 = w.copy(); w2[0].append(8)
w = [x] + [y]; w[-1].append(9)
w = {'k': x} | {'j': y}; w['j'].append(9)
w = x if x else y; w.append(3)
w = sorted([x], key=len)[0]; w.append(3)
w = [x].pop(); w.append(3)
w = {'k': x}.get('k'); w.append(3)
w = {'k': x}.setdefault('k', []); w.append(3)
w = next(iter({'k': x}.values())); w.append(3)
w = [p for p in {'k': x}.items()][0][1]; w.append(3)
w = tuple(map(lambda p: p, [x]))[0]; w.append(3)
w = list(filter(None, [x, 1]))[:1]; w and isinstance(w[0], list) and w[0].append(2)
w = (lambda p: p)(x); w.append(4)
w = (lambda *p: p[0])(x); w.append(4)
w = [[x]]; w[0][0].append(5)
w = {'k': {'j': x}}; w['k']['j'].append(5)
w = [x, y]; w.reverse(); w[0].append(6)
(p, q), r = (x, y), 1; p.append(1)
p, *q = y, x; q[0].append(1)
[p] = [x]; p.append(1)
for p, q in [(x, 1)]: p.append(1)
for p, (q, r) in [(1, (2, x))]: r.append(1)
{**{'k': x}}['k'].append(5)
[*[x, y]][-1].append(6)
(lambda v: v.append(7))(x)
(lambda *v: v[0].append(7))(x, y)
(lambda **v: v['k'].append(7))(k=y)
list(zip([x], b))[0][0].append(8)
list(enumerate([y]))[0][1].append(9)
list(reversed([x]))[0].append(1)
list(filter(None, [x, y]))[0].append(2)
g = (self.items.append(i) for i in b)
list(g)
b.append(x)
b[-1].append(3)
self.items = b
b.append(a)
x.insert(0, x2) if a else x.append(y)
getattr(self, 'items').append(1)
setattr(self, 'n', a)
self.__setattr__('n', 4)
vars(self)['n'] = 5
assert self.items.append(1) is None
self.items.append(self.items.pop() if self.items else 1)
for self.n in (1, 2): pass
for self.items[0] in (3, 4): pass
[0 for self.n in (1, 2)]
g = map(x.append, b[:])
g = map(lambda v: v.append(1), self.rows)
g = filter(self.items.append, b[:])
g = zip((self.items.append(i) for i in b), b)
g = enumerate(map(put, b))
for i in g: pass
x2 = [*g]
self.o = 5 in g
n = 5 in (self.items.append(i) for i in b)
n = sum(map(bool, g))
n, *w = g
print(*g, file=devnull)
mk(x)(1)
f1, f2 = mk(self.items), mk([]); f1(1)
f1, f2 = mk([]), mk(self.items); f1(1)
keep(v=self.items, z=[])
keep(z=self.items, v=[])
keep([], *[[x]])
keep(**{'v': x, 'z': []})
many(x, y)[0].append(1)
many(1, k=x)[-1].append(1)
fs = [put, len]; fs[0](1)
{'k': put}['k'](1)
x2 = [(lambda: v.append(1)) for v in [self.items, y]]
[f() for f in x2 if callable(f)]
e = ValueError(x); e.args[0].append(1)
[self.items.append(1), y[9]]
[self.items.append(1), unknown]
n = self.items.append(1) or y[9] + 1
self.n, y[9] = 5, 6
del self.rows, q
del self.n, self.nothing
copy.copy(self.rows)[0].append(1)
copy.deepcopy(self.rows)[0].append(1)
next(itertools.chain([x], [y])).append(1)
operator.setitem(self.table, 'o', a)
operator.iadd(x, [1])
operator.itemgetter('k')(self.table).append(1)
functools.partial(put, 1)()
functools.reduce(lambda p, q: p.append(q) or p, b, x)
x = functools.reduce(lambda p, q: q, self.rows)
x.__iadd__([1])
self.table.__setitem__('o', a)
type(x).append(x, 1)
for x[0] in (1, 2): pass
y, x[0] = x, 1
(lambda v=x: v.append(2))()
(lambda: [v.append(2) for v in [x]])()
[[w.append(1) for w in v] for v in [self.rows]]
[v for v in self.rows if v.append(1)]
[v.append(1) for r in [self.rows] for v in r]
{v.append(1) for v in self.rows}
x = f'{self.items.append(1)}'
n = self.items.pop() if a else 0
n = len(self.items) and self.items.pop()
n = not self.items.pop()
n = self.items[self.items.append(0) or 0]
x[slice(0, 1)] = [1]
x *= a
x |= y
n += self.items.pop() if self.items else 1
self.n = (n := 1)
d['k'].append(a)
h['k'].append(2)
d['z'].append(1)
self.o = d
self.rows.append(d)
self.o = x2
x2[-1]['k'] = a
x2[0]['q'] = a
d['q'] = a
h['q'] = a
x += y
n += y
d['k'] += x
d['n'] += y
d |= self.table
calls[-1](1)
for f in calls: f(1)
d['f'](3)
d['p']['k'].append(4)
self.n = n
p, q = self.items.pop(), y
p, q = self.rows.pop()
x = self.items.pop() + y[7]
""".strip().splitlines()
)
READS: Final = tuple(
    """
x = self.items
y = self.items
x = self.table['k']
y = self.table['m']['z']
x = self.rows[0]
x = self.rows
x = [self.items]
x = (self.items, y)[0]
x = list(self.items)
x = [*self.items]
x = sorted(self.items, key=str)
y = list(self.rows)
y = self.rows[:1]
y = dict(self.table)['k']
y = list(self.table.values())[0]
y = [v for v in self.rows]
x = [v for r in self.rows for v in r]
x, y = y, x
x, *y = [self.items, 1]
*x, y = [1, self.items]
(x, y), w = (self.items, b), 1
y = x
x = y = self.rows[-1]
x = [y]
x2 = [x, y]
y = x[0] if x and isinstance(x[0], list) else y
push = lambda z: x.append(z)
put = lambda z, v=self.items: v.append(z)
put = x.append
put = lambda z: b.append(z)
x = self.items[:]
x = self.items + [a]
x = self.rows + [x]
y = self.table.get('k', [])
y = {'k': self.items}['k']
y = (lambda: self.items)()
y = (w := self.items) or []
x = []
y = []
x = b
a = a + 1
n = self.n + a
n = len(self.items)
x = next((r for r in self.rows), [])
x = max(self.rows, key=len)
pass
g = (r for r in self.rows)
x = next(g, [])
g = iter(self.rows)
g = reversed(self.rows)
y = [*g]
del x
x = [] if a else self.items
x = self.items if a else b
x = y or self.items
x = self.table['m'] and y
x = copy.copy(self.rows)
x = [list(r) for r in self.rows]
x = list(map(list, self.rows))
x = mk
y = many(x, y)
y = {**self.table}['k']
y = dict(zip(['k'], self.rows))['k']
x = self.items[:] + y
x = y + self.rows
x = [y] * 2
x = (self.rows * 2)[0]
d = {'k': y, 'z': []}
d = {'k': [], 'z': x}
d = dict(self.table)
d = {**self.table, 'z': x}
d = self.table.copy()
d['k'] = []
d['k'] = list(y)
d['k'] = x
d[['k', 'z'][a % 2]] = y
h = d
h = dict(d)
d, h = h, d
d = {'p': h, 'k': [0]}
y = d.get('k', [])
y = d['k']
x2.append(d)
x2 = [dict(self.table) for q in b]
h = x2[-1]
d.update(k=[])
d.update(self.table)
d.setdefault('k', [])
d['f'] = x.append
calls.append(x.append)
calls.append(lambda z: self.items.append(z))
x[0] = []
x[-1] = y
n = y
n += a
n = n / 2
n = round(n)
n > 3 and x
x.sort(key=lambda v: str(v))
d['n'] = self.n
d['n'] / 2
x = y if isinstance(y, (list, tuple)) else []
""".strip().splitlines()
)

SENDS: Final = ("self.ask_(a)", "x = self.ask_(x)", "y = self.ask_(self.items)", "self.ask_(y)")
