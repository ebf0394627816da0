"""Questions about documents: is an answer of `ask` right more often than a plain prompt over the same passages?"""
