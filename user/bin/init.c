#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <errno.h>
#include <unistd.h>
__thread int x = 42;
__thread char buf[100];
static void *th(void *a) { printf("thread %ld x=%d errno=%d\n", (long)a, x, errno); x = 7; errno = 5; return (void*)((long)a*2); }
int main(int argc, char **argv) {
	printf("hello %d %s %5.2f|%g|%e|%-8s|%08lx\n", argc, argv[0], 3.14159, 0.1, 12345.678, "ab", 0xdeadbeefUL);
	for (long i = 0; i < 3; i++) { pthread_t t; void *r; pthread_create(&t, 0, th, (void*)i); pthread_join(t, &r); printf("joined %ld\n", (long)r);}
	printf("%d %p\n", x, malloc(10) ? (void*)0x10 : 0);
	return 3;
}
