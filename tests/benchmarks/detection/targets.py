"""What is run by default, and how far each campaign may come: the table of the issue."""

FRAMED = 50
INSTRUMENT = 130
LOOSE = 330
HALF_COVERED = 350
LEAK_SHARE = 0.003
"""Of the fleet of 3,000."""
FALSE_BLOCKS, FALSE_THROTTLES = 0.0002, 0.001
"""Of account-days, in the worst population."""

FAMILIES = {
    "fleet": FRAMED,
    "cover": FRAMED,
    "system-fleet": FRAMED,
    "tool-fleet": FRAMED,
    "elicitation": FRAMED,
    "retrospective": FRAMED,
    "paraphrases": FRAMED,
    "foreign": FRAMED,
    "rubric": FRAMED,
    "agentic": FRAMED,
    "fleet:name=fast-fleet,per_second=10,total=20000": FRAMED,
    "fleet:name=fleet-3000,accounts=3000": FRAMED,
    "card": INSTRUMENT,
    "card:name=card-lognormal,lognormal": INSTRUMENT,
    "card:name=card-half-turns,turns=0.5": None,
    "card:name=two-cards,accounts=100,per_card=50": None,
    "card:name=twenty-cards,accounts=100,per_card=5": None,
    "card-cover": HALF_COVERED,
    "card-cover:name=card-cover-90,cover=0.9": None,
    "card:name=card-shards,shards": None,
    "network": LOOSE,
    "client": LOOSE,
    "signup": LOOSE,
    "unshared": None,
    "rotation": None,
    "drip": None,
    "replacement": None,
    "waves": None,
    "pivot": FRAMED,
    "adaptive": None,
    "single": None,
    "templates": None,
    "framing": None,
    "framing:name=framing-app,victim=app": None,
    "beside": None,
}
"""Campaigns, with the requests within which they ought to be contained; None: no target."""
