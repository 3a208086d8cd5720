/*
 * The accesses of a replay, one by one: the CPU and thread, the code, and the value that it read or
 * stored. tools/explore/table.py chooses the lines that say something about the mistake.
 */
#include "explore.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RECORDS_MAX	20000		/* an execution may be endless */
#define CHAIN_MAX	10

static struct record {
	struct access a;
	unsigned cpu, stack;
	char thread[16];
	uint64_t at, old, new;
	uintptr_t chain[CHAIN_MAX];	/* where the callers go on, innermost first */
	unsigned nr_chain;
} records[RECORDS_MAX];

static unsigned nr_records;

/* Checks whether there is memory at @p: the access to be recorded may be the one that crashes. */
static bool is_memory(const void *p)
{
	struct host_region regions[HOST_REGIONS];

	host_regions(regions);
	for (unsigned i = 0; i < HOST_REGIONS; i++)
		if ((size_t)((const char *)p - regions[i].start) < regions[i].size)
			return true;
	return host_stack_of(p) != HOST_NO_STACK;
}

static uint64_t value_at(const void *p, unsigned size)
{
	uint64_t v = 0;

	if (is_memory(p))
		memcpy(&v, p, size > 8 ? 8 : size);
	return v;
}

/* Follows the frame pointers, which everything that runs on a kernel stack keeps. */
static void find_callers(struct record *r)
{
	const uintptr_t *frame = (const uintptr_t *)cpu_states[vcpu].sp - 2;
	bool found = false;

	r->stack = host_stack_of(frame);
	while (r->nr_chain < CHAIN_MAX && host_stack_of(frame) == r->stack) {
		found |= frame[1] == (uintptr_t)r->a.pc;
		if (found && frame[1])
			r->chain[r->nr_chain++] = frame[1];
		if (frame[0] <= (uintptr_t)frame || !frame[1])
			break;
		frame = (const uintptr_t *)frame[0];
	}
}

/* The last record's access has been made: only now is it known what it has stored. */
static void finish_record(void)
{
	struct record *r = &records[nr_records - 1];

	if (nr_records)
		r->new = value_at(r->a.address, r->a.size);
}

static void record(const struct access *a)
{
	struct record *r;

	if (nr_records && progress.accesses < records[nr_records - 1].at)
		nr_records = 0;		/* the replay has begun again */
	if (nr_records == RECORDS_MAX)
		return;
	finish_record();
	r = &records[nr_records++];
	*r = (struct record){ .a = *a, .cpu = vcpu, .at = progress.accesses };
	r->old = value_at(a->address, a->size);
	strncpy(r->thread, host_thread_name(vcpu), sizeof(r->thread) - 1);
	find_callers(r);
}

static void record_older_load(uint64_t value)
{
	records[nr_records - 1].old = value;
}

static void print_record(const struct record *r)
{
	static const char *const kinds[] = { "read", "write", "acquire", "release", "try" };

	printf("{\"cpu\": %u, \"thread\": ", r->cpu);
	print_text(r->thread);
	printf(", \"stack\": %u, \"kind\": \"%s\", \"plain\": %s", r->stack, kinds[r->a.kind],
	       r->a.plain ? "true" : "false");
	printf(", \"address\": %" PRIuPTR ", \"size\": %u"
	       ", \"old\": %" PRIu64 ", \"new\": %" PRIu64 ", \"at\": %" PRIu64 ", \"chain\": [",
	       (uintptr_t)r->a.address, r->a.size, r->old, r->new, r->at);
	for (unsigned i = 0; i < r->nr_chain; i++)
		printf("%s%" PRIuPTR, i ? ", " : "", r->chain[i]);
	printf("]}\n");
}

void records_begin(void)
{
	on_access = record;
	on_older_load = record_older_load;
}

void records_print(void)
{
	finish_record();
	for (unsigned i = 0; i < nr_records; i++)
		print_record(&records[i]);
}
