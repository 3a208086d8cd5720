# Programs for tests, in an archive that the tests append to the initramfs: each folder here and in
# tools/diff that contains C files becomes one program, /soak/NAME.

user_programs := $(USER_PROGRAMS)
USER_PROGRAMS :=
$(foreach f,$(sort $(dir $(wildcard tools/soak/*/*.c tools/diff/*/*.c))),$(eval $(call \
	program,soak/$(notdir $(f:/=)),$(wildcard $f*.c))))
SOAK_PROGRAMS := $(USER_PROGRAMS)
USER_PROGRAMS := $(user_programs)

$(B)/soak.cpio: $(addprefix $U/,$(SOAK_PROGRAMS)) tools/cpio.py
	$(call say,CPIO,$@)
	@for p in $(SOAK_PROGRAMS); do $(OBJCOPY) -S $U/$$p $U/$$p.stripped || exit 1; done
	$Q$(PYTHON) -m tools.cpio --output $@ $(foreach p,$(SOAK_PROGRAMS),--file $p=$U/$p.stripped)

.PHONY: soak-programs
soak-programs: kernel user $(B)/soak.cpio
