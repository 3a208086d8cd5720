/*
 * The explorer's command line:
 *
 *	explore list			names the scenarios
 *	explore NAME BOUND STEPS	runs all schedules with at most BOUND preemptions
 *	explore weak NAME BOUND STEPS	the same, and loads may read older stores
 *	explore whole NAME BOUND STEPS	the same, without partial-order reduction
 *	explore covers NAME BOUND STEPS	the same, and tells which code ran
 *	explore costume NAME BOUND STEPS the same in the costume: arch/host/costume.c
 *	explore twice NAME BOUND STEPS	first as it is, then a smaller search in the costume
 *	explore NAME replay SCHEDULE	runs one, and tells of each access
 *	explore NAME random SEED COUNT [DEPTH]
 *					runs so many at random (random.c)
 *	explore NAME more BOUND SECONDS SEED [DEPTH]
 *					runs those with BOUND preemptions and more until half of
 *					the time is over, then random ones
 *	explore NAME plain STEPS [BOUND]
 *					runs all schedules, and equal states each time they come
 *	explore NAME check STEPS	is every store to memory known? For the explorer's own tests
 *
 * The output is for the program around it (__main__.py): one JSON object a line.
 */
#include "explore.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "entry.h"

extern const struct scenario __start_scenarios[], __stop_scenarios[];

static const struct scenario *scenario;
static struct schedule schedule;

const char *check_end(void)
{
	const char *wrong = scenario->after ? scenario->after() : NULL;

	if (scenario_sets_up)
		wrong = "it has ended without explore_from_here()";
	if (!wrong)
		wrong = host_armed();
	return wrong || scenario->keeps ? wrong : host_leak();
}

