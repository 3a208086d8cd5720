/*
 * /proc/sys: figures and switches of the whole system, a row each (tablefs.h), and the two names
 * that can be changed.
 *
 * Some files that Linux lets root write are fixed here, as nothing would obey another value.
 */
#include "procfs/uts.h"
#include "base/printf.h"
#include "base/string.h"
#include "console/random.h"
#include "fs/pipe.h"
#include "mm/vm.h"
#include "proc.h"
#include "process/process.h"
#include "sched/policy/policy.h"
#include "tablefs.h"
#include "thread/thread.h"

/* --- Names of the system ---------------------------------------------------------------------- */

struct uts_name uts_hostname = { "trellis" }, uts_domainname = { "(none)" };
static struct spinlock uts_lock = SPINLOCK_INIT(LOCK_INODE);

void uts_get(const struct uts_name *name, char out[UTS_LEN])
{
	spin_lock(&uts_lock);
	strlcpy(out, name->value, UTS_LEN);
	spin_unlock(&uts_lock);
}

void uts_set(struct uts_name *name, const char *value)
{
	spin_lock(&uts_lock);
	*name = (struct uts_name){ { 0 } };
	strlcpy(name->value, value, UTS_LEN);
	spin_unlock(&uts_lock);
}

static void show_name(struct text *t, const struct uts_name *name)
{
	char value[UTS_LEN];

	uts_get(name, value);
	text_printf(t, "%s\n", value);
}

static void show_hostname(struct text *t, unsigned n)
{
	(void)n;
	show_name(t, &uts_hostname);
}

static void show_domainname(struct text *t, unsigned n)
{
	(void)n;
	show_name(t, &uts_domainname);
}

static int store_hostname(const char *value)
{
	uts_set(&uts_hostname, value);
	return 0;
}

static int store_domainname(const char *value)
{
	uts_set(&uts_domainname, value);
	return 0;
}

#define INT_MAX		0x7fffffffL

/* --- Numbers ---------------------------------------------------------------------------------- */

static void show_pid_max(struct text *t, unsigned n)
{
	(void)n;
	text_printf(t, "%d\n", ID_MAX);
}

static void show_threads_max(struct text *t, unsigned n)
{
	(void)n;
	text_printf(t, "%u\n", threads_max);
}

