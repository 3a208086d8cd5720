/* Users and groups: ids, permissions, what only root may do. */
#include "diff.h"

static unsigned r, e, s;

static void uids(void)
{
	Q(getresuid, &r, &e, &s);
	say("uids %d %d %d", (int)r, (int)e, (int)s);
}

static void gids(void)
{
	Q(getresgid, &r, &e, &s);
	say("gids %d %d %d", (int)r, (int)e, (int)s);
}

CASE(setuid)
{
	T(setuid, -1);
	T(setuid, 5);
	uids();
	T(setuid, 0);
	T(setuid, 5);
	T(setresuid, -1, -1, 0);
	T(setreuid, 0, -1);
	uids();
}

CASE(setresuid)
{
	T(setresuid, 1, 2, 3);
	uids();
	T(setresuid, -1, 3, -1);
	uids();
	T(setresuid, 4, -1, -1);
	T(setresuid, 2, -1, -1);
	T(setresuid, 3, 1, 3);
	uids();
	T(getresuid, BAD, &e, &s);
	T(getresuid, &r, BAD, &s);
	T(getresuid, &r, &e, BAD);
}

CASE(setreuid)
{
	T(setreuid, 1, 2);
	uids();
	T(setreuid, 2, 1);
	uids();
	T(setreuid, 5, -1);
	T(setreuid, -1, 5);
	T(setreuid, -1, -1);
}

CASE(effective_alone)
{
	T(setresuid, -1, 7, -1);
	uids();
	T(setuid, 9);
	T(setuid, 0);
	uids();
	T(setresuid, -1, 0, -1);
	T(setuid, 9);
	uids();
}

CASE(gids)
{
	T(setgid, -1);
	T(setresgid, 1, 2, 3);
	gids();
	T(setgid, 9);
	gids();
	T(setregid, 4, 5);
	gids();
	Q(setresuid, 1, 1, 1);
	T(setgid, 77);
	T(setgid, 4);
	gids();
	T(setresgid, 5, 5, 5);
	T(setregid, 9, -1);
	T(getresgid, BAD, &e, &s);
}

CASE(groups)
{
	unsigned list[4] = { 7, 5, 6, 5 }, back[4] = { 0 };

	T(setgroups, 4, list);
	T(getgroups, 0, NULL);
	T(getgroups, 4, back);
	for (int i = 0; i < 4; i++)
		V(back[i]);
	T(getgroups, 3, back);
	T(getgroups, -1, back);
	T(getgroups, 4, BAD);
	T(setgroups, -1, list);
	T(setgroups, 65537, list);
	T(setgroups, 2, BAD);
	T(setgroups, 0, NULL);
	T(getgroups, 0, NULL);
	Q(setresuid, 1, 1, 1);
	T(setgroups, 0, NULL);
}

CASE(fsuid)
{
	T(setfsuid, 5);
	T(setfsuid, -1);
	T(setfsuid, 0);
	T(setfsgid, 5);
	T(setfsgid, -1);
	Q(setresuid, 3, 3, 3);
	T(setfsuid, 9);
	T(setfsuid, -1);
}

/* Root's rights over files go with the fs id, and come back with it. */
CASE(fsuid_and_files)
{
	file("secret", "x");
	Q(fchmodat, AT_FDCWD, "secret", 0);
	T(setfsuid, 5);
	T(openat, AT_FDCWD, "secret", O_RDONLY);
	T(fchmodat, AT_FDCWD, "secret", 0600);
	T(fchownat, AT_FDCWD, "secret", 5, 5, 0);
	T(setfsuid, 0);
	T(openat, AT_FDCWD, "secret", O_RDONLY);
	T(fchownat, AT_FDCWD, "secret", 5, 5, 0);
}

static void become(unsigned uid)
{
	Q(setgroups, 0, NULL);
	Q(setresgid, uid, uid, uid);
	Q(setresuid, uid, uid, uid);
}

