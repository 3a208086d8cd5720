/*
 * The stack of a new program, by Linux's convention:
 *
 *	stack top	random bytes, platform, path, the strings of argv and envp
 *			auxiliary vector: pairs, ended by AT_NULL
 *			envp: pointers, NULL
 *			argv: pointers, NULL
 *	sp, 16-aligned	argc
 *
 * The stack is built in kernel memory, then copied through the direct map into the new address
 * space. That is not in use yet, so if memory runs short here the old program just goes on.
 */
#include "exec.h"

#include "abi.h"
#include "base/string.h"
#include "console/random.h"
#include "errno.h"
#include "mm/mm.h"
#include "mm/vm.h"
#include "process/cred.h"
#include "process/process.h"
#include "sched/cpu.h"

#define AT_NULL		0
#define AT_PHDR		3
#define AT_PHENT	4
#define AT_PHNUM	5
#define AT_PAGESZ	6
#define AT_BASE		7
#define AT_ENTRY	9
#define AT_UID		11
#define AT_EUID		12
#define AT_GID		13
#define AT_EGID		14
#define AT_PLATFORM	15
#define AT_HWCAP	16
#define AT_CLKTCK	17
#define AT_SECURE	23
#define AT_RANDOM	25
#define AT_HWCAP2	26
#define AT_EXECFN	31
#define AT_MINSIGSTKSZ	51
#define AUX_COUNT	19

#define PHDR_SIZE	56
#define RANDOM_SIZE	16
#define STACK_SPARE	(32 * PAGE_SIZE)	/* below sp, whatever RLIMIT_AS becomes */

/* A stack image: bytes [0, size) that will lie at @at in user memory. */
struct image {
	u8 *bytes;
	size_t size;
	vaddr_t at;
	size_t words;		/* next free byte of the tables, from the bottom */
	size_t data;		/* first used byte of the strings, from the top */
};

static void push_words(struct image *im, const u64 *words, size_t size)
{
	memcpy(im->bytes + im->words, words, size);
	im->words += size;
	assert(im->words <= im->data);
}

static void push_word(struct image *im, u64 word)
{
	push_words(im, &word, sizeof(word));
}

/* Returns the address that the bytes will have in the program. */
static vaddr_t push_data(struct image *im, const void *src, size_t n)
{
	im->data -= n;
	memcpy(im->bytes + im->data, src, n);
	return im->at + im->data;
}

static vaddr_t push_string(struct image *im, const char *s)
{
	return push_data(im, s, strlen(s) + 1);
}

/* Pushes pointers to the @n strings from @at on. Returns where the next string is. */
static vaddr_t push_pointers(struct image *im, unsigned n, vaddr_t at)
{
	for (unsigned i = 0; i < n; i++) {
		push_word(im, at);
		at += strlen((char *)im->bytes + (at - im->at)) + 1;
	}
	push_word(im, 0);
	return at;
}

static void push_auxv(struct image *im, const struct elf_program *prog,
		      const struct exec_args *args, vaddr_t path, vaddr_t platform, vaddr_t random)
{
	const u64 aux[AUX_COUNT][2] = {
		{ AT_PHDR, prog->phdrs },
		{ AT_PHENT, PHDR_SIZE },
		{ AT_PHNUM, prog->nr_phdrs },
		{ AT_PAGESZ, PAGE_SIZE },
		{ AT_BASE, prog->base },
		{ AT_ENTRY, prog->entry },
		{ AT_UID, args->cred->uid.real },
		{ AT_EUID, args->cred->uid.effective },
		{ AT_GID, args->cred->gid.real },
		{ AT_EGID, args->cred->gid.effective },
		{ AT_HWCAP, ABI_HWCAP },
		{ AT_HWCAP2, 0 },
		{ AT_MINSIGSTKSZ, ABI_MINSIGSTKSZ },
		{ AT_CLKTCK, 100 },
		{ AT_SECURE, args->secure },
		{ AT_RANDOM, random },
		{ AT_EXECFN, path },
		{ platform ? AT_PLATFORM : AT_NULL, platform },
		{ AT_NULL, 0 },
	};

	push_words(im, aux[0], sizeof(aux));
}