static void put_uuid(struct text *t, const u8 id[16])
{
	for (unsigned i = 0; i < 16; i++)
		text_printf(t, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
	text_printf(t, "\n");
}

/* A random identifier of version 4 (RFC 9562). */
static void make_uuid(u8 id[16])
{
	random_bytes(id, 16);
	id[6] = (id[6] & 0x0f) | 0x40;
	id[8] = (id[8] & 0x3f) | 0x80;
}

static void show_uuid(struct text *t, unsigned n)
{
	u8 id[16];

	(void)n;
	make_uuid(id);
	put_uuid(t, id);
}

static u8 boot_id[16];			/* [const after proc_sys_root()] */

static void show_boot_id(struct text *t, unsigned n)
{
	(void)n;
	put_uuid(t, boot_id);
}

static void show_file_max(struct text *t, unsigned n)
{
	(void)n;
	text_printf(t, "%d\n", FD_MAX);
}

static void show_max_map_count(struct text *t, unsigned n)
{
	(void)n;
	text_printf(t, "%u\n", atomic_load(&max_map_count));
}

static int store_max_map_count(const char *value)
{
	long n;
	int err = table_number(value, 0, INT_MAX, &n);

	if (!err)
		atomic_store(&max_map_count, n);
	return err;
}

static void show_pipe_max_size(struct text *t, unsigned n)
{
	(void)n;
	text_printf(t, "%u\n", PIPE_MANY);
}

/* --- Real-time threads: policy.h -------------------------------------------------------------- */

static void show_rt_period(struct text *t, unsigned n)
{
	(void)n;
	text_printf(t, "%lu\n", realtime_period / NSEC_PER_USEC);
}

static void show_rt_runtime(struct text *t, unsigned n)
{
	(void)n;
	text_printf(t, "%ld\n",
		    realtime_limit == SLICE_NEVER ? -1 : (long)(realtime_limit / NSEC_PER_USEC));
}

static void show_rr_timeslice(struct text *t, unsigned n)
{
	(void)n;
	text_printf(t, "%lu\n", realtime_slice / NSEC_PER_MSEC);
}

static int store_rt_period(const char *value)
{
	long us;
	int err = table_number(value, 1, INT_MAX, &us);

	return err ? err : realtime_set_limit(realtime_limit, us * NSEC_PER_USEC);
}

static int store_rt_runtime(const char *value)
{
	long us;
	int err = table_number(value, -1, INT_MAX, &us);

	if (err)
		return err;
	return realtime_set_limit(us < 0 ? SLICE_NEVER : us * NSEC_PER_USEC, realtime_period);
}

/* 0 and less: what it is at boot. */
static int store_rr_timeslice(const char *value)
{
	long ms;
	int err = table_number(value, -INT_MAX, INT_MAX, &ms);

	if (!err)
		realtime_slice = ms > 0 ? ms * NSEC_PER_MSEC : 2 * sched_quantum;
	return err;
}

static const struct table_file rows[] = {
	{ "fs/file-max", NULL, NULL, NULL, "9223372036854775807" },	/* there is no such limit */
	{ "fs/mqueue/msg_default", NULL, NULL, NULL, "10" },
	{ "fs/mqueue/msg_max", NULL, NULL, NULL, "10" },
	{ "fs/mqueue/msgsize_default", NULL, NULL, NULL, "8192" },
	{ "fs/mqueue/msgsize_max", NULL, NULL, NULL, "8192" },
	{ "fs/mqueue/queues_max", NULL, NULL, NULL, "256" },
	{ "fs/nr_open", show_file_max, NULL, NULL, NULL },
	{ "fs/pipe-max-size", show_pipe_max_size, NULL, NULL, NULL },
	{ "fs/protected_hardlinks", NULL, NULL, NULL, "1" },
	{ "fs/protected_symlinks", NULL, NULL, NULL, "0" },
	{ "fs/suid_dumpable", NULL, NULL, NULL, "0" },
	{ "kernel/cap_last_cap", NULL, NULL, NULL, "40" },
	{ "kernel/core_pattern", NULL, NULL, NULL, "core" },
	{ "kernel/domainname", show_domainname, store_domainname, NULL, NULL },
	{ "kernel/hostname", show_hostname, store_hostname, NULL, NULL },
	{ "kernel/ngroups_max", NULL, NULL, NULL, "65536" },
	{ "kernel/osrelease", NULL, NULL, NULL, UTS_RELEASE },
	{ "kernel/ostype", NULL, NULL, NULL, UTS_SYSNAME },
	{ "kernel/overflowgid", NULL, NULL, NULL, "65534" },
	{ "kernel/overflowuid", NULL, NULL, NULL, "65534" },
	{ "kernel/pid_max", show_pid_max, NULL, NULL, NULL },
	{ "kernel/random/boot_id", show_boot_id, NULL, NULL, NULL },
	{ "kernel/random/entropy_avail", NULL, NULL, NULL, "256" },
	{ "kernel/random/poolsize", NULL, NULL, NULL, "256" },
	{ "kernel/random/uuid", show_uuid, NULL, NULL, NULL },
	{ "kernel/randomize_va_space", NULL, NULL, NULL, "0" },
	{ "kernel/sched_rr_timeslice_ms", show_rr_timeslice, store_rr_timeslice, NULL, NULL },
	{ "kernel/sched_rt_period_us", show_rt_period, store_rt_period, NULL, NULL },
	{ "kernel/sched_rt_runtime_us", show_rt_runtime, store_rt_runtime, NULL, NULL },
	{ "kernel/tainted", NULL, NULL, NULL, "0" },
	{ "kernel/threads-max", show_threads_max, NULL, NULL, NULL },
	{ "kernel/version", NULL, NULL, NULL, UTS_VERSION },
	{ "vm/max_map_count", show_max_map_count, store_max_map_count, NULL, NULL },
	{ "vm/mmap_min_addr", NULL, NULL, NULL, "65536" },
	{ "vm/overcommit_memory", NULL, NULL, NULL, "0" },
	{ NULL, NULL, NULL, NULL, NULL },
};

struct inode *proc_sys_root(void)
{
	static const struct table_fs fs = {
		.rows = rows,
		.dev = DEV_PROC,
		.whole = true,
		.fixed = FIXED_MODE | FIXED_OWNER | FIXED_RIGHTS,
		.dir_mode = 0555,
		.ino_bit = BIT(62),
	};

	make_uuid(boot_id);
	return tablefs_root(&fs);
}
