/*
 * The records of /dev/strace, which the kernel writes and the program strace reads.
 */
#pragma once

#define STRACE_BYTES	64	/* at most, of what one argument points to */

struct strace_record {		/* then the bytes of the arguments, one after the other */
	unsigned size;		/* with those bytes */
	int tid;
	unsigned number;
	unsigned char entering;	/* or leaving, with the result */
	unsigned char bytes[6];	/* for each argument */
	unsigned long args[6];
	long result;
	unsigned long time;	/* monotonic, ns */
};
