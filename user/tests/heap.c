/* The C library: the heap, and buffered streams. */
#include "test.h"

/*
 * Blocks of all sizes are allocated, resized and freed in random order; each has its own contents.
 */
static void heap(void)
{
	enum { BLOCKS = 200 };
	static struct {
		unsigned char *p;
		size_t n;
	} block[BLOCKS];
	unsigned seed = 12345;

	for (int i = 0; i < 20000; i++) {
		int k = (seed = seed * 1103515245 + 12345) >> 16 & 0x7fff;
		size_t n = k % 17 ? k % 600 : k * 20 % 400000;
		unsigned char *p = block[k % BLOCKS].p;
		size_t old = block[k % BLOCKS].n;

		if (old)	/* UMALLOC1, UMALLOC2, UMALLOC4: else blocks overlap */
			CHECK(p[0] == (unsigned char)old && p[old - 1] == (unsigned char)old);
		if (i % 3 == 0) {
			free(p);
			p = i % 2 ? malloc(n) : calloc(1, n);
			CHECK(p);
			if (!(i % 2))
				for (size_t j = 0; j < n; j += 31)
					CHECK_EQ(p[j], 0);
		} else {
			n += !n;
			p = realloc(p, n);
			CHECK(p);
			if (old)
				CHECK_EQ(p[0], (unsigned char)old);
		}
		CHECK_EQ((uintptr_t)p % 16, 0);
		if (n)
			p[0] = p[n - 1] = n;
		block[k % BLOCKS].p = p;
		block[k % BLOCKS].n = n;
	}
	for (int i = 0; i < BLOCKS; i++)
		free(block[i].p);
}

static void heap_alignment(void)
{
	void *volatile p[50];	/* volatile: compilers leave out unused allocations */

	for (size_t align = 8; align <= 8192; align *= 2) {
		for (int i = 0; i < 50; i++) {
			CHECK_EQ(posix_memalign((void **)&p[i], align, i * 37), 0);
			CHECK_EQ((uintptr_t)p[i] % align, 0);
			memset(p[i], 0xee, i * 37);
		}
		for (int i = 0; i < 50; i++)
			free(p[(i * 7) % 50]);
	}
	CHECK_EQ(posix_memalign((void **)&p[0], 3, 10), EINVAL);
	volatile size_t huge = SIZE_MAX / 2, half = huge / 2;

	p[0] = malloc(huge);
	CHECK(!p[0] && errno == ENOMEM);
	p[0] = calloc(half, 16);
	CHECK(!p[0] && errno == ENOMEM);
}

static void *use_heap(void *arg)
{
	for (int i = 0; i < 1500; i++) {
		size_t n = (i * 37 + (long)arg * 11) % 900 + 1;
		unsigned char *p = malloc(n);

		CHECK(p);
		memset(p, (long)arg, n);
		if (i % 50 == 0)
			sched_yield();
		for (size_t k = 0; k < n; k += 7)
			CHECK_EQ(p[k], (long)arg);
		free(p);
	}
	return NULL;
}

static void heap_of_threads(void)
{
	pthread_t t[6];

	for (long i = 0; i < 6; i++)
		t[i] = start_thread(use_heap, (void *)(i + 1));
	for (int i = 0; i < 6; i++)
		join_thread(t[i]);
}

static void streams(void)
{
	const char *path = temp_path("streams");
	FILE *f = fopen(path, "w+");
	char buf[64], *line = NULL;
	size_t size = 0;

	CHECK(f);
	for (int i = 0; i < 3000; i++)
		CHECK(fprintf(f, "line %d\n", i) > 0);
	rewind(f);
	for (int i = 0; i < 3000; i++) {
		snprintf(buf, sizeof(buf), "line %d\n", i);
		CHECK_EQ(getline(&line, &size, f), strlen(buf));
		CHECK(!strcmp(line, buf));
	}
	CHECK_EQ(getline(&line, &size, f), -1);
	CHECK(feof(f) && !ferror(f));
	free(line);
	CHECK_EQ(fseek(f, 5, SEEK_SET), 0);
	CHECK_EQ(getc(f), '0');
	CHECK_EQ(ungetc('Z', f), 'Z');
	CHECK_EQ(ftell(f), 5);
	CHECK(fgets(buf, sizeof(buf), f) && !strcmp(buf, "Z\n"));
	CHECK(fgets(buf, 4, f) && !strcmp(buf, "lin"));
	CHECK_EQ(fseek(f, 0, SEEK_END), 0);
	CHECK(fputs("end", f) >= 0);
	CHECK_EQ(fflush(f), 0);
	CHECK_EQ(fseek(f, -3, SEEK_END), 0);
	CHECK_EQ(fread(buf, 1, 10, f), 3);
	CHECK_EQ(fclose(f), 0);
	f = fopen(path, "a");
	CHECK_EQ(fwrite("more", 2, 2, f), 2);
	CHECK_EQ(fclose(f), 0);
	f = fopen(path, "r");
	CHECK_EQ(fseek(f, -7, SEEK_END), 0);
	CHECK(fgets(buf, sizeof(buf), f) && !strcmp(buf, "endmore"));
	CHECK_EQ(fputc('x', f), EOF);
	CHECK(ferror(f));
	CHECK_EQ(fclose(f), 0);
	CHECK_EQ(remove(path), 0);
	CHECK(!fopen(path, "r") && errno == ENOENT);
	CHECK(!fopen(path, "q") && errno == EINVAL);
}

static void buffering(void)
{
	int fds[2];
	char buf[16];
	FILE *f;

	CHECK_EQ(pipe2(fds, O_NONBLOCK), 0);
	f = fdopen(fds[1], "w");
	fputs("ab", f);
	CHECK_EQ(read(fds[0], buf, 16), -1);		/* still in the buffer */
	fflush(f);
	CHECK_EQ(read(fds[0], buf, 16), 2);
	setvbuf(f, NULL, _IOLBF, 0);
	fputs("c", f);
	CHECK_EQ(read(fds[0], buf, 16), -1);
	fputs("d\n", f);
	CHECK_EQ(read(fds[0], buf, 16), 3);
	setvbuf(f, NULL, _IONBF, 0);
	fprintf(f, "%d-%s", 5, "x");
	CHECK_EQ(read(fds[0], buf, 16), 3);
	CHECK(!memcmp(buf, "5-x", 3));
	fclose(f);
}

static const struct test_case cases[] = {
	CASE(heap),
	CASE(heap_alignment),
	CASE(heap_of_threads),
	CASE(streams),
	CASE(buffering),
};

TEST_MAIN(cases)
