/*
 * Tests of the device tree reader, on a tree built here: right answers, and no read outside a blob
 * whose lengths are wrong.
 */
#include "dev/fdt.h"

#include "base/string.h"
#include "test/instrument.h"
#include "test/ktest.h"

#define BLOB_MAX	1024u
#define STRINGS		"compatible\0reg\0#address-cells\0#size-cells\0status\0big"

enum { S_COMPATIBLE = 0, S_REG = 11, S_ADDRESS = 15, S_SIZE = 30, S_STATUS = 42, S_BIG = 49 };

/* A blob under construction: header, one reservation and an empty one, nodes, strings. */
struct builder {
	u8 blob[BLOB_MAX];
	u32 at;
};

static void put32(u8 *p, u32 v)
{
	p[0] = v >> 24;
	p[1] = v >> 16;
	p[2] = v >> 8;
	p[3] = v;
}

static void add32(struct builder *b, u32 v)
{
	put32(b->blob + b->at, v);
	b->at += 4;
}

static void add_bytes(struct builder *b, const void *p, size_t n)
{
	memcpy(b->blob + b->at, p, n);
	b->at = ALIGN_UP(b->at + n, 4);
}

static void begin(struct builder *b, const char *name)
{
	add32(b, 1);
	add_bytes(b, name, strlen(name) + 1);
}

static void end(struct builder *b)
{
	add32(b, 2);
}

static void prop(struct builder *b, u32 name, const void *value, u32 len)
{
	add32(b, 3);
	add32(b, len);
	add32(b, name);
	add_bytes(b, value, len);
}

static void prop_cells(struct builder *b, u32 name, unsigned n, const u32 *cells)
{
	u8 bytes[32];

	for (unsigned i = 0; i < n; i++)
		put32(bytes + 4 * i, cells[i]);
	prop(b, name, bytes, 4 * n);
}

static void add_nodes(struct builder *b)
{
	begin(b, "");
	prop_cells(b, S_ADDRESS, 1, (u32[]){ 2 });
	prop_cells(b, S_SIZE, 1, (u32[]){ 2 });
	add32(b, 4);					/* a NOP between tokens */
	begin(b, "memory@80000000");
	prop_cells(b, S_REG, 8, (u32[]){ 0, 0x80000000, 1, 0, 2, 0, 0, 0x1000 });
	end(b);
	begin(b, "soc");
	prop_cells(b, S_ADDRESS, 1, (u32[]){ 1 });
	prop_cells(b, S_SIZE, 1, (u32[]){ 0 });
	begin(b, "serial@10");
	prop(b, S_COMPATIBLE, "acme,uart\0ns16550a", 19);
	prop_cells(b, S_REG, 1, (u32[]){ 0x10 });
	prop_cells(b, S_BIG, 2, (u32[]){ 7, 9 });
	end(b);
	begin(b, "serial@20");
	prop(b, S_COMPATIBLE, "ns16550", 8);
	prop(b, S_STATUS, "disabled", 9);
	end(b);
	end(b);
	end(b);
	add32(b, 9);
}

static u32 build(struct builder *b)
{
	u32 nodes, strings;

	memset(b, 0, sizeof(*b));
	b->at = 40;
	add32(b, 0), add32(b, 0x1000), add32(b, 0), add32(b, 0x2000);
	b->at += 16;
	nodes = b->at;
	add_nodes(b);
	strings = b->at;
	add_bytes(b, STRINGS, sizeof(STRINGS));
	put32(b->blob + 0, 0xd00dfeed);
	put32(b->blob + 4, b->at);
	put32(b->blob + 8, nodes);
	put32(b->blob + 12, strings);
	put32(b->blob + 16, 40);
	put32(b->blob + 20, 17);
	put32(b->blob + 24, 16);
	put32(b->blob + 32, sizeof(STRINGS));
	put32(b->blob + 36, strings - nodes);
	return b->at;
}

static struct builder b;

