/*
 * From kernel to user space: process 1's first thread opens the console and becomes /init.
 */
#include "exec.h"

#include "abi/syscall.h"
#include "base/bootargs.h"
#include "base/panic.h"
#include "base/printf.h"
#include "base/string.h"
#include "console/console.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "process/process.h"
#include "sched/cpu.h"

#define INIT_PATH	"/init"
#define CONSOLE_PATH	"/dev/console"

/* Gives process 1 a working directory, and the console as descriptors 0, 1 and 2. */
static int set_up_process(void)
{
	struct process *p = current_process();
	struct file *f;
	int err = fdtable_create(&p->fds);

	if (err)
		return err;
	p->place->cwd = inode_get(root_inode);
	p->place->umask = 022;
	err = path_open(NULL, CONSOLE_PATH, O_RDWR, 0, &f);
	if (err)
		return err;
	for (int fd = 0; fd < 3 && err >= 0; fd++)
		err = fd_install(file_get(f), 0, FD_MAX, false);
	file_put(f);
	return err < 0 ? err : 0;
}

static int exec_init(const char *path)
{
	static const char env[] = "HOME=/\0TERM=linux";
	struct exec_args args = { .argc = 1, .envc = 2 };
	int err = exec_args_append(&args, path, strlen(path) + 1);

	if (!err)
		err = exec_args_append(&args, env, sizeof(env));
	if (!err)
		err = exec_path(path, &args);
	exec_args_free(&args);
	return err;
}

noreturn void init_start(void)
{
	const char *path = bootarg("init");
	int err = set_up_process();

	if (err) {
		kprintf("cannot set up process 1: error %d opening %s\n", -err, CONSOLE_PATH);
	} else {
		path = path && *path ? path : INIT_PATH;
		err = exec_init(path);
		if (!err)
			arch_user_enter();
		kprintf("no program %s in the initramfs that could run: error %d\n", path, -err);
	}
	console_flush();
	arch_machine_end(MACHINE_PANICKED);
}
