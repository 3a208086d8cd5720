/*
 * The matcher of user/libc under other names, so that test_regex.c can compare it with this
 * machine's C library.
 */
#define _REGEX_H /* the host's <regex.h> is not wanted here */
#define regcomp  ours_regcomp
#define regerror ours_regerror
#define regexec  ours_regexec
#define regfree  ours_regfree
#include "../../user/libc/include/regex.h"
#include "../../user/libc/regcomp.c"
#include "../../user/libc/regexec.c"
#include "../../user/libc/regparse.c"
#include "../../user/libc/regtry.c"
#include "regex_ours.h"

int ours(const char *pattern, int cflags, const char *text, int eflags, size_t n, long where[])
{
	regmatch_t match[10];
	regex_t re;
	int error = regcomp(&re, pattern, cflags);

	if (error)
		return OURS_BAD + error;
	error = regexec(&re, text, n, match, eflags);
	regfree(&re);
	for (size_t i = 0; !error && i < n; i++) {
		where[2 * i] = match[i].rm_so;
		where[2 * i + 1] = match[i].rm_eo;
	}
	return error;
}
