/* The owners of files that tell by a signal. */
#include "fs/fs.h"
#include "process/async.h"
#include "process/process.h"
#include "test/ktest.h"

/* A process that began at another time than the owner is a later one with the same id. */
KTEST(async_id_again, "async.id_again", "", "async.owner")
{
	struct file_owner init = { OWNER_PROCESS, init_process->pid };
	struct file *r, *w;

	REQUIRE(!pipe_create(&r, &w, 0), "async.owner", "no pipe");
	CHECK(!async_set_owner(r, init, true), "async.owner", "init cannot be the owner");
	CHECK(async_owner(r).id == init.id, "async.owner", "init is not the owner");
	r->async.born--;
	CHECK(async_owner(r).id == 0, "async.owner", "a later process is the owner");
	file_put(r);
	file_put(w);
}
