/*
 * Memory has run out: ending a process.
 */
#pragma once

/*
 * Kills the process that uses the most memory, and gives it time to free some. Called at a user
 * page fault that found no page. Each repeated fault may kill another process, in the end the
 * caller's own, so the fault does not repeat for ever.
 */
void oom_kill(void);
