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
    "fleet:days=2": FRAMED,
    "cover:days=2": FRAMED,
    "system-fleet:days=2": FRAMED,
    "tool-fleet:days=2": FRAMED,
    "elicitation:days=2": FRAMED,
    "retrospective:days=2": FRAMED,
    "paraphrases:days=2": FRAMED,
    "foreign:days=2": FRAMED,
    "rubric:days=2": FRAMED,
    "agentic:days=2": FRAMED,
    "fleet:name=fast-fleet,per_second=10,total=20000": FRAMED,
    "fleet:name=fleet-3000,accounts=3000": FRAMED,
    "card": INSTRUMENT,
    "card:name=card-lognormal,lognormal": INSTRUMENT,
    "card:name=card-half-turns,turns=0.5": None,
    "card:name=two-cards,accounts=100,per_card=50,days=2": None,
    "card:name=twenty-cards,accounts=100,per_card=5,days=2": None,
    "card-cover": HALF_COVERED,
    "card-cover:name=card-cover-90,cover=0.9": None,
    "card:name=card-shards,shards": None,
    "network": LOOSE,
    "client": LOOSE,
    "signup": LOOSE,
    "unshared": None,
    "rotation:days=2": None,
    "drip": None,
    "replacement": None,
    "waves": None,
    "pivot": FRAMED,
    "adaptive": None,
    "single": None,
    "templates": None,
    "framing:days=2": None,
    "framing:name=framing-app,victim=app,days=2": None,
    "beside:days=2": None,
}
"""Campaigns, with the requests within which they ought to be contained; None: no target.

Large fleets run for two days, since their first hours tell most; the largest runs for all seven.
"""
