/* assert(3): the only header that may be included again after NDEBUG has changed. */
#undef assert

#ifdef NDEBUG
#define assert(cond)	((void)0)
#else
#define assert(cond)	((cond) ? (void)0 : __assert_fail(#cond, __FILE__, __LINE__, __func__))
#endif

#ifndef __ASSERT_FAIL_DECLARED
#define __ASSERT_FAIL_DECLARED
_Noreturn void __assert_fail(const char *cond, const char *file, unsigned line, const char *func);
#endif

#define static_assert	_Static_assert
