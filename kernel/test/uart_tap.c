/*
 * The uart instrument (instrument.h): in test kernels the linker puts these functions in front of
 * those of console/uart.c.
 */
#include "console/uart.h"
#include "test/instrument.h"

bool __wrap_uart_send_ready(void);
void __wrap_uart_send(char c);
void __wrap_uart_send_polled(char c);
void __wrap_uart_interrupts(unsigned on, unsigned off);
bool __real_uart_send_ready(void);
void __real_uart_send(char c);
void __real_uart_send_polled(char c);
void __real_uart_interrupts(unsigned on, unsigned off);

struct uart_tap *_Atomic uart_tap;

static void take(struct uart_tap *tap, char c)
{
	if (tap->sending)
		tap->sending();
	if (tap->nr < tap->size)
		tap->bytes[tap->nr] = c;
	tap->nr++;
	tap->in_vain = 0;
}

bool __wrap_uart_send_ready(void)
{
	struct uart_tap *tap = uart_tap;

	if (!tap)
		return __real_uart_send_ready();
	if (tap->in_fifo && tap->rounds) {
		tap->rounds--;
		tap->in_fifo = 0;
	} else if (tap->in_fifo && ++tap->in_vain == tap->polls) {
		tap->in_fifo = 0;
	}
	return tap->in_fifo == 0;
}

void __wrap_uart_send(char c)
{
	struct uart_tap *tap = uart_tap;

	if (!tap) {
		__real_uart_send(c);
		return;
	}
	if (tap->in_fifo == UART_FIFO)
		tap->overruns++;
	else
		tap->in_fifo++;
	take(tap, c);
}

void __wrap_uart_send_polled(char c)
{
	struct uart_tap *tap = uart_tap;

	if (!tap) {
		__real_uart_send_polled(c);
		return;
	}
	tap->polled++;
	take(tap, c);
}

void __wrap_uart_interrupts(unsigned on, unsigned off)
{
	struct uart_tap *tap = uart_tap;

	if (!tap) {
		__real_uart_interrupts(on, off);
		return;
	}
	if ((on | off) & UART_TX)
		tap->asked = on & UART_TX;
	tap->received |= (on | off) & UART_RX;
}
