/*
 * The kernel's log, filled until it forgets its beginning.
 */
#include "base/printf.h"
#include "base/string.h"
#include "console/log.h"
#include "test/ktest.h"

/* However much is written, the log begins with a complete line and ends with the newest. */
KTEST(log_wraps, "log.wraps", "", "log")
{
	char text[64] = "";
	u64 before = log_end(), at = before, start;

	for (unsigned i = 0; log_end() - before <= LOG_SIZE; i++) {
		int n = snprintf(text, sizeof(text), "log.wraps: message %u\n", i);

		log_append(text, 11);
		log_append(text + 11, n - 11);
	}
	start = log_start();
	CHECK(start > before, "log", "starts at %lu, filled from %lu", start, before);
	CHECK(log_end() - start <= LOG_SIZE, "log", "%lu bytes of %u", log_end() - start, LOG_SIZE);
	CHECK(log_read(&at, text, 4) == 4 && at == start + 4, "log", "read to %lu", at);
	CHECK(!strncmp(text, "<6>[", 4), "log", "begins with %.4s", text);		/* LOG1 */
	at = log_end() - 2;
	CHECK(log_read(&at, text, sizeof(text)) == 2 && text[1] == '\n', "log", "ends with %x",
	      text[1]);								/* LOG1 */
	CHECK(log_read(&at, text, sizeof(text)) == 0 && at == log_end(), "log",
	      "is not at its end");
}
