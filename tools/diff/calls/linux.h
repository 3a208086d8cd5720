/*
 * Linux's numbers and structures, the same on both ports: those that a small C library lacks, or a
 * large one keeps apart.
 */
#pragma once
#pragma GCC system_header /* it may say again what the library says */

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

enum {
#ifdef __x86_64__
#define NUMBER(name, generic, x86) NR_##name = x86,
#define OLD(name, x86)		   NR_##name = x86,
#else
#define NUMBER(name, generic, x86) NR_##name = generic,
#define OLD(name, x86)
#endif
#include "numbers.def"
#undef NUMBER
#undef OLD
};

/* As rt_sigaction() takes it: x86_64 has a restorer. */
struct kernel_sigaction {
	unsigned long handler, flags;
#ifdef __x86_64__
	unsigned long restorer;
#endif
	unsigned long mask;
};

struct linux_statfs {
	long type, bsize;
	unsigned long blocks, bfree, bavail, files, ffree;
	int fsid[2];
	long namelen, frsize, flags, spare[4];
};

struct linux_statx_time {
	int64_t sec;
	uint32_t nsec, pad;
};

struct linux_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad;
	uint64_t ino, size, blocks, attributes_mask;
	struct linux_statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id, spare[13];
};

struct linux_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

struct linux_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

struct linux_itimerval {
	struct timeval interval, value;
};

struct linux_itimerspec {
	struct timespec interval, value;
};

struct linux_lock {
	short type, whence;
	long start, len;
	int pid;
};

struct linux_owner {
	int kind, id;
};

/* siginfo_t of a signal that a file sends. */
struct linux_poll_info {
	int signo, error, code, pad;
	long band;
	int fd, rest[25];
};

struct linux_sigevent {
	unsigned long value;
	int signo, notify, tid, pad[11];
};

struct linux_dirent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

