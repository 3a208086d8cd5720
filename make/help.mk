# The text of `make help`, with the values that the variables have.

define help
Trellis: a small SMP Unix-like kernel for teaching operating systems.

  make              build both ports, or the one that ARCH names
  make grade        grade the labs (the reference kernel, or SUBMISSION=dir)
  make test         build and test everything, in minutes; ends with "N passed, N failed"
  make qemu         boot to a shell; Ctrl-A X quits
  make run CMD='…'  boot, run CMD, power off; standard output is the output of CMD
  make timeline     draw what every CPU and thread does in CMD='…': OUT=file.html (or .json)
  make gdb          boot and stop under GDB, with the kernel's own commands (help trellis)
  make qemu-gdb     boot and wait for a GDB that you start yourself
  make bench        instructions per operation, beside xv6 and Linux; growth, locks, latency
  make matrix       grade every known wrong and correct solution of every lab; then run the tests
                    that make test has no time for: other machines, policies, compilers
  make mutate       change the solutions of LAB, or the files MUTATE, in small ways, one at a time, and
                    list the changes that no test notices; KILLERS=explorer asks only the explorer, each both;
                    FUNCTION, ONLY, SAMPLE, SEED, JOBS; with KEEP=1 the changes keep the meaning, and
                    whatever such a kernel loses in the grading of LAB is listed
  make soak         the long runs: ten million fuzzed calls, no memory, every test by policy and seed,
                    every mutant of every lab, and right kernels
  make stress       kernel tests (except those of times) and user tests on 4 and 8 parallel CPUs,
                    under another policy each round: ROUNDS (default 5), SEED
  make portability  make grade and make test on fresh systems of other distributions; ONLY, PARTS,
                    ROUNDS (10), LAB, ARCH choose a part; ARCHIVE=ubuntu=ADDRESS if apt has no archive
  make check        one checkpoint of LAB=name, STEP=number, on both ports and in the explorer
  make explore      run the kernel's functions under every interleaving of small scenarios; LAB, STEP,
                    SCENARIO=text, BOUND choose; REPLAY=schedule runs one again, with GDB=1 under GDB
  make bench-explore    how fast the explorer is, and how much work it saves
  make models       check the models of waiting, exit and kill (docs/models) with Spin
  make simulate     run TASKS=file through SCHED=policy without a machine; OUT=page.html draws it
  make starter      write the starter code of LAB=name to OUT=dir
  make test-browser test the pages of make timeline in a Chromium
  make lint         check style as CI does; make format formats the C files
  make doctor       check that every needed tool is there; make setup installs what is missing
  make all          both kernels and the user programs;   make kernel, make user: for ARCH
  make clean        remove what was built

Variables and their present values. Settings:
  ARCH=$(ARCH)	riscv or x86_64
  BUILD=$(BUILD)	debug (all checkers on) or release
  LLVM=$(LLVM)	1: build with clang and lld instead of GCC
  TESTS=$(TESTS)	1: link the in-kernel tests
  V=$(V)		1: show whole commands, and the firmware's output
  O=$(O)		the directory for everything that is built
  CROSS=$(CROSS)	the prefix of GCC's and binutils' names, such as riscv64-linux-gnu-; found if empty
  STARTER=$(STARTER)	1: build with stubs where the labs' solutions are
For qemu, run, timeline, gdb and qemu-gdb:
  CPUS=$(CPUS)	1 to 8
  SCHED=$(SCHED)		scheduling policy; the kernel's own default if empty
  BOOTARGS=$(BOOTARGS)	words for the kernel, see docs/bootargs.md
  EXTRA=$(EXTRA)		a directory that is added to the root file system
  CMD=		the command that run runs; a $$ may be written $$ or $$$$
  TIMEOUT=$(TIMEOUT)	seconds after which run gives up, with status 124; 0: never
  ICOUNT=$(ICOUNT)	1: deterministic, time counted in instructions
For grade:
  LAB=$(LAB)		one lab instead of all: $(all_labs)
		(matrix also: $(all_mistakes))
  SUBMISSION=	a student's tree; only the lab's files are taken from it
  SEEDS=$(SEEDS)	how many seeds for tests that have them; each test's own number if empty
  JSON=		write the result as JSON to this file (bench and mutate too)
  REPORT=	write the report to this directory
For check, explore (also LAB, SUBMISSION, JSON):
  STEP=$(STEP)		one step of the lab
  SCENARIO=	those whose name contains this
  BOUND=$(BOUND)	the most preemptions of a schedule; 2 if empty
  RANDOM=	after these, so many schedules at random; SEED chooses which
  SECONDS=	or until so many seconds are over: larger bounds for half of the time, then at random
  REPLAY=	the name of a schedule, such as x:4c4/1, to be run again
  GDB=$(GDB)		1: under GDB
  HTML=		draw the counterexamples as a page, in this file
For others:
  OUT=		the output of timeline and simulate (a file), and of starter (a directory)
  ONLY=		matrix, models, mutate: only those whose name contains this; portability: distributions
  MUTATE=	files or folders below kernel/ or arch/ that mutate changes
  FUNCTION=	the one function of it to change
  KILLERS=	explorer: mutate asks only the explorer, which takes minutes; each: QEMU as well about
		what the explorer has noticed; empty: QEMU about what it has not
  KEEP=		1: mutate makes right kernels of LAB, none of which may lose a point
  MARKDOWN=	1: mutate prints the table as docs/mutation.md has it
  SAMPLE=$(SAMPLE)	how many mutants mutate judges, taken at random; all if empty. With KEEP=1 so many
		kernels with one change, and so many with several; 3 if empty
  JOBS=$(JOBS)		how many mutants at once; as many as cores if empty
  TASKS=	the file of tasks that simulate runs
  ROUNDS=$(ROUNDS)	how often stress runs all tests (5 if empty), and portability grades each lab (10)
  PARTS=	what portability does on each machine, of: refusal,container,hour,grade,wrong,test
  ARCHIVE=	where portability finds a distribution: ubuntu=ADDRESS
  SEED=$(SEED)		chooses the policies with which stress begins, mutate's sample, and
		explore's random schedules; 1 if empty

Exit status: 0 if all went well, else 2, since make turns every failure into 2. The last line names the
program's own status, as in "make: *** [run] Error 3"; tools/run and grade/trellis-grade return it:
  tools/run    the command's; 124 timeout, 125 kernel panic or a wrong boot argument, 126 no machine
  grade        0 full marks, 1 fewer, 2 nothing could be graded: the line before says why
  test, lint, matrix, models, mutate, bench, soak, stress, portability    0 nothing failed, 1 something failed
  all          2 a wrong option, 130 interrupted
endef
