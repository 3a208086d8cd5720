/*
 * Linux's error numbers (the same on riscv64 and x86_64). Functions return 0 or a negative one.
 *
 * In the kernel's own interface for threads each of these has one meaning:
 *	ETIMEDOUT	the deadline passed first
 *	EINTR		the waiting thread was killed, or has a signal's handler to run
 *	EIDRM		the object was destroyed under its waiters
 *	EALREADY	the thread is not blocked, or not suspended: there is nothing to undo
 *	ECHILD		the thread is detached, or there is no such child
 *	EBUSY		another thread joins it already
 *	EDEADLK		a thread would wait for itself
 *	ESRCH		no such thread or process, or it is dying
 *	EINVAL		an argument is out of range
 */
#pragma once

#define EPERM		1
#define ENOENT		2
#define ESRCH		3
#define EINTR		4
#define EIO		5
#define ENXIO		6
#define E2BIG		7
#define ENOEXEC		8
#define EBADF		9
#define ECHILD		10
#define EAGAIN		11
#define ENOMEM		12
#define EACCES		13
#define EFAULT		14
#define EBUSY		16
#define EEXIST		17
#define EXDEV		18
#define ENODEV		19
#define ENOTDIR		20
#define EISDIR		21
#define EINVAL		22
#define ENFILE		23
#define EMFILE		24
#define ENOTTY		25
#define ETXTBSY		26
#define EFBIG		27
#define ENOSPC		28
#define ESPIPE		29
#define EROFS		30
#define EMLINK		31
#define EPIPE		32
#define EDOM		33
#define ERANGE		34
#define EDEADLK		35
#define ENAMETOOLONG	36
#define ENOLCK		37
#define ENOSYS		38
#define ENOTEMPTY	39
#define ELOOP		40
#define EIDRM		43
#define EOVERFLOW	75
#define ELIBBAD		80
#define EMSGSIZE	90
#define EOPNOTSUPP	95
#define ETIMEDOUT	110
#define EALREADY	114

/* Programs never see it: EINTR of a call that does not start again after any handler. */
#define ERESTARTNOHAND	514
#define ERESTARTAT	516
