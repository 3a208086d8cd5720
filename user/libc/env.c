/*
 * The environment: an array of "NAME=value". The kernel puts it on the stack; the first change
 * copies the array to the heap. A string that setenv() made is not freed when it is replaced,
 * because the program may still hold the pointer that getenv() returned.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char **own;		/* the array that we allocated, if any: normally environ */

static char **find(const char *name, size_t len)
{
	for (char **e = environ; e && *e; e++)
		if (!strncmp(*e, name, len) && (*e)[len] == '=')
			return e;
	return NULL;
}

char *getenv(const char *name)
{
	size_t len = strlen(name);
	char **e = find(name, len);

	return e ? *e + len + 1 : NULL;
}

static int add(char *string)
{
	size_t n = 0;
	char **bigger;

	while (environ && environ[n])
		n++;
	bigger = realloc(environ == own ? own : NULL, (n + 2) * sizeof(*bigger));
	if (!bigger)
		return -1;
	if (environ != own && n)
		memcpy(bigger, environ, n * sizeof(*bigger));
	bigger[n] = string;
	bigger[n + 1] = NULL;
	environ = own = bigger;
	return 0;
}

int putenv(char *string)
{
	char *equals = strchr(string, '='), **e;

	if (!equals)
		return unsetenv(string);
	e = find(string, equals - string);
	if (!e)
		return add(string);
	*e = string;
	return 0;
}

static bool good_name(const char *name)
{
	if (*name && !strchr(name, '='))
		return true;
	errno = EINVAL;
	return false;
}

int setenv(const char *name, const char *value, int overwrite)
{
	size_t len = strlen(name);
	char *string;

	if (!good_name(name))
		return -1;
	if (!overwrite && find(name, len))
		return 0;
	string = malloc(len + strlen(value) + 2);
	if (!string)
		return -1;
	stpcpy(stpcpy(stpcpy(string, name), "="), value);
	return putenv(string);
}

int unsetenv(const char *name)
{
	char **e;

	if (!good_name(name))
		return -1;
	while ((e = find(name, strlen(name))))
		do
			e[0] = e[1];
		while (*e++);
	return 0;
}

int clearenv(void)
{
	environ = NULL;
	return 0;
}
