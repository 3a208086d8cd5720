/*
 * Signals: Linux's numbers, and what the system calls need beyond signal_send_*() of process.h.
 *
 * There are no handlers yet: a signal's default action is taken at once by whoever sends it, or
 * when the last thread that blocks it lets it through.
 */
#pragma once

#include "process.h"
#include "types.h"

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
#define SIGCHLD		17
#define SIGCONT		18
#define SIGSTOP		19
#define SIGTSTP		20
#define SIGTTIN		21
#define SIGTTOU		22
#define SIGURG		23
#define SIGXCPU		24
#define SIGWINCH	28
#define SIGSYS		31

/* sigaction_slot.handler */
#define SIG_DFL		0
#define SIG_IGN		1

/* The current thread's blocked set becomes @mask; what it no longer blocks is acted upon. */
void signal_set_mask(u64 mask);

/* @handler is SIG_DFL or SIG_IGN; what is pending and now ignored is dropped. */
void signal_set_action(int sig, const struct sigaction_slot *action);
