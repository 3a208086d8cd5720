/*
 * Address spaces: a sorted set of regions over a page table.
 *
 * Lock: as->lock, a mutex, guards regions, page table and figures. Faults take it too.
 * A page is mapped writable in a private region only if this space is its sole owner
 * (page refs == 1) or the region is shared: copy on write needs no mark of its own.
 */
#pragma once

#include "arch.h"
#include "base/list.h"
#include "base/rbtree.h"
#include "mm/mm.h"
#include "sync/mutex.h"
#include "types.h"

struct inode;
struct trapframe;

#define REGION_SHARED	1u	/* MAP_SHARED: writes are seen by all */
#define REGION_STACK	2u	/* grows down to its limit on a fault below it */
#define REGION_HEAP	4u	/* brk's */
#define REGION_LOCKED	16u	/* mlock(): counts against RLIMIT_MEMLOCK */
#define REGION_ONFAULT	32u	/* ... and its pages need not be there before they are touched */
#define REGION_NOFORK	64u	/* a child does not get it */
#define REGION_WIPE	128u	/* a child gets zeros instead */
#define REGION_NORESERVE 256u	/* may be larger than memory */
#define REGION_NOWRITE	8u	/* shared with a file not open for writing: never VM_WRITE */

/* Operations of an inode for the regions that it backs, besides its get_page(). */
struct backing_ops {
	struct inode *(*get)(struct inode *i);		/* another reference */
	void (*put)(struct inode *i);			/* one less; may block */
	void (*written)(struct inode *i);	/* a shared page is about to be written to */
};

struct region {
	struct rb_node node;	/* [as->lock] by start */
	vaddr_t start, end;	/* [as->lock] page aligned */
	vaddr_t low, high;	/* [as->lock] where the subtree below node begins and ends */
	u64 gap;		/* [as->lock] and its largest gap between two regions */
	unsigned prot;		/* VM_READ | VM_WRITE | VM_EXEC */
	unsigned flags;		/* REGION_* */
	struct addr_space *as;	/* [const] NULL: a mark in a list of regions (rmap.c) */
	struct inode *inode;	/* backing, referenced; NULL: anonymous and private */
	struct list_node mapping;	/* [inode->mappings_lock] in inode->mappings; see rmap.c */
	off_t offset;		/* of start in it, page aligned */
	u64 file_size;		/* bytes from start that come from it; the rest is zeros */
	struct region *next;	/* [by the remover] next one taken out, to be freed */
};

struct addr_space {
	_Atomic u32 refs;
	struct mutex lock;
	paddr_t root;
	_Atomic u32 cpus;	/* CPUs that have root loaded */
	_Atomic u32 barriers;	/* membarrier() commands it is registered for */
	struct rb_tree regions;	/* [lock] */
	vaddr_t brk_start, brk;	/* [lock] */
	vaddr_t mmap_top;	/* [const] mappings are placed below */
	unsigned nr_regions;	/* [lock] */
	unsigned future_flags;	/* [lock] of new regions: mlockall(MCL_FUTURE) */
	bool some_unforked;	/* [lock] there may be regions with REGION_NOFORK */
	u64 total_pages;	/* [lock] sizes of all regions, for RLIMIT_AS */
	u64 peak_pages;		/* [lock] the most that total_pages has been */
	u64 locked_pages;	/* [lock] of those, in regions with REGION_LOCKED */
	u64 resident;		/* [lock] pages mapped, also those no access is allowed to */
	u64 peak;		/* [lock] the most that resident has been */
	vaddr_t stack_top, arg_start, arg_end;	/* [const after exec] */
	vaddr_t env_end, auxv_start, auxv_end;	/* the same; envp follows argv */
};

int as_create(struct addr_space **out);
struct addr_space *as_get(struct addr_space *as);
bool as_tryget(struct addr_space *as);	/* false: the last reference is gone, it is being freed */
void as_put(struct addr_space *as);	/* the last reference frees everything. May block */

