/*
 * System calls about the whole machine, and limits: uname, sysinfo, resource limits, random bytes,
 * reboot.
 */
#include "sys.h"

#include "arch.h"
#include "base/counters.h"
#include "console/console.h"
#include "console/random.h"
#include "procfs/uts.h"

struct utsname {
	char sysname[UTS_LEN], nodename[UTS_LEN], release[UTS_LEN], version[UTS_LEN],
		machine[UTS_LEN], domainname[UTS_LEN];
};

long sys_uname(vaddr_t out)
{
	struct utsname name = {
		.sysname = UTS_SYSNAME,
		.release = UTS_RELEASE,
		.version = UTS_VERSION,
		.machine = ARCH_NAME,
	};

	uts_get(&uts_hostname, name.nodename);
	uts_get(&uts_domainname, name.domainname);
	return copy_to_user(out, &name, sizeof(name));
}

static long set_name(struct uts_name *name, vaddr_t in, int len)
{
	char value[UTS_LEN];

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len >= UTS_LEN)
		return -EINVAL;
	if (copy_from_user(value, in, len))
		return -EFAULT;
	value[len] = '\0';
	uts_set(name, value);
	return 0;
}

long sys_sethostname(vaddr_t in, int len)
{
	return set_name(&uts_hostname, in, len);
}

long sys_setdomainname(vaddr_t in, int len)
{
	return set_name(&uts_domainname, in, len);
}

/* Linux's struct sysinfo; memory in units of mem_unit bytes. */
struct sysinfo {
	s64 uptime;
	u64 loads[3];
	u64 total_ram, free_ram, shared_ram, buffer_ram, total_swap, free_swap;
	u16 processes, pad1;
	u32 pad2;
	u64 total_high, free_high;
	u32 mem_unit, pad3;
};

_Static_assert(sizeof(struct sysinfo) == 112, "struct sysinfo");

long sys_sysinfo(vaddr_t out)
{
	struct sysinfo si = {
		.uptime = time_now() / NSEC_PER_SEC,
		.total_ram = page_total(),
		.free_ram = page_free_count(),
		.processes = counter_read(COUNT_PROCESSES),
		.mem_unit = PAGE_SIZE,
	};

	return copy_to_user(out, &si, sizeof(si));
}

/* --- Limits ----------------------------------------------------------------------------------- */

/* @new NULL: only reads the limit. */
static long change_limit(struct process *p, u32 id, const struct rlimit *new, struct rlimit *old)
{
	int err = 0;

	if (id >= RLIMIT_COUNT || (new && new->cur > new->max))
		return -EINVAL;
	if (new && id == RLIMIT_NOFILE && new->max > FD_MAX)
		return -EPERM;
	spin_lock(&p->lock);
	*old = p->limits[id];
	if (new && new->max > old->max && !capable(CAP_SYS_RESOURCE))
		err = -EPERM;		/* only a privileged process raises a hard limit */
	else if (new)
		p->limits[id] = *new;
	spin_unlock(&p->lock);
	return err;
}

long sys_prlimit64(pid_t pid, u32 id, vaddr_t new_in, vaddr_t old_out)
{
	struct process *p SCOPED(process) = NULL;
	struct cred *target SCOPED(cred) = NULL;
	struct rlimit new, old;
	long err;

	if (new_in && copy_from_user(&new, new_in, sizeof(new)))
		return -EFAULT;
	p = pid ? process_find_by_task(pid) : process_get(current_process());
	if (!p)
		return -ESRCH;
	target = process_cred(p);
	if (p != current_process() && !cred_may_limit(target))
		return -EPERM;
	err = change_limit(p, id, new_in ? &new : NULL, &old);
	return err || !old_out ? err : copy_to_user(old_out, &old, sizeof(old));
}

long sys_getrlimit(u32 id, vaddr_t out)
{
	struct rlimit limit;
	long err = change_limit(current_process(), id, NULL, &limit);

	return err ? err : copy_to_user(out, &limit, sizeof(limit));
}

long sys_setrlimit(u32 id, vaddr_t in)
{
	return in ? sys_prlimit64(0, id, in, 0) : -EFAULT;
}

/* --- Random bytes ----------------------------------------------------------------------------- */

#define GRND_NONBLOCK	1u
#define GRND_RANDOM	2u
#define GRND_INSECURE	4u

/* Returns how many bytes were written, even if the memory ended there or a signal came. */
long sys_getrandom(vaddr_t buf, size_t n, u32 flags)
{
	struct iobuf b = { .addr = buf, .left = MIN(n, RW_MAX) };
	const u32 breaks = WORK_SIGNAL | WORK_KILL;
	u8 chunk[64];
	size_t done = 0;

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	while (b.left) {
		size_t len = MIN(b.left, sizeof(chunk)), put;

		random_bytes(chunk, len);
		put = iobuf_copy_to(&b, chunk, len);
		done += put;
		if (put < len)
			return done ? (long)done : -EFAULT;
		if (done % PAGE_SIZE == 0 && atomic_load(&current_thread()->work) & breaks)
			break;
	}
	return done;
}

/* --- The end ---------------------------------------------------------------------------------- */

#define REBOOT_MAGIC1		0xfee1deadu
#define REBOOT_MAGIC2		672274793u
#define REBOOT_RESTART		0x01234567u
#define REBOOT_HALT		0xcdef0123u
#define REBOOT_POWER_OFF	0x4321fedcu

long sys_reboot(u32 magic1, u32 magic2, u32 command)
{
	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if (magic1 != REBOOT_MAGIC1 || magic2 != REBOOT_MAGIC2)
		return -EINVAL;
	switch (command) {
	case REBOOT_RESTART:
		console_flush();
		arch_machine_end(MACHINE_REBOOT);
	case REBOOT_HALT:
	case REBOOT_POWER_OFF:
		console_flush();
		arch_machine_end(MACHINE_OFF);
	default:
		return -EINVAL;
	}
}
