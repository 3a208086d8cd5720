"""`make test`: builds everything, runs all tests on both ports, and counts."""
