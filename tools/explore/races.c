/*
 * Data races: two accesses that nothing orders, one of them a store, one of them not atomic. C
 * gives such a program no meaning at all (C11 5.1.2.4), and the compiler may assume that there are
 * none.
 *
 * A race is no verdict: the execution goes on. Each pair of places in the code is kept once, with
 * the schedule of the execution that showed it first, which has as few preemptions as any.
 */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

struct data_race data_races[DATA_RACES_MAX];
unsigned nr_data_races;

static bool is_known(const struct access *second, uintptr_t first)
{
	uintptr_t pc = (uintptr_t)second->pc;

	for (unsigned i = 0; i < nr_data_races; i++) {
		const struct data_race *r = &data_races[i];
		uintptr_t other = (uintptr_t)r->second.pc;

		if ((other == pc && r->first == first) || (other == first && r->first == pc))
			return true;
	}
	return false;
}

void note_data_race(const struct access *second, uintptr_t first)
{
	const struct schedule *path = search_path();
	struct data_race *r = &data_races[nr_data_races];
	size_t size;

	if (!path || nr_data_races == DATA_RACES_MAX || is_known(second, first))
		return;
	size = offsetof(struct schedule, choices) + path->nr * sizeof(path->choices[0]);
	*r = (struct data_race){ *second, first, malloc(size) };
	if (!r->schedule)
		return;
	memcpy(r->schedule, path, size);
	nr_data_races++;
}

void forget_data_races(void)
{
	while (nr_data_races)
		free(data_races[--nr_data_races].schedule);
}

void forget_coarse_data_races(void)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < nr_data_races; i++)
		if (order_is_coarse(data_races[i].second.address))
			free(data_races[i].schedule);
		else
			data_races[kept++] = data_races[i];
	nr_data_races = kept;
}
