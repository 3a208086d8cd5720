"""`make bench`: what operations cost, in instructions."""
