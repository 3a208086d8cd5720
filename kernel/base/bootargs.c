/*
 * The kernel command line, split once into words; see bootargs.h.
 */
#include "base/bootargs.h"

#include "arch.h"
#include "base/machine.h"
#include "base/panic.h"
#include "base/printf.h"
#include "base/string.h"
#include "config.h"

#define MAX_ARGS	64

static char *args[MAX_ARGS + 1];	/* if the last one is used, there are too many */
static unsigned nr_args;

/* The arguments of all kernels, including those of policies that are not chosen. */
static const char *const known[] = {
	"affinity", "aging", "balance", "boost", "clock", "console", "cpus", "debugexit", "init",
	"jitter", "limit", "pct_depth", "pct_length", "quantum", "realtime", "sched", "seed",
	"steal", "threads", "trace", "trace_size",
};
/* The arguments of test kernels alone. */
static const char *const known_to_tests[] = { "inject", "nonce", "selftest", "shift", "test" };

static bool is_among(const char *name, size_t n, const char *const *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (strncmp(list[i], name, n) == 0 && !list[i][n])
			return true;
	return false;
}

void bootargs_init(void)
{
	char *s = machine.cmdline;

	for (;;) {
		while (*s == ' ')
			s++;
		if (!*s)
			return;
		if (nr_args == ARRAY_SIZE(args))
			return;
		args[nr_args++] = s;
		while (*s && *s != ' ')
			s++;
		if (*s)
			*s++ = '\0';
	}
}

void bootargs_check(void)
{
	if (nr_args > MAX_ARGS) {
		kprintf("boot: more than %u boot arguments\n", MAX_ARGS);
		kprintf_flush();
		arch_machine_end(MACHINE_PANICKED);
	}
	for (unsigned i = 0; i < nr_args; i++) {
		const char *arg = args[i];
		size_t n = 0;

		while (arg[n] && arg[n] != '=')
			n++;
		if (is_among(arg, n, known, ARRAY_SIZE(known)))
			continue;
		if (!is_among(arg, n, known_to_tests, ARRAY_SIZE(known_to_tests)))
			kprintf("boot: %s: no such boot argument (docs/bootargs.md has them)\n",
				arg);
		else if (TEST_BUILD)
			continue;
		else
			kprintf("boot: %s: only a test kernel knows it (TESTS=1)\n", arg);
		kprintf_flush();
		arch_machine_end(MACHINE_PANICKED);
	}
}

const char *bootarg(const char *name)
{
	size_t n = strlen(name);

	if (DEBUG_BUILD)
		assert(is_among(name, n, known, ARRAY_SIZE(known)) ||
		       is_among(name, n, known_to_tests, ARRAY_SIZE(known_to_tests)));
	for (unsigned i = nr_args; i-- > 0;) {		/* the last one counts */
		if (strncmp(args[i], name, n) != 0)
			continue;
		if (args[i][n] == '=')
			return args[i] + n + 1;
		if (!args[i][n])
			return "";
	}
	return NULL;
}

noreturn void bootarg_bad(const char *name, const char *allowed)
{
	kprintf("boot: %s=%s: must be %s\n", name, bootarg(name), allowed);
	kprintf_flush();
	arch_machine_end(MACHINE_PANICKED);
}

bool bootarg_switch(const char *name, bool def)
{
	const char *value = bootarg(name);

	if (!value)
		return def;
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		bootarg_bad(name, "on or off");
	return strcmp(value, "on") == 0;
}

static u64 suffix_factor(const char *s, bool *ok)
{
	static const struct {
		const char *name;
		u64 factor;
	} suffixes[] = {
		{ "", 1 }, { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
		{ "K", 1UL << 10 }, { "M", 1UL << 20 }, { "G", 1UL << 30 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (strcmp(s, suffixes[i].name) == 0)
			return suffixes[i].factor;
	*ok = false;
	return 1;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Parses digits, decimal or after 0x, and a suffix. Returns false if @s is anything else. */
static bool parse_number(const char *s, u64 *v)
{
	int base = s[0] == '0' && s[1] == 'x' ? 16 : 10;
	bool ok;

	if (base == 16)
		s += 2;
	*v = 0;
	for (ok = digit(*s) < base; digit(*s) < base; s++)
		ok = ok && !__builtin_mul_overflow(*v, base, v) &&
		     !__builtin_add_overflow(*v, digit(*s), v);
	return ok && !__builtin_mul_overflow(*v, suffix_factor(s, &ok), v) && ok;
}

static u64 number(const char *name, u64 def, u64 min, u64 max, const char *instead)
{
	const char *value = bootarg(name);
	char allowed[100];
	u64 v;

	if (!value)
		return def;
	if (parse_number(value, &v) && v >= min && v <= max)
		return v;
	snprintf(allowed, sizeof(allowed), "%sa number from %lu to %lu (suffixes ns us ms s K M G)",
		 instead, min, max);
	bootarg_bad(name, allowed);
}

u64 bootarg_number(const char *name, u64 def, u64 min, u64 max)
{
	return number(name, def, min, max, "");
}

u64 bootarg_number_or_off(const char *name, u64 def, u64 min, u64 max)
{
	const char *value = bootarg(name);

	return value && strcmp(value, "off") == 0 ? 0 : number(name, def, min, max, "off or ");
}
