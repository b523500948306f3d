"""Looks at all that a run on a cluster needs, before one fails for want of it."""
