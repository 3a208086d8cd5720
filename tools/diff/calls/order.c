/* Which fault is told when a call has two: the order in which Linux checks. */
#include "diff.h"

CASE(read_bad_fd_bad_address)
{
	T(read, 77, BAD, 1);
	T(read, 77, BAD, -1);
}

CASE(write_bad_fd_bad_address)
{
	T(write, 77, BAD, 1);
	T(write, 77, BAD, -1);
}

CASE(open_bad_path_bad_folder)
{
	T(openat, 77, BAD, O_RDONLY);
	T(openat, 77, "", O_RDONLY);
}

CASE(open_bad_flags_missing)
{
	T(openat, AT_FDCWD, "gone/x", O_RDWR | O_CREAT | O_EXCL, 0600);
	T(openat, AT_FDCWD, "gone", O_RDONLY | O_DIRECTORY);
}

CASE(stat_bad_path_bad_buffer)
{
	T(newfstatat, AT_FDCWD, BAD, BAD, 0);
	T(newfstatat, AT_FDCWD, "gone", BAD, 0);
	T(newfstatat, AT_FDCWD, ".", BAD, 0x40000000);
}

CASE(mkdir_bad_folder_bad_path)
{
	T(mkdirat, 77, BAD, 0755);
	T(mkdirat, 77, "", 0755);
}

CASE(unlink_bad_flags_bad_path)
{
	T(unlinkat, AT_FDCWD, BAD, 1);
	T(unlinkat, 77, "gone", 1);
	T(unlinkat, 77, BAD, 0);
}

CASE(link_bad_flags_missing)
{
	T(linkat, AT_FDCWD, "gone", AT_FDCWD, "x", 1);
	T(linkat, AT_FDCWD, BAD, AT_FDCWD, "x", 1);
	T(linkat, AT_FDCWD, "gone", AT_FDCWD, BAD, 0);
}

CASE(symlink_empty_and_bad)
{
	T(symlinkat, "", AT_FDCWD, BAD);
	T(symlinkat, BAD, 77, "x");
	T(symlinkat, "", 77, "x");
}

CASE(rename_flags_and_paths)
{
	T(renameat2, AT_FDCWD, BAD, AT_FDCWD, BAD, 0x80);
	T(renameat2, AT_FDCWD, "gone", AT_FDCWD, BAD, 0);
	T(renameat2, 77, "gone", 78, "x", 0);
}

CASE(readlink_size_and_path)
{
	T(readlinkat, AT_FDCWD, "gone", buf, 0);
	T(readlinkat, AT_FDCWD, BAD, buf, -1);
	T(readlinkat, 77, "gone", buf, 10);
}

CASE(access_mode_and_path)
{
	T(faccessat, AT_FDCWD, BAD, 8);
	T(faccessat, AT_FDCWD, "gone", 8);
	T(faccessat, 77, "gone", 8);
}

CASE(chmod_path_and_folder)
{
	T(fchmodat, 77, BAD, 0);
	T(fchmodat, 77, "gone", 0);
	T(fchmodat, 0, "gone", 0);
}

CASE(chown_flags_and_path)
{
	T(fchownat, AT_FDCWD, BAD, 0, 0, 1);
	T(fchownat, 77, "gone", 0, 0, 1);
}

CASE(truncate_size_and_path)
{
	T(truncate, BAD, -1);
	T(truncate, "gone", -1);
	T(truncate, "", -1);
}

CASE(seek_fd_and_whence)
{
	T(lseek, 77, -1, 99);
	T(lseek, 0, 0, 99);
}

CASE(pread_offset_and_fd)
{
	T(pread64, 77, BAD, 1, -1);
	T(pread64, 77, BAD, 1, 0);
	T(pwrite64, 77, BAD, 1, -1);
}

CASE(readv_count_and_fd)
{
	T(readv, 77, BAD, -1);
	T(readv, 77, io(buf, 1), 1025);
	T(readv, 77, io(buf, 1), 0);
}

CASE(writev_count_and_fd)
{
	T(writev, 77, BAD, -1);
	T(writev, 77, BAD, 1025);
	T(writev, 77, BAD, 0);
}

CASE(preadv_offset_and_count)
{
	T(preadv, 77, BAD, -1, -1, -1);
	T(preadv, 77, BAD, 1, 0, 0);
	T(pwritev, 77, BAD, -1, -1, -1);
}

