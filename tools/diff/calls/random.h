/* Sequences of calls at random: random.c draws and runs them, random_*.c know the calls. */
#pragma once

#include "diff.h"

/* One kind of step: prints one line, the call and the answer. */
struct step {
	const char *name;
	void (*run)(void);
	int weight; /* how often, compared with others */
};

extern const struct step file_steps[], name_steps[], memory_steps[], process_steps[];

#define NR_OF(list)  (sizeof(list) / sizeof(*(list)))
#define END_OF_STEPS { NULL, NULL, 0 }

struct flag {
	long value;
	const char *name;
};

unsigned below(unsigned limit); /* 0 to @limit - 1 */
#define PICK(list) ((list)[below(NR_OF(list))])

/* Any of @flags, each as likely as not; *@text says which. */
long pick_flags(const struct flag *flags, size_t n, const char **text);
#define FLAGS(list, text) pick_flags(list, NR_OF(list), text)

const char *pick_name(void); /* of a file that there may be */
int pick_fd(void);	     /* that may be open */
long pick_size(void);
long pick_offset(void);

/* The line: what was called, as C, and the answer. */
void answer(long result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same without the error's name or number being the point: @what of data that came. */
unsigned long sum_of(const void *data, size_t n);

void do_step(void);	     /* one step of any kind */
void random_prepare(void);   /* in a sequence's own process */
void process_prepare(void);
void memory_prepare(void);
int random_main(const char *top, int argc, char **argv);
