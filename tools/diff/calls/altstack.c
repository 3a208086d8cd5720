/* SS_AUTODISARM: a stack for handlers that is off while one runs. */
#include "diff.h"

static char other[4 * PAGE];
static stack_t seen[4];
static int place[4], n;
static long changed;

/* Where @at is: 1 on the stack of buf, 2 on the other, 0 elsewhere. */
static int place_of(const void *at)
{
	const char *c = at;

	if (c >= buf && c < buf + sizeof(buf))
		return 1;
	return c >= other && c < other + sizeof(other) ? 2 : 0;
}

static void look(int sig)
{
	(void)sig;
	if (n < 4) {
		place[n] = place_of(__builtin_frame_address(0));
		R(sigaltstack, NULL, &seen[n]);
		n++;
	}
}

static void look_twice(int sig)
{
	look(sig);
	R(kill, getpid(), SIGUSR2);
}

static void set_other(int sig)
{
	stack_t s = { .ss_sp = other, .ss_size = sizeof(other), .ss_flags = SS_AUTODISARM };

	look(sig);
	changed = R(sigaltstack, &s, NULL);
	R(kill, getpid(), SIGUSR2);
	look(sig);
}

static void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction a = { .sa_handler = fn, .sa_flags = flags };

	sigaction(sig, &a, NULL);
}

static void arm(int flags)
{
	stack_t s = { .ss_sp = buf, .ss_size = sizeof(buf), .ss_flags = flags };

	Q(sigaltstack, &s, NULL);
}

static void say_stack(const char *what, const stack_t *s)
{
	say("%s: flags %#x, size %ld, %s", what, s->ss_flags, (long)s->ss_size,
	    !s->ss_sp	       ? "nowhere"
	    : s->ss_sp == buf   ? "ours"
	    : s->ss_sp == other ? "the other"
				: "elsewhere");
}

static void say_seen(void)
{
	stack_t now;

	for (int i = 0; i < n; i++) {
		V(place[i]);
		say_stack("seen", &seen[i]);
	}
	Q(sigaltstack, NULL, &now);
	say_stack("after", &now);
	n = 0;
}

CASE(armed_again_by_the_return)
{
	arm(SS_AUTODISARM);
	handle(SIGUSR1, look, SA_ONSTACK);
	T(kill, getpid(), SIGUSR1);
	say_seen();
	T(kill, getpid(), SIGUSR1);
	say_seen();
}

CASE(armed_and_on)
{
	arm(SS_AUTODISARM | SS_ONSTACK);
	handle(SIGUSR1, look, SA_ONSTACK);
	T(kill, getpid(), SIGUSR1);
	say_seen();
}

CASE(not_disarmed)
{
	arm(0);
	handle(SIGUSR1, look, SA_ONSTACK);
	T(kill, getpid(), SIGUSR1);
	say_seen();
}

CASE(handler_that_does_not_use_it)
{
	arm(SS_AUTODISARM);
	handle(SIGUSR1, look, 0);
	T(kill, getpid(), SIGUSR1);
	say_seen();
	arm(0);
	T(kill, getpid(), SIGUSR1);
	say_seen();
}

/* The second handler goes on below the first one, not at the top of the stack. */
CASE(nested)
{
	arm(SS_AUTODISARM);
	handle(SIGUSR1, look_twice, SA_ONSTACK);
	handle(SIGUSR2, look, SA_ONSTACK);
	T(kill, getpid(), SIGUSR1);
	say_seen();
	T(kill, getpid(), SIGUSR1);
	say_seen();
}

CASE(another_in_the_handler)
{
	arm(SS_AUTODISARM);
	handle(SIGUSR1, set_other, SA_ONSTACK);
	handle(SIGUSR2, look, SA_ONSTACK);
	T(kill, getpid(), SIGUSR1);
	V(changed);
	say_seen();
}

CASE(another_in_the_handler_without_it)
{
	arm(0);
	handle(SIGUSR1, set_other, SA_ONSTACK);
	handle(SIGUSR2, look, SA_ONSTACK);
	T(kill, getpid(), SIGUSR1);
	V(changed == -EPERM);
	say_seen();
}

CASE(in_a_child)
{
	pid_t pid;

	arm(SS_AUTODISARM);
	handle(SIGUSR1, look, SA_ONSTACK);
	pid = child();
	if (!pid) {
		T(kill, getpid(), SIGUSR1);
		say_seen();
		end(0);
	}
	reap(pid);
}

static volatile int code;

static void note_code(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	code = info->si_code;
}

static void lose_the_stack(void)
{
	stack_t s = { .ss_sp = pages(4, PROT_READ | PROT_WRITE, MAP_PRIVATE), .ss_size = 4 * PAGE };

	Q(sigaltstack, &s, NULL);
	Q(munmap, s.ss_sp, s.ss_size);
	handle(SIGUSR1, look, SA_ONSTACK);
}

/* The flags of the stack, asked for while the stack pointer is @sp, where nothing is written. */
static int flags_at(char *sp)
{
	stack_t s = { .ss_flags = -1 };
#ifdef __x86_64__
	long call = NR_sigaltstack;

	__asm__ volatile("mov %%rsp, %%rbx\n\tmov %3, %%rsp\n\tsyscall\n\tmov %%rbx, %%rsp"
			 : "+a"(call)
			 : "D"(0L), "S"(&s), "r"(sp)
			 : "rbx", "rcx", "r11", "memory");
#else
	register long in __asm__("a0") = 0;
	register stack_t *out __asm__("a1") = &s;
	register long call __asm__("a7") = NR_sigaltstack;

	__asm__ volatile("mv s2, sp\n\tmv sp, %3\n\tecall\n\tmv sp, s2"
			 : "+r"(in)
			 : "r"(out), "r"(call), "r"(sp)
			 : "s2", "memory");
#endif
	return s.ss_flags;
}

CASE(edges_of_the_stack)
{
	arm(0);
	for (int at = -16; at <= 16; at += 16) {
		V(flags_at(buf + at));
		V(flags_at(buf + sizeof(buf) + at));
	}
}

/* A handler's frame cannot be written: SIGSEGV instead, which may have a handler elsewhere. */
CASE(no_room_for_the_frame)
{
	struct sigaction a = { .sa_sigaction = note_code, .sa_flags = SA_SIGINFO };

	lose_the_stack();
	sigaction(SIGSEGV, &a, NULL);
	T(kill, getpid(), SIGUSR1);
	V(code);
	V(n);
}

CASE(no_room_for_any_frame)
{
	if (!child()) {
		lose_the_stack();
		kill(getpid(), SIGUSR1);
		end(1);
	}
	W(reap(-1));
	if (!child()) {
		lose_the_stack();
		handle(SIGSEGV, look, SA_ONSTACK);
		kill(getpid(), SIGUSR1);
		end(1);
	}
	W(reap(-1));
}
