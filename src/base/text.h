// Messages: the part of printf that they need, without the kilobytes of the C library's.
#ifndef OCELLI_TEXT_H_
#define OCELLI_TEXT_H_

#include <stdarg.h>
#include <stddef.h>

// Writes at most capacity - 1 characters and a NUL; capacity >= 1. Returns how many were written.
// Conversions: %s, %.Ns, %d, %u, %lld, %llu, %zu. A format is the program's own, never a user's.
size_t ocl_text_format(char* text, size_t capacity, const char* format, ...) __attribute__((format(printf, 3, 4)));
size_t ocl_text_format_list(char* text, size_t capacity, const char* format, va_list arguments);

#endif  // OCELLI_TEXT_H_
