/*
 * System calls that change what is mapped: they check and translate flags, and address spaces do
 * the work. Advice about memory: advice.c.
 *
 * PROT_READ, PROT_WRITE and PROT_EXEC have the values of VM_READ, VM_WRITE and VM_EXEC.
 */
#include "sys.h"

#include "fs/dev.h"

#define PROT_ALL		(VM_READ | VM_WRITE | VM_EXEC)
#define PROT_SEM		8
#define PROT_GROWSDOWN		0x01000000
#define PROT_GROWSUP		0x02000000

_Static_assert(VM_READ == 1 && VM_WRITE == 2 && VM_EXEC == 4, "PROT_*");

#define MAP_SHARED		1u
#define MAP_PRIVATE		2u
#define MAP_SHARED_VALIDATE	3u
#define MAP_TYPE		15u
#define MAP_FIXED		0x10u
#define MAP_ANONYMOUS		0x20u
#define MAP_GROWSDOWN		0x100u
#define MAP_LOCKED		0x2000u
#define MAP_NORESERVE		0x4000u
#define MAP_POPULATE		0x8000u
#define MAP_NONBLOCK		0x10000u
#define MAP_HUGETLB		0x40000u
#define MAP_FIXED_NOREPLACE	0x100000u

/* Flags that MAP_SHARED knows or ignores; MAP_SHARED_VALIDATE refuses all others. */
#define MAP_OLD			0x7c07f9f3u

long sys_brk(vaddr_t brk)
{
	return as_brk(current_process()->as, brk);
}

/* Shared anonymous memory is backed by a file without a name. */
static int back_anonymous(struct map_request *req, u32 flags)
{
	u32 type = flags & MAP_TYPE;

	if (type != MAP_SHARED && type != MAP_PRIVATE)
		return -EINVAL;
	req->offset = 0;
	if (type == MAP_PRIVATE)
		return 0;
	if (flags & MAP_GROWSDOWN)
		return -EINVAL;
	if (!(flags & MAP_NORESERVE) && req->size / PAGE_SIZE > page_total())
		return -ENOMEM;
	req->inode = ramfs_create_anon(req->size);
	req->file_size = req->size;
	return req->inode ? 0 : -ENOMEM;
}

/* Checks whether the file is open for such a mapping, in Linux's order. */
static int check_file(const struct file *f, struct map_request *req, u32 flags)
{
	u32 type = flags & MAP_TYPE;

	if (type == MAP_SHARED_VALIDATE && flags & ~MAP_OLD)
		return -EOPNOTSUPP;
	if (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) {
		if (!file_reads(f) || !file_writes(f))
			req->flags |= REGION_NOWRITE;
		if (!file_writes(f) && req->prot & VM_WRITE)
			return -EACCES;
		if (f->inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) {
			if (req->prot & VM_WRITE)
				return -EPERM;
			req->flags |= REGION_NOWRITE;
		}
	} else if (type != MAP_PRIVATE) {
		return -EINVAL;
	}
	return file_reads(f) ? 0 : -EACCES;
}

static int back_by_file(struct map_request *req, struct file *f, u32 flags)
{
	int err = check_file(f, req, flags);

	if (err)
		return err;
	if (inode_is(f->inode, S_IFCHR) && f->inode->rdev == DEV_ZERO)
		return back_anonymous(req, flags & MAP_SHARED ? MAP_SHARED : MAP_PRIVATE);
	if (!inode_is(f->inode, S_IFREG) || !f->inode->ops->get_page)
		return -ENODEV;
	if (flags & MAP_GROWSDOWN)
		return -EINVAL;
	req->inode = inode_get(f->inode);
	req->file_size = req->size;
	return 0;
}

/* Checks size and address in Linux's order. */
static int check_place(const struct map_request *req, u64 size)
{
	if (!size)
		return -EINVAL;
	if (req->size < size || req->size > ARCH_USER_END)
		return -ENOMEM;
	if (!req->fixed)
		return 0;
	if (req->addr > ARCH_USER_END - req->size)
		return -ENOMEM;
	return req->addr % PAGE_SIZE ? -EINVAL : 0;
}

static u32 region_flags(u32 flags)
{
	return ((flags & MAP_TYPE) == MAP_PRIVATE ? 0 : REGION_SHARED) |
	       (flags & MAP_GROWSDOWN ? REGION_STACK : 0) |
	       (flags & MAP_NORESERVE ? REGION_NORESERVE : 0) |
	       (flags & MAP_LOCKED ? REGION_LOCKED : 0);
}

