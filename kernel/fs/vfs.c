/*
 * Starting the file layer: caches, then the root directory. See README.md for who does what.
 */
#include "base/panic.h"
#include "fs.h"
#include "fs/filelock.h"

void vfs_init(void)
{
	file_init();
	filelock_init();
	ramfs_init();
	root_inode = ramfs_create_root();
	if (!root_inode)
		panic("no memory for a root directory");
}