CASE(permissions_of_files)
{
	file("secret", "x");
	Q(fchmodat, AT_FDCWD, "secret", 0600);
	file("readable", "x");
	Q(mkdirat, AT_FDCWD, "closed", 0700);
	file("closed/f", "x");
	become(1000);
	T(openat, AT_FDCWD, "secret", O_RDONLY);
	T(openat, AT_FDCWD, "readable", O_RDONLY);
	T(openat, AT_FDCWD, "readable", O_WRONLY);
	T(openat, AT_FDCWD, "closed/f", O_RDONLY);
	T(openat, AT_FDCWD, "closed", O_RDONLY);
	T(newfstatat, AT_FDCWD, "closed/f", buf, 0);
	T(newfstatat, AT_FDCWD, "secret", buf, 0);
	T(openat, AT_FDCWD, "new", O_CREAT | O_RDWR, 0600);
	T(mkdirat, AT_FDCWD, "new", 0700);
	T(unlinkat, AT_FDCWD, "readable", 0);
	T(renameat2, AT_FDCWD, "readable", AT_FDCWD, "x", 0);
	T(linkat, AT_FDCWD, "readable", AT_FDCWD, "x", 0);
	T(symlinkat, "x", AT_FDCWD, "x");
	T(truncate, "readable", 0);
	T(chdir, "closed");
	T(faccessat, AT_FDCWD, "secret", R_OK);
	T(faccessat, AT_FDCWD, "secret", F_OK);
	T(faccessat, AT_FDCWD, "readable", R_OK);
	T(faccessat, AT_FDCWD, "readable", W_OK);
	T(fchmodat, AT_FDCWD, "readable", 0777);
	T(fchownat, AT_FDCWD, "readable", 1000, 1000, 0);
	T(utimensat, AT_FDCWD, "readable", NULL, 0);
	T(execve, "readable", NULL, NULL);
	T(mknodat, AT_FDCWD, "c", S_IFCHR, 0x103);
	T(chroot, ".");
	T(readlinkat, AT_FDCWD, "closed/f", buf, 10);
}

CASE(owner_class_decides)
{
	file("f", "x");
	Q(fchownat, AT_FDCWD, "f", 1000, 1000, 0);
	Q(fchmodat, AT_FDCWD, "f", 0077);
	Q(fchmodat, AT_FDCWD, ".", 0777);
	become(1000);
	T(openat, AT_FDCWD, "f", O_RDONLY);
	T(fchmodat, AT_FDCWD, "f", 0400);
	T(openat, AT_FDCWD, "f", O_RDONLY);
	T(openat, AT_FDCWD, "f", O_WRONLY);
	T(unlinkat, AT_FDCWD, "f", 0);
}

CASE(group_class)
{
	unsigned list[1] = { 50 };

	file("f", "x");
	Q(fchownat, AT_FDCWD, "f", 0, 50, 0);
	Q(fchmodat, AT_FDCWD, "f", 0640);
	Q(setgroups, 1, list);
	Q(setresuid, 1000, 1000, 1000);
	T(openat, AT_FDCWD, "f", O_RDONLY);
	T(openat, AT_FDCWD, "f", O_WRONLY);
}

CASE(sticky)
{
	Q(mkdirat, AT_FDCWD, "t", 0700);
	Q(fchmodat, AT_FDCWD, "t", 01777);
	file("t/f", "");
	Q(mkdirat, AT_FDCWD, "t/d", 0777);
	become(1000);
	T(unlinkat, AT_FDCWD, "t/f", 0);
	T(unlinkat, AT_FDCWD, "t/d", AT_REMOVEDIR);
	T(renameat2, AT_FDCWD, "t/f", AT_FDCWD, "t/g", 0);
	T(openat, AT_FDCWD, "t/mine", O_CREAT | O_RDWR, 0600);
	T(unlinkat, AT_FDCWD, "t/mine", 0);
}

/* A folder that moves gets another "..": that needs the right to write to it. */
CASE(exchange_of_folders)
{
	Q(mkdirat, AT_FDCWD, "x", 0700);
	Q(mkdirat, AT_FDCWD, "y", 0700);
	Q(fchmodat, AT_FDCWD, "x", 0777);
	Q(fchmodat, AT_FDCWD, "y", 0777);
	Q(mkdirat, AT_FDCWD, "x/theirs", 0755);
	Q(mkdirat, AT_FDCWD, "y/theirs", 0755);
	file("y/f", "");
	become(1000);
	Q(mkdirat, AT_FDCWD, "x/mine", 0755);
	Q(mkdirat, AT_FDCWD, "y/mine", 0755);
	T(renameat2, AT_FDCWD, "x/mine", AT_FDCWD, "y/mine", RENAME_EXCHANGE);
	T(renameat2, AT_FDCWD, "x/mine", AT_FDCWD, "y/theirs", RENAME_EXCHANGE);
	T(renameat2, AT_FDCWD, "x/theirs", AT_FDCWD, "y/mine", RENAME_EXCHANGE);
	T(renameat2, AT_FDCWD, "x/theirs", AT_FDCWD, "y/f", RENAME_EXCHANGE);
	T(renameat2, AT_FDCWD, "x/theirs", AT_FDCWD, "x/mine", RENAME_EXCHANGE);
	T(renameat2, AT_FDCWD, "x/mine", AT_FDCWD, "y/f", RENAME_EXCHANGE);
}

