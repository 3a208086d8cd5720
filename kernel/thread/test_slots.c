/* Tests of what belongs to one thread: its slots, the figure of its stack's use, references. */
#include "base/string.h"
#include "config.h"
#include "errno.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sched/sched.h"
#include "test/ktest.h"
#include "thread/thread.h"

static int keeps_slots(void *arg)
{
	for (unsigned i = 0; i < TLS_SLOTS; i++)
		CHECK(!tls_set(i, arg + i), "thread.slots", "slot %u of a new thread is set", i);
	for (int turn = 0; turn < 100; turn++) {
		thread_yield();
		for (unsigned i = 0; i < TLS_SLOTS; i++)
			CHECK(tls_get(i) == arg + i, "thread.slots", "slot %u has another's", i);
	}
	CHECK(tls_set(0, NULL) == arg, "thread.slots", "setting does not return what was there");
	return 0;
}

KTEST(thread_slots, "thread.slots", "", "thread.slots")
{
	struct thread *t[4];
	static char values[4][TLS_SLOTS];

	for (int i = 0; i < 4; i++) {
		t[i] = thread_create("slots", keeps_slots, values[i], PRIORITY_DEFAULT);
		thread_resume(t[i]);
	}
	for (int i = 0; i < 4; i++)
		thread_join(t[i], NULL, DEADLINE_NEVER);
}

#define DEEP	3000

static noinline int use_stack(void *unused)
{
	volatile char frame[DEEP];

	(void)unused;
	for (int i = 0; i < DEEP; i += 64)
		frame[i] = 1;
	thread_yield();
	return frame[0];
}

static int use_little(void *unused)
{
	(void)unused;
	return 0;
}

/*
 * Runs @fn on a thread with structure @own and with @stack (NULL: default ones); returns how much
 * of the stack was used.
 */
static size_t used_by(thread_fn fn, struct thread *own, void *stack, size_t size)
{
	struct thread *t = thread_create_etc(own, "deep", fn, NULL, PRIORITY_DEFAULT, stack, size);
	size_t used;

	REQUIRE(t && (!own || t == own), "thread.stack_used", "another structure");
	thread_resume(t);
	while (thread_state(t) != THREAD_DEAD)
		thread_yield();
	used = thread_stack_used(t);
	thread_join(t, NULL, DEADLINE_NEVER);
	return used;
}

KTEST(thread_stack_used, "thread.stack_used", "", "thread.stack_used")
{
	static struct thread t;
	void *own = kmalloc(KSTACK_SIZE);
	size_t little = used_by(use_little, NULL, NULL, 0);
	size_t deep = used_by(use_stack, NULL, NULL, 0);

	if (DEBUG_BUILD) {
		CHECK(little > 0 && little < deep - 2000, "thread.stack_used", "%lu, then %lu",
		      little, deep);
		CHECK(deep > DEEP && deep < KSTACK_SIZE, "thread.stack_used", "deep is %lu", deep);
		little = used_by(use_little, NULL, NULL, 0);
		CHECK(little < deep - 2000, "thread.stack_used", "not painted anew");
	}
	memset(&t, 0xff, sizeof(t));	/* as one that has been used for something else */
	deep = used_by(use_stack, &t, own, KSTACK_SIZE);
	CHECK(!DEBUG_BUILD || deep > DEEP, "thread.stack_used", "own stack: %lu", deep);
	kfree(own);
}

/* Each timer that notifies a thread refers to it, for example. */
KTEST(thread_many_references, "thread.many_references", "", "thread.references")
{
	struct thread *t = thread_create("referred", use_little, NULL, PRIORITY_DEFAULT);
	unsigned n = 0x10001;

	REQUIRE(t, "thread.references", "no memory for a thread");
	for (unsigned i = 0; i < n; i++)
		thread_get(t);
	for (unsigned i = 0; i < n; i++)
		thread_put(t);
	thread_get(t);
	thread_resume(t);
	CHECK(thread_join(t, NULL, DEADLINE_NEVER) == 0, "thread.references", "it is gone");
	CHECK(thread_join(t, NULL, DEADLINE_NEVER) == -ECHILD, "thread.references", "joined twice");
	thread_put(t);

	t = current_thread();
	n = t->refs;
	CHECK(thread_join(t, NULL, DEADLINE_NEVER) == -EDEADLK && t->refs == n,
	      "thread.references", "by joining itself it has %u references, not %u", t->refs, n);
}
