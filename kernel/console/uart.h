/*
 * The 16550 UART of machine.uart: registers, FIFO and interrupt, one byte at a time. The order of
 * senders is the console's business (console.h): all but the polled call need its
 * lock.
 */
#pragma once

#include "types.h"

#define UART_FIFO	16	/* bytes it takes at once when it is ready */

/* Bytes of registers in memory, from machine.uart.base on; 0: there are none. */
size_t uart_bytes(void);

/* Handles the interrupt; registers are at @mapped from now on, unless NULL. False: it has none. */
bool uart_interrupt_init(void *mapped);

bool uart_send_ready(void);		/* the transmit FIFO is empty: UART_FIFO bytes fit */
void uart_send(char c);
void uart_drain(void);			/* until the last bit is on the wire */
void uart_send_polled(char c);		/* waits for room. No lock: for a panic, or with the lock */

#define UART_RX	1u
#define UART_TX	2u
void uart_interrupts(unsigned on, unsigned off);	/* UART_* to turn on and off */
