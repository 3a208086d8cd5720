/* Signals. */
#pragma once

#include <sys/types.h>
#include <time.h>

#define SIGHUP		1
#define SIGINT		2
#define SIGQUIT		3
#define SIGILL		4
#define SIGTRAP		5
#define SIGABRT		6
#define SIGBUS		7
#define SIGFPE		8
#define SIGKILL		9
#define SIGUSR1		10
#define SIGSEGV		11
#define SIGUSR2		12
#define SIGPIPE		13
#define SIGALRM		14
#define SIGTERM		15
#define SIGSTKFLT	16
#define SIGCHLD		17
#define SIGCONT		18
#define SIGSTOP		19
#define SIGTSTP		20
#define SIGTTIN		21
#define SIGTTOU		22
#define SIGURG		23
#define SIGXCPU		24
#define SIGXFSZ		25
#define SIGVTALRM	26
#define SIGPROF		27
#define SIGWINCH	28
#define SIGIO		29
#define SIGPWR		30
#define SIGSYS		31
#define NSIG		65

typedef void (*sighandler_t)(int);

#define SIG_DFL		((sighandler_t)0)
#define SIG_IGN		((sighandler_t)1)
#define SIG_ERR		((sighandler_t)-1)

#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2

#define SA_NOCLDSTOP	0x00000001
#define SA_NOCLDWAIT	0x00000002
#define SA_SIGINFO	0x00000004
#define SA_ONSTACK	0x08000000
#define SA_RESTART	0x10000000
#define SA_NODEFER	0x40000000
#define SA_RESETHAND	0x80000000

#define SI_USER		0
#define SI_KERNEL	0x80
#define SI_QUEUE	(-1)
#define SI_TIMER	(-2)
#define SI_SIGIO	(-5)
#define SI_TKILL	(-6)
#define SEGV_MAPERR	1
#define SEGV_ACCERR	2
#define BUS_ADRERR	2
#define ILL_ILLOPC	1
#define ILL_ILLOPN	2
#define TRAP_BRKPT	1
#define CLD_EXITED	1
#define CLD_KILLED	2
#define CLD_DUMPED	3
#define CLD_STOPPED	5
#define CLD_CONTINUED	6
#define POLL_IN		1
#define POLL_OUT	2

typedef unsigned long sigset_t;		/* bit s - 1 is signal s, as in the kernel */
typedef int sig_atomic_t;

union sigval {
	int sival_int;
	void *sival_ptr;
};

typedef struct {
	int si_signo;
	int si_errno;
	int si_code;
	union {
		char __pad[112];
		struct {
			pid_t __pid;
			uid_t __uid;
			int __status;
		} __child;
		struct {
			pid_t __pid;
			uid_t __uid;
			union sigval __value;
		} __queue;
		struct {
			long __band;
			int __fd;
		} __poll;
		void *__addr;
	} __u __attribute__((aligned(8)));
} siginfo_t;

#define si_pid		__u.__child.__pid
#define si_uid		__u.__child.__uid
#define si_status	__u.__child.__status
#define si_value	__u.__queue.__value
#define si_int		si_value.sival_int
#define si_band		__u.__poll.__band
#define si_fd		__u.__poll.__fd
#define si_addr		__u.__addr

#define si_timerid	__u.__child.__pid
#define si_overrun	__u.__child.__uid

#define SIGEV_SIGNAL	0
#define SIGEV_NONE	1
#define SIGEV_THREAD_ID	4

struct sigevent {
	union sigval sigev_value;
	int sigev_signo, sigev_notify;
	union {
		pid_t _tid;
		int __pad[12];
	} _sigev_un;
};

#define sigev_notify_thread_id	_sigev_un._tid

#define SIGRTMIN	34		/* the C library keeps two */
#define SIGRTMAX	64

#define SS_ONSTACK	1
#define SS_DISABLE	2
#define MINSIGSTKSZ	2048
#define SIGSTKSZ	8192

typedef struct {
	void *ss_sp;
	int ss_flags;
	size_t ss_size;
} stack_t;

struct sigaction {
	union {
		sighandler_t sa_handler;
		void (*sa_sigaction)(int sig, siginfo_t *info, void *context);
	};
	sigset_t sa_mask;
	int sa_flags;
};

int kill(pid_t pid, int sig);
int killpg(pid_t group, int sig);
int tgkill(pid_t process, pid_t thread, int sig);
int raise(int sig);
int sigaction(int sig, const struct sigaction *act, struct sigaction *old);
int sigaltstack(const stack_t *stack, stack_t *old);
int sigaddset(sigset_t *set, int sig);
int sigdelset(sigset_t *set, int sig);
int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);
int sigismember(const sigset_t *set, int sig);
sighandler_t signal(int sig, sighandler_t handler);
int sigpending(sigset_t *set);
int sigprocmask(int how, const sigset_t *set, sigset_t *old);
int sigqueue(pid_t pid, int sig, const union sigval value);
int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);
int sigwait(const sigset_t *set, int *sig);
int sigwaitinfo(const sigset_t *set, siginfo_t *info);
int sigsuspend(const sigset_t *mask);

int pthread_kill(unsigned long thread, int sig);
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
