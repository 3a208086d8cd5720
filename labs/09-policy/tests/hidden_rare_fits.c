/*
 * Lab 09, hidden: sets of reservations that only very many digits tell from a whole CPU; and shares
 * that have no rest after one digit, and one that has, in every order.
 */
#include "edf.h"

static struct policy_queue *const queues[] = { &q };

/*
 * Their sum exceeds 1 by less than 1 / 2^2055. The periods are the largest primes that are allowed,
 * less than RESERVED_PERIOD_MAX by the second number.
 */
static const struct {
	u32 runtime, below;
} shares[] = {
	{ 25901624, 39 }, { 41078830, 53 }, { 51158668, 69 }, { 41771859, 71 }, { 45085303, 101 },
	{ 56420684, 111 }, { 71846852, 113 }, { 63657654, 119 }, { 64106613, 129 },
	{ 57007655, 153 }, { 46305653, 197 }, { 50152965, 219 }, { 60063893, 221 },
	{ 71532218, 239 }, { 52859945, 261 }, { 67042251, 281 }, { 48518128, 291 },
	{ 54899207, 353 }, { 57588211, 399 }, { 39136212, 417 }, { 24478621, 461 },
	{ 40476701, 479 }, { 72402769, 489 }, { 52236784, 519 }, { 57726427, 527 },
	{ 39512025, 531 }, { 23729097, 533 }, { 88815650, 561 }, { 44578759, 599 },
	{ 49006983, 651 }, { 30868089, 659 }, { 65016951, 681 }, { 82283709, 741 },
	{ 37661366, 749 }, { 39278925, 767 }, { 41142838, 773 }, { 72597700, 779 },
	{ 47909331, 813 }, { 69577152, 833 }, { 36204065, 891 }, { 26571589, 893 },
	{ 44334443, 899 }, { 50731933, 921 }, { 57564873, 959 }, { 44646127, 987 },
	{ 53066223, 1001 }, { 60216749, 1059 }, { 26914015, 1061 }, { 53025485, 1071 },
	{ 61816635, 1079 }, { 29841038, 1119 }, { 51820968, 1137 }, { 55156500, 1163 },
	{ 62376505, 1191 }, { 55807515, 1197 }, { 55868003, 1227 }, { 45035983, 1247 },
	{ 70811373, 1269 }, { 52476847, 1271 }, { 40651359, 1323 }, { 37592302, 1341 },
	{ 32038254, 1373 }, { 75206275, 1383 }, { 35371933, 1449 }, { 49967046, 1451 },
	{ 37516399, 1467 }, { 55228435, 1583 }, { 36366892, 1637 }, { 31921976, 1653 },
	{ 46284173, 1673 }, { 55125638, 1697 }, { 50621742, 1721 }, { 13788863, 1733 },
	{ 42368990, 1739 }, { 65188756, 1749 }, { 63717195, 1751 }, { 44754852, 1761 },
	{ 58858358, 1821 }, { 36359432, 1841 }, { 50810557, 1857 }, { 49877443, 1869 },
	{ 61746045, 1893 }, { 40702046, 1917 }, { 42516947, 1929 },
};

static struct sched_entity crowd[ARRAY_SIZE(shares)];

static bool joins(unsigned i, u64 runtime, u64 period)
{
	struct sched_params share = reserved(runtime, period);

	policy_entity_init(&crowd[i], ~0u, now);
	if (policy_reserve(queues, 1, &crowd[i], 1, &share))
		return false;
	crowd[i].params = share;
	return true;
}

/* policy_reserve() asks the policy that the kernel runs; here, that is to be edf. */
static void ask_edf(void)
{
	policy.fits = sched_edf.fits;
	begin(0);
}

static void check_finest(void)
{
	const unsigned last = ARRAY_SIZE(shares) - 1;
	u64 period = RESERVED_PERIOD_MAX - shares[last].below;

	ask_edf();
	for (unsigned i = 0; i < last; i++)
		CHECK(joins(i, shares[i].runtime, RESERVED_PERIOD_MAX - shares[i].below), "P9.12",
		      "%u shares: number %u is refused, and the sum with it is less than 1",
		      last + 1, i + 1);
	REQUIRE(!joins(last, shares[last].runtime, period), "P9.12",
		"%u shares exceed 1 by less than 1 / 2^2055, and the last is admitted", last + 1);
	CHECK(joins(last, shares[last].runtime - 1, period), "P9.12",
	      "%u shares are less than 1 by 1 ns of the last, and this is refused", last + 1);
}

/*
 * All but one of 2^@bits shares are exactly 1 / 2^bits, which 32 bits hold without a rest. The one
 * at place @odd is a little more than that, or a little less: by less than 1 / 2^32.
 */
static void check_odd_one(unsigned bits, unsigned odd, bool more)
{
	const unsigned n = 1u << bits;
	u64 period = RESERVED_PERIOD_MAX - (more ? 1 : 31);
	u64 runtime = (period >> bits) + more;

	ask_edf();
	for (unsigned i = 0; i < n; i++) {
		bool fits = i + 1 < n || !more;
		bool given = i == odd ? joins(i, runtime, period) : joins(i, MS, n * MS);

		CHECK(given == fits, "P9.12",
		      "%u shares of 1 / %u, but number %u is %lu / %lu: number %u is %s", n, n,
		      odd + 1, runtime, period, i + 1, fits ? "refused" : "admitted");
	}
}

KTEST_EARLY(edf_finest, "edf.finest", "09.h", "P9.12")
{
	check_finest();
	for (unsigned bits = 1; bits <= 5; bits++)
		for (unsigned odd = 0; odd < 1u << bits; odd++)
			for (unsigned more = 0; more < 2; more++)
				check_odd_one(bits, odd, more);
}
