#pragma once

#include <sys/types.h>

int setgroups(size_t n, const gid_t *groups);
