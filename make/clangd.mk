# How clangd compiles each C file and header: $(O)/compile_commands.json, which it finds in build/.
#
# It covers the whole tree and both ports, whichever port was built, with the flags of test kernels and
# with clangd's own <stddef.h> and the like. tools/compdb.py says which file has which flags.

ports := riscv x86_64

# $(call for_ports,kind,names of variables that hold flags): an option for each port.
for_ports = $(foreach TESTS,1,$(foreach debug,1,$(foreach ARCH,$(ports),\
	--$1 '$(ARCH)=$(foreach flags,$2,$($(flags)))')))

commands := $(O)/compile_commands.json
$(commands): private machine_riscv := $(clang_riscv)
$(commands): private sanitizer :=
$(commands): private CC_HEADERS := -nostdlibinc
$(commands): private SYSCALL_NUMBERS = $(O)/clangd/$(ARCH)
$(commands): $(B)/sources $(B)/flags $U/flags $U/programs make/clangd.mk tools/compdb.py
	@mkdir -p $(foreach ARCH,$(ports),$(SYSCALL_NUMBERS)/bits)
	@$(foreach ARCH,$(ports),$(PYTHON) -m tools.syscalls \
		--arch $(ARCH) >$(SYSCALL_NUMBERS)/bits/syscall.h &&) true
	$Q$(PYTHON) -m tools.compdb --output $@ $(call for_ports,kernel,KERNEL_CFLAGS) \
		$(call for_ports,user,USER_CFLAGS) $(call for_ports,libc,USER_CFLAGS LIBC_CFLAGS)
