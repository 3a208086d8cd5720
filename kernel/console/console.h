/*
 * The console: one UART, two streams.
 *
 * With console=mux (what tools/run and the grader ask for) the bytes of user programs and those of
 * the kernel are told apart on the wire: DLE (0x10) 'u' switches to the user stream, DLE 'k' to the
 * kernel's, DLE DLE is a DLE byte of the current stream, DLE 'x' <two hex digits> is the exit
 * status of init. Without it there are no frames, and a kernel newline goes out as CR LF, for a
 * person's terminal; in user bytes that is up to the tty (ONLCR).
 *
 * User output is queued and sent by the UART's interrupt. The kernel's goes into the same queue, so
 * order is kept; a panic flushes the queue by polling and then writes by polling.
 */
#pragma once

#include "types.h"

enum console_stream { STREAM_KERNEL, STREAM_USER };

void uart_early_init(void);		/* polled output from here on; after bootargs_init() */
void console_early_init(void);		/* part of it: kprintf() prints, what console= says */
void console_init(void *uart);		/* interrupts; its registers mapped there, or NULL */

/* Queues up to @n bytes of @s without blocking; how many were taken. Any context. */
size_t console_write(enum console_stream s, const char *buf, size_t n);

/* Never loses a byte, polls if the queue is full. Any context. */
void console_write_all(enum console_stream s, const char *buf, size_t n);

/*
 * The kernel's messages: kept in its log (log.h), and written unless the console is to be quiet; a
 * panic is always heard. Any context.
 */
void console_say(const char *text, size_t n);
void console_set_quiet(bool on);

/* From now on every byte goes out by polling, no lock is taken. For a panic. */
void console_panic_mode(void);

/* Waits until everything queued is on the wire. */
void console_flush(void);

/* Tells the host init's exit code, 0 to 255 as a shell counts (mux only), and flushes. */
void console_exit_status(int code);

bool console_is_mux(void);
#define CONSOLE_ROOM	512u		/* bytes */
bool console_has_room(void);		/* console_write() would take that many */
void console_receive(bool on);		/* the UART's receive interrupt */
void console_send_more(void);		/* the UART's interrupt handler: it has room */

/* The user of the console, which is the terminal; called in the UART's interrupt. */
struct console_user {
	bool (*room)(void);		/* false: it has turned receiving off until there is some */
	void (*input)(char c);
	void (*output_ready)(void);	/* the queue has room again */
};

void console_attach(const struct console_user *who);	/* input is received from now on */
bool console_input_room(void);				/* for the UART's handler */
void console_input(char c);
