/* The kernel's log. */
#pragma once

int klogctl(int command, char *buf, int size);