const char *wrong(const char *format, ...)
{
	static char text[sizeof(verdict)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return text;
}

void print_text(const char *s)
{
	putchar('"');
	for (; *s; s++)
		if ((unsigned char)*s < ' ')
			printf("\\u%04x", (unsigned char)*s);
		else
			printf(*s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
	putchar('"');
}

/* How the name of a schedule begins. */
#define PLAIN	"x:"
#define COSTUME	"c:"

static void print_schedule(const struct schedule *s)
{
	printf("\"%s", host_costume ? COSTUME : PLAIN);
	for (unsigned i = 0; i < s->nr; i++) {
		const struct choice *c = &s->choices[i];

		printf("%s%" PRIx64 "/%c", i ? "," : "", c->at,
		       c->cpu == CPU_TIME ? 't' : '0' + c->cpu);
		if (c->older == FAILS)
			printf("-f");
		else if (c->older)
			printf("-%u", c->older);
	}
	putchar('"');
}

/* Returns false if @text is no schedule. */
static bool read_schedule(const char *text, struct schedule *s)
{
	if (strncmp(text, PLAIN, 2) && strncmp(text, COSTUME, 2))
		return false;
	for (text += 2; *text; text += *text == ',') {
		struct choice *c = &s->choices[s->nr++];
		char *end;

		if (s->nr > CHOICES_MAX)
			return false;
		c->at = strtoull(text, &end, 16);
		if (end == text || *end != '/')
			return false;
		c->cpu = end[1] == 't' ? CPU_TIME : (unsigned)(end[1] - '0');
		if (c->cpu != CPU_TIME && c->cpu >= nr_vcpus)
			return false;
		text = end + 2;
		c->older = 0;
		if (!strncmp(text, "-f", 2)) {
			c->older = FAILS;
			text += 2;
		} else if (*text == '-') {
			c->older = strtoul(text + 1, &end, 10);
			if (end == text + 1 || c->older > OLD_MAX || c->cpu == CPU_TIME)
				return false;
			text = end;
		}
		if (*text && *text != ',')
			return false;
	}
	return true;
}

static void print_races(void)
{
	for (unsigned i = 0; i < nr_data_races; i++) {
		const struct data_race *r = &data_races[i];

		printf("%s{\"first\": %" PRIuPTR ", \"second\": %" PRIuPTR, i ? ", " : "", r->first,
		       (uintptr_t)r->second.pc);
		printf(", \"address\": %" PRIuPTR ", \"schedule\": ",
		       (uintptr_t)r->second.address);
		print_schedule(r->schedule);
		putchar('}');
	}
}

/* --- Searching -------------------------------------------------------------------------------- */

/* Executions so far, with this seed. */
static uint64_t nr_random, random_steps, random_accesses, random_seed;
static unsigned weakly;			/* the bound of the search with older stores; 0: none */
static struct figures older;		/* of that search */
static const struct figures none;

static void report(const char *outcome, unsigned bound, const struct figures *f)
{
	printf("{\"scenario\": \"%s\", \"outcome\": \"%s\", \"bound\": %u, \"executions\": %" PRIu64
	       ", \"states\": %" PRIu64 ", \"steps\": %" PRIu64 ", \"longest\": %u",
	       scenario->name, outcome, bound, f->executions, nr_states, f->steps + older.steps,
	       f->longest);
	if (weakly)
		printf(", \"weakly\": %u, \"older\": %" PRIu64, weakly, older.executions);
	if (locations_full)
		printf(", \"full\": true");
	if (nr_random)
		printf(", \"random\": %" PRIu64 ", \"random_steps\": %" PRIu64
		       ", \"random_accesses\": %" PRIu64 ", \"seed\": %" PRIu64,
		       nr_random, random_steps, random_accesses, random_seed);
	if (host_costume)
		printf(", \"costume\": true");
	if (verdict[0]) {
		printf(", \"verdict\": ");
		print_text(verdict);
		printf(", \"schedule\": ");
		print_schedule(&schedule);
		if (failed_at.file)
			printf(", \"check\": \"%s:%u\"", failed_at.file, failed_at.line);
	}
	forget_coarse_data_races();
	printf(", \"races\": [");
	print_races();
	putchar(']');
	covers_print();
	printf("}\n");
}

/* Leaves out the @n choices of @s before @end, if the execution is wrong without them too. */
static void leave_out(struct schedule *s, unsigned end, unsigned n)
{
	static struct schedule shorter;

	shorter = *s;
	shorter.nr -= n;
	memmove(&shorter.choices[end - n], &shorter.choices[end],
		(s->nr - end) * sizeof(shorter.choices[0]));
	if (replay(&shorter) == OUTCOME_WRONG)
		*s = shorter;
}

/*
 * Leaves out every choice without which the execution is wrong too: first many at once, as an
 * execution at random that does not end is long and has thousands.
 */
static void shrink(struct schedule *s)
{
	unsigned before;

	for (unsigned n = s->nr / 2; n > 1; n /= 2)
		for (unsigned end = s->nr; end >= n; end -= n)
			leave_out(s, end, n);
	do {
		before = s->nr;
		for (unsigned end = s->nr; end > 0; end--)
			leave_out(s, end, 1);
	} while (s->nr < before);
	replay(s);
}

_Noreturn void boot_failed(void)
{
	report("wrong", 0, &none);
	exit(1);
}

/* Searches with the bound @k until nothing new is learned that would make the search sharper. */
static enum outcome search_bound(unsigned k, uint64_t most_steps, struct figures *f)
{
	enum outcome o;
	unsigned learned;

	do {
		learned = nr_learned;
		o = search(k, most_steps, f, &schedule);
	} while (o == OUTCOME_RIGHT && nr_learned != learned);
	return o;
}

/*
 * Then loads may read older stores. That many more states are worth it with fewer preemptions
 * only. Sets @weakly; @k: the bound of the counterexample.
 */
static enum outcome search_weak(unsigned bound, uint64_t most_steps, unsigned *k)
{
	enum outcome o = OUTCOME_RIGHT;

	weak = true;
	if (bound)
		order_make_locations();
	for (*k = 1; *k <= bound; ++*k) {
		o = search_bound(*k, most_steps, &older);
		if (o != OUTCOME_RIGHT)
			return o;
		weakly = older.cut ? *k : bound;
		if (!older.cut)
			break;
	}
	return o;
}

static int search_all(unsigned bound, uint64_t most_steps)
{
	struct figures f = { 0 };
	enum outcome o = OUTCOME_RIGHT;
	unsigned k;

	for (k = bound == BOUND_NONE ? bound : 0; k <= bound; k++) {
		o = search_bound(k, most_steps, &f);
		if (o != OUTCOME_RIGHT || !f.cut)
			break;
	}
	if (o == OUTCOME_WRONG) {
		shrink(&schedule);
		report("wrong", k, &f);
		return 1;
	}
	if (o == OUTCOME_TOO_MANY) {
		report("unfinished", k, &f);
		return 0;
	}
	if (merge_states && !weak && !host_costume &&
	    search_weak(bound > 1 ? bound - 1 : bound, most_steps, &k) == OUTCOME_WRONG) {
		shrink(&schedule);
		report("wrong", k, &f);
		return 1;
	}
	report(f.cut ? "bounded" : "complete", f.cut ? bound : k, &f);
	return 0;
}

/* --- Searching for a time --------------------------------------------------------------------- */

#define TELL_S		0.5		/* how often it tells how far it is */
#define MOST_STEPS	20000000	/* of a larger bound: its states must fit into memory */
#define FOR_EVER	1e18

static double time_limit, told_at;	/* 0: there is none */
static unsigned bound_now;		/* of the search that goes on, or of the last one */
static const struct figures *finished;	/* when the random ones have begun: of the last bound */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Reports as if the time were over, so that who stops the program knows what was done. */
static void tell(const struct figures *f)
{
	nr_random = finished ? f->executions : 0;
	random_steps = f->steps;
	random_accesses = f->accesses;
	report(finished ? "bounded" : "unfinished", bound_now, finished ? finished : f);
	fflush(stdout);
}

bool time_is_over(const struct figures *f)
{
	double t;

	if (!time_limit)
		return false;
	t = now();
	if (t - told_at >= TELL_S) {
		told_at = t;
		tell(f);
	}
	return t >= time_limit;
}

/* Reports @done, the figures of the bounded search that came before. */
static int search_random(uint64_t count, unsigned depth, const struct figures *done)
{
	struct figures f;
	enum outcome o;

	finished = done;
	told_at = now();
	o = search_at_random(random_seed, count, depth, &f, &schedule);
	nr_random = f.executions;
	random_steps = f.steps;
	random_accesses = f.accesses;
	time_limit = 0;
	if (o == OUTCOME_WRONG)
		shrink(&schedule);
	report(o == OUTCOME_WRONG ? "wrong" : "bounded", bound_now, done);
	return o == OUTCOME_WRONG;
}

/* Reports the largest bound that was finished, with no executions if there is none. */
static int search_more(unsigned bound, double seconds, unsigned depth)
{
	struct figures f = { 0 }, done = { 0 };
	double end = now() + seconds;
	enum outcome o;

	told_at = now();
	time_limit = end - seconds / 2;
	for (bound_now = bound;; bound_now++) {
		o = search_bound(bound_now, MOST_STEPS, &f);
		if (o != OUTCOME_RIGHT || !f.cut)
			break;
		done = f;
	}
	if (o == OUTCOME_TOO_MANY) {
		time_limit = end;
		bound_now -= bound_now > 0;
		return search_random(UINT64_MAX, depth, &done);
	}
	time_limit = 0;
	if (o == OUTCOME_WRONG)
		shrink(&schedule);
	report(o == OUTCOME_WRONG ? "wrong" : "complete", bound_now, &f);
	return o == OUTCOME_WRONG;
}

/* --- Replaying -------------------------------------------------------------------------------- */

static int replay_one(const char *text)
{
	enum outcome outcome;

	if (!read_schedule(text, &schedule)) {
		fprintf(stderr, "explore: %s is no schedule of %s\n", text, scenario->name);
		return 2;
	}
	records_begin();
	outcome = replay_and_tell(&schedule);
	records_print();
	report(outcome == OUTCOME_WRONG ? "wrong" : "right", 0, &none);
	return outcome == OUTCOME_WRONG;
}

static void list(void)
{
	for (const struct scenario *s = __start_scenarios; s < __stop_scenarios; s++)
		printf("{\"scenario\": \"%s\", \"step\": \"%s\", \"property\": \"%s\""
		       ", \"cpus\": %u, \"wrong\": %s, \"weak\": %s}\n",
		       s->name, s->step, s->property, s->cpus, s->wrong ? "true" : "false",
		       s->weak ? "true" : "false");
}

static unsigned depth_of(const char *text)
{
	unsigned depth = text ? strtoul(text, NULL, 10) : DEPTH_OF_MISTAKE;

	return depth < DEPTH_OF_MISTAKE_MAX ? depth : DEPTH_OF_MISTAKE_MAX;
}

/*
 * The second search of a scenario, which must not cost as much as the first. Mistakes made in one
 * role only seldom need more than this. Another boot needs another program.
 */
#define COSTUME_BOUND	1u
#define COSTUME_STEPS	100000u

static int again_in_costume(char *program, unsigned bound, uint64_t most_steps)
{
	char at_most[16], steps[32];
	char *argv[] = { program, "costume", (char *)scenario->name, at_most, steps, NULL };

	snprintf(at_most, sizeof(at_most), "%u", bound < COSTUME_BOUND ? bound : COSTUME_BOUND);
	snprintf(steps, sizeof(steps), "%" PRIu64,
		 most_steps < COSTUME_STEPS ? most_steps : COSTUME_STEPS);
	fflush(stdout);
	execv(program, argv);
	perror("explore: cannot start itself");
	return 2;
}

int main(int argc, char **argv)
{
	char *program = argv[0];
	bool twice = false;
	uint64_t steps;
	unsigned bound;
	int found;

	explore_use_large_pages();
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		list();
		return 0;
	}
	for (; argc > 4; argc--, argv++) {
		if (strcmp(argv[1], "weak") == 0)
			weak = true;
		else if (strcmp(argv[1], "whole") == 0)
			reduces = false;
		else if (strcmp(argv[1], "covers") == 0)
			covers = true;
		else if (strcmp(argv[1], "costume") == 0)
			host_costume = true;
		else if (strcmp(argv[1], "twice") == 0)
			twice = true;
		else
			break;
	}
	if (argc < 4 || argc > 7) {
		fprintf(stderr, "usage: explore list | NAME replay SCHEDULE |"
				" [weak | whole | covers | costume | twice] NAME BOUND STEPS\n");
		return 2;
	}
	scenario = __start_scenarios;
	while (scenario < __stop_scenarios && strcmp(scenario->name, argv[1]))
		scenario++;
	if (scenario == __stop_scenarios) {
		fprintf(stderr, "explore: no scenario %s\n", argv[1]);
		return 2;
	}
	check_lines = strcmp(argv[2], "check") == 0;
	if (strcmp(argv[2], "replay") == 0)
		host_costume = strncmp(argv[3], COSTUME, 2) == 0;
	booting = true;
	host_boot(scenario->cpus, scenario->bootargs, scenario->run);
	booting = false;
	step_init(scenario->bare);
	state_init();
	scenario_quiet = scenario->quiet;
	scenario_sets_up = scenario->sets_up;
	search_init(scenario->bare);
	if (strcmp(argv[2], "replay") == 0)
		return replay_one(argv[3]);
	merge_states = strcmp(argv[2], "plain") != 0;
	if (strcmp(argv[2], "random") == 0 && argc >= 5) {
		random_seed = strtoull(argv[3], NULL, 10);
		time_limit = FOR_EVER;
		return search_random(strtoull(argv[4], NULL, 10), depth_of(argv[5]), &none);
	}
	if (strcmp(argv[2], "more") == 0 && argc >= 6) {
		random_seed = strtoull(argv[5], NULL, 10);
		return search_more(strtoul(argv[3], NULL, 10), strtod(argv[4], NULL),
				   depth_of(argv[6]));
	}
	if (check_lines)
		return search_all(1, strtoull(argv[3], NULL, 10));
	if (!merge_states)
		return search_all(argc > 4 ? strtoul(argv[4], NULL, 10) : BOUND_NONE,
				  strtoull(argv[3], NULL, 10));
	bound = strtoul(argv[2], NULL, 10);
	steps = strtoull(argv[3], NULL, 10);
	found = search_all(bound, steps);
	if (found || nr_data_races || !twice || scenario->no_costume || scenario->bare)
		return found;
	return again_in_costume(program, bound, steps);
}
