/*
 * A scenario's entry in the list that the linker makes (scenario.h). Both sides include this, so it
 * uses neither the kernel's headers nor the C library's.
 */
#pragma once

struct scenario {
	const char *name;
	const char *step;		/* "02.5": the lab's step that it belongs to, or "" */
	const char *property;		/* "P2.5": what it decides */
	void (*run)(void);
	unsigned cpus;
	const char *bootargs;		/* words for the kernel, or NULL */
	const char *(*after)(void);	/* returns NULL, or what is wrong; may be NULL */
	_Bool keeps;			/* it does not give everything back */
	_Bool wrong;			/* has a counterexample, to test the explorer itself */
	_Bool quiet;			/* no interrupt comes: their code may be of a later step */
	_Bool sets_up;			/* begins with what is not explored: explore_from_here() */
	_Bool no_costume;		/* it is about what arch/host/costume.c changes */
	_Bool weak;			/* as wrong, but only if loads may read older stores */
	void (*bare)(unsigned cpu);	/* instead of run: this on each CPU, without a kernel */
};
