/*
 * A plugin of QEMU that notes which instructions of a kernel are executed, from outside: under
 * -icount a run is the same with and without it. coverage.py makes lines of the source of them.
 *
 * Arguments: text=LOW:HIGH (the kernel's code, hexadecimal), out=FILE. At the end the file has the
 * address of each instruction that was executed, one a line.
 *
 * An instruction counts as executed as soon as its block is entered, although an earlier one of
 * the block may trap: blocks are short, and nearly every trap comes back. QEMU under -icount runs
 * all its CPUs in one thread, so nothing here is locked.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

int qemu_plugin_version = PLUGIN_VERSION;

/* A translated block. QEMU may translate a block again, so an address can be in several. */
struct block {
	bool ran;
	size_t nr;
	uint32_t offsets[];		/* of its instructions in the kernel's code */
};

static uint64_t low, high;
static bool *ran;			/* by offset */
static FILE *out;

static void executed(unsigned cpu, void *arg)
{
	struct block *b = arg;

	(void)cpu;
	if (b->ran)
		return;
	b->ran = true;
	for (size_t i = 0; i < b->nr; i++)
		ran[b->offsets[i]] = true;
}

static void translated(TRANSLATED(tb))
{
	size_t all = qemu_plugin_tb_n_insns(tb);
	struct block *b = calloc(1, sizeof(*b) + all * sizeof(b->offsets[0]));

	for (size_t i = 0; b && i < all; i++) {
		uint64_t at = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, i));

		if (at >= low && at < high)
			b->offsets[b->nr++] = at - low;
	}
	if (b && b->nr)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, QEMU_PLUGIN_CB_NO_REGS, b);
	else
		free(b);
}

static void report(AT_EXIT)
{
	for (uint64_t i = 0; i < high - low; i++)
		if (ran[i])
			fprintf(out, "%" PRIx64 "\n", low + i);
	fclose(out);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		sscanf(argv[i], "text=%" SCNx64 ":%" SCNx64, &low, &high);
		if (strncmp(argv[i], "out=", 4) == 0)
			out = fopen(argv[i] + 4, "w");
	}
	if (!out || low >= high)
		return -1;
	ran = calloc(high - low, sizeof(*ran));
	if (!ran)
		return -1;
	on_translation(id, translated);
	qemu_plugin_register_atexit_cb(id, report, NULL);
	return 0;
}
