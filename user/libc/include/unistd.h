#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STDIN_FILENO	0
#define STDOUT_FILENO	1
#define STDERR_FILENO	2

#ifndef SEEK_SET
#define SEEK_SET	0
#define SEEK_CUR	1
#define SEEK_END	2
#endif
#define SEEK_DATA	3
#define SEEK_HOLE	4

#define F_OK	0
#define X_OK	1
#define W_OK	2
#define R_OK	4

#define _SC_ARG_MAX		0
#define _SC_CLK_TCK		2
#define _SC_OPEN_MAX		4
#define _SC_PAGESIZE		30
#define _SC_PAGE_SIZE		30
#define _SC_NPROCESSORS_CONF	83
#define _SC_NPROCESSORS_ONLN	84

extern char **environ;

/* Processes */
_Noreturn void _exit(int status);
unsigned alarm(unsigned seconds);
int execl(const char *path, const char *arg0, ...) __attribute__((sentinel));
int execlp(const char *file, const char *arg0, ...) __attribute__((sentinel));
int execv(const char *path, char *const argv[]);
int execve(const char *path, char *const argv[], char *const envp[]);
int execvp(const char *file, char *const argv[]);
pid_t fork(void);
gid_t getegid(void);
uid_t geteuid(void);
gid_t getgid(void);
int getgroups(int n, gid_t groups[]);
pid_t getpgid(pid_t pid);
pid_t getpgrp(void);
pid_t getpid(void);
pid_t getppid(void);
int getresgid(gid_t *real, gid_t *effective, gid_t *saved);
int getresuid(uid_t *real, uid_t *effective, uid_t *saved);
pid_t getsid(pid_t pid);
pid_t gettid(void);
uid_t getuid(void);
int nice(int by);
int pause(void);
int setegid(gid_t gid);
int seteuid(uid_t uid);
int setgid(gid_t gid);
int setpgid(pid_t pid, pid_t group);
int setregid(gid_t real, gid_t effective);
int setresgid(gid_t real, gid_t effective, gid_t saved);
int setresuid(uid_t real, uid_t effective, uid_t saved);
int setreuid(uid_t real, uid_t effective);
pid_t setsid(void);
int setuid(uid_t uid);
unsigned sleep(unsigned seconds);
long syscall(long number, ...);
int usleep(unsigned us);
pid_t vfork(void) __attribute__((returns_twice));

/* Descriptors */
int close(int fd);
int dup(int fd);
int dup2(int fd, int to);
int dup3(int fd, int to, int flags);
int fsync(int fd);
int fdatasync(int fd);
int ftruncate(int fd, off_t size);
int isatty(int fd);
off_t lseek(int fd, off_t offset, int whence);
int pipe(int fds[2]);
int pipe2(int fds[2], int flags);
ssize_t pread(int fd, void *buf, size_t n, off_t offset);
ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset);
ssize_t read(int fd, void *buf, size_t n);
void sync(void);
pid_t tcgetpgrp(int fd);
int tcsetpgrp(int fd, pid_t group);
ssize_t write(int fd, const void *buf, size_t n);

/* Paths */
int access(const char *path, int mode);
int chdir(const char *path);
int chown(const char *path, uid_t uid, gid_t gid);
int faccessat(int dir, const char *path, int mode, int flags);
int fchdir(int fd);
int fchown(int fd, uid_t uid, gid_t gid);
int fchownat(int dir, const char *path, uid_t uid, gid_t gid, int flags);
char *getcwd(char *buf, size_t size);
int lchown(const char *path, uid_t uid, gid_t gid);
int link(const char *from, const char *to);
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags);
ssize_t readlink(const char *path, char *buf, size_t size);
ssize_t readlinkat(int dir, const char *path, char *buf, size_t size);
int rmdir(const char *path);
int symlink(const char *target, const char *path);
int symlinkat(const char *target, int dir, const char *path);
int truncate(const char *path, off_t size);
int unlink(const char *path);
int unlinkat(int dir, const char *path, int flags);

/* The rest */
int brk(void *end);
int gethostname(char *name, size_t size);
int getopt(int argc, char *const argv[], const char *options);
int getpagesize(void);
void *sbrk(intptr_t by);
long sysconf(int name);

extern char *optarg;
extern int optind, opterr, optopt;
