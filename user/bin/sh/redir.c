/*
 * Redirections. In a child they are permanent; for a builtin or a compound command that runs in the
 * shell itself they are undone afterwards, from copies of the descriptors.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

/*
 * A here-document is a pipe with a process at its other end, because the text may be longer than
 * the pipe holds. Nothing waits for that process: it ends when it has written all, or when the pipe
 * has no reader.
 */
static int open_here(const struct redir *r)
{
	const char *body = r->literal ? r->word : expand_here(r->word);
	size_t len = strlen(body);
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		return -1;
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		_exit(write(fds[1], body, len) != (ssize_t)len);
	}
	close(fds[1]);
	if (pid > 0)
		return fds[0];
	close(fds[0]);
	return -1;
}

static int open_file(const struct redir *r, const char *path)
{
	static const int flags[] = {
		[REDIR_IN] = O_RDONLY,
		[REDIR_OUT] = O_WRONLY | O_CREAT | O_TRUNC,
		[REDIR_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
		[REDIR_BOTH] = O_RDWR | O_CREAT,
	};

	return open(path, flags[r->kind], 0666);
}

static bool redirect_one(const struct redir *r)
{
	char *word = r->kind == REDIR_HERE ? r->word : expand_one(r->word);
	int fd, done;

	if (r->kind == REDIR_DUP && !strcmp(word, "-")) {
		close(r->fd);
		return true;
	}
	if (r->kind == REDIR_DUP) {
		if (!isdigit((unsigned char)*word) || dup2(atoi(word), r->fd) < 0) {
			complain("%s: bad descriptor", word);
			return false;
		}
		return true;
	}
	fd = r->kind == REDIR_HERE ? open_here(r) : open_file(r, word);
	if (fd < 0) {
		complain("%s: %m", r->kind == REDIR_HERE ? "here-document" : word);
		return false;
	}
	if (fd == r->fd)
		return true;
	done = dup2(fd, r->fd);
	close(fd);
	return done >= 0;
}

bool redirect(struct redir *r)
{
	for (; r; r = r->next)
		if (!redirect_one(r))
			return false;
	return true;
}

bool redirect_saving(struct redir *r, struct saved_fds *saved)
{
	fflush(NULL);
	memset(saved->fd, -1, sizeof(saved->fd));
	for (struct redir *i = r; i; i = i->next) {
		if (saved->fd[i->fd] != -1)
			continue;
		saved->fd[i->fd] = fcntl(i->fd, F_DUPFD_CLOEXEC, 10);
		if (saved->fd[i->fd] < 0)
			saved->fd[i->fd] = -2;
	}
	return redirect(r);
}

void redirect_restore(struct saved_fds *saved)
{
	fflush(NULL);
	for (int fd = 0; fd < 10; fd++) {
		if (saved->fd[fd] == -2)
			close(fd);
		if (saved->fd[fd] < 0)
			continue;
		dup2(saved->fd[fd], fd);
		close(saved->fd[fd]);
	}
}
