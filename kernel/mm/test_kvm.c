/*
 * Addresses of the kernel's window: no two reservations overlap, and before each is a guard page.
 */
#include "mm.h"
#include "test/instrument.h"
#include "test/ktest.h"

#define PROPERTY	"mm.kvm"
#define LIVE		40
#define ROUNDS		2000

struct reservation {
	vaddr_t va;		/* 0: none */
	size_t size;
};

/* Whether @r, with its guard page, touches the pages of another one. */
static bool touches(const struct reservation *r, const struct reservation *live)
{
	for (unsigned i = 0; i < LIVE; i++)
		if (live[i].va && &live[i] != r && r->va - PAGE_SIZE < live[i].va + live[i].size &&
		    live[i].va < r->va + r->size)
			return true;
	return false;
}

KTEST(kvm_guards, "mm.kvm.guards", "", PROPERTY)
{
	static struct reservation live[LIVE];
	unsigned wrong = 0;

	for (unsigned n = 0; n < ROUNDS; n++) {
		struct reservation *r = &live[test_random() % LIVE];

		if (r->va) {
			kvm_release(r->va, r->size);
			r->va = 0;
			continue;
		}
		r->size = (1 + test_random() % 6) * PAGE_SIZE - test_random() % PAGE_SIZE;
		r->va = kvm_reserve(r->size);
		REQUIRE(r->va, PROPERTY, "no addresses");
		for (unsigned i = 0; i < LIVE; i++)
			wrong += live[i].va && touches(&live[i], live);
	}
	CHECK(!wrong, PROPERTY, "%u times a page is another one's, or its guard", wrong);
	for (unsigned i = 0; i < LIVE; i++)
		if (live[i].va)
			kvm_release(live[i].va, live[i].size);
}
