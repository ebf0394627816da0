def common_words_(self):
    """Words that ask for something without saying much of what: that a document has none of them means little."""
    return (
        'long high large big hot warm cold old deep tall wide far loud heavy often fast small early late soon expensive year time kind sort type '
        'day date name number model make need use get take come go call give work happen put mean stand person thing place amount document text '
        'passage file page information detail mention'
    )
