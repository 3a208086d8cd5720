/*
 * A plugin of QEMU that watches a kernel from outside, without any effect on it: for how many
 * instructions interrupts, and preemption, stay off, and where; and which CPU takes which spin
 * lock.
 *
 * It knows the kernel only by addresses, which bench/meter/places.py takes out of the disassembly:
 * where interrupts go off and on, traps come in and leave, locks are taken. The kernel has no code
 * for it, and under -icount a run is the same with and without it.
 *
 *  METER1  Interrupts are off from the first instruction of a trap, or the one that turns them off,
 *          to the one that turns them on or leaves the trap. A trap that came while they were off
 *          (a fault in the kernel) leaves them off when it returns.
 *  METER2  Preemption is off while interrupts are, and from preempt_off() to the preempt_on() that
 *          pairs with it: a thread in between keeps its CPU, so that depth may be kept by CPU.
 *  METER3  Instructions are counted by CPU, in the kernel and in firmware that it called: a window
 *          has no user code in it, and waiting for an interrupt is one instruction.
 *
 * The findings go to a file, as lines: see report_windows() and report_locks(). QEMU under
 * -icount runs all its CPUs in one thread, so nothing here is locked.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

int qemu_plugin_version = PLUGIN_VERSION;

#define MAX_CPUS	32
#define MAX_PLACES	4096
#define MAX_LOCKS	4096
#define MAX_WINDOWS	1024
#define MAX_PATH	(1 << 18)	/* instructions of a window that are remembered */

enum kind {
	IRQ_OFF, IRQ_ON, TRAP_IN, TRAP_OUT, PREEMPT_OFF, PREEMPT_ON, LOCK_TAKE, LOCK_WAIT,
	MARK_BEGIN, MARK_END, MARK_SECTION, KINDS
};

static const char *const kind_names[KINDS] = {
	"irq_off", "irq_on", "trap_in", "trap_out", "preempt_off", "preempt_on", "lock_take",
	"lock_wait", "mark_begin", "mark_end", "mark_section",
};

struct place {
	uint64_t pc;
	enum kind kind;
};

struct range {
	uint64_t low, high;
};

static struct place places[MAX_PLACES];
static unsigned nr_places;
static struct range kernel;		/* its text */
static struct range firmware;
static struct range primitives;		/* spin_lock() and the like: their caller is the place */
static FILE *out;

/* Interrupts, or preemption, off on one CPU. */
struct watch {
	bool off;
	uint64_t since;			/* in the CPU's steps */
	uint64_t began;			/* the place */
	uint32_t *path;			/* offsets into the kernel's text */
};

enum { WATCH_IRQS, WATCH_PREEMPTION, WATCHES };

static const char *const watch_names[WATCHES] = { "irqs", "preemption" };

static struct cpu {
	uint64_t steps;
	uint64_t last;			/* the kernel's instruction before this one */
	uint64_t caller;		/* of the primitive that this one is in; itself: unknown */
	bool returned;			/* the instruction before this one left a trap */
	unsigned faults;		/* traps that came with interrupts off */
	unsigned preempt_depth;
	uint64_t waits_at;		/* address of the lock it tried last */
	bool marked;			/* the locks it takes are counted */
	struct watch watches[WATCHES];
} cpus[MAX_CPUS];

/* The longest from one place to another. */
struct window {
	uint64_t began, ended;
	uint64_t length, times;
};

static struct found {
	struct window windows[MAX_WINDOWS];
	unsigned nr;
	uint64_t longest;
	uint32_t *path;			/* of the longest */
	uint64_t path_length;
} found[WATCHES];

static struct lock {
	uint64_t address;
	uint64_t taken[MAX_CPUS], waited[MAX_CPUS];
} locks[MAX_LOCKS];

static unsigned nr_locks;
static bool recording;			/* from the first mark on, so that booting is left out */

static bool in(const struct range *r, uint64_t pc)
{
	return pc >= r->low && pc < r->high;
}

/*
 * --- Windows ------------------------------------------------------------------------------------
 */

static uint64_t place_of(const struct cpu *c, uint64_t pc)
{
	return in(&primitives, pc) ? c->caller : pc;
}

static struct window *window_between(struct found *f, uint64_t began, uint64_t ended)
{
	for (unsigned i = 0; i < f->nr; i++)
		if (f->windows[i].began == began && f->windows[i].ended == ended)
			return &f->windows[i];
	if (f->nr == MAX_WINDOWS)
		return NULL;
	f->windows[f->nr] = (struct window){ .began = began, .ended = ended };
	return &f->windows[f->nr++];
}

