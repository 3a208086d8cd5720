# Builds tools/probe.c with the tools and flags of a kernel: $(O)/probe.elf. tools/probe.py boots it.

include make/toolchain.mk

start_riscv := 0x80200000
# Above the address that lld uses for an image by default.
start_x86_64 := 0x400000

# -N: no program headers in memory, so the text begins where the firmware jumps to.
$(O)/probe.elf: tools/probe.c
	@$(CC) $(KERNEL_CFLAGS) -c -o $(O)/probe.o $<
	@$(LD) $(KERNEL_LDFLAGS) -N -e start -Ttext=$(start_$(ARCH)) -o $@ $(O)/probe.o