CASE(dup3_flags_and_fds)
{
	T(dup3, 77, 77, -1);
	T(dup3, 77, -1, 1);
	T(dup3, 5, 5, O_CLOEXEC);
}

CASE(fcntl_command_and_fd)
{
	T(fcntl, 77, -1, 0);
	T(fcntl, 0, -1, 0);
	T(fcntl, 77, F_SETFL, -1);
}

CASE(ioctl_request_and_fd)
{
	T(ioctl, 77, -1, BAD);
	T(ioctl, 0, -1, BAD);
	T(ioctl, 0, TCGETS, BAD);
}

CASE(pipe_flags_and_address)
{
	T(pipe2, BAD, 1);
	T(pipe2, NULL, O_APPEND);
}

CASE(eventfd_flags)
{
	T(eventfd2, -1, -1);
	T(eventfd2, 0xffffffff, 0);
}

CASE(getdents_fd_and_buffer)
{
	T(getdents64, 77, BAD, 0);
	T(getdents64, 0, BAD, 0);
}

CASE(mmap_size_and_fd)
{
	T(mmap, 0, 0, PROT_READ, MAP_PRIVATE, 77, 1);
	T(mmap, 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, 77, 0);
	T(mmap, 0, PAGE, PROT_READ, 0, 77, 0);
}

CASE(munmap_address_and_size)
{
	T(munmap, 1, 0);
	T(munmap, 0, 0);
	T(munmap, -1, -1);
}

CASE(mprotect_address_and_flags)
{
	T(mprotect, 1, PAGE, -1);
	T(mprotect, 0x2000000000, PAGE, -1);
	T(mprotect, 1, 0, 0);
}

CASE(mremap_flags_and_address)
{
	T(mremap, 1, PAGE, 0, -1);
	T(mremap, 0x2000000000, PAGE, PAGE, -1);
	T(mremap, 0x2000000000, PAGE, 0, 0);
}

CASE(madvise_advice_and_address)
{
	T(madvise, 1, PAGE, -1);
	T(madvise, 0x2000000000, PAGE, -1);
	T(madvise, 1, 0, MADV_NORMAL);
}

CASE(msync_flags_and_address)
{
	T(msync, 1, PAGE, -1);
	T(msync, 0x2000000000, PAGE, 8);
	T(msync, 1, PAGE, MS_SYNC);
}

CASE(mincore_address_and_vector)
{
	T(mincore, 1, PAGE, BAD);
	T(mincore, 0x2000000000, PAGE, BAD);
	T(mincore, 0x2000000000, 0, BAD);
}

CASE(kill_signal_and_pid)
{
	T(kill, 0x7fffffff, 65);
	T(kill, 0x7fffffff, -1);
	T(tkill, -1, 65);
	T(tgkill, -1, -1, 65);
}

CASE(sigaction_signal_and_size)
{
	T(rt_sigaction, 65, BAD, BAD, 4);
	T(rt_sigaction, 65, BAD, BAD, 8);
	T(rt_sigaction, SIGKILL, BAD, BAD, 7);
}

CASE(sigprocmask_how_and_size)
{
	T(rt_sigprocmask, 99, BAD, BAD, 4);
	T(rt_sigprocmask, 99, BAD, BAD, 8);
	T(rt_sigprocmask, 99, NULL, BAD, 8);
}

CASE(sigtimedwait_size_and_set)
{
	T(rt_sigtimedwait, BAD, BAD, BAD, 4);
	T(rt_sigtimedwait, BAD, BAD, BAD, 8);
	T(rt_sigtimedwait, bits(0), BAD, BAD, 8);
}

CASE(sigsuspend_size_and_set)
{
	T(rt_sigsuspend, BAD, 4);
	T(rt_sigsuspend, BAD, 8);
}

CASE(wait_options_and_pid)
{
	T(wait4, 0x7fffffff, BAD, 0x100, BAD);
	T(wait4, 0x7fffffff, BAD, 0, BAD);
	T(waitid, 9, -1, BAD, 0, BAD);
}

CASE(nanosleep_value_and_rest)
{
	T(nanosleep, BAD, BAD);
	T(nanosleep, ts(-1, -1), BAD);
	T(clock_nanosleep, 99, 99, BAD, BAD);
}

CASE(clock_number_and_address)
{
	T(clock_gettime, 99, BAD);
	T(clock_getres, 99, BAD);
	T(clock_settime, 99, BAD);
}

