"""Who asks, verified: signed tokens, what a trusted front proxy says, client certificates."""
