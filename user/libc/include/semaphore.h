/* Counting semaphores. */
#pragma once

#include <sys/types.h>
#include <time.h>

/* Low half: the count. High half: how many threads wait. One word, so that both change together. */
typedef struct {
	unsigned long __word;
	int __shared;
} sem_t;

int sem_destroy(sem_t *s);
int sem_getvalue(sem_t *s, int *value);
int sem_init(sem_t *s, int shared, unsigned value);
int sem_post(sem_t *s);
int sem_timedwait(sem_t *s, const struct timespec *deadline);
int sem_trywait(sem_t *s);
int sem_wait(sem_t *s);
