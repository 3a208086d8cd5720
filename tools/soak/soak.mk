# The system call fuzzer: /soak/fuzz, in an archive that tests put behind the initramfs. It is none of
# the user tests: those run on this machine, too.

fuzz_objects := $(patsubst %,$U/obj/%.o,$(wildcard tools/soak/fuzz/*.c))
USER_OBJECTS += $(fuzz_objects)

$U/soak/fuzz: $(fuzz_objects) $(LIBC)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$Q$(LD) $(USER_LDFLAGS) -o $@.full $(fuzz_objects) $(LIBC) $(libgcc)
	$Q$(OBJCOPY) -S $@.full $@

$(B)/soak.cpio: $U/soak/fuzz tools/cpio.py
	$(call say,CPIO,$@)
	$Q$(PYTHON) -m tools.cpio --output $@ --file soak/fuzz=$<

.PHONY: soak-programs
soak-programs: kernel user $(B)/soak.cpio
