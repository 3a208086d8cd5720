/*
 * Memory has run out.
 */
#pragma once

/*
 * Memory is exhausted and the caller, at the edge to user mode, needs a page: kills the process
 * that has the most, and waits until it has given some back. Each time it may be another one, and
 * the caller's own at last: so it ends.
 */
void oom_kill(void);
