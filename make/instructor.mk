# Goals for instructors, and for work on Trellis itself.

all_mistakes := $(notdir $(wildcard labs/mistakes/[0-9]*))
also_labs := $(if $(filter matrix,$(MAKECMDGOALS)),$(all_mistakes))

ROUNDS	?=

$(if $(ROUNDS),$(call a_number,ROUNDS))
$(if $(SAMPLE),$(call a_number,SAMPLE))
$(if $(JOBS),$(call a_number,JOBS))
$(if $(N),$(call a_number,N))

.PHONY: test test-browser models matrix own-tests flake gradescope classroom50 mutate soak stress \
	portability bench simulate bench-grade starter labs lint format

# With LAB or ONLY, only this part of the grader's matrix runs.
matrix: $(if $(LAB)$(value ONLY),,$(O)/setup-test.mk)
	@$(PYTHON) -m $(if $(LAB)$(value ONLY),grade matrix,tools.test.matrix) $(grading) \
		$(if $(LAB),--lab $(LAB)) $(call named,only,ONLY) $(call named,share,SHARE)

own-tests: $(O)/setup-test.mk
	$(if $(LAB),,$(error own-tests needs LAB=name, one of: $(all_labs)))
	@$(PYTHON) -m grade own --build-root '$(O)' --lab $(LAB) $(call named,submission,SUBMISSION) \
		$(call named,branch,BRANCH)

# The autograder of a Gradescope assignment.
gradescope:
	$(if $(LAB),,$(error gradescope needs LAB=name, one of: $(all_labs)))
	@$(PYTHON) -m grade gradescope --lab $(LAB) \
		$(if $(value OUT),$(call named,out,OUT),--out '$(O)/$(LAB).zip')

# The autograder of a Classroom 50 assignment.
classroom50:
	$(if $(LAB),,$(error classroom50 needs LAB=name, one of: $(all_labs)))
	@$(PYTHON) -m grade classroom50 --build-root '$(O)' --lab $(LAB) $(call named,course,COURSE) \
		$(if $(value OUT),$(call named,out,OUT),--out '$(O)/classroom50/$(LAB)')

# A lab's tests on the reference, N times on a busy machine: how often each of them fails.
flake: $(O)/setup-test.mk
	@$(PYTHON) -m grade flake --build-root '$(O)' $(LAB:%=--lab %) $(if $(N),--times $(N)) \
		$(FROM:%=--from %)

# A lab's mutants, or those of files of the kernel; with KEEP=1 a lab's right kernels.
mutate: $(O)/setup-test.mk
	$(if $(LAB)$(value MUTATE),,$(error mutate needs LAB=name, one of: $(all_labs); or \
		MUTATE=file or folder))
ifeq ($(KEEP),1)
	$(if $(value MUTATE),$(error KEEP=1 needs LAB=name, one of: $(all_labs)))
	@$(PYTHON) -m tools.mutate.right --build-root '$(O)' --lab $(LAB) $(call named,only,ONLY) \
		$(call named,killers,KILLERS) $(if $(filter file,$(origin ARCH)),,--arch $(ARCH)) \
		$(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS))
else
	@$(PYTHON) -m tools.mutate --build-root '$(O)' \
		$(if $(value MUTATE),$(call named,file,MUTATE),--lab $(LAB)) \
		$(call named,function,FUNCTION) $(call named,only,ONLY) $(call named,json,JSON) \
		$(call named,killers,KILLERS) $(if $(filter 1,$(MARKDOWN)),--markdown) \
		$(if $(filter 1,$(LISTED)),--listed) $(if $(filter 1,$(ROLES)),--roles) \
		$(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS))
endif

soak:
	@$(PYTHON) -m tools.soak --build-root '$(O)' $(if $(SEEDS),--seeds $(SEEDS))

stress:
	@$(PYTHON) -m tools.soak.stress --build-root '$(O)' $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(SEED),--seed $(SEED))

portability: $(O)/setup-portability.mk
	@$(PYTHON) -m tools.portability --build-root '$(O)' $(call named,only,ONLY) \
		$(call named,parts,PARTS) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(LAB),--lab $(LAB)) $(if $(filter file,$(origin ARCH)),,--arch $(ARCH)) \
		$(call named,archive,ARCHIVE)

# The repository that students clone. The objects in it are those of the reference.
labs:
	$(if $(value OUT),,$(error labs needs OUT=dir, where the repository is written))
	@$(PYTHON) -m labs.repository --build-root '$(O)' $(call named,out,OUT) $(call named,mode,MODE) \
		$(call named,upto,UPTO) $(call named,course,COURSE)

# For make labs: the objects of the files GIVEN, as the kernels with and without tests have them, in
# OUT/ARCH/KIND, and as the explorer has them, in OUT/host; without what only a debugger reads.
.PHONY: given-objects given-explorer
given_kernel = $(foreach f,$(GIVEN),$(filter %/obj/$f.o,$(KERNEL_OBJECTS)))
given_explorer = $(filter $(GIVEN:%=$(E)/obj/%.o),$(EXPLORED))
# $(call without_debug,OBJCOPY,object,target)
define without_debug
	@mkdir -p '$(dir $3)'
	$Q$1 -g '$2' '$3'

endef
given-objects:
	+@$(if $(given_kernel),$(MAKE) $(given_kernel))
	$(foreach o,$(given_kernel),$(call without_debug,$(OBJCOPY),$o,$(OUT)/$(ARCH)/$(notdir \
		$(B))/$(patsubst $(COMMON)/obj/%,%,$(o:$(B)/obj/%=%))))

