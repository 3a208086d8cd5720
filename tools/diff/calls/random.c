/*
 * Sequences of calls at random, the same on every system: what each does depends on its number, the
 * seed and the number of the step alone, so that steps can be left out and the rest stay the same.
 *
 *	calls FOLDER SECONDS --random SEED STEPS FIRST COUNT	a sum of each sequence's answers
 *	calls FOLDER SECONDS --random SEED STEPS FILE		the answers themselves
 *
 * FILE has a line for each run: the sequence's number, and the steps to do (none: all).
 *
 * Nothing in a sequence may depend on time: descriptors never block,
       and a child is waited for until
 * it is where its parent wants it.
 */
#include "random.h"
#include "run.h"

static uint64_t state;
static uint64_t seed;
static unsigned sequence, nr_steps;
static char wanted[512]; /* by step: 1 if it is to be done */

/* --- Drawing ----------------------------------------------------------------------------- */

/* splitmix64 */
static uint64_t next_number(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15UL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}

unsigned below(unsigned limit)
{
	return next_number() % limit;
}

long pick_flags(const struct flag *flags, size_t n, const char **text)
{
	static char kept[4][256];
	static unsigned turn;
	char *t = kept[turn++ % 4];
	long value = 0;

	*t = 0;
	for (size_t i = 0; i < n; i++) {
		if (below(3))
			continue;
		value |= flags[i].value;
		snprintf(t + strlen(t), 256 - strlen(t), "%s%s", *t ? " | " : "", flags[i].name);
	}
	*text = *t ? t : "0";
	return value;
}

const char *pick_name(void)
{
	static const char *const names[] = { "a", "b", "c", "d", "d/a", "d/b", "d/e", "l", "d/l",
					     "d/../a", ".", "gone/x", "a/x" };

	return PICK(names);
}

int pick_fd(void)
{
	return below(10);
}

long pick_size(void)
{
	static const long sizes[] = { 0, 1, 10, 100, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE };

	return PICK(sizes);
}

long pick_offset(void)
{
	static const long offsets[] = { 0, 0, 1, 5, 100, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, -1 };

	return PICK(offsets);
}

unsigned long sum_of(const void *data, size_t n)
{
	unsigned long sum = 14695981039346656037UL;

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ ((const unsigned char *)data)[i]) * 1099511628211UL;
	return sum;
}

void answer(long result, const char *format, ...)
{
	char call[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(call, sizeof(call), format, ap);
	va_end(ap);
	if (result < 0)
		say("%s = %s", call, error_name(-result));
	else
		say("%s = %ld", call, result);
}

/* --- Running ----------------------------------------------------------------------------- */

static const struct step *const kinds[] = { file_steps, name_steps, memory_steps, process_steps };

void do_step(void)
{
	const struct step *s;
	unsigned total = 0, n;

	for (size_t k = 0; k < NR_OF(kinds); k++)
		for (s = kinds[k]; s->run; s++)
			total += s->weight;
	n = below(total);
	for (size_t k = 0; k < NR_OF(kinds); k++)
		for (s = kinds[k]; s->run; s++) {
			if (n < (unsigned)s->weight) {
				s->run();
				return;
			}
			n -= s->weight;
		}
}

/* So that less of what is drawn meets nothing. */
static void begin_with_some(void)
{
	int p[2], std = file("../std", "");

	for (int fd = 0; fd < 3; fd++) /* /dev/null is everybody's: steps change modes */
		Q(dup3, std, fd, 0);
	Q(close, std);
	Q(mkdirat, AT_FDCWD, "d", 0755);
	Q(mkdirat, AT_FDCWD, "d/e", 0755);
	file("a", "0123456789");
	file("d/a", "");
	Q(pipe2, p, O_NONBLOCK);
}

static void run_sequence(void)
{
	Q(mkdirat, AT_FDCWD, "w", 0755); /* "d/../a" may be one above */
	Q(chdir, "w");
	memory_prepare();
	process_prepare();
	begin_with_some();
	for (unsigned i = 0; i < nr_steps; i++) {
		if (!wanted[i])
			continue;
		state = seed * 1000003 + sequence * 1009UL + i;
		next_number();
		do_step();
	}
}

static void run_one(const char *top, int as_sum)
{
	char name[40];

	snprintf(name, sizeof(name), "random.%u", sequence);
	run_case(name, run_sequence, top, as_sum);
}

/* "17 0 3 4": sequence 17, its steps 0, 3 and 4. */
static void run_line(const char *top, char *line)
{
	char *rest = line;
	int some = 0;

	sequence = strtoul(rest, &rest, 10);
	memset(wanted, 0, sizeof(wanted));
	while (*rest == ' ') {
		unsigned i = strtoul(rest, &rest, 10);

		if (i < sizeof(wanted))
			wanted[i] = some = 1;
	}
	if (!some)
		memset(wanted, 1, sizeof(wanted));
	run_one(top, 0);
}

static int run_lines(const char *top, const char *path)
{
	static char line[4 * PAGE];
	FILE *f = fopen(path, "r");

	if (!f) {
		printf("cannot open %s\n", path);
		return 2;
	}
	while (fgets(line, sizeof(line), f))
		run_line(top, line);
	fclose(f);
	return 0;
}

int random_main(const char *top, int argc, char **argv)
{
	if (argc < 3) {
		printf("usage: --random SEED STEPS FIRST COUNT, or --random SEED STEPS FILE\n");
		return 2;
	}
	seed = strtoull(argv[0], NULL, 0);
	nr_steps = strtoul(argv[1], NULL, 0);
	if (nr_steps > sizeof(wanted))
		nr_steps = sizeof(wanted);
	if (argc == 3)
		return run_lines(top, argv[2]);
	memset(wanted, 1, sizeof(wanted));
	for (unsigned i = 0; i < strtoul(argv[3], NULL, 0); i++) {
		sequence = strtoul(argv[2], NULL, 0) + i;
		run_one(top, 1);
	}
	return 0;
}
