/*
 * The kernel's own symbol table: text symbols sorted by address. The kernel is linked with an empty
 * one, and tools/ksyms.py then writes the symbols into the file.
 */
#include "base/symbols.h"

extern const char __text_start[], __text_end[];

/* Returns the index of the last symbol at or below @pc, ksyms_count if there is none. */
static u64 find(vaddr_t pc)
{
	u64 low = 0, high = ksyms_count;

	if (pc < (u64)__text_start || pc >= (u64)__text_end)
		return ksyms_count;
	while (low < high) {
		u64 mid = (low + high) / 2;

		if (ksyms_addr[mid] <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? low - 1 : ksyms_count;
}

const char *symbol_name(vaddr_t pc, u64 *offset)
{
	u64 i = find(pc);

	if (i == ksyms_count) {
		*offset = 0;
		return "?";
	}
	*offset = pc - ksyms_addr[i];
	return &ksyms_names[ksyms_name[i]];
}
