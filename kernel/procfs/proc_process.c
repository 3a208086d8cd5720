/*
 * /proc/PID and /proc/PID/task/TID: files about one process or thread, in Linux's formats.
 *
 * The figures are collected under the locks that guard them, then printed with none held. They need
 * not fit together exactly, as threads run on meanwhile. A field without meaning here is 0.
 */
#include "base/string.h"
#include "base/symbols.h"
#include "fs/dev.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "mm/mm.h"
#include "mm/vm.h"
#include "proc.h"
#include "process/cred.h"
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"
#include "tty/tty.h"

#define TICK	(NSEC_PER_SEC / 100)	/* Linux tells times in hundredths of a second */
#define KIB(pages)	((pages) * (PAGE_SIZE / 1024))

struct snapshot {
	char name[THREAD_NAME_MAX];
	pid_t id, tgid, ppid, pgid, sid, tty_group;
	char state;
	unsigned nr_threads, cpu;
	struct sched_params params;
	u32 affinity;
	u64 start_ns;
	struct usage used, children;
	struct as_figures memory;
	u64 kernel_bytes;
	u64 pending, shared_pending, blocked, ignored, caught;
	u64 arg_start, arg_end;
};

static u64 kernel_bytes(struct process *p)
{
	u64 bytes = 0;

	if (process_hold(p)) {
		bytes = process_kernel_bytes(p);
		process_unhold(p);
	}
	return bytes;
}

static char thread_letter(const struct thread *t)
{
	switch (thread_state(t)) {
	case THREAD_RUNNING:
	case THREAD_READY:
		return 'R';
	case THREAD_SUSPENDED:
		return 'T';
	case THREAD_DEAD:
		return 'X';
	default:
		/* asleep in the kernel: it will stop when it leaves */
		return t->process->stopped ? 'T' : 'S';
	}
}

/*
 * A thread that has left its process is a zombie: it is still found by its id. The last one is
 * shown as a zombie only when its process is, so that a wait then finds the process ended.
 */
static char task_letter(const struct thread *t)
{
	const struct process *p = t->process;

	assert_held(&p->lock);
	if (list_linked(&t->process_node))
		return thread_letter(t);
	return p->nr_threads || process_state(p) == PROCESS_ZOMBIE ? 'Z' : 'R';
}

/* Collects the figures of a thread; those of a process are its leader's, as on Linux. */
static void collect_thread(struct snapshot *s, const struct thread *t)
{
	s->state = task_letter(t);
	s->cpu = thread_cpu(t)->id;
	s->params = t->se.params;
	s->affinity = t->affinity & (BIT(nr_cpus) - 1);
	s->pending = atomic_load(&t->sigpending);
	s->blocked = t->sigmask;
}

/* Collects the figures under p->lock. */
static void collect_threads(struct snapshot *s, struct process *p, struct thread *only)
	HOLDS(tree_lock)
{
	const struct thread *leader = p->leader;

	spin_lock(&p->lock);
	strlcpy(s->name, only ? only->name : p->name, sizeof(s->name));
	s->nr_threads = p->nr_threads + (leader && !list_linked(&leader->process_node));
	s->shared_pending = atomic_load(&p->sigpending);
	if (only || leader)
		collect_thread(s, only ? only : leader);
	for (int sig = 1; sig <= NSIG; sig++) {
		u64 handler = p->sigactions[sig - 1].handler;

		if (handler != SIG_DFL)
			*(handler == SIG_IGN ? &s->ignored : &s->caught) |= SIGSET(sig);
	}
	spin_unlock(&p->lock);
}

/* Collects the figures of @p, or of its thread @only if that is not NULL. */
static void collect(struct snapshot *s, struct process *p, struct thread *only)
{
	struct addr_space *as = process_get_as(p);

	*s = (struct snapshot){ .id = only ? only->tid : p->pid, .tgid = p->pid, .state = 'Z',
				.start_ns = p->start_ns };
	spin_lock(&tree_lock);
	s->ppid = p->parent ? p->parent->pid : 0;
	s->pgid = p->pgid;
	s->sid = p->sid;
	s->children = p->children_used;
	collect_threads(s, p, only);
	spin_unlock(&tree_lock);
	s->tty_group = tty_group_of(s->sid);
	if (only)
		thread_add_usage(only, &s->used);
	else
		s->used = process_usage(p);
	if (as) {
		s->memory = as_figures(as);
		s->arg_start = as->arg_start;
		s->arg_end = as->arg_end;
		as_put(as);
		s->kernel_bytes = kernel_bytes(p);
	}
}

