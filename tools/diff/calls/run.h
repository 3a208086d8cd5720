/* main.c's running of a case, for random.c. */
#pragma once

/* Runs @fn in a child below @top and prints its lines, or (@as_sum) one number made of them. */
void run_case(const char *name, void (*fn)(void), const char *top, int as_sum);