CASE(itimer_which_and_address)
{
	T(getitimer, 99, BAD);
	T(setitimer, 99, BAD, BAD);
}

CASE(timer_clock_and_event)
{
	T(timer_create, 99, BAD, BAD);
	T(timer_settime, 99, -1, BAD, BAD);
	T(timer_gettime, 99, BAD);
}

CASE(limit_number_and_pid)
{
	T(prlimit64, 0x7fffffff, 99, BAD, BAD);
	T(prlimit64, 0x7fffffff, 0, BAD, BAD);
	T(getrlimit, 99, BAD);
	T(setrlimit, 99, BAD);
}

CASE(priority_which_and_pid)
{
	T(getpriority, 99, 0x7fffffff);
	T(setpriority, 99, 0x7fffffff, 99);
}

CASE(scheduler_policy_and_pid)
{
	T(sched_setscheduler, -1, 99, BAD);
	T(sched_setscheduler, 0x7fffffff, 99, BAD);
	T(sched_setparam, -1, BAD);
	T(sched_getparam, -1, BAD);
}

CASE(affinity_size_and_pid)
{
	T(sched_getaffinity, 0x7fffffff, 0, BAD);
	T(sched_getaffinity, 0x7fffffff, 8, BAD);
	T(sched_setaffinity, 0x7fffffff, 8, BAD);
}

CASE(futex_operation_and_address)
{
	T(futex, BAD, 99, 0, BAD, BAD, 0);
	T(futex, BAD, FUTEX_WAIT, 0, BAD, BAD, 0);
	T(futex, 1, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0);
}

CASE(groups_count_and_address)
{
	T(getgroups, -1, BAD);
	T(setgroups, -1, BAD);
}

CASE(poll_count_and_times)
{
	T(ppoll, BAD, -1, BAD, BAD, 4);
	T(ppoll, BAD, -1, ts(-1, 0), BAD, 4);
	T(ppoll, BAD, -1, NULL, BAD, 4);
}

CASE(select_count_and_times)
{
	T(pselect6, -1, BAD, BAD, BAD, BAD, BAD);
	T(pselect6, -1, NULL, NULL, NULL, ts(-1, 0), NULL);
}

CASE(utimens_times_and_path)
{
	T(utimensat, 77, BAD, BAD, 1);
	T(utimensat, 77, BAD, NULL, 1);
	T(utimensat, 77, NULL, BAD, 0);
}

CASE(statx_flags_and_path)
{
	T(statx, 77, BAD, -1, -1, BAD);
	T(statx, 77, "gone", 1, 0, BAD);
}

CASE(statfs_path_and_buffer)
{
	T(statfs, BAD, BAD);
	T(statfs, "gone", BAD);
	T(fstatfs, 77, BAD);
}

CASE(fallocate_mode_and_fd)
{
	T(fallocate, 77, -1, -1, -1);
	T(fallocate, 0, -1, 0, 1);
	T(fallocate, 0, 0, 0, 0);
}

CASE(execve_path_and_arguments)
{
	T(execve, BAD, BAD, BAD);
	T(execve, "gone", BAD, BAD);
	T(execve, ".", BAD, BAD);
}

CASE(mknod_mode_and_path)
{
	T(mknodat, AT_FDCWD, BAD, 0170000, 0);
	T(mknodat, AT_FDCWD, "gone/x", 0170000, 0);
	T(mknodat, 77, "x", S_IFDIR, 0);
}

CASE(getrandom_flags_and_address)
{
	T(getrandom, BAD, 1, -1);
	T(getrandom, BAD, 0, -1);
}

CASE(getcwd_size_and_address)
{
	T(getcwd, BAD, 0);
	T(getcwd, BAD, 1);
	T(getcwd, NULL, 0);
}

CASE(close_range_order_and_flags)
{
	T(close_range, 5, 4, -1);
	T(close_range, 5, 4, 0);
}

CASE(sendfile_fds_and_offset)
{
	T(sendfile, 77, 78, NULL, 1);
	T(sendfile, 0, 78, BAD, 1);
	T(sendfile, 77, 0, NULL, 1);
}

CASE(setpgid_group_and_pid)
{
	T(setpgid, 0x7fffffff, -1);
	T(setpgid, -1, -1);
	T(getpgid, -1);
}