CASE(owner_of_new_files)
{
	struct stat st;

	Q(mkdirat, AT_FDCWD, "d", 0700);
	Q(fchmodat, AT_FDCWD, "d", 0777);
	Q(mkdirat, AT_FDCWD, "g", 0700);
	Q(fchownat, AT_FDCWD, "g", 0, 60, 0);
	Q(fchmodat, AT_FDCWD, "g", 02777);
	become(1000);
	file("d/f", "");
	Q(newfstatat, AT_FDCWD, "d/f", &st, 0);
	V(st.st_uid);
	V(st.st_gid);
	file("g/f", "");
	Q(newfstatat, AT_FDCWD, "g/f", &st, 0);
	V(st.st_gid);
	Q(mkdirat, AT_FDCWD, "g/e", 0755);
	Q(newfstatat, AT_FDCWD, "g/e", &st, 0);
	V(st.st_gid);
	O(st.st_mode);
}

CASE(set_id_bits_go)
{
	struct stat st;
	int fd = file("f", "abc");

	Q(fchmod, fd, 06777);
	Q(mkdirat, AT_FDCWD, "d", 0777);
	Q(setresuid, 1000, 1000, 1000);
	T(openat, AT_FDCWD, "f", O_RDWR);
	T(write, 4, "x", 1);
	T(fstat, 4, &st);
	O(st.st_mode);
}

CASE(set_id_bits_go_with_space)
{
	struct stat st;

	for (int i = 0; i < 6; i++) {
		int fd = file("f", "abc");

		Q(fchmod, fd, 06777);
		if (!child()) {
			if (i % 2)
				Q(setresuid, 1000, 1000, 1000);
			if (i < 2)
				T(fallocate, fd, 0, 0, 100);
			else if (i < 4)
				T(fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1);
			else
				T(fallocate, fd, 0, 0, -1);
			end(0);
		}
		Q(wait4, -1, NULL, 0, NULL);
		Q(fstat, fd, &st);
		O(st.st_mode);
		Q(close, fd);
	}
}

/* A descriptor alone is not enough for giving its file a name. */
CASE(name_for_a_descriptor)
{
	int fd = file("f", "abc"), place, own;

	Q(fchown, fd, 1000, 1000);
	Q(fchmodat, AT_FDCWD, ".", 0777);
	place = Q(openat, AT_FDCWD, ".", O_PATH);
	T(linkat, fd, "", AT_FDCWD, "g", AT_EMPTY_PATH);
	Q(setresuid, 1000, 1000, 1000);
	T(linkat, fd, "", AT_FDCWD, "h", AT_EMPTY_PATH);
	T(linkat, fd, "", AT_FDCWD, "h", 0);
	T(linkat, place, "f", AT_FDCWD, "i", AT_EMPTY_PATH);
	T(linkat, place, "/dev/null/f", AT_FDCWD, "i", AT_EMPTY_PATH);
	T(linkat, -1, "/dev/null/f", AT_FDCWD, "i", AT_EMPTY_PATH);
	own = Q(openat, AT_FDCWD, "f", O_RDONLY);
	T(linkat, own, "", AT_FDCWD, "j", AT_EMPTY_PATH);
	own = Q(openat, AT_FDCWD, "f", O_PATH);
	T(linkat, own, "", AT_FDCWD, "k", AT_EMPTY_PATH);
	own = Q(openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600);
	T(linkat, own, "", AT_FDCWD, "m", AT_EMPTY_PATH);
}

CASE(signals_to_others)
{
	int status;
	pid_t pid = child();

	if (!pid)
		for (;;)
			R(ppoll, NULL, 0, NULL, NULL, 8);
	await_blocked(pid);
	if (!child()) {
		become(1000);
		T(kill, pid, 0);
		T(kill, pid, SIGKILL);
		T(tkill, pid, SIGKILL);
		T(kill, 1, 0);
		T(prlimit64, pid, RLIMIT_CPU, NULL, buf);
		T(setpriority, PRIO_PROCESS, pid, 5);
		T(sched_setscheduler, pid, SCHED_OTHER, num(0));
		T(sched_setaffinity, pid, 8, bits(1));
		OK(getpgid, pid);
		T(sched_getscheduler, pid);
		end(0);
	}
	Q(wait4, -1, &status, 0, NULL);
	Q(kill, pid, SIGKILL);
}

