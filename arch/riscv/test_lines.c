/*
 * For tests: no code can raise a line of the PLIC, only its device.
 */
#include "test/instrument.h"

bool test_raise_line(unsigned line)
{
	(void)line;
	return false;
}
