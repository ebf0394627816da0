def open_grammar_(self, message, is_begun=False):
    """The guardian's whole language as the form of a method that answers `message`, in llguidance's Lark dialect.

    The `def` line is fixed; where the text `is_begun`, that line stands already, and a fence may close the text. A line of
    words may follow, then statements. What a name stands for no grammar knows, so a local may be read that nothing binds;
    all else that the gates ask of a page holds by the form, and most of the covenant too: a method whose examples change
    slots signals after the last change, one whose examples change none has no way to. What is not bound in the method can
    only be called where the method begins with functions of its own.
    """
    facts = self.open_names_(message)
    rules = {}
    for part in [
        self.open_expressions_(facts, 'e'), self.open_expressions_(facts, 'g'), self.open_values_(facts, 'e'), self.open_values_(facts, 'g'),
        self.open_texts_(facts), self.open_lines_(facts, 'e'), self.open_lines_(facts, 'g'),
    ]:
        rules.update(part)
    for family in ['e', 'g']:
        rules.update(self.open_statements_(facts, family))
        rules.update(self.open_compounds_(facts, family))
        if facts['writable']:
            rules.update(self.open_changes_(facts, family))
    for level in range(1, facts['levels'] + 1):
        blank = '    ' * level
        rules[f'in{level}'] = [f'"{blank}" ((COMMENT NEWLINE | BLANK) "{blank}"){{0,4}}']
        rules[f'elif{level}'] = [f'in{level} "elif "']
        rules[f'else{level}'] = [f'in{level} "else:" NEWLINE']
        rules[f'except{level}'] = [f'in{level} "except" (" " errors (" as " NAME)?)? ":" NEWLINE']
    kind = 'cc' if facts['writable'] else 'p'
    parameters = ', '.join(['self', *message['parameters']])
    head = '' if is_begun else f'"def {message["selector"]}({parameters}):\\n" '
    rules['start'] = [head + f'words? (e{kind}1 | functions g{kind}1)' + (' "```"?' if is_begun else '')]
    rules['words'] = ['"    " WORDS NEWLINE']
    rules['functions'] = ['"\\n"? (in1 elocal NEWLINE){0,3} function{1,3}']
    rules['function'] = ['in1 "def " NAME "(" bound? "):" NEWLINE gp2']
    lines = ['%llguidance {}']
    lines += [f'{rule}: ' + ' | '.join(rules[rule]) for rule in rules if rules[rule]]
    return '\n'.join([*lines, self.open_terminals_(facts), ''])
