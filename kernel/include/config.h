/*
 * The kind of build, as constants the compiler folds: the Makefile sets TRELLIS_DEBUG and
 * TRELLIS_TESTS to 0 or 1. Bodies test these with if, never with #if. Only source files may say
 * TEST_BUILD, no header: such a file is compiled for each, all others once, without TRELLIS_TESTS.
 */
#pragma once

#define DEBUG_BUILD	(TRELLIS_DEBUG)	/* lock checker, poison, redzones */
#define TEST_BUILD	(TRELLIS_TESTS)	/* in-kernel tests and instruments are linked in */
