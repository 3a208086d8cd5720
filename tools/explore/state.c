/*
 * The state of the machine: copies of it, a hash of it, and which states were seen.
 *
 * Everything that decides what happens next is in the regions and pieces that the port names and
 * in the explorer's record of each CPU, so two moments with equal contents have the same futures,
 * and one of them need not be explored again. Only a hash of 64 bits is kept: among a million
 * states two different ones have the same hash with a probability of 1 in 30 million.
 *
 * Of the regions only the lines count that were ever stored to, in any execution: the hot ones.
 * All others have their first contents. Hot lines are listed in the order in which they became
 * hot, so a snapshot holds the first few of the list, and the rest had their first contents when
 * it was taken. The hash of a line is computed again only if there was a store to it since.
 */
#include "explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE		64
#define WORDS		(LINE / sizeof(uint64_t))
#define HOT_MAX		8192

struct line {
	char *start;
	unsigned skip, size;		/* the part that is the region's: not the first, the last */
	uint64_t words[WORDS];		/* its first contents */
	uint64_t mask[WORDS];
	uint64_t first_hash;
	bool dirty;
};

static struct host_region regions[HOST_REGIONS];
static char *bases[HOST_REGIONS];		/* the line where each begins */
static uint16_t *index_of[HOST_REGIONS];	/* each line: 0 cold, else index in hot[] + 1 */
static struct line hot[HOT_MAX];
static uint64_t hashes[HOT_MAX];		/* of hot lines that are not dirty */
static unsigned nr_hot, nr_dirty;
static uint16_t dirty[HOT_MAX];
static uint64_t sum;				/* of all hot lines' hashes, each minus its first */
static bool started;

/* For the explorer's own tests: are all stores reported? */
bool check_lines;
static char *first_contents[HOST_REGIONS];

/* --- Hashes ----------------------------------------------------------------------------------- */

#define FACTOR	0x9fb21c651e98df25ull

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * FACTOR;
	return h ^ h >> 29;
}

/* Four sums at once, as one multiplication must wait for the one before. */
static uint64_t hash_words(uint64_t h, const uint64_t *p, size_t n)
{
	uint64_t a = h, b = h ^ 1, c = h ^ 2, d = h ^ 3;

	for (; n >= 4; n -= 4, p += 4) {
		a = (a ^ p[0]) * FACTOR + (a >> 32);
		b = (b ^ p[1]) * FACTOR + (b >> 32);
		c = (c ^ p[2]) * FACTOR + (c >> 32);
		d = (d ^ p[3]) * FACTOR + (d >> 32);
	}
	while (n--)
		a = mix(a, *p++);
	return mix(mix(a, b), mix(c, d));
}

static uint64_t hash_line(const struct line *l)
{
	const uint64_t *words = (const uint64_t *)l->start;
	uint64_t masked[WORDS];

	for (unsigned i = 0; i < WORDS; i++)
		masked[i] = words[i] & l->mask[i];
	return hash_words((uintptr_t)l->start, masked, WORDS);
}

/* --- Hot lines -------------------------------------------------------------------------------- */

/* Lines begin at multiples of their size, so a region's first and last may be shared. */
static size_t lines_of(unsigned r)
{
	return (regions[r].start + regions[r].size - bases[r] + LINE - 1) / LINE;
}

static struct line line_of(unsigned r, size_t n)
{
	struct line l = { .start = bases[r] + n * LINE };
	char *from = l.start > regions[r].start ? l.start : regions[r].start;
	char *end = regions[r].start + regions[r].size;
	char *to = l.start + LINE < end ? l.start + LINE : end;

	l.skip = from - l.start;
	l.size = to - from;
	return l;
}

void state_init(void)
{
	host_regions(regions);
	for (unsigned i = 0; i < HOST_REGIONS; i++) {
		bases[i] = (char *)((uintptr_t)regions[i].start & -LINE);
		index_of[i] = calloc(lines_of(i), sizeof(*index_of[i]));
		if (check_lines)
			first_contents[i] = memcpy(malloc(lines_of(i) * LINE), bases[i],
						   lines_of(i) * LINE);
	}
	started = true;
}

static void make_hot(unsigned r, size_t n)
{
	const uint64_t *unimportant = regions[r].unimportant;
	struct line *l = &hot[nr_hot];

	if (nr_hot == HOT_MAX)
		explore_fail("the scenario stores to more than %u lines of memory", HOT_MAX);
	*l = line_of(r, n);
	memcpy(l->words, l->start, LINE);
	memset((char *)l->mask + l->skip, 0xff, l->size);
	if (unimportant)
		for (unsigned i = l->skip / 8; i < (l->skip + l->size) / 8; i++)
			l->mask[i] &= ~unimportant[(l->start - regions[r].start) / 8 + i];
	l->first_hash = hashes[nr_hot] = hash_line(l);
	index_of[r][n] = ++nr_hot;
}

