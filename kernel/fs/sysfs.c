/*
 * /sys: the CPUs, as programs look for them there. A row a file (tablefs.h).
 */
#include "cpu.h"
#include "fs.h"
#include "printf.h"
#include "tablefs.h"

#define SYSFS_DEV	2u

static unsigned count_cpus(void)
{
	return nr_cpus;
}

/* Online, present and possible are the same here: CPUs neither come nor go. */
static void show_cpus(struct text *t, unsigned n)
{
	(void)n;
	text_range(t, nr_cpus);
}

static void show_kernel_max(struct text *t, unsigned n)
{
	(void)n;
	text_printf(t, "%u\n", MAX_CPUS - 1);
}

static void show_id(struct text *t, unsigned n)
{
	text_printf(t, "%u\n", n);
}

/* Each CPU is a core by itself, all cores are in one package. */
static void show_self_mask(struct text *t, unsigned n)
{
	text_mask(t, BIT(n), nr_cpus);
}

static void show_all_mask(struct text *t, unsigned n)
{
	(void)n;
	text_mask(t, BIT(nr_cpus) - 1, nr_cpus);
}

#define CPU		"devices/system/cpu/"
#define TOPOLOGY	CPU "cpu#/topology/"

static const struct table_file rows[] = {
	{ CPU "kernel_max", show_kernel_max, NULL, NULL, NULL },
	{ CPU "isolated", NULL, NULL, NULL, "" },
	{ CPU "offline", NULL, NULL, NULL, "" },
	{ CPU "online", show_cpus, NULL, NULL, NULL },
	{ CPU "possible", show_cpus, NULL, NULL, NULL },
	{ CPU "present", show_cpus, NULL, NULL, NULL },
	{ TOPOLOGY "core_id", show_id, NULL, count_cpus, NULL },
	{ TOPOLOGY "core_cpus", show_self_mask, NULL, count_cpus, NULL },
	{ TOPOLOGY "core_cpus_list", show_id, NULL, count_cpus, NULL },
	{ TOPOLOGY "thread_siblings", show_self_mask, NULL, count_cpus, NULL },
	{ TOPOLOGY "thread_siblings_list", show_id, NULL, count_cpus, NULL },
	{ TOPOLOGY "physical_package_id", NULL, NULL, count_cpus, "0" },
	{ TOPOLOGY "package_cpus", show_all_mask, NULL, count_cpus, NULL },
	{ TOPOLOGY "package_cpus_list", show_cpus, NULL, count_cpus, NULL },
	{ TOPOLOGY "core_siblings", show_all_mask, NULL, count_cpus, NULL },
	{ TOPOLOGY "core_siblings_list", show_cpus, NULL, count_cpus, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

void sysfs_init(void)
{
	static const struct table_fs fs = { .rows = rows, .dev = SYSFS_DEV };
	struct inode *root = tablefs_root(&fs);

	if (!root || ramfs_attach(root_inode, "sys", root))
		kprintf("sysfs: no memory for /sys\n");
}
