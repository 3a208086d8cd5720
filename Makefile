# Trellis: the one entry point. `make help` lists goals and variables.
#
# make/toolchain.mk	which compiler, linker and flags
# make/kernel.mk	how a kernel is built from its sources
# make/clangd.mk	the compiler flags, for editors
# make/instructor.mk	goals for instructors and for work on Trellis itself
# user/user.mk		how the user programs and the initramfs are built
#
# Everything generated is in $(O)/<arch>/: a folder for each kind of kernel (see `B` below), one for the
# objects that the kinds share, and user/

# --- What may be set, with defaults -----------------------------------------------------------------

# A student's repository sets LAB and STARTER=1 in lab.mk, and REFERENCE in reference.mk.
-include lab.mk reference.mk

ARCH	?= riscv
BUILD	?= debug
TESTS	?= 0
LLVM	?= 0
O	?= build
# Gives a folder one name, so that files built under its absolute name are found.
override O := $(patsubst $(CURDIR)/%,%,$(O))
V	?= 0
CPUS	?= 4
SCHED	?=
TIMEOUT	?= 120
ICOUNT	?= 0
STARTER	?= 0
SEEDS	?=

# --- Wrong values end here, with one line -----------------------------------------------------------

# $(call one_of,NAME,allowed values): stops unless NAME's value is one of them.
one_of = $(if $(filter 1,$(words $($1))),$(if $(filter $($1),$2),,$(error $1=$($1): must be one of: $2)),\
	$(error $1=$($1): must be one of: $2))
# A name, or another text of the user's, is data: a folder may be called $(reboot), or have a quote or the end
# of a line in its name. make keeps texts as they were typed, and recipes take them out of the environment.
texts := CMD BOOTARGS EXTRA SUBMISSION BRANCH REPORT JSON OUT HTML TEST STEP SCENARIO BOUND RANDOM SECONDS \
	SEED REPLAY SCHED ONLY MUTATE FUNCTION KILLERS MODE UPTO COURSE TASKS PARTS ARCHIVE SHARE
# A machine's own variable of this name, as some build servers have one, must not choose what is graded.
$(if $(filter environment,$(origin BRANCH)),$(eval BRANCH :=))
$(foreach v,$(texts),$(if $(filter command environment,$(firstword $(origin $v))),\
	$(eval override $v := $$(value $v))$(eval export $v)))
# $(call as_typed,NAME): a command; its $ may be written $ or, out of habit, $$.
# $(call quoted,NAME): a value as one word for $(shell), whatever it contains.
as_typed = $(subst $$$$,$$,$(value $1))
quoted = '$(subst ','\'',$(value $1))'
# $(call there,NAME,-d): whether test -d finds it. $(shell) spoils a name of two lines, so the program looks.
there = $(if $(findstring $(newline),$(value $1)),y,$(shell test $2 $(call quoted,$1) && echo y))
define newline


endef
# $(call a_dir,NAME): stops if NAME is set and is no directory; $(call a_path,NAME) if it is nothing at all.
# An empty value is an error too: it comes from a shell variable that was not set.
a_dir = $(call a_path,$1)$(if $(value $1),$(if $(call there,$1,-d),,\
	$(error $1=$(value $1): is a file where a directory is wanted)))
a_path = $(if $(filter undefined,$(origin $1)),,$(if $(value $1),$(if $(call there,$1,-e),,\
	$(error $1=$(value $1): no such directory or file)),\
	$(error $1= is empty: name a directory, or leave it out)))
# $(call a_number,NAME): stops unless NAME is digits.
digits := 0 1 2 3 4 5 6 7 8 9
other_than = $(if $1,$(call other_than,$(wordlist 2,10,$1),$(subst $(firstword $1),,$2)),$2)
a_number = $(if $(filter 1,$(words $(value $1)))$(call other_than,$(digits),$(value $1)),$(if \
	$(call other_than,$(digits),$(value $1)),$(call no_number,$1)),$(call no_number,$1))
no_number = $(error $1=$(value $1): must be a number)

