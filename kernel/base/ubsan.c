/*
 * The functions that compiled code calls when UndefinedBehaviorSanitizer finds a fault (debug
 * builds): each panics and names the place. Layouts are those of GCC's and Clang's run-time
 * interface.
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

/* The data of every report begins with its location; the rest is not needed here. */
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
