/*
 * Starting the file layer: caches, then the root directory. README.md says what each file is for.
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
