"""`make soak`: the long runs. Fuzzed system calls, and the tests of users and of the scheduler over and over,
each time cut differently."""
