/*
 * Allocations of user programs that fail on purpose. Test kernels only.
 *
 * /dev/inject: a process that writes "17" makes the 17th allocation for its process group fail,
 * counted from then on; "0" turns this off. Reading gives the number of allocations since, and
 * whether one failed: "16 0". So one boot can try every k with every program, and a parent in
 * another group is never hit.
 *
 * inject=alloc:17 at boot does it once, for all processes but init.
 */
#include "base/bootargs.h"
#include "base/panic.h"
#include "base/printf.h"
#include "base/string.h"
#include "errno.h"
#include "fs/dev.h"
#include "fs/vfs.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sched/cpu.h"
#include "test/instrument.h"

#define PREFIX	"alloc:"

static pid_t group;

static bool in_group(void)
{
	struct process *p = current_process();

	return p != &kernel_process && p->pgid == group;
}

static bool is_program(void)
{
	return current_process() != &kernel_process && current_process() != init_process;
}

static bool parse(const char *text, u64 *value)
{
	size_t n;

	*value = 0;
	for (n = 0; text[n] >= '0' && text[n] <= '9' && n < 18; n++)
		*value = *value * 10 + (text[n] - '0');
	return n && (!text[n] || text[n] == '\n');
}

static ssize_t inject_write(struct file *f, struct iobuf *b, off_t *pos)
{
	char text[24] = "";
	ssize_t size = b->left;
	u64 k;

	(void)f;
	(void)pos;
	if (size >= (ssize_t)sizeof(text) || iobuf_copy_from(b, text, size) != (size_t)size)
		return -EINVAL;
	if (!parse(text, &k))
		return -EINVAL;
	group = current_process()->pgid;
	oom_arm_filtered(k, in_group);
	return size;
}

static ssize_t inject_read(struct file *f, struct iobuf *b, off_t *pos)
{
	char text[32];
	size_t n = snprintf(text, sizeof(text), "%lu %d\n", oom_seen(), oom_fired());

	(void)f;
	if (*pos || n > b->left)
		return 0;
	if (iobuf_copy_to(b, text, n) != n)
		return -EFAULT;
	*pos += n;
	return n;
}

const struct file_ops *inject_file_ops(void)
{
	static const struct file_ops ops = { .read = inject_read, .write = inject_write,
					    .seekable = true };

	return &ops;
}

void inject_init(void)
{
	const char *what = bootarg("inject");
	u64 k;

	if (vfs_create(NULL, "/dev/inject", S_IFCHR | 0666, DEV_INJECT))
		panic("cannot make /dev/inject");
	if (!what)
		return;
	if (strncmp(what, PREFIX, strlen(PREFIX)) || !parse(what + strlen(PREFIX), &k))
		bootarg_bad("inject", "alloc:N");
	oom_arm_filtered(k, is_program);
}