/* Copies @as; private pages are shared copy-on-write. If it fails no program can tell. */
int as_fork(struct addr_space *as, struct addr_space **out);

struct map_request {
	vaddr_t addr;		/* 0 and not fixed: anywhere */
	u64 size;
	unsigned prot, flags;
	bool fixed;		/* replaces what is there */
	bool noreplace;		/* fixed, but -EEXIST if something is there */
	struct inode *inode;
	off_t offset;
	u64 file_size;
};

int as_map(struct addr_space *as, const struct map_request *req, vaddr_t *out);
int as_unmap(struct addr_space *as, vaddr_t addr, u64 size);

/*
 * @stack_below: from the start of the stack at @addr on (PROT_GROWSDOWN). As on Linux, a call that
 * fails because of a hole has changed what lies before it.
 */
int as_protect(struct addr_space *as, vaddr_t addr, u64 size, unsigned prot, bool stack_below);

/*
 * Gives @req the access, flags and backing (referenced) of the shared memory mapped in its range.
 * -EINVAL: the range is not all one such mapping.
 */
int as_find_shared(struct addr_space *as, struct map_request *req);

struct remap {
	vaddr_t old;
	u64 old_size, new_size;	/* whole pages; old_size 0: maps shared memory twice */
	vaddr_t to;		/* if it is fixed; with keep a wish */
	bool may_move;
	bool fixed;		/* goes to `to`, whatever is there */
	bool keep;		/* the old place stays mapped, empty */
};

int as_remap(struct addr_space *as, const struct remap *m, vaddr_t *out);

#define MADV_NORMAL		0
#define MADV_DONTNEED		4
#define MADV_FREE		8
#define MADV_REMOVE		9
#define MADV_DONTFORK		10
#define MADV_DOFORK		11
#define MADV_WIPEONFORK		18
#define MADV_KEEPONFORK		19
#define MADV_COLD		20
#define MADV_PAGEOUT		21
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#define MADV_DONTNEED_LOCKED	24

int as_advise(struct addr_space *as, vaddr_t start, vaddr_t end, int advice);

/*
 * For MADV_REMOVE: gives the file mapped at @start, referenced, and which of its bytes, up to @end.
 * -ENOMEM: nothing is mapped; -EINVAL: no file, or locked; -EACCES: not to be written.
 */
int as_removable(struct addr_space *as, vaddr_t start, vaddr_t end, struct inode **inode,
		 off_t *pos, u64 *n);

/* Sets out[i] if page i from @start is in memory. -ENOMEM: some of the pages are not mapped. */
int as_in_core(struct addr_space *as, vaddr_t start, unsigned n, u8 *out);

/* For msync(): -ENOMEM if part is not mapped, -EBUSY if locked pages would be dropped. */
int as_check_sync(struct addr_space *as, vaddr_t start, vaddr_t end, bool drop);

/*
 * Lock whole pages (@flags: REGION_LOCKED, maybe _ONFAULT) and make them present, or unlock them
 * (0): a range; all that is mapped now (@now) and, with @future, all that will be.
 */
int as_lock(struct addr_space *as, vaddr_t start, vaddr_t end, unsigned flags);
int as_lock_all(struct addr_space *as, bool now, unsigned flags, unsigned future);
bool as_may_lock(void);		/* anything at all */

/*
 * Make pages present: as far as regions allow, where @past_errors goes on behind a region that
 * fails; or for @access: -ENOMEM at a hole, -EINVAL if a region forbids it, -EFAULT beyond a file's
 * end.
 */
int as_populate(struct addr_space *as, vaddr_t start, vaddr_t end, bool past_errors);
int as_populate_for(struct addr_space *as, vaddr_t start, vaddr_t end, unsigned access);
vaddr_t as_brk(struct addr_space *as, vaddr_t brk);	/* returns the break, moved or not */

/*
 * Makes one access possible: demand zero, file page, copy on write, stack growth. 0, -EFAULT (no
 * such access is allowed there), -EIO (beyond the end of the file, or it cannot be read), -ENOMEM.
 * May block. @as is the current thread's: a stack grows within the limits of its process.
 */
