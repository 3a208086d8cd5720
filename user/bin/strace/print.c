/* Prints a call as in C: its name, the arguments by their kinds, and the result. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "strace.h"

#define SHOWN_BYTES	32
#define MAX_ERRNO	4095

/* Returns the bytes recorded for argument @i. */
static const char *bytes_of(const struct event *e, int i)
{
	const char *at = e->bytes;

	while (i-- > 0)
		at += e->record.bytes[i];
	return at;
}

static void print_quoted(FILE *to, const char *s, size_t n, bool more)
{
	static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
	const char *special;

	fputc('"', to);
	for (size_t i = 0; i < n; i++) {
		special = s[i] ? strchr(values, s[i]) : NULL;
		if (special)
			fprintf(to, "\\%c", names[special - values]);
		else if (s[i] == '"' || s[i] == '\\')
			fprintf(to, "\\%c", s[i]);
		else if (s[i] >= ' ' && s[i] < 0x7f)
			fputc(s[i], to);
		else
			fprintf(to, "\\%0*o", i + 1 < n && isdigit((unsigned char)s[i + 1]) ? 3 : 1,
				(unsigned char)s[i]);
	}
	fputs(more ? "\"..." : "\"", to);
}

static void print_address(FILE *to, unsigned long address)
{
	if (address)
		fprintf(to, "0x%lx", address);
	else
		fputs("NULL", to);
}

static void print_wait_status(FILE *to, int status)
{
	if (WIFEXITED(status))
		fprintf(to, "[{WIFEXITED(s) && WEXITSTATUS(s) == %d}]", WEXITSTATUS(status));
	else if (WIFSTOPPED(status))
		fprintf(to, "[{WIFSTOPPED(s) && WSTOPSIG(s) == SIG%s}]",
			sigabbrev_np(WSTOPSIG(status)));
	else
		fprintf(to, "[{WIFSIGNALED(s) && WTERMSIG(s) == SIG%s}]",
			sigabbrev_np(WTERMSIG(status)));
}

static void print_stat(FILE *to, const struct stat *st)
{
	static const char *const types[] = { "0", "S_IFIFO", "S_IFCHR", "0", "S_IFDIR", "0",
					     "S_IFBLK", "0", "S_IFREG", "0", "S_IFLNK", "0",
					     "S_IFSOCK", "0", "0", "0" };

	fprintf(to, "{st_mode=%s|%#o, st_size=%ld, ...}", types[st->st_mode >> 12 & 15],
		st->st_mode & 07777, (long)st->st_size);
}

/* Prints the most common structures; of others the address. */
static void print_structure(FILE *to, const char *name, const struct event *e, int i,
			    unsigned long address)
{
	const char *bytes = bytes_of(e, i);
	size_t n = e->record.bytes[i];
	union {
		int numbers[2];
		struct timespec ts;
		struct stat st;
	} v;

	memset(&v, 0, sizeof(v));
	memcpy(&v, bytes, n < sizeof(v) ? n : sizeof(v));
	if (n >= 4 && !strcmp(name, "wait4") && i == 1 && e->record.result > 0)
		print_wait_status(to, v.numbers[0]);
	else if (n >= 8 && !strncmp(name, "pipe", 4) && e->record.result == 0)
		fprintf(to, "[%d, %d]", v.numbers[0], v.numbers[1]);
	else if (n == STRACE_BYTES && strstr(name, "stat") && !strstr(name, "statfs") &&
		 e->record.result == 0)
		print_stat(to, &v.st);
	else if (n >= sizeof(v.ts) && !strncmp(name, "clock_get", 9) && e->record.result == 0)
		fprintf(to, "{tv_sec=%ld, tv_nsec=%ld}", (long)v.ts.tv_sec, v.ts.tv_nsec);
	else
		print_address(to, address);
}

