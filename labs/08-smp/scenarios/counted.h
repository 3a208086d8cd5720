/*
 * Shared by the scenarios of CPUs that take and compare: threads that count that they ran.
 */
#pragma once

#include "cpus.h"

static struct actor first, second, third;
static _Atomic bool told;
static _Atomic unsigned ran;

static int count_it(void)
{
	ran++;
	return 0;
}

static const char *all_ran(void)
{
	return ran == 2 ? queues_are_empty() : wrong("%u of 2 threads ran", ran);
}