#ifndef ELIBBAD
#define ELIBBAD                  80
#endif
#define AT_SYMLINK_NOFOLLOW      0x100
#define AT_EACCESS               0x200
#define AT_REMOVEDIR             0x200
#define AT_SYMLINK_FOLLOW        0x400
#define AT_EMPTY_PATH            0x1000
#define O_ASYNC                  020000
#define O_DIRECT                 040000
#define O_LARGEFILE_RAW          0100000
#define O_NOATIME                01000000
#define O_PATH                   010000000
#define O_TMPFILE                020200000
#define F_GETLK                  5
#define F_SETLK                  6
#define F_SETLKW                 7
#define F_SETOWN                 8
#define F_GETOWN                 9
#define F_SETSIG                 10
#define F_GETSIG                 11
#define F_SETOWN_EX              15
#define F_GETOWN_EX              16
#define F_OFD_GETLK              36
#define F_OFD_SETLK              37
#define F_DUPFD_CLOEXEC          1030
#define F_SETPIPE_SZ             1031
#define F_GETPIPE_SZ             1032
#define F_ADD_SEALS              1033
#define F_GET_SEALS              1034
#define F_SETLEASE               1024
#define F_GETLEASE               1025
#define F_RDLCK                  0
#define F_WRLCK                  1
#define F_UNLCK                  2
#define LOCK_SH                  1
#define LOCK_EX                  2
#define LOCK_NB                  4
#define LOCK_UN                  8
#define SEEK_DATA                3
#define SEEK_HOLE                4
#define RENAME_NOREPLACE         1
#define RENAME_EXCHANGE          2
#define RENAME_WHITEOUT          4
#define UTIME_NOW                0x3fffffff
#define UTIME_OMIT               0x3ffffffe
#define FALLOC_FL_KEEP_SIZE      1
#define FALLOC_FL_PUNCH_HOLE     2
#define FALLOC_FL_ZERO_RANGE     0x10
#define MFD_CLOEXEC              1
#define MFD_ALLOW_SEALING        2
#define MFD_NOEXEC_SEAL          8
#define F_SEAL_SEAL              1
#define F_SEAL_SHRINK            2
#define F_SEAL_GROW              4
#define F_SEAL_WRITE             8
#define F_SEAL_EXEC              32
#define EFD_SEMAPHORE            1
#define EFD_CLOEXEC              02000000
#define EFD_NONBLOCK             04000
#define RWF_NOWAIT               8
#define RWF_APPEND               0x10
#define RWF_HIPRI                1
#define STATX_BASIC_STATS        0x7ff
#define F_OWNER_TID              0
#define F_OWNER_PID              1
#define F_OWNER_PGRP             2
#define FIONREAD                 0x541b
#define FIONBIO                  0x5421
#define FIOCLEX                  0x5451
#define FIOASYNC                 0x5452
#define FIOSETOWN                0x8901
#define SIOCSPGRP                0x8902
#define FIOGETOWN                0x8903
#define SIOCGPGRP                0x8904
#define FIONCLEX                 0x5450
#define TCGETS                   0x5401
#define TIOCGWINSZ               0x5413
#define TIOCGPGRP                0x540f
#define MAP_SHARED_VALIDATE      3
#define MAP_FIXED_NOREPLACE      0x100000
#define MAP_GROWSDOWN            0x100
#define MAP_NORESERVE            0x4000
#define MAP_POPULATE             0x8000
#define MAP_LOCKED               0x2000
#define MAP_STACK                0x20000
#define MAP_SYNC                 0x80000
#define PROT_GROWSDOWN           0x01000000
#define PROT_GROWSUP             0x02000000
#define MS_ASYNC                 1
#define MS_INVALIDATE            2
#define MS_SYNC                  4
#define MREMAP_MAYMOVE           1
#define MREMAP_FIXED             2
#define MREMAP_DONTUNMAP         4
#define MADV_NORMAL              0
#define MADV_RANDOM              1
#define MADV_WILLNEED            3
#define MADV_DONTNEED            4
#define MADV_FREE                8
#define MADV_REMOVE              9
#define MADV_DONTFORK            10
#define MADV_DOFORK              11
#define MADV_WIPEONFORK          18
#define MADV_KEEPONFORK          19
#define MADV_POPULATE_READ       22
#define MADV_POPULATE_WRITE      23
#define MCL_CURRENT              1
#define MCL_FUTURE               2
#define MCL_ONFAULT              4
#define MLOCK_ONFAULT            1
#define P_ALL                    0
#define P_PID                    1
#define P_PGID                   2
#define P_PIDFD                  3
#define WNOHANG                  1
#define WUNTRACED                2
#define WSTOPPED                 2
#define WEXITED                  4
#define WCONTINUED               8
#define WNOWAIT                  0x01000000
#define __WALL                   0x40000000
#define __WCLONE                 0x80000000
#define CLD_TRAPPED              4
#define CLONE_VM                 0x100
#define CLONE_FS                 0x200
#define CLONE_FILES              0x400
#define CLONE_SIGHAND            0x800
#define CLONE_PIDFD              0x1000
#define CLONE_PARENT             0x8000
#define CLONE_THREAD             0x10000
#define CLONE_PARENT_SETTID      0x100000
#define CLONE_CHILD_CLEARTID     0x200000
#define CLONE_CHILD_SETTID       0x1000000
#define CLONE_CLEAR_SIGHAND      0x100000000UL
#define PR_SET_PDEATHSIG         1
#define PR_GET_PDEATHSIG         2
#define PR_GET_DUMPABLE          3
#define PR_SET_DUMPABLE          4
#define PR_GET_KEEPCAPS          7
#define PR_SET_KEEPCAPS          8
#define PR_GET_TIMING            13
#define PR_SET_TIMING            14
#define PR_SET_NAME              15
#define PR_GET_NAME              16
#define PR_GET_SECCOMP           21
#define PR_CAPBSET_READ          23
#define PR_CAPBSET_DROP          24
#define PR_CAP_AMBIENT           47
#define PR_CAP_AMBIENT_RAISE     2
#define PR_GET_SECUREBITS        27
#define PR_SET_SECUREBITS        28
#define PR_SET_TIMERSLACK        29
#define PR_GET_TIMERSLACK        30
#define PR_SET_CHILD_SUBREAPER   36
#define PR_GET_CHILD_SUBREAPER   37
#define PR_SET_NO_NEW_PRIVS      38
#define PR_GET_NO_NEW_PRIVS      39
#define PR_GET_TID_ADDRESS       40
#define PR_GET_THP_DISABLE       42
#define SCHED_OTHER              0
#define SCHED_FIFO               1
#define SCHED_RR                 2
#define SCHED_BATCH              3
#define SCHED_IDLE               5
#define SCHED_DEADLINE           6
#define SCHED_RESET_ON_FORK      0x40000000
#define PRIO_PROCESS             0
#define PRIO_PGRP                1
#define PRIO_USER                2
#define RLIMIT_CPU               0
#define RLIMIT_FSIZE             1
#define RLIMIT_DATA              2
#define RLIMIT_STACK             3
#define RLIMIT_CORE              4
#define RLIMIT_RSS               5
#define RLIMIT_NPROC             6
#define RLIMIT_NOFILE            7
#define RLIMIT_MEMLOCK           8
#define RLIMIT_AS                9
#define RLIMIT_LOCKS             10
#define RLIMIT_SIGPENDING        11
#define RLIMIT_MSGQUEUE          12
#define RLIMIT_NICE              13
#define RLIMIT_RTPRIO            14
#define RLIMIT_RTTIME            15
#define RUSAGE_SELF              0
#define RUSAGE_CHILDREN          (-1)
#define RUSAGE_THREAD            1
#define CLOCK_REALTIME           0
#define CLOCK_MONOTONIC          1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID  3
#define CLOCK_MONOTONIC_RAW      4
#define CLOCK_REALTIME_COARSE    5
#define CLOCK_MONOTONIC_COARSE   6
#define CLOCK_BOOTTIME           7
#define CLOCK_TAI                11
#define TIMER_ABSTIME            1
#define ITIMER_REAL              0
#define ITIMER_VIRTUAL           1
#define ITIMER_PROF              2
#define SIGEV_SIGNAL             0
#define SIGEV_NONE               1
#define SIGEV_THREAD             2
#define SIGEV_THREAD_ID          4
#define SA_RESTORER              0x04000000
#define SA_UNSUPPORTED           0x400
#define SS_ONSTACK               1
#define SS_DISABLE               2
#define SS_AUTODISARM            (1u << 31)
#define SI_TIMER                 (-2)
#define FUTEX_WAIT               0
#define FUTEX_WAKE               1
#define FUTEX_FD                 2
#define FUTEX_REQUEUE            3
#define FUTEX_CMP_REQUEUE        4
#define FUTEX_WAKE_OP            5
#define FUTEX_LOCK_PI            6
#define FUTEX_UNLOCK_PI          7
#define FUTEX_TRYLOCK_PI         8
#define FUTEX_WAIT_BITSET        9
#define FUTEX_WAKE_BITSET        10
#define FUTEX_CMP_REQUEUE_PI     12
#define FUTEX_PRIVATE_FLAG       128
#define FUTEX_CLOCK_REALTIME     256
#define GRND_NONBLOCK            1
#define GRND_RANDOM              2
#define GRND_INSECURE            4
#define MEMBARRIER_CMD_QUERY     0
#define POSIX_FADV_NORMAL        0
#define POSIX_FADV_DONTNEED      4
#define CLOSE_RANGE_UNSHARE      2
#define CLOSE_RANGE_CLOEXEC      4
#define POLLRDHUP                0x2000
#define POLLRDNORM               0x40
#define POLLWRNORM               0x100
#define S_IFSOCK                 0140000
#define ARCH_SET_GS              0x1001
#define ARCH_SET_FS              0x1002
#define ARCH_GET_FS              0x1003
#define ARCH_GET_GS              0x1004
