/*
 * Lab 01: the UART is asked for an interrupt, as the console itself would have asked, since that
 * may remember how it has left the UART.
 */
#pragma once

#include "console/console.h"
#include "console/uart.h"
#include "test/instrument.h"

/* Of the UART itself, whatever tap stands before it. */
void __real_uart_interrupts(unsigned on, unsigned off);

static void end_tap(void)
{
	uart_tap = NULL;
}

/*
 * The UART is idle, so it interrupts as soon as interrupts are on. The console has a byte for it
 * then, asked for that interrupt itself, as the UART seemed busy, and so takes its wish back. The
 * byte goes nowhere. Called with interrupts off.
 */
static inline void ask_uart(void)
{
	static struct uart_tap tap;

	if (uart_tap)
		return;			/* the interrupt of the last time has not come yet */
	console_flush();
	tap = (struct uart_tap){ .in_fifo = UART_FIFO, .sending = end_tap };
	uart_tap = &tap;
	console_write_all(STREAM_KERNEL, ".", 1);
	tap.rounds = 1;
	__real_uart_interrupts(UART_TX, 0);
}
