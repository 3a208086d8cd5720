/*
 * /proc/PID: files about one process, in Linux's formats as far as ps and top read them.
 *
 * The figures are collected under the locks that guard them, then printed with none held. They are
 * a picture, not an audit: threads run on while it is taken.
 */
#include "cpu.h"
#include "mm.h"
#include "proc.h"
#include "process.h"
#include "string.h"
#include "vfs.h"
#include "vm.h"

#define TICK	(NSEC_PER_SEC / 100)	/* Linux tells times in hundredths of a second */

struct snapshot {
	char name[THREAD_NAME_MAX];
	pid_t pid, ppid, pgid, sid;
	char state;
	unsigned nr_threads, cpu;
	struct sched_params params;
	u64 run_ns, user_ns, children_run_ns, children_user_ns;
	u64 pages, resident;
};

/* Its address space, referenced; NULL: it has none, or is going. */
static struct addr_space *get_space(struct process *p)
{
	struct addr_space *as;

	if (!process_hold(p))
		return NULL;
	spin_lock(&p->lock);
	as = p->as ? as_get(p->as) : NULL;
	spin_unlock(&p->lock);
	process_unhold(p);
	return as;
}

static char thread_letter(const struct thread *t)
{
	switch (thread_state(t)) {
	case THREAD_RUNNING:
	case THREAD_READY:
		return 'R';
	case THREAD_SUSPENDED:
		return 'T';
	default:
		return 'S';
	}
}

/* A process runs if one of its threads does, and is stopped if all are. */
static char more_alive(char a, char b)
{
	return a == 'R' || b == 'R' ? 'R' : a == 'S' || b == 'S' ? 'S' : 'T';
}

static void collect_threads(struct snapshot *s, struct process *p)
{
	bool first = true;

	spin_lock(&p->lock);
	strlcpy(s->name, p->name, sizeof(s->name));
	s->nr_threads = p->nr_threads;
	list_for_each(t, &p->threads, struct thread, process_node) {
		s->run_ns += t->stats.run_ns;
		s->user_ns += t->stats.user_ns;
		s->state = first ? thread_letter(t) : more_alive(s->state, thread_letter(t));
		if (first) {
			s->cpu = thread_cpu(t)->id;
			s->params = t->se.params;
		}
		first = false;
	}
	if (p->stopped && s->state == 'S')
		s->state = 'T';		/* asleep in the kernel: it stops as it leaves */
	spin_unlock(&p->lock);
	if (process_state(p) == PROCESS_ZOMBIE)
		s->state = 'Z';
}

static void collect(struct snapshot *s, struct process *p)
{
	struct addr_space *as = get_space(p);

	*s = (struct snapshot){ .pid = p->pid, .state = 'S' };
	spin_lock(&tree_lock);
	s->ppid = p->parent ? p->parent->pid : 0;
	s->pgid = p->pgid;
	s->sid = p->sid;
	s->children_run_ns = p->children_run_ns;
	s->children_user_ns = p->children_user_ns;
	spin_unlock(&tree_lock);
	s->run_ns = atomic_load(&p->dead_run_ns);
	s->user_ns = atomic_load(&p->dead_user_ns);
	collect_threads(s, p);
	if (as) {
		s->pages = as->total_pages;
		s->resident = as->resident;
		as_put(as);
	}
}

/* User and system time in ticks; the user part was measured separately, so it may be ahead. */
static void show_times(struct text *t, u64 run_ns, u64 user_ns)
{
	user_ns = MIN(user_ns, run_ns);
	text_printf(t, " %lu %lu", user_ns / TICK, (run_ns - user_ns) / TICK);
}

/* The 52 fields of proc(5); what has no meaning here is 0. */
static void show_stat(struct text *t, struct process *p)
{
	struct snapshot s;
	int priority;

	collect(&s, p);
	text_printf(t, "%d (%s) %c %d %d %d 0 -1 0 %lu 0 0 0", s.pid, s.name, s.state, s.ppid,
		    s.pgid, s.sid, atomic_load(&p->minor_faults));
	show_times(t, s.run_ns, s.user_ns);
	show_times(t, s.children_run_ns, s.children_user_ns);
	priority = is_real_time(&s.params) ? -1 - (int)s.params.rt_priority : 20 + s.params.nice;
	text_printf(t, " %d %d %u 0 %lu %lu %lu %lu", priority, s.params.nice, s.nr_threads,
		    p->start_ns / TICK, s.pages << PAGE_SHIFT, s.resident, UINT64_MAX);
	text_printf(t, " 0 0 0 0 0 0 0 0 0 0 0 0 17 %u %u %u 0 0 0 0 0 0 0 0 0 0 0\n", s.cpu,
		    s.params.rt_priority, s.params.class);
}

static const char *state_name(char letter)
{
	switch (letter) {
	case 'R':
		return "running";
	case 'T':
		return "stopped";
	case 'Z':
		return "zombie";
	default:
		return "sleeping";
	}
}

static void show_status(struct text *t, struct process *p)
{
	const u64 kib = PAGE_SIZE / 1024;
	struct snapshot s;

	collect(&s, p);
	text_printf(t, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\n", s.name, p->umask, s.state,
		    state_name(s.state));
	text_printf(t, "Tgid:\t%d\nPid:\t%d\nPPid:\t%d\n", s.pid, s.pid, s.ppid);
	text_printf(t, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
	text_printf(t, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\nThreads:\t%u\n", s.pages * kib,
		    s.resident * kib, s.nr_threads);
	text_printf(t, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		    atomic_load(&p->voluntary_switches), atomic_load(&p->involuntary_switches));
}

static void show_comm(struct text *t, struct process *p)
{
	struct snapshot s;

	collect(&s, p);
	text_printf(t, "%s\n", s.name);
}

/* The arguments lie in the process's own memory: each page is pinned and copied from. */
static void show_cmdline(struct text *t, struct process *p)
{
	struct addr_space *as = get_space(p);
	int err;

	if (!as)
		return;
	for (vaddr_t va = as->arg_start, next; va < as->arg_end; va = next) {
		struct page *page = as_pin_page(as, ALIGN_DOWN(va, PAGE_SIZE), VM_READ, &err);

		if (!page)
			break;
		next = MIN(ALIGN_UP(va + 1, PAGE_SIZE), as->arg_end);
		text_append(t, page_to_virt(page) + (va & (PAGE_SIZE - 1)), next - va);
		page_put(page);
	}
	as_put(as);
}

static void show_region(struct region *r, void *arg)
{
	const char *what = "";

	if (r->flags & (REGION_STACK | REGION_HEAP))
		what = r->flags & REGION_STACK ? "\t[stack]" : "\t[heap]";
	text_printf(arg, "%08lx-%08lx %c%c%c%c %08lx 00:00 %lu%s\n", r->start, r->end,
		    r->prot & VM_READ ? 'r' : '-', r->prot & VM_WRITE ? 'w' : '-',
		    r->prot & VM_EXEC ? 'x' : '-', r->flags & REGION_SHARED ? 's' : 'p',
		    (u64)r->offset, r->inode ? r->inode->ino : 0, what);
}

static void show_maps(struct text *t, struct process *p)
{
	struct addr_space *as = get_space(p);

	if (!as)
		return;
	as_for_each_region(as, show_region, t);
	as_put(as);
}

const struct proc_file proc_process_files[] = {
	{ "stat", show_stat },
	{ "status", show_status },
	{ "comm", show_comm },
	{ "cmdline", show_cmdline },
	{ "maps", show_maps },
	{ NULL, NULL },
};