static void watch_begin(struct cpu *c, unsigned which, uint64_t pc)
{
	struct watch *w = &c->watches[which];

	if (w->off)
		return;
	w->off = true;
	w->since = c->steps;
	w->began = place_of(c, pc);
	if (!w->path)
		w->path = calloc(MAX_PATH, sizeof(*w->path));
}

static void watch_end(struct cpu *c, unsigned which, uint64_t pc)
{
	struct watch *w = &c->watches[which];
	struct found *f = &found[which];
	uint64_t length = c->steps - w->since;
	struct window *seen;

	if (!w->off)
		return;
	w->off = false;
	if (!recording)
		return;
	seen = window_between(f, w->began, place_of(c, pc));
	if (seen) {
		seen->times++;
		if (length > seen->length)
			seen->length = length;
	}
	if (length <= f->longest)
		return;
	f->longest = length;
	f->path_length = length < MAX_PATH ? length : MAX_PATH;
	if (!f->path)
		f->path = calloc(MAX_PATH, sizeof(*f->path));
	memcpy(f->path, w->path, f->path_length * sizeof(*f->path));
}

/* METER2 */
static void interrupts_on(struct cpu *c, uint64_t pc)
{
	watch_end(c, WATCH_IRQS, pc);
	if (!c->preempt_depth)
		watch_end(c, WATCH_PREEMPTION, pc);
}

static void interrupts_off(struct cpu *c, uint64_t pc)
{
	watch_begin(c, WATCH_IRQS, pc);
	watch_begin(c, WATCH_PREEMPTION, pc);
}

/* METER1 */
static void trap_in(struct cpu *c, uint64_t pc)
{
	if (c->watches[WATCH_IRQS].off)
		c->faults++;
	interrupts_off(c, pc);
}

static void trap_out(struct cpu *c, uint64_t pc)
{
	c->returned = true;
	if (c->faults)
		c->faults--;
	else
		interrupts_on(c, pc);
}

static void preempt_on(struct cpu *c, uint64_t pc)
{
	if (!c->preempt_depth || --c->preempt_depth || c->watches[WATCH_IRQS].off)
		return;
	watch_end(c, WATCH_PREEMPTION, pc);
}

/* One instruction of the kernel or the firmware is about to be executed. METER3 */
static void step(unsigned cpu, void *arg)
{
	struct cpu *c = &cpus[cpu];
	uint64_t pc = (uint64_t)(uintptr_t)arg;

	for (unsigned i = 0; i < WATCHES; i++) {
		struct watch *w = &c->watches[i];
		uint64_t at = c->steps - w->since;

		if (w->off && at < MAX_PATH)
			w->path[at] = pc - kernel.low;
	}
	c->steps++;
	if (!in(&kernel, pc))
		return;
	if (in(&primitives, pc) && !in(&primitives, c->last))
		c->caller = c->returned ? pc : c->last;
	c->returned = false;
	c->last = pc;
}

/*
 * --- Locks --------------------------------------------------------------------------------------
 */

static struct lock *lock_at(uint64_t address)
{
	for (unsigned i = 0; i < nr_locks; i++)
		if (locks[i].address == address)
			return &locks[i];
	if (nr_locks == MAX_LOCKS)
		return NULL;
	memset(&locks[nr_locks], 0, sizeof(locks[0]));
	locks[nr_locks].address = address;
	return &locks[nr_locks++];
}

static void lock_tried(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *arg)
{
	struct cpu *c = &cpus[cpu];
	bool again = address == c->waits_at;	/* second access to it, or after a wait */
	struct lock *l;

	(void)info;
	(void)arg;
	if (!c->marked || again)
		return;
	c->waits_at = address;
	l = lock_at(address);
	if (l)
		l->taken[cpu]++;
}

static void lock_waits(unsigned cpu)
{
	struct lock *l = cpus[cpu].marked ? lock_at(cpus[cpu].waits_at) : NULL;

	if (l)
		l->waited[cpu]++;
}

/* Writes the locks taken since the last time: "section", "lock ADDRESS CPU:TAKEN:WAITED...". */
static void report_locks(void)
{
	fprintf(out, "section\n");
	for (unsigned i = 0; i < nr_locks; i++) {
		fprintf(out, "lock %" PRIx64, locks[i].address);
		for (unsigned c = 0; c < MAX_CPUS; c++)
			if (locks[i].taken[c])
				fprintf(out, " %u:%" PRIu64 ":%" PRIu64, c, locks[i].taken[c],
					locks[i].waited[c]);
		fprintf(out, "\n");
	}
	nr_locks = 0;
}

