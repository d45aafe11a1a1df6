"""Random strings are sent through every path as keys, tokens, prompts and answers, and then looked
for in everything that gauger writes."""
