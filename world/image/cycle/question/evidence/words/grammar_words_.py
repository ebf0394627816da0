def grammar_words_(self):
    """Words of grammar, of English and of some of its neighbours: what a question is about, they do not say."""
    return (
        'a about after again all also am an and any are as at be because been before being between both but by can could did do does '
        "doing down during each few for from had has have having he her here him his how i if in into is it its it's just let many may "
        'me might more most much must my no nor not now of off on once only or other our out over own per same shall she should so some '
        'such than that the their them then there these they this those through to too under until up upon us very was we were what '
        "what's when where which while who who's whom whose why will with would yet you your please tell say know give s t ok say said "
        'exactly der das den dem des ein eine einen einem einer und oder ist sind waren wird werden wer wie was wann wo warum '
        'welche welcher welches wem wen wieviel viel viele nicht von zu zum zur im auf mit für bei nach aus über es sie er ich wir ihr '
        'haben kann le la les un une des du de et ou est sont qui que quoi quand où pourquoi comment quel quelle combien dans sur '
        'avec pour par au aux il elle el los las una y o es son quién qué cuándo dónde cómo cuál cuánto en con por para del al se su'
    ).split()