static void mark_dirty(unsigned i)
{
	if (hot[i].dirty)
		return;
	hot[i].dirty = true;
	dirty[nr_dirty++] = i;
}

void state_stored(const void *start, size_t size)
{
	if (!started)
		return;
	for (unsigned r = 0; r < HOST_REGIONS; r++) {
		size_t at = (const char *)start - bases[r];

		if ((size_t)((const char *)start - regions[r].start) >= regions[r].size)
			continue;
		for (size_t n = at / LINE; n <= (at + size - 1) / LINE; n++) {
			if (!index_of[r][n])
				make_hot(r, n);
			mark_dirty(index_of[r][n] - 1);
		}
		return;
	}
}

static void hash_dirty_lines(void)
{
	while (nr_dirty) {
		unsigned i = dirty[--nr_dirty];
		uint64_t h = hash_line(&hot[i]);

		sum += h - hashes[i];
		hashes[i] = h;
		hot[i].dirty = false;
	}
}

/* Fails if a line has changed without a report. */
static void check_all_lines(void)
{
	for (unsigned r = 0; r < HOST_REGIONS; r++)
		for (size_t n = 0; n < lines_of(r); n++) {
			const struct line l = line_of(r, n);

			if (!index_of[r][n] &&
			    memcmp(l.start + l.skip, first_contents[r] + n * LINE + l.skip, l.size))
				explore_fail("a store to %p was not reported", (void *)l.start);
		}
	for (unsigned i = 0; i < nr_hot; i++)
		if (!hot[i].dirty && hash_line(&hot[i]) != hashes[i])
			explore_fail("a store to %p was not reported", (void *)hot[i].start);
}

uint64_t state_hash(void)
{
	struct piece pieces[HOST_PIECES_MAX];
	unsigned n = host_pieces(pieces);
	uint64_t h;

	if (check_lines)
		check_all_lines();
	hash_dirty_lines();
	h = sum + handed_hash() + scenario_over + (weak ? weak_hash() : 0);
	h = hash_words(h, (const uint64_t *)cpu_states, nr_vcpus * sizeof(cpu_states[0]) / 8);
	for (unsigned i = 0; i < n; i++)
		h = hash_words(mix(h, (uintptr_t)pieces[i].start), pieces[i].start,
			       pieces[i].size / 8);
	return h ? h : 1;
}

/* --- Snapshots -------------------------------------------------------------------------------- */

struct own_state {
	struct cpu_state cpus[HOST_CPUS];
	struct progress progress;
	bool sets_up, over;
	void *sp[HOST_CPUS];
	unsigned nr_hot;
	uint64_t sum;
	struct cpu_known known[HOST_CPUS];
	struct order_mark order;
	unsigned nr_locations;
	struct known sequential;
};

static char *room_for(struct snapshot *s, size_t n)
{
	if (s->size + n > s->room) {
		s->room = (s->size + n) * 2;
		s->bytes = realloc(s->bytes, s->room);
		if (!s->bytes) {
			fprintf(stderr, "explore: no memory left for snapshots\n");
			exit(2);
		}
	}
	s->size += n;
	return s->bytes + s->size - n;
}

void snapshot_take(struct snapshot *s)
{
	struct piece pieces[HOST_PIECES_MAX];
	unsigned n = host_pieces(pieces);
	struct own_state own = { .progress = progress,
				 .sets_up = scenario_sets_up,
				 .over = scenario_over };
	char *lines;

	hash_dirty_lines();
	own.nr_hot = nr_hot;
	own.sum = sum;
	own.order = order_mark();
	own.nr_locations = nr_locations;
	own.sequential = sequential;
	memcpy(own.known, known, sizeof(known));
	memcpy(own.cpus, cpu_states, sizeof(own.cpus));
	memcpy(own.sp, host_cpu_sp, sizeof(own.sp));
	s->size = 0;
	memcpy(room_for(s, sizeof(own)), &own, sizeof(own));
	memcpy(room_for(s, nr_locations * sizeof(locations[0])), locations,
	       nr_locations * sizeof(locations[0]));
	memcpy(room_for(s, nr_hot * sizeof(hashes[0])), hashes, nr_hot * sizeof(hashes[0]));
	lines = room_for(s, nr_hot * LINE);
	for (unsigned i = 0; i < nr_hot; i++)
		memcpy(lines + i * LINE, hot[i].start, LINE);
	for (unsigned i = 0; i < n; i++) {
		memcpy(room_for(s, sizeof(pieces[i])), &pieces[i], sizeof(pieces[i]));
		memcpy(room_for(s, pieces[i].size), pieces[i].start, pieces[i].size);
	}
}

