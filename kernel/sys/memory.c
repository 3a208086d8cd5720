/*
 * Memory system calls: checks and translation of flags; address spaces do the work.
 *
 * PROT_READ, PROT_WRITE and PROT_EXEC have the values of VM_READ, VM_WRITE and VM_EXEC.
 */
#include "sys.h"

#define PROT_ALL		(VM_READ | VM_WRITE | VM_EXEC)

_Static_assert(VM_READ == 1 && VM_WRITE == 2 && VM_EXEC == 4, "PROT_*");

#define MAP_SHARED		1u
#define MAP_PRIVATE		2u
#define MAP_SHARED_VALIDATE	3u
#define MAP_TYPE		15u
#define MAP_FIXED		0x10u
#define MAP_ANONYMOUS		0x20u
#define MAP_FIXED_NOREPLACE	0x100000u

long sys_brk(vaddr_t brk)
{
	return as_brk(current_process()->as, brk);
}

/* Shared anonymous memory is a file that nobody can name. */
static int back_anonymous(struct map_request *req)
{
	req->offset = 0;
	if (!(req->flags & REGION_SHARED))
		return 0;
	req->inode = ramfs_create_anon(req->size);
	req->file_size = req->size;
	return req->inode ? 0 : -ENOMEM;
}

static int back_by_file(struct map_request *req, int fd)
{
	struct file *f SCOPED(file) = fd_get(fd);
	u32 mode = f ? f->flags & O_ACCMODE : 0;

	if (!f)
		return -EBADF;
	if ((req->flags & REGION_SHARED) && mode != O_RDWR)
		req->flags |= REGION_NOWRITE;
	if (mode == O_WRONLY || ((req->flags & REGION_NOWRITE) && (req->prot & VM_WRITE)))
		return -EACCES;
	if (!f->inode->ops->get_page)
		return -ENODEV;
	req->inode = inode_get(f->inode);
	req->file_size = req->size;
	return 0;
}

static int map_flags(u32 flags, struct map_request *req)
{
	u32 type = flags & MAP_TYPE;

	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	req->flags = type == MAP_PRIVATE ? 0 : REGION_SHARED;
	req->noreplace = flags & MAP_FIXED_NOREPLACE;
	req->fixed = (flags & MAP_FIXED) || req->noreplace;
	if (req->fixed && req->addr % PAGE_SIZE)
		return -EINVAL;
	req->addr = ALIGN_DOWN(req->addr, PAGE_SIZE);
	return 0;
}

/* Flags that only advise (MAP_NORESERVE, MAP_POPULATE, MAP_STACK...) are not looked at. */
long sys_mmap(vaddr_t addr, u64 size, int prot, int flags, int fd, off_t offset)
{
	struct map_request req = {
		.addr = addr, .size = ALIGN_UP(size, PAGE_SIZE), .prot = prot & PROT_ALL,
		.offset = offset,
	};
	vaddr_t at;
	int err = map_flags(flags, &req);

	if (!size || offset % PAGE_SIZE || err)
		return -EINVAL;
	if (req.size < size || req.size > ARCH_USER_END)
		return -ENOMEM;
	if (req.offset + req.size < req.size || req.offset + req.size > S64_MAX)
		return -EOVERFLOW;
	err = flags & MAP_ANONYMOUS ? back_anonymous(&req) : back_by_file(&req, fd);
	if (err)
		return err;
	err = as_map(current_process()->as, &req, &at);
	if (req.inode)
		inode_put(req.inode);		/* the region keeps its own reference */
	return err ? err : (long)at;
}

/* Page-aligned, not empty and within user space; *size is rounded up. */
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
	if (addr % PAGE_SIZE || ((u32)prot & ~PROT_ALL))
		return -EINVAL;
	if (!size)
		return 0;
	if (check_range(addr, &size))
		return -ENOMEM;
	return as_protect(current_process()->as, addr, size, prot);
}

#define MREMAP_MAYMOVE	1
#define MREMAP_FIXED	2

long sys_mremap(vaddr_t old, u64 old_size, u64 new_size, int flags)
{
	vaddr_t at;
	int err;

	if (flags == (MREMAP_MAYMOVE | MREMAP_FIXED))
		return -ENOSYS;
	if (flags & ~MREMAP_MAYMOVE || !new_size || !old_size)
		return -EINVAL;
	if (check_range(old, &old_size))
		return -EINVAL;
	if (new_size > ARCH_USER_END)
		return -ENOMEM;
	err = as_remap(current_process()->as, old, old_size, ALIGN_UP(new_size, PAGE_SIZE),
		       flags & MREMAP_MAYMOVE, &at);
	return err ? err : (long)at;
}

#define MADV_NORMAL	0
#define MADV_WILLNEED	3
#define MADV_DONTNEED	4
#define MADV_FREE	8

/* MADV_FREE lets us take the pages whenever we like: now. */
long sys_madvise(vaddr_t addr, u64 size, int advice)
{
	if (check_range(addr, &size))
		return -EINVAL;
	if (advice == MADV_DONTNEED || advice == MADV_FREE)
		return size ? as_dontneed(current_process()->as, addr, size) : 0;
	return advice >= MADV_NORMAL && advice <= MADV_WILLNEED ? 0 : -EINVAL;
}
