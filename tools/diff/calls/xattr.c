/* Extended attributes: only what a file system with them says as one without them does. */
#include "diff.h"

CASE(errors)
{
	static char big[65537], name[257];
	int fd = file("f", "");

	memset(name, 'n', sizeof(name) - 1);
	T(setxattr, "gone", "user.x", "v", 1, 0);
	T(lsetxattr, "gone", "user.x", "v", 1, 0);
	T(fsetxattr, 99, "user.x", "v", 1, 0);
	T(setxattr, "f", "user.x", "v", 1, 8);
	T(setxattr, "f", "", "v", 1, 0);
	T(setxattr, "f", name, "v", 1, 0);
	T(setxattr, "f", BAD, "v", 1, 0);
	T(setxattr, "f", "user.x", big, sizeof(big), 0);
	T(setxattr, "f", "nobody.x", "v", 1, 0);
	T(fsetxattr, fd, "nobody.x", "v", 1, 0);
	T(getxattr, "gone", "user.x", buf, 1);
	T(lgetxattr, "gone", "user.x", buf, 1);
	T(fgetxattr, 99, "user.x", buf, 1);
	T(getxattr, "f", "", buf, 1);
	T(getxattr, "f", name, buf, 1);
	T(getxattr, "f", BAD, buf, 1);
	T(lgetxattr, "f", "nobody.x", buf, 1);
	T(fgetxattr, fd, "nobody.x", buf, 1);
	T(listxattr, "gone", buf, 1);
	T(listxattr, "f", buf, 1);
	T(llistxattr, "f", buf, 0);
	T(flistxattr, fd, buf, 1);
	T(flistxattr, 99, buf, 1);
	T(removexattr, "gone", "user.x");
	T(lremovexattr, "f", "");
	T(removexattr, "f", "nobody.x");
	T(fremovexattr, fd, "nobody.x");
	T(fremovexattr, 99, "user.x");
}
