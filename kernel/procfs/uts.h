/*
 * The system's name: for uname(), /proc/version and /proc/sys/kernel.
 */
#pragma once

#include "types.h"

#define UTS_LEN		65		/* with the terminator, as in Linux's struct utsname */

/* The name is that of the interface, which programs ask for; the version is the kernel's. */
#define UTS_SYSNAME	"Linux"
#define UTS_RELEASE	"6.1.0-trellis"
#define UTS_VERSION	"Trellis"

struct uts_name {
	char value[UTS_LEN];		/* by uts_get(), uts_set() */
};

extern struct uts_name uts_hostname, uts_domainname;

void uts_get(const struct uts_name *name, char out[UTS_LEN]);
void uts_set(struct uts_name *name, const char *value);		/* cut off at UTS_LEN */
