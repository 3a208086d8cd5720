# The text of `make help`, with the values that the variables have. Goals and variables that only
# instructors need are in make/instructor.mk.

define help
Trellis: a small SMP Unix-like kernel for teaching operating systems.

  make              build both ports, or the one that ARCH names
  make qemu         boot to a shell; Ctrl-A X quits
  make run CMD='…'  boot, run CMD, power off; standard output is the output of CMD
  make timeline     draw what every CPU and thread does in CMD='…': OUT=file.html (or .json)
  make gdb          boot and stop under GDB, with the kernel's own commands (help trellis)
  make qemu-gdb     boot and wait for a GDB that you start yourself
  make check        one checkpoint of LAB=name, STEP=number, on both ports and in the explorer
  make explore      run the kernel's functions under every interleaving of small scenarios; LAB, STEP,
                    SCENARIO=text, BOUND choose; REPLAY=schedule runs one again, with GDB=1 under GDB
  make grade        grade the labs (what is here, or SUBMISSION=path)
  make challenge    which challenges of LAB=name are solved, here or by SUBMISSION=path? They carry no points
  make replay       repeat one run of the grader: LAB, TEST, ARCH, CPUS, SEED; GDB=1 stops where it fails
  make handin       in a student's repository: check the files of LAB, and pack them into an archive
  make next-lab     in a student's repository: merge the next lab; REFERENCE=lab takes the course's object
                    files for a lab that you have not finished
  make doctor       check that every needed tool is there; make setup installs what is missing
  make all          both kernels and the user programs;   make kernel, make user: for ARCH
  make clean        remove what was built
$(instructor_goals)
Variables and their present values. Settings:
  ARCH=$(ARCH)	riscv or x86_64
  BUILD=$(BUILD)	debug (all checkers on) or release
  LLVM=$(LLVM)	1: build with clang and lld instead of GCC
  TESTS=$(TESTS)	1: link the in-kernel tests
  V=$(V)		1: show whole commands, and the firmware's output
  O=$(O)		the directory for everything that is built
  CROSS=$(CROSS)	the prefix of GCC's and binutils' names, such as riscv64-linux-gnu-; found if empty
  STARTER=$(STARTER)	1: build with stubs where the labs' solutions are
  REFERENCE=$(REFERENCE)	labs whose files are taken from the course, as objects
For qemu, run, timeline, gdb and qemu-gdb:
  CPUS=$(CPUS)	1 to 8
  SCHED=$(SCHED)		scheduling policy; the kernel's own default if empty
  BOOTARGS=$(BOOTARGS)	words for the kernel, see docs/bootargs.md
  EXTRA=$(EXTRA)		a directory that is added to the root file system
  CMD=		the command that run runs; a $$ may be written $$ or $$$$
  TIMEOUT=$(TIMEOUT)	seconds after which run gives up, with status 124; 0: never
  ICOUNT=$(ICOUNT)	1: deterministic, time counted in instructions
For grade:
  LAB=$(LAB)		one lab instead of all: $(all_labs)$(instructor_labs)
  SUBMISSION=	what a student handed in: a folder, an archive, a git bundle or clone; only the lab's
		files are taken from it
  BRANCH=	of a clone or bundle the files of this branch; those of its HEAD if empty
  SEEDS=$(SEEDS)	how many seeds for tests that have them; each test's own number if empty
  JSON=		write the result as JSON to this file
  REPORT=	write the report to this directory
For check (also LAB; of the files here), challenge, explore (also LAB, SUBMISSION, BRANCH, JSON):
  STEP=$(STEP)		one step of the lab
  SCENARIO=	those whose name contains this
  BOUND=$(BOUND)	the most preemptions of a schedule; 2 if empty
  RANDOM=	after these, so many schedules at random; SEED chooses which
  SECONDS=	or until so many seconds are over: larger bounds for half of the time, then at random
  REPLAY=	the name of a schedule, such as x:4c4/1, to be run again
  GDB=$(GDB)		1: under GDB
  HTML=		draw the counterexamples as a page, in this file
For others:
  OUT=		the output of timeline (a file) and of handin (an archive)$(instructor_out)
  TEST=		the test that replay repeats
  SEED=$(SEED)		chooses the schedules that explore takes at random, and the run of replay; 1 if empty
$(instructor_variables)
Exit status: 0 if all went well, else 2, since make turns every failure into 2. The last line names the
program's own status, as in "make: *** [run] Error 3"; tools/run and grade/trellis-grade return it:
  tools/run    the command's; 124 timeout, 125 kernel panic or a wrong boot argument, 126 no machine
  grade        0 full marks, 1 fewer, 2 nothing could be graded: the line before says why
$(instructor_statuses)  all          2 a wrong option, 130 interrupted
endef
