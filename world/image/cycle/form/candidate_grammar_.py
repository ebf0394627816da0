def candidate_grammar_(self, message, attempt=0):
    """The form of a method that answers `message`, in llguidance's Lark dialect.

    The `def` line is fixed. What may follow is Python over the object's slots and the parameters, typed as the slots,
    arguments and examples show: numbers are computed, texts are joined, lists are sorted, counted and filtered. A method
    whose examples change slots changes just those and then signals; one whose examples change none only returns.
    Each kind of value brings its own rules, and adds what it can do to those of the other kinds. The forms widen with each
    attempt: in the first, variables stand alone, since literals would only crowd out the answer of a small model.
    """
    facts = self.message_facts_(message)
    facts['attempt'] = attempt
    rules = {}
    for part in [self.number_forms_(facts), self.text_forms_(facts), self.word_forms_(facts), self.list_forms_(facts),
                 self.table_forms_(facts), self.value_forms_(facts), self.reader_forms_(facts), self.writer_forms_(facts)]:
        for rule in part:
            rules.setdefault(rule, []).extend(part[rule])
    parameters = ', '.join(['self', *message['parameters']])
    lines = ['%llguidance {}', f'start: "def {message["selector"]}({parameters}):\\n    " body "\\n"']
    lines += [f'{rule}: ' + ' | '.join(dict.fromkeys(rules[rule])) for rule in rules if rules[rule]]
    lines.append(self.candidate_terminals_(facts['quoted_numbers'], facts['quoted_texts'], facts['literals']))
    return '\n'.join(lines)
