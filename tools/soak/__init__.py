"""`make soak`: the long runs. Fuzzed system calls, and the user tests and the scheduler's tests again and
again, each time with other turns of the CPUs."""
