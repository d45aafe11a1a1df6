"""Made-up traffic: honest populations and campaigns, seeded, as traffic records in order of time.

Accounts, addresses and payment ids are invented. Texts come from files that the operator names, or
from a small grammar of our own.
"""
