/* Scheduling: policies, affinity, and the flags of clone(2). */
#pragma once

#include <sys/types.h>
#include <time.h>

#define SCHED_OTHER	0
#define SCHED_FIFO	1
#define SCHED_RR	2
#define SCHED_BATCH	3
#define SCHED_IDLE	5
#define SCHED_DEADLINE	6

struct sched_param {
	int sched_priority;
};

int sched_yield(void);
int sched_get_priority_max(int policy);
int sched_get_priority_min(int policy);
int sched_getparam(pid_t pid, struct sched_param *param);
int sched_getscheduler(pid_t pid);
int sched_rr_get_interval(pid_t pid, struct timespec *interval);
int sched_setparam(pid_t pid, const struct sched_param *param);
int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param);

#define CPU_SETSIZE	1024

typedef struct {
	unsigned long __bits[CPU_SETSIZE / 64];
} cpu_set_t;

#define CPU_ZERO(s)	((void)__builtin_memset((s), 0, sizeof(cpu_set_t)))
#define CPU_SET(c, s)	((void)((s)->__bits[(c) / 64] |= 1UL << (c) % 64))
#define CPU_CLR(c, s)	((void)((s)->__bits[(c) / 64] &= ~(1UL << (c) % 64)))
#define CPU_ISSET(c, s)	((int)((s)->__bits[(c) / 64] >> (c) % 64 & 1))
#define CPU_COUNT(s)	__cpu_count(s)

int __cpu_count(const cpu_set_t *set);
int sched_getaffinity(pid_t tid, size_t size, cpu_set_t *set);
int sched_getcpu(void);
int sched_setaffinity(pid_t tid, size_t size, const cpu_set_t *set);

#define CLONE_VM		0x00000100
#define CLONE_FS		0x00000200
#define CLONE_FILES		0x00000400
#define CLONE_SIGHAND		0x00000800
#define CLONE_VFORK		0x00004000
#define CLONE_PARENT		0x00008000
#define CLONE_THREAD		0x00010000
#define CLONE_SYSVSEM		0x00040000
#define CLONE_SETTLS		0x00080000
#define CLONE_PARENT_SETTID	0x00100000
#define CLONE_CHILD_CLEARTID	0x00200000
#define CLONE_CHILD_SETTID	0x01000000
