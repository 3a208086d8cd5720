/* Regular expressions, basic and extended: see user/libc/regcomp.c. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

typedef ssize_t regoff_t;

typedef struct {
	size_t re_nsub;
	struct __regex *__regex;
} regex_t;

typedef struct {
	regoff_t rm_so, rm_eo;
} regmatch_t;

/* For regcomp() */
#define REG_EXTENDED 1
#define REG_ICASE    2
#define REG_NEWLINE  4
#define REG_NOSUB    8

/*
 * For regexec(); with REG_STARTEND, pmatch[0] says where the text lies, and it may hold zero bytes.
 */
#define REG_NOTBOL   1
#define REG_NOTEOL   2
#define REG_STARTEND 4

enum {
	REG_NOERROR,
	REG_NOMATCH,
	REG_BADPAT,
	REG_ECOLLATE,
	REG_ECTYPE,
	REG_EESCAPE,
	REG_ESUBREG,
	REG_EBRACK,
	REG_EPAREN,
	REG_EBRACE,
	REG_BADBR,
	REG_ERANGE,
	REG_ESPACE,
	REG_BADRPT,
	REG_EEND,
	REG_ESIZE,
	REG_ERPAREN,
};

int regcomp(regex_t *re, const char *pattern, int flags);
size_t regerror(int error, const regex_t *re, char *text, size_t size);
int regexec(const regex_t *re, const char *text, size_t n, regmatch_t match[], int flags);
void regfree(regex_t *re);
