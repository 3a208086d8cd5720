/* Faults of memory: which signal, and what its handler is told. */
#include "diff.h"

static void note_fault(int sig, siginfo_t *i, void *context)
{
	(void)context;
	say("%s code %d at %#lx", signal_name(sig), i->si_code, (unsigned long)i->si_addr);
	end(5);
}

static void on_fault(void)
{
	struct sigaction a = { .sa_sigaction = note_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &a, NULL);
	sigaction(SIGBUS, &a, NULL);
}

CASE(unmapped)
{
	on_fault();
	*(volatile char *)BAD = 1;
}

CASE(read_only)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	char *p = (char *)Q(mmap, 0x200000, PAGE, PROT_READ, flags, -1, 0);

	on_fault();
	*(volatile char *)p = 1;
}

CASE(beyond_file)
{
	int fd = file("f", "abc");
	char *p = (char *)Q(mmap, 0x200000, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);

	on_fault();
	V(p[PAGE - 1]);
	V(*(volatile char *)(p + PAGE));
}

CASE(blocked)
{
	block(SIGSEGV);
	on(SIGSEGV, 0);
	*(volatile char *)BAD = 1;
}

CASE(ignored)
{
	signal(SIGSEGV, SIG_IGN);
	*(volatile char *)BAD = 1;
}

/* A right that was in use a moment ago is gone when mprotect() returns. */
CASE(lost_rights)
{
	static const int kept[] = { PROT_NONE, PROT_READ };
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	volatile char *p = (char *)0x200000;

	for (int i = 0; i < 6; i++) {
		int had = i / 2 == 0 ? PROT_READ : PROT_READ | PROT_WRITE;
		pid_t pid = child();
		int was = 0;

		if (pid) {
			W(reap(pid));
			continue;
		}
		on_fault();
		Q(mmap, p, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
		if (i / 2 == 2)
			p[0] = 1;
		Q(mprotect, p, PAGE, had);
		for (int k = 0; k < 100; k++)
			was += p[0];	/* nothing comes between the last one and the call */
		Q(mprotect, p, PAGE, kept[i % 2]);
		V(was + p[0]);
		p[0] = 2;
		end(0);
	}
}
