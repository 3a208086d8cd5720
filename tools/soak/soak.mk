# Programs that are made to hurt, in an archive that tests put behind the initramfs: each folder here
# is one, /soak/NAME. They are none of the user tests, because those run on this machine, too.

user_programs := $(USER_PROGRAMS)
USER_PROGRAMS :=
$(foreach f,$(wildcard tools/soak/*/),$(eval $(call \
	program,soak/$(notdir $(f:/=)),$(wildcard $f*.c))))
SOAK_PROGRAMS := $(USER_PROGRAMS)
USER_PROGRAMS := $(user_programs)

$(B)/soak.cpio: $(addprefix $U/,$(SOAK_PROGRAMS)) tools/cpio.py
	$(call say,CPIO,$@)
	@for p in $(SOAK_PROGRAMS); do $(OBJCOPY) -S $U/$$p $U/$$p.stripped || exit 1; done
	$Q$(PYTHON) -m tools.cpio --output $@ $(foreach p,$(SOAK_PROGRAMS),--file $p=$U/$p.stripped)

.PHONY: soak-programs
soak-programs: kernel user $(B)/soak.cpio
