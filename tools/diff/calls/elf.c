/* Programs made byte by byte in ELF: where they are mapped, who starts first, what is refused. */
#include <elf.h>
#include <stddef.h>

#include "diff.h"

#define CODE_AT	  0x200 /* in the file */
#define INTERP_AT 0x300
#define BASE	  0x10000000UL
#define SEGMENTS  3

#ifdef __x86_64__
#define MACHINE 62
/* mov $231, %eax; mov $code, %edi; syscall */
#define END_WITH(code) { 0xb8, 0xe7, 0, 0, 0, 0xbf, (code), 0, 0, 0, 0x0f, 0x05 }
#else
#define MACHINE 243
/* li a7, 94; li a0, code; ecall */
#define END_WITH(code) \
	{ 0x93, 0x08, 0xe0, 0x05, 0x13, 0x05, ((code) & 15) << 4, (code) >> 4, 0x73, 0, 0, 0 }
#endif

enum { EXEC = 2, DYN = 3, LOAD = 1, INTERP = 3, RX = 5 };

static union {
	struct {
		Elf64_Ehdr h;
		Elf64_Phdr ph[SEGMENTS];
	};
	unsigned char bytes[PAGE];
} image;

/* A program of one page that ends with @code. */
static void make(int type, unsigned long base, int code)
{
	const unsigned char text[] = END_WITH(code);

	memset(&image, 0, sizeof(image));
	memcpy(image.bytes + CODE_AT, text, sizeof(text));
	image.h = (Elf64_Ehdr){
		.e_ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 }, .e_type = type,
		.e_machine = MACHINE, .e_version = 1, .e_entry = base + CODE_AT,
		.e_phoff = offsetof(__typeof__(image), ph), .e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
	};
	image.ph[0] = (Elf64_Phdr){ .p_type = LOAD, .p_flags = RX, .p_vaddr = base,
				    .p_filesz = PAGE, .p_memsz = PAGE, .p_align = PAGE };
}

static void ask_for(const char *interpreter)
{
	size_t n = strlen(interpreter) + 1, at = INTERP_AT + image.h.e_phnum * 64;

	memcpy(image.bytes + at, interpreter, n);
	image.ph[image.h.e_phnum++] = (Elf64_Phdr){ .p_type = INTERP, .p_flags = 4, .p_offset = at,
						     .p_filesz = n, .p_memsz = n, .p_align = 1 };
}

static void save(const char *name)
{
	int fd = Q(openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	Q(write, fd, &image, sizeof(image));
	Q(close, fd);
}

/* Saves the program, executes it, and says the error or how it ended. */
static void try(const char *what)
{
	static char *const args[] = { "p", NULL };
	int status;
	pid_t pid;

	save("p");
	pid = child();
	if (!pid) {
		say("%s: %s", what, error_name(-R(execve, "p", args, NULL)));
		end(0);
	}
	status = reap(pid);
	if (status)
		say_status(what, status);
}

CASE(runs)
{
	make(EXEC, BASE, 3);
	try("fixed");
	make(DYN, 0, 4);
	try("position-independent");
	make(DYN, BASE, 5);
	try("position-independent, linked to an address");
	make(EXEC, BASE, 6);
	image.ph[1] = image.ph[0];
	image.ph[1].p_vaddr += 5 * PAGE;
	image.h.e_phnum = 2;
	image.h.e_entry += 5 * PAGE;
	try("the second segment");
}

CASE(interpreter)
{
	make(DYN, 0, 7);
	save("i");
	make(EXEC, BASE, 1);
	ask_for("i");
	try("of a fixed program");
	make(DYN, 0, 1);
	ask_for("./i");
	try("of a position-independent one");
	make(EXEC, 2 * BASE, 8);
	save("fixed");
	make(EXEC, BASE, 1);
	ask_for("fixed");
	try("a fixed one");
	make(EXEC, BASE, 1);
	ask_for("fixed");
	ask_for("i");
	try("the first of two");
	make(DYN, 0, 1);
	ask_for("i");
	image.h.e_entry = 0;
	try("the program's own entry is not taken");
}

CASE(interpreter_errors)
{
	static const char *const names[] = { "gone", ".", "data", "empty", "short", "plain", "p" };
	int fd;

	fd = file("data", "#!/bin/sh\n");
	Q(fchmod, fd, 0755);
	Q(close, fd);
	fd = file("empty", "");
	Q(fchmod, fd, 0755);
	Q(close, fd);
	make(DYN, 0, 7);
	save("plain");
	Q(fchmodat, AT_FDCWD, "plain", 0644);
	save("short");
	Q(truncate, "short", 64);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		make(EXEC, BASE, 1);
		ask_for(names[i]);
		try(names[i]);
	}
	make(DYN, 0, 7);
	save("i");
	for (int n = 0; n < 4; n++) {
		make(EXEC, BASE, 1);
		ask_for("i");
		image.ph[1].p_filesz = n;
		try("path of so many bytes");
	}
	make(EXEC, BASE, 1);
	ask_for("i");
	image.ph[1].p_filesz = PAGE;
	try("path that goes on behind the file");
	image.ph[1].p_filesz = PAGE + 1;
	try("longer path");
	image.ph[1].p_filesz = 2;
	image.ph[1].p_offset = 2 * PAGE;
	try("path behind the file");
}

#define FIELD(f, ...) \
	do { \
		const unsigned long values_[] = { __VA_ARGS__ }; \
		for (size_t i_ = 0; i_ < sizeof(values_) / sizeof(*values_); i_++) { \
			char what_[64]; \
			make(type, base, 9); \
			image.f = values_[i_]; \
			snprintf(what_, sizeof(what_), #f " = %#lx", values_[i_]); \
			try(what_); \
		} \
	} while (0)

static void fields(int type, unsigned long base)
{
	FIELD(h.e_ident[0], 0);
	FIELD(h.e_ident[3], 'f');
	FIELD(h.e_type, 0, 1, 4, 0xffff);
	FIELD(h.e_machine, 0, 1, 3);
	FIELD(h.e_phoff, PAGE, 2 * PAGE, -1UL, PAGE - sizeof(Elf64_Phdr) + 1);
	FIELD(h.e_phentsize, 0, 32, sizeof(Elf64_Phdr) - 1, sizeof(Elf64_Phdr) + 1);
	FIELD(h.e_phnum, 0, 2, 1171, 0xffff);
	FIELD(ph[0].p_filesz, 0x400);
	FIELD(ph[0].p_memsz, 3 * PAGE);
}

CASE(fields_fixed)
{
	fields(EXEC, BASE);
}

CASE(fields_position_independent)
{
	fields(DYN, 0);
}
