def irregular_words_(self):
    """Forms of English that no ending tells, and words that mean the same where something is asked for."""
    pairs = (
        'led lead,hung hang,bought buy,paid pay,lent lend,sent send,gave give,given give,took take,taken take,began begin,begun begin,'
        'wrote write,written write,broke break,broken break,found find,made make,sold sell,built build,kept keep,held hold,left leave,'
        'lost lose,won win,met meet,went go,gone go,came come,stood stand,told tell,children child,men man,women woman,ran run,swept sweep,'
        'rose rise,risen rise,chosen choose,chose choose,brought bring,fell fall,fallen fall,grew grow,grown grow,knew know,known know,'
        'drove drive,driven drive,flew fly,flown fly,drew draw,drawn draw,ate eat,eaten eat,drank drink,sang sing,sung sing,swam swim,'
        'wore wear,worn wear,threw throw,thrown throw,spoke speak,spoken speak,slept sleep,felt feel,caught catch,taught teach,thought think,'
        'fought fight,sought seek,feet foot,teeth tooth,price cost,prices cost,charge cost,charges cost,priced cost,died die,dies die,'
        'owned own,owns own,owner own'
    )
    return dict([pair.split() for pair in pairs.split(',')])
