# The benchmark programs: /bench/ops and /bench/nothing, in an archive that bench/report.py appends to
# the initramfs; and a payload that measures the firmware.

ops_objects := $(patsubst %,$U/obj/%.o,$(wildcard bench/ops/*.c))
USER_OBJECTS += $(ops_objects)

# The meter recognizes this program by its addresses, which no other program uses.
$U/bench/ops: private place := -Ttext-segment=0x20000000
$U/bench/ops: $(ops_objects) $(LIBC)
$U/bench/nothing: $U/obj/bench/nothing.c.o $(LIBC)
$U/bench/ops $U/bench/nothing:
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$Q$(LD) $(USER_LDFLAGS) $(place) -o $@.full $(filter %.o,$^) $(LIBC) $(libgcc)
	$Q$(OBJCOPY) -S $@.full $@

$(B)/bench.cpio: $U/bench/ops $U/bench/nothing tools/cpio.py
	$(call say,CPIO,$@)
	$Q$(PYTHON) -m tools.cpio --output $@ --file bench/ops=$U/bench/ops \
		--file bench/nothing=$U/bench/nothing

firmware_text_riscv := 0x80200000
firmware_text_x86_64 := 0x200000

$(B)/firmware.elf: bench/firmware/$(ARCH).S $(B)/flags
	$Q$(CC) $(MACHINE_FLAGS) -c -o $@.o $<
	$Q$(LD) -m $(emulation_$(ARCH)) -n -e start -Ttext $(firmware_text_$(ARCH)) -o $@ $@.o

# How fast the explorer is, and how much it leaves out.
.PHONY: bench-explore
bench-explore: $(E)/explore
	@$(PYTHON) -m bench.explore $(call named,json,JSON) '$<'

# The QEMU plugins that watch a kernel: the meter, and the mutation engine's.
qemu_major = $(shell qemu-system-riscv64 --version | sed -n '1s/.*version \([0-9]*\).*/\1/p')
plugin_version = $(if $(filter 4 5 6 7 8,$(qemu_major)),1,$(if $(filter 9 10,$(qemu_major)),2,7))

$(O)/host/meter.so: bench/meter/meter.c
$(O)/host/ran.so: tools/mutate/ran.c
$(O)/host/meter.so $(O)/host/ran.so: bench/meter/qemu_plugin.h
	$(call say,HOSTCC,$@)
	@mkdir -p $(@D)
	$Qgcc -std=gnu11 -O2 $(WARNINGS) -fPIC -shared -fvisibility=hidden -Ibench/meter \
		-DPLUGIN_VERSION=$(plugin_version) -o $@ $(filter %.c,$^)

.PHONY: ran-plugin
ran-plugin: $(O)/host/ran.so

# The places in the kernel that the meter watches.

$(B)/meter.places: $(KERNEL) $U/bench/ops bench/meter/places.py
	$(call say,PLACES,$@)
	$Q$(PYTHON) -m bench.meter.places $(ARCH) --nm '$(NM)' --objdump '$(OBJDUMP)' \
		--kernel $(KERNEL) --ops $U/bench/ops.full --output $@

.PHONY: bench-programs
bench-programs: kernel user $(B)/bench.cpio $(B)/firmware.elf $(B)/meter.places $(O)/host/meter.so

-include $(ops_objects:.o=.d)
