# Files that a student's repository has as objects, made from the reference: those of labs that are still
# to come, which have no source here, and of earlier labs. Sets
#
#	given		the files that are taken from there
#	given_objects	their objects for this kernel
#	given_explored	their objects for the explorer
#
# An object takes the place of a source that is absent; of one that still has a stub; and of one that belongs
# to a lab that REFERENCE names. given/labs.mk has, for each lab, its files, such as files_04-sleep.
#
# There is no object for a lab that the course wants students to finish by themselves, nor for the present
# one; and none is taken for LAB, the one that is being checked or graded.

-include $(wildcard given/labs.mk)

given_home := given/$(ARCH)/$(notdir $(B))
given_there := $(patsubst given/$(ARCH)/debug/%.o,%,$(wildcard given/$(ARCH)/debug/*/*/*.o \
	given/$(ARCH)/debug/*/*/*/*.o))
given_unfinished := $(if $(given_there),$(shell grep -lsw -e lab_todo -e LAB_TODO $(given_there)))
given_replaced := $(given_unfinished) $(foreach l,$(REFERENCE),$(files_$l))
given_written := $(filter-out $(given_replaced),$(wildcard $(given_there))) $(files_$(LAB))
given := $(filter-out $(given_written),$(given_there))
given_objects := $(given:%=$(given_home)/%.o)
given_explored := $(wildcard $(given:%=given/host/%.o))

ifneq (,$(given))
$(if $(filter debug-0,$(BUILD)-$(LLVM)),,$(error this repository has objects for BUILD=debug and LLVM=0 only))
endif
