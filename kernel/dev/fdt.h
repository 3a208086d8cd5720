/*
 * Reading a flattened device tree (Devicetree Specification 0.4, chapter 5).
 *
 * The blob comes from outside, so nothing in it is trusted: every offset and length is checked
 * against the blob's end before it is used, and a damaged blob reads as one that ends early.
 * Nothing is allocated and the blob is only read, so this works before memory is set up. Addresses
 * in `reg` are not translated through `ranges`.
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
	u32 size;			/* of the whole blob */
	u32 nodes, nodes_size;		/* structure block */
	u32 strings, strings_size;
	u32 reserved;			/* memory reservation block */
};

/* A node, and the position of a walk through all nodes in the order of the blob. */
struct fdt_node {
	const char *name;		/* with its unit address; the root's is "" */
	int depth;			/* the root's is 0; -1: before the first node */
	u32 props;			/* where its properties start, in the structure block */
	struct {
		u8 address, size;	/* of the reg of nodes at this depth */
	} cells[FDT_MAX_DEPTH + 1];
};

#define FDT_START	((struct fdt_node){ .depth = -1 })

/* Returns the size of the blob by its header (40 bytes are read), 0 if it is no device tree. */
u32 fdt_total_size(const void *blob);

/* Checks the header and the nesting of all nodes; reads at most @max bytes. 0 or -EINVAL. */
int fdt_open(struct fdt *f, const void *blob, u32 max);

/* Moves @n to the next node: children follow their parent. Returns false at the end. */
bool fdt_next(const struct fdt *f, struct fdt_node *n);

/* Moves @n to the next node that is compatible with @what. Returns false if there is none. */
bool fdt_next_compatible(const struct fdt *f, struct fdt_node *n, const char *what);

/* Moves @n to the node at @path, from "/" on. Returns false if there is none. */
bool fdt_find_path(const struct fdt *f, struct fdt_node *n, const char *path);

/* Checks whether the name without its unit address is @name. */
bool fdt_name_is(const struct fdt_node *n, const char *name);

/* Returns the value of a property and its length, NULL if the node has no such property. */
const u8 *fdt_property(const struct fdt *f, const struct fdt_node *n, const char *name, u32 *len);

/* Returns a property that is one string, NULL if it is missing or not terminated. */
const char *fdt_string(const struct fdt *f, const struct fdt_node *n, const char *name);

/* Read a property of one or two cells as a number, or cell @i of several. False: it is missing. */
bool fdt_number(const struct fdt *f, const struct fdt_node *n, const char *name, u64 *out);
bool fdt_cell(const struct fdt *f, const struct fdt_node *n, const char *name, unsigned i,
	      u32 *out);

/* Checks whether one of the strings of `compatible` is @what. */
bool fdt_compatible(const struct fdt *f, const struct fdt_node *n, const char *what);

/* Checks whether `status` is "okay" or missing. */
bool fdt_enabled(const struct fdt *f, const struct fdt_node *n);

/* Reads the @i-th range of `reg`; @size may be NULL. False: there are fewer. */
bool fdt_reg(const struct fdt *f, const struct fdt_node *n, unsigned i, u64 *addr, u64 *size);

/* Reads the @i-th entry of the memory reservation block. False: there are fewer. */
bool fdt_reserved(const struct fdt *f, unsigned i, u64 *addr, u64 *size);
