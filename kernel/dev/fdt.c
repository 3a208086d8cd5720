/*
 * The flattened device tree reader; fdt.h says what it is for.
 *
 * Layout: a header of big-endian words, then a block of memory reservations, a structure block of
 * 4-byte aligned tokens (begin node + name, property + length + name offset + value, end node), and
 * a block of property names.
 *
 * FDT1  No byte outside [blob, blob + size) is read: next_token() and fdt_open() check every
 *       offset.
 * FDT2  Offsets into the structure block that functions pass on are multiples of 4, at a token or
 *       past the end of the block.
 *
 * No locks, no allocation, no globals.
 */
#include "dev/fdt.h"

#include "base/panic.h"
#include "base/string.h"
#include "errno.h"

#define FDT_MAGIC	0xd00dfeedu
#define FDT_VERSION	17u		/* newer blobs name an older compatible one */
#define FDT_MAX_SIZE	(1u << 30)	/* so that no sum of two offsets wraps */

enum { HDR_MAGIC, HDR_SIZE, HDR_NODES, HDR_STRINGS, HDR_RESERVED, HDR_VERSION, HDR_COMPAT,
       HDR_BOOT_CPU, HDR_STRINGS_SIZE, HDR_NODES_SIZE, HDR_WORDS };

enum { FDT_BEGIN_NODE = 1, FDT_END_NODE = 2, FDT_PROP = 3, FDT_NOP = 4, FDT_END = 9 };

struct token {
	u32 kind;
	const char *name;	/* of the node or property */
	const u8 *value;	/* property */
	u32 len;
};

static u32 be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/* Returns @cells big-endian words as one number; its low 64 bits if there are more than two. */
static u64 be_cells(const u8 *p, unsigned cells)
{
	u64 v = 0;

	for (unsigned i = 0; i < cells; i++)
		v = v << 32 | be32(p + 4 * i);
	return v;
}

static bool in_block(u32 off, u32 len, u32 size)
{
	return off <= size && len <= size - off;
}

/* Returns the string at @off if it ends before @size, else NULL. */
static const char *bounded_string(const u8 *block, u32 off, u32 size)
{
	if (off >= size || strnlen((const char *)block + off, size - off) == size - off)
		return NULL;
	return (const char *)block + off;
}

/* Reads the token at *@at in the structure block, and moves *@at past it. False: the block ends. */
static bool next_token(const struct fdt *f, u32 *at, struct token *t)
{
	const u8 *block = f->blob + f->nodes;

	assert(IS_ALIGNED(*at, 4));	/* FDT2 */
	do {
		if (!in_block(*at, 4, f->nodes_size))
			return false;
		t->kind = be32(block + *at);
		*at += 4;
	} while (t->kind == FDT_NOP);

	if (t->kind == FDT_BEGIN_NODE) {
		t->name = bounded_string(block, *at, f->nodes_size);
		if (!t->name)
			return false;
		*at = ALIGN_UP(*at + strlen(t->name) + 1, 4);
	} else if (t->kind == FDT_PROP) {
		if (!in_block(*at, 8, f->nodes_size))
			return false;
		t->len = be32(block + *at);
		t->name = bounded_string(f->blob + f->strings, be32(block + *at + 4),
					 f->strings_size);
		*at += 8;
		if (!t->name || !in_block(*at, t->len, f->nodes_size))
			return false;
		t->value = block + *at;
		*at = ALIGN_UP(*at + t->len, 4);
	}
	return t->kind == FDT_BEGIN_NODE || t->kind == FDT_END_NODE || t->kind == FDT_PROP;
}

u32 fdt_total_size(const void *blob)
{
	const u8 *p = blob;

	return be32(p) == FDT_MAGIC ? be32(p + 4 * HDR_SIZE) : 0;
}

/* Checks that every node that begins also ends, none is too deep, and there is one root. */
static bool nesting_ok(const struct fdt *f)
{
	struct token t;
	u32 at = 0;
	int depth = 0;

	while (next_token(f, &at, &t)) {
		if (t.kind == FDT_BEGIN_NODE && ++depth > FDT_MAX_DEPTH)
			return false;
		if (t.kind == FDT_PROP && depth == 0)
			return false;
		if (t.kind == FDT_END_NODE && --depth == 0)
			return true;
		if (depth < 0)
			return false;
	}
	return false;
}

int fdt_open(struct fdt *f, const void *blob, u32 max)
{
	u32 h[HDR_WORDS];

	if (max < sizeof(h))
		return -EINVAL;
	for (unsigned i = 0; i < HDR_WORDS; i++)
		h[i] = be32((const u8 *)blob + 4 * i);
	if (h[HDR_MAGIC] != FDT_MAGIC || h[HDR_SIZE] > MIN(max, FDT_MAX_SIZE) ||
	    h[HDR_SIZE] < sizeof(h) ||
	    h[HDR_VERSION] < FDT_VERSION || h[HDR_COMPAT] > FDT_VERSION)
		return -EINVAL;
	if (!in_block(h[HDR_NODES], h[HDR_NODES_SIZE], h[HDR_SIZE]) ||
	    !in_block(h[HDR_STRINGS], h[HDR_STRINGS_SIZE], h[HDR_SIZE]) ||
	    h[HDR_RESERVED] > h[HDR_SIZE] || !IS_ALIGNED(h[HDR_NODES], 4))
		return -EINVAL;

	*f = (struct fdt){
		.blob = blob, .size = h[HDR_SIZE],
		.nodes = h[HDR_NODES], .nodes_size = h[HDR_NODES_SIZE],
		.strings = h[HDR_STRINGS], .strings_size = h[HDR_STRINGS_SIZE],
		.reserved = h[HDR_RESERVED],
	};
	return nesting_ok(f) ? 0 : -EINVAL;
}

