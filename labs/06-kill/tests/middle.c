/*
 * Lab 06, step 7: kills in the middle of ordinary system calls. The test runs each of the stretches
 * below again and again, and lets the kill come @stride instructions later each time, from the
 * first instruction to the last. It needs 1 CPU and a clock that counts instructions.
 *
 * A victim is a real process: it has executed a program, although it never runs an instruction of
 * it. Its children and second threads do run it: its code is zeros, which is no valid instruction,
 * so they end with a fault.
 */
#include "victims.h"

#include "abi/syscall.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "mm/vm.h"

#include "../../../kernel/abi/exec.h"

#define PROGRAM		"/middle"
#define START		0x10000000UL
#define CLONE_A_THREAD	0x00010f00UL	/* VM, FS, FILES, SIGHAND, THREAD */
#define SIGCHLD		17
#define PAGES		4u

/* An ELF file: a header, one segment to read and execute, and zeros from the entry on. */
static const u64 program[15] = {
	0x00010102464c457fUL, 0, 2 | (u64)ARCH_ELF_MACHINE << 16 | 1UL << 32,
	START + PAGE_SIZE / 2, 64, 0, 64UL << 32 | 56UL << 48, 1,
	1 | 5UL << 32, 0, START, START, sizeof(program), PAGE_SIZE, PAGE_SIZE,
};

static void write_program(void)
{
	struct iobuf b = { .addr = (vaddr_t)program, .left = sizeof(program), .kernel = true };
	struct file *f;
	off_t pos = 0;

	REQUIRE(path_open(NULL, PROGRAM, O_WRONLY | O_CREAT, 0755, &f) == 0, "P6.6", "no file");
	CHECK(file_write(f, &b, &pos) == (ssize_t)sizeof(program), "P6.6", "the file is short");
	file_put(f);
}

static int execute(void)
{
	struct exec_args args = { .argc = 1 };
	int err = exec_args_append(&args, PROGRAM, sizeof(PROGRAM));

	if (!err)
		err = exec_path(PROGRAM, &args);
	exec_args_free(&args);
	return err;
}

static int make_child(void)
{
	return sys_clone(SIGCHLD, 0, 0, 0, 0);
}

static int make_thread(void)
{
	return sys_clone(CLONE_A_THREAD, START + PAGE_SIZE, 0, 0, 0);
}

static int wait_for_child(void)
{
	struct wait_result res;

	return process_wait(-1, WEXITED, &res);
}

static vaddr_t fresh;

static int map_pages(void)
{
	struct map_request req = { .size = PAGES * PAGE_SIZE, .prot = VM_READ | VM_WRITE };

	return as_map(current_process()->as, &req, &fresh);
}

static int touch_pages(void)
{
	int err = 0;

	for (unsigned i = 0; i < PAGES && !err; i++)
		err = copy_to_user(fresh + i * PAGE_SIZE, &i, sizeof(i));
	return err;
}

static int leave(void)
{
	process_exit(STATUS_EXIT(7));
}

static const struct stretch {
	const char *name;
	int (*before)(void);		/* NULL: nothing */
	int (*fn)(void);
	unsigned stride;		/* instructions from one kill to the next */
} stretches[] = {
	{ "exec", NULL, execute, 2503 },
	{ "fork", NULL, make_child, 1999 },
	{ "wait4", make_child, wait_for_child, 1999 },
	{ "page_fault", map_pages, touch_pages, 499 },
	{ "thread_creation", NULL, make_thread, 199 },
	{ "exit", NULL, leave, 499 },
};

static struct {
	const struct stretch *stretch;
	struct process *process;
	unsigned step;
	bool landed;		/* the kill came before the victim was a zombie */
	int err;		/* result of the kill */
} now;

static int be_victim(void *unused)
{
	struct process *p = current_process();
	int err = fdtable_create(&p->fds);

	(void)unused;
	p->place->cwd = inode_get(root_inode);
	if (!err)
		err = execute();
	if (!err && now.stretch->before)
		err = now.stretch->before();
	CHECK(err >= 0, "P6.6", "before %s: error %d", now.stretch->name, -err);
	sweep_begin(now.step);
	err = now.stretch->fn();
	sweep_end();
	return err;
}

static void kill_victim(void *unused)
{
	(void)unused;
	now.landed = process_state(now.process) != PROCESS_ZOMBIE;
	now.err = process_kill(now.process, STATUS_SIGNAL(SIGKILL));
}

/* Waits for the victim's children, which become ours when it dies. */
static void wait_for_orphans(void)
{
	struct wait_result res;

	while (process_wait(-1, WEXITED, &res) == 0)
		;
}

/* Returns whether the kill came before the victim had ended by itself. */
static bool kill_once(void)
{
	struct thread *t;
	int status;

	now.process = process_get(victim(be_victim, NULL, &t));
	now.landed = false;
	thread_resume(t);
	status = status_of(now.process->pid, "P6.6");
	if (now.landed && now.err == 0)
		CHECK(status == STATUS_SIGNAL(SIGKILL), "P6.6",
		      "killed %u instructions into %s, its status is 0x%x", now.step,
		      now.stretch->name, status);
	wait_for_orphans();
	process_put(now.process);
	return now.landed;
}

KTEST(kill_middle, "kill.middle", "06.7", "P6.6")
{
	NEEDS_ONE_CPU;
	write_program();
	sweep_action = kill_victim;
	for (unsigned i = 0; i < ARRAY_SIZE(stretches); i++) {
		struct counter_snapshot before, after;
		unsigned kills = 0;

		now.stretch = &stretches[i];
		counters_snapshot(&before);
		now.step = ktest_seed() % now.stretch->stride;
		for (; kill_once(); kills++)
			now.step += now.stretch->stride;
		counters_snapshot(&after);
		counters_equal(&before, &after, "P6.10");
		audit();
		ktest_figure(now.stretch->name, now.step);
		CHECK(kills >= 10, "P6.6", "only %u kills hit %s", kills, now.stretch->name);
	}
	sweep_action = NULL;
}