int as_fault(struct addr_space *as, vaddr_t addr, unsigned access);

/*
 * as_fault() for the current thread, traced and counted. The caller decides what an error means to
 * the program; fault_reason() explains it in words, and says whether something is mapped there.
 */
int fault_handle(vaddr_t addr, unsigned access);
const char *fault_reason(struct addr_space *as, vaddr_t addr, int err, bool *mapped);
const char *fault_access_name(unsigned access);

/* Page tables of @as, in pages, without the root. */
static inline u64 as_tables(const struct addr_space *as)
{
	return phys_to_page(as->root)->tables;
}

/* Bytes that the kernel uses for @as: tables and regions. Takes no lock, so may be out of date. */
static inline u64 as_kernel_bytes(const struct addr_space *as)
{
	return (1 + as_tables(as)) * PAGE_SIZE + as->nr_regions * sizeof(struct region);
}

/*
 * Returns the page behind a user address, with a reference, and makes it present first; NULL with
 * *err set. @as may be any space: no stack grows.
 */
struct page *as_pin_page(struct addr_space *as, vaddr_t addr, unsigned access, int *err);

/* True where [addr, addr + size) lies in user space without wrapping. */
static inline bool user_range_ok(vaddr_t addr, u64 size)
{
	return size <= ARCH_USER_END && addr <= ARCH_USER_END - size;
}

/* Mapped memory in pages, for /proc and limits. */
struct as_figures {
	u64 size, size_peak, resident, peak, locked, tables;
	u64 file, shared;	/* resident: of files, in private and in shared regions */
	u64 text, data, stack;	/* executable; private and writable but no stack; stack */
};

struct as_figures as_figures(struct addr_space *as);

/* The same of one region, in bytes; needs as->lock. */
struct region_figures {
	u64 resident, anonymous;
	u64 private;		/* resident, and mapped nowhere else */
	u64 share;		/* resident, each page divided by how often it is mapped */
};

struct region_figures region_figures(const struct region *r);

/*
 * Takes the file's pages [first, last] out of every address space: the next access faults. With
 * @copies (the file has become shorter) private copies go too. Called after the change to the file,
 * with inode->lock held. May block.
 */
void inode_unmap(struct inode *inode, u64 first, u64 last, bool copies);

/* Whether the file is mapped so that a store, now or after mprotect(), would reach it. */
bool inode_may_be_written(struct inode *inode);

#define MAX_MAP_COUNT	65530		/* Linux's default for the regions of one address space */
extern _Atomic unsigned max_map_count;

/* For /proc/PID/maps. */
void as_for_each_region(struct addr_space *as, void (*fn)(struct region *r, void *arg), void *arg);

/* Test kernels: panics unless regions, page table and figures agree. */
void as_check(struct addr_space *as);

/* Returns the level-0 entry for @va; makes missing tables if @make. NULL: none, or no memory. */
pte_t *pt_walk(paddr_t root, vaddr_t va, bool make);

/* Checked copies between kernel and user memory: 0 or -EFAULT. May block. */
int copy_from_user(void *dst, vaddr_t src, size_t n);
int copy_to_user(vaddr_t dst, const void *src, size_t n);
int clear_user(vaddr_t dst, size_t n);

/* Copies a string of at most size - 1 bytes. Returns its length, -EFAULT, or -ENAMETOOLONG. */
ssize_t copy_string_from_user(char *dst, vaddr_t src, size_t size);

/*
 * Copies a structure that grows from version to version of Linux. Bytes that we do not know must be
 * zero, else -E2BIG; a shorter structure is filled up with zeros.
 */
int copy_struct_from_user(void *dst, size_t known, vaddr_t src, size_t size);

/* Reads *(u32 *)src without sleeping: -EFAULT also if the page is not present. For futexes. */
int peek_user32(u32 *dst, vaddr_t src);
