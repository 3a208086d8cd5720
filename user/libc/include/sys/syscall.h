/* SYS_* numbers: each architecture's own. */
#pragma once

#include <bits/syscall.h>
