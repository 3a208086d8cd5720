/*
 * The 16550 UART, by memory or I/O ports; register names are those of National's data sheet.
 *
 * Before uart_interrupt_init() output is polled, through the direct map. After it, the interrupt
 * handler feeds input to the tty, and asks the console for more output whenever the transmit FIFO
 * is empty. Without a UART (base 0) output is always possible, and lost.
 *
 * Lock: the console's, for the transmit side and the interrupt enable register. Receiving needs
 * none: only the interrupt handler does it, on one CPU at a time.
 */
#include "console/uart.h"

#include "arch.h"
#include "base/irq.h"
#include "base/machine.h"
#include "console/console.h"
#include "mm/mm.h"

enum { RBR = 0, THR = 0, DLL = 0, IER = 1, DLM = 1, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };

#define IER_RX		0x01u
#define IER_TX		0x02u
#define FCR_ENABLE	0x01u	/* interrupt at one byte; keeps what the firmware left in it */
#define LCR_8N1		0x03u
#define LCR_DLAB	0x80u
#define MCR_DTR_RTS	0x03u
#define MCR_OUT2	0x08u	/* on PCs, lets the interrupt through */
#define LSR_DATA	0x01u
#define LSR_THR_EMPTY	0x20u
#define LSR_IDLE	0x40u
#define BAUD		115200u

static volatile u8 *regs;		/* [const after boot] NULL: I/O ports, or none */
static u8 ier;				/* [console lock] what is in IER */

static u8 reg_read(unsigned reg)
{
	if (regs)
		return regs[reg << machine.uart.reg_shift];
	if (machine.uart.is_port)
		return arch_port_read8(machine.uart.base + reg);
	return reg == LSR ? LSR_THR_EMPTY | LSR_IDLE : 0;
}

static void reg_write(unsigned reg, u8 v)
{
	if (regs)
		regs[reg << machine.uart.reg_shift] = v;
	else if (machine.uart.is_port)
		arch_port_write8(machine.uart.base + reg, v);
}

void uart_early_init(void)
{
	paddr_t base = machine.uart.base;
	u32 divisor = machine.uart.clock / (16 * BAUD);

	if (base && !machine.uart.is_port) {
		arch_direct_map(ALIGN_DOWN(base, BLOCK_SIZE));
		regs = phys_to_virt(base);
	}
	reg_write(IER, 0);
	if (divisor > 0 && divisor <= 0xffff) {
		reg_write(LCR, LCR_8N1 | LCR_DLAB);
		reg_write(DLL, divisor & 0xff);
		reg_write(DLM, divisor >> 8);
	}
	reg_write(LCR, LCR_8N1);
	reg_write(FCR, FCR_ENABLE);
	reg_write(MCR, MCR_DTR_RTS | MCR_OUT2);
	console_early_init();
}

bool uart_send_ready(void)
{
	return reg_read(LSR) & LSR_THR_EMPTY;
}

void uart_send(char c)
{
	reg_write(THR, c);
}

void uart_drain(void)
{
	while (!(reg_read(LSR) & LSR_IDLE))
		arch_spin_hint();
}

void uart_send_polled(char c)
{
	while (!uart_send_ready())
		arch_spin_hint();
	uart_send(c);
}

void uart_interrupts(unsigned on, unsigned off)
{
	u8 want = (ier | on) & ~off;

	_Static_assert(UART_RX == IER_RX && UART_TX == IER_TX, "the same bits");
	if (want != ier)
		reg_write(IER, ier = want);
}

/*
 * Reads until no byte is left or the tty has turned the receive interrupt off. So the line goes low
 * before the handler ends, and an edge-triggered interrupt controller sees the next byte, too.
 */
static void uart_interrupt(void *arg)
{
	(void)arg;
	while ((reg_read(LSR) & LSR_DATA) && console_input_room())
		console_input(reg_read(RBR));
	console_send_more();
}

size_t uart_bytes(void)
{
	return regs ? 8u << machine.uart.reg_shift : 0;
}

bool uart_interrupt_init(void *mapped)
{
	if (!machine.uart.base)
		return false;
	if (mapped)
		regs = mapped;
	irq_register(machine.uart.irq, uart_interrupt, NULL);
	return true;
}
