/*
 * exec: a new program in an old process.
 *
 * Every step that can fail comes first: open the program, follow `#!`, map it, lay out its stack.
 * These steps build a second address space beside the one in use. Then the other threads die (the
 * point of no return), and no later step can fail. A caller that is killed on the way frees the new
 * address space and dies as usual.
 */
#include "exec.h"

#include "base/printf.h"
#include "base/string.h"
#include "process/futex.h"
#include "process/timers.h"
#include "sys.h"
#include "thread/thread.h"

#define ARGS_MAX	(512UL << 10)	/* strings and pointers to them */
#define STRING_MAX	(128UL << 10)	/* each of them, as on Linux */
#define SCRIPT_LINE	256		/* so much of a `#!` line is looked at */
#define SCRIPT_DEPTH	5		/* so many scripts may run each other, as on Linux */

/* --- Arguments -------------------------------------------------------------------------------- */

static int args_reserve(struct exec_args *args, size_t n)
{
	size_t size = MAX(args->size, PAGE_SIZE);
	char *strings;

	if (args->used + n + (args->argc + args->envc) * sizeof(u64) > ARGS_MAX)
		return -E2BIG;
	while (size < args->used + n)
		size *= 2;
	if (size == args->size)
		return 0;
	strings = kmalloc(size);
	if (!strings)
		return -ENOMEM;
	if (args->used)
		memcpy(strings, args->strings, args->used);
	kfree(args->strings);
	args->strings = strings;
	args->size = size;
	return 0;
}

int exec_args_append(struct exec_args *args, const char *strings, size_t len)
{
	int err = args_reserve(args, len);

	if (err)
		return err;
	memcpy(args->strings + args->used, strings, len);
	args->used += len;
	return 0;
}

static int args_copy_string(struct exec_args *args, vaddr_t s)
{
	size_t room = 256;

	for (;;) {
		int err = args_reserve(args, room);
		ssize_t len;

		if (err)
			return err;
		room = args->size - args->used;
		len = copy_string_from_user(args->strings + args->used, s, room);
		if (len >= 0) {
			args->used += len + 1;
			return (size_t)len < STRING_MAX ? 0 : -E2BIG;
		}
		if (len != -ENAMETOOLONG || room > STRING_MAX)
			return len == -EFAULT ? -EFAULT : -E2BIG;
		room++;
	}
}

/* Copies a vector of strings. Address 0 is an empty vector, as on Linux. */
static int args_copy(struct exec_args *args, vaddr_t vector, unsigned *count)
{
	vaddr_t s;

	while (vector) {
		int err;

		if (copy_from_user(&s, vector + *count * sizeof(s), sizeof(s)))
			return -EFAULT;
		if (!s)
			break;
		err = args_copy_string(args, s);
		if (err)
			return err;
		++*count;
	}
	return 0;
}

/*
 * Copies argv and envp. An empty argv becomes one empty string, as on Linux: programs use argv[0].
 */
static int args_copy_all(struct exec_args *args)
{
	int err = args_copy(args, args->argv, &args->argc);

	if (!err && !args->argc) {
		err = exec_args_append(args, "", 1);
		args->argc = 1;
	}
	return err ? err : args_copy(args, args->envp, &args->envc);
}

void exec_args_free(struct exec_args *args)
{
	kfree(args->strings);
}

/* --- Files and scripts ------------------------------------------------------------------------ */

/*
 * Opens a file that was found, for program_put(). It keeps the directory where it was found, from
 * which /proc/PID/exe makes its path.
 */
static int open_found(const struct file *found, struct file **out)
{
	int err;

	if (inode_is(found->inode, S_IFLNK))
		return -ELOOP;
	if (!inode_is(found->inode, S_IFREG))
		return -EACCES;
	err = inode_permission(found->inode, MAY_EXEC);
	if (!err)
		err = file_open_inode(found->inode, O_RDONLY, out);
	if (err)
		return err;
	if (found->dir)
		(*out)->dir = inode_get(found->dir);
	err = file_deny_write(*out);
	if (err)
		file_put(*out);
	return err;
}

static int open_program(struct inode *at, const char *path, u32 flags, struct file **out)
{
	struct file *found SCOPED(file) = NULL;
	int err = path_open(at, path, O_PATH | flags, 0, &found);

	return err ? err : open_found(found, out);
}

