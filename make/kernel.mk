# How a kernel is built: every .c of kernel/ and every .c and .S of arch/$(ARCH)/, by wildcard.
#
# Tests and the grader's instruments are linked into test kernels (TESTS=1) only. The kernel is linked with an
# empty symbol table, and tools/ksyms.py then writes the functions into it.
#
# Most files are the same in kernels with and without tests: they are compiled once, without
# TRELLIS_TESTS, into $(COMMON). Each kind compiles its own objects ($(B)/obj) of tests, of files that
# contain TEST_BUILD, and of files with hooks.

KERNEL := $(B)/kernel.elf

sources := $(wildcard kernel/*.c kernel/*/*.c kernel/*/*/*.c arch/$(ARCH)/*.c arch/$(ARCH)/*.S)
include make/given.mk
tests := $(wildcard kernel/*/test_*.c kernel/*/*/test_*.c arch/$(ARCH)/test_*.[cS] labs/*/tests/*.c)
instruments := $(wildcard kernel/test/*.c kernel/*/audit.c)

ifeq ($(TESTS),1)
KERNEL_SOURCES := $(sort $(filter-out $(given),$(sources)) $(tests))
else
KERNEL_SOURCES := $(filter-out $(given) $(tests) $(instruments),$(sources))
endif

COMMON := $(O)/$(ARCH)/$(BUILD)-common$(if $(filter 1,$(LLVM)),-llvm)
hooked := kernel/lock/% kernel/thread/% kernel/sched/% kernel/sync/% kernel/process/%
own := $(filter $(hooked),$(sources)) $(tests) $(instruments) $(shell grep -lw TEST_BUILD $(sources))
COMMON_OBJECTS := $(patsubst %,$(COMMON)/obj/%.o,$(filter-out $(own),$(KERNEL_SOURCES)))
OWN_OBJECTS := $(patsubst %,$(B)/obj/%.o,$(filter $(own),$(KERNEL_SOURCES)))
KERNEL_OBJECTS := $(COMMON_OBJECTS) $(OWN_OBJECTS) $(given_objects)
linker_script := $(wildcard arch/$(ARCH)/*.ld)

# Writes a file only if its content changes: a step that depends on it is repeated when flags change,
# or when a source file was added or removed.
# $(call remember,text)
remember = @mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$1)' | cmp -s - $@ || \
	printf '%s\n' '$(subst ','\'',$1)' >$@

# For tools/lint: how the kernel's files are compiled.
.PHONY: kernel-command
kernel-command:
	@echo '$(CC) $(KERNEL_CFLAGS)'

# For tools/lint: the names that each object defines and uses.
.PHONY: kernel-names
kernel-names: $(KERNEL_OBJECTS)
	@$(NM) -A $(KERNEL_OBJECTS)

COMMON_CFLAGS = $(filter-out -DTRELLIS_TESTS=%,$(KERNEL_CFLAGS))

# Every object depends on one of these, so the folders for all of them are made here.
$(B)/flags: FORCE
	@mkdir -p $(@D) $(sort $(dir $(OWN_OBJECTS)))
	$(call remember,$(shell $(CC) --version | head -n 1) $(CC) $(KERNEL_CFLAGS) $(LD) $(KERNEL_LDFLAGS) \
		$(hooks) $(hooked))

$(COMMON)/flags: FORCE
	@mkdir -p $(@D) $(sort $(dir $(COMMON_OBJECTS)))
	$(call remember,$(shell $(CC) --version | head -n 1) $(CC) $(COMMON_CFLAGS))

$(B)/sources: FORCE
	$(call remember,$(KERNEL_SOURCES) $(given_objects))

# In test kernels the functions that labs are about call a hook at entry and at exit, for sweep and park.
# Small inline functions of public headers do not; those of private headers are part of their folder.
private_headers := kernel/sched/internal.h kernel/sched/policy/reserve.h $(wildcard kernel/*/*_impl.h)
comma := ,
empty :=
unhooked := arch/ $(filter-out $(private_headers),$(wildcard kernel/*/*.h kernel/*/*/*.h))
ifeq ($(TESTS)$(LLVM),10)
hooks := -finstrument-functions \
	-finstrument-functions-exclude-file-list=$(subst $(empty) ,$(comma),$(strip $(unhooked)))
else ifeq ($(TESTS)$(LLVM),11)
hooks := -finstrument-functions-after-inlining
endif
# Test kernels also check every context switch (arch/$(ARCH)/test_registers.S), and can see what the console
# sends (kernel/test/uart_tap.c).
wrapped := arch_switch uart_send uart_send_polled uart_send_ready uart_interrupts
ifeq ($(TESTS),1)
$(KERNEL): private KERNEL_LDFLAGS += $(wrapped:%=--wrap=%)
endif
$(filter $(hooked:%=$(B)/obj/%),$(OWN_OBJECTS)): private KERNEL_CFLAGS += $(hooks)

# Backtraces need no line below a system call's function, so these functions need no frame pointer.
$(COMMON)/obj/kernel/abi/table.c.o: private KERNEL_CFLAGS += -fomit-frame-pointer

# The list of headers names its object by a variable, whose value may be a relative or an absolute path.
$(B)/obj/%.o: % $(B)/flags
	$(call say,CC,$<)
	$Q$(CC) $(KERNEL_CFLAGS) $(STARTER_WARNINGS) -MMD -MP -MT '$$(B)/obj/$<.o' -c -o $@ $<

$(COMMON)/obj/%.o: % $(COMMON)/flags
	$(call say,CC,$<)
	$Q$(CC) $(COMMON_CFLAGS) $(STARTER_WARNINGS) -MMD -MP -MT '$$(COMMON)/obj/$<.o' -c -o $@ $<

$(B)/ksyms.S: tools/ksyms.py | $(B)/flags
	$Q$(PYTHON) $< --room >$@

$(B)/ksyms.o: $(B)/ksyms.S $(B)/flags
	$Q$(CC) $(KERNEL_CFLAGS) -c -o $@ $<

# STRIPPED=1 is for the grader, which links many kernels, each in a new folder, and debugs none of them.
$(KERNEL): $(KERNEL_OBJECTS) $(B)/ksyms.o $(linker_script) $(B)/sources
	$(call say,LD,$@)
	$Q$(LD) $(KERNEL_LDFLAGS) $(if $(filter 1,$(STRIPPED)),--strip-debug) -T $(linker_script) -o $@.part \
		$(KERNEL_OBJECTS) $(B)/ksyms.o
	$Q$(NM) $@.part | $(PYTHON) tools/ksyms.py --fill $@.part
	$Qmv $@.part $@

-include $(COMMON_OBJECTS:.o=.d) $(OWN_OBJECTS:.o=.d)
