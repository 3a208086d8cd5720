"""make mutate: changes the kernel in small ways, one at a time, and asks whether a test notices.

How a mutant comes about and dies, and where to read it:

    tree.py         a C file as a syntax tree with places in the text, by libclang
    edits.py        changes of a text, and the helpers that cut out, move and insert statements
    statements.py   operators on statements and lock sections
    conditions.py   operators on conditions and loops
    values.py       operators on constants, errnos, types, arguments
    calls.py        operators on calls: a neighbouring function, the other end of a list, twice
    atomics.py      operators on atomic updates and memory orders
    assembly.py     operators on instructions, line by line
    roles.py        the same mistakes, in one role only: for real-time threads, for init, in a crowd
    operators.py    the table of all operators
    scope.py        which text is mutated: a lab's regions, files, a function
    mutants.py      applies all operators: mutants with their ids and differences
    objects.py      compiles mutants, and drops those whose machine code is nothing new
    killers.py      asks the explorer, then the tests, until one notices the mutant
    exploring.py    the lab's scenarios in the explorer
    booting.py      the lab's tests under QEMU
    cases.py        all tests that there are for files that belong to no lab
    coverage.py     the lines that a test runs; ran.c is the plugin of QEMU that sees them
    own_tests.py    for such a file, the tests that run the mutated line
    store.py        verdicts that are known from earlier
    equivalent.py   labs/NN-name/equivalent.toml and tools/mutate/equivalent.toml: survivors that behave as
                    the kernel does, and why
    work.py         the steps of a run
    report.py       tables and the list of survivors

The other direction, kernels that stay right:

    plain.py        which code only reads and writes variables and fields
    keeping.py      operators on conditions, loops, expressions that keep the meaning
    moving.py       the same: another order, lock sections, functions
    adding.py       the same: work, lines, fences, interrupts off
    keepers.py      the table of these operators, and the kernels that they make of a lab
    right.py        shows the kernels to the lab's grading

docs/mutation.md says what the result means.
"""
