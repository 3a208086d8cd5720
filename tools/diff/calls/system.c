/* The system itself: its log. */
#include "diff.h"

CASE(log_errors)
{
	T(syslog, 0, NULL, 0);
	T(syslog, 1, NULL, 0);
	T(syslog, -1, NULL, 0);
	T(syslog, 11, NULL, 0);
	for (int command = 2; command <= 4; command++) {
		T(syslog, command, NULL, 10);
		T(syslog, command, buf, -1);
		T(syslog, command, buf, 0);
		T(syslog, command, NULL, 0);
	}
	T(syslog, 3, BAD, 10);
	T(syslog, 8, NULL, 0);
	T(syslog, 8, NULL, 9);
	V(R(syslog, 10, NULL, 0) > 0);
	V(R(syslog, 3, buf, sizeof(buf)) <= (long)sizeof(buf));
}

CASE(log_of_a_user)
{
	Q(setuid, 5);
	for (int command = -1; command <= 11; command++)
		if (command != 3 && command != 10)
			T(syslog, command, NULL, 0);
}
