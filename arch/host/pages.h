/*
 * Memory for scenarios with page tables.
 */
#pragma once

#include "types.h"

struct page;

#define HOST_MEMORY_PAGES	48

bool host_memory_put(struct page *p);	/* false: it is none of these pages */
int host_memory_in_use(void);		/* pages */

/* The C library's part of a copy tells of it: the first word of each page stands for all of it. */
void host_pages_copied(void *dst, const void *src);

/* Makes allocation number @nth from now on fail. */
void host_memory_refuse(int nth);