int program_open(const char *path, struct file **out)
{
	struct inode *cwd SCOPED(inode) = cwd_get();

	return open_program(cwd, path, 0, out);
}

/* Reads the first line of a script. Returns false if @f is no script. */
static bool read_script_line(struct file *f, char line[SCRIPT_LINE])
{
	struct iobuf b = iobuf_kernel(line, SCRIPT_LINE - 1);
	off_t pos = 0;
	ssize_t n = file_read(f, &b, &pos);
	char *end;

	if (n < 2 || line[0] != '#' || line[1] != '!')
		return false;
	line[n] = '\0';
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Splits "#! interpreter [one argument]" in place; the argument may contain blanks. */
static void split_script_line(char *line, char **interpreter, char **arg)
{
	char *s = line + 2, *end = s + strlen(s);

	while (end > s && is_blank(end[-1]))
		*--end = '\0';
	while (is_blank(*s))
		s++;
	*interpreter = s;
	while (*s && !is_blank(*s))
		s++;
	if (*s)
		*s++ = '\0';
	while (is_blank(*s))
		s++;
	*arg = s;
}

/*
 * Makes argv: the interpreter, its argument if there is one, the script's path, the old argv[1]...
 */
static int script_args(struct exec_args *args, const char *interpreter, const char *arg,
		       const char *path)
{
	struct exec_args new = { .argc = args->argc + 1, .envc = args->envc };
	size_t skip = strlen(args->strings) + 1;
	int err = exec_args_append(&new, interpreter, strlen(interpreter) + 1);

	if (!err && *arg) {
		new.argc++;
		err = exec_args_append(&new, arg, strlen(arg) + 1);
	}
	if (!err)
		err = exec_args_append(&new, path, strlen(path) + 1);
	if (!err)
		err = exec_args_append(&new, args->strings + skip, args->used - skip);
	exec_args_free(err ? &new : args);
	if (!err)
		*args = new;
	return err;
}

/*
 * While *f, which was opened by @path, is a script, replaces it by the script's interpreter and
 * changes @args accordingly. After an error *f is NULL.
 */
static int follow_scripts(struct file **f, const char *path, struct exec_args *args)
{
	int err = 0;

	for (int depth = 0; !err; depth++) {
		char line[SCRIPT_LINE], *interpreter, *arg;

		if (!read_script_line(*f, line))
			return 0;
		program_put(*f);
		*f = NULL;
		if (depth == SCRIPT_DEPTH)
			return -ELOOP;
		split_script_line(line, &interpreter, &arg);
		if (!*interpreter)
			return -ENOEXEC;
		if (args->no_path)
			return -ENOENT;
		err = script_args(args, interpreter, arg, path);
		path = args->strings;		/* the interpreter's path, which outlives @line */
		if (!err)
			err = program_open(path, f);
	}
	return err;
}

/* --- The change ------------------------------------------------------------------------------- */

/* A program that is ready to run in its own address space. */
struct new_program {
	struct file *file;
	struct addr_space *as;
	vaddr_t start, sp;
	struct cred *cred;
};

static int load(struct new_program *new, const struct exec_args *args, const char *path)
{
	struct elf_program elf;
	int err = as_create(&new->as);

	if (err)
		return err;
	err = elf_load(new->as, new->file, &elf);
	if (!err)
		err = stack_build(new->as, &elf, args, path, &new->sp);
	if (err) {
		as_put(new->as);
		return err;
	}
	new->as->brk_start = elf.end;
	new->as->brk = elf.end;
	new->start = elf.start;
	return 0;
}

/* Makes the caller, the only thread of its process, run the new program. Cannot fail. */
static void become(struct new_program *new, const char *path)
{
	struct thread *t = current_thread();
	struct process *p = t->process;
	const char *slash = strrchr(path, '/');
	struct addr_space *old_as;
	struct file *old_exe;
	bool open;

	thread_set_name(t, slash ? slash + 1 : path);	/* before the new arguments can be seen */
	if (p->as)
		futex_thread_exit(t);
	t->pi_closed = false;
	/* Before the memory: its caller must not look into it with the rights of before. */
	cred_commit(new->cred);
	open = new->cred->uid.effective == new->cred->uid.real &&
	       new->cred->gid.effective == new->cred->gid.real &&
	       !inode_permission(new->file->inode, MAY_READ);
	p->dumpable &= open;
	old_as = process_set_as(new->as);
	p->dumpable = open;
	vfork_release(p);
	if (old_as)
		as_put(old_as);
	/* Before descriptors are closed: a parent may wait for that, to learn that exec is done. */
	spin_lock(&tree_lock);
	p->execed = true;
	p->exit_signal = SIGCHLD;
	spin_unlock(&tree_lock);
	fdtable_close_exec(p->fds);
	spin_lock(&p->lock);
	old_exe = p->exe;
	p->exe = new->file;
	strlcpy(p->name, t->name, sizeof(p->name));
	spin_unlock(&p->lock);
	if (old_exe)
		program_put(old_exe);
	process_timers_exec(p);
	signal_forget_handlers();
	arch_user_init(t, new->start, new->sp);
}

/* Takes over the reference to @f, which open_program() has opened at @path. */
static int exec_file(struct file *f, const char *path, struct exec_args *args)
{
	struct new_program new = { .file = f };
	int err = follow_scripts(&new.file, path, args);

	if (err)
		return err;
	args->cred = new.cred = cred_for_exec(new.file->inode, &args->secure);
	err = new.cred ? load(&new, args, path) : -ENOMEM;
	if (err)
		goto out_file;
	err = process_kill_siblings();
	if (err)
		goto out_as;
	err = fdtable_unshare();
	if (err) {			/* the siblings are gone: there is no way back */
		process_kill(current_process(), STATUS_SIGNAL(SIGKILL));
		goto out_as;
	}
	become(&new, path);
	return 0;

out_as:
	as_put(new.as);
out_file:
	if (new.cred)
		cred_put(new.cred);
	program_put(new.file);
	return err;
}

int exec_path(const char *path, struct exec_args *args)
{
	struct file *f;
	int err = program_open(path, &f);

	return err ? err : exec_file(f, path, args);
}

/* --- The calls -------------------------------------------------------------------------------- */

/* A setuid() that took the user over RLIMIT_NPROC forbids exec, until the user has fewer tasks. */
static bool over_task_limit(void)
{
	struct thread *t = current_thread();

	t->over_limit &= user_tasks(t->cred->user) > t->process->limits[RLIMIT_NPROC].cur;
	return t->over_limit;
}

/*
 * Makes a path through /dev/fd to a program that was found from @dirfd, so that an interpreter can
 * open it. Returns NULL if memory is short; the caller frees the path.
 */
static char *path_by_fd(int dirfd, const char *name)
{
	size_t size = strlen(name) + sizeof("/dev/fd/2147483647/");
	char *path = kmalloc(size);

	if (path)
		snprintf(path, size, "/dev/fd/%d%s%s", dirfd, *name ? "/" : "", name);
	return path;
}

/* Opens the program that execveat() names; an empty name means the file @dirfd itself. */
static int open_at(int dirfd, struct user_path *p, u32 flags, struct file **out)
{
	struct file *self SCOPED(file) = NULL;
	int err;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	err = user_path_start(dirfd, p);
	if (err)
		return err;
	if (p->name[0])
		return open_program(p->at, p->name, flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0,
				    out);
	if (dirfd == AT_FDCWD)
		return -EACCES;
	self = fd_get_any(dirfd);
	return self ? open_found(self, out) : -EBADF;
}

long sys_execveat(int dirfd, vaddr_t path, vaddr_t argv, vaddr_t envp, u32 flags)
{
	struct exec_args args = { .argv = argv, .envp = envp };
	struct user_path p SCOPED(path);
	char *by_fd = NULL;
	struct file *f;
	int err = user_name_get(path, flags, &p);

	if (!err && over_task_limit())
		err = -EAGAIN;
	if (!err)
		err = open_at(dirfd, &p, flags, &f);
	if (err)
		return err;
	if (dirfd != AT_FDCWD && p.name[0] != '/') {
		by_fd = path_by_fd(dirfd, p.name);
		err = by_fd ? 0 : -ENOMEM;
		args.no_path = fd_flags(dirfd, -1) > 0;
	}
	if (!err)
		err = args_copy_all(&args);
	if (err)
		program_put(f);
	else
		err = exec_file(f, by_fd ? by_fd : p.name, &args);
	exec_args_free(&args);
	kfree(by_fd);
	return err;
}
