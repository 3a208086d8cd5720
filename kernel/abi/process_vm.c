/*
 * process_vm_readv and process_vm_writev: memory of another process. Each of its pages is pinned
 * and copied from or to as the caller's own memory would be by a read or write.
 */
#include "sys.h"

/* Copies the other process's segments; a bad address shows only when it is used. */
static int copy_segments(vaddr_t from, size_t n, struct iovec **out)
{
	struct iovec *s;
	int err;

	if (n > IOV_MAX)
		return -EINVAL;
	s = kmalloc(MAX(n, 1ul) * sizeof(*s));
	if (!s)
		return -ENOMEM;
	err = copy_from_user(s, from, n * sizeof(*s));
	for (size_t i = 0; i < n && !err; i++)
		err = (s64)s[i].len < 0 ? -EINVAL : 0;
	if (err)
		kfree(s);
	else
		*out = s;
	return err;
}

/* cred_may_inspect() by real ids. Asked with the memory in hand: exec gives rights before it. */
static bool may_access(struct process *p)
{
	const struct cred *mine = current_cred();
	struct cred *c SCOPED(cred) = process_cred(p);
	bool same = mine->uid.real == c->uid.real && mine->uid.real == c->uid.effective &&
		    mine->uid.real == c->uid.saved && mine->gid.real == c->gid.real &&
		    mine->gid.real == c->gid.effective && mine->gid.real == c->gid.saved;

	return (same && p->dumpable) || p == current_process() || capable(CAP_SYS_PTRACE);
}

static int find_space(pid_t pid, struct addr_space **out)
{
	struct process *p SCOPED(process) = process_find_by_task(pid);

	*out = p ? process_get_as(p) : NULL;
	if (!p || may_access(p))
		return *out ? 0 : -ESRCH;
	if (*out)
		as_put(*out);
	return -EPERM;
}

/* Copies up to the end of the page at @at in @as. Returns how many bytes, or an error. */
static ssize_t move_page(struct addr_space *as, vaddr_t at, size_t n, struct iobuf *own, bool write)
{
	size_t offset = at % PAGE_SIZE;
	struct page *p;
	int err;

	n = MIN(n, PAGE_SIZE - offset);
	p = as_pin_page(as, at, write ? VM_WRITE : VM_READ, &err);
	if (!p)
		return -EFAULT;
	if (write)
		n = iobuf_copy_from(own, page_to_virt(p) + offset, n);
	else
		n = iobuf_copy_to(own, page_to_virt(p) + offset, n);
	page_put(p);
	return n ? (ssize_t)n : -EFAULT;
}

static ssize_t move_all(struct addr_space *as, const struct iovec *other, size_t n,
			struct iobuf *own, bool write)
{
	ssize_t done = 0, moved;

	for (size_t i = 0; i < n; i++)
		for (size_t at = 0; at < other[i].len && own->left; at += moved) {
			moved = move_page(as, other[i].base + at,
					  MIN(other[i].len - at, own->left), own, write);
			if (moved < 0)
				return done ? done : moved;
			done += moved;
		}
	return done;
}

static long transfer(pid_t pid, vaddr_t own, size_t nr_own, vaddr_t other, size_t nr_other,
		     u64 flags, bool write)
{
	struct addr_space *as;
	struct user_vector v;
	struct iovec *segments = NULL;
	ssize_t done;

	if (flags)
		return -EINVAL;
	done = vector_get(&v, own, nr_own);
	if (done)
		return done;
	if (v.buf.left && nr_other)
		done = copy_segments(other, nr_other, &segments);
	if (v.buf.left && nr_other && !done) {
		done = find_space(pid, &as);
		if (!done) {
			done = move_all(as, segments, nr_other, &v.buf, write);
			as_put(as);
		}
		kfree(segments);
	}
	vector_end(&v);
	return done;
}

long sys_process_vm_readv(pid_t pid, vaddr_t own, size_t nr_own, vaddr_t other, size_t nr_other,
			  u64 flags)
{
	return transfer(pid, own, nr_own, other, nr_other, flags, false);
}

long sys_process_vm_writev(pid_t pid, vaddr_t own, size_t nr_own, vaddr_t other, size_t nr_other,
			   u64 flags)
{
	return transfer(pid, own, nr_own, other, nr_other, flags, true);
}
