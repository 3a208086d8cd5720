/*
 * Which of the kernel's messages the console shows.
 */
#include "sys.h"

#include "base/printf.h"
#include "test/instrument.h"
#include "test/ktest.h"

#define CONSOLE_LEVEL	8	/* the command, as in Linux */

/* Whether a message comes out on the wire. */
static bool shown(void)
{
	static char sent[256];
	struct uart_tap tap = { .bytes = sent, .size = sizeof(sent), .rounds = ~0u };

	kprintf_flush();
	uart_tap = &tap;
	kprintf("syslog.level\n");
	kprintf_flush();
	uart_tap = NULL;
	return tap.nr > 0;
}

/* All our messages have level 6: the console shows those with a lower level than its own. */
KTEST(syslog_level, "syslog.level", "", "")
{
	static const struct {
		int level, result;
		bool shown;
	} cases[] = {
		{ 6, 0, false }, { 9, -EINVAL, false }, { 7, 0, true },	  { 0, -EINVAL, true },
		{ 1, 0, false }, { -1, -EINVAL, false }, { 8, 0, true },
	};

	bool right = true, is_shown = true;
	long result = 0;
	unsigned n = 0;

	for (; right && n < ARRAY_SIZE(cases); n++) {
		result = sys_syslog(CONSOLE_LEVEL, 0, (size_t)cases[n].level);
		is_shown = shown();
		right = result == cases[n].result && is_shown == cases[n].shown;
	}
	sys_syslog(CONSOLE_LEVEL, 0, 8);
	CHECK(right, "", "level %d: %ld, and a message is%s shown", cases[n - 1].level, result,
	      is_shown ? "" : " not");
}
