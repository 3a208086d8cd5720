/*
 * Called by the compiler's code when UndefinedBehaviorSanitizer finds a fault (debug builds): each
 * names the place and panics. The layouts are those of GCC's and Clang's runtime interface.
 */
#include "base/panic.h"

struct source_location {
	const char *file;
	u32 line, column;
};

#define HANDLER(name, what)								\
	noreturn void __ubsan_handle_##name(struct source_location *loc);		\
	noreturn void __ubsan_handle_##name(struct source_location *loc)		\
	{										\
		panic("undefined behaviour: %s, %s:%u", what, loc->file, loc->line);	\
	}

/* Every report's data begins with its location; the values that may follow are not needed here. */
HANDLER(add_overflow, "signed addition overflows")
HANDLER(sub_overflow, "signed subtraction overflows")
HANDLER(mul_overflow, "signed multiplication overflows")
HANDLER(negate_overflow, "signed negation overflows")
HANDLER(divrem_overflow, "division by zero or overflow")
HANDLER(shift_out_of_bounds, "shift out of bounds")
HANDLER(out_of_bounds, "array index out of bounds")
HANDLER(load_invalid_value, "invalid value of a bool or enum")
HANDLER(builtin_unreachable, "unreachable code reached")
HANDLER(invalid_builtin, "invalid argument of a builtin")
