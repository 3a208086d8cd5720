/* Finds the path from the root without links, for readlink and realpath. */
#pragma once

#include <err.h>
#include <errno.h>
#include <sys/stat.h>

#include "options.h"

#define PATH_ROOM  4096
#define MOST_LINKS 40

/* Adds the component of @len bytes at @part to @path. */
static inline void add_part(char *path, const char *part, size_t len)
{
	size_t n = strlen(path);

	if (len == 2 && !strncmp(part, "..", 2)) {
		*strrchr(path, '/') = 0;
		return;
	}
	if (len && !(len == 1 && *part == '.') && n + len + 2 < PATH_ROOM)
		snprintf(path + n, PATH_ROOM - n, "/%.*s", (int)len, part);
}

/*
 * Resolves @from component by component; a link's text is put in front of what is left. The last
 * component need not exist, unless @existing.
 */
static inline bool resolve(const char *from, bool existing, char path[PATH_ROOM])
{
	char rest[PATH_ROOM], link[PATH_ROOM];
	struct stat st;
	int links = 0;
	size_t len;
	ssize_t n;

	if (!*from || snprintf(rest, sizeof(rest), "%s", from) >= PATH_ROOM)
		return errno = ENOENT, false;
	if (*from == '/')
		*path = 0;
	else if (!getcwd(path, PATH_ROOM))
		return false;
	if (!strcmp(path, "/"))
		*path = 0;
	while (rest[strspn(rest, "/")]) {
		const char *part = rest + strspn(rest, "/");
		char *before = path + strlen(path);
		bool last;

		len = strcspn(part, "/");
		last = !part[len + strspn(part + len, "/")];
		if (len == 2 && !strncmp(part, "..", 2) && !*path)
			len = 0;
		add_part(path, part, len);
		part += strcspn(part, "/");
		if (lstat(*path ? path : "/", &st)) {
			if (errno != ENOENT || existing || !last)
				return false;
		} else if (S_ISLNK(st.st_mode)) {
			n = readlink(path, link, sizeof(link) - 1);
			if (n < 0 || ++links > MOST_LINKS)
				return errno = n < 0 ? errno : ELOOP, false;
			link[n] = 0;
			*before = 0;
			if (*link == '/')
				*path = 0;
			if (strlen(link) + strlen(part) >= sizeof(rest))
				return errno = ENAMETOOLONG, false;
			memmove(rest + strlen(link), part, strlen(part) + 1);
			memcpy(rest, link, strlen(link));
			continue;
		} else if (!S_ISDIR(st.st_mode) && !last) {
			return errno = ENOTDIR, false;
		}
		memmove(rest, part, strlen(part) + 1);
	}
	if (!*path)
		strcpy(path, "/");
	return true;
}
