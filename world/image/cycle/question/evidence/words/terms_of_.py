def terms_of_(self, texts):
    """What each text is found by: [[term, start, end, is_content], …], a list for each of `texts`; words of grammar are no content.

    Numbers that are written out are digits, and a date such as 2026-05-07 is also found by its parts. Endings and irregular forms of English
    are taken off, scripts without spaces give pairs.
    """
    grammar = set(self.grammar_words_())
    numbers = self.number_words_()
    months = 'january february march april may june july august september october november december'.split()
    irregular = self.irregular_words_()
    endings = [["'s", 1], ['’s', 1], ['ness', 3]]
    endings += [['ies', 3], ['ing', 3], ['ers', 3], ['ed', 3], ['er', 3], ['es', 3], ['ly', 3], ['s', 3], ['e', 3], ['y', 3]]

    def stem(word):
        word = irregular.get(word, word)
        for ending, least in endings:
            if word.endswith(ending) and len(word) - len(ending) >= least and (ending == 'ness' or not word.endswith('ss')):
                word = word[:-len(ending)]
                break
        if len(word) > 3 and word[-1] in 'eiy':
            word = word[:-1]
        return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] in 'bdgmnprt' else word

    def terms(word):
        word = word.lower()
        if '\u3040' <= word[0] <= '\u9fff' or '\uac00' <= word[0] <= '\ud7a3':
            return [word[place:place + 2] for place in range(max(1, len(word) - 1))]
        if word[0].isdigit():
            date = word.split('-')
            if [len(part) for part in date] == [4, 2, 2] and ''.join(date).isdigit() and '00' < date[1] < '13':
                return [word, date[0], stem(months[int(date[1]) - 1]), str(int(date[2]))]
            parts = word.split(',')
            word = ''.join(parts) if all(len(part) == 3 for part in parts[1:]) else word
            is_decimal = word.count('.') == 1 and word.replace('.', '').isdigit()
            return [word.rstrip('0').rstrip('.') if is_decimal else word]
        if '-' in word or '_' in word:
            parts = [part for part in word.replace('_', '-').split('-') if part]
            is_code = any(letter.isdigit() for letter in word)
            return [word] if is_code else [numbers.get(part, stem(part)) for part in parts]
        return [numbers[word] if word in numbers else stem(word)]

    def joins(text, place):
        before, after = text[place - 1], text[place + 1:place + 5]
        if not before.isalnum() or not after[:1].isalnum():
            return False
        return text[place] in ".:-'_@/’" or (text[place] == ',' and before.isdigit() and after[:3].isdigit() and not after[3:].isdigit())

    found = []
    for text in texts:
        words = []
        start = -1
        for place, letter in enumerate(text + ' '):
            if letter.isalnum() or (start >= 0 and place < len(text) and joins(text, place)):
                start = place if start < 0 else start
            elif start >= 0:
                is_content = text[start:place].lower() not in grammar
                words += [[term, start, place, is_content] for term in terms(text[start:place])]
                start = -1
        found.append(words)
    return found
