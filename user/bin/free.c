/* free: prints how much memory there is, in KiB, and what uses it. */
#include <err.h>

#include "proc.h"

int main(void)
{
	long total, unused, cached;
	char text[2048];

	if (read_text("/proc/meminfo", text, sizeof(text)) <= 0)
		err(1, "/proc/meminfo");
	total = number_after(text, "MemTotal:");
	unused = number_after(text, "MemFree:");
	cached = number_after(text, "\nCached:") + number_after(text, "Buffers:");
	puts("              total        used        free       files   available");
	printf("Mem:    %11ld %11ld %11ld %11ld %11ld\n", total, total - unused - cached, unused,
	       cached, number_after(text, "MemAvailable:"));
	return 0;
}
