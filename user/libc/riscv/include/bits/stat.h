/* struct stat of the generic system-call table. */
#pragma once

#include <sys/types.h>
#include <time.h>

typedef unsigned nlink_t;
typedef int blksize_t;

struct stat {
	dev_t st_dev;
	ino_t st_ino;
	mode_t st_mode;
	nlink_t st_nlink;
	uid_t st_uid;
	gid_t st_gid;
	dev_t st_rdev;
	unsigned long __pad1;
	off_t st_size;
	blksize_t st_blksize;
	int __pad2;
	blkcnt_t st_blocks;
	struct timespec st_atim, st_mtim, st_ctim;
	unsigned __unused[2];
};