/*
 * --- Where all that happens ---------------------------------------------------------------------
 */

static void at_place(unsigned cpu, void *arg)
{
	const struct place *p = arg;
	struct cpu *c = &cpus[cpu];

	switch (p->kind) {
	case IRQ_OFF:
		interrupts_off(c, p->pc);
		break;
	case IRQ_ON:
		interrupts_on(c, p->pc);
		break;
	case TRAP_IN:
		trap_in(c, p->pc);
		break;
	case TRAP_OUT:
		trap_out(c, p->pc);
		break;
	case PREEMPT_OFF:
		c->preempt_depth++;
		watch_begin(c, WATCH_PREEMPTION, p->pc);
		break;
	case PREEMPT_ON:
		preempt_on(c, p->pc);
		break;
	case LOCK_TAKE:
		c->waits_at = 0;
		break;
	case LOCK_WAIT:
		lock_waits(cpu);
		break;
	case MARK_BEGIN:
		recording = true;
		c->marked = true;
		break;
	case MARK_END:
		c->marked = false;
		break;
	case MARK_SECTION:
		report_locks();
		break;
	case KINDS:
		break;
	}
}

static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->pc < y->pc ? -1 : x->pc > y->pc;
}

static void translated(TRANSLATED(tb))
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct place key = { .pc = qemu_plugin_insn_vaddr(insn) };
		struct place *p = bsearch(&key, places, nr_places, sizeof(key), compare);

		if (in(&kernel, key.pc) || in(&firmware, key.pc))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, step, QEMU_PLUGIN_CB_NO_REGS,
							       (void *)(uintptr_t)key.pc);
		if (!p)
			continue;
		qemu_plugin_register_vcpu_insn_exec_cb(insn, at_place, QEMU_PLUGIN_CB_NO_REGS, p);
		if (p->kind == LOCK_TAKE)
			qemu_plugin_register_vcpu_mem_cb(insn, lock_tried, QEMU_PLUGIN_CB_NO_REGS,
							 QEMU_PLUGIN_MEM_RW, NULL);
	}
}

static int compare_offsets(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * For each kind "window KIND BEGAN ENDED LONGEST TIMES" of every pair of places, and the longest
 * one's instructions as "path KIND ADDRESS TIMES".
 */
static void report_windows(AT_EXIT)
{
	for (unsigned k = 0; k < WATCHES; k++) {
		struct found *f = &found[k];

		for (unsigned i = 0; i < f->nr; i++) {
			const struct window *w = &f->windows[i];

			fprintf(out, "window %s %" PRIx64 " %" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
				watch_names[k], w->began, w->ended, w->length, w->times);
		}
		if (!f->path)
			continue;
		qsort(f->path, f->path_length, sizeof(*f->path), compare_offsets);
		for (uint64_t from = 0, to; from < f->path_length; from = to) {
			for (to = from; to < f->path_length && f->path[to] == f->path[from]; to++)
				;
			fprintf(out, "path %s %" PRIx64 " %" PRIu64 "\n", watch_names[k],
				kernel.low + (uint64_t)(int32_t)f->path[from], to - from);
		}
	}
	fclose(out);
}

/* Lines "kind address" and "range low high". */
static bool read_places(const char *name)
{
	FILE *f = fopen(name, "r");
	struct {
		const char *name;
		struct range *range;
	} ranges[] = {
		{ "kernel", &kernel }, { "firmware", &firmware }, { "primitives", &primitives },
	};
	char line[128], what[32];

	while (f && fgets(line, sizeof(line), f)) {
		struct range r = { 0, 0 };
		int n = sscanf(line, "%31s %" SCNx64 " %" SCNx64, what, &r.low, &r.high);

		for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
			if (n == 3 && strcmp(what, ranges[i].name) == 0)
				*ranges[i].range = r;
		for (unsigned i = 0; i < KINDS; i++)
			if (n == 2 && nr_places < MAX_PLACES && strcmp(what, kind_names[i]) == 0)
				places[nr_places++] = (struct place){ r.low, (enum kind)i };
	}
	if (f)
		fclose(f);
	qsort(places, nr_places, sizeof(places[0]), compare);
	return nr_places && kernel.high;
}

/* Arguments: places=FILE, out=FILE. */
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "places=", 7) == 0 && !read_places(argv[i] + 7))
			return -1;
		if (strncmp(argv[i], "out=", 4) == 0)
			out = fopen(argv[i] + 4, "w");
	}
	if (!out || !nr_places)
		return -1;
	on_translation(id, translated);
	qemu_plugin_register_atexit_cb(id, report_windows, NULL);
	return 0;
}
