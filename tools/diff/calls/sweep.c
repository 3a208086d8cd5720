/* The engine of sweep.h. */
#include "sweep.h"
#include "run.h"

enum { TEXT = 4096, MOST = 128 };

int sweep_one_by_one, sweep_quietly;

static long value_at(const struct sweep *s, int i)
{
	long base = 0;

	if (!s->are_bits)
		return (s->from + i) << s->shift;
	if (s->field)
		memcpy(&base, s->field, s->size);
	else
		base = s->args[s->which];
	return base | 1L << i;
}

/* The @n calls, in order; a result is as of answer_of_child(). */
static void ask_all(const struct sweep *s, int n, long *answers, int as_user)
{
	long a[6], before = 0;
	pid_t pid = -1;

	memcpy(a, s->args, sizeof(a));
	memcpy(&before, s->field ? s->field : &a[s->which], s->field ? s->size : sizeof(long));
	if (!sweep_one_by_one) {
		pid = child();
		if (pid) {
			if (reap(pid))
				say("%s: ended before the last call", s->what);
			for (int i = 0; i < n; i++)
				answers[i] = *child_answer(i);
			return;
		}
		if (as_user)
			become_user();
	}
	for (int i = 0; i < n; i++) {
		long value = value_at(s, i);

		if (s->field)
			memcpy(s->field, &value, s->size);
		else
			a[s->which] = value;
		answers[i] = pid ? answer_of_child(s->number, a, as_user) : ask(s->number, a);
		if (s->field)
			memcpy(s->field, &before, s->size);
		if (!pid)
			*child_answer(i) = answers[i];
	}
	if (!pid)
		end(0);
}

static const char *name_of(long answer)
{
	static char text[24];

	if (answer < 0 || sweep_quietly)
		return asked_name(answer < 0 ? -answer : 0);
	snprintf(text, sizeof(text), "is %ld", answer);
	return text;
}

/* "0..3 ok, 4 EINVAL" */
static void tell_runs(char *text, long from, int n, const long *answers)
{
	char *at = text, *end = text + TEXT;
	int next;

	for (int i = 0; i < n; i = next) {
		for (next = i + 1; next < n; next++)
			if (answers[next] != answers[i] &&
			    (!sweep_quietly || answers[next] < 0 || answers[i] < 0))
				break;
		at += snprintf(at, end - at, "%s%ld", i ? ", " : "", from + i);
		if (next > i + 1)
			at += snprintf(at, end - at, "..%ld", from + next - 1);
		at += snprintf(at, end - at, " %s", name_of(answers[i]));
	}
}

void sweep(const struct sweep *s)
{
	static char text[2][TEXT];
	long answers[MOST];
	int n = s->to - s->from + 1;
	char of[16];

	if (n > MOST) {
		say("%s: more than %d numbers", s->what, MOST);
		return;
	}
	for (int user = 0; user < 2; user++) {
		ask_all(s, n, answers, user);
		tell_runs(text[user], s->from, n, answers);
	}
	snprintf(of, sizeof(of), "%d", s->which + 1);
	say("%s, %s of %s: %s", s->what, s->are_bits ? "bits" : "numbers", s->of ? s->of : of,
	    text[0]);
	if (strcmp(text[0], text[1]))
		say("    user: %s", text[1]);
}
