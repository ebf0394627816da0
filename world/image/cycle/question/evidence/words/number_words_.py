def number_words_(self):
    """Numbers that are written out, as digits."""
    counted = (
        'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'
    ).split()
    numbers = {word: str(place) for place, word in enumerate(counted)}
    numbers.update({'thirty': '30', 'forty': '40', 'fifty': '50', 'sixty': '60', 'seventy': '70', 'eighty': '80', 'ninety': '90'})
    return numbers
