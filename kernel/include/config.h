/*
 * The kind of build, as constants: the Makefile sets TRELLIS_DEBUG and TRELLIS_TESTS to 0 or 1.
 * Code tests these with if, never with #if. No header may use TEST_BUILD: only the source files
 * that name it are compiled twice, for kernels with and without tests.
 */
#pragma once

#define DEBUG_BUILD	(TRELLIS_DEBUG)	/* lock checker, poison, redzones */
#define TEST_BUILD	(TRELLIS_TESTS)	/* in-kernel tests and instruments are linked in */
