/*
 * ELF programs: check, then map.
 *
 * Only the headers are read here: segments are mapped, and each page is read at its first access.
 * The part of a segment beyond its bytes in the file reads as zeros (region.file_size). A
 * position-independent program goes to a fixed address, since runs must be reproducible, and its
 * interpreter below the other mappings.
 */
#include "exec.h"

#include "base/string.h"
#include "errno.h"
#include "fs/vfs.h"
#include "mm/mm.h"
#include "mm/vm.h"

struct elf_header {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

#define ET_EXEC		2
#define ET_DYN		3
#define PT_LOAD		1
#define PT_INTERP	3
#define PT_GNU_STACK	0x6474e551
#define PF_X		1
#define PF_W		2
#define PF_R		4
#define PHNUM_MAX	64

/* Where position-independent programs go: two thirds up, which leaves room for a heap above. */
#define PIE_BASE	ALIGN_DOWN(ARCH_USER_END / 3 * 2, PAGE_SIZE)

/* An ELF file while it is looked at. */
struct elf_file {
	struct file *file;
	struct elf_header h;
	struct elf_phdr *phdrs;
	u64 bias;		/* address in memory minus address in the file */
	u64 low, high;		/* of all segments, page aligned, without the bias */
};

/* Returns 0, -EIO if the file ends before, or another error. */
static int read_exactly(struct file *f, void *buf, size_t n, off_t pos)
{
	struct iobuf b = iobuf_kernel(buf, n);
	ssize_t got = file_read(f, &b, &pos);

	if (got < 0)
		return got;
	return (size_t)got == n ? 0 : -EIO;
}

static bool header_ok(const struct elf_header *h)
{
	static const u8 ident[] = { 0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little endian */ };

	return memcmp(h->ident, ident, sizeof(ident)) == 0 && h->machine == ARCH_ELF_MACHINE &&
	       (h->type == ET_EXEC || h->type == ET_DYN) &&
	       h->phentsize == sizeof(struct elf_phdr) && h->phnum >= 1 && h->phnum <= PHNUM_MAX &&
	       (s64)h->phoff >= 0;
}

static bool segment_ok(const struct elf_phdr *ph)
{
	return ph->filesz <= ph->memsz && (ph->vaddr - ph->offset) % PAGE_SIZE == 0 &&
	       (s64)ph->offset >= 0 && (s64)(ph->offset + ph->filesz) >= 0 &&
	       user_range_ok(ph->vaddr, ph->memsz);
}

/* Finds the extent of all segments. -ENOEXEC if one is malformed or there is none. */
static int measure(struct elf_file *e)
{
	e->low = ~0UL;
	e->high = 0;
	for (unsigned i = 0; i < e->h.phnum; i++) {
		const struct elf_phdr *ph = &e->phdrs[i];

		if (ph->type != PT_LOAD || !ph->memsz)
			continue;
		if (!segment_ok(ph))
			return -ENOEXEC;
		e->low = MIN(e->low, ALIGN_DOWN(ph->vaddr, PAGE_SIZE));
		e->high = MAX(e->high, ALIGN_UP(ph->vaddr + ph->memsz, PAGE_SIZE));
	}
	return e->low < e->high ? 0 : -ENOEXEC;
}

/* Reads and checks the headers. On success the caller frees e->phdrs. */
static int elf_open(struct elf_file *e, struct file *f)
{
	size_t size;
	int err = read_exactly(f, &e->h, sizeof(e->h), 0);

	e->file = f;
	if (err || !header_ok(&e->h))
		return err ? err : -ENOEXEC;
	size = e->h.phnum * sizeof(struct elf_phdr);
	e->phdrs = kmalloc(size);
	if (!e->phdrs)
		return -ENOMEM;
	err = read_exactly(f, e->phdrs, size, e->h.phoff);
	if (!err)
		err = measure(e);
	if (err)
		kfree(e->phdrs);
	return err == -EIO ? -ENOEXEC : err;
}

static int map_segment(struct addr_space *as, struct elf_file *e, const struct elf_phdr *ph)
{
	u64 skew = ph->vaddr % PAGE_SIZE;
	struct map_request req = {
		.addr = ph->vaddr - skew + e->bias,
		.size = ALIGN_UP(ph->memsz + skew, PAGE_SIZE),
		.prot = (ph->flags & PF_R ? VM_READ : 0) | (ph->flags & PF_W ? VM_WRITE : 0) |
			(ph->flags & PF_X ? VM_EXEC : 0),
		.fixed = true,
	};
	vaddr_t at;

	if (ph->filesz) {
		req.inode = e->file->inode;
		req.offset = (off_t)(ph->offset - skew);
		req.file_size = ph->filesz + skew;
	}
	return as_map(as, &req, &at);
}

/* Finds room for all segments of a position-independent file, near @hint unless that is 0. */
static int place(struct addr_space *as, struct elf_file *e, vaddr_t hint)
{
	struct map_request req = { .addr = hint, .size = e->high - e->low };
	vaddr_t at;
	int err;

	e->bias = 0;
	if (e->h.type == ET_EXEC)
		return 0;
	err = as_map(as, &req, &at);
	e->bias = at - e->low;
	return err;
}

static int map_all(struct addr_space *as, struct elf_file *e, vaddr_t hint)
{
	int err = place(as, e, hint);

	if (!e->file->inode->ops->get_page)
		return -ENOEXEC;
	for (unsigned i = 0; i < e->h.phnum && !err; i++)
		if (e->phdrs[i].type == PT_LOAD && e->phdrs[i].memsz)
			err = map_segment(as, e, &e->phdrs[i]);
	return err;
}

static const struct elf_phdr *find_phdr(const struct elf_file *e, u32 type)
{
	for (unsigned i = 0; i < e->h.phnum; i++)
		if (e->phdrs[i].type == type)
			return &e->phdrs[i];
	return NULL;
}

/* Returns the address of the program headers in memory, 0 if no segment contains them. */
static vaddr_t phdrs_address(const struct elf_file *e)
{
	for (unsigned i = 0; i < e->h.phnum; i++) {
		const struct elf_phdr *ph = &e->phdrs[i];

		if (ph->type == PT_LOAD && e->h.phoff >= ph->offset &&
		    e->h.phoff - ph->offset < ph->filesz)
			return e->h.phoff - ph->offset + ph->vaddr + e->bias;
	}
	return 0;
}

static int open_interpreter(const struct elf_file *e, const struct elf_phdr *ph, struct file **out)
{
	char *path;
	int err;

	if (ph->filesz < 2 || ph->filesz > PATH_MAX)
		return -ENOEXEC;
	path = kmalloc(ph->filesz);
	if (!path)
		return -ENOMEM;
	err = read_exactly(e->file, path, ph->filesz, ph->offset);
	if (!err && path[ph->filesz - 1])
		err = -ENOEXEC;
	if (!err)
		err = program_open(path, out);
	kfree(path);
	return err;
}

/* Maps the interpreter (the dynamic linker), which starts before the program. */
static int load_interpreter(struct addr_space *as, const struct elf_file *e,
			    const struct elf_phdr *ph, struct elf_program *prog)
{
	struct elf_file interp;
	struct file *f;
	int err = open_interpreter(e, ph, &f);

	if (err)
		return err;
	err = elf_open(&interp, f);
	if (!err) {
		err = map_all(as, &interp, 0);
		prog->base = interp.bias + interp.low;
		prog->start = interp.h.entry + interp.bias;
		kfree(interp.phdrs);
	}
	program_put(f);
	return err == -ENOEXEC ? -ELIBBAD : err;
}

int elf_load(struct addr_space *as, struct file *f, struct elf_program *prog)
{
	const struct elf_phdr *stack, *interp;
	struct elf_file e;
	int err = elf_open(&e, f);

	if (err)
		return err == -EIO ? -ENOEXEC : err;
	err = map_all(as, &e, PIE_BASE);
	if (err)
		goto out_phdrs;
	stack = find_phdr(&e, PT_GNU_STACK);
	*prog = (struct elf_program){
		.start = e.h.entry + e.bias,
		.entry = e.h.entry + e.bias,
		.phdrs = phdrs_address(&e),
		.nr_phdrs = e.h.phnum,
		.end = e.high + e.bias,
		.exec_stack = stack && (stack->flags & PF_X),
	};
	interp = find_phdr(&e, PT_INTERP);
	if (interp)
		err = load_interpreter(as, &e, interp, prog);
out_phdrs:
	kfree(e.phdrs);
	return err;
}
