# The system call fuzzer: /soak/fuzz, in an archive that `make soak` puts behind the initramfs.

USER_OBJECTS += $U/obj/tools/soak/fuzz.c.o

$U/soak/fuzz: $U/obj/tools/soak/fuzz.c.o $(LIBC)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$Q$(LD) $(USER_LDFLAGS) -o $@.full $< $(LIBC) $(libgcc)
	$Q$(OBJCOPY) -S $@.full $@

$(B)/soak.cpio: $U/soak/fuzz tools/cpio.py
	$(call say,CPIO,$@)
	$Q$(PYTHON) -m tools.cpio --output $@ --file soak/fuzz=$<

.PHONY: soak-programs
soak-programs: kernel user $(B)/soak.cpio
