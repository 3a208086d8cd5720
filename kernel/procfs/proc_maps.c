/*
 * /proc/PID/maps and /proc/PID/smaps: the regions of an address space, in Linux's formats. Files
 * are shown by device and inode number, not by name: an inode does not know its names.
 */
#include "proc.h"

#include "mm/vm.h"
#include "process/process.h"

#define KIB	1024
#define NAME_AT	73		/* the column where Linux has names */

static const char *region_name(const struct region *r)
{
	if (r->flags & REGION_STACK && r->end == r->as->stack_top)
		return "[stack]";
	return r->flags & REGION_HEAP ? "[heap]" : "";
}

static void show_region(struct region *r, void *arg)
{
	struct text *t = arg;
	const char *name = region_name(r);
	u64 dev = r->inode ? r->inode->dev : 0;
	size_t start = t->len;

	text_printf(t, "%08lx-%08lx %c%c%c%c %08lx %02lx:%02lx %lu ", r->start, r->end,
		    r->prot & VM_READ ? 'r' : '-', r->prot & VM_WRITE ? 'w' : '-',
		    r->prot & VM_EXEC ? 'x' : '-', r->flags & REGION_SHARED ? 's' : 'p',
		    r->inode ? (u64)r->offset : 0, dev >> 8, dev & 0xff,
		    r->inode ? r->inode->ino : 0);
	while (*name && t->len < start + NAME_AT && !t->failed)
		text_append(t, " ", 1);
	text_printf(t, "%s\n", name);
}

static void put_kib(struct text *t, const char *name, u64 bytes)
{
	text_printf(t, "%-16s%8lu kB\n", name, bytes / KIB);
}

/* Shows the flags known here, two letters each. */
static void put_flags(struct text *t, const struct region *r)
{
	bool shared = r->flags & REGION_SHARED;
	const struct {
		bool is;
		const char *letters;
	} flags[] = {
		{ r->prot & VM_READ, "rd" }, { r->prot & VM_WRITE, "wr" },
		{ r->prot & VM_EXEC, "ex" }, { shared && !(r->flags & REGION_NOWRITE), "sh" },
		{ true, "mr" }, { !(r->flags & REGION_NOWRITE), "mw" }, { true, "me" },
		{ shared, "ms" }, { r->flags & REGION_STACK, "gd" },
		{ r->flags & REGION_LOCKED, "lo" }, { r->flags & REGION_ONFAULT, "lf" },
		{ r->flags & REGION_NOFORK, "dc" }, { r->flags & REGION_NORESERVE, "nr" },
		{ r->flags & REGION_WIPE, "wf" },
	};

	text_printf(t, "VmFlags: ");
	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].is)
			text_printf(t, "%s ", flags[i].letters);
	text_printf(t, "\n");
}

static void show_region_figures(struct region *r, void *arg)
{
	struct region_figures f = region_figures(r);
	struct text *t = arg;
	/* a file's own pages are never written back, so those that can be written count as dirty */
	bool dirty = r->flags & REGION_SHARED && r->prot & VM_WRITE;
	u64 file_private = f.private - MIN(f.private, f.anonymous);
	u64 anonymous_private = f.private - file_private;

	show_region(r, t);
	put_kib(t, "Size:", r->end - r->start);
	put_kib(t, "KernelPageSize:", PAGE_SIZE);
	put_kib(t, "MMUPageSize:", PAGE_SIZE);
	put_kib(t, "Rss:", f.resident);
	put_kib(t, "Pss:", f.share);
	put_kib(t, "Pss_Dirty:", dirty ? f.share : 0);
	put_kib(t, "Shared_Clean:", dirty ? 0 : f.resident - f.private);
	put_kib(t, "Shared_Dirty:", dirty ? f.resident - f.private : 0);
	put_kib(t, "Private_Clean:", dirty ? 0 : file_private);
	put_kib(t, "Private_Dirty:", anonymous_private + (dirty ? file_private : 0));
	put_kib(t, "Referenced:", f.resident);
	put_kib(t, "Anonymous:", f.anonymous);
	put_kib(t, "Swap:", 0);
	put_kib(t, "SwapPss:", 0);
	put_kib(t, "Locked:", r->flags & REGION_LOCKED ? f.share : 0);
	put_flags(t, r);
}

static void show(struct text *t, struct process *p, void (*fn)(struct region *r, void *arg))
{
	struct addr_space *as = process_get_as(p);

	if (!as)
		return;
	as_for_each_region(as, fn, t);
	as_put(as);
}

void proc_show_maps(struct text *t, struct process *p)
{
	show(t, p, show_region);
}

void proc_show_smaps(struct text *t, struct process *p)
{
	show(t, p, show_region_figures);
}
