/*
 * Between exec.c, which replaces programs, elf.c, which maps them, and stack.c, which lays out what
 * a program finds on its stack.
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
	unsigned argc, envc;		/* argc 0: they are still to be copied, from here: */
	vaddr_t argv, envp;
	const struct cred *cred;	/* on whose behalf it will run */
	bool secure;			/* it is not its caller's own doing: AT_SECURE */
	bool no_path;			/* exec closes the descriptor that leads to it */
};

/* 0, -E2BIG, -ENOMEM. @len counts the terminator. */
int exec_args_append(struct exec_args *args, const char *strings, size_t len);
void exec_args_free(struct exec_args *args);

/* A program that has been mapped. */
struct elf_program {
	vaddr_t start;		/* first instruction: the interpreter's, if it has one */
	vaddr_t entry;		/* its own first instruction */
	vaddr_t phdrs;		/* program headers, in its memory */
	unsigned nr_phdrs;
	vaddr_t base;		/* where the interpreter is, or 0 */
	vaddr_t end;		/* of its data, where the heap begins */
	bool exec_stack;
};

/* Maps the ELF file @f and its interpreter into @as. -ENOEXEC if it is none that could run here. */
int elf_load(struct addr_space *as, struct file *f, struct elf_program *prog);

/* Maps the stack of @as and fills its top; *sp is where the program starts. */
int stack_build(struct addr_space *as, const struct elf_program *prog, const struct exec_args *args,
		const char *path, vaddr_t *sp);
