/*
 * The trace ring; trace.h says what a record is and who reads it.
 *
 * A writer gets its slot by one atomic addition, so it needs no lock and may be interrupted: a
 * handler that traces in the middle of a record gets the next slot, and so does another CPU if the
 * thread migrates meanwhile. trace= chooses groups, trace_size= the records kept per CPU.
 */
#include "base/trace.h"

#include "base/bootargs.h"
#include "base/printf.h"
#include "base/string.h"
#include "config.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "test/instrument.h"

#define DEFAULT_GROUPS	(TRACE_SCHED | TRACE_LIFE | TRACE_TEST | (DEBUG_BUILD ? TRACE_STATE : 0))
#define MAX_RECORDS	(TRACE_RING_MAX / sizeof(struct trace_record))

unsigned trace_mask;
struct trace_ring trace_rings[MAX_CPUS]; /* its own symbol: the host reads it from guest memory */

#define TRACE_EVENT(id, group, name, a, b) [id] = name,
static const char *const event_names[] = {
#include "base/trace_events.def"
};
#undef TRACE_EVENT

static const struct {
	const char *name;
	unsigned mask;
} groups[] = {
	{ "sched", TRACE_SCHED },
	{ "life", TRACE_LIFE },
	{ "wait", TRACE_WAIT },
	{ "syscall", TRACE_SYSCALL },
	{ "irq", TRACE_IRQ },
	{ "fault", TRACE_FAULT },
	{ "lock", TRACE_LOCK },
	{ "test", TRACE_TEST },
	{ "state", TRACE_STATE },
	{ "all", ~0u },
	{ "none", 0 },
};

/* Returns the mask of the first word in the list *s, and moves *s past it. */
static unsigned parse_group(const char **s)
{
	size_t n = 0;

	while ((*s)[n] && (*s)[n] != ',')
		n++;
	for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
		if (strlen(groups[i].name) == n && strncmp(groups[i].name, *s, n) == 0) {
			*s += n + ((*s)[n] == ',');
			return groups[i].mask;
		}
	}
	bootarg_bad("trace",
		    "a list of sched,life,wait,syscall,irq,fault,lock,test,state,all,none");
}

size_t trace_ring_bytes(void)
{
	u64 size = bootarg_number("trace_size", 4096, 128, MAX_RECORDS);

	while (size & (size - 1))
		size &= size - 1;
	return size * sizeof(struct trace_record);
}

void trace_add_ring(struct cpu *c, void *memory)
{
	struct trace_ring *ring = &trace_rings[c->id];

	ring->records = memory;
	ring->size = trace_ring_bytes() / sizeof(struct trace_record);
	c->trace = ring;
}

void trace_init(void)
{
	const char *list = bootarg("trace");
	unsigned mask = DEFAULT_GROUPS;

	if (list) {
		mask = 0;
		while (*list)
			mask |= parse_group(&list);
	}
	trace_mask = mask;
}

void trace_write(enum trace_event ev, u64 a, u64 b)
{
	struct thread *t = current_thread();
	struct cpu *c = thread_cpu(t);
	struct trace_ring *ring = c->trace;
	struct trace_record *r;
	u64 slot;

	assert(ring);	/* trace_mask is 0 until there is one */
	slot = atomic_fetch_add_explicit(&ring->head, 1, memory_order_relaxed);
	r = &ring->records[slot & (ring->size - 1)];
	r->time = time_now();
	r->event = ev;
	r->cpu = c->id;
	r->tid = t->tid;
	r->a = a;
	r->b = b;
}

static void print_record(const struct trace_record *r)
{
	const char *name = r->event < ARRAY_SIZE(event_names) ? event_names[r->event] : "?";
	u64 b = r->event == TRACE_EV_STATE ? r->b & 0xffff : r->b;	/* without its reason */

	kprintf("  %12lu ns  cpu%u  thread %-5u %-12s %lx %lx\n", r->time, r->cpu, r->tid, name,
		r->a, b);
}

void trace_print_last(unsigned n)
{
	u64 at[MAX_CPUS];	/* the next record of each ring */

	for (unsigned i = 0; i < nr_cpus; i++) {
		u64 head = atomic_load(&trace_rings[i].head);

		at[i] = head > n ? head - n : 0;
	}
	/* Merge the last n of each ring, the oldest first; print once only n are left in all. */
	for (u64 left = 0;; left = 0) {
		unsigned first = MAX_CPUS;

		for (unsigned i = 0; i < nr_cpus; i++) {
			struct trace_ring *r = &trace_rings[i];

			if (!r->size || at[i] >= atomic_load(&r->head))
				continue;
			left += atomic_load(&r->head) - at[i];
			if (first == MAX_CPUS ||
			    time_before(r->records[at[i] & (r->size - 1)].time,
					trace_rings[first].records[at[first] & (r->size - 1)].time))
				first = i;
		}
		if (first == MAX_CPUS)
			return;
		if (left <= n)
			print_record(&trace_rings[first]
					      .records[at[first] & (trace_rings[first].size - 1)]);
		at[first]++;
	}
}