KTEST(fdt_read, "fdt.read", "", "fdt.read")
{
	u32 size = build(&b);
	struct fdt f;
	struct fdt_node n;
	u64 addr = 0, len = 0;

	REQUIRE(fdt_open(&f, b.blob, size) == 0, "fdt.read", "a good tree is refused");
	CHECK(fdt_total_size(b.blob) == size, "fdt.read", "size %u", fdt_total_size(b.blob));
	CHECK(fdt_reserved(&f, 0, &addr, &len) && addr == 0x1000 && len == 0x2000, "fdt.read",
	      "reservation %lx+%lx", addr, len);
	CHECK(!fdt_reserved(&f, 1, &addr, &len), "fdt.read", "a second reservation");

	REQUIRE(fdt_find_path(&f, &n, "/memory"), "fdt.read", "no /memory");
	CHECK(fdt_reg(&f, &n, 0, &addr, &len) && addr == 0x80000000 && len == 1ull << 32,
	      "fdt.read", "memory 0: %lx+%lx", addr, len);
	CHECK(fdt_reg(&f, &n, 1, &addr, &len) && addr == 2ull << 32 && len == 0x1000, "fdt.read",
	      "memory 1: %lx+%lx", addr, len);
	CHECK(!fdt_reg(&f, &n, 2, &addr, &len), "fdt.read", "a third range of two");

	n = FDT_START;
	REQUIRE(fdt_next_compatible(&f, &n, "ns16550a"), "fdt.read", "no uart");
	CHECK(strcmp(n.name, "serial@10") == 0 && n.depth == 2 && fdt_name_is(&n, "serial"),
	      "fdt.read", "found %s", n.name);
	CHECK(fdt_reg(&f, &n, 0, &addr, &len) && addr == 0x10 && len == 0, "fdt.read", "reg %lx",
	      addr);
	CHECK(fdt_number(&f, &n, "big", &addr) && addr == (7ull << 32 | 9), "fdt.read", "big %lx",
	      addr);
	CHECK(fdt_enabled(&f, &n), "fdt.read", "enabled without a status");
	CHECK(!fdt_next_compatible(&f, &n, "ns16550a"), "fdt.read", "a second ns16550a");
	CHECK(fdt_find_path(&f, &n, "/soc/serial@20") && !fdt_enabled(&f, &n), "fdt.read",
	      "disabled");
	CHECK(!fdt_find_path(&f, &n, "/serial@20"), "fdt.read", "a grandchild found as a child");
}

/* Calls every function that a port uses. */
static void use(const struct fdt *f)
{
	unsigned nodes = 0;
	u64 a, s;
	u32 c;

	for (struct fdt_node n = FDT_START; fdt_next(f, &n) && nodes < BLOB_MAX; nodes++) {
		fdt_compatible(f, &n, "x");
		fdt_string(f, &n, "status");
		fdt_cell(f, &n, "reg", 3, &c);
		for (unsigned i = 0; i < 8; i++)
			fdt_reg(f, &n, i, &a, &s);
	}
	CHECK(nodes < BLOB_MAX, "fdt.damaged", "an endless walk");
	for (unsigned i = 0; fdt_reserved(f, i, &a, &s); i++)
		;
}

/* FDT1: the blob ends where its array ends, so AddressSanitizer sees a read past it on the host. */
KTEST(fdt_damaged, "fdt.damaged", "", "fdt.damaged")
{
	static u8 room[BLOB_MAX];
	struct fdt f;
	u32 size = build(&b);
	u8 *broken = room + BLOB_MAX - size;

	for (u32 n = 0; n < size; n++)
		CHECK(fdt_open(&f, b.blob, n) != 0, "fdt.damaged", "taken with %u of %u bytes", n,
		      size);
	for (unsigned i = 0; i < 4000; i++) {
		memcpy(broken, b.blob, size);
		for (unsigned k = 0; k <= test_random() % 3; k++)
			broken[test_random() % size] = test_random();
		if (fdt_open(&f, broken, size) == 0)
			use(&f);
	}
}