/* Returns where the strings of argv end and those of envp begin. */
static vaddr_t fill(struct image *im, const struct elf_program *prog, const struct exec_args *args,
		    const char *path)
{
	const char *platform = ABI_PLATFORM;
	u8 random[RANDOM_SIZE];
	vaddr_t path_at, platform_at, random_at, strings;

	random_bytes(random, sizeof(random));
	random_at = push_data(im, random, sizeof(random));
	platform_at = platform ? push_string(im, platform) : 0;
	path_at = push_string(im, path);
	strings = push_data(im, args->strings, args->used);
	push_word(im, args->argc);
	strings = push_pointers(im, args->argc, strings);
	push_pointers(im, args->envc, strings);
	push_auxv(im, prog, args, path_at, platform_at, random_at);
	return strings;
}

static size_t image_size(const struct exec_args *args, const char *path)
{
	const char *platform = ABI_PLATFORM;
	size_t words = 1 + args->argc + 1 + args->envc + 1 + 2 * AUX_COUNT;
	size_t data = args->used + strlen(path) + 1 + RANDOM_SIZE;

	if (platform)
		data += strlen(platform) + 1;
	return ALIGN_UP(data + words * sizeof(u64), 16);
}

/* Copies the image page by page into @as, where its place is mapped. */
static int copy_image(struct addr_space *as, const struct image *im)
{
	size_t done = 0;

	while (done < im->size) {
		vaddr_t va = im->at + done;
		size_t n = MIN(im->size - done, PAGE_SIZE - va % PAGE_SIZE);
		int err;
		struct page *page = as_pin_page(as, va, VM_WRITE, &err);

		if (!page)
			return err;
		memcpy((u8 *)page_to_virt(page) + va % PAGE_SIZE, im->bytes + done, n);
		page_put(page);
		done += n;
	}
	return 0;
}

static int map_stack(struct addr_space *as, vaddr_t bottom, vaddr_t top, bool exec)
{
	u64 limit = current_process()->limits[RLIMIT_STACK].cur;
	struct map_request req = {
		.addr = ALIGN_DOWN(MAX(bottom - STACK_SPARE, top - MIN(limit, top)), PAGE_SIZE),
		.prot = VM_READ | VM_WRITE | (exec ? VM_EXEC : 0),
		.flags = REGION_STACK,
		.fixed = true,
		.noreplace = true,
	};
	vaddr_t at;

	req.size = top - req.addr;
	return as_map(as, &req, &at);
}

int stack_build(struct addr_space *as, const struct elf_program *prog, const struct exec_args *args,
		const char *path, vaddr_t *sp)
{
	struct image im = { .size = image_size(args, path) };
	int err;

	if (im.size > current_process()->limits[RLIMIT_STACK].cur / 4)
		return -E2BIG;
	as->stack_top = ARCH_USER_END - PAGE_SIZE;
	im.at = as->stack_top - im.size;
	im.data = im.size;
	im.bytes = kzalloc(im.size);
	if (!im.bytes)
		return -ENOMEM;
	as->arg_end = fill(&im, prog, args, path);
	err = map_stack(as, im.at, as->stack_top, prog->exec_stack);
	if (!err)
		err = copy_image(as, &im);
	as->arg_start = im.at + im.data;
	as->env_end = as->arg_start + args->used;
	as->auxv_start = im.at + (args->argc + args->envc + 3) * sizeof(u64);
	as->auxv_end = as->auxv_start + (AUX_COUNT - !ABI_PLATFORM) * 2 * sizeof(u64);
	*sp = im.at;
	kfree(im.bytes);
	return err;
}
