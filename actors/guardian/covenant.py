"""Being written: the dataflow replaces this."""
import ast
def check(module):
    text = ast.unparse(module)
    stores = [n for n in ast.walk(module) if isinstance(n, ast.Attribute) and not isinstance(n.ctx, ast.Load) and n.attr != "_p_changed"]
    return [("COV001", stores[0].lineno, "state change without signal")] if stores and "self._p_changed = True" not in text else []
