/*
 * Circular doubly linked lists whose nodes live inside the objects they link.
 *
 * A node is in at most one list. A node that is in none points at itself, so removing it twice is
 * harmless and list_linked() has an answer. This costs two stores per removal, and makes it
 * possible to assert that a thread is on no queue.
 */
#pragma once

#include "types.h"

struct list_node {
	struct list_node *next, *prev;
};

#define LIST_INIT(name)		{ &(name), &(name) }

static inline void list_init(struct list_node *n)
{
	n->next = n;
	n->prev = n;
}

static inline bool list_empty(const struct list_node *head)
{
	return head->next == head;
}

static inline bool list_linked(const struct list_node *n)
{
	return n->next != n;
}

static inline void list_insert_before(struct list_node *pos, struct list_node *n)
{
	struct list_node *prev = pos->prev;

	n->next = pos;
	n->prev = prev;
	prev->next = n;
	pos->prev = n;
}

static inline void list_push_back(struct list_node *head, struct list_node *n)
{
	list_insert_before(head, n);
}

static inline void list_push_front(struct list_node *head, struct list_node *n)
{
	list_insert_before(head->next, n);
}

static inline void list_remove(struct list_node *n)
{
	struct list_node *next = n->next, *prev = n->prev;

	prev->next = next;
	next->prev = prev;
	list_init(n);
}

/* Removes and returns the first node; NULL if the list is empty. */
static inline struct list_node *list_pop_node(struct list_node *head)
{
	struct list_node *n = head->next;

	if (n == head)
		return NULL;
	list_remove(n);
	return n;
}

/* Moves all of @from to the end of @to. */
static inline void list_splice_back(struct list_node *to, struct list_node *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(node, type, member)	container_of(node, type, member)

#define list_first(head, type, member) \
	(list_empty(head) ? NULL : list_entry((head)->next, type, member))

/* The loop body must not remove anything; use list_for_each_safe to remove the current entry. */
#define list_for_each(it, head, type, member) \
	for (type *it = list_entry((head)->next, type, member); \
	     &it->member != (head); \
	     it = list_entry(it->member.next, type, member))

#define list_for_each_safe(it, head, type, member) \
	for (type *it = list_entry((head)->next, type, member), \
		  *it##_next = list_entry(it->member.next, type, member); \
	     &it->member != (head); \
	     it = it##_next, it##_next = list_entry(it->member.next, type, member))
