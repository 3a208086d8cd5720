# How the user programs and the initramfs are built.
#
#	user/libc		one library, of which each program takes what it uses
#	user/bin, user/tests	one program per .c file, or per folder of them
#
# Programs with their symbols are $U/bin/* and $U/tests/*; without symbols they go, with the scripts of
# user/tests, into $U/rootfs, and that tree into $(B)/initramfs.cpio. All kinds of kernel share them.
# Another folder of programs joins by $(eval $(call programs,folder,where in the root file system)).

U := $(O)/$(ARCH)/user$(if $(filter 1,$(LLVM)),-llvm)
SYSCALL_NUMBERS := $U/include
ROOTFS := $(U)/rootfs

user_machine_riscv := -march=rv64gc -mabi=lp64d
user_machine_x86_64 := -m64 -fcf-protection=none
ifeq ($(LLVM),1)
libgcc :=
user_no_loops := -fno-builtin
else
libgcc := $(shell $(CC) $(user_machine_$(ARCH)) -print-libgcc-file-name)
user_no_loops := -fno-builtin -fno-tree-loop-distribute-patterns
endif

# Tests, tools/ has some too, are to be debugged and not to be fast; and they are half of what there is to
# compile.
USER_OPT = -O2
USER_OPT_TESTS = -Og

USER_CFLAGS = $(user_machine_$(ARCH)) -std=gnu11 -D_GNU_SOURCE $(USER_OPT) -g -fno-common \
	-fno-stack-protector -fno-pic -fno-pie -fno-asynchronous-unwind-tables -fno-math-errno \
	-ffp-contract=off -ffunction-sections -fdata-sections $(WARNINGS) -nostdlib -Iuser/libc \
	-Ikernel -isystem user/libc/include -isystem user/libc/$(ARCH)/include -isystem $(SYSCALL_NUMBERS) \
	$(CC_HEADERS)
USER_LDFLAGS = -m $(emulation_$(ARCH)) -nostdlib -static --gc-sections --build-id=none -z noexecstack \
	-z max-page-size=4096 $(user_ld_$(ARCH))

ifeq ($(LLVM),1)
USER_LDFLAGS += -z nostart-stop-gc	# a section that is only known by __start_ and __stop_ stays
endif

user_ld_x86_64 := -z norelro -z noseparate-code

# The library's own functions must not become calls of themselves.
LIBC_CFLAGS = -Iuser/libc/$(ARCH) $(user_no_loops)

libc_sources := $(wildcard user/libc/*.c user/libc/$(ARCH)/*.c user/libc/$(ARCH)/*.S)
libc_objects := $(patsubst %,$U/obj/%.o,$(libc_sources))
LIBC := $U/libc.a

$U/flags: FORCE
	@mkdir -p $(sort $(dir $(libc_objects) $(USER_OBJECTS)))
	$(call remember,$(shell $(CC) --version | head -n 1) $(USER_CFLAGS) $(LIBC_CFLAGS) $(LD) \
		$(USER_LDFLAGS) $(USER_OPT_TESTS))

# For tools/lint: how these files are compiled, and what they include.
.PHONY: user-command
user-command: $U/include/bits/syscall.h
	@echo '$(CC) $(USER_CFLAGS) $(LIBC_CFLAGS)'

# SYS_ numbers, from the kernel's own table.
$U/include/bits/syscall.h: kernel/abi/syscalls.def tools/syscalls.py
	@mkdir -p $(@D)
	$Q$(PYTHON) -m tools.syscalls --arch $(ARCH) >$@

# -MD, not -MMD: the library's headers are system headers to the compiler.
$U/obj/%.o: % $U/flags | $U/include/bits/syscall.h
	$(call say,CC,$<)
	$Q$(CC) $(USER_CFLAGS) $(USER_EXTRA) -MD -MP -MT '$$U/obj/$<.o' -c -o $@ $<

$(libc_objects): private USER_EXTRA = $(LIBC_CFLAGS)
$U/obj/user/tests/%.o $U/obj/tools/%.o: private USER_OPT = $(USER_OPT_TESTS)

$U/libc.sources: FORCE
	$(call remember,$(libc_sources))

$(LIBC): $(libc_objects) $U/libc.sources
	$(call say,AR,$@)
	@rm -f $@
	$Q$(AR) rcs $@ $(libc_objects)

# $(call program,name,sources): $U/name.
define program
$U/$1: $(patsubst %,$U/obj/%.o,$2) $(LIBC)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$Q$$(LD) $$(USER_LDFLAGS) -o $$@ $(patsubst %,$U/obj/%.o,$2) $$(LIBC) $$(libgcc)
USER_PROGRAMS += $1
USER_OBJECTS += $(patsubst %,$U/obj/%.o,$2)
endef

# $(call programs,folder,where): one for each .c file and each folder in @folder. A folder's .c and .S
# files, and those of its subfolder $(ARCH), make one program.
define programs
$(foreach f,$(wildcard $1/*.c),$(eval $(call program,$2/$(basename $(notdir $f)),$f)))
$(foreach d,$(patsubst %/,%,$(wildcard $1/*/)),$(if $(wildcard $d/*.c),$(eval $(call \
	program,$2/$(notdir $d),$(wildcard $d/*.c $d/$(ARCH)/*.c $d/$(ARCH)/*.S)))))
endef

USER_PROGRAMS :=
USER_OBJECTS := $(libc_objects)
$(call programs,user/bin,bin)
$(call programs,user/tests,tests)

# The tree is made afresh when anything changes, so that nothing stays in it that is gone. /init is
# a program like the others, in its own place.
#
# /etc/help, for the shell's "help": the comments at the top of the programs, as paragraphs.
first_comment = FNR == 1 { on = 1 } on { last = /\*\//; sub(/ *\*\/$$/, ""); sub(/^(\/\*| \*) ?/, ""); \
	if ($$0 != "") print; if (last) { on = 0; print "" } }
user_scripts := $(wildcard user/tests/*.sh)
user_etc := $(wildcard user/etc/*)

$U/programs: FORCE
	$(call remember,$(USER_PROGRAMS) $(user_scripts) $(user_etc))

$U/rootfs.made: $(addprefix $U/,$(USER_PROGRAMS)) $(user_scripts) $(user_etc) $U/programs
	@rm -rf $(ROOTFS)
	@mkdir -p $(addprefix $(ROOTFS)/,bin tests etc dev proc tmp home/student $(dir $(USER_PROGRAMS)))
	@for p in $(USER_PROGRAMS); do $(OBJCOPY) -S $U/$$p $(ROOTFS)/$$p || exit 1; done
	@mv $(ROOTFS)/bin/init $(ROOTFS)/init
	@$(if $(user_scripts),cp $(user_scripts) $(ROOTFS)/tests/)
	@cp $(user_etc) $(ROOTFS)/etc/
	@awk '$(first_comment)' $(sort $(wildcard user/bin/*.c user/bin/*/main.c)) >$(ROOTFS)/etc/help
	@chmod -R u=rwX,go=rX $(ROOTFS)
	@chmod 1777 $(ROOTFS)/tmp
	@chmod 600 $(ROOTFS)/etc/shadow
	@chmod u+s $(addprefix $(ROOTFS)/bin/,su login)
	@touch $@

$(B)/initramfs.cpio: $U/rootfs.made tools/cpio.py
	$(call say,CPIO,$@)
	$Q$(PYTHON) -m tools.cpio --tree $(ROOTFS) --owner home/student=1000:1000 --output $@
