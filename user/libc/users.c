/*
 * The users and groups of /etc/passwd and /etc/group: lines of fields between colons. A result lies
 * in static memory that the next call of the same kind overwrites.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS		7
#define MEMBERS		64
#define GROUPS		64

/* A file that is read one line at a time; each line is split in place. */
struct table {
	FILE *f;
	char line[1024];
	char *field[FIELDS];
};

static bool table_open(struct table *t, const char *path)
{
	t->f = fopen(path, "re");
	return t->f;
}

/*
 * Reads the next line that has at least @n fields. Returns false, with the table closed, if there
 * is none.
 */
static bool table_next(struct table *t, int n)
{
	while (fgets(t->line, sizeof(t->line), t->f)) {
		char *rest = t->line;
		int i = 0;

		rest[strcspn(rest, "\n")] = 0;
		while (i < FIELDS && rest)
			t->field[i++] = strsep(&rest, ":");
		if (i >= n)
			return true;
	}
	fclose(t->f);
	return false;
}

static bool is_number(const char *field, unsigned number)
{
	char *end;

	return *field && strtoul(field, &end, 10) == number && !*end;
}

/* Finds the line of /etc/passwd with @name or, if that is NULL, with @uid. */
static struct passwd *find_user(const char *name, uid_t uid)
{
	static struct table t;
	static struct passwd pw;

	if (!table_open(&t, "/etc/passwd"))
		return NULL;
	while (table_next(&t, 7)) {
		if (name ? strcmp(t.field[0], name) : !is_number(t.field[2], uid))
			continue;
		fclose(t.f);
		pw = (struct passwd){
			t.field[0], t.field[1], strtoul(t.field[2], NULL, 10),
			strtoul(t.field[3], NULL, 10), t.field[4], t.field[5], t.field[6],
		};
		return &pw;
	}
	return NULL;
}

struct passwd *getpwnam(const char *name)
{
	return find_user(name, 0);
}

struct passwd *getpwuid(uid_t uid)
{
	return find_user(NULL, uid);
}

/* Splits the list at its commas into @members, which ends with NULL. */
static void split_members(char *list, char *members[MEMBERS + 1])
{
	int n = 0;

	while (list && *list && n < MEMBERS)
		members[n++] = strsep(&list, ",");
	members[n] = NULL;
}

static struct group *find_group(const char *name, gid_t gid)
{
	static struct table t;
	static struct group gr;
	static char *members[MEMBERS + 1];

	if (!table_open(&t, "/etc/group"))
		return NULL;
	while (table_next(&t, 4)) {
		if (name ? strcmp(t.field[0], name) : !is_number(t.field[2], gid))
			continue;
		fclose(t.f);
		split_members(t.field[3], members);
		gr = (struct group){ t.field[0], t.field[1], strtoul(t.field[2], NULL, 10),
				     members };
		return &gr;
	}
	return NULL;
}

struct group *getgrnam(const char *name)
{
	return find_group(name, 0);
}

struct group *getgrgid(gid_t gid)
{
	return find_group(NULL, gid);
}

static bool has_member(char *list, const char *user)
{
	char *members[MEMBERS + 1];

	split_members(list, members);
	for (int i = 0; members[i]; i++)
		if (!strcmp(members[i], user))
			return true;
	return false;
}

/*
 * Lists @group and the groups that have @user as a member; *n becomes their number. Returns -1 if
 * there is no room for all.
 */
int getgrouplist(const char *user, gid_t group, gid_t *groups, int *n)
{
	struct table t;
	int room = *n, found = 1;

	if (room > 0)
		groups[0] = group;
	if (!table_open(&t, "/etc/group"))
		found = 1;
	else
		while (table_next(&t, 4)) {
			gid_t gid = strtoul(t.field[2], NULL, 10);

			if (gid == group || !has_member(t.field[3], user))
				continue;
			if (found < room)
				groups[found] = gid;
			found++;
		}
	*n = found;
	return found <= room ? found : -1;
}

int initgroups(const char *user, gid_t group)
{
	gid_t groups[GROUPS];
	int n = GROUPS;

	if (getgrouplist(user, group, groups, &n) < 0)
		n = GROUPS;
	return setgroups(n, groups);
}
