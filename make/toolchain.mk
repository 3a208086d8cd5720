# Which tools, and the flags that every part of a build shares.
#
# Sets CC LD AR NM OBJCOPY OBJDUMP READELF, MACHINE_FLAGS (what the port's instruction set needs), WARNINGS,
# CC_HEADERS, KERNEL_CFLAGS and KERNEL_LDFLAGS, and the short lines that a build prints.

# $(call first_of,programs): the first that is installed, or else the first of the list. (If a command
# is missing, dash exits with status 127, which make takes for its own failure to start a shell.)
first_of = $(firstword $(shell for t in $1; do command -v $$t; done 2>/dev/null; true) $1)

host := $(shell uname -m)
gcc_riscv := riscv64-unknown-elf-gcc riscv64-elf-gcc riscv64-linux-gnu-gcc riscv64-suse-linux-gcc
gcc_x86_64 := x86_64-linux-gnu-gcc x86_64-elf-gcc $(if $(filter x86_64,$(host)),gcc)

ifeq ($(LLVM),1)
CC := clang --target=$(if $(filter riscv,$(ARCH)),riscv64,x86_64)-unknown-elf
LD := ld.lld
AR := llvm-ar
NM := llvm-nm
OBJCOPY := llvm-objcopy
OBJDUMP := llvm-objdump
READELF := llvm-readelf
else
ifndef CROSS
CROSS := $(patsubst %gcc,%,$(notdir $(call first_of,$(gcc_$(ARCH)))))
endif
CC := $(CROSS)gcc
LD := $(CROSS)ld
AR := $(CROSS)ar
NM := $(CROSS)nm
OBJCOPY := $(CROSS)objcopy
OBJDUMP := $(CROSS)objdump
READELF := $(CROSS)readelf
endif

machine_riscv := -march=rv64imac_zicsr_zifencei -mabi=lp64
machine_x86_64 := -m64
# Clang 14 has zicsr and zifencei in its base set and does not know the names.
clang_riscv := -march=rv64imac -mabi=lp64
kernel_riscv := -mcmodel=medany
kernel_x86_64 := -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fcf-protection=none
ifeq ($(LLVM),1)
machine_riscv := $(clang_riscv)
endif
emulation_riscv := elf64lriscv
emulation_x86_64 := elf_x86_64

MACHINE_FLAGS = $(machine_$(ARCH))
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
# Without the solutions some functions and parameters are unused, and one macro can make a million mistakes.
# These flags are not in KERNEL_CFLAGS, since they do not change the objects.
FEW_ERRORS := -fmax-errors=50
STARTER_WARNINGS := $(if $(filter 1,$(STARTER)),-Wno-unused -Wno-unused-parameter $(FEW_ERRORS))

# stddef.h, stdarg.h and the like, which are the compiler's own.
CC_HEADERS := -nostdinc -isystem $(shell $(CC) -print-file-name=include)

debug := $(if $(filter debug,$(BUILD)),1,0)

# Without four checks that would be at every pointer, and make a kernel three times as large and half as
# fast: the hardware or poison finds the same mistakes at no cost.
sanitizer := -fsanitize=undefined -fno-sanitize=null,alignment,object-size,pointer-overflow
ifeq ($(LLVM),1)
# For this check newer Clangs put a word before each function; GCC does not have it.
sanitizer += -fno-sanitize=function
endif

KERNEL_CFLAGS = $(MACHINE_FLAGS) $(kernel_$(ARCH)) -std=gnu11 -O2 -g -ffreestanding -fno-common \
	-fno-omit-frame-pointer -fno-stack-protector -fno-strict-aliasing -fno-pic -fno-pie \
	-fno-asynchronous-unwind-tables $(WARNINGS) -nostdlib $(CC_HEADERS) \
	-Ikernel/include -Ikernel -Iarch/$(ARCH) \
	-DTRELLIS_DEBUG=$(debug) -DTRELLIS_TESTS=$(TESTS) \
	$(if $(filter 1,$(debug)),$(sanitizer))

KERNEL_LDFLAGS := -m $(emulation_$(ARCH)) -nostdlib -static --no-dynamic-linker --build-id=none \
	-z noexecstack -z max-page-size=4096

# $(call say,WHAT,file): the short line of a step; the command itself is shown with V=1.
Q := $(if $(filter 0,$(V)),@)
say = $(if $(Q),$(info $(empty)  $1	$2))
