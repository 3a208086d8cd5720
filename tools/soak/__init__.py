"""`make soak`: the long runs. Fuzzed system calls, and the user tests over and over, each time cut
differently."""