/* --- stat ------------------------------------------------------------------------------------- */

/* User and system time in ticks. */
static void put_times(struct text *t, const struct usage *u)
{
	text_printf(t, " %lu %lu", u->user_ns / TICK, u->system_ns / TICK);
}

/* The 52 fields of proc(5). */
static void show_stat(struct text *t, struct process *p, struct thread *only)
{
	struct snapshot s;
	int priority;

	collect(&s, p, only);
	text_printf(t, "%d (%s) %c %d %d %d %lu %d 0 %lu 0 0 0", s.id, s.name, s.state, s.ppid,
		    s.pgid, s.sid, s.tty_group < 0 ? 0 : DEV_TTYS0, s.tty_group,
		    atomic_load(&p->minor_faults));
	put_times(t, &s.used);
	put_times(t, &s.children);
	priority = is_real_time(&s.params) ? -1 - (int)s.params.rt_priority : 20 + s.params.nice;
	text_printf(t, " %d %d %u 0 %lu %lu %lu %lu", priority, s.params.nice, s.nr_threads,
		    s.start_ns / TICK, s.memory.size << PAGE_SHIFT, s.memory.resident,
		    p->limits[RLIMIT_RSS].cur);
	/* code, stack and registers; signals; wchan, swap; exit signal; CPU, scheduling */
	text_printf(t, " 0 0 0 0 0 %lu %lu %lu %lu 0 0 0 %d %u %u %u", s.pending, s.blocked,
		    s.ignored, s.caught, SIGCHLD, s.cpu, s.params.rt_priority, s.params.class);
	/* delays, guests; data, heap; arguments; environment; status */
	text_printf(t, " 0 0 0 0 0 0 %lu %lu 0 0 %d\n", s.arg_start, s.arg_end,
		    LIFE_STATUS(atomic_load(&p->life)));
}

static void show_statm(struct text *t, struct process *p)
{
	struct snapshot s;

	collect(&s, p, NULL);
	text_printf(t, "%lu %lu %lu %lu 0 %lu 0\n", s.memory.size, s.memory.resident,
		    s.memory.file + s.memory.shared, s.memory.text, s.memory.data + s.memory.stack);
}

/* --- status ----------------------------------------------------------------------------------- */

static const char *state_name(char letter)
{
	switch (letter) {
	case 'R':
		return "running";
	case 'T':
		return "stopped";
	case 'X':
		return "dead";
	case 'Z':
		return "zombie";
	default:
		return "sleeping";
	}
}

static void put_ids(struct text *t, const char *name, const struct ids *ids)
{
	text_printf(t, "%s:\t%u\t%u\t%u\t%u\n", name, ids->real, ids->effective, ids->saved,
		    ids->fs);
}

static void put_capabilities(struct text *t, const struct cred *c)
{
	text_printf(t, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n",
		    c->inheritable, c->permitted, c->effective, c->bounding);
	text_printf(t, "CapAmb:\t%016lx\nNoNewPrivs:\t%u\nSeccomp:\t0\n", c->ambient,
		    c->no_new_privs);
}

static void show_status(struct text *t, struct process *p, struct thread *only)
{
	struct snapshot s;
	const struct as_figures *m = &s.memory;
	struct cred *c = only ? thread_cred(only) : process_cred(p);

	struct place *place = process_get_place(p);

	collect(&s, p, only);
	text_printf(t, "Name:\t%s\n", s.name);
	if (place) {
		text_printf(t, "Umask:\t%04o\n", place->umask);
		place_put(place);
	}
	text_printf(t, "State:\t%c (%s)\n", s.state, state_name(s.state));
	text_printf(t, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", s.tgid, s.id,
		    s.ppid);
	put_ids(t, "Uid", &c->uid);
	put_ids(t, "Gid", &c->gid);
	text_printf(t, "FDSize:\t%u\nGroups:\t", FD_MAX);
	for (u32 i = 0; i < c->nr_groups; i++)
		text_printf(t, i ? " %u" : "%u", c->groups[i]);
	text_printf(t, " \n");
	if (m->size) {
		const struct {
			const char *name;
			u64 pages;
		} lines[] = {
			{ "VmPeak", m->size_peak }, { "VmSize", m->size }, { "VmLck", m->locked },
			{ "VmPin", 0 }, { "VmHWM", m->peak }, { "VmRSS", m->resident },
			{ "RssAnon", m->resident - m->file - m->shared }, { "RssFile", m->file },
			{ "RssShmem", m->shared }, { "VmData", m->data }, { "VmStk", m->stack },
			{ "VmExe", m->text }, { "VmLib", 0 }, { "VmPTE", m->tables },
			{ "VmSwap", 0 }, { "Kernel", s.kernel_bytes / PAGE_SIZE },
		};

		for (unsigned i = 0; i < ARRAY_SIZE(lines); i++)
			text_printf(t, "%s:\t%8lu kB\n", lines[i].name, KIB(lines[i].pages));
	}
	text_printf(t, "Threads:\t%u\n", s.nr_threads);
	text_printf(t, "SigQ:\t%lu/%lu\n", signal_queued(p), p->limits[RLIMIT_SIGPENDING].cur);
	text_printf(t, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\n"
		    "SigCgt:\t%016lx\n", s.pending, s.shared_pending, s.blocked, s.ignored,
		    s.caught);
	put_capabilities(t, c);
	cred_put(c);
	text_printf(t, "Cpus_allowed:\t%x\n", s.affinity);
	text_printf(t, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		    s.used.switches - s.used.preempted, s.used.preempted);
}

