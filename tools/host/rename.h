/*
 * The kernel's memory and string functions under other names, so that on the host the C library's
 * own functions remain, which the sanitizers know. Included before everything else.
 */
#pragma once

#define memcpy		kernel_memcpy
#define memmove		kernel_memmove
#define memset		kernel_memset
#define memcmp		kernel_memcmp
#define strlen		kernel_strlen
#define strnlen		kernel_strnlen
#define strcmp		kernel_strcmp
#define strncmp		kernel_strncmp
#define strchr		kernel_strchr
#define strrchr		kernel_strrchr
#define strlcpy		kernel_strlcpy
#define snprintf	kernel_snprintf
#define vsnprintf	kernel_vsnprintf