CASE(limits_of_others)
{
	become(1000);
	Q(prlimit64, 0, RLIMIT_NOFILE, lim(100, 200), NULL);
	T(prlimit64, 0, RLIMIT_NOFILE, lim(100, 201), NULL);
	T(prlimit64, 0, RLIMIT_NOFILE, lim(100, 150), NULL);
	T(setpriority, PRIO_PROCESS, 0, 5);
	T(setpriority, PRIO_PROCESS, 0, 0);
	T(setpriority, PRIO_PROCESS, 0, -5);
	T(getpriority, PRIO_PROCESS, 0);
	T(sched_setscheduler, 0, SCHED_FIFO, num(5));
	T(sched_setscheduler, 0, SCHED_BATCH, num(0));
	T(sethostname, "x", 1);
	T(mlockall, MCL_CURRENT);
}

CASE(capabilities_go)
{
	struct {
		uint32_t version;
		int pid;
	} head = { 0x20080522, 0 };
	uint32_t data[6];

	Q(setresuid, -1, 1000, -1);
	Q(capget, &head, data);
	H(data[0]);
	V(data[1] & 1);
	Q(setresuid, -1, 0, -1);
	Q(capget, &head, data);
	V(data[0] & 1);
	Q(setresuid, 1000, 1000, 1000);
	Q(capget, &head, data);
	H(data[0]);
	H(data[1]);
}

/* Each bit has a lock beside it: a bit that is locked stays, and so does its lock. */
CASE(secure_bits)
{
	T(prctl, PR_GET_SECUREBITS);
	T(prctl, PR_SET_SECUREBITS, 0x10000);
	T(prctl, PR_SET_SECUREBITS, 0x4);
	T(prctl, PR_GET_SECUREBITS);
	T(prctl, PR_SET_SECUREBITS, 0xc);
	T(prctl, PR_SET_SECUREBITS, 0x8);
	T(prctl, PR_SET_SECUREBITS, 0x4);
	T(prctl, PR_SET_SECUREBITS, 0x1d);
	T(prctl, PR_GET_SECUREBITS);
	Q(setresuid, 1000, 1000, 1000);
	T(prctl, PR_SET_SECUREBITS, 0xc);
	T(prctl, PR_GET_SECUREBITS);
}

/* All kinds but that of users, which a system may let anybody have; none is silently left out. */
CASE(namespaces_of_a_user)
{
	static const unsigned long kinds[] = {
		0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x20000000, 0x40000000,
	};

	Q(setresuid, 1000, 1000, 1000);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct linux_clone_args a = { .flags = kinds[i], .exit_signal = SIGCHLD };
		long pid = R(clone3, &a, sizeof(a));

		if (!pid)
			end(0);
		say("clone3() with %#lx: %s", kinds[i], pid < 0 ? "refused" : "ok");
	}
}

/* In a folder whose group files get, those of a user who is not of it. */
CASE(new_in_folder_of_group)
{
	static const int modes[] = { 02775, 02765, 02666, 06777, 02070, 0777, 04755, 01777 };
	struct stat st;

	Q(umask, 0);
	Q(mkdirat, AT_FDCWD, "g", 0777);
	Q(fchownat, AT_FDCWD, "g", 5, 5, 0);
	Q(fchmodat, AT_FDCWD, "g", 02777);
	for (int user = 0; user < 2; user++) {
		for (unsigned i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
			int fd = Q(openat, AT_FDCWD, "g/f", O_CREAT | O_RDWR, modes[i]);

			Q(fstat, fd, &st);
			say("file %o: %o of %d:%d", modes[i], st.st_mode, st.st_uid, st.st_gid);
			Q(unlinkat, AT_FDCWD, "g/f", 0);
			Q(mkdirat, AT_FDCWD, "g/d", modes[i]);
			Q(newfstatat, AT_FDCWD, "g/d", &st, 0);
			say("folder %o: %o of %d:%d", modes[i], st.st_mode, st.st_uid, st.st_gid);
			Q(unlinkat, AT_FDCWD, "g/d", AT_REMOVEDIR);
			Q(mknodat, AT_FDCWD, "g/p", S_IFIFO | modes[i], 0);
			Q(newfstatat, AT_FDCWD, "g/p", &st, 0);
			say("pipe %o: %o of %d:%d", modes[i], st.st_mode, st.st_uid, st.st_gid);
			Q(unlinkat, AT_FDCWD, "g/p", 0);
			Q(close, fd);
		}
		if (user)
			break;
		Q(setgroups, 0, NULL);
		Q(setresgid, 1000, 1000, 1000);
		Q(setresuid, 1000, 1000, 1000);
	}
}