/* --- Names and arguments ---------------------------------------------------------------------- */

static void show_comm(struct text *t, struct process *p, struct thread *only)
{
	char name[THREAD_NAME_MAX];

	spin_lock(&p->lock);
	strlcpy(name, only ? only->name : p->name, sizeof(name));
	spin_unlock(&p->lock);
	text_printf(t, "%s\n", name);
}

/* Copies text from the process's own memory, pinning each page. */
static void put_memory(struct text *t, struct addr_space *as, vaddr_t start, vaddr_t end)
{
	int err;

	for (vaddr_t va = start, next; va < end; va = next) {
		struct page *page = as_pin_page(as, ALIGN_DOWN(va, PAGE_SIZE), VM_READ, &err);

		if (!page)
			break;
		next = MIN(ALIGN_UP(va + 1, PAGE_SIZE), end);
		text_append(t, page_to_virt(page) + (va & (PAGE_SIZE - 1)), next - va);
		page_put(page);
	}
}

static void show_cmdline(struct text *t, struct process *p)
{
	struct addr_space *as = process_get_as(p);

	if (!as)
		return;
	put_memory(t, as, as->arg_start, as->arg_end);
	as_put(as);
}

static void show_environ(struct text *t, struct process *p)
{
	struct addr_space *as = process_get_as(p);

	if (!as)
		return;
	put_memory(t, as, as->arg_end, as->env_end);
	as_put(as);
}

static void show_auxv(struct text *t, struct process *p)
{
	struct addr_space *as = process_get_as(p);

	if (!as)
		return;
	put_memory(t, as, as->auxv_start, as->auxv_end);
	as_put(as);
}

/* -1: the kernel does not know who has logged in. */
static void show_loginuid(struct text *t, struct process *p)
{
	(void)p;
	text_printf(t, "%u", ID_KEEP);
}

/* --- Limits ----------------------------------------------------------------------------------- */

/* Name and unit. */
static const char *const limit_names[RLIMIT_COUNT][2] = {
	{ "Max cpu time", "seconds" }, { "Max file size", "bytes" }, { "Max data size", "bytes" },
	{ "Max stack size", "bytes" }, { "Max core file size", "bytes" },
	{ "Max resident set", "bytes" }, { "Max processes", "processes" },
	{ "Max open files", "files" }, { "Max locked memory", "bytes" },
	{ "Max address space", "bytes" }, { "Max file locks", "locks" },
	{ "Max pending signals", "signals" }, { "Max msgqueue size", "bytes" },
	{ "Max nice priority", "" }, { "Max realtime priority", "" },
	{ "Max realtime timeout", "us" },
};

static void put_limit(struct text *t, u64 limit)
{
	if (limit == RLIM_INFINITY)
		text_printf(t, "%-20s ", "unlimited");
	else
		text_printf(t, "%-20lu ", limit);
}

static void show_limits(struct text *t, struct process *p)
{
	text_printf(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < RLIMIT_COUNT; i++) {
		struct rlimit limit;

		spin_lock(&p->lock);
		limit = p->limits[i];
		spin_unlock(&p->lock);
		text_printf(t, "%-25s ", limit_names[i][0]);
		put_limit(t, limit.cur);
		put_limit(t, limit.max);
		text_printf(t, "%-10s\n", limit_names[i][1]);
	}
}

