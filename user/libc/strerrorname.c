/*
 * strerrorname_np(): "ENOENT" and the like. Apart from strerror.c because few programs need the
 * table.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

static const char *const names[] = {
#define ERROR(number, text) [number] = #number,
#include "errors.def"
#undef ERROR
};

const char *strerrorname_np(int error)
{
	return error > 0 && error < (int)(sizeof(names) / sizeof(*names)) ? names[error] : NULL;
}