given-explorer:
	+@$(if $(given_explorer),$(MAKE) $(given_explorer))
	$(foreach o,$(given_explorer),$(call without_debug,objcopy,$o,$(OUT)/host/$(o:$(E)/obj/%=%)))

starter:
	$(if $(LAB),,$(error starter needs LAB=name, one of: $(all_labs)))
	$(if $(value OUT),,$(error starter needs OUT=dir, where the starter code is written))
	@$(PYTHON) -m labs.stage starter --lab $(LAB) $(call named,out,OUT)

test: $(O)/setup-test.mk
	@$(PYTHON) -m tools.test --build-root '$(O)'

models: $(O)/setup-test.mk
	@$(PYTHON) -m tools.models $(call named,only,ONLY)

test-browser: $(O)/setup-browser.mk
	@$(PYTHON) -m tools.browser --build-root '$(O)'

bench:
	@$(PYTHON) -m bench.report --build-root '$(O)' $(call named,json,JSON)

bench-grade:
	@$(PYTHON) -m bench.grading $(grading) $(if $(LAB),--lab $(LAB)) $(call named,json,JSON)

simulate:
	@$(PYTHON) -m tools.simulate --build-root '$(O)' $(call named,sched,SCHED) \
		$(call named,bootargs,BOOTARGS) $(call named,out,OUT) \
		$(if $(value TASKS),-- "$$TASKS")

lint: $(O)/setup-test.mk
	@$(PYTHON) -m tools.lint $(call named,only,ONLY)

format: $(O)/setup-test.mk
	@$(PYTHON) -m tools.lint.layout --write

# --- Their part of `make help` ----------------------------------------------------------------------

define instructor_goals

For instructors, and for work on Trellis itself:
  make test         build and test everything, in minutes; ends with "N passed, N failed"
  make labs         write the repository that students clone to OUT=dir, or add to it what has changed; MODE,
                    UPTO, COURSE choose
  make starter      write the starter code of LAB=name to OUT=dir, without a repository
  make matrix       grade every known wrong and correct solution of every lab; then run the tests
                    that make test has no time for: other machines, policies, compilers; SHARE does a part
  make own-tests    score the tests that a student has written for LAB=name: how many wrong kernels do they
                    notice, and do they leave right ones alone? SUBMISSION=path has them, an archive or
                    a clone (BRANCH), too
  make gradescope   write the autograder of LAB for Gradescope, a zip file, to OUT (build/LAB.zip)
  make classroom50  write the autograder of LAB for Classroom 50, two files, to the folder OUT
                    (build/classroom50/LAB); COURSE as for labs
  make flake        run the tests of LAB N times (100) while every core is busy: which of them ever fail?
                    FROM=21 goes on after 20 rounds
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
  make bench        instructions per operation, beside xv6 and Linux; growth, locks, latency
  make bench-grade  how many submissions of LAB are graded in a minute, and where the time goes
  make bench-explore    how fast the explorer is, and how much work it saves
  make models       check the models of waiting, exit and kill (docs/models) with Spin
  make simulate     run TASKS=file through SCHED=policy without a machine; OUT=page.html draws it
  make test-browser test pages (timeline, similar submissions) in a Chromium
  make lint         check style as CI does, or with ONLY= a part; make format formats the C files

endef

define instructor_labs

		(matrix also: $(all_mistakes))
endef

define instructor_out
,
		of simulate (a file), and of starter and labs (a directory)
endef

define instructor_variables
  MODE=		labs: cumulative, each lab goes on from the student's own work (if empty), or independent,
		each from the solutions of all before it, which its branch then shows
  UPTO=		labs: the last lab of the repository, such as 04; the course's last if empty
  COURSE=	labs: a file with the course's name, its labs and its rules (docs/instructors.md)
  ONLY=		matrix, models, mutate: only those whose name contains this; portability: distributions
  SHARE=	matrix: 2/8 is the second of eight shares, which are about as large
  MUTATE=	files or folders below kernel/ or arch/ that mutate changes
  FUNCTION=	the one function of it to change
  KILLERS=	explorer: mutate asks only the explorer, which takes minutes; tests: only QEMU; each: QEMU as
		well about what the explorer has noticed; empty: one about what the other has not
  LISTED=	1: mutate asks QEMU, too, about the mutants that equivalent.toml lists: is each entry true?
  ROLES=	1: mutate makes mistakes in one role only: for a real-time thread, for init, in a crowd
  KEEP=		1: mutate makes right kernels of LAB, none of which may lose a point
  MARKDOWN=	1: mutate prints the table as docs/mutation.md has it
  SAMPLE=$(SAMPLE)	how many mutants mutate judges, taken at random; all if empty. With KEEP=1 so many
		kernels with one change, and so many with several; 3 if empty
  JOBS=$(JOBS)		how many mutants at once; as many as cores if empty
  TASKS=	the file of tasks that simulate runs
  ROUNDS=$(ROUNDS)	how often stress runs all tests (5 if empty), and portability grades each lab (10)
  PARTS=	what portability does on each machine, of: refusal,container,hour,grade,wrong,test
  ARCHIVE=	where portability finds a distribution: ubuntu=ADDRESS
  SEED also chooses the policies with which stress begins, and mutate's sample; JSON is for bench, too

endef

define instructor_statuses
  test, lint, matrix, models, mutate, bench, soak, stress, portability    0 nothing failed, 1 something failed

endef
