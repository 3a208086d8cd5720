/*
 * The interface between exec.c, which replaces programs, elf.c, which maps them, and stack.c, which
 * lays out a program's stack.
 */
#pragma once

#include "types.h"

struct addr_space;
struct cred;
struct file;

/* argv and envp, copied: argc + envc strings one after the other, each with its terminator. */
struct exec_args {
	char *strings;
	size_t used, size;
	unsigned argc, envc;		/* 0 until the strings have been copied from: */
	vaddr_t argv, envp;
	const struct cred *cred;	/* of the new program */
	bool secure;			/* it gets rights that its caller lacks: AT_SECURE */
	bool no_path;			/* exec closes the descriptor that its path goes through */
};

/* Appends @len bytes, terminators included. Returns 0, -E2BIG or -ENOMEM. */
int exec_args_append(struct exec_args *args, const char *strings, size_t len);
void exec_args_free(struct exec_args *args);

/* Opens a program for program_put(), by a path that starts from the caller's working directory. */
int program_open(const char *path, struct file **out);

/* A program that has been mapped. */
struct elf_program {
	vaddr_t start;		/* first instruction: the interpreter's, if it has one */
	vaddr_t entry;		/* its own first instruction */
	vaddr_t phdrs;		/* program headers, in its memory */
	unsigned nr_phdrs;
	vaddr_t base;		/* where the interpreter is mapped, or 0 */
	vaddr_t end;		/* the end of its data, where the heap begins */
	bool exec_stack;
};

/* Maps ELF file @f and its interpreter into @as. One cannot run here: -ENOEXEC, or -ELIBBAD. */
int elf_load(struct addr_space *as, struct file *f, struct elf_program *prog);

/* Maps the stack of @as and fills its top; *sp is where the program starts. */
int stack_build(struct addr_space *as, const struct elf_program *prog, const struct exec_args *args,
		const char *path, vaddr_t *sp);
