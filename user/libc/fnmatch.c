/*
 * Shell patterns. A '*' is tried with ever longer texts. Only the last '*' has to be remembered:
 * whatever match an earlier one could still lead to, the last one finds too.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Checks whether the set that begins at the '[' @p holds @c. *end becomes what follows the set, or
 * NULL if this is no set.
 */
static bool in_set(const char *p, char c, const char **end)
{
	bool exclude = p[1] == '!' || p[1] == '^', found = false;
	const char *s = p + 1 + exclude;

	*end = NULL;
	do {
		if (!*s)
			return false;
		if (s[1] == '-' && s[2] && s[2] != ']') {
			found |= c >= s[0] && c <= s[2];
			s += 2;
		} else {
			found |= *s == c;
		}
	} while (*++s != ']');
	*end = s + 1;
	return found != exclude;
}

/* Matches one character of @s. Returns the rest of the pattern, or NULL. */
static const char *match_one(const char *p, const char *s, int flags)
{
	bool fold = flags & FNM_CASEFOLD, found;
	const char *end;

	if (*s == '/' && flags & FNM_PATHNAME)
		return *p == '/' ? p + 1 : NULL;
	if (*p == '?')
		return p + 1;
	if (*p == '[') {
		found = in_set(p, *s, &end);
		if (end)
			return found ? end : NULL;
	}
	if (*p == '\\' && !(flags & FNM_NOESCAPE) && p[1])
		p++;
	if (fold && tolower((unsigned char)*p) == tolower((unsigned char)*s))
		return p + 1;
	return *p == *s ? p + 1 : NULL;
}

int fnmatch(const char *pattern, const char *string, int flags)
{
	const char *p = pattern, *s = string, *star = NULL, *from = NULL, *next;

	if (flags & FNM_PERIOD && *s == '.' && *p != '.')
		return FNM_NOMATCH;
	while (*s || *p) {
		if (*p == '*') {
			star = ++p;
			from = s;
			continue;
		}
		next = *s && *p ? match_one(p, s, flags) : NULL;
		if (next) {
			p = next;
			s++;
		} else if (star && *from && !(*from == '/' && flags & FNM_PATHNAME)) {
			p = star;	/* let the star take one more character */
			s = ++from;
		} else {
			return FNM_NOMATCH;
		}
	}
	return 0;
}
