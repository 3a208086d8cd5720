# How the explorer is built: a program of this machine, from the kernel's core and arch/host.
#
# The core is compiled with -fsanitize=thread, which makes the compiler call a function at each access to
# memory; tools/explore/access.c has those functions, and the sanitizer's own library is not linked. The
# core's variables get sections of their own, so that the explorer finds and copies them; so does the
# text of the spin locks, whose accesses it treats specially.

EXPLORE_CC ?= gcc
E := $(O)/explore

explored := $(filter-out $(tests) $(instruments), \
	$(wildcard kernel/sched/*.c kernel/sched/policy/*.c kernel/sync/*.c kernel/thread/*.c)) \
	$(addprefix kernel/base/,bootargs.c counters.c irq.c printf.c rbtree.c string.c trace.c) \
	$(addprefix kernel/process/,deliver.c edge.c futex.c futex_pi.c group.c hold.c kill.c mqueue.c \
		mqueue_name.c pending.c posix_timer.c process.c robust.c signal.c stop.c threads.c zombie.c) \
	kernel/lock/spinlock.c \
	$(addprefix kernel/mm/,cow.c fault.c fork.c map.c protect.c region.c rmap.c shootdown.c space.c \
		uaccess.c walk.c zap.c) \
	arch/host/pages.c arch/host/tlb.c arch/host/uaccess.c
# Those in mine/ are a student's own.
scenarios := $(wildcard labs/*/scenarios/*.c labs/*/scenarios/mine/*.c tools/explore/scenarios/*.c)
explorer := $(wildcard tools/explore/*.c)
host_port := $(filter-out $(explored),$(wildcard arch/host/*.c))

EXPLORED := $(patsubst %,$(E)/obj/%.o,$(filter-out $(given),$(explored)) $(scenarios))
EXPLORER := $(patsubst %,$(E)/obj/%.o,$(explorer) $(host_port))

# Some inline functions of arch.h have no meaning here, so they are declared and never defined.
EXPLORE_WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror \
	-Wno-unused-function
SURE_ERRORS := -Werror=implicit-function-declaration -Werror=int-conversion \
	-Werror=incompatible-pointer-types
EXPLORE_CFLAGS := -std=gnu11 -g -fno-pie -fno-omit-frame-pointer -fno-stack-protector $(EXPLORE_WARNINGS)
# Not in $(E)/flags, as they do not change what is made: objects are copied from tree to tree. Whether a
# student's files give warnings, the build of the kernel says. It has no scenarios: in those of a student a
# call of a function that is not declared, or a number for a pointer, would make a program that goes wrong.
no_warnings = $(if $(findstring /scenarios/,$<),-Wno-error $(SURE_ERRORS),-w)
explore_also = -ffile-prefix-map=$(CURDIR)=. $(if $(filter 1,$(STARTER)),$(no_warnings) $(FEW_ERRORS))
as_kernel := -ffreestanding -fno-builtin -Ikernel/include -Ikernel -Iarch/host -Itools \
	-DTRELLIS_DEBUG=0 -DTRELLIS_TESTS=0 -include tools/host/rename.h

$(E)/flags: FORCE
	@mkdir -p $(@D) $(sort $(dir $(EXPLORED) $(EXPLORER)))
	$(call remember,$(shell $(EXPLORE_CC) --version | head -n 1) $(EXPLORE_CFLAGS) $(as_kernel))

$(E)/sources: FORCE
	@mkdir -p $(@D)
	$(call remember,$(explored) $(given_explored) $(scenarios) $(explorer) $(host_port))

as_explored := -O1 -fsanitize=thread -ffunction-sections $(as_kernel)
$(EXPLORED): private EXPLORE_CFLAGS += $(as_explored)
# Threads have no spaces here, and user memory is a space of its own kind. arch/host/uaccess.c has these
# functions, and calls the kernel's by another name.
$(E)/obj/kernel/mm/space.c.o: private EXPLORE_CFLAGS += -Das_switch=as_switch_real -Das_put=as_put_real
$(E)/obj/kernel/mm/fault.c.o: private EXPLORE_CFLAGS += -Das_pin_page=as_pin_page_real
$(patsubst %,$(E)/obj/%.o,$(filter-out arch/host/absent.c,$(host_port))): private \
	EXPLORE_CFLAGS += -O3 -flto $(as_kernel)
$(patsubst %,$(E)/obj/%.o,$(explorer) arch/host/absent.c): private EXPLORE_CFLAGS += -O3 -flto -Iarch/host

$(E)/obj/%.o: % $(E)/flags
	$(call say,CC,$<)
	$Q$(EXPLORE_CC) $(EXPLORE_CFLAGS) $(explore_also) -MMD -MP -MT '$$(E)/obj/$<.o' -c -o $@ $<

lock_text := spin_lock spin_lock_nested spin_unlock wait_and_grab
$(E)/core.o: $(EXPLORED) $(given_explored) $(E)/sources
	$Qobjcopy $(lock_text:%=--rename-section .text.%=klock) --rename-section .text.spin_trylock=ktrylock \
		$(E)/obj/kernel/lock/spinlock.c.o $(E)/spinlock.o
	$Qld -r --unique=klock -o $(E)/all.o $(E)/spinlock.o \
		$(filter-out $(E)/obj/kernel/lock/spinlock.c.o,$(EXPLORED)) $(given_explored)
	$Qobjcopy --rename-section .data=kdata --rename-section .bss=kbss $(E)/all.o $@

# The explorer and its port are compiled as one: a function is called for each access, and another for each
# answer it needs. It is done before the core is linked, so it is not repeated for each of many submissions.
$(E)/explorer.o: $(EXPLORER)
	$(call say,LD,$@)
	$Q$(EXPLORE_CC) $(EXPLORE_CFLAGS) -O3 -flto -r -flinker-output=nolto-rel -flto-partition=none -o $@ $^

$(E)/explorer.names: $(E)/explorer.o
	$Qnm --defined-only $< | sed 's/.* //' | LC_ALL=C sort >$@

# An object with sections for link-time optimization, which a source can ask for, must not start a compiler
# with the options that are in them.
no_lto := -fno-lto -fno-use-linker-plugin
# Names that the core wants and the explorer does not have are absent: those of the C library, too, with which
# a submission could print what the explorer prints.
$(E)/explore: $(E)/core.o $(E)/explorer.names $(E)/explorer.o
	$(call say,LD,$@)
	$Qnm -u $< | sed 's/.* //' | LC_ALL=C sort | LC_ALL=C comm -23 - $(E)/explorer.names | \
		sed 's/.*/& absent_&/' >$(E)/absent && objcopy --redefine-syms=$(E)/absent $< $@.o
	$Q$(EXPLORE_CC) $(no_lto) -no-pie -Wl,--unresolved-symbols=ignore-all -o $@ $@.o $(E)/explorer.o

# For tools/mutate: how the core's files are compiled, and which these are.
.PHONY: explore-command
explore-command:
	@echo '$(EXPLORE_CC) $(EXPLORE_CFLAGS) $(as_explored)'
	@echo '$(explored)'

.PHONY: explorer
explorer: $(E)/explore

-include $(EXPLORED:.o=.d) $(EXPLORER:.o=.d)