/* Reads how many cells the addresses and sizes of @n's children have; the defaults are standard. */
static void read_cells(const struct fdt *f, struct fdt_node *n)
{
	u64 address = 2, size = 1;

	fdt_number(f, n, "#address-cells", &address);
	fdt_number(f, n, "#size-cells", &size);
	n->cells[n->depth + 1].address = MIN(address, 4u);
	n->cells[n->depth + 1].size = MIN(size, 4u);
}

bool fdt_next(const struct fdt *f, struct fdt_node *n)
{
	struct token t;
	u32 at = n->props;

	while (next_token(f, &at, &t)) {
		if (t.kind == FDT_END_NODE && --n->depth < 0)
			return false;
		if (t.kind == FDT_BEGIN_NODE) {
			if (++n->depth >= FDT_MAX_DEPTH)
				return false;
			n->name = t.name;
			n->props = at;
			read_cells(f, n);
			return true;
		}
	}
	return false;
}

bool fdt_next_compatible(const struct fdt *f, struct fdt_node *n, const char *what)
{
	while (fdt_next(f, n))
		if (fdt_compatible(f, n, what))
			return true;
	return false;
}

/* Checks whether @name is the node's name, with or without its unit address. */
static bool name_matches(const struct fdt_node *n, const char *name, size_t len)
{
	return strncmp(n->name, name, len) == 0 && (n->name[len] == 0 || n->name[len] == '@');
}

bool fdt_name_is(const struct fdt_node *n, const char *name)
{
	return name_matches(n, name, strlen(name));
}

bool fdt_find_path(const struct fdt *f, struct fdt_node *n, const char *path)
{
	int depth = 0;		/* of the node that the path has led to so far */

	*n = FDT_START;
	if (!fdt_next(f, n))
		return false;
	while (*path == '/')
		path++;
	while (*path) {
		const char *end = strchr(path, '/');
		size_t len = end ? (size_t)(end - path) : strlen(path);

		do {
			if (!fdt_next(f, n) || n->depth <= depth)
				return false;
		} while (n->depth != depth + 1 || !name_matches(n, path, len));
		depth++;
		path += len;
		while (*path == '/')
			path++;
	}
	return true;
}

const u8 *fdt_property(const struct fdt *f, const struct fdt_node *n, const char *name, u32 *len)
{
	struct token t;
	u32 at = n->props;

	while (next_token(f, &at, &t) && t.kind == FDT_PROP)
		if (strcmp(t.name, name) == 0) {
			*len = t.len;
			return t.value;
		}
	return NULL;
}

const char *fdt_string(const struct fdt *f, const struct fdt_node *n, const char *name)
{
	u32 len;
	const u8 *p = fdt_property(f, n, name, &len);

	return p ? bounded_string(p, 0, len) : NULL;
}

bool fdt_number(const struct fdt *f, const struct fdt_node *n, const char *name, u64 *out)
{
	u32 len;
	const u8 *p = fdt_property(f, n, name, &len);

	if (!p || (len != 4 && len != 8))
		return false;
	*out = be_cells(p, len / 4);
	return true;
}

bool fdt_cell(const struct fdt *f, const struct fdt_node *n, const char *name, unsigned i,
	      u32 *out)
{
	u32 len;
	const u8 *p = fdt_property(f, n, name, &len);

	if (!p || i >= len / 4)
		return false;
	*out = be32(p + 4 * i);
	return true;
}

bool fdt_compatible(const struct fdt *f, const struct fdt_node *n, const char *what)
{
	u32 len;
	const u8 *p = fdt_property(f, n, "compatible", &len);
	const char *s;

	for (u32 at = 0; p && (s = bounded_string(p, at, len)); at += strlen(s) + 1)
		if (strcmp(s, what) == 0)
			return true;
	return false;
}

bool fdt_enabled(const struct fdt *f, const struct fdt_node *n)
{
	const char *status = fdt_string(f, n, "status");

	return !status || strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0;
}

bool fdt_reg(const struct fdt *f, const struct fdt_node *n, unsigned i, u64 *addr, u64 *size)
{
	unsigned ac = n->cells[n->depth].address, sc = n->cells[n->depth].size;
	u32 len, entry = 4 * (ac + sc);
	const u8 *p = fdt_property(f, n, "reg", &len);

	if (!p || ac == 0 || i >= len / entry)
		return false;
	p += i * entry;
	*addr = be_cells(p, ac);
	if (size)
		*size = be_cells(p + 4 * ac, sc);
	return true;
}

bool fdt_reserved(const struct fdt *f, unsigned i, u64 *addr, u64 *size)
{
	u64 at = f->reserved + 16ull * i;

	if (at > f->size || f->size - at < 16)
		return false;
	*addr = be_cells(f->blob + at, 2);
	*size = be_cells(f->blob + at + 8, 2);
	return *addr || *size;
}