static long map(struct map_request *req, struct file *f, u32 flags)
{
	struct addr_space *as = current_process()->as;
	vaddr_t at;
	int err = f ? back_by_file(req, f, flags) : back_anonymous(req, flags);

	if (err)
		return err;
	err = as_map(as, req, &at);
	if (req->inode)
		inode_put(req->inode);		/* the region keeps its own reference */
	if (err)
		return err;
	if ((flags & MAP_LOCKED || as->future_flags & REGION_LOCKED) ||
	    (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
		as_populate(as, at, at + req->size, true);
	return (long)at;
}

/* Ignores flags that are mere advice. */
long sys_mmap(vaddr_t addr, u64 size, int prot, int mapflags, int fd, off_t offset)
{
	u32 flags = mapflags;
	bool noreplace = flags & MAP_FIXED_NOREPLACE, fixed = noreplace || flags & MAP_FIXED;
	struct map_request req = {
		.addr = fixed ? addr : ALIGN_DOWN(addr, PAGE_SIZE),
		.size = ALIGN_UP(size, PAGE_SIZE), .prot = prot & PROT_ALL,
		.flags = region_flags(flags), .fixed = fixed, .noreplace = noreplace,
		.offset = offset,
	};
	struct file *f SCOPED(file) = NULL;
	long at;
	int err;

	if (offset % PAGE_SIZE)
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		f = fd_get(fd);
		if (!f || f->flags & O_PATH)
			return -EBADF;
	}
	if (flags & MAP_HUGETLB)		/* no huge pages are set aside */
		return f ? -EINVAL : -ENOMEM;
	err = check_place(&req, size);
	if (!err && flags & MAP_LOCKED && !as_may_lock())
		err = -EPERM;
	if (!err && f && (offset < 0 || req.size > (u64)S64_MAX - offset))
		err = -EOVERFLOW;
	if (err)
		return err;
	if (!f || !f->inode->seals) {
		at = map(&req, f, flags);
	} else {
		mutex_lock(&f->inode->lock);	/* no seal is added between check and mapping */
		at = map(&req, f, flags);
		mutex_unlock(&f->inode->lock);
	}
	if (at > 0 && f && req.inode == f->inode)
		file_accessed(f);
	return at;
}

/* Checks that a range is page-aligned and within user space; rounds *size up. */
static int check_range(vaddr_t addr, u64 *size)
{
	u64 rounded = ALIGN_UP(*size, PAGE_SIZE);

	if (addr % PAGE_SIZE || rounded < *size || !user_range_ok(addr, rounded))
		return -EINVAL;
	*size = rounded;
	return 0;
}

long sys_munmap(vaddr_t addr, u64 size)
{
	if (!size || check_range(addr, &size))
		return -EINVAL;
	return as_unmap(current_process()->as, addr, size);
}

long sys_mprotect(vaddr_t addr, u64 size, int prot)
{
	int grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);

	prot &= ~grows;
	if (addr % PAGE_SIZE || grows == (PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (!size)
		return 0;
	if (ALIGN_UP(size, PAGE_SIZE) < size || addr + ALIGN_UP(size, PAGE_SIZE) <= addr)
		return -ENOMEM;
	if (prot & ~(PROT_ALL | PROT_SEM))
		return -EINVAL;
	if (check_range(addr, &size))
		return -ENOMEM;
	if (grows & PROT_GROWSUP)
		return -EINVAL;
	return as_protect(current_process()->as, addr, size, prot & PROT_ALL, grows);
}

/*
 * Maps another part of the same shared file over the old mapping, with its access, as Linux does.
 */
long sys_remap_file_pages(vaddr_t addr, u64 size, int prot, size_t page, int mapflags)
{
	struct addr_space *as = current_process()->as;
	struct map_request req = {
		.addr = ALIGN_DOWN(addr, PAGE_SIZE), .size = ALIGN_DOWN(size, PAGE_SIZE),
		.fixed = true, .offset = page * PAGE_SIZE,
	};
	int err;

	if (prot || req.addr + req.size <= req.addr || page + req.size / PAGE_SIZE < page)
		return -EINVAL;
	err = as_find_shared(as, &req);
	if (err)
		return err;
	err = page > (S64_MAX - req.size) / PAGE_SIZE ? -EOVERFLOW : as_map(as, &req, &req.addr);
	inode_put(req.inode);
	if (!err && !(mapflags & MAP_NONBLOCK))
		as_populate(as, req.addr, req.addr + req.size, true);
	return err;
}

#define MREMAP_MAYMOVE		1
#define MREMAP_FIXED		2
#define MREMAP_DONTUNMAP	4

long sys_mremap(vaddr_t old, u64 old_size, u64 new_size, int flags, vaddr_t to)
{
	struct remap m = {
		.old = old, .old_size = ALIGN_UP(old_size, PAGE_SIZE),
		.new_size = ALIGN_UP(new_size, PAGE_SIZE), .to = to,
		.may_move = flags & MREMAP_MAYMOVE, .fixed = flags & MREMAP_FIXED,
		.keep = flags & MREMAP_DONTUNMAP,
	};
	vaddr_t at;
	int err;

	if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) || old % PAGE_SIZE ||
	    !m.new_size || m.new_size > ARCH_USER_END)
		return -EINVAL;
	if ((m.fixed || m.keep) &&
	    (!m.may_move || (m.keep && m.old_size != m.new_size) || to % PAGE_SIZE ||
	     to > ARCH_USER_END - m.new_size || (old + m.old_size > to && to + m.new_size > old)))
		return -EINVAL;
	err = as_remap(current_process()->as, &m, &at);
	return err ? err : (long)at;
}
