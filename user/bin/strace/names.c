/* Names of system calls, from the kernel's table, and of numbers that are arguments. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../../kernel/abi/kinds.h"
#include "strace.h"

#define KIND(kind, i)	KIND_##kind
#define ROW(name, ...)	{ SYS_##name, #name, { EACH(KIND_END, KIND, ##__VA_ARGS__) } }

static const struct call calls[] = {
#define CALL(name, riscv, x86_64, ...) ROW(name, ##__VA_ARGS__),
#define CALL_AS(name, riscv, x86_64, call, ...) ROW(name, ##__VA_ARGS__),
#ifdef __x86_64__
#define ON_X86_64(...) __VA_ARGS__
#else
#define ON_X86_64(...)
#endif
#include "../../../kernel/abi/syscalls.def"
};

#define COUNT_ROWS(array)	(sizeof(array) / sizeof(*(array)))

const struct call *call_of(unsigned number)
{
	for (size_t i = 0; i < COUNT_ROWS(calls); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

const struct call *call_named(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT_ROWS(calls); i++)
		if (strlen(calls[i].name) == len && !memcmp(calls[i].name, name, len))
			return &calls[i];
	return NULL;
}

struct name {
	unsigned long value;
	const char *name;
};

#define NAME(constant)	{ constant, #constant }

static const struct name open_flags[] = {
	NAME(O_WRONLY), NAME(O_RDWR), NAME(O_CREAT), NAME(O_EXCL), NAME(O_NOCTTY), NAME(O_TRUNC),
	NAME(O_APPEND), NAME(O_NONBLOCK), NAME(O_DIRECTORY), NAME(O_NOFOLLOW), NAME(O_CLOEXEC),
};
static const struct name at_flags[] = {
	NAME(AT_SYMLINK_NOFOLLOW), NAME(AT_REMOVEDIR), { 0x400, "AT_SYMLINK_FOLLOW" },
	{ 0x1000, "AT_EMPTY_PATH" },
};
static const struct name accesses[] = { NAME(R_OK), NAME(W_OK), NAME(X_OK) };
static const struct name protections[] = { NAME(PROT_READ), NAME(PROT_WRITE), NAME(PROT_EXEC) };
static const struct name map_flags[] = {
	NAME(MAP_SHARED), NAME(MAP_PRIVATE), NAME(MAP_FIXED), NAME(MAP_ANONYMOUS),
	{ 0x4000, "MAP_NORESERVE" }, { 0x20000, "MAP_STACK" }, { 0x8000, "MAP_POPULATE" },
};
static const struct name clone_flags[] = {
	{ 0x100, "CLONE_VM" }, { 0x200, "CLONE_FS" }, { 0x400, "CLONE_FILES" },
	{ 0x800, "CLONE_SIGHAND" }, { 0x4000, "CLONE_VFORK" }, { 0x10000, "CLONE_THREAD" },
	{ 0x40000, "CLONE_SYSVSEM" }, { 0x80000, "CLONE_SETTLS" },
	{ 0x100000, "CLONE_PARENT_SETTID" }, { 0x200000, "CLONE_CHILD_CLEARTID" },
	{ 0x1000000, "CLONE_CHILD_SETTID" },
};
static const char *const whences[] = { "SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA",
				       "SEEK_HOLE" };
static const char *const clocks[] = {
	"CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_PROCESS_CPUTIME_ID", "CLOCK_THREAD_CPUTIME_ID",
	"CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME_COARSE", "CLOCK_MONOTONIC_COARSE",
	"CLOCK_BOOTTIME",
};
static const char *const futex_ops[] = {
	"FUTEX_WAIT", "FUTEX_WAKE", "FUTEX_FD", "FUTEX_REQUEUE", "FUTEX_CMP_REQUEUE",
	"FUTEX_WAKE_OP", "FUTEX_LOCK_PI", "FUTEX_UNLOCK_PI", "FUTEX_TRYLOCK_PI",
	"FUTEX_WAIT_BITSET", "FUTEX_WAKE_BITSET",
};

/* Prints flags by name; @zero is the name of no flag at all. */
static void print_flags(FILE *to, unsigned long v, const struct name *names, size_t n,
			const char *zero)
{
	const char *between = "";

	for (size_t i = 0; i < n; i++) {
		if (!names[i].value || (v & names[i].value) != names[i].value)
			continue;
		fprintf(to, "%s%s", between, names[i].name);
		between = "|";
		v &= ~names[i].value;
	}
	if (v)
		fprintf(to, "%s0x%lx", between, v);
	else if (!*between)
		fputs(zero, to);
}

static void print_one_of(FILE *to, unsigned long v, const char *const *names, size_t n)
{
	if (v < n)
		fputs(names[v], to);
	else
		fprintf(to, "%ld", (long)(int)v);
}

#define FLAGS(names, zero)	print_flags(to, value, names, COUNT_ROWS(names), zero)
#define ONE_OF(names, v)	print_one_of(to, v, names, COUNT_ROWS(names))

bool print_named(FILE *to, enum kind kind, unsigned long value)
{
	switch (kind) {
	case KIND_openflags:
		value &= 0xffffffff;
		if ((value & O_ACCMODE) == O_RDONLY)
			fputs(value ? "O_RDONLY|" : "O_RDONLY", to);
		if (value)
			FLAGS(open_flags, "0");
		break;
	case KIND_atflags:	FLAGS(at_flags, "0"); break;
	case KIND_access:	FLAGS(accesses, "F_OK"); break;
	case KIND_prot:		FLAGS(protections, "PROT_NONE"); break;
	case KIND_mapflags:	FLAGS(map_flags, "0"); break;
	case KIND_whence:	ONE_OF(whences, value); break;
	case KIND_clock:	ONE_OF(clocks, value); break;
	case KIND_futexop:
		ONE_OF(futex_ops, value & 0x7f);
		fputs(value & 0x80 ? "_PRIVATE" : "", to);
		fputs(value & 0x100 ? "|FUTEX_CLOCK_REALTIME" : "", to);
		break;
	case KIND_cloneflags:
		print_flags(to, value & ~0xfful, clone_flags, COUNT_ROWS(clone_flags), "");
		if (value & 0xff) {
			fputs(value & ~0xfful ? "|" : "", to);
			print_named(to, KIND_sig, value & 0xff);
		}
		break;
	case KIND_sig:
		if (value < 32 && sigabbrev_np(value))
			fprintf(to, "SIG%s", sigabbrev_np(value));
		else
			fprintf(to, "%d", (int)value);
		break;
	default:
		return false;
	}
	return true;
}
