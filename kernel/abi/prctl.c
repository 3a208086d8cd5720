/*
 * prctl(): options of the calling thread and its process.
 */
#include "base/string.h"
#include "sys.h"

#define PR_SET_PDEATHSIG	1
#define PR_GET_PDEATHSIG	2
#define PR_GET_DUMPABLE		3
#define PR_SET_DUMPABLE		4
#define PR_GET_TIMING		13
#define PR_SET_TIMING		14
#define PR_SET_NAME		15
#define PR_GET_NAME		16
#define PR_GET_SECCOMP		21
#define PR_SET_TIMERSLACK	29
#define PR_GET_TIMERSLACK	30
#define PR_SET_CHILD_SUBREAPER	36
#define PR_GET_CHILD_SUBREAPER	37
#define PR_SET_NO_NEW_PRIVS	38
#define PR_GET_NO_NEW_PRIVS	39
#define PR_GET_TID_ADDRESS	40
#define PR_GET_THP_DISABLE	42

static long set_name(vaddr_t from)
{
	char name[THREAD_NAME_MAX] = "";
	ssize_t len = copy_string_from_user(name, from, sizeof(name));

	if (len == -EFAULT)
		return len;
	name[sizeof(name) - 1] = '\0';		/* a longer one is cut off */
	thread_set_name(current_thread(), name);
	return 0;
}

static long get_name(vaddr_t to)
{
	char name[THREAD_NAME_MAX] = "";

	strlcpy(name, current_thread()->name, sizeof(name));
	return copy_to_user(to, name, sizeof(name));
}

static long set_death_signal(u64 sig)
{
	if (sig > NSIG)
		return -EINVAL;
	spin_lock(&tree_lock);
	current_process()->parent_death_signal = sig;
	spin_unlock(&tree_lock);
	return 0;
}

static long set_no_new_privs(void)
{
	struct cred *new;

	if (current_cred()->no_new_privs)
		return 0;
	new = cred_copy(current_cred()->nr_groups);
	if (!new)
		return -ENOMEM;
	new->no_new_privs = true;
	cred_commit(new);
	return 0;
}

/* Handles the options that take one argument or none. */
static long simple_option(int option, u64 arg)
{
	struct thread *t = current_thread();
	struct process *p = t->process;

	switch (option) {
	case PR_SET_PDEATHSIG:
		return set_death_signal(arg);
	case PR_GET_PDEATHSIG:
		return copy_to_user(arg, &(s32){ p->parent_death_signal }, sizeof(s32));
	case PR_GET_DUMPABLE:
		return p->dumpable;
	case PR_SET_DUMPABLE:
		if (arg > 1)
			return -EINVAL;
		p->dumpable = arg;
		return 0;
	case PR_SET_TIMING:
		return arg ? -EINVAL : 0;
	case PR_GET_TIMING:
	case PR_GET_SECCOMP:
		return 0;
	case PR_SET_NAME:
		return set_name(arg);
	case PR_GET_NAME:
		return get_name(arg);
	case PR_SET_TIMERSLACK:
		t->timer_slack = (s64)arg > 0 ? arg : t->timer_slack_default;
		return 0;
	case PR_GET_TIMERSLACK:
		return t->timer_slack;
	case PR_SET_CHILD_SUBREAPER:
		spin_lock(&tree_lock);
		p->subreaper = arg;
		spin_unlock(&tree_lock);
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return copy_to_user(arg, &(s32){ p->subreaper }, sizeof(s32));
	case PR_GET_TID_ADDRESS:
		return copy_to_user(arg, &t->clear_tid, sizeof(t->clear_tid));
	default:
		return -EINVAL;
	}
}

long sys_prctl(int option, u64 a2, u64 a3, u64 a4, u64 a5)
{
	bool rest = a3 || a4 || a5;

	switch (option) {
	case PR_SET_NO_NEW_PRIVS:
		return a2 != 1 || rest ? -EINVAL : set_no_new_privs();
	case PR_GET_NO_NEW_PRIVS:
		return a2 || rest ? -EINVAL : current_cred()->no_new_privs;
	case PR_GET_KEEPCAPS:
	case PR_SET_KEEPCAPS:
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
	case PR_GET_SECUREBITS:
	case PR_SET_SECUREBITS:
	case PR_CAP_AMBIENT:
		return cred_prctl(option, (const u64[]){ a2, a3, a4, a5 });
	case PR_GET_THP_DISABLE:
		return a2 || rest ? -EINVAL : 0;
	default:
		return simple_option(option, a2);
	}
}
