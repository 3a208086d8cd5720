/* The system's integer types. Those that differ between the two machines are in <bits/stat.h>. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef long		ssize_t;
typedef long		off_t;
typedef long		time_t;
typedef long		suseconds_t;
typedef long		clock_t;
typedef int		clockid_t;
typedef int		pid_t;
typedef unsigned	id_t;
typedef unsigned	uid_t;
typedef unsigned	gid_t;
typedef unsigned	mode_t;
typedef unsigned	useconds_t;
typedef unsigned long	dev_t;
typedef unsigned long	ino_t;
typedef long		blkcnt_t;
