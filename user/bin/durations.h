/* Times as sleep and timeout take them: a number, and s, m, h or d. */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool read_duration(const char *text, double *seconds)
{
	static const char units[] = "smhd";
	static const double lengths[] = { 1, 60, 3600, 86400 };
	char *end;

	*seconds = strtod(text, &end);
	if (end == text || *seconds < 0)
		return false;
	if (!*end)
		return true;
	if (end[1] || !strchr(units, *end))
		return false;
	*seconds *= lengths[strchr(units, *end) - units];
	return true;
}
