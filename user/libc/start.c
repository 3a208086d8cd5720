/*
 * From the program's entry to main(), and the place of thread-local storage.
 *
 * Every thread has one area that holds its struct pthread and its copy of the program's TLS image
 * (initialised data, then zeroes); machine.h draws the order. The main thread's area is static
 * unless the program has a lot of TLS; the others lie at the top of their stacks (pthread.c).
 *
 * The image is found through our own program headers: the linker names the start of the ELF header,
 * which it always places in the first segment.
 */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libc.h"

_Thread_local int errno;
char **environ;
const char *__program_name = "";
_Atomic unsigned __live_threads = 1;

static struct {
	const char *start;
	size_t file_size, size, align;
} image = { .align = 1 };

extern const char __ehdr_start[] __attribute__((visibility("hidden")));

typedef void (*init_fn)(int argc, char **argv, char **envp);
extern const init_fn __init_array_start[], __init_array_end[];

int main(int argc, char **argv, char **envp);
_Noreturn void __libc_start(long *sp);

static uintptr_t align_up(uintptr_t n, size_t align)
{
	return (n + align - 1) & -align;
}

static void find_tls_image(void)
{
	const Elf64_Ehdr *eh = (const void *)__ehdr_start;
	const Elf64_Phdr *ph = (const void *)(__ehdr_start + eh->e_phoff);

	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_TLS)
			continue;
		image.start = (const char *)ph[i].p_vaddr;
		image.file_size = ph[i].p_filesz;
		image.size = ph[i].p_memsz;
		if (ph[i].p_align)
			image.align = ph[i].p_align;
	}
}

/*
 * The TLS image ends at tp or starts there. The linker assumes the image's own alignment, so tp
 * gets that of the image and of struct pthread.
 */
static size_t tp_align(void)
{
	return image.align > _Alignof(struct pthread) ? image.align : _Alignof(struct pthread);
}

size_t __tls_size(void)
{
	return sizeof(struct pthread) + align_up(image.size, image.align) + tp_align();
}

struct pthread *__tls_place(char *area)
{
	size_t below = tls_above_tp ? sizeof(struct pthread) : align_up(image.size, image.align);
	char *tp = (char *)align_up((uintptr_t)area + below, tp_align());
	char *tls = tls_above_tp ? tp : tp - below;
	struct pthread *t = tls_above_tp ? (struct pthread *)tp - 1 : (struct pthread *)tp;

	memcpy(tls, image.start, image.file_size);	/* the rest of the area is zero already */
	t->self = t;
	return t;
}

static void start_main_thread(void)
{
	static char small_area[512] __attribute__((aligned(16)));
	char *area = small_area;
	struct pthread *t;

	find_tls_image();
	if (__tls_size() > sizeof(small_area)) {
		area = (char *)sys6(SYS_mmap, 0, __tls_size(), PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if ((unsigned long)area > -4096UL)
			sys3(SYS_exit_group, 127, 0, 0);
	}
	t = __tls_place(area);
	set_thread_pointer(thread_pointer_of(t));
	t->tid = sys3(SYS_set_tid_address, (long)&t->tid, 0, 0);
}

void __libc_start(long *sp)
{
	int argc = sp[0];
	char **argv = (char **)(sp + 1);

	environ = argv + argc + 1;
	if (argc)
		__program_name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	start_main_thread();
	for (const init_fn *fn = __init_array_start; fn < __init_array_end; fn++)
		(*fn)(argc, argv, environ);
	exit(main(argc, argv, environ));
}