static void restore_line(const struct line *l, const void *contents)
{
	if (l->size == LINE)
		memcpy(l->start, contents, LINE);
	else
		memcpy(l->start + l->skip, (const char *)contents + l->skip, l->size);
}

void snapshot_restore(const struct snapshot *s)
{
	const char *from = s->bytes;
	struct own_state own;
	struct piece piece;

	memcpy(&own, from, sizeof(own));
	from += sizeof(own);
	sequential = own.sequential;
	memcpy(locations, from, own.nr_locations * sizeof(locations[0]));
	memset(&locations[own.nr_locations], 0,
	       (nr_locations - own.nr_locations) * sizeof(locations[0]));
	from += own.nr_locations * sizeof(locations[0]);
	memcpy(cpu_states, own.cpus, sizeof(own.cpus));
	memcpy(host_cpu_sp, own.sp, sizeof(own.sp));
	progress = own.progress;
	scenario_sets_up = own.sets_up;
	scenario_over = own.over;
	sum = own.sum;
	memcpy(known, own.known, sizeof(known));
	memcpy(hashes, from, own.nr_hot * sizeof(hashes[0]));
	from += own.nr_hot * sizeof(hashes[0]);
	for (unsigned i = 0; i < own.nr_hot; i++, from += LINE)
		restore_line(&hot[i], from);
	for (unsigned i = own.nr_hot; i < nr_hot; i++) {
		restore_line(&hot[i], hot[i].words);
		hashes[i] = hot[i].first_hash;
	}
	while (nr_dirty)
		hot[dirty[--nr_dirty]].dirty = false;
	while (from < s->bytes + s->size) {
		memcpy(&piece, from, sizeof(piece));
		memcpy(piece.start, from + sizeof(piece), piece.size);
		from += sizeof(piece) + piece.size;
	}
	order_go_back(own.order);
}

/* --- States seen ------------------------------------------------------------------------------ */

/* Small, as the search asks for one of many thousands at random, and most are never met again. */
struct seen {
	uint64_t hash;
	uint32_t budget : 31;		/* the largest with which it was explored */
	uint32_t open : 1;		/* on the path that is explored now */
	uint32_t number;		/* of the states, in the order in which they were met */
};

static struct seen *table;
static size_t table_size;
static struct effects *meanwhiles;	/* of each number, nr_vcpus */
uint64_t nr_states;

static void make_table(size_t n)
{
	table_size = n;
	table = calloc(n, sizeof(*table));
	meanwhiles = realloc(meanwhiles, (n / 2 + 1) * nr_vcpus * sizeof(*meanwhiles));
	if (!table || !meanwhiles) {
		fprintf(stderr, "explore: no memory left for %zu states\n", n / 2);
		exit(2);
	}
}

void visited_clear(void)
{
	if (table)
		memset(table, 0, table_size * sizeof(*table));
	else
		make_table(1 << 12);
	nr_states = 0;
}

static struct seen *find(uint64_t hash)
{
	size_t i = hash & (table_size - 1);

	while (table[i].hash && table[i].hash != hash)
		i = (i + 1) & (table_size - 1);
	return &table[i];
}

static void grow(void)
{
	struct seen *old = table;
	size_t n = table_size;

	make_table(n * 4);
	for (size_t i = 0; i < n; i++)
		if (old[i].hash)
			*find(old[i].hash) = old[i];
	free(old);
}

enum visit visit(uint64_t hash, unsigned budget)
{
	struct seen *s = find(hash);

	if (s->hash && s->budget >= budget)
		return s->open ? VISIT_CYCLE : VISIT_KNOWN;
	if (!s->hash) {
		if (nr_states + 1 > table_size / 2) {
			grow();
			s = find(hash);
		}
		*s = (struct seen){ .hash = hash, .number = nr_states++ };
	}
	s->budget = budget;
	s->open = true;
	return VISIT_NEW;
}

void visit_finished(uint64_t hash, const struct effects *by_others)
{
	struct seen *s = find(hash);

	s->open = false;
	memcpy(&meanwhiles[s->number * nr_vcpus], by_others, nr_vcpus * sizeof(*meanwhiles));
}

const struct effects *visit_meanwhile(uint64_t hash)
{
	return &meanwhiles[find(hash)->number * nr_vcpus];
}
