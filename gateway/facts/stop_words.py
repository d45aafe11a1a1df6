"""Words that are said in every text, whatever it is about, in several languages.

As `facts.plain_words` gives them: accents stay, numbers are 0.
"""

STOP_WORDS = frozenset(
    """
    0 a about all also am an and any are as at be been but by can could did do does each for from
    give had has have he her him his how i if in into is it its just let make may me more most my
    no not now of on one only or other our out over please she should so some such than that the
    their them then there these they this those to up us use used using was we were what when
    where which who why will with would write you your
    au aux avec ce ces dans de des du elle en est et il je la le les leur lui ma mais mes mon ne
    nous on ou par pas pour qu que qui sa se ses son sont sur un une vous
    al como con del el ella es esta este las los lo mas me mi muy no nos para pero por que se si
    sin sobre su sus te tu un una uno y ya
    als am an auch auf aus bei bin bis das dass dem den der des die doch du ein eine einem einen
    er es hat ich ihr im ist ja kann man mich mir mit nach nicht noch nur oder sein sich sie
    sind so und uns von war was wie wir zu zum zur
    \u0438 \u043d\u0435 \u043d\u0430 \u0447\u0442\u043e \u043f\u043e \u043a\u0430\u043a
    \u044d\u0442\u043e \u0438\u0437 \u0437\u0430 \u043e\u0442 \u0434\u043b\u044f
    \u7684 \u4e86 \u662f \u5728 \u6211 \u4f60 \u4ed6 \u4e0d \u6709 \u548c \u306e \u306f \u3092
    """.split()  # noqa: SIM905  as a list it would be two hundred lines
)
