/*
 * Weak memory: an atomic load may read an older store, as long as nothing that the CPU knows of
 * came after it (C11 5.1.2.4 and 7.17.3).
 *
 * A store is known to a CPU that has made it, or read it or a later one of the same location, or
 * has acquired what a CPU that knew it has released. So a store that is neither a release nor
 * followed by one is seen late, and a load that is no acquire teaches the CPU nothing else. This is
 * the view model of Kang et al., "A promising semantics for relaxed-memory concurrency", 2017,
 * without its promises: no load reads a store that is still to come, and all CPUs agree with the
 * execution on the order of the stores to one location. C11 allows a little more.
 *
 * A compare-and-exchange that is weak may fail although it finds what it expects (C11 7.17.7.4).
 *
 * A read-modify-write reads the last store. So do plain loads, which is right unless they race, and
 * then they are reported.
 */
#include "explore.h"

#include <string.h>

bool weak;
struct location locations[LOCATIONS_MAX];
unsigned nr_locations;
bool locations_full;
struct known sequential;

struct location *location_create(void)
{
	if (nr_locations == LOCATIONS_MAX) {
		locations_full = true;
		return NULL;
	}
	return &locations[nr_locations++];
}

static void join_stores(struct known *to, const struct known *from)
{
	for (unsigned i = 0; i < nr_locations; i++)
		if (to->stores[i] < from->stores[i])
			to->stores[i] = from->stores[i];
}

void known_join(struct known *to, const struct known *from)
{
	for (unsigned i = 0; i < HOST_CPUS; i++)
		if (to->clock.of[i] < from->clock.of[i])
			to->clock.of[i] = from->clock.of[i];
	if (weak)
		join_stores(to, from);
}

void location_load(struct location *l, unsigned older)
{
	uint16_t *seen = &known[vcpu].now.stores[l - locations];

	if (*seen < l->nr - older)
		*seen = l->nr - older;
}

void location_store(struct location *l, uint64_t old, const struct known *released, int order)
{
	if (l->nr == UINT16_MAX)
		explore_fail("the scenario stores too often to one place");
	memmove(&l->old[1], &l->old[0], (OLD_MAX - 1) * sizeof(l->old[0]));
	l->old[0] = (struct old_store){ old, *released };
	l->kept += l->kept < OLD_MAX;
	known[vcpu].now.stores[l - locations] = ++l->nr;
	if (order == SEQUENTIAL)
		sequential.stores[l - locations] = l->nr;
}

void weak_sequential_fence(void)
{
	join_stores(&known[vcpu].now, &sequential);
	join_stores(&sequential, &known[vcpu].now);
}

/* Whether the access before which @cpu has paused comes next. Else an interrupt's handler does. */
static bool access_is_next(unsigned cpu)
{
	return cpu_states[cpu].why == PAUSE_ACCESS && !host_takes_interrupts(cpu);
}

/* How many stores before the last one are not known to be overwritten. */
static unsigned behind(const struct location *l, const struct known *k)
{
	unsigned n = l->nr - k->stores[l - locations];

	return n < l->kept ? n : l->kept;
}

unsigned weak_older(unsigned cpu)
{
	const struct cpu_state *c = &cpu_states[cpu];
	const struct location *l;
	unsigned n, since;

	if (!weak || !access_is_next(cpu) || !c->load)
		return 0;
	l = order_location(c->load, c->load_size);
	if (!l)
		return 0;
	n = behind(l, &known[cpu].now);
	since = behind(l, &sequential);
	return c->load_order == SEQUENTIAL && since < n ? since : n;
}

bool weak_may_fail(unsigned cpu)
{
	return weak && access_is_next(cpu) && cpu_states[cpu].may_fail;
}

bool weak_learn(unsigned cpu)
{
	const struct cpu_state *c = &cpu_states[cpu];
	unsigned learned = nr_learned;

	if (c->why != PAUSE_ACCESS || !c->load)
		return false;	/* another choice was left out, so the CPU is elsewhere */
	order_race(c->load);
	order_location(c->load, c->load_size);
	return nr_learned != learned;
}

/* --- The state -------------------------------------------------------------------------------- */

/*
 * The locations of which some CPU does not know the last store. All CPUs know the one with number
 * @all_know, or it is not kept any more.
 */
static struct open {
	uint16_t location, all_know, nr;
} open[LOCATIONS_MAX];
static unsigned nr_open;

static void add(uint64_t *h, uint64_t v)
{
	*h = (*h ^ v) * 0x9e3779b97f4a7c15ull;
	*h ^= *h >> 29;
}

/* Of what is @k, only what some CPU does not know makes a difference. */
static void add_known(uint64_t *h, uint64_t name, const struct known *k)
{
	for (const struct open *o = open; o < open + nr_open; o++) {
		unsigned known_store = k->stores[o->location];

		if (known_store > o->all_know)
			add(h, name << 16 | o->location << 8 | (o->nr - known_store));
	}
}

static void add_release(uintptr_t at, const struct known *released, void *hash)
{
	add_known(hash, at, released);
}

static void add_location(uint64_t *h, const struct open *o)
{
	const struct location *l = &locations[o->location];

	add(h, o->location);
	for (unsigned cpu = 0; cpu < nr_vcpus; cpu++)
		add(h, behind(l, &known[cpu].now));
	for (int n = 0; n < o->nr - o->all_know; n++) {
		add(h, l->old[n].value);
		add_known(h, n, &l->old[n].released);
	}
}

static void find_open(void)
{
	nr_open = 0;
	for (unsigned i = 0; i < nr_locations; i++) {
		unsigned nr = locations[i].nr, most = 0;

		for (unsigned cpu = 0; cpu < nr_vcpus; cpu++) {
			unsigned n = behind(&locations[i], &known[cpu].now);

			most = n > most ? n : most;
		}
		if (most)
			open[nr_open++] = (struct open){ i, nr - most, nr };
	}
}

uint64_t weak_hash(void)
{
	uint64_t h = 0;

	find_open();
	if (!nr_open)
		return 0;
	for (unsigned i = 0; i < nr_open; i++)
		add_location(&h, &open[i]);
	for (unsigned cpu = 0; cpu < nr_vcpus; cpu++) {
		add_known(&h, 2 * cpu + 8, &known[cpu].read);
		add_known(&h, 2 * cpu + 9, &known[cpu].fenced);
	}
	add_known(&h, 7, &sequential);
	order_each_release(add_release, &h);
	return h;
}
