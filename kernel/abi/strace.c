/*
 * /dev/strace: records system calls, for the program strace.
 *
 * When a process writes a descriptor's number to it, the process and its later descendants are
 * recorded: each of their threads writes a record (abi/strace_record.h) to that file, usually a
 * pipe, when it enters a call and when it leaves it. So records are complete and in order, a full
 * pipe makes the program wait, and the reader sees the end of file when the last of the processes
 * has exited. The recorded thread itself copies the bytes at its arguments, when they are valid:
 * names and written data before the call, read data after it.
 *
 * While no process is recorded this costs nothing: syscall_entry() tests trace_mask anyway, and one
 * bit of it says that there are recorded processes.
 *
 * The file is kept beside the process's descriptors, so fork and exit copy and close it with them.
 *
 * Not here: stopping a process, or changing what it does (Linux's ptrace()). If the reader goes
 * away, the recorded program ends by SIGPIPE at its next call.
 */
#include "abi/strace.h"

#include "abi.h"
#include "abi/kinds.h"
#include "abi/strace_record.h"
#include "arch.h"
#include "base/trace.h"
#include "errno.h"
#include "fs/dev.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "lock/spinlock.h"
#include "mm/vm.h"
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"
#include "sched/time.h"

#define WRITTEN_BYTES	33	/* of a buffer: strace shows 32, and whether there are more */

/* How each kind of argument is copied. */
enum fetch {
	FETCH_fd, FETCH_NOTHING = FETCH_fd, FETCH_path, FETCH_in, FETCH_out, FETCH_ptr,
	FETCH_time = FETCH_ptr, FETCH_iov = FETCH_NOTHING, FETCH_dirfd = FETCH_NOTHING,
	FETCH_size = FETCH_NOTHING, FETCH_off = FETCH_NOTHING, FETCH_whence = FETCH_NOTHING,
	FETCH_addr = FETCH_NOTHING, FETCH_length = FETCH_NOTHING, FETCH_pid = FETCH_NOTHING,
	FETCH_sig = FETCH_NOTHING, FETCH_id = FETCH_NOTHING, FETCH_clock = FETCH_NOTHING,
	FETCH_openflags = FETCH_NOTHING, FETCH_atflags = FETCH_NOTHING,
	FETCH_mode = FETCH_NOTHING, FETCH_access = FETCH_NOTHING, FETCH_prot = FETCH_NOTHING,
	FETCH_mapflags = FETCH_NOTHING, FETCH_cloneflags = FETCH_NOTHING,
	FETCH_futexop = FETCH_NOTHING, FETCH_flags = FETCH_NOTHING, FETCH_int = FETCH_NOTHING,
	FETCH_uint = FETCH_NOTHING, FETCH_long = FETCH_NOTHING,
};

#define FETCH(kind, i)	FETCH_##kind
static const u8 fetches[][6] = {
#define CALL(name, riscv, x86_64, ...) \
	[SYSCALL_NUMBER(riscv, x86_64)] = { EACH(0, FETCH, ##__VA_ARGS__) },
#define CALL_AS(name, riscv, x86_64, call, ...) CALL(name, riscv, x86_64, ##__VA_ARGS__)
#include "abi/syscalls.def"
};

/* Copies less and less if it must: a structure may end where memory ends. */
static size_t fetch_some(char *to, vaddr_t from)
{
	for (size_t n = STRACE_BYTES; n >= 4; n /= 4)
		if (!copy_from_user(to, from, n))
			return n;
	return 0;
}

/* Copies the bytes at argument @i to @to. Returns how many. */
static size_t fetch(enum fetch what, const struct strace_record *r, unsigned i, char *to)
{
	u64 most = 0;
	ssize_t n;

	switch (what) {
	case FETCH_path:
		n = r->entering ? copy_string_from_user(to, r->args[i], STRACE_BYTES) : -1;
		return n >= 0 ? (size_t)n + 1 : n == -ENAMETOOLONG ? STRACE_BYTES : 0;
	case FETCH_in:
		most = r->entering && i < 5 ? r->args[i + 1] : 0;
		break;
	case FETCH_out:
		most = !r->entering && r->result > 0 ? r->result : 0;
		break;
	case FETCH_ptr:
		return r->args[i] ? fetch_some(to, r->args[i]) : 0;
	default:
		return 0;
	}
	most = MIN(most, WRITTEN_BYTES);
	return copy_from_user(to, r->args[i], most) ? 0 : most;
}

/* Blocks all signals while it writes, so that none cuts a record off. */
void strace_record(const struct trapframe *tf, u64 number, bool entering, long result)
{
	struct {
		struct strace_record head;
		char bytes[6 * STRACE_BYTES];
	} r = { .head = { .tid = current_thread()->tid, .number = number, .entering = entering,
			  .result = result, .time = time_now() } };
	struct file *f = fdtable_recorder(current_process()->fds);
	u64 mask = current_thread()->sigmask;
	struct iobuf b;
	size_t n = 0;

	if (!f)
		return;
	for (unsigned i = 0; i < 6; i++)
		r.head.args[i] = arch_syscall_arg(tf, i);
	for (unsigned i = 0; i < 6 && number < ARRAY_SIZE(fetches); i++)
		n += r.head.bytes[i] = fetch(fetches[number][i], &r.head, i, r.bytes + n);
	r.head.size = sizeof(r.head) + n;
	b = (struct iobuf){ .addr = (vaddr_t)&r, .left = r.head.size, .kernel = true };
	signal_set_mask(~0ull);
	file_write(f, &b, NULL);
	signal_set_mask(mask);
}

/*
 * Takes a descriptor's number, and records the current process, which has one thread, to its file.
 */
static ssize_t strace_write(struct file *dev, struct iobuf *b, off_t *pos)
{
	struct process *p = current_process();
	struct file *to = fdtable_recorder(p->fds), *f;
	char text[8] = "";
	size_t size = b->left;
	int fd = 0;

	(void)dev;
	(void)pos;
	if (!size || size >= sizeof(text) || iobuf_copy_from(b, text, size) != size)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		fd = fd * 10 + (text[i] - '0');
	}
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	if ((f->flags & O_ACCMODE) == O_RDONLY || to || p->nr_threads > 1) {
		file_put(f);
		return to ? -EBUSY : -EINVAL;
	}
	fdtable_record(p->fds, f);
	return size;
}

static const struct file_ops strace_file_ops = {
	.write = strace_write,
};

void strace_init(void)
{
	dev_register(DEV_STRACE, &strace_file_ops);
}
