#pragma once

#include <sys/types.h>

int setfsgid(gid_t gid);
int setfsuid(uid_t uid);
