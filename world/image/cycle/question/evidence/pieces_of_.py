def pieces_of_(self, sources):
    """The sentences and table rows of passages: [{'source', 'start', 'end', 'text'}, …]; a row is told with the heads of its columns."""
    short = ['mr', 'mrs', 'ms', 'dr', 'st', 'no', 'e.g', 'i.e', 'approx', 'z.b', 'nr', 'prof']

    def is_end(line, start, place):
        if line[place] in '。！？':
            return True
        if line[place] not in '.!?' or line[place + 1:place + 2] not in ['', ' ', '\t', '"', '*', ')', '”']:
            return False
        if line[place] != '.':
            return True
        before = line[start:place].split(' ')[-1].strip('(*#§->')
        is_number = not line[start:place].strip('(*#§- 0123456789.>')
        return not (is_number or (len(before) == 1 and before.isalpha()) or before.lower() in short)

    def sentences(line):
        found = []
        start = 0
        for place in range(len(line)):
            if place >= start and is_end(line, start, place):
                end = place + 1
                while line[end:end + 1] in ['*', '"', ')', '”']:
                    end += 1
                found.append([start, end])
                start = end
        return [*found, [start, len(line)]]

    def cells(line):
        if line.startswith('|'):
            return [cell.strip() for cell in line.strip('|').split('|')]
        for mark in [';', '\t', ',']:
            if line.count(mark) >= 2:
                return [cell.strip() for cell in line.split(mark)]
        return []

    pieces = []
    for number, source in enumerate(sources):
        text = source['text'][:6000]
        lines = text.split('\n')
        heads = []
        begin = 0
        for place, line in enumerate(lines):
            row = cells(line.strip())
            following = cells(lines[place + 1].strip()) if place + 1 < len(lines) else []
            is_table = line.strip().startswith('|') or (not any(letter.isdigit() for letter in line) and line.strip()[-1:] not in '.:!?')
            if heads and len(row) == len(heads):
                if line.strip('|-: \t'):
                    told = '; '.join([head + ': ' + cell if head else cell for head, cell in zip(heads, row)])
                    pieces.append({'source': number, 'start': begin, 'end': begin + len(line), 'text': told})
            elif len(row) >= 2 and len(row) == len(following) and is_table:
                heads = row
            else:
                heads = []
                for start, end in [] if line.strip().startswith('#') else sentences(line):
                    told = line[start:end].strip().strip(' \t*#>-')
                    if told.strip('.'):
                        first = begin + end - len(line[start:end].lstrip())
                        pieces.append({'source': number, 'start': first, 'end': begin + end, 'text': told})
            begin += len(line) + 1
    return pieces[:160]
