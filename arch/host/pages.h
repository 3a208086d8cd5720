/*
 * Memory for scenarios with page tables.
 */
#pragma once

#include "types.h"

struct page;

#define HOST_MEMORY_PAGES	48

bool host_memory_put(struct page *p);	/* false: it is none of these pages */
int host_memory_in_use(void);		/* pages */

/* Makes allocation number @nth from now on fail. */
void host_memory_refuse(int nth);
