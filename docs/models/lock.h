/*
 * Shared by the models: spin locks.
 *
 * Every statement of a model is one step and sees what all steps before it wrote: memory is
 * sequentially consistent. A block in atomic { } is one step too, as a compare-exchange is.
 */
#define spin_lock(l)	atomic { !(l) -> l = true }
#define spin_unlock(l)	l = false
