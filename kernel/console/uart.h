/*
 * The 16550 UART of machine.uart: registers, FIFO and interrupt, one byte at a time. The console
 * keeps senders apart (console.h): after boot, every call but uart_send_polled() needs its lock.
 */
#pragma once

#include "types.h"

#define UART_FIFO	16	/* bytes it takes at once when it is ready */

/* Sets up the UART and the console for polled output. After bootargs_init(). */
void uart_early_init(void);

/* Returns how many bytes of registers lie in memory from machine.uart.base on; 0: none. */
size_t uart_bytes(void);

/*
 * Registers the interrupt handler; the registers are at @mapped from now on, unless that is NULL.
 * Returns false if there is no UART.
 */
bool uart_interrupt_init(void *mapped);

bool uart_send_ready(void);		/* the transmit FIFO is empty: UART_FIFO bytes fit */
void uart_send(char c);
void uart_drain(void);			/* waits until the last bit is on the wire */
void uart_send_polled(char c);		/* waits for room; in a panic without the lock */

#define UART_RX	1u
#define UART_TX	2u
void uart_interrupts(unsigned on, unsigned off);	/* UART_* to turn on and off */