static void print_time(FILE *to, const struct event *e, int i)
{
	struct timespec ts;

	if (e->record.bytes[i] < sizeof(ts)) {
		print_address(to, e->record.args[i]);
		return;
	}
	memcpy(&ts, bytes_of(e, i), sizeof(ts));
	fprintf(to, "{tv_sec=%ld, tv_nsec=%ld}", (long)ts.tv_sec, ts.tv_nsec);
}

static void print_buffer(FILE *to, const struct event *e, int i)
{
	size_t n = e->record.bytes[i];

	if (n || !e->record.args[i + 1] || !e->record.entering)
		print_quoted(to, bytes_of(e, i), n < SHOWN_BYTES ? n : SHOWN_BYTES,
			     n > SHOWN_BYTES);
	else
		print_address(to, e->record.args[i]);
}

/* @e is the record that holds what the argument points to. */
static void print_argument(FILE *to, const struct call *c, int i, const struct event *entering,
			   const struct event *leaving)
{
	unsigned long value = entering->record.args[i];
	const struct event *after = leaving ? leaving : entering;
	size_t n = entering->record.bytes[i];

	if (c->kinds[i] == KIND_openflags && !value && !strstr(c->name, "open")) {
		fputc('0', to);		/* pipe2 and dup3 have no O_RDONLY */
		return;
	}
	if (print_named(to, c->kinds[i], value))
		return;
	switch (c->kinds[i]) {
	case KIND_path:
		if (n)
			print_quoted(to, bytes_of(entering, i), n - 1, n == STRACE_BYTES);
		else
			print_address(to, value);
		break;
	case KIND_in:
		print_buffer(to, entering, i);
		break;
	case KIND_out:
		if (leaving && leaving->record.result >= 0)
			print_buffer(to, leaving, i);
		else
			print_address(to, value);
		break;
	case KIND_ptr:		print_structure(to, c->name, after, i, value); break;
	case KIND_time:		print_time(to, entering, i); break;
	case KIND_iov:
	case KIND_addr:		print_address(to, value); break;
	case KIND_mode:		fprintf(to, "%#o", (unsigned)value); break;
	case KIND_size:
	case KIND_length:	fprintf(to, "%lu", value); break;
	case KIND_flags:	fprintf(to, value ? "0x%x" : "%x", (unsigned)value); break;
	case KIND_uint:
	case KIND_id:		fprintf(to, "%u", (unsigned)value); break;
	case KIND_long:
	case KIND_off:		fprintf(to, "%ld", (long)value); break;
	case KIND_dirfd:
		if ((int)value == AT_FDCWD) {
			fputs("AT_FDCWD", to);
			break;
		}
		/* fall through */
	default:
		fprintf(to, "%d", (int)value);
	}
}

static void print_result(FILE *to, const struct call *c, long result)
{
	const char *name;

	if (result >= 0 || result < -MAX_ERRNO) {
		bool address = c && (!strcmp(c->name, "mmap") || !strcmp(c->name, "brk") ||
				     !strcmp(c->name, "mremap"));

		fprintf(to, address ? "0x%lx" : "%ld", result);
		return;
	}
	name = strerrorname_np(-result);
	if (name)
		fprintf(to, "-1 %s (%s)", name, strerror(-result));
	else
		fprintf(to, "? (interrupted by a signal)");
}

void print_call(FILE *to, const struct event *entering, const struct event *leaving)
{
	const struct call *c = call_of(entering->record.number);

	if (c)
		fprintf(to, "%s(", c->name);
	else
		fprintf(to, "syscall_%u(", entering->record.number);
	for (int i = 0; c && c->kinds[i] != KIND_END; i++) {
		/* The mode argument matters only if the call may create a file. */
		if (c->kinds[i] == KIND_mode && i && c->kinds[i - 1] == KIND_openflags &&
		    !(entering->record.args[i - 1] & O_CREAT))
			continue;
		fputs(i ? ", " : "", to);
		print_argument(to, c, i, entering, leaving);
	}
	fputs(") = ", to);
	if (leaving)
		print_result(to, c, leaving->record.result);
	else
		fputc('?', to);
	fputc('\n', to);
}
