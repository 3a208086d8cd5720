/*
 * The auxiliary vector, by which the kernel tells a program where its own headers are, and what a
 * C library asks before it can make a system call.
 */
#include <elf.h>
#include <sys/stat.h>

#include "test.h"

extern const char __ehdr_start[] __attribute__((visibility("hidden")));	/* made by the linker */

static unsigned long auxv(unsigned long what)
{
	char **end = environ;

	while (*end)
		end++;
	for (unsigned long *a = (unsigned long *)(end + 1); a[0]; a += 2)
		if (a[0] == what)
			return a[1];
	return -1;
}

static void headers(void)
{
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)__ehdr_start;
	const Elf64_Phdr *p = (const Elf64_Phdr *)(__ehdr_start + e->e_phoff);
	unsigned long bias = -1;

	CHECK_EQ(auxv(AT_PHDR), (unsigned long)p);
	CHECK_EQ(auxv(AT_PHENT), e->e_phentsize);
	CHECK_EQ(auxv(AT_PHNUM), e->e_phnum);
	for (unsigned i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_LOAD && p[i].p_offset == 0)
			bias = (unsigned long)__ehdr_start - p[i].p_vaddr;
	CHECK_EQ(auxv(AT_ENTRY), e->e_entry + bias);
}

static void machine(void)
{
	CHECK_EQ(auxv(AT_PAGESZ), sysconf(_SC_PAGESIZE));
	CHECK_EQ(auxv(AT_CLKTCK), 100);
}

static void name(void)
{
	struct stat by_vector, by_proc;

	CHECK_EQ(stat((const char *)auxv(AT_EXECFN), &by_vector), 0);
	CHECK_EQ(stat("/proc/self/exe", &by_proc), 0);
	CHECK(by_vector.st_ino == by_proc.st_ino && by_vector.st_dev == by_proc.st_dev);
}

static void random_bytes(void)
{
	const unsigned char *bytes = (const unsigned char *)auxv(AT_RANDOM);
	unsigned same = 0;

	for (unsigned i = 0; i < 16; i++)
		same += bytes[i] == bytes[0];
	CHECK(same < 16);
}

static const struct test_case cases[] = {
	CASE(headers),
	CASE(machine),
	CASE(name),
	CASE(random_bytes),
};

TEST_MAIN(cases)
