"""`make bench`: the cost of operations, in instructions."""
