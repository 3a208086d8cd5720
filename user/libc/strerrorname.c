/* "ENOENT" and its like: apart from strerror.c, as few programs want them. */
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
