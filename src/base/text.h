// Formats messages: the part of printf that they use, because the C library's adds kilobytes to the module.
#ifndef OCELLI_TEXT_H_
#define OCELLI_TEXT_H_

#include <stdarg.h>
#include <stddef.h>

// Writes at most capacity - 1 characters and a NUL; capacity >= 1. Returns how many were written.
// Conversions: %s, %.Ns, %d, %u, %lld, %llu, %zu. The format must be a constant of the program.
size_t ocl_text_format(char* text, size_t capacity, const char* format, ...) __attribute__((format(printf, 3, 4)));
size_t ocl_text_format_list(char* text, size_t capacity, const char* format, va_list arguments);

#endif  // OCELLI_TEXT_H_