/* --- Scheduling ------------------------------------------------------------------------------- */

/* Shows the function that waits, or 0. */
static void show_wchan(struct text *t, struct thread *thread)
{
	struct runq *rq = thread_runq_lock(thread);
	u64 site = thread->waiter ? (u64)thread->waiter->site : 0, offset;

	runq_unlock(rq);
	text_printf(t, "%s", site ? symbol_name(site, &offset) : "0");
}

static void put_ms(struct text *t, const char *name, u64 ns)
{
	text_printf(t, "%-45s:%14lu.%06lu\n", name, ns / NSEC_PER_MSEC, ns % NSEC_PER_MSEC);
}

static void show_sched(struct text *t, struct thread *thread)
{
	struct usage u = { .run_ns = 0 };
	const struct {
		const char *name;
		u64 value;
	} lines[] = {
		{ "se.nr_migrations", thread->stats.migrations },
		{ "nr_switches", thread->stats.switches_in },
		{ "nr_voluntary_switches", thread->stats.switches_in + thread->stats.picked_again -
					   thread->stats.preempted },
		{ "nr_involuntary_switches", thread->stats.preempted -
					     thread->stats.picked_again },
		{ "policy", thread->se.params.class },
		{ "kernel_stack.size", thread->stack_size },
		{ "kernel_stack.most_used", thread_stack_used(thread) },
	};

	thread_add_usage(thread, &u);
	text_printf(t, "%s (%d, #threads: %u)\n%s\n", thread->name, thread->tid,
		    thread->process->nr_threads,
		    "-------------------------------------------------------------------");
	put_ms(t, "se.exec_start", thread->stats.last_ran);
	put_ms(t, "se.sum_exec_runtime", u.run_ns);
	put_ms(t, "se.sum_user_runtime", u.user_ns);
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++)
		text_printf(t, "%-45s:%21lu\n", lines[i].name, lines[i].value);
}

/* --- File systems ----------------------------------------------------------------------------- */

/* The mounts, which never change. */
static const struct {
	const char *at, *type;
	unsigned dev;
} mounts[] = {
	{ "/", "tmpfs", DEV_ROOT }, { "/proc", "proc", DEV_PROC }, { "/sys", "sysfs", DEV_SYSFS },
};

static void show_mounts(struct text *t, struct process *p)
{
	(void)p;
	for (unsigned i = 0; i < ARRAY_SIZE(mounts); i++)
		text_printf(t, "%s %s %s rw,relatime 0 0\n", mounts[i].type, mounts[i].at,
			    mounts[i].type);
}

static void show_mountinfo(struct text *t, struct process *p)
{
	(void)p;
	for (unsigned i = 0; i < ARRAY_SIZE(mounts); i++)
		text_printf(t, "%u %u 0:%u / %s rw,relatime - %s %s rw\n", i + 1, i ? 1 : 0,
			    mounts[i].dev, mounts[i].at, mounts[i].type, mounts[i].type);
}

const struct proc_file proc_process_files[] = {
	{ .name = "stat", .show_either = show_stat },
	{ .name = "statm", .show_process = show_statm },
	{ .name = "status", .show_either = show_status },
	{ .name = "comm", .mode = PROC_COMM, .show_either = show_comm },
	{ .name = "cmdline", .show_process = show_cmdline },
	{ .name = "maps", .mode = PROC_GUARDED, .show_process = proc_show_maps },
	{ .name = "smaps", .mode = PROC_GUARDED, .show_process = proc_show_smaps },
	{ .name = "limits", .show_process = show_limits },
	{ .name = "sched", .show_thread = show_sched },
	{ .name = "wchan", .show_thread = show_wchan },
	{ .name = "mounts", .mode = PROC_SENT, .show_process = show_mounts },
	{ .name = "mountinfo", .mode = PROC_SENT, .show_process = show_mountinfo },
	{ .name = "task", .mode = PROC_DIR },
	{ .name = "fd", .mode = PROC_FDS },
	{ .name = "cwd", .mode = PROC_LINK(PROC_LINK_CWD) },
	{ .name = "exe", .mode = PROC_LINK(PROC_LINK_EXE) },
	{ .name = "root", .mode = PROC_LINK(PROC_LINK_ROOT) },
	{ .name = "environ", .mode = PROC_PRIVATE, .show_process = show_environ },
	{ .name = "auxv", .mode = PROC_PRIVATE, .show_process = show_auxv },
	{ .name = "loginuid", .show_process = show_loginuid },
	{ .name = NULL },
};
