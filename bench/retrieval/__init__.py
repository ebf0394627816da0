"""How well memory finds: judged collections, beside the ways that others search, and the small cases."""
