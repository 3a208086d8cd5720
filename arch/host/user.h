/*
 * User mode and user memory, for scenarios. Apart from host.h, as this is for files that include
 * the kernel's headers.
 */
#pragma once

/* user.c: the current thread goes back to user mode; it comes back, as a system call does. */
void host_user_enter(void);
void host_user_leave(void);

/*
 * Goes back to user mode, and computes there for ever. Only an interrupt from another CPU can end
 * that: no timer fires there, as if the quantum had no end.
 */
_Noreturn void host_user_loop(void);

/* uaccess.c: the page of user memory, which all processes share. */
#define HOST_USER_PAGE	256
extern char host_user_page[HOST_USER_PAGE];

/* Takes the page away, until an access that may block brings it back. */
void host_user_unmap(void);

/* The address space of the scenario's processes, with one reference more. */
struct addr_space;
struct addr_space *host_user_space(void);
