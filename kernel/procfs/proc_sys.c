/*
 * /proc/sys: figures and switches of the whole system, one row each (tablefs.h), and the two names
 * that can be changed.
 *
 * Some files that root may write on Linux are fixed here, as another value would have no effect.
 */
#include "fs/fdtable.h"
#include "procfs/uts.h"
#include "base/printf.h"
#include "base/string.h"
#include "console/random.h"
#include "fs/pipe.h"
#include "mm/vm.h"
#include "proc.h"
#include "process/cred.h"
#include "process/process.h"
#include "sched/policy/policy.h"
#include "tablefs.h"
#include "thread/thread.h"

#define INT_MAX		0x7fffffffL

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

static void show_hostname(struct text *t)
{
	show_name(t, &uts_hostname);
}

static void show_domainname(struct text *t)
{
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

/* --- Numbers ---------------------------------------------------------------------------------- */

static long get_threads_max(void)
{
	return threads_max;
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

static void show_uuid(struct text *t)
{
	u8 id[16];

	make_uuid(id);
	put_uuid(t, id);
}

static u8 boot_id[16];			/* [const after proc_sys_root()] */

static void show_boot_id(struct text *t)
{
	put_uuid(t, boot_id);
}

static long get_max_map_count(void)
{
	return atomic_load(&max_map_count);
}

static int set_max_map_count(long n)
{
	atomic_store(&max_map_count, n);
	return 0;
}

/* --- Real-time threads: policy.h -------------------------------------------------------------- */

static long get_rt_period(void)
{
	return realtime_period / NSEC_PER_USEC;
}

static long get_rt_runtime(void)
{
	return realtime_limit == SLICE_NEVER ? -1 : (long)(realtime_limit / NSEC_PER_USEC);
}

static long get_rr_timeslice(void)
{
	return realtime_slice / NSEC_PER_MSEC;
}

static int set_rt_period(long us)
{
	return realtime_set_limit(realtime_limit, us * NSEC_PER_USEC);
}

static int set_rt_runtime(long us)
{
	return realtime_set_limit(us < 0 ? SLICE_NEVER : us * NSEC_PER_USEC, realtime_period);
}

/* 0 and less: the slice at boot. */
static int set_rr_timeslice(long ms)
{
	realtime_slice = ms > 0 ? ms * NSEC_PER_MSEC : 2 * sched_quantum;
	return 0;
}

static const struct table_file rows[] = {
	{ .path = "fs/file-max", .says = "9223372036854775807" },	/* there is no such limit */
	{ .path = "fs/mqueue/msg_default", .says = "10" },
	{ .path = "fs/mqueue/msg_max", .says = "10" },
	{ .path = "fs/mqueue/msgsize_default", .says = "8192" },
	{ .path = "fs/mqueue/msgsize_max", .says = "8192" },
	{ .path = "fs/mqueue/queues_max", .says = "256" },
	{ .path = "fs/nr_open", .number = FD_MAX },
	{ .path = "fs/pipe-max-size", .number = PIPE_MANY },
	{ .path = "fs/protected_hardlinks", .says = "1" },
	{ .path = "fs/protected_symlinks", .says = "0" },
	{ .path = "fs/suid_dumpable", .says = "0" },
	{ .path = "kernel/cap_last_cap", .number = CAP_LAST },
	{ .path = "kernel/core_pattern", .says = "core" },
	{ .path = "kernel/domainname", .show = show_domainname, .store = store_domainname },
	{ .path = "kernel/hostname", .show = show_hostname, .store = store_hostname },
	{ .path = "kernel/ngroups_max", .number = NGROUPS_MAX },
	{ .path = "kernel/osrelease", .says = UTS_RELEASE },
	{ .path = "kernel/ostype", .says = UTS_SYSNAME },
	{ .path = "kernel/overflowgid", .says = "65534" },
	{ .path = "kernel/overflowuid", .says = "65534" },
	{ .path = "kernel/pid_max", .number = ID_MAX },
	{ .path = "kernel/random/boot_id", .show = show_boot_id },
	{ .path = "kernel/random/entropy_avail", .says = "256" },
	{ .path = "kernel/random/poolsize", .says = "256" },
	{ .path = "kernel/random/uuid", .show = show_uuid },
	{ .path = "kernel/randomize_va_space", .says = "0" },
	{ .path = "kernel/sched_rr_timeslice_ms", .get = get_rr_timeslice, .set = set_rr_timeslice,
	  .min = -INT_MAX, .max = INT_MAX },
	{ .path = "kernel/sched_rt_period_us", .get = get_rt_period, .set = set_rt_period,
	  .min = 1, .max = INT_MAX },
	{ .path = "kernel/sched_rt_runtime_us", .get = get_rt_runtime, .set = set_rt_runtime,
	  .min = -1, .max = INT_MAX },
	{ .path = "kernel/tainted", .says = "0" },
	{ .path = "kernel/threads-max", .get = get_threads_max },
	{ .path = "kernel/version", .says = UTS_VERSION },
	{ .path = "vm/max_map_count", .get = get_max_map_count, .set = set_max_map_count,
	  .max = INT_MAX },
	{ .path = "vm/mmap_min_addr", .says = "65536" },
	{ .path = "vm/overcommit_memory", .says = "0" },
	{ .path = NULL },
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
