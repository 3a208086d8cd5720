/* Waiting for children. */
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#define WNOHANG		1
#define WUNTRACED	2
#define WSTOPPED	2
#define WEXITED		4
#define WCONTINUED	8
#define WNOWAIT		0x01000000
#define __WALL		0x40000000
#define __WCLONE	0x80000000

#define WEXITSTATUS(s)	(((s) >> 8) & 0xff)
#define WTERMSIG(s)	((s) & 0x7f)
#define WSTOPSIG(s)	WEXITSTATUS(s)
#define WIFEXITED(s)	(WTERMSIG(s) == 0)
#define WIFSTOPPED(s)	(((s) & 0xff) == 0x7f)
#define WIFCONTINUED(s)	((s) == 0xffff)
#define WIFSIGNALED(s)	(WTERMSIG(s) != 0 && !WIFSTOPPED(s))
#define WCOREDUMP(s)	((s) & 0x80)

#define P_ALL	0
#define P_PID	1
#define P_PGID	2

typedef int idtype_t;

pid_t wait(int *status);
pid_t wait3(int *status, int options, struct rusage *usage);
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);
int waitid(idtype_t type, id_t id, siginfo_t *info, int options);
pid_t waitpid(pid_t pid, int *status, int options);
