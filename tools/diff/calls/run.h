/* Running a case: main.c, for random.c and pairs.c; left.c, for main.c. */
#pragma once

/* Runs @fn in a child below @top and prints its lines, or (@as_sum) one number made of them. */
void run_case(const char *name, void (*fn)(void), const char *top, int as_sum);

/* A word that a case shares with the children that make its call number @call. */
long *child_answer(unsigned call);

/* Counts the kernel's objects; checks whether there are more or fewer once @folder is gone. */
void left_before(void);
int left_after(const char *folder);

/* Says of which. */
void say_left(void);