all_labs := $(notdir $(patsubst %/,%,$(dir $(wildcard labs/*/lab.toml))))
# Goals that students do not need; their repositories do not have this file.
-include make/instructor.mk

$(call one_of,ARCH,riscv x86_64)
$(call one_of,BUILD,debug release)
$(call one_of,TESTS,0 1)
$(call one_of,LLVM,0 1)
$(call one_of,V,0 1)
$(call one_of,ICOUNT,0 1)
$(call one_of,STARTER,0 1)
$(call one_of,CPUS,1 2 3 4 5 6 7 8)
$(if $(LAB)$(filter command,$(origin LAB)),$(call one_of,LAB,$(sort $(all_labs) $(also_labs))))
$(call a_dir,EXTRA)
$(call a_path,SUBMISSION)
$(call a_number,TIMEOUT)
$(if $(SEEDS),$(call a_number,SEEDS))
$(if $(SEED),$(call a_number,SEED))
$(if $(BOUND),$(call a_number,BOUND))

# --- Set-up, and the names of what is built ---------------------------------------------------------

MAKEFLAGS += -rR --no-print-directory
ifeq (,$(filter -j%,$(MAKEFLAGS))$(MAKELEVEL:0=))
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif

# A folder of the tree has one name, however it was given: flags name it, and objects depend on them.
override O := $(patsubst $(abspath .)/%,%,$(O))
B := $(O)/$(ARCH)/$(BUILD)$(if $(filter 1,$(TESTS)),-test)$(if $(filter 1,$(LLVM)),-llvm)

.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

# Goals that need no compiler and must work on a machine without any of the packages.
bare_goals := help clean doctor setup
building := $(if $(MAKECMDGOALS),$(filter-out $(bare_goals),$(MAKECMDGOALS)),all)

ifneq (,$(building))
# Whenever the list of packages changes, this file is made again and make restarts: so missing packages
# are installed before they are needed. Sets PYTHON.
include $(O)/setup-base.mk $(if $(filter 1,$(LLVM)),$(O)/setup-test.mk)
ifneq (,$(wildcard $(O)/setup-base.mk))
include make/toolchain.mk make/kernel.mk
include make/explore.mk user/user.mk make/clangd.mk $(wildcard bench/bench.mk tools/soak/soak.mk)
# Here, as each of these files may add programs.
-include $(USER_OBJECTS:.o=.d)
endif
endif

# As young as what it is made from, even if a clock that was put back has left that in the future: else make
# restarts for ever.
$(O)/setup-%.mk: tools/packages.txt tools/setup.sh
	@sh tools/setup.sh $* && mkdir -p $(@D) && echo "PYTHON := $$(sh tools/setup.sh --python)" >$@
	@for file in $^; do [ ! $$file -nt $@ ] || touch -r $$file $@; done

# --- Goals ------------------------------------------------------------------------------------------

.PHONY: help all kernel user setup doctor qemu run timeline gdb qemu-gdb grade challenge replay check explore handin \
	next-lab clean FORCE

# Both ports, or the one that ARCH names on the command line or in the environment.
all:
	@for port in $(if $(filter file,$(origin ARCH)),riscv x86_64,$(ARCH)); do \
		$(MAKE) ARCH=$$port kernel user || exit 1; done

kernel: $(B)/kernel.elf $(O)/compile_commands.json
user: $(B)/initramfs.cpio

# Settings are passed to the programs as options; CMD and BOOTARGS are passed in the environment.
# $(call named,option,NAME): the option with NAME's value, which the shell finds in the environment; nothing if
# NAME is not set. NAME must be one of `texts`.
named = $(if $(value $2),--$1="$$$2")
counted = $(if $(filter 1,$(ICOUNT)),--icount)
machine = --arch $(ARCH) --cpus $(CPUS) --build-dir $(B) $(call named,sched,SCHED)
# A test kernel finds its tests in BOOTARGS=test= or selftest=, and needs no CMD.
export TRELLIS_CMD := $(or $(call as_typed,CMD),$(if $(filter 1,$(TESTS)),true))
export TRELLIS_BOOTARGS := $(call as_typed,BOOTARGS)

# Standard output is for CMD alone, so the build prints to standard error. Tests run before user space, and need
# no programs.
tests_alone = $(and $(filter 1,$(TESTS)),$(filter test=% selftest=%,$(BOOTARGS)))
build_quietly = +@$(MAKE) kernel $(if $(tests_alone),,user) >&2

qemu:
	$(build_quietly)
	@$(PYTHON) tools/run $(machine) --interactive

run:
	$(if $(value CMD)$(filter 1,$(TESTS)),,$(error run needs CMD='...', a command line for the shell))
	$(build_quietly)
	@$(PYTHON) tools/run $(machine) --timeout $(TIMEOUT) $(call named,extra,EXTRA) \
		$(counted) $(if $(filter 1,$(V)),--firmware)

timeline:
	$(if $(value CMD)$(filter 1,$(TESTS)),,$(error timeline needs CMD='...', a command line for the shell))
	$(if $(value OUT),,$(error timeline needs OUT=file.html, or file.json for Perfetto))
	$(build_quietly)
	@$(PYTHON) -m tools.timeline $(call named,out,OUT) $(machine) --timeout $(TIMEOUT) \
		$(call named,extra,EXTRA)

gdb:
	$(build_quietly)
	@$(PYTHON) tools/run $(machine) --gdb $(counted)

qemu-gdb:
	$(build_quietly)
	@$(PYTHON) tools/run $(machine) --gdb-server $(counted)

# Without ARCH on the command line or in the environment both ports are graded.
grading = --build-root '$(O)' --arch $(if $(filter file,$(origin ARCH)),all,$(ARCH))

grade:
	@$(PYTHON) -m grade run $(grading) $(if $(LAB),--lab $(LAB)) $(if $(SEEDS),--seeds $(SEEDS)) \
		$(call named,submission,SUBMISSION) $(call named,branch,BRANCH) $(call named,report,REPORT) \
		$(call named,json,JSON)

challenge:
	$(if $(LAB),,$(error challenge needs LAB=name, one of: $(all_labs)))
	@$(PYTHON) -m grade run --challenges $(grading) --lab $(LAB) \
		$(call named,submission,SUBMISSION) $(call named,branch,BRANCH) $(call named,json,JSON)

replay:
	$(if $(and $(LAB),$(TEST)),,$(error replay needs LAB=name TEST=name, and CPUS= SEED= as the report says))
	@$(PYTHON) -m grade replay --build-root '$(O)' --lab $(LAB) $(call named,test,TEST) --arch $(ARCH) \
		$(if $(filter file,$(origin CPUS)),,--cpus $(CPUS)) $(if $(SEED),--seed $(SEED)) \
		$(call named,submission,SUBMISSION) $(call named,branch,BRANCH) $(if $(filter 1,$(GDB)),--gdb)

check:
	$(if $(and $(LAB),$(STEP)),,$(error check needs LAB=name STEP=number))
	$(if $(SUBMISSION)$(BRANCH)$(JSON),$(error check is of the files here: grade and explore take SUBMISSION, BRANCH and JSON))
	@$(PYTHON) -m labs.check $(grading) --lab $(LAB) $(call named,step,STEP)

explore:
	@$(PYTHON) -m tools.explore --build-root '$(O)' $(if $(LAB),--lab $(LAB)) $(call named,step,STEP) \
		$(call named,scenario,SCENARIO) $(call named,submission,SUBMISSION) $(call named,branch,BRANCH) \
		$(call named,bound,BOUND) $(call named,random,RANDOM) $(call named,seconds,SECONDS) \
		$(call named,seed,SEED) \
		$(call named,replay,REPLAY) $(if $(filter 1,$(GDB)),--gdb) $(call named,html,HTML) $(call named,json,JSON)

# In a student's repository, which the course has made with `make labs`.
handin:
	$(if $(LAB),,$(error handin needs LAB=name, one of: $(all_labs)))
	@$(PYTHON) -m labs.handin --build-root '$(O)' --lab $(LAB) $(call named,out,OUT)

next-lab:
	@$(PYTHON) -m labs.next_lab $(if $(filter command,$(origin REFERENCE)),--reference $(call quoted,REFERENCE))

setup:
	@sh tools/setup.sh base

doctor:
	@sh tools/setup.sh --doctor

clean:
	rm -rf '$(O)'

FORCE:

include make/help.mk
help:
	$(info $(help))@:
