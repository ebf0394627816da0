def wanted_(self, question):
    """What kind of thing is asked for: {'kinds', 'units', 'focus'}; `focus` is the word that names it (`which colour`: colour)."""
    units = {
        'deep': 'metre metres meter meters foot feet m cm km depth',
        'tall': 'metre metres meter meters foot feet m cm height',
        'wide': 'metre metres meter meters foot feet m cm mm km inch inches width',
        'far': 'kilometre kilometres km mile miles metre metres m minutes',
        'loud': 'decibel decibels db', 'heavy': 'kg kilogram kilograms gram grams g pound pounds ton tons tonne tonnes lb',
        'old': 'year years month months old age aged born birth since',
        'hot': 'degree degrees celsius fahrenheit c',
        'warm': 'degree degrees celsius c',
        'cold': 'degree degrees celsius c', 'often': 'every each daily weekly monthly yearly twice once time times per day days week weeks month '
        'months hour hours year years minute minutes always never',
        'fast': 'km mph hour hours second seconds minute minutes day days week month year years baud mbit gbit',
        'long': 'second seconds minute minutes hour hours day days week weeks month months year years metre metres meter meters mm cm m km mile '
        'miles night nights foot feet inch inches s h indefinite forever until ever permanently',
    }
    # A price list often has a column of prices and no currency.
    money = 'price prices cost costs fee fees rate salary amount total euro euros eur dollar dollars usd pound pounds gbp cent cents crown '
    money = money + 'crowns yen franc francs chf kr kroner rupees free € $ £'
    words = [word.strip('?,.!;:"').lower() for word in question.split()]
    kinds = []
    wanted = []
    focus = ''
    skipped = ['the', 'a', 'an', 'is', 'are', 'was', 'were', 'kind', 'type', 'sort', 'of', 'name', 'number', 'model', 'exact']
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ''
        if word == 'how' and following in units:
            kinds.append('unit')
            wanted = units[following].split()
        elif word == 'how' and following in ['many', 'much', 'high', 'large', 'big', 'small', 'expensive']:
            kinds.append('number')
            focus = words[place + 2] if following == 'many' and place + 2 < len(words) else focus
        elif (word == 'when' and place < 3) or (word in ['which', 'what'] and following in ['year', 'day', 'date', 'time', 'month', 'weekday']):
            kinds.append('year' if following == 'year' else 'when')
        elif word in ['who', 'whom', 'whose'] and place < 3:
            kinds.append('who')
        elif word == 'why' and place < 3:
            kinds.append('why')
        elif word in ['cost', 'costs', 'price', 'salary', 'fee'] and not kinds:
            kinds.append('unit')
            wanted = money.split()
        elif word in ['what', 'which'] and place < 3 and not focus:
            named = [near for near in words[place + 1:place + 6] if near not in skipped]
            is_named = word == 'which' or following in ['is', 'are', 'was', 'were'] or following not in ['do', 'does', 'did', 'has', 'have', 'can']
            focus = named[0] if named and is_named else ''
    return {'kinds': kinds[:1] if kinds else [], 'units': wanted, 'focus': focus}
