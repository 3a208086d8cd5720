/*
 * How a file says what it is ready for, and waiting for several files at once: poll(), select().
 */
#pragma once

#include "fs/vfs.h"
#include "sched/wait.h"

#define POLLIN		0x001u
#define POLLPRI		0x002u
#define POLLOUT		0x004u
#define POLLERR		0x008u
#define POLLHUP		0x010u
#define POLLNVAL	0x020u
#define POLLRDNORM	0x040u		/* as POLLIN */
#define POLLWRNORM	0x100u		/* as POLLOUT */
#define POLLWRBAND	0x200u		/* as POLLOUT, in the signals of O_ASYNC */

/*
 * A file's poll operation calls poll_add() for each queue whose wake-ups can change its answer, and
 * then looks at its state. It must not block: the thread is linked into queues already, and one of
 * their wake-ups would end the wrong wait. With @pt NULL it only looks.
 */
void poll_add(struct poll_table *pt, struct wait_queue *q);

#define POLL_QUEUES	2	/* of one file, at most */

struct poll_request {
	struct file *file;	/* NULL: skipped */
	unsigned events;	/* POLL* asked for */
	unsigned ready;		/* out */
	unsigned nr_links;	/* of link[], in the file's queues during the wait */
	struct wait_link link[POLL_QUEUES];
};

/* Waits until a file of @r is ready. Returns how many are, 0 at the deadline, or -EINTR. */
int poll_files(struct poll_request *r, unsigned n, struct deadline d);
