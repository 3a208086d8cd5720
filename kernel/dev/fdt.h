/*
 * Reading a flattened device tree (Devicetree Specification 0.4, chapter 5).
 *
 * The blob comes from outside, so nothing in it is believed: every offset and length is checked
 * against the blob's end before it is used, and a damaged blob reads as one that ends early.
 * Nothing is allocated and nothing is written, so this works before any memory is set up, as long
 * as the blob itself can be read. Addresses in `reg` are not translated through `ranges`.
 *
 *	struct fdt fdt;
 *	if (fdt_open(&fdt, blob, BLOB_MAX) == 0)
 *		for (struct fdt_node n = FDT_START; fdt_next(&fdt, &n);)
 *			if (fdt_compatible(&fdt, &n, "ns16550a"))
 *				fdt_reg(&fdt, &n, 0, &base, &size);
 */
#pragma once

#include "types.h"

#define FDT_MAX_DEPTH	16

/* A blob whose header has been checked. */
struct fdt {
	const u8 *blob;
	u32 size;			/* of all of it */
	u32 nodes, nodes_size;		/* structure block */
	u32 strings, strings_size;
	u32 reserved;			/* memory reservation block */
};

/* A node, and the place of a walk through all nodes in the order of the blob. */
struct fdt_node {
	const char *name;		/* with its unit address; the root's is "" */
	int depth;			/* the root's is 0; -1: before the first node */
	u32 props;			/* where its properties start, in the structure block */
	struct {
		u8 address, size;	/* of a child's reg, by the parent's depth + 1 */
	} cells[FDT_MAX_DEPTH + 1];
};

#define FDT_START	((struct fdt_node){ .depth = -1 })

/*
 * Bytes that belong to the blob at @blob, by its header (40 bytes are read); 0: not a device tree.
 */
u32 fdt_total_size(const void *blob);

/* Checks the header and the nesting of all nodes. @max: bytes readable. 0 or -EINVAL. */
int fdt_open(struct fdt *f, const void *blob, u32 max);

/* Moves @n to the next node: children follow their parent. False at the end. */
bool fdt_next(const struct fdt *f, struct fdt_node *n);

/*
 * Moves @n to the next node that says it is compatible with @what; or to the one at @path from "/".
 */
bool fdt_next_compatible(const struct fdt *f, struct fdt_node *n, const char *what);
bool fdt_find_path(const struct fdt *f, struct fdt_node *n, const char *path);

/* The name without its unit address is @name. */
bool fdt_name_is(const struct fdt_node *n, const char *name);

/* The value of a property and its length; NULL: it has none of that name. */
const u8 *fdt_property(const struct fdt *f, const struct fdt_node *n, const char *name, u32 *len);

/* A property that is one string; NULL if it is missing or not terminated. */
const char *fdt_string(const struct fdt *f, const struct fdt_node *n, const char *name);

/* A property of one or two cells as a number; cell @i of one of several. */
bool fdt_number(const struct fdt *f, const struct fdt_node *n, const char *name, u64 *out);
bool fdt_cell(const struct fdt *f, const struct fdt_node *n, const char *name, unsigned i,
	      u32 *out);

/* One of the strings of `compatible` is @what. */
bool fdt_compatible(const struct fdt *f, const struct fdt_node *n, const char *what);

/* No `status`, or "okay". */
bool fdt_enabled(const struct fdt *f, const struct fdt_node *n);

/* The @i-th range of `reg`, in the cells its parent asks for (@size may be NULL). */
bool fdt_reg(const struct fdt *f, const struct fdt_node *n, unsigned i, u64 *addr, u64 *size);

/* The @i-th entry of the memory reservation block. */
bool fdt_reserved(const struct fdt *f, unsigned i, u64 *addr, u64 *size);
